"""``pypackpack tasks``: what a build consists of."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from pypackpack.frontend.cli.choices import metavar
from pypackpack.frontend.cli.commands.build import BUNDLES, KINDS, LATER, build_request, looked_at
from pypackpack.frontend.cli.options import PACKAGE, PYTHON, TargetOption
from pypackpack.frontend.cli.session import Answer, package_here, recorded_packages, session_of
from pypackpack.model.build import BuildType, Bundle, Level
from pypackpack.model.errors import UsageError


def tasks(
    ctx: typer.Context,
    package: Annotated[
        Optional[str],  # noqa: UP045 - typer evaluates it on Python 3.10 too
        typer.Argument(
            metavar=PACKAGE,
            help="A package of the project; the one that we stand in, or the only one, unless said.",
            show_default=False,
        ),
    ] = None,
    kind: Annotated[
        str, typer.Argument(metavar=KINDS, help="What would be built, as with build.", show_default=False)
    ] = "source",
    bundle: Annotated[
        str, typer.Argument(metavar=metavar(Bundle, LATER), help=BUNDLES, show_default=False)
    ] = "",
    build_type: Annotated[
        str, typer.Option("--type", metavar=metavar(BuildType), help="As with build.", show_default=False)
    ] = "debug",
    level: Annotated[
        str, typer.Option("--level", metavar=metavar(Level, LATER), help="As with build.", show_default=False)
    ] = "instant",
    target: TargetOption = None,
    python: Annotated[
        Optional[list[str]],  # noqa: UP045 - typer evaluates it on Python 3.10 too
        typer.Option("--python", metavar=PYTHON, help="As with build.", show_default=False),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Name every task, and say whether its result is remembered.", show_default=False)
    ] = False,
) -> Answer:
    """Show the steps of a build, what they do, and what is to do."""
    session = session_of(ctx)
    if package in ("source", "resource"):  # `tasks source single` in a package's folder, as with `build source single`
        bundle = kind if kind != "source" else bundle
        package, kind = "", package
    name = package or package_here(session.start) or _only(recorded_packages(session.start))
    request = build_request(
        session.start, name, kind, bundle, build_type, level, targets=tuple(target or ()), pythons=tuple(python or ())
    )
    from pypackpack.frontend.cli.preview_view import task_lines  # noqa: PLC0415 - import cost

    found = looked_at(session, request)
    command = f"pypackpack build {name} source {request.bundle.value} --type {build_type} --level {level}"
    if request.bundle is Bundle.RESOURCE:
        command = f"pypackpack build {name} resource"
    data = {"command": command, "steps": found.steps, "tasks": found.tasks, "left_out": found.left_out, "notes": found.notes}
    return Answer(data, lambda width, style: task_lines(found, command, width, style, each=every), asked=True)


def _only(packages: list[str]) -> str:
    """Return the only package.

    Raises:
        UsageError: There are several, or none.
    """
    if len(packages) == 1:
        return packages[0]
    names = ", ".join(sorted(packages))
    hint = (
        f"Name one of {names}: `pypackpack tasks {min(packages)}`." if packages else "`pypackpack package add <name>` adds one."
    )
    raise UsageError("`pypackpack tasks` does not say which package", hint=hint)
