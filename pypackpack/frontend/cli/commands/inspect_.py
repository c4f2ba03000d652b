"""``pypackpack inspect``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pypackpack.frontend.cli.session import Answer


def inspect(
    ctx: typer.Context,  # noqa: ARG001 - every command gets it
    file: Annotated[str, typer.Argument(metavar="<file>", help="A wheel, whoever made it.", show_default=False)],
) -> Answer:
    """Show what each module of a wheel became, and why."""
    from pypackpack.frontend.cli.inspect_view import inspection_lines  # noqa: PLC0415 - import cost
    from pypackpack.middleware.inspect import inspect as look  # noqa: PLC0415 - import cost

    result = look(Path(file))
    return Answer(result, lambda width, style: inspection_lines(result, width, style), asked=True)
