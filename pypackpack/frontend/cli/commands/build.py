"""``pypackpack build <package> source …``."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from pypackpack.frontend.cli.choices import chosen, metavar, whole_number
from pypackpack.frontend.cli.options import PYTHON, OfflineOption, PackageArgument, TargetOption
from pypackpack.frontend.cli.session import Answer, session_of
from pypackpack.model.build import BuildRequest, BuildType, Bundle, Level
from pypackpack.model.errors import NotYetError, UsageError

# What can be built today; the rest of the words is known and refused by name.
LATER = (Bundle.FAT, Bundle.PATCH, Level.MIXED)

BUNDLES = "single: a wheel. binary (default): a folder with the package and all it needs."


def build(
    ctx: typer.Context,
    package: PackageArgument,
    kind: Annotated[str, typer.Argument(metavar="source", help="What to build: the package's code.", show_default=False)],
    bundle: Annotated[
        str,
        typer.Argument(
            metavar=metavar(Bundle, LATER),
            help=BUNDLES,
            show_default=False,
        ),
    ] = "binary",
    build_type: Annotated[
        str,
        typer.Option(
            "--type",
            metavar=metavar(BuildType),
            help="debug (default) keeps symbols; release strips and optimises.",
            show_default=False,
        ),
    ] = "debug",
    level: Annotated[
        str,
        typer.Option(
            "--level",
            metavar=metavar(Level, LATER),
            help="How far to compile: not at all (default), to bytecode, to machine code.",
            show_default=False,
        ),
    ] = "instant",
    target: TargetOption = None,
    python: Annotated[
        Optional[list[str]],  # noqa: UP045 - typer evaluates it on Python 3.10 too
        typer.Option(
            "--python",
            metavar=PYTHON,
            help="For these Python versions instead of the project's own. Takes the words after it.",
            show_default=False,
        ),
    ] = None,
    jobs: Annotated[
        Optional[str],  # noqa: UP045 - typer evaluates it on Python 3.10 too
        typer.Option(
            "--jobs", metavar="<n>", help="At most so many tasks at one time; one per core unless said.", show_default=False
        ),
    ] = None,
    offline: OfflineOption = False,
) -> Answer:
    """Build a package for its targets."""
    session = session_of(ctx)
    if kind == "resource":
        raise NotYetError("`pypackpack build <package> resource` is not there yet")
    if kind != "source":
        msg = f"build: {kind!r} is not source"
        raise UsageError(msg, hint=f"Write `pypackpack build {package} source`.")
    request = BuildRequest(
        start=session.start,
        package=package,
        bundle=chosen(Bundle, bundle, "bundle", LATER, hint=BUNDLES),
        type=chosen(BuildType, build_type, "--type"),
        level=chosen(Level, level, "--level", LATER),
        targets=tuple(target or ()),
        pythons=tuple(python or ()),
        jobs=whole_number(jobs, "--jobs"),
        offline=offline,
    )
    from pypackpack.frontend.cli.render import build_summary  # noqa: PLC0415 - import cost
    from pypackpack.middleware.build import build as run_build  # noqa: PLC0415 - import cost

    with session.console.watching() as watcher:
        result = run_build(request, watcher)
    return Answer(result, lambda width, style: build_summary(result, width, style))
