"""Pythons on this machine: what one says of itself.

An interpreter is asked once, in one child process, and its answer is kept in the user's cache under the file's path,
size and time of change; a Python that was replaced is asked again.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from pypackpack.backend import filesystem
from pypackpack.model.errors import FilesystemError, MissingToolError, ToolError
from pypackpack.model.interpreter import Interpreter

CACHE = "interpreters-v2"
QUESTION_SECONDS = 60

# Runs in the interpreter that is asked, whatever its age or implementation, so that a caller can refuse it by name. The header
# folder is the first one that has Python.h: Debian's scheme and the build's own INCLUDEPY differ.
_QUESTION = """
import json, os, sys, sysconfig
places = [sysconfig.get_paths().get("include"), sysconfig.get_config_var("INCLUDEPY"), sysconfig.get_paths().get("platinclude")]
places = [place for place in places if place]
try:
    import importlib.util
    magic = int.from_bytes(importlib.util.MAGIC_NUMBER[:2], "little")
except (ImportError, AttributeError):
    magic = 0
found = [place for place in places if os.path.isfile(os.path.join(place, "Python.h"))]
print(json.dumps({
    "version": list(sys.version_info[:3]),
    "implementation": getattr(getattr(sys, "implementation", None), "name", "unknown"),
    "include": (found or places or [""])[0],
    "has_headers": bool(found),
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "platform": sysconfig.get_platform(),
    "release": sys.version.split()[0],
    "magic": magic,
}))
"""


def inspect_interpreter(executable: Path) -> Interpreter:
    """Ask a Python what it is.

    Args:
        executable: The path that starts it; a link (as in a virtual environment) stays a link in the answer.

    Raises:
        MissingToolError: It is not there, or cannot be started.
        ToolError: It started and gave no answer; its words are in ``details``.
    """
    path = Path(os.path.abspath(executable))  # noqa: PTH100 - resolve() would follow the links of a virtual environment
    key = _key(path)
    place = filesystem.cache_folder() / CACHE / f"{key}.json"
    answer = _remembered(place)
    if answer is not None:
        return answer
    facts = _ask(path)
    answer = _interpreter(path, facts)
    if not answer.has_headers:
        # Not remembered: the person may install the headers next, and the interpreter's file will not change by that.
        return answer
    try:
        filesystem.write_atomic(place, json.dumps({**facts, "executable": str(path)}, sort_keys=True))
    except FilesystemError:
        # The cache only saves time; a home that cannot be written does not stop the work.
        return answer
    return answer


def _key(path: Path) -> str:
    """Return what identifies the file's present content without reading it."""
    try:
        state = path.stat()
        home = path.parent.parent / "pyvenv.cfg"
        base = home.stat().st_mtime_ns if home.is_file() else 0
    except OSError as error:
        msg = f"there is no Python at {path}: {error.strerror or error}"
        raise MissingToolError(msg, hint="Name a Python version, or the path of an interpreter that is there.") from error
    return filesystem.sha256_bytes(f"{path}\0{path.resolve()}\0{state.st_size}\0{state.st_mtime_ns}\0{base}")


def _remembered(place: Path) -> Interpreter | None:
    try:
        facts = json.loads(place.read_bytes())
        return _interpreter(Path(facts["executable"]), facts)
    except (OSError, ValueError, KeyError, TypeError, RecursionError, ToolError):
        return None


def _ask(path: Path) -> dict[str, Any]:
    from pypackpack.backend import process  # noqa: PLC0415 - import cost, only when the cache does not know

    # -I keeps the person's PYTHONPATH and folder out of the answer, -S what a .pth file there would start.
    done = process.run([path, "-I", "-S", "-c", _QUESTION], env=_environment(), timeout=QUESTION_SECONDS)
    try:
        facts = json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError) as error:
        msg = f"{path} does not work as a Python (exit code {done.code})"
        raise ToolError(
            msg,
            hint="Choose another Python with --python.",
            details=(done.stderr or done.stdout).strip(),
        ) from error
    if not isinstance(facts, dict):
        msg = f"{path} gave no sensible answer about itself"
        raise ToolError(msg, details=done.stdout.strip())
    return facts


def _environment() -> dict[str, str]:
    from pypackpack.backend import process  # noqa: PLC0415 - import cost, only when the cache does not know

    # A leaked PYTHONHOME makes a foreign Python read the wrong standard library; __PYVENV_LAUNCHER__ is macOS's own way to
    # make a framework Python believe that it is another one.
    return process.environment({"PYTHONHOME": None, "PYTHONPATH": None, "__PYVENV_LAUNCHER__": None, "PYTHONUTF8": "1"})


def _interpreter(path: Path, facts: dict[str, Any]) -> Interpreter:
    try:
        major, minor, micro = facts["version"]
        return Interpreter(
            executable=path,
            version=(int(major), int(minor), int(micro)),
            implementation=str(facts["implementation"]),
            include=Path(facts["include"]),
            has_headers=bool(facts["has_headers"]),
            free_threaded=bool(facts["free_threaded"]),
            platform=str(facts["platform"]),
            release=str(facts["release"]),
            magic=int(facts["magic"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        msg = f"{path} gave no sensible answer about itself"
        raise ToolError(msg, details=json.dumps(facts)) from error
