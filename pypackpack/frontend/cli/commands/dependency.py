"""``pypackpack <package> add|remove|sync …``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pypackpack.frontend.cli.options import (  # noqa: TC001 - typer evaluates the annotations
    OfflineOption,
    PackageOption,
    TargetOption,
)
from pypackpack.frontend.cli.render import table
from pypackpack.frontend.cli.session import Answer, session_of
from pypackpack.model.errors import NotYetError, UsageError

if TYPE_CHECKING:
    from pypackpack.frontend.cli.session import Session
    from pypackpack.frontend.cli.style import Style
    from pypackpack.model.environment import DependencyChange, SyncResult
    from pypackpack.model.project import Package, Project

Requirements = Annotated[
    list[str],
    typer.Argument(metavar="<requirement>", help="Names, with versions and extras as pip takes them.", show_default=False),
]
Names = Annotated[list[str], typer.Argument(metavar="<name>", help="Names of dependencies.", show_default=False)]


def _chosen(session: Session, verb: str, name: str | None) -> tuple[Project, Package]:
    """Return the project and the package that is meant.

    Raises:
        NotYetError: No package is named: that would be the development environment.
        UsageError: There is no such package.
    """
    if name is None:
        msg = f"`pypackpack {verb}` for the development environment is not there yet; `pypackpack <package> {verb}` is"
        raise NotYetError(msg)
    project = session.project()
    package = project.package(name)
    if package is None:
        known = ", ".join(each.name for each in project.packages) or "none yet"
        msg = f"the project {project.name} has no package {name} (it has: {known})"
        raise UsageError(msg)
    return project, package


def add(
    ctx: typer.Context,
    requirements: Requirements,
    package: PackageOption = None,
    target: TargetOption = None,
    offline: OfflineOption = False,
) -> Answer:
    """Add dependencies to a package, for all or some of its targets."""
    session = session_of(ctx)
    project, chosen = _chosen(session, "add", package)
    from pypackpack.middleware.dependency import manage  # noqa: PLC0415 - import cost

    with session.console.watching() as watcher:
        result = manage.add(project, chosen, tuple(requirements), tuple(target or ()), watcher, offline=offline)
    return Answer(result, lambda _width, style: change_lines(result, style))


def remove(
    ctx: typer.Context,
    requirements: Names,
    package: PackageOption = None,
    target: TargetOption = None,
    offline: OfflineOption = False,
) -> Answer:
    """Take dependencies from a package, for all or some of its targets."""
    session = session_of(ctx)
    project, chosen = _chosen(session, "remove", package)
    from pypackpack.middleware.dependency import manage  # noqa: PLC0415 - import cost

    with session.console.watching() as watcher:
        result = manage.remove(project, chosen, tuple(requirements), tuple(target or ()), watcher, offline=offline)
    return Answer(result, lambda _width, style: change_lines(result, style))


def sync(
    ctx: typer.Context,
    package: PackageOption = None,
    target: TargetOption = None,
    offline: OfflineOption = False,
) -> Answer:
    """Make a package's environments exactly what its lock says."""
    session = session_of(ctx)
    project, chosen = _chosen(session, "sync", package)
    from pypackpack.middleware.environment.sync import sync as sync_environments  # noqa: PLC0415 - import cost

    with session.console.watching() as watcher:
        result = sync_environments(project, (chosen,), tuple(target or ()), offline=offline, watcher=watcher)
    return Answer(result, lambda _width, style: sync_lines(result, style))


def change_lines(change: DependencyChange, style: Style) -> list[str]:
    """Return what became of a package's dependencies."""
    what = "changed" if change.changed else "as before"
    lines = [f"{style.bold(change.package)}: dependencies {what}"]
    lines += [f"  {line}" for line in change.lines]
    for target, own in change.target_lines:
        lines += [f"  {line}  (only {target})" for line in own]
    return [*lines, *sync_lines(change.synced, style)]


def sync_lines(result: SyncResult, style: Style) -> list[str]:
    """Return what became of environments: one line for each, what came and what went below it.

    The notes are not among them: the watcher showed them when they came up.
    """
    lines = [f"{style.good('locked')} {name}" for name in result.locked]
    rows = []
    for each in result.environments:
        what = f"{len(each.installed)} installed" + (", as it was" if each.unchanged else "")
        rows.append((each.package, each.target, ".".join(str(part) for part in each.python), what))
    for line, each in zip(table(rows), result.environments, strict=True):
        lines.append(line)
        gone = [f"- {name} {version}" for name, version in each.removed]
        lines += ["    " + change for change in (*(f"+ {name} {version}" for name, version in each.added), *gone)]
    return lines
