"""The journal of a build: what became of every task, told as it happens and kept for the profile and for explanations."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pypackpack.middleware.graph.history import inputs_of
from pypackpack.middleware.graph.schedule import RAN
from pypackpack.model.journal import TaskReport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pypackpack.middleware.graph.history import History
    from pypackpack.middleware.graph.schedule import Outcome
    from pypackpack.middleware.graph.task import Needs, Task
    from pypackpack.model.errors import PyPackPackError
    from pypackpack.model.journal import Reason

OUTPUT_SHOWN = 64_000
"""So many characters of what a task's tools say are kept."""
ASKED_SHOWN = 20


@dataclass(frozen=True)
class _Begun:
    """A task that began: when, by which worker, with what key, why, and made of what."""

    start: float
    worker: int = -1
    key: str = ""
    reason: Reason | None = None
    inputs: tuple[tuple[str, str], ...] = ()


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
        self._starts: dict[str, _Begun] = {}
        self._users: dict[str, list[str]] = {}
        self._names: set[str] = set()
        self.reports: list[TaskReport] = []

    def planned(self, tasks: Sequence[Task]) -> None:
        """Take note of a graph before it runs: who needs whom."""
        for task in tasks:
            self._names.add(task.name)
            for need in task.needs:
                self._users.setdefault(need, []).append(task.name)

    def asked(self, task: Task) -> tuple[str, ...]:
        """Return who wants a task."""
        return tuple(self._users.get(task.name, ())[:ASKED_SHOWN]) or task.asked

    def begun(self, task: Task, needs: Needs, key: str, worker: int) -> None:
        """Note that a task's work begins, and why."""
        reason = self._history.why(task, needs, key, asked=self.asked(task), rerun=self._rerun(task), present=self._names)
        began = _Begun(time.monotonic() - self._began, worker, key, reason, tuple(inputs_of(task, needs).items()))
        with self._lock:
            self._starts[task.name] = began
        if self._told is not None:
            self._told(_report(task, "started", began, began.start))

    def ended(self, task: Task, needs: Needs, outcome: Outcome) -> None:
        """Note that there is a result."""
        self._history.note(task, needs, outcome.key, kept=outcome.result.keep)
        if self._told is None and not self._keeps:
            return
        now = time.monotonic() - self._began
        with self._lock:
            began = self._starts.pop(task.name, None)
        start = outcome.start - self._began if outcome.start else now
        end = outcome.end - self._began if outcome.end else now
        inputs = began.inputs if began is not None else tuple(inputs_of(task, needs).items())
        reason = began.reason if began is not None and outcome.source == RAN else None
        done = _Begun(start, outcome.worker, outcome.key, reason, inputs)
        report = _report(task, outcome.source, done, end, outcome.output[-OUTPUT_SHOWN:])
        unstable = outcome.before is not None and outcome.before != outcome.result
        self._add(replace(report, unstable=unstable, outputs=tuple(sorted(outcome.result.outputs.items()))))

    def failed(self, task: Task, error: PyPackPackError, output: str) -> None:
        """Note that a task failed."""
        now = time.monotonic() - self._began
        with self._lock:
            began = self._starts.pop(task.name, None) or _Begun(now)
        said = "\n".join(part for part in (error.message, error.details) if part)
        self._add(replace(_report(task, "failed", began, now, output[-OUTPUT_SHOWN:]), error=said))

    def skipped(self, tasks: Sequence[Task]) -> None:
        """Note the tasks that did not run because one that they need failed."""
        now = time.monotonic() - self._began
        for task in tasks:
            self._add(_report(task, "skipped", _Begun(now), now))

    def _add(self, report: TaskReport) -> None:
        if self._keeps:
            with self._lock:
                self.reports.append(report)
        if self._told is not None:
            self._told(report)


def _report(task: Task, source: str, began: _Begun, end: float, output: str = "") -> TaskReport:
    return TaskReport(
        name=task.name,
        step=task.step,
        package=task.package,
        target=task.target,
        label=task.label,
        key=began.key,
        source=source,
        start=round(began.start, 6),
        end=round(end, 6),
        worker=began.worker,
        needs=task.needs,
        reason=began.reason,
        output=output,
        inputs=began.inputs,
    )
