"""Makes a project, or takes over one that is there.

Everything is made aside and put in place at the end, ``pyproject.toml`` last: a folder without it is no project, so an
``init`` that was killed can simply be run again, and one that failed or was interrupted takes back what it had put.
"""

from __future__ import annotations

import contextlib
import os
import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.backend.undo import Undo
from pypackpack.middleware.project.adopt import adopted
from pypackpack.middleware.project.edit import lock_file
from pypackpack.middleware.project.finish import ours
from pypackpack.middleware.project.foreign import foreign_tool
from pypackpack.middleware.project.read import FILE
from pypackpack.middleware.project.toml import read_toml
from pypackpack.model.errors import NameTakenError, PyPackPackError, UsageError
from pypackpack.model.names import WINDOWS_DEVICES, is_distribution_name
from pypackpack.model.project import InitResult

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.model.build import Watcher
    from pypackpack.model.interpreter import Interpreter

_VERSION = re.compile(r"\d+(\.\d+)+t?")
FALLBACK_NAME = "project"


def init_project(folder: Path, name: str | None, python: str | None, *, adopt: bool = False, watcher: Watcher) -> InitResult:
    """Make a project in ``folder/name``, or in ``folder`` itself when no name is given.

    Files that are there already stay as they are. A single word that looks like a version (``init 3.12``) is the Python.

    Args:
        folder: The folder that the person stands in.
        name: The project's name.
        python: A Python version; None means uv's choice among those that packages are built for.
        adopt: Add our table to the pyproject.toml of another tool and leave everything else as it is (see `adopted`).
        watcher: Gets notes: a Python is fetched, a file was there already.

    Raises:
        NameTakenError: The name is not one for a project.
        UsageError: There is a PyPackPack project already, or another tool's and ``adopt`` is False; the place lies in a package;
            or the Python is not one that packages are built for. Nothing has changed then.
        MissingToolError: The Python is not there and cannot be fetched, or uv does not run here.
        FilesystemError: Something cannot be written; what was made is taken back.
    """
    if name is not None and python is None and _VERSION.fullmatch(name):
        name, python = None, name
    if name is not None:
        _check_project_name(name)
    root = (folder if name is None else folder / name).resolve()
    busy = f"another pypackpack is working on {root}"
    with filesystem.lock(lock_file(root / FILE, "init"), wait=False, busy=busy):
        _check_place(root, adopt=adopt)
        _check_nesting(root, name, watcher)
        if adopt and ((root / FILE).is_file() or foreign_tool(root, None) is not None):
            return adopted(root, watcher)
        return _make(root, name or _name_of(root, watcher), python, watcher)


def _check_project_name(name: str) -> None:
    if name in {".", "./"}:
        msg = f'"{name}" is not a name for a project'
        raise NameTakenError(msg, hint="Leave the name out: `pypackpack init` or `pypackpack init 3.13` takes this folder.")
    if not is_distribution_name(name):
        msg = f'"{name}" is not a name for a project'
        raise NameTakenError(msg, hint="Use ASCII letters and digits, and - _ . between them (PEP 508).")
    if name.partition(".")[0].lower() in WINDOWS_DEVICES:
        msg = f'"{name}" cannot be the name of a folder on Windows'
        raise NameTakenError(msg, hint="Choose another name.")


def _name_of(root: Path, watcher: Watcher) -> str:
    """Make a project's name of the folder's, which may be anything."""
    plain = unicodedata.normalize("NFKD", root.name).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-._") or FALLBACK_NAME
    if name != root.name:
        watcher.note(f'the project is named "{name}": "{root.name}" is not a name for a distribution')
    return name


def _check_place(root: Path, *, adopt: bool) -> None:
    """Refuse a folder with a project in it."""
    if root.exists() and not root.is_dir():
        msg = f"{root} is there already and is not a folder"
        raise UsageError(msg, hint="Choose another name, or move that file away.")
    path = root / FILE
    content = read_toml(path) if path.is_file() else None
    tool = content.get("tool") if content is not None else None
    if isinstance(tool, dict) and "pypackpack" in tool:
        table = tool["pypackpack"]
        what = "a PyPackPack project" if isinstance(table, dict) and "packages" in table else "a package of a PyPackPack project"
        msg = f"{root} is already {what}"
        raise UsageError(msg, hint="There is nothing to do; `pypackpack package add <name>` adds a package to a project.")
    found = foreign_tool(root, content)
    if adopt or (content is None and found is None):
        return
    there = path if content is not None else root
    what = f"is a project of {found}" if found else "belongs to a project that is not PyPackPack's"
    msg = f"{there} {what}; nothing was changed"
    raise UsageError(msg, hint="`pypackpack init --adopt` adds PyPackPack's table to it and leaves the rest as it is.")


def _check_nesting(root: Path, name: str | None, watcher: Watcher) -> None:
    """Refuse a project inside a package, whose sources it would be part of; say of one beside packages that it is on its own."""
    outer = _project_above(root)
    if outer is None:
        return
    above, packages = outer
    package = next((word for word in packages if (above / word) in root.parents), None)
    if package is not None:
        msg = f"{root} lies in {package}, a package of the project in {above}; nothing was changed"
        raise UsageError(msg, hint="A project holds packages and not the other way round: make it beside that project.")
    added = name or "<name>"
    watcher.note(
        f"{root} lies in the project in {above} and will be a project of its own; a package of that project is made with "
        f"`pypackpack package add {added}` instead"
    )


def _project_above(root: Path) -> tuple[Path, list[str]] | None:
    """Return the folder of the nearest project above, and its packages; what cannot be read up there is none."""
    for above in root.parents:
        with contextlib.suppress(PyPackPackError):
            if (above / FILE).is_file():
                packages = ours(read_toml(above / FILE)).get("packages")
                if isinstance(packages, list):
                    return above, [word for word in packages if isinstance(word, str)]
    return None


@dataclass
class _Placed:
    """What was put in place, and the way back."""

    made: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    undo: Undo = field(default_factory=Undo)


def _make(root: Path, name: str, wanted: str | None, watcher: Watcher) -> InitResult:
    python = _python(root, wanted, watcher)
    series = f"{python.version[0]}.{python.version[1]}"
    words = {"name": name, "series": series, "year": _year()}
    files = {
        "LICENSE": _template("LICENSE", words),
        "README.md": _template("README", words),
        ".gitignore": _template("gitignore", words),
        ".python-version": f"{series}\n",
        FILE: _template("pyproject", words),  # last: it makes the folder a project
    }
    placed = _Placed()
    with placed.undo as undo:
        if not root.exists():
            undo.step("", lambda: _remove_empty(root))
            with filesystem.explained("make", root):
                root.mkdir()
        with filesystem.scratch_folder(root, ".init-") as scratch:
            for file, text in files.items():
                filesystem.write_scratch(scratch / file, text.encode())
            _make_venv(root, name, python, placed, watcher)
            for file in files:
                _put(scratch / file, root / file, placed, watcher)
    return InitResult(root, name, tuple(placed.made), tuple(placed.kept), python=python)


def _template(file: str, words: dict[str, str]) -> str:
    from pypackpack.middleware.project.templates import template  # noqa: PLC0415 - keeps `read` and `init` apart

    return template(f"project/{file}", **words)


def _year() -> str:
    import datetime as dt  # noqa: PLC0415 - import cost

    return str(dt.datetime.now(tz=dt.timezone.utc).year)


def _put(aside: Path, place: Path, placed: _Placed, watcher: Watcher) -> None:
    """Move one file to its place unless something is there."""
    if os.path.lexists(place):
        placed.kept.append(place.name)
        watcher.note(f"{place.name} was there already and stays as it is")
        return
    placed.undo.made(place)
    with filesystem.explained("write", place):
        filesystem.replace(aside, place)
    placed.made.append(place.name)


def _remove_empty(folder: Path) -> None:
    """Remove a folder that we made, unless somebody put something into it meanwhile."""
    with contextlib.suppress(OSError):
        folder.rmdir()


def _python(root: Path, wanted: str | None, watcher: Watcher) -> Interpreter:
    """Return the Python to work with; nothing on disk has changed so far but uv's own Pythons."""
    from pypackpack.backend.tools import python, uv, venv  # noqa: PLC0415 - import cost
    from pypackpack.middleware.python import choose  # noqa: PLC0415 - import cost

    series = None if wanted is None else choose.check_version(wanted)
    base = venv.base_python(root / ".venv")
    if base is not None:
        there = choose.accepted(python.inspect_interpreter(base))
        if series is not None and there.series != series:
            msg = f"{root / '.venv'} is there already, with Python {'.'.join(map(str, there.version))} instead of {wanted}"
            raise UsageError(msg, hint="Remove it and run the same command again.")
        return there
    spec = wanted or choose.pinned_version(root) or choose.SUPPORTED
    found = choose.plain(spec, uv.find_python(spec, watcher=watcher))
    return choose.accepted(choose.preferred(spec, found, watcher))


def _make_venv(root: Path, name: str, python: Interpreter, placed: _Placed, watcher: Watcher) -> None:
    """Make ``.venv`` where it will stay: its scripts have its path in them, so it cannot be made aside."""
    from pypackpack.backend.tools import uv, venv  # noqa: PLC0415 - import cost

    place = root / ".venv"
    if venv.base_python(place) is not None:
        placed.kept.append(".venv")
        watcher.note(".venv was there already and stays as it is")
        return
    left = place.exists()  # what a killed init left, or an environment whose Python is gone
    if not left:
        placed.undo.made(place)
    uv.make_venv(place, python.executable, prompt=name, clear=left)
    placed.made.append(".venv")
