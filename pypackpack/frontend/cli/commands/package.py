"""``pypackpack package add|remove|list``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from pypackpack.frontend.cli.options import PackageArgument  # noqa: TC001 - typer evaluates the annotations
from pypackpack.frontend.cli.render import count, near_path, size, some, table
from pypackpack.frontend.cli.session import Answer, session_of
from pypackpack.model.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.frontend.cli.style import Style
    from pypackpack.model.project import Package, Project, Removal

SOURCES_SHOWN = 10


@dataclass(frozen=True)
class PackageFacts:
    """A package as ``package list`` shows it."""

    name: str
    version: str
    root: Path
    targets: tuple[str, ...]
    dependencies: tuple[str, ...]


def facts(package: Package) -> PackageFacts:
    """Return what ``package list`` shows of a package."""
    targets = tuple(target.name for target in package.targets)
    return PackageFacts(package.name, package.version, package.root, targets, package.dependencies)


def add(
    ctx: typer.Context, name: Annotated[str, typer.Argument(metavar="<name>", help="The new package's name.", show_default=False)]
) -> Answer:
    """Add a package to the project."""
    session = session_of(ctx)
    from pypackpack.middleware.environment.development import refresh  # noqa: PLC0415 - import cost
    from pypackpack.middleware.package.manage import add_package  # noqa: PLC0415 - import cost

    with session.console.watching() as watcher:
        package = add_package(session.project(), name, watcher)
        refresh(session.project(), watcher)
    return Answer(
        facts(package), lambda _width, style: [f"{style.good('added')} package {package.name} in {near_path(package.root)}"]
    )


def remove(
    ctx: typer.Context,
    package: PackageArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.", show_default=False)] = False,
) -> Answer:
    """Delete a package and all of its files."""
    session = session_of(ctx)
    from pypackpack.middleware.environment.development import refresh  # noqa: PLC0415 - import cost
    from pypackpack.middleware.package.manage import removal, remove_package  # noqa: PLC0415 - import cost

    project = session.project()
    planned = removal(project, package)
    if not yes:
        session.console.tell(planned_lines(planned))
        agreed = session.console.confirm(f"Delete {planned.package.name}?")
        if agreed is None:
            msg = f"`package remove {package}` deletes files, and there is no terminal to ask on"
            raise UsageError(msg, hint="Give --yes to agree beforehand.")
        if not agreed:
            return Answer({"removed": False, "package": planned.package.name}, lambda *_: ["nothing was removed"])
    with session.console.watching() as watcher:
        done = remove_package(project, package)
        refresh(session.project(), watcher)
    data = {"removed": True, "package": done.package.name, "root": done.package.root, "files": done.files, "size": done.size}
    text = f"package {done.package.name}: {count(done.files, 'file')}, {size(done.size)}"
    return Answer(data, lambda _width, style: [f"{style.good('removed')} {text}"])


def planned_lines(planned: Removal) -> list[str]:
    """Return what a person should see before agreeing."""
    lines = [f"{near_path(planned.package.root)} will be deleted: {count(planned.files, 'file')}, {size(planned.size)}"]
    for name, files, bytes_ in planned.entries:
        lines.append(f"  {name}: {count(files, 'file')}, {size(bytes_)}" if name.endswith("/") else f"  {name}")
        if name == "src/":
            shown = planned.sources[:SOURCES_SHOWN]
            lines += [f"    {source}" for source in shown]
            if len(planned.sources) > len(shown):
                lines.append(f"    and {len(planned.sources) - len(shown)} more")
    return lines


def list_packages(ctx: typer.Context) -> Answer:
    """Show the packages of the project."""
    project = session_of(ctx).project()
    listed = [facts(package) for package in project.packages]
    return Answer(listed, lambda _width, style: _lines(project, listed, style), asked=True)


def _lines(project: Project, listed: list[PackageFacts], style: Style) -> list[str]:
    if not listed:
        return [f"{project.name} has no packages yet; pypackpack package add NAME makes one"]
    rows = [
        (each.name, each.version, some(each.targets) or "no targets", count(len(each.dependencies), "dependency", "dependencies"))
        for each in listed
    ]
    # The first column is marked after the columns are aligned: escape codes have no width.
    return [style.word(each.name) + line[len(each.name) :] for each, line in zip(listed, table(rows), strict=True)]
