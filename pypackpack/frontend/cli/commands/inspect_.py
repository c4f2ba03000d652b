"""``pypackpack inspect``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from pypackpack.frontend.cli.session import Answer
from pypackpack.model.comparison import PatchInspection, ResourceComparison, ResourceInspection
from pypackpack.model.errors import UsageError


def inspect(
    ctx: typer.Context,  # noqa: ARG001 - every command gets it
    file: Annotated[
        str,
        typer.Argument(
            metavar="<file>", help="A wheel, patch or archive of data files; the folder of a binary.", show_default=False
        ),
    ],
    other: Annotated[
        Optional[str],  # noqa: UP045 - typer evaluates it on Python 3.10 too
        typer.Argument(metavar="<other>", help="With --diff: the wheel or archive to compare it with.", show_default=False),
    ] = None,
    diff: Annotated[
        bool, typer.Option("--diff", help="Show what separates two wheels: files, metadata, modules.", show_default=False)
    ] = False,
) -> Answer:
    """Show what each module of a wheel or a binary became, and why; what a patch does; what separates two wheels."""
    from pypackpack.middleware.inspect import compare  # noqa: PLC0415 - import cost
    from pypackpack.middleware.inspect import inspect as look  # noqa: PLC0415 - import cost

    if diff != (other is not None):
        msg = "inspect --diff needs two wheels" if diff else f"inspect looks at one file, and {other} is another"
        raise UsageError(msg, hint="Write `pypackpack inspect --diff one.whl other.whl` to compare two.")
    if other is not None:
        from pypackpack.frontend.cli.comparison_view import comparison_lines, resources_lines  # noqa: PLC0415 - import cost

        compared = compare(Path(file), Path(other))
        if isinstance(compared, ResourceComparison):
            archives = compared
            return Answer(archives, lambda width, style: resources_lines(archives, width, style), asked=True)
        return Answer(compared, lambda width, style: comparison_lines(compared, width, style), asked=True)
    result = look(Path(file))
    if isinstance(result, PatchInspection):
        from pypackpack.frontend.cli.comparison_view import patch_lines  # noqa: PLC0415 - import cost

        patch = result
        return Answer(patch, lambda width, style: patch_lines(patch, width, style), asked=True)
    if isinstance(result, ResourceInspection):
        from pypackpack.frontend.cli.comparison_view import resource_lines  # noqa: PLC0415 - import cost

        archive = result
        return Answer(archive, lambda width, style: resource_lines(archive, width, style), asked=True)
    from pypackpack.frontend.cli.inspect_view import inspection_lines  # noqa: PLC0415 - import cost

    wheel = result
    return Answer(wheel, lambda width, style: inspection_lines(wheel, width, style), asked=True)
