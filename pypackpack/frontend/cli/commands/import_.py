"""``pypackpack import``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from pypackpack.frontend.cli.options import PACKAGE, OfflineOption
from pypackpack.frontend.cli.render import count, paragraph, table
from pypackpack.frontend.cli.session import Answer, session_of
from pypackpack.model.errors import UsageError

if TYPE_CHECKING:
    from pypackpack.frontend.cli.style import Style
    from pypackpack.model.requirement import ImportResult


def import_files(
    ctx: typer.Context,
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="<file or folder>",
            help="Requirements files, or folders to look for them in, also below these; or another tool's pyproject.toml.",
            show_default=False,
        ),
    ],
    package: Annotated[
        Optional[str],  # noqa: UP045 - typer evaluates it on Python 3.10 too
        typer.Option("--package", metavar=PACKAGE, help="Into this package's dependencies.", show_default=False),
    ] = None,
    group: Annotated[
        str,
        typer.Option("--group", metavar="<group>", help="Into this dependency group; dev unless said.", show_default=False),
    ] = "",
    delete: Annotated[
        bool, typer.Option("--delete", help="Remove the files once everything is resolved, locked and installed.")
    ] = False,
    take_indexes: Annotated[
        bool,
        typer.Option("--take-indexes", help="Write the indexes that the files name into [[tool.uv.index]], without credentials."),
    ] = False,
    offline: OfflineOption = False,
) -> Answer:
    """Turn scattered requirements files into one list of dependencies."""
    session = session_of(ctx)
    if package is not None and group:
        msg = "--package and --group exclude each other"
        raise UsageError(msg, hint="A package has one list of dependencies; groups are the project's.")
    project = session.project()
    chosen = None
    if package is not None:
        chosen = project.package(package)
        if chosen is None:
            known = ", ".join(each.name for each in project.packages) or "none yet"
            msg = f"the project {project.name} has no package {package} (it has: {known})"
            raise UsageError(msg, hint=f"Add it with: pypackpack package add {package}")
    from pypackpack.middleware.dependency.imports import import_requirements  # noqa: PLC0415 - import cost

    with session.console.watching() as watcher:
        result = import_requirements(
            project,
            [Path(word) for word in files],
            package=chosen,
            group=group,
            delete=delete,
            take_indexes=take_indexes,
            offline=offline,
            watcher=watcher,
        )
    return Answer(result, lambda width, style: import_lines(result, width, style))


def import_lines(result: ImportResult, width: int | None, style: Style) -> list[str]:
    """Return what the files came to, and what could not be taken."""
    asked = count(len(result.lines), "dependency", "dependencies")
    head = f"{count(len(result.files), 'file')}, {asked} in {style.bold(result.into)}"
    rows = [(line.text, ", ".join(map(str, line.places))) for line in result.lines]
    lines = [head, *(f"  {row}" for row in table(rows))]
    if result.constraints:
        lines += ["", "Held at these versions by the lock, for dependencies of dependencies:"]
        lines += [f"  {row}" for row in table([(line.text, ", ".join(map(str, line.places))) for line in result.constraints])]
    if result.indexes:
        lines += ["", "Indexes, in [[tool.uv.index]]:"]
        shown = [(index.name, index.url, ", ".join(map(str, index.places))) for index in result.indexes]
        lines += [f"  {row}" for row in table(shown)]
        for index in result.indexes:
            if index.secret:
                lines += paragraph(credentials_sentence(index.name), width, "  ")
    if result.not_taken:
        lines += ["", style.warn("Not taken:")]
        for item in result.not_taken:
            lines += paragraph(f"{item.place}: {item.what}. {item.why}", width, "  ")
    if result.deleted:
        lines += ["", f"Deleted: {', '.join(result.deleted)}"]
    return lines


def credentials_sentence(name: str) -> str:
    """Return how uv gets the credentials of an index that stood in its url."""
    key = re.sub(r"[^A-Z0-9]", "_", name.upper())
    return (
        f"The credentials in the url of {name} were not taken: uv reads them from UV_INDEX_{key}_USERNAME and "
        f"UV_INDEX_{key}_PASSWORD, netrc, keyring, or after `uv auth login`."
    )
