"""Handing this process over to another program, and where programs lie in a virtual environment.

Loaded by the fast path of ``pypackpack run``: nothing is imported here that Python did not load by itself. On POSIX the program
takes our place (same process number, so signals and the exit code need nobody to pass them on); Windows has no such thing, so
there we wait for it and let it alone decide what Ctrl-C means.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

WINDOWS = sys.platform == "win32"


def programs_folder(venv: str) -> str:
    """Return the folder of a virtual environment's programs, whether or not it is there."""
    return os.path.join(venv, "Scripts" if WINDOWS else "bin")


def python_of(venv: str) -> str:
    """Return the path of a virtual environment's interpreter, whether or not it is there."""
    return os.path.join(programs_folder(venv), "python.exe" if WINDOWS else "python")


def libraries_of(venv: str) -> "list[str]":
    """Return the ``site-packages`` of a virtual environment that are there (PEP 405)."""
    if WINDOWS:
        places = [os.path.join(venv, "Lib", "site-packages")]
    else:
        lib = os.path.join(venv, "lib")
        try:
            places = [os.path.join(lib, name, "site-packages") for name in sorted(os.listdir(lib))]
        except OSError:
            return []
    return [place for place in places if os.path.isdir(place)]


def find_program(word: str, path: str) -> str:
    """Return the program that a word means, looked for in the folders of a ``PATH``, or an empty text.

    A word with a separator is a path and is not looked for. ``shutil.which`` does the same, and its import costs more than
    everything else here.
    """
    endings = [""]
    if WINDOWS:
        known = [ending for ending in os.environ.get("PATHEXT", ".COM;.EXE;.BAT;.CMD").split(";") if ending]
        own = os.path.splitext(word)[1].upper()
        endings = ["", *known] if own and own in [ending.upper() for ending in known] else known
    folders = [""] if os.path.dirname(word) else [folder for folder in path.split(os.pathsep) if folder]
    for folder in folders:
        for ending in endings:
            found = os.path.join(folder, word + ending)
            if os.path.isfile(found) and os.access(found, os.X_OK):
                return found
    return ""


def hand_over(program: str, words: "Sequence[str]", environment: "Mapping[str, str]") -> int:
    """Become another program; returns only on Windows, with its exit code once it has ended.

    Args:
        program: Its path.
        words: What it finds in ``argv``; the first is its own name.
        environment: Its whole environment.

    Raises:
        OSError: It cannot be started.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # pythonw has none
            stream.flush()
    if sys.platform == "win32":
        return _wait_for(program, words, environment)
    return _become(program, words, environment)


def _become(program: str, words: "Sequence[str]", environment: "Mapping[str, str]") -> "NoReturn":
    """Let another program take the place of this process."""
    # What `signal` wraps in enumerations, whose import would take as long as Python's own start.
    import _signal as signal  # type: ignore[import-not-found]  # noqa: PLC0415 - not for Windows

    # Python ignores these, and what is ignored stays ignored in the next program: `run tool | head` would never end.
    for name in ("SIGPIPE", "SIGXFSZ"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    os.execve(program, list(words), dict(environment))  # noqa: S606 - a list of words, never a shell


def _wait_for(program: str, words: "Sequence[str]", environment: "Mapping[str, str]") -> int:
    """Run a child on our console and return its exit code; Ctrl-C and Ctrl-Break reach it from the console, not from us."""
    import signal  # noqa: PLC0415 - Windows only

    from pypackpack.backend import process  # noqa: PLC0415 - Windows only

    for name in ("SIGINT", "SIGBREAK"):
        if hasattr(signal, name):
            # A handler that does nothing, not SIG_IGN: nothing of it goes on to the child.
            signal.signal(getattr(signal, name), lambda *_: None)
    return process.run_attached([program, *words[1:]], env=environment)
