"""``pypackpack target add|remove|list``."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated

import typer

from pypackpack.frontend.cli.commands.dependency import sync_lines
from pypackpack.frontend.cli.options import TARGET, OfflineOption
from pypackpack.frontend.cli.render import paragraph, some, table
from pypackpack.frontend.cli.session import Answer, session_of
from pypackpack.model.errors import NoProjectError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pypackpack.frontend.cli.session import Session
    from pypackpack.frontend.cli.style import Style
    from pypackpack.model.target import TargetChange, TargetListing

Words = Annotated[
    list[str],
    typer.Argument(
        metavar=TARGET,
        help="Names, families, aliases, or host. The last word may be a package; else it is the one we stand in, "
        "the only one, or all.",
        show_default=False,
    ),
]


def add(ctx: typer.Context, targets: Words, offline: OfflineOption = False) -> Answer:
    """Let a package be built for more platforms."""
    from pypackpack.middleware.target.manage import add_targets  # noqa: PLC0415 - import cost

    changes = _changed(session_of(ctx), add_targets, targets, offline=offline)
    return Answer(changes, lambda _width, style: _changes(changes, style, "added", "to", "was there already in"))


def remove(ctx: typer.Context, targets: Words, offline: OfflineOption = False) -> Answer:
    """Take platforms from a package."""
    from pypackpack.middleware.target.manage import remove_targets  # noqa: PLC0415 - import cost

    changes = _changed(session_of(ctx), remove_targets, targets, offline=offline)
    return Answer(changes, lambda _width, style: _changes(changes, style, "removed", "from", "was not in"))


def _changed(
    session: Session, change: Callable[..., tuple[TargetChange, ...]], words: Sequence[str], *, offline: bool
) -> tuple[TargetChange, ...]:
    from pypackpack.middleware.target.asked import read_words  # noqa: PLC0415 - import cost

    project = session.project()
    asked = read_words(project, words, session.start)
    with session.console.watching() as watcher:
        return change(project, asked, watcher, offline=offline)


def _changes(changes: Sequence[TargetChange], style: Style, verb: str, to: str, already: str) -> list[str]:
    lines = []
    for change in changes:
        if change.changed:
            lines.append(f"{style.good(verb)} {style.bold(change.target)} {to} {change.package}")
        else:
            lines.append(f"{style.bold(change.target)} {already} {change.package}")
        lines += [f"  {folder}" for folder in change.folders]
        if change.synced is not None:
            done = [each for each in change.synced.environments if verb == "added" or not each.unchanged]
            lines += sync_lines(dataclasses.replace(change.synced, environments=tuple(done)), style)
    return lines


def list_targets(ctx: typer.Context) -> Answer:
    """Show every known platform and what builds it."""
    session = session_of(ctx)
    from pypackpack.middleware.target.manage import list_targets as listed_targets  # noqa: PLC0415 - import cost

    project = None
    if session.general.project is None:
        try:
            project = session.project()
        except NoProjectError:
            project = None  # the table is worth looking at anywhere
    else:
        project = session.project()
    listings = listed_targets(project)
    return Answer(listings, lambda width, style: listing_lines(listings, width, style), asked=True)


def listing_lines(listings: Sequence[TargetListing], width: int | None, style: Style) -> list[str]:
    """Return the table of targets, and below it what keeps some of them from being built here."""
    head = ("target", "enabled in", "built by", "run here by")
    rows = [(each.name, some(each.enabled_in, 1), _builder(each), each.runner) for each in listings]
    lines = table([head, *rows])
    if width is None or max(map(len, lines)) <= width:
        found = [style.bold(lines[0]), *(_marked(line, each, style) for line, each in zip(lines[1:], listings, strict=True))]
    else:
        found = []
        for each, row in zip(listings, rows, strict=True):
            facts = [row[2], f"run by {each.runner}" if each.runner else "", f"in {row[1]}" if row[1] else ""]
            found += [_marked(each.name, each, style), "  " + ", ".join(word for word in facts if word)]
    places = {f"{each.builder} {each.builder_version}": each.builder_path for each in listings if each.builder_path is not None}
    if places:
        found += ["", *(f"{name} is {place}" for name, place in places.items())]
    reasons: dict[tuple[str, str], list[str]] = {}
    for each in listings:
        if not each.buildable:
            reasons.setdefault((each.why_not, each.what_to_do), []).append(each.name)
    if reasons:
        found += ["", "* native code cannot be built for it here:"]
        for (reason, hint), names in reasons.items():
            found += paragraph(f"{', '.join(names)}: {reason}. {hint}".rstrip(), width, "  ")
    return found


def _builder(each: TargetListing) -> str:
    """Return what builds a target, with its version where that is this machine's and not ours."""
    words = [each.builder, each.builder_version if each.builder_path is not None else "", "" if each.buildable else "*"]
    return " ".join(word for word in words if word)


def _marked(line: str, each: TargetListing, style: Style) -> str:
    name = each.name
    marked = style.good(name) if each.enabled_in else style.word(name) if each.buildable else style.dim(name)
    return marked + line[len(name) :]
