"""The numbers of a run: what it waited for, what was known, who worked how much. Pure: reports in, numbers out."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pypackpack.model.journal import TaskReport

SOURCES = ("run", "store", "remote", "twin", "failed", "skipped")
"""What can become of a task, in the order in which it is shown."""
WORKED = frozenset({"run", "failed"})
"""Those that took a worker's time."""
AT_ONCE = 0.02
"""Seconds within which a task begins that has what it needs and a worker."""
NEEDS, BEHIND, FIRST = "needs", "after", "first"
"""Why a task of the critical path began when it did: what it needs was done; a worker or a stage was; it was the first."""


@dataclass(frozen=True)
class StepSum:
    """The tasks of one step.

    Attributes:
        step: The step.
        counts: What became of them: a word of `SOURCES` → number.
        seconds: What they took, one after the other.
    """

    step: str
    counts: Mapping[str, int]
    seconds: float


@dataclass(frozen=True)
class PathLink:
    """One task that the end of the run waited for.

    Attributes:
        name: The task.
        how: Why it began when it did: ``needs`` (the link before is what it needs), ``after`` (the link before ended, and with
            that a worker was free, or a stage was done), or ``first``.
        waited: Seconds between the end of the link before and its own begin.
    """

    name: str
    how: str
    waited: float


@dataclass(frozen=True)
class Profile:
    """The numbers of a run.

    Attributes:
        wall: Seconds from its begin to its end.
        busy: Seconds that workers worked, summed up.
        workers: Number of workers that did anything.
        counts: What became of the tasks: a word of `SOURCES` → number.
        steps: The same by step, in the order in which they began.
        path: The critical path, from the first task to the one that ended last.
        longest: Seconds that the longest chain of tasks that need each other took: with any number of workers it takes no less.
    """

    wall: float
    busy: float
    workers: int
    counts: Mapping[str, int]
    steps: tuple[StepSum, ...]
    path: tuple[PathLink, ...]
    longest: float


def profile(reports: Sequence[TaskReport], wall: float) -> Profile:
    """Return the numbers of a run.

    Args:
        reports: What became of each task; each name once.
        wall: Seconds from the run's begin to its end.
    """
    worked = [report for report in reports if report.source in WORKED]
    steps: dict[str, list[TaskReport]] = {}
    for report in sorted(reports, key=lambda report: report.start):
        steps.setdefault(report.step, []).append(report)
    return Profile(
        wall=wall,
        busy=sum(_length(report) for report in worked),
        workers=len({report.worker for report in worked}),
        counts=_counts(reports),
        steps=tuple(
            StepSum(step, _counts(own), sum(_length(report) for report in own if report.source in WORKED))
            for step, own in steps.items()
        ),
        path=_path(worked),
        longest=_longest(worked),
    )


def _length(report: TaskReport) -> float:
    return max(0.0, report.end - report.start)


def _counts(reports: Sequence[TaskReport]) -> dict[str, int]:
    counts = dict.fromkeys(SOURCES, 0)
    for report in reports:
        counts[report.source] = counts.get(report.source, 0) + 1
    return counts


def _path(worked: Sequence[TaskReport]) -> tuple[PathLink, ...]:
    """Walk back from the task that ended last: to what it needs and ended last, else to whatever ended last before it began."""
    ordered = sorted(worked, key=lambda report: (report.end, report.start, report.name))
    ends = [report.end for report in ordered]
    by_name = {report.name: report for report in ordered}
    links: list[PathLink] = []
    now = ordered[-1] if ordered else None
    seen: set[str] = set()
    while now is not None and now.name not in seen:
        seen.add(now.name)
        needed = [by_name[need] for need in now.needs if need in by_name and by_name[need].end <= now.start]
        place = bisect_right(ends, now.start)
        latest = ordered[place - 1] if place else None
        before, how = latest, BEHIND
        if needed:
            last = max(needed, key=lambda report: report.end)
            # Where it began well after that, it was not what it needs that it waited for, but for a worker.
            if latest is None or last.end >= latest.end or now.start - last.end < AT_ONCE:
                before, how = last, NEEDS
        links.append(
            PathLink(now.name, how if before is not None else FIRST, now.start - before.end if before is not None else now.start)
        )
        now = before
    return tuple(reversed(links))


def _longest(worked: Sequence[TaskReport]) -> float:
    """Return the length of the longest chain; a task begins after those that it needs, so that order is at hand."""
    lengths: dict[str, float] = {}
    for report in sorted(worked, key=lambda report: (report.start, report.end)):
        lengths[report.name] = _length(report) + max((lengths.get(need, 0.0) for need in report.needs), default=0.0)
    return max(lengths.values(), default=0.0)
