"""``pypackpack vendor``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pypackpack.frontend.cli.options import TargetOption  # noqa: TC001 - typer evaluates the annotations
from pypackpack.frontend.cli.render import count, near_path, paragraph, size
from pypackpack.frontend.cli.session import Answer, session_of

if TYPE_CHECKING:
    from pypackpack.frontend.cli.style import Style
    from pypackpack.model.vendor import VendorResult


def vendor(
    ctx: typer.Context,
    target: TargetOption = None,
    no_tools: Annotated[
        bool,
        typer.Option("--no-tools", help="Leave out the C compiler (80 to 100 MB), which native builds need.", show_default=False),
    ] = False,
) -> Answer:
    """Bring the wheels of all locked dependencies into vendor/, to work without a network."""
    session = session_of(ctx)
    project = session.project()
    from pypackpack.middleware.dependency.vendor import vendor as bring  # noqa: PLC0415 - import cost

    with session.console.watching() as watcher:
        result = bring(project, tuple(target or ()), tools=not no_tools, watcher=watcher)
    return Answer(result, lambda width, style: vendor_lines(result, width, style))


def vendor_lines(result: VendorResult, width: int | None, style: Style) -> list[str]:
    """Return what was brought, what went, and what cannot be vendored."""
    fetched = [item for item in result.files if item.fetched]
    total = sum(item.size for item in result.files)
    lines = [f"{style.bold(near_path(result.folder))}: {count(len(result.files), 'wheel')}, {size(total)}"]
    lines += [f"  {style.good('+')} {item.path}" for item in fetched]
    lines += [f"  {style.warn('-')} {path}" for path in result.removed]
    if not fetched and not result.removed:
        lines[0] += ", as it was"
    if result.left_out:
        lines += ["", style.warn("Not vendored:")]
        for name, why in result.left_out:
            lines += paragraph(f"{name}: {why}", width, "  ")
    return lines
