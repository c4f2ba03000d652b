"""``pypackpack deploy <package> source --to …``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from pypackpack.frontend.cli.choices import chosen, metavar, whole_number
from pypackpack.frontend.cli.options import PackageArgument, TargetOption  # noqa: TC001 - typer evaluates the annotations
from pypackpack.frontend.cli.render import count, near_path, paragraph, size, table
from pypackpack.frontend.cli.session import Answer, session_of
from pypackpack.model.build import Level
from pypackpack.model.deploy import THERE, DeployRequest
from pypackpack.model.errors import UsageError

if TYPE_CHECKING:
    from pypackpack.frontend.cli.style import Style
    from pypackpack.model.deploy import DeployedFile, DeployResult


def deploy(
    ctx: typer.Context,
    package: PackageArgument,
    kind: Annotated[str, typer.Argument(metavar="source", help="What goes: the package's wheels.", show_default=False)],
    bundle: Annotated[str, typer.Argument(metavar="single", help="Its form: wheels.", show_default=False)] = "single",
    to: Annotated[
        Optional[str],  # noqa: UP045 - typer evaluates it on Python 3.10 too
        typer.Option("--to", metavar="pypi|testpypi|<url>", help="The index. Must be said.", show_default=False),
    ] = None,
    level: Annotated[
        Optional[str],  # noqa: UP045 - as above
        typer.Option("--level", metavar=metavar(Level), help="Which wheels, when there are several.", show_default=False),
    ] = None,
    target: TargetOption = None,
    check_url: Annotated[
        Optional[str],  # noqa: UP045 - as above
        typer.Option(
            "--check-url",
            metavar="<url>",
            help="Where installers read that index, when it is neither the url before a /simple nor the one with it.",
            show_default=False,
        ),
    ] = None,
    allow_unverified: Annotated[
        bool,
        typer.Option("--allow-unverified", help="Also wheels that this machine cannot run: built, not run.", show_default=False),
    ] = False,
    jobs: Annotated[
        Optional[str],  # noqa: UP045 - as above
        typer.Option("--jobs", metavar="<n>", help="At most so many uploads at one time; 4 unless said.", show_default=False),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say which files would go, and where. Sends and runs nothing.", show_default=False)
    ] = False,
) -> Answer:
    """Upload a package's release wheels to an index."""
    session = session_of(ctx)
    from pypackpack.middleware.deploy import deploy as bring  # noqa: PLC0415 - import cost

    if to is None and kind == "source":
        msg = "deploy: where to?"
        raise UsageError(msg, hint=f"Such as `pypackpack deploy {package} source --to testpypi`.")
    request = DeployRequest(
        session.start,
        package,
        to or "",
        bundle=bundle,
        level=chosen(Level, level, "--level").value if level else "",
        targets=tuple(target or ()),
        check_url=check_url or "",
        dry_run=dry_run,
        allow_unverified=allow_unverified,
        jobs=whole_number(jobs, "--jobs"),
    )
    with session.console.watching() as watcher:
        result = bring(kind, request, watcher)
    return Answer(result, lambda width, style: deploy_lines(result, width, style), asked=dry_run)


def deploy_lines(result: DeployResult, width: int | None, style: Style) -> list[str]:
    """Return what became of each file, and how to install the package from there."""
    lines = [style.bold(f"{result.package} {result.version} to {result.to}")]
    for folder in dict.fromkeys(each.path.parent for each in result.files):
        lines.append(near_path(folder) + os.sep)
        lines += _files([each for each in result.files if each.path.parent == folder], width, style)
    lines += [line for name, reason in result.left_out for line in paragraph(f"left out: {name} is {reason}", width)]
    new = [each for each in result.files if each.state != THERE]
    verb = "would be uploaded" if result.dry_run else "uploaded"
    text = f"{count(len(new), 'file')} {verb}, {size(sum(each.size for each in new))}, verified" if new else "nothing to upload"
    if len(new) < len(result.files):
        text += f"; {count(len(result.files) - len(new), 'file')} already there, the same to the byte"
    return [*lines, "", *paragraph(text, width, hang=""), *paragraph(f"Installers read {result.index}", width, hang="")]


def _files(files: list[DeployedFile], width: int | None, style: Style) -> list[str]:
    """One line per file where the width allows it, else two."""
    facts = table([[size(each.size), each.state, each.run] for each in files], right=[0])
    longest = max(len(each.path.name) for each in files)
    beside = width is None or 2 + longest + 2 + max(map(len, facts)) <= width
    lines: list[str] = []
    for each, fact in zip(files, facts, strict=True):
        name = style.word(each.path.name)
        if beside:
            lines.append(f"  {name}{' ' * (longest - len(each.path.name))}  {fact}")
        else:
            lines += [f"  {name}", f"    {fact}"]
    return lines
