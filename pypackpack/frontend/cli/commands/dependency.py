"""``pypackpack <package> add|remove|sync …``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pypackpack.frontend.cli.options import OfflineOption, PackageOption, TargetOption
from pypackpack.frontend.cli.session import Answer, session_of
from pypackpack.model.errors import NotYetError, UsageError

if TYPE_CHECKING:
    from pypackpack.frontend.cli.session import Session
    from pypackpack.model.project import Package, Project

Requirements = Annotated[
    list[str],
    typer.Argument(metavar="<requirement>", help="Names, with versions and extras as pip takes them.", show_default=False),
]


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


def add(ctx: typer.Context, requirements: Requirements, package: PackageOption = None, target: TargetOption = None) -> Answer:
    """Add dependencies to a package, for all or some of its targets."""
    session = session_of(ctx)
    project, chosen = _chosen(session, "add", package)
    from pypackpack.middleware.dependency.manage import add as add_dependencies  # noqa: PLC0415 - import cost

    with session.console.watching() as watcher:
        result = add_dependencies(project, chosen, tuple(requirements), tuple(target or ()), watcher)
    return Answer(result, lambda *_: [str(result)])
