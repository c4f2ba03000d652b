"""Several calls at the same time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")


def at_once(calls: Iterable[Callable[[], T]]) -> list[T]:
    """Make calls, each in a thread of its own and none before all threads are there; return what they return, in order.

    The first error of a call is raised when all of them have ended.
    """
    every = list(calls)
    start = threading.Barrier(len(every))

    def run(call: Callable[[], T]) -> T:
        start.wait()
        return call()

    with ThreadPoolExecutor(len(every)) as pool:
        return [each.result() for each in [pool.submit(run, call) for call in every]]
