"""``pypackpack init``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Optional

import typer

from pypackpack.frontend.cli.argv import is_python_version
from pypackpack.frontend.cli.options import PYTHON
from pypackpack.frontend.cli.render import near_path, paragraph
from pypackpack.frontend.cli.session import Answer, session_of
from pypackpack.model.errors import UsageError

if TYPE_CHECKING:
    from pypackpack.frontend.cli.style import Style
    from pypackpack.model.project import InitResult


def init(
    ctx: typer.Context,
    name: Annotated[
        Optional[str],  # noqa: UP045 - typer evaluates it on Python 3.10 too
        typer.Argument(
            metavar="<name>", help="Folder to make for the project; without it, this folder becomes one.", show_default=False
        ),
    ] = None,
    python: Annotated[
        Optional[str],  # noqa: UP045 - typer evaluates it on Python 3.10 too
        typer.Argument(
            metavar=PYTHON, help="The project's Python, such as 3.13; it is fetched when it is not here.", show_default=False
        ),
    ] = None,
    adopt: Annotated[
        bool,
        typer.Option("--adopt", help="Add to the pyproject.toml that is here and leave the rest as it is.", show_default=False),
    ] = False,
) -> Answer:
    """Make a new project, or make this folder one."""
    session = session_of(ctx)
    if python is not None and not is_python_version(python):
        msg = f"init: {python!r} is not a Python version"
        raise UsageError(msg, hint="Write it as 3.13 or 3.13.1.")
    from pypackpack.middleware.project.init import init_project  # noqa: PLC0415 - import cost

    with session.console.watching() as watcher:
        result = init_project(session.start, name, python, adopt=adopt, watcher=watcher)
    return Answer(result, lambda width, style: _lines(result, width, style))


def _lines(result: InitResult, width: int | None, style: Style) -> list[str]:
    verb = "adopted" if result.adopted else "made"
    lines = [f"{style.good(verb)} project {style.bold(result.name)} in {near_path(result.root)}"]
    lines += paragraph(f"wrote {', '.join(result.made)}", width, "  ") if result.made else []
    lines += paragraph(f"kept {', '.join(result.kept)} as it was", width, "  ") if result.kept else []
    if result.python is not None:
        version = ".".join(str(number) for number in result.python.version)
        lines.append(f"  Python {version} in .venv")
    elif not (result.root / ".venv").exists():
        lines.append("  no .venv was made: `pypackpack sync` makes it")
    return [*lines, "", "Next: " + style.word("pypackpack package add <name>")]
