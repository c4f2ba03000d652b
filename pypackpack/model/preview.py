"""What a build would do, without doing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pypackpack.model.journal import Reason

REMEMBERED, WOULD_RUN, BEHIND, TWIN, REFUSED = "remembered", "to do", "behind", "twin", "refused"


@dataclass(frozen=True)
class PlannedTask:
    """One task of a build that was not run.

    Attributes:
        name: Its name.
        step: What it does, in a word.
        package: Whose work it is.
        target: For which target; empty when all share it.
        label: What it works on.
        state: ``remembered`` (its result is known), ``to do`` (it would run), ``behind`` (it needs a task that would run, so it
            would run too unless that one leaves behind what it did before), ``twin`` (another one does the very same), or
            ``refused`` (its result is known: Python cannot read the source, and the build fails).
        needs: Names of the tasks that it needs.
        reason: Why it would run; None for what is remembered, refused or behind.
    """

    name: str
    step: str
    package: str
    target: str
    label: str
    state: str
    needs: tuple[str, ...] = ()
    reason: Reason | None = None


@dataclass(frozen=True)
class StepCount:
    """The tasks of one step for one target.

    Attributes:
        step: The step.
        package: Whose work it is.
        target: For which target; empty when all share it.
        tasks: Number of its tasks.
        remembered: Number of those whose result is known, and no refusal.
        refused: Number of those that are known to fail: Python cannot read the source.
    """

    step: str
    package: str
    target: str
    tasks: int
    remembered: int
    refused: int = 0


@dataclass(frozen=True)
class Preview:
    """What a build would do.

    Attributes:
        tasks: Every task, each after those that it needs.
        left_out: Targets without such an artifact, with the reason.
        notes: What could not be found out without doing it.
    """

    tasks: tuple[PlannedTask, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def steps(self) -> tuple[StepCount, ...]:
        """The tasks counted, by step, package and target, in the order in which they come."""
        counts: dict[tuple[str, str, str], list[int]] = {}
        for task in self.tasks:
            count = counts.setdefault((task.step, task.package, task.target), [0, 0, 0])
            count[0] += 1
            count[1] += task.state == REMEMBERED
            count[2] += task.state == REFUSED
        return tuple(StepCount(*cell, *count) for cell, count in counts.items())
