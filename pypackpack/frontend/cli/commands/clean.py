"""``pypackpack clean``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Optional

import typer

from pypackpack.frontend.cli.options import PACKAGE
from pypackpack.frontend.cli.session import Answer, package_here, session_of

if TYPE_CHECKING:
    from pypackpack.frontend.cli.style import Style
    from pypackpack.model.clean import CleanResult


def clean(
    ctx: typer.Context,
    packages: Annotated[
        Optional[list[str]],  # noqa: UP045 - typer evaluates it on Python 3.10 too
        typer.Argument(
            metavar=PACKAGE, help="Packages; the one that we stand in unless said, else all of the project.", show_default=False
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be removed.", show_default=False)] = False,
) -> Answer:
    """Empty the build folder of packages."""
    session = session_of(ctx)
    from pypackpack.middleware.clean import clean as run_clean  # noqa: PLC0415 - import cost

    here = package_here(session.start)
    names = tuple(packages or ((here,) if here is not None else ()))
    with session.console.watching() as watcher:
        result = run_clean(session.project(), names, watcher, dry=dry_run)
    return Answer(result, lambda _width, style: clean_lines(result, style), asked=dry_run)


def clean_lines(result: CleanResult, style: Style) -> list[str]:
    """Return what was removed, or would be, for people."""
    from pypackpack.frontend.cli.render import count, near_path, size, table  # noqa: PLC0415 - import cost

    some = [cleaned for cleaned in result.packages if cleaned.parts]
    if not some:
        return ["nothing to remove"]
    rows = [
        (near_path(cleaned.folder), count(cleaned.files, "file"), size(cleaned.size), ", ".join(cleaned.parts))
        for cleaned in some
    ]
    files, weight = sum(cleaned.files for cleaned in some), sum(cleaned.size for cleaned in some)
    word = "would be removed" if result.dry else "removed"
    return [*table(rows, right=(1, 2)), "", style.bold(f"{count(files, 'file')}, {size(weight)} {word}")]
