"""``pypackpack python use|list|find|install|uninstall``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from pypackpack.frontend.cli.commands.dependency import development_lines
from pypackpack.frontend.cli.options import (
    PYTHON,
    TARGET,
    OfflineOption,
)
from pypackpack.frontend.cli.render import near_path
from pypackpack.frontend.cli.session import Answer, session_of
from pypackpack.model.errors import MissingToolError, ToolError, UsageError
from pypackpack.model.secrets import masked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pypackpack.frontend.cli.session import Session
    from pypackpack.frontend.cli.style import Style
    from pypackpack.model.python import ListedPython, PythonChange

Version = Annotated[str, typer.Argument(metavar=PYTHON, help="A version, such as 3.13 or 3.13.1.", show_default=False)]
Request = Annotated[
    Optional[str],  # noqa: UP045 - typer evaluates it on Python 3.10 too
    typer.Argument(metavar=PYTHON, help="A version, or whatever uv takes for one.", show_default=False),
]
Versions = Annotated[
    Optional[list[str]],  # noqa: UP045 - typer evaluates it on Python 3.10 too
    typer.Argument(metavar=PYTHON, help="Versions, or whatever uv takes for them.", show_default=False),
]
ForTarget = Annotated[
    Optional[list[str]],  # noqa: UP045 - typer evaluates it on Python 3.10 too
    typer.Option("--target", metavar=TARGET, help="Fetch the Pythons of these platforms, for building only.", show_default=False),
]


def use(ctx: typer.Context, version: Version, offline: OfflineOption = False) -> Answer:
    """Make .venv anew with another Python."""
    session = session_of(ctx)
    from pypackpack.middleware.python.use import use as use_python  # noqa: PLC0415 - import cost

    project = session.project()
    with session.console.watching() as watcher:
        change = use_python(project, version, watcher, uv_options=session.uv_options, offline=offline)
    return Answer(change, lambda _width, style: _use_lines(change, style))


def _use_lines(change: PythonChange, style: Style) -> list[str]:
    version = ".".join(map(str, change.python.version))
    before = f" instead of {'.'.join(map(str, change.before))}" if change.before else ""
    lines = [f"{style.good('made')} .venv with Python {style.bold(version)}{before}"]
    lines += [f"  changed {', '.join(change.changed)}"] if change.changed else []
    lines += [f"  emptied build/ of {', '.join(change.cleared)}"] if change.cleared else []
    lines += development_lines(change.synced, style, fresh=True)
    if change.stale:
        lines += ["", "The environments of targets, and their locks, follow with:"]
        lines += [f"  {style.word(f'pypackpack {name} sync')}" for name in change.stale]
    return lines


def list_pythons(ctx: typer.Context, request: Request = None, offline: OfflineOption = False) -> Answer:
    """Show the Pythons that are here or can be fetched."""
    session = session_of(ctx)
    words = [request] if request else []
    from pypackpack.backend.tools import uv_options  # noqa: PLC0415 - import cost
    from pypackpack.middleware.python.listing import OPTION, listed  # noqa: PLC0415 - import cost

    pairs = uv_options.grouped(session.uv_options, "python list")
    if not session.general.json and any(pair[0].partition("=")[0] == OPTION for pair in pairs):
        return _forwarded(session, "list", words, offline=offline)
    options = [word for pair in pairs if pair[0].partition("=")[0] != OPTION for word in pair]
    call = [*options, *(["--offline"] if offline else []), *(["--", *words] if words else [])]
    found = listed(call, session.start)
    return Answer({"pythons": found}, lambda _width, style: _list_lines(found, "--show-urls" in options, style), asked=True)


def _list_lines(found: Sequence[ListedPython], urls: bool, style: Style) -> list[str]:
    """Return a line for each Python, as uv has it, and which ones packages are not built for."""
    width = max((len(each.key) for each in found), default=0)
    lines = []
    for each in found:
        where = each.path or (each.url if urls and each.url else style.dim("<download available>"))
        link = f" -> {each.symlink}" if each.symlink else ""
        why = style.dim(f"  ({each.unsupported})") if each.unsupported else ""
        lines.append(f"{each.key.ljust(width)}    {where}{link}{why}")
    if any(each.unsupported for each in found):
        from pypackpack.model.interpreter import NEWEST, OLDEST  # noqa: PLC0415 - beside its only use

        series = f"CPython {'.'.join(map(str, OLDEST))} to {'.'.join(map(str, NEWEST))}"
        lines += ["", f"(…) says why packages are not built for it: pypackpack takes {series}, not free-threaded"]
    return lines


def find(ctx: typer.Context, request: Request = None, offline: OfflineOption = False) -> Answer:
    """Show where a Python is."""
    return _forwarded(session_of(ctx), "find", [request] if request else [], offline=offline)


def install(ctx: typer.Context, versions: Versions = None, target: ForTarget = None, offline: OfflineOption = False) -> Answer:
    """Fetch Pythons for this machine, or those of another platform."""
    session = session_of(ctx)
    if target:
        return _install_foreign(session, versions or [], target, offline=offline)
    return _forwarded(session, "install", versions or [], offline=offline)


def uninstall(ctx: typer.Context, versions: Versions = None, offline: OfflineOption = False) -> Answer:
    """Remove Pythons that were fetched."""
    return _forwarded(session_of(ctx), "uninstall", versions or [], offline=offline)


def _install_foreign(session: Session, versions: Sequence[str], words: Sequence[str], *, offline: bool) -> Answer:
    if not versions:
        msg = "`python install --target` needs a version"
        raise UsageError(msg, hint=f"Such as `pypackpack python install 3.13 --target {words[0]}`.")
    from pypackpack.middleware.python.foreign import install_foreign  # noqa: PLC0415 - import cost
    from pypackpack.middleware.target.table import find as find_target  # noqa: PLC0415 - import cost

    targets = [find_target(word) for word in words]
    with session.console.watching() as watcher:
        done = [
            install_foreign(each, version, session.uv_options, offline=offline, watcher=watcher)
            for each in targets
            for version in versions
        ]

    def lines(_width: int | None, style: Style) -> list[str]:
        states = [style.good("fetched") if each.fetched else "there already:" for each in done]
        return [f"{state} {each.key} in {near_path(each.folder)}" for state, each in zip(states, done, strict=True)]

    return Answer(done, lines)


def _forwarded(session: Session, verb: str, words: Sequence[str], *, offline: bool) -> Answer:
    """Hand a call to ``uv python``; its result is ours, and on a terminal its progress is seen.

    Raises:
        MissingToolError: uv finds or fetches no such Python.
        ToolError: uv fails.
    """
    from pypackpack.backend.tools import uv  # noqa: PLC0415 - import cost

    call = ["python", verb, *session.uv_options, *(["--offline"] if offline else []), *(["--", *words] if words else [])]
    watched = verb in {"install", "uninstall"} and sys.stderr is not None and sys.stderr.isatty() and not session.general.json
    if watched and not session.general.quiet:
        code = uv.run_attached(call, cwd=session.start)
        if code != 0:
            msg = f"`uv python {verb}` ended with exit code {code}"
            raise ToolError(msg, hint="uv says why above.")
        return Answer({"said": []}, lambda *_: [], asked=True)
    try:
        done = uv.run(call, f"`python {verb}`", cwd=session.start)
    except ToolError as error:
        shown = " ".join(words) or "a Python"
        if verb == "find" or "No download found" in error.details or uv.out_of_reach(error.details):
            msg = f"`python {verb}`: uv has no {shown} here" if verb == "find" else f"`python {verb}`: uv cannot fetch {shown}"
            hint = "`pypackpack python list` shows what is here and what can be fetched, `pypackpack python install` fetches it."
            if verb == "install":
                hint = "`pypackpack python list` shows what is here and what can be fetched; fetching needs the network."
            raise MissingToolError(msg, hint=hint, details=error.details) from error
        raise
    said = masked(done.stdout.rstrip() or done.stderr.rstrip()).splitlines()
    return Answer({"said": said}, lambda *_: said, asked=True)
