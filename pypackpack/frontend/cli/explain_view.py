"""``--explain`` as lines for people: why tasks ran. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.frontend.cli.overview import wrapped
from pypackpack.frontend.cli.render import count, some
from pypackpack.frontend.cli.style import PLAIN, Style
from pypackpack.middleware.graph.explain import Group, chain, groups, reason_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pypackpack.model.journal import TaskReport

CHANGES_SHOWN = 4
STEP_WIDTH = 13
ELSEWHERE = (
    "Was it built on another machine? Run the build with --json on both and compare the inputs of a task: "
    "docs/how-to/explain-a-build.md shows how."
)


def explain_lines(
    reports: Sequence[TaskReport],
    width: int | None,
    style: Style = PLAIN,
    *,
    last: str = "",
    verbose: bool = False,
    failed: bool = False,
) -> list[str]:
    """Return why tasks ran, those with one reason together.

    Args:
        reports: What became of every task.
        width: Columns; None means no limit.
        style: Colour, or none.
        last: What is built of it all, such as ``the wheel``.
        verbose: Name every task and every input.
        failed: Whether the build did.
    """
    found = groups(reports)
    total = sum(len(group.reports) for group in found)
    if not total:
        text = "No task had to run: every result was known" + (", and that of what fails too." if failed else ".")
        return [style.bold("Why tasks ran"), *_fitted(text, width, "  ")]
    by_name = {report.name: report for report in reports}
    lines = [style.bold(f"Why {total} of {count(len(by_name), 'task')} ran")]
    for group in found:
        lines += ["", *_head(group, width, style, verbose=verbose)]
        lines += _tasks(group, by_name, width, style, last=last, verbose=verbose)
    if any(group.reason.kind in ("first", "gone") for group in found):
        lines += ["", *_fitted(ELSEWHERE, width, "", style.dim)]
    return lines


def _head(group: Group, width: int | None, style: Style, *, verbose: bool) -> list[str]:
    first, *rest = reason_text(group.reason, most=None if verbose else CHANGES_SHOWN)
    label = f"{count(len(group.reports), 'task')}:"
    lines = _fitted(f"{label} {first}", width, "  ")
    lines[0] = lines[0].replace(label, style.word(label), 1)
    for line in rest:
        lines += _fitted(line, width, "    ")
    return lines


def _tasks(
    group: Group, by_name: Mapping[str, TaskReport], width: int | None, style: Style, *, last: str, verbose: bool
) -> list[str]:
    by_step: dict[str, list[TaskReport]] = {}
    for report in sorted(group.reports, key=lambda report: report.name):  # the same text, whichever thread was first
        by_step.setdefault(report.step, []).append(report)
    lines: list[str] = []
    for step in dict.fromkeys(report.step for report in group.reports):
        members = by_step[step]
        parts = [[member] for member in members] if verbose else [members]
        for part in parts:
            names = some([_thing(member) for member in part])
            first, *rest = _fitted(names, width, " " * (STEP_WIDTH + 5))
            lines += [f"    {step:<{STEP_WIDTH}} {first.lstrip()}", *rest]
            links = chain(part[0], by_name, last)
            if links:
                more = len({chain(member, by_name, last) for member in part}) - 1
                others = f" (and {more} more like it)" if more else ""
                text = "for " + ", for ".join(links) + others
                lines += _fitted(text, width, " " * (STEP_WIDTH + 5), style.dim)
    return lines


def _thing(report: TaskReport) -> str:
    """Return a task's name without the step, where it begins with that."""
    first, _, rest = report.name.partition(" ")
    return rest if first == report.step else report.name


def _fitted(text: str, width: int | None, indent: str, mark: object = None, *, hang: str = "  ") -> list[str]:
    room = None if width is None else max(width - len(indent) - len(hang), 20)
    first, *rest = [text] if room is None or len(text) <= room + len(hang) else wrapped(text, room)
    lines = [first, *(hang + line for line in rest)]
    return [indent + (mark(line) if callable(mark) else line) for line in lines]
