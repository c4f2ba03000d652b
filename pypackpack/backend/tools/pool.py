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
        self._lock = threading.Condition()
        self._coming: list[Worker] = []
        self._preparing = 0
        self._waiting = 0

    def prepare(self, value: object) -> None:
        """Start a worker that the next request will wait for, and send it a request whose answer nobody wants.

        A tool may load most of itself at its first request: this way it does that while others still plan. Returns at once. If it
        fails, whoever asks next finds out why.
        """
        with self._lock:
            self._preparing += 1
        threading.Thread(target=self._prepare, args=(value,), name="prepare", daemon=True).start()

    def _prepare(self, value: object) -> None:
        worker: Worker | None = None
        try:
            with contextlib.suppress(Exception):
                worker = self._start()
                with self._lock:
                    self._coming.append(worker)
                    wanted = self._waiting > 0
                if not wanted:  # whose request loads what this one would
                    worker.request(value)
        finally:
            with self._lock:
                self._preparing -= 1
                if worker is not None and worker in self._coming:
                    self._coming.remove(worker)
                    self._idle.append(worker)
                self._lock.notify_all()

    def request(self, value: object) -> Any:  # noqa: ANN401 - a JSON value; the caller knows its shape
        """Send a request to an idle worker, or to a new one, and return its answer.

        A worker that dies is not used again.

        Raises:
            ToolError: The worker died in the middle.
        """
        with self._lock:
            if not self._idle and self._preparing > self._waiting:
                self._waiting += 1
                try:
                    self._lock.wait_for(lambda: self._idle or not self._preparing)
                finally:
                    self._waiting -= 1
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
            self._lock.notify()
        return answer

    def close(self) -> None:
        """End all workers."""
        with self._lock:
            workers, self._idle = self._idle, []
            coming, self._coming = self._coming, []
        for worker in coming:
            worker.abandon()
        for worker in workers:
            worker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
