"""Worker processes, started when needed and shared by the threads of a build."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

from pypackpack.model.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

    from pypackpack.backend.process import Worker


class Pool:
    """Hands each thread a worker of its own; there are never more workers than threads that ask at one time."""

    def __init__(self, start: Callable[[], Worker]) -> None:
        self._start = start
        self._idle: list[Worker] = []
        self._lock = threading.Lock()

    def request(self, value: object) -> Any:  # noqa: ANN401 - a JSON value; the caller knows its shape
        """Send a request to an idle worker, or to a new one, and return its answer.

        A worker that dies is not used again.

        Raises:
            ToolError: The worker died in the middle.
        """
        with self._lock:
            worker = self._idle.pop() if self._idle else None
        if worker is None:
            worker = self._start()
        try:
            answer = worker.request(value)
        except BaseException:
            with contextlib.suppress(ToolError):
                worker.close()
            raise
        with self._lock:
            self._idle.append(worker)
        return answer

    def close(self) -> None:
        """End all workers."""
        with self._lock:
            workers, self._idle = self._idle, []
        for worker in workers:
            worker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
