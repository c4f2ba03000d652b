"""``build --dry-run`` and ``tasks`` as lines for people. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.frontend.cli.render import count, paragraph, some, table
from pypackpack.frontend.cli.style import PLAIN, Style
from pypackpack.middleware.graph.explain import reason_text
from pypackpack.model.preview import BEHIND, REFUSED, REMEMBERED, WOULD_RUN
from pypackpack.model.steps import STEPS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pypackpack.model.preview import PlannedTask, Preview

OTHER_GROUP = "Other"
ENVIRONMENT = "environment"
"""The step that a build does beside its tasks, and does not count."""
KNOWN = (REMEMBERED, REFUSED)
STATE = 12


def preview_lines(found: Preview, width: int | None, style: Style = PLAIN, *, each: bool = False) -> list[str]:
    """Return what a build would do: numbers for each step and target, and with ``each`` every task and why."""
    tasks = [task for task in found.tasks if task.step != ENVIRONMENT]
    todo = sum(task.state not in KNOWN for task in tasks)
    refused = sum(task.state == REFUSED for task in tasks)
    environments = sum(task.step == ENVIRONMENT and task.state != REMEMBERED for task in found.tasks)
    several = len({task.package for task in found.tasks}) > 1
    lines = []
    if each:
        lines += [*_every(found, width, style), ""]
    heads = (*(("package",) if several else ()), "step", "target", "tasks", "remembered", "would run")
    rows = [
        (
            *((step.package,) if several else ()),
            step.step,
            step.target or "all targets",
            str(step.tasks),
            str(step.remembered or "-"),
            str(step.tasks - step.remembered - step.refused or "-"),
        )
        for step in found.steps
    ]
    first, *rest = table([heads, *rows], right=tuple(range(len(heads) - 3, len(heads))))
    lines += [style.bold(first), *rest, ""]
    lines += _notes(found, width, style)
    if not todo and not environments:
        known = f"all of {count(len(tasks), 'task')} are remembered"
        if refused:
            known = f"{len(tasks) - refused} of {count(len(tasks), 'task')} are remembered, and {refused} would fail"
        return [*lines, *paragraph(f"Nothing would run: {known}.", width, hang="")]
    behind = sum(task.state == BEHIND for task in found.tasks)
    text = f"{todo} of {count(len(tasks), 'task')} would run"
    if behind:
        text += f"; {behind} of them unless what they need comes out as it was before"
    if environments:
        text += f"; {count(environments, 'environment')} would be synchronised"
    if refused:
        text += f"; {refused} would fail"
    return [*lines, *paragraph(f"{text}. Nothing was run or written.", width, hang="")]


def _every(found: Preview, width: int | None, style: Style) -> list[str]:
    by_name = {task.name: task for task in found.tasks}
    lines = []
    for task in found.tasks:
        mark = style.dim if task.state == REMEMBERED else style.bad if task.state == REFUSED else style.warn
        lines += _stated(task.state, task.name, width, mark)
        for line in _why(task, by_name):
            lines += [style.dim(part) for part in paragraph(line, width, " " * 12)]
    return lines


def _why(task: PlannedTask, by_name: dict[str, PlannedTask]) -> list[str]:
    if task.reason is not None:
        return reason_text(task.reason)
    if task.state == BEHIND:
        waits = [need for need in task.needs if need in by_name and by_name[need].state != REMEMBERED]
        return [f"needs {some(waits)}"] if waits else []
    return []


def _notes(found: Preview, width: int | None, style: Style) -> list[str]:
    lines: list[str] = []
    for name, reason in found.left_out:
        lines += paragraph(f"left out: {name} {reason}", width)
    for note in found.notes:
        lines += paragraph(f"note: {note}", width)
    return [style.warn(line) for line in lines] + ([""] if lines else [])


def task_lines(found: Preview, command: str, width: int | None, style: Style = PLAIN, *, each: bool = False) -> list[str]:
    """Return the steps of a build in groups, each described, with its number of tasks; with ``each`` every task by name."""
    by_step: dict[str, list[PlannedTask]] = {}
    for task in found.tasks:
        by_step.setdefault(task.step, []).append(task)
    groups: dict[str, list[str]] = {}
    for step in sorted(by_step, key=lambda step: list(STEPS).index(step) if step in STEPS else len(STEPS)):
        groups.setdefault(STEPS[step].group if step in STEPS else OTHER_GROUP, []).append(step)
    left = max((len(step) for step in by_step), default=0)
    lines = paragraph(f"Tasks of `{command}`", width, hang="")
    for group, steps in groups.items():
        lines += ["", style.bold(group)]
        for step in steps:
            lines += _step(step, by_step[step], left, width, style, each=each)
    lines += ["", *_notes(found, width, style)]
    hint = "" if each else " `--all` lists every task; `build … --dry-run` says what would run, and `--explain` why."
    todo = sum(task.state not in KNOWN for task in found.tasks)
    return [*lines, *paragraph(f"{count(len(found.tasks), 'task')}, {todo} to do.{hint}", width, hang="")]


def _step(step: str, tasks: Sequence[PlannedTask], left: int, width: int | None, style: Style, *, each: bool) -> list[str]:
    summary = STEPS[step].summary if step in STEPS else ""
    todo, refused = sum(task.state not in KNOWN for task in tasks), sum(task.state == REFUSED for task in tasks)
    state = ", ".join([*([f"{todo} to do"] if todo else []), *([f"{refused} would fail"] if refused else [])])
    numbers = f"({count(len(tasks), 'task')}, {state or 'remembered'})"
    first, *rest = paragraph(f"{summary} {numbers}", _less(width, left + 4))
    lines = [f"  {style.word(step)}{' ' * (left - len(step))}  {first}", *(f"{' ' * (left + 4)}{line.strip()}" for line in rest)]
    for task in tasks if each else ():
        word = task.state if task.state in KNOWN else WOULD_RUN
        lines += _stated(word, task.name, width, style.dim if word == REMEMBERED else style.warn, "    ")
    return lines


def _stated(state: str, name: str, width: int | None, mark: Callable[[str], str], indent: str = "") -> list[str]:
    """Return a task's state and its name, which goes on below itself."""
    first, *rest = paragraph(name, _less(width, len(indent) + STATE), hang="  ")
    gap = " " * (STATE - len(state))
    return [f"{indent}{mark(state)}{gap}{first}", *(f"{indent}{' ' * STATE}{line}" for line in rest)]


def _less(width: int | None, by: int) -> int | None:
    return None if width is None else max(width - by, 24)
