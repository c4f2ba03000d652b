"""``pypackpack patch …`` and ``pypackpack release``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from pypackpack.frontend.cli.options import PackageArgument  # noqa: TC001 - typer evaluates it
from pypackpack.frontend.cli.session import Answer, session_of

if TYPE_CHECKING:
    from pypackpack.frontend.cli.session import Session
    from pypackpack.frontend.cli.style import Style
    from pypackpack.model.build import BuildRequest, BuildResult
    from pypackpack.model.patch import Applied, PatchBuild, PatchFacts, ReleaseResult

PatchArgument = Annotated[str, typer.Argument(metavar="<patch>", help="A .whl.patch file.", show_default=False)]
ExpectOption = Annotated[
    Optional[str],  # noqa: UP045 - typer evaluates it on Python 3.10 too
    typer.Option(
        "--expect",
        metavar="<identity>",
        help="The identity that the patch has to have, from where you trust; another one is refused.",
        show_default=False,
    ),
]


def show(ctx: typer.Context, patch: PatchArgument) -> Answer:  # noqa: ARG001 - every command gets it
    """Show what a patch begins with, and what it leads to."""
    from pypackpack.middleware.patch.use import show as look  # noqa: PLC0415 - import cost

    facts = look(Path(patch))
    return Answer(facts, lambda _width, style: facts_lines(facts, style), asked=True)


def verify(
    ctx: typer.Context,  # noqa: ARG001 - every command gets it
    patch: PatchArgument,
    to: Annotated[
        Optional[str],  # noqa: UP045 - typer evaluates it on Python 3.10 too
        typer.Option(
            "--to",
            "--base",  # the word of `verify`, whose question this is, too
            metavar="<wheel|folder>",
            help="Also apply it to this wheel, or to what is installed in this site-packages folder, and keep nothing of it.",
            show_default=False,
        ),
    ] = None,
    expect: ExpectOption = None,
) -> Answer:
    """Check a patch, and whether it leads where it says."""
    from pypackpack.middleware.patch.use import verify as check  # noqa: PLC0415 - import cost

    done = check(Path(patch), Path(to) if to is not None else None, expect)
    return Answer(done, lambda _width, _style: applied_lines(done))


def apply(
    ctx: typer.Context,  # noqa: ARG001 - every command gets it
    patch: PatchArgument,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="<wheel|folder>",
            help="The wheel that it was made for, or the site-packages folder where that is installed.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Optional[str],  # noqa: UP045 - see above
        typer.Option("--output", "-o", metavar="<folder>", help="Where a new wheel goes; here unless said.", show_default=False),
    ] = None,
    expect: ExpectOption = None,
) -> Answer:
    """Make the newer version out of the released one: a wheel, or what is installed."""
    from pypackpack.middleware.patch.use import apply as run  # noqa: PLC0415 - import cost

    done = run(Path(patch), Path(to), Path(output) if output is not None else None, expect)
    return Answer(done, lambda _width, _style: applied_lines(done))


def release(ctx: typer.Context, package: PackageArgument) -> Answer:
    """Record the release wheels in build/, as what patches are made against."""
    from pypackpack.middleware.patch.releases import release as record  # noqa: PLC0415 - import cost

    session = session_of(ctx)
    result = record(session.project(), package)
    return Answer(result, lambda _width, style: release_lines(result, style))


def patch_answer(session: Session, request: BuildRequest, base: str) -> Answer:
    """Build patches, and answer with them."""
    from pypackpack.middleware.patch.build import build_patches  # noqa: PLC0415 - import cost

    if session.console.events is not None:
        session.console.events.started(request)
    with session.console.watching() as watcher:
        result = build_patches(request, base, watcher)
    return Answer(_whole(result), lambda width, style: build_lines(result, width, style))


def _whole(result: PatchBuild) -> BuildResult:
    """Return the result of a build as programs read it: the patches are artifacts beside their wheels."""
    wheels = {wheel.path: wheel for wheel in result.build.artifacts}
    patches = [
        replace(wheels[each.wheel], path=each.path, kind="patch", size=each.size, sha256=each.sha256, cached=each.cached)
        for each in result.patches
    ]
    left_out = [f"no primary has the tags of {name}: no patch leads to it" for name in result.left_out]
    build = result.build
    return replace(build, artifacts=(*build.artifacts, *patches), warnings=(*build.warnings, *left_out))


def build_lines(result: PatchBuild, width: int | None, style: Style) -> list[str]:
    """Return what a build of patches made, for people."""
    from pypackpack.frontend.cli.render import build_summary, near_path, paragraph, size  # noqa: PLC0415 - import cost
    from pypackpack.middleware.patch.make import name_of  # noqa: PLC0415 - import cost

    lines = build_summary(result.build, width, style)
    for each in result.patches:
        share = f"{100 * each.size / each.wheel_size:.1f} % of the wheel"
        lines += ["", style.bold(near_path(each.path)), f"  {size(each.size)}, {share}; {each.primary} -> {each.wheel.name}"]
    if result.patches:
        old, new = (name_of(file)[1] for file in (result.patches[0].primary, result.patches[0].wheel.name))
        wheel, patch = ("wheel", "patch") if len(result.patches) == 1 else ("wheels", "patches")
        text = (
            f"Who has {old} needs the {patch} only. The {wheel} of {new} {'is' if wheel == 'wheel' else 'are'} what comes of it: "
            f"to be tested, and for who has none."
        )
        lines += ["", *paragraph(text, width, hang="")]
        if result.recordable:
            name, number = result.build.artifacts[0].package, result.patches[0].number
            text = (
                f"p{number} is not recorded: `pypackpack release {name}` when you ship it. "
                f"Until then the next build makes p{number} anew."
            )
            lines += paragraph(text, width, hang="")
    lines += [f"no primary has the tags of {name}: no patch leads to it" for name in result.left_out]
    return lines


def facts_lines(facts: PatchFacts, style: Style) -> list[str]:
    """Return what a patch says of itself, for people."""
    from pypackpack.frontend.cli.render import count, size, table  # noqa: PLC0415 - import cost

    rows = [
        ("patch", f"{facts.number} of {facts.name} {facts.primary.version}"),
        ("", f"identity {facts.identity}"),
        ("from", facts.primary.file),
        ("", f"identity {facts.primary.identity}"),
        ("to", facts.result.file),
        ("", f"identity {facts.result.identity}"),
        ("members", f"{facts.same} as they are, {facts.changed} changed, {facts.new} new"),
        ("result", f"{count(facts.result.members, 'file')}, {size(facts.result.size)} unpacked"),
        ("packed", facts.codec),
    ]
    return [f"{style.bold(facts.path.name)}  {size(facts.size)}", *(f"  {line}" for line in table(rows))]


def applied_lines(done: Applied) -> list[str]:
    """Return what was applied or checked, for people."""
    from pypackpack.frontend.cli.render import near_path  # noqa: PLC0415 - import cost

    if done.path is not None:
        installed = f"{done.patch.name} {done.patch.result.version} in " if done.path.is_dir() else ""
        return [f"{installed}{near_path(done.path)}{', as before' if done.already else ''}"]
    if done.to is None:
        return [f"{done.patch.path.name} is whole; --to <wheel|folder> checks where it leads, too"]
    return [f"{done.patch.path.name} is whole, and makes {done.patch.result.file} of {done.to.name}"]


def release_lines(result: ReleaseResult, style: Style) -> list[str]:
    """Return what was released, for people."""
    from pypackpack.frontend.cli.render import near_path  # noqa: PLC0415 - import cost

    lines = [style.bold(near_path(result.file))]
    files = [each.file for each in result.primaries]
    lines += [f"  primary  {each.file}{f' ({each.level})' if files.count(each.file) > 1 else ''}" for each in result.primaries]
    lines += [f"  patch    {each.file}" for each in result.patches]
    lines += [f"  known    {name}" for name in result.known]
    lines += [f"  left out {name}: {reason}" for name, reason in result.left_out]
    if result.primaries or result.patches:
        lines += ["", "Put it under version control."]
    return lines
