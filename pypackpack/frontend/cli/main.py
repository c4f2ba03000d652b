"""The command line: words in, exit code out. The only place that turns errors into text and exit codes."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import threading
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pypackpack.frontend.cli import argv
from pypackpack.frontend.cli.console import Console
from pypackpack.frontend.cli.errors import DefectError, StoppedError, error_lines, error_object, note_lines
from pypackpack.frontend.cli.session import Answer, Session, package_here, recorded_packages
from pypackpack.frontend.cli.table import LATER, OTHERS, PACKAGE_VERBS, ROWS, STREAMING, command_words, row_of, rows_below
from pypackpack.model.errors import (
    EXIT_DONE,
    EXIT_INTERRUPTED,
    FilesystemError,
    MissingToolError,
    NoProjectError,
    NotYetError,
    PyPackPackError,
    UsageError,
)
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import FrameType
    from typing import TypeAlias

    Act: TypeAlias = Callable[[Session, list[str]], "Answer | None"]

_OWNER = "Check who owns it and whether you may read and write there."
_FULL = "Free some space and run the same command again."
_REFUSED = {
    errno.EACCES: _OWNER,
    errno.EPERM: _OWNER,
    errno.EROFS: "The file system is mounted read-only.",
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EISDIR: "A folder stands where a file belongs: move it away.",
    errno.ENOTDIR: "A file stands where a folder belongs: move it away.",
    errno.ELOOP: "Links there lead to each other in a circle.",
    errno.ENAMETOOLONG: "The system takes no name or path of that length.",
}


def run(words: Sequence[str], act: Act | None = None) -> int:
    """Run one call and return its exit code.

    Args:
        words: The call without the program's name.
        act: What to do with the words that are left when general options are taken out; tests put their own here.
    """
    console = _console(argv.General(json=argv.wants_json(words)), words)
    try:
        with _signals():
            general, rest = argv.split_general(words)
            console = _console(general, words)
            answer = (act or _act)(Session(general, console, raw=tuple(rest)), rest)
            if answer is None:
                return EXIT_DONE
            _show(answer, console)
            return answer.exit_code
    except BrokenPipeError:
        # Whoever read our output has seen enough. The work was done before anything was written.
        _forget(sys.stdout)
        return EXIT_DONE
    except KeyboardInterrupt as error:
        forget_interrupt()
        left = "\n".join(note_lines(error))
        return _report(StoppedError("interrupted" if left else "interrupted; nothing is left half done", details=left), console)
    except PyPackPackError as error:
        return _report(error, console)
    except OSError as error:
        return _report(_of_the_machine(error) or _defect(error, console), console)
    except ModuleNotFoundError as error:
        return _report(_incomplete(error) or _defect(error, console), console)
    except Exception as error:  # noqa: BLE001 - the last place that can say anything
        return _report(_defect(error, console), console)


def _console(general: argv.General, words: Sequence[str]) -> Console:
    console = Console(general)
    if argv.wants_events(words):
        console.stream()
    return console


def _act(session: Session, rest: list[str]) -> Answer | None:
    """Find the command that the words mean and run it."""
    general, console = session.general, session.console
    rest = argv.name_package(rest, command_words(), lambda: _packages(session, rest[0]))
    if rest[:1] == ["help"]:
        return _help(session, rest[1:])
    if not general.help:
        rest = argv.name_built(rest, lambda: recorded_packages(session.start), lambda: package_here(session.start))
    if rest[:1] in (["version"], ["--version"], ["-v"], ["-V"]) and not general.help:
        return _version()
    if not rest:
        return _help(session, [])
    row = row_of(rest)
    if general.help:
        return _help(session, row.words.split(" ") if row else rest)
    if row is None:
        raise _no_command(session, rest)
    from pypackpack.frontend.cli import command  # noqa: PLC0415 - import cost of typer

    own = rest[len(row.words.split(" ")) :]
    if row.words == STREAMING:
        own = argv.spread_optional(own, {"--rerun": (argv.is_task_word, True), "--profile": (argv.is_page, False)})
    own = argv.spread_lists(own, {"--target": _is_target_word, "--python": argv.is_python_version})
    return command.call(command.load(row), row, own, Session(general, console, tuple(own), raw=session.raw))


def _packages(session: Session, first: str) -> list[str]:
    """Return the names of the project's packages for a call that begins with one, or with a slip of the hand."""
    try:
        return recorded_packages(session.start)
    except NoProjectError:
        if first in OTHERS or get_close_matches(first, command_words(), n=1, cutoff=argv.NEAR):
            return []
        raise


def _is_target_word(word: str) -> bool:
    from pypackpack.middleware.target.table import is_target_word  # noqa: PLC0415 - import cost

    return is_target_word(word)


def _no_command(session: Session, rest: list[str]) -> PyPackPackError:
    """Return the error for words that are no command (yet)."""
    first = rest[0]
    if first in LATER:
        return NotYetError(f"`pypackpack {first}` is not there yet")
    if first.startswith("-"):
        return UsageError(f"pypackpack has no option {first} before a command", hint="pypackpack --help shows how it is written.")
    rows = list(rows_below(first))
    if rows:
        seconds = [row.words.split(" ", 1)[1] for row in rows]
        if len(rest) == 1:
            return UsageError(f"`pypackpack {first}` needs one more word: {', '.join(seconds)}")
        near = get_close_matches(rest[1], seconds, n=1, cutoff=argv.NEAR)
        hint = f"Did you mean {near[0]}?" if near else f"`pypackpack {first} --help` shows them."
        return UsageError(f"`pypackpack {first}` has no command {rest[1]!r}: it has {', '.join(seconds)}", hint=hint)
    packages: list[str] = []
    with contextlib.suppress(PyPackPackError):  # what is wrong with the project is not what is wrong with the call
        packages = recorded_packages(session.start)
    if normalise(first) in {normalise(name) for name in packages}:
        msg = f"{first} is a package; after its name comes what to do with its dependencies"
        hint = f"Such as `pypackpack {first} add numpy`, `pypackpack {first} sync`; a build is `pypackpack build {first} source`."
        return UsageError(msg, hint=hint)
    return argv.unknown_word(first, command_words() - LATER, packages)


def _help(session: Session, words: list[str]) -> Answer:
    """Return the help of everything, of a group, or of one command."""
    from pypackpack.frontend.cli import overview  # noqa: PLC0415 - only for help

    row = row_of(words) or (row_of(words[1:]) if words[1:2] and words[1] in PACKAGE_VERBS else None)
    if row is not None:
        from pypackpack.frontend.cli import command  # noqa: PLC0415 - import cost of typer

        found = command.load(row)
        known = [vars_of(each) for each in command.parameters(found)]
        data: object = {"command": row.words, "summary": row.summary, "example": row.example, "parameters": known}
        return Answer(data, lambda width, style: command.command_help(row, found, min(width or 80, 110), style), asked=True)
    if not words or words[0] in ("help", "version", "--version", "-v"):  # they have no help of their own
        data = {"commands": {each.words: each.summary for each in ROWS}}
        return Answer(data, lambda width, style: overview.overview(min(width or 80, 110), style), asked=True)
    rows = list(rows_below(words[0]))
    if not rows:
        raise _no_command(session, words)
    data = {"commands": {each.words: each.summary for each in rows}}
    return Answer(data, lambda width, style: overview.group_help(rows, min(width or 80, 110), style), asked=True)


def vars_of(value: object) -> dict[str, object]:
    """Return a dataclass's fields as a dictionary."""
    import dataclasses  # noqa: PLC0415 - beside its only use

    return {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}  # type: ignore[arg-type]


def _version() -> Answer:
    from pypackpack import __version__  # noqa: PLC0415 - beside its only use
    from pypackpack.frontend.cli.version import uv_version  # noqa: PLC0415 - beside its only use

    uv = uv_version()
    return Answer(
        {"pypackpack": __version__, "uv": uv or None},
        lambda *_: [f"pypackpack {__version__}", f"uv {uv or 'not found'}"],
        asked=True,
    )


def _show(answer: Answer, console: Console) -> None:
    try:
        if console.general.json:
            console.write_json(answer.data)
        elif answer.asked or not console.general.quiet:
            console.write(answer.text(console.width, console.style_out))
    except BrokenPipeError:
        raise
    except OSError as error:
        console.lost = True
        _forget(sys.stdout)
        msg = f"cannot write the result: {error.strerror or error}"
        raise FilesystemError(msg, hint="The work itself was done.") from error


def _report(error: PyPackPackError, console: Console) -> int:
    """Say an error once and return its exit code."""
    try:
        if console.general.json and not console.lost:
            console.write_json(error_object(error))
        else:
            console.tell(error_lines(error, console.style_err, console.width_err))
    except OSError:
        _forget(sys.stdout)
        console.tell(error_lines(error, console.style_err, console.width_err))
    return error.exit_code


def forget_interrupt() -> None:
    """Let the exit code be ours: Python ends itself by the signal if the last code that it ran from a text was interrupted.

    Making a dataclass runs such code. Python forgets it when the next such code ends well (``unhandled_keyboard_interrupt`` in
    CPython's ``pythonrun.c``).
    """
    eval("0")  # noqa: S307 - a constant


def _of_the_machine(error: OSError) -> FilesystemError | None:
    """Return the error for what a disk refuses where nobody expected it: that is no defect; None for everything else."""
    if error.errno not in _REFUSED:
        return None
    place = error.filename2 or error.filename or "the disk"
    return FilesystemError(
        f"cannot work with {place}: {error.strerror}", hint=_REFUSED[error.errno], details="\n".join(note_lines(error))
    )


def _incomplete(error: ModuleNotFoundError) -> MissingToolError | None:
    """Return the error for a library that is not installed beside us (`pip install --no-deps`); None for any other."""
    library = (error.name or "").partition(".")[0]
    if library in ("", "pypackpack", *sys.stdlib_module_names):
        return None
    hint = f"Install it again with what it needs: `{sys.executable} -m pip install --force-reinstall pypackpack`."
    return MissingToolError(f"pypackpack is not whole: {library} is not installed beside it", hint=hint)


def _defect(error: BaseException, console: Console) -> DefectError:
    said = str(error).splitlines()
    what = f"{type(error).__name__}: {said[0]}" if said else type(error).__name__
    hint = "Run it again with --verbose and report what it shows."
    details = "\n".join(note_lines(error))
    if console.general.verbose:
        import traceback  # noqa: PLC0415 - import cost

        details = "".join(traceback.format_exception(error)).rstrip()
        hint = "Report it with these lines."
    return DefectError(f"{what}; this is a defect of pypackpack", hint=hint, details=details)


def _forget(stream: object) -> None:
    """Point a stream that nobody reads at nothing, so that Python's last flush does not complain."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())  # type: ignore[attr-defined]  # what is no file is suppressed
        os.close(nothing)


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """Let Ctrl-C and the system's request to end stop our children first, then us.

    Workers wait for their children, and we wait for the workers: so the children are ended at once, by a thread of
    its own, since the signal may have caught the main thread while it holds the lock that ending them needs.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            os._exit(EXIT_INTERRUPTED)  # asked twice: at once. Whatever was half-written lies aside, not in its place
        asked = True
        process = sys.modules.get("pypackpack.backend.process")
        if process is not None:
            threading.Thread(target=process.stop_all, name="stop", daemon=True).start()
        raise KeyboardInterrupt

    # What was told to ignore a signal before it started us (nohup, a shell's background job) means us too.
    heard = [number for number in _stop_signals() if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in heard}
    try:
        yield
    finally:
        if not asked:
            for number, handler in before.items():
                signal.signal(number, handler)


def _stop_signals() -> Iterable[signal.Signals]:
    return [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK", "SIGHUP") if hasattr(signal, name)]
