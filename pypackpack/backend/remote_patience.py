"""How long a remote cache is borne, and what is made of the answers that are neither a yes nor a no."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pypackpack.backend.http_server import Allowance, Answer

FAILURES = 2
"""So many requests in a row may fail."""
LOST_SECONDS = 10.0
"""So much time may be lost in a build, all in all."""
QUICK_SECONDS = 0.25
QUICK_BYTES = 200_000
"""An answer costs nothing that takes so many seconds, and one more for each so many bytes: to compile takes longer."""
TOKEN_VARIABLE = "PYPACKPACK_CACHE_TOKEN"  # noqa: S105 - the variable's name
USER_VARIABLE, PASSWORD_VARIABLE = "PYPACKPACK_CACHE_USER", "PYPACKPACK_CACHE_PASSWORD"

_NOT_US = frozenset({401, 403, 407})
_WRONG_THERE = 500


class Asked(Protocol):
    """A server: `http_server.Server`, or a dictionary in a test."""

    def ask(
        self,
        method: str,
        path: str,
        *,
        seconds: float,
        most: int = 0,
        body: Callable[[], Iterable[bytes]] | None = None,
        length: int = 0,
        kind: str = "application/octet-stream",
        take: Callable[[Callable[[int], bytes], Allowance], None] | None = None,
    ) -> Answer:
        """See `http_server.Server.ask`."""

    def close(self) -> None:
        """Close what is open."""


class Patience:
    """How long a server is borne: until two requests in a row have failed, or more than ten seconds were lost in all.

    Lost is the time of a question that gave nothing, and what an answer took longer than it should. Questions that run at the
    same time share their time: what counts is how long the build waits.
    """

    def __init__(
        self,
        given_up: Callable[[str], None],
        *,
        most: float = LOST_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin patiently.

        Args:
            given_up: Told why, when it is over: once.
            most: Seconds that may be lost.
            clock: Tells the time in seconds.
        """
        self._given_up = given_up
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._running: list[list[int]] = []
        self._lost = 0.0
        self.open = True

    @contextlib.contextmanager
    def timed(self) -> Iterator[list[float]]:
        """Measure a question; whoever has put an answer to good use adds to the list how many seconds it may have taken."""
        begin = self._clock()
        free: list[float] = []
        with self._lock:
            beside = [len(self._running)]  # how many run at the same time, at most
            self._running.append(beside)
            for each in self._running:
                each[0] = max(each[0], len(self._running))
        try:
            yield free
        finally:
            took = self._clock() - begin
            with self._lock:
                self._running = [each for each in self._running if each is not beside]
                self._lost += max(0.0, took - sum(free)) / beside[0]
                lost = self._lost
            if lost > self._most:
                self.give_up(f"waiting for it has cost {lost:.0f} seconds and given little")

    def fine(self) -> None:
        """Note that it answers."""
        with self._lock:
            self._failures = 0

    def failed(self, why: str) -> None:
        """Note that it does not."""
        with self._lock:
            self._failures += 1
            too_many = self._failures >= FAILURES
        if too_many:
            self.give_up(why)

    def refused(self, answer: Answer) -> None:
        """Note an answer that is neither a yes nor a "there is none"."""
        if answer.status in _NOT_US:
            self.give_up(
                f"it does not let us in ({answer.status}); a login can be in netrc, {TOKEN_VARIABLE}, or {USER_VARIABLE} and "
                f"{PASSWORD_VARIABLE}"
            )
        elif 300 <= answer.status < 400:
            to = f" to {answer.location.partition('?')[0][:200]}" if answer.location else ""
            self.give_up(f"it sends us elsewhere ({answer.status}{to}), and we do not go; the settings must name the right url")
        else:
            self.failed(said(answer))

    def give_up(self, why: str) -> None:
        """Ask it nothing more."""
        with self._lock:
            first, self.open = self.open, False
        if first:
            self._given_up(why)


def said(answer: Answer) -> str:
    """Return an answer that is of no use in words; what went wrong inside of a server, only that server knows."""
    return f"it says {answer.status}" + ("; look into the server's log" if answer.status >= _WRONG_THERE else "")


def quick(size: int) -> float:
    """Return the seconds that so many bytes may take without costing anything."""
    return QUICK_SECONDS + size / QUICK_BYTES
