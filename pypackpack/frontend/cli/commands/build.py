"""``pypackpack build <package> source …`` and ``pypackpack build <package> resource …``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Optional

import typer

from pypackpack.frontend.cli.choices import chosen, metavar, whole_number
from pypackpack.frontend.cli.options import PYTHON, TASK, OfflineOption, PackageArgument, TargetOption
from pypackpack.frontend.cli.session import Answer, session_of
from pypackpack.model.build import BuildRequest, BuildType, Bundle, Level
from pypackpack.model.errors import NotYetError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import TypedDict, Unpack

    from pypackpack.frontend.cli.session import Session
    from pypackpack.model.preview import Preview

    class RequestWords(TypedDict, total=False):
        """The parts of a request that need no check here."""

        targets: tuple[str, ...]
        pythons: tuple[str, ...]
        jobs: int | None
        offline: bool
        keep_going: bool
        rerun: bool
        rerun_tasks: tuple[str, ...]
        audit: bool | None


# What can be built today; the rest of the words is known and refused by name. `resource` is a word of its own, before these.
LATER = (Bundle.RESOURCE,)
KINDS = "source|resource"
KINDS_HELP = "What to build: the package's code, or its data files as an archive."

BUNDLES = (
    "single: a wheel. fat: a wheel with all it needs inside. binary (default): a folder of that. "
    "patch: from a release to this."
)


def build(
    ctx: typer.Context,
    package: PackageArgument,
    kind: Annotated[str, typer.Argument(metavar=KINDS, help=KINDS_HELP, show_default=False)],
    bundle: Annotated[
        str,
        typer.Argument(
            metavar=metavar(Bundle, LATER),
            help=BUNDLES,
            show_default=False,
        ),
    ] = "",
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
            help="How far to compile: not at all (default), to bytecode, to machine code; mixed: dependencies only.",
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
    keep_going: Annotated[
        bool,
        typer.Option("--keep-going", help="When something fails, still build what does not need it.", show_default=False),
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say why each task ran: which input changed, and who asked.", show_default=False)
    ] = False,
    profile: Annotated[
        Optional[str],  # noqa: UP045 - typer evaluates it on Python 3.10 too
        typer.Option(
            "--profile",
            metavar="[<file.html>]",
            help="Write a page about the run: timeline, critical path, what was known. Into build/packpack/ unless said.",
            show_default=False,
        ),
    ] = None,
    rerun: Annotated[
        Optional[list[str]],  # noqa: UP045 - typer evaluates it on Python 3.10 too
        typer.Option(
            "--rerun",
            metavar=TASK,
            help="Do it again although the result is known: everything, or the steps and tasks after it.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would run and what is known. Changes nothing.", show_default=False)
    ] = False,
    continuous: Annotated[
        bool, typer.Option("--continuous", help="Build again whenever a source changes, until Ctrl-C.", show_default=False)
    ] = False,
    audit: Annotated[
        bool,
        typer.Option(
            "--audit", help="Refuse wheels whose machine code needs what is not everywhere; a release does.", show_default=False
        ),
    ] = False,
    no_audit: Annotated[
        bool, typer.Option("--no-audit", help="Also a release: leave out that look at machine code.", show_default=False)
    ] = False,
    base: Annotated[
        Optional[str],  # noqa: UP045 - typer evaluates it on Python 3.10 too
        typer.Option(
            "--base",
            metavar="<version|wheel>",
            help="For patch: what it begins with. The newest version that was released unless said.",
            show_default=False,
        ),
    ] = None,
) -> Answer:
    """Build a package for its targets."""
    session = session_of(ctx)
    if profile == "" and bundle and bundle not in [each.value for each in Bundle]:
        msg = f"{bundle!r} is neither a bundle nor the name of a page"
        raise UsageError(msg, hint=f"A page's name ends in .html: `--profile {bundle}.html`.")
    request = build_request(
        session.start,
        package,
        kind,
        bundle,
        build_type,
        level,
        targets=tuple(target or ()),
        pythons=tuple(python or ()),
        jobs=whole_number(jobs, "--jobs"),
        offline=offline,
        keep_going=keep_going,
        rerun=rerun is not None,
        rerun_tasks=tuple(word for word in rerun or () if word),
        audit=wanted_audit(audit=audit, no_audit=no_audit),
    )
    if request.bundle is Bundle.PATCH:
        given = {"--continuous": continuous, "--profile": profile is not None, "--explain": explain and not dry_run}
        if wrong := [name for name, value in given.items() if value]:
            msg = f"{wrong[0]} is not there yet for patches"
            raise NotYetError(msg, hint="Use it with the bundle single, which makes the same wheels.")
        from pypackpack.frontend.cli.commands.patch import patch_answer  # noqa: PLC0415 - import cost

        if dry_run:
            return preview_answer(session, request, explain=explain, base=base or "")
        return patch_answer(session, request, base or "")
    if base is not None:
        msg = f"--base is for patches, and this build makes the bundle {request.bundle.value}"
        raise UsageError(msg, hint="Write `source patch`, or leave --base out.")
    if dry_run:
        if continuous:
            raise UsageError("--continuous and --dry-run: nothing is built there", hint="Leave one of them out.")
        if profile is not None:
            raise UsageError("--profile and --dry-run: nothing runs that a page could tell of", hint="Leave one of them out.")
        return preview_answer(session, request, explain=explain)
    from pypackpack.frontend.cli.build_run import Wishes, run_build  # noqa: PLC0415 - import cost

    wishes = Wishes(explain=explain, profile=profile)
    if continuous:
        from pypackpack.frontend.cli.continuous import build_continuously  # noqa: PLC0415 - import cost

        build_continuously(session, request, wishes)
        return Answer(None, lambda *_: [])
    return run_build(session, request, wishes)


def wanted_audit(*, audit: bool, no_audit: bool) -> bool | None:
    """Return whether wheels are audited; None where nobody says it.

    Raises:
        UsageError: Both were said.
    """
    if audit and no_audit:
        raise UsageError("--audit and --no-audit exclude each other", hint="Leave one of them out; a release is audited anyway.")
    return True if audit else False if no_audit else None


def build_request(
    start: Path, package: str, kind: str, bundle: str, build_type: str, level: str, **more: Unpack[RequestWords]
) -> BuildRequest:
    """Return the request that the words of a build mean.

    Raises:
        UsageError: One of them is wrong.
        NotYetError: One of them is for later.
    """
    if kind == "resource":
        return _resource_request(start, package, bundle, build_type, level, **more)
    if kind != "source":
        msg = f"build: {kind!r} is neither source nor resource"
        raise UsageError(msg, hint=f"Write `pypackpack build {package} source`.")
    if bundle == Bundle.RESOURCE.value:
        msg = "an archive of data files is no bundle of the code"
        raise UsageError(msg, hint=f"Write `pypackpack build {package} resource`.")
    return BuildRequest(
        start=start,
        package=package,
        bundle=chosen(Bundle, bundle or Bundle.BINARY.value, "bundle", LATER, hint=BUNDLES),
        type=chosen(BuildType, build_type, "--type"),
        level=chosen(Level, level, "--level", LATER),
        **more,
    )


def _resource_request(
    start: Path, package: str, bundle: str, build_type: str, level: str, **more: Unpack[RequestWords]
) -> BuildRequest:
    """Return the request for an archive of data files, which knows no bundle, type, level or Python."""
    given = {
        f"the bundle {bundle!r}": bundle,
        f"--type {build_type}": build_type != BuildType.DEBUG.value,
        f"--level {level}": level != Level.INSTANT.value,
        "--python": more.get("pythons"),
    }
    if wrong := [words for words, value in given.items() if value]:
        msg = f"{wrong[0]} is for code, and data files are the same for every bundle, type, level and Python"
        raise UsageError(msg, hint=f"Write `pypackpack build {package} resource`; --target says for which targets.")
    return BuildRequest(start=start, package=package, bundle=Bundle.RESOURCE, **more)


def looked_at(session: Session, request: BuildRequest, base: str = "") -> Preview:
    """Look what a build would do."""
    from pypackpack.middleware.patch.build import preview_patches  # noqa: PLC0415 - import cost
    from pypackpack.middleware.preview import preview  # noqa: PLC0415 - import cost

    with session.console.watching() as watcher:
        return preview_patches(request, base, watcher) if request.bundle is Bundle.PATCH else preview(request, watcher)


def preview_answer(session: Session, request: BuildRequest, *, explain: bool, base: str = "") -> Answer:
    """Return what a build would do."""
    from pypackpack.frontend.cli.preview_view import preview_lines  # noqa: PLC0415 - import cost

    found = looked_at(session, request, base)
    each = explain or session.general.verbose
    return Answer(found, lambda width, style: preview_lines(found, width, style, each=each), asked=True)
