"""The journal of a build: what became of every task, told as it happens and kept for the profile and for explanations."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from pypackpack.middleware.graph.schedule import RAN
from pypackpack.model.journal import Reason, TaskReport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pypackpack.middleware.graph.history import History
    from pypackpack.middleware.graph.schedule import Outcome
    from pypackpack.middleware.graph.task import Needs, Task
    from pypackpack.model.errors import PyPackPackError

OUTPUT_SHOWN = 64_000
"""So many characters of what a task's tools say are kept."""
ASKED_SHOWN = 20


class Journal:
    """A listener for all graphs of one build."""

    def __init__(
        self,
        history: History,
        *,
        began: float,
        rerun: Callable[[Task], bool] = lambda _task: False,
        told: Callable[[TaskReport], None] | None = None,
        keeps: bool = False,
    ) -> None:
        """Open a journal.

        Args:
            history: What tasks were made of before.
            began: When the build did, in seconds of the monotonic clock.
            rerun: Tells of a task whether the person asked for it to run.
            told: Called for every task that began (``source`` is ``started`` then) or ended; from any thread.
            keeps: Whether to keep the reports.
        """
        self._history = history
        self._began = began
        self._rerun = rerun
        self._told = told
        self._keeps = keeps
        self._lock = threading.Lock()
        self._starts: dict[str, tuple[float, int, str, Reason]] = {}
        self._users: dict[str, list[str]] = {}
        self.reports: list[TaskReport] = []

    def planned(self, tasks: Sequence[Task]) -> None:
        """Take note of a graph before it runs: who needs whom."""
        for task in tasks:
            for need in task.needs:
                self._users.setdefault(need, []).append(task.name)

    def asked(self, task: Task) -> tuple[str, ...]:
        """Return who wants a task."""
        return tuple(self._users.get(task.name, ())[:ASKED_SHOWN]) or task.asked

    def begun(self, task: Task, needs: Needs, key: str, worker: int) -> None:
        """Note that a task's work begins, and why."""
        reason = self._history.why(task, needs, key, asked=self.asked(task), rerun=self._rerun(task))
        now = time.monotonic() - self._began
        with self._lock:
            self._starts[task.name] = (now, worker, key, reason)
        if self._told is not None:
            self._told(_report(task, key, "started", now, now, worker, reason))

    def ended(self, task: Task, needs: Needs, outcome: Outcome) -> None:
        """Note that there is a result."""
        if outcome.result.keep:
            self._history.note(task, needs, outcome.key)
        if self._told is None and not self._keeps:
            return
        now = time.monotonic() - self._began
        with self._lock:
            _, _, _, reason = self._starts.pop(task.name, (0, 0, "", None))
        start = outcome.start - self._began if outcome.start else now
        end = outcome.end - self._began if outcome.end else now
        if outcome.source == RAN and not outcome.result.keep and reason is not None and reason.kind == "gone":
            reason = Reason("unkept", reason.changes, reason.asked)
        unstable = outcome.before is not None and outcome.before != outcome.result
        output = outcome.output[-OUTPUT_SHOWN:]
        self._add(_report(task, outcome.key, outcome.source, start, end, outcome.worker, reason, output, unstable=unstable))

    def failed(self, task: Task, error: PyPackPackError, output: str) -> None:
        """Note that a task failed."""
        now = time.monotonic() - self._began
        with self._lock:
            start, worker, key, reason = self._starts.pop(task.name, (now, -1, "", None))
        said = "\n".join(part for part in (error.message, error.details) if part)
        self._add(_report(task, key, "failed", start, now, worker, reason, output[-OUTPUT_SHOWN:], error=said))

    def skipped(self, tasks: Sequence[Task]) -> None:
        """Note the tasks that did not run because one that they need failed."""
        now = time.monotonic() - self._began
        for task in tasks:
            self._add(_report(task, "", "skipped", now, now, -1, None))

    def _add(self, report: TaskReport) -> None:
        if self._keeps:
            with self._lock:
                self.reports.append(report)
        if self._told is not None:
            self._told(report)


def _report(
    task: Task,
    key: str,
    source: str,
    start: float,
    end: float,
    worker: int,
    reason: Reason | None,
    output: str = "",
    *,
    error: str = "",
    unstable: bool = False,
) -> TaskReport:
    return TaskReport(
        name=task.name,
        step=task.step,
        package=task.package,
        target=task.target,
        label=task.label,
        key=key,
        source=source,
        start=round(start, 6),
        end=round(end, 6),
        worker=worker,
        needs=task.needs,
        reason=reason,
        output=output,
        error=error,
        unstable=unstable,
    )
