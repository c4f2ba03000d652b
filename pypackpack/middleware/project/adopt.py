"""Takes over a project of another tool: our table goes into its ``pyproject.toml``, and no file that is there changes otherwise.

What is not there and can be made of what is: ``pyproject.lock`` from ``uv.lock``, so that versions stay, and ``.gitignore``.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from pypackpack.backend import filesystem
from pypackpack.backend.undo import Undo
from pypackpack.middleware.project.edit import edit_toml, table_at
from pypackpack.middleware.project.foreign import own_code
from pypackpack.middleware.project.read import FILE
from pypackpack.middleware.project.templates import template
from pypackpack.middleware.project.toml import read_toml
from pypackpack.model.project import InitResult

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tomlkit import TOMLDocument

    from pypackpack.model.build import Watcher

LOCK = "pyproject.lock"
IGNORED = ".gitignore"
_UV_LOCK = 1
"""The version of uv's lock format that is known here."""

_OTHER_LOCKS = ("poetry.lock", "pdm.lock", "Pipfile.lock", "pixi.lock")
# A line of our .gitignore → what else people write for it.
_SAME = {
    ".venv/": {".venv", ".venv*", ".venv*/"},
    "/*/build/": {"build", "*/build", "**/build"},
    "__pycache__/": {"__pycache__", "**/__pycache__"},
    "*.py[co]": {"*.py[cod]", "*.py[codz]", "*.pyc", "__pycache__"},
}


def adopted(root: Path, watcher: Watcher) -> InitResult:
    """Make a project of another tool one of ours too.

    Args:
        root: The project's folder.
        watcher: Told what was not taken over, and what takes it.

    Raises:
        SettingsError: Its pyproject.toml cannot be edited; nothing has changed.
        FilesystemError: Something cannot be written; what was made is taken back.
    """
    made: list[str] = []
    said: list[str] = []

    with Undo() as undo:

        def place(name: str, text: str) -> None:
            undo.made(root / name)
            filesystem.write_atomic(root / name, text)
            made.append(name)

        if not os.path.lexists(root / LOCK) and (lock := _uv_lock(root, said)):
            place(LOCK, lock)
        ignored = template("project/gitignore")
        if not os.path.lexists(root / IGNORED):
            place(IGNORED, ignored)
        elif missing := _missing(filesystem.read_bytes(root / IGNORED).decode(errors="replace"), ignored):
            said.append(f"{IGNORED} stays as it is; these lines belong into it: {' '.join(missing)}")
        if (root / FILE).is_file():
            edit_toml(root / FILE, _add_table)
            made.append(FILE)
        else:
            place(FILE, "[tool.pypackpack]\npackages = []\n")
    content = read_toml(root / FILE)
    for sentence in (*said, *_left(root, content)):
        watcher.note(sentence)
    project = content.get("project")
    name = project.get("name") if isinstance(project, dict) else None
    return InitResult(root, name if isinstance(name, str) else root.name, tuple(made), adopted=True)


def _add_table(document: TOMLDocument) -> None:
    import tomlkit  # noqa: PLC0415 - import cost

    table = table_at(document, "tool.pypackpack")
    table["packages"] = []
    if list(document)[-1] != "tool":  # something stands after the other tables of [tool], and ours goes before it
        table.add(tomlkit.nl())


def _uv_lock(root: Path, said: list[str]) -> str:
    """Return what of a ``uv.lock`` becomes ours: all of it, if it can be read. uv resolves from there and keeps the versions."""
    path = root / "uv.lock"
    if not path.is_file():
        return ""
    text = filesystem.read_bytes(path).decode(errors="replace").replace("\r\n", "\n")
    try:
        version = tomllib.loads(text).get("version")
    except tomllib.TOMLDecodeError:
        version = None
    if version != _UV_LOCK:
        said.append("uv.lock cannot be read, so the next `pypackpack sync` chooses versions anew")
        return ""
    said.append(f"{LOCK} begins with the versions of uv.lock, which stays and is not read again")
    return text


def _missing(text: str, ours: str) -> list[str]:
    """Return the patterns of our .gitignore that a person's does not have in any form."""
    there = {line.strip().strip("/") for line in text.splitlines()}
    wanted = [line for line in ours.splitlines() if line and not line.startswith("#")]
    return [line for line in wanted if not {line.strip("/"), *_SAME.get(line, ())} & there]


def _left(root: Path, content: Mapping[str, Any]) -> list[str]:
    """Return what was not taken over, in one sentence each, with the command that takes it."""
    from pypackpack.middleware.dependency import other_tools  # noqa: PLC0415 - import cost

    found = []
    text = filesystem.read_bytes(root / FILE).decode(errors="replace")
    lists = [each for each in other_tools.lists_in_toml(content, text) if not each.standard]
    if lists:
        tables = ", ".join(each.table for each in lists)
        found.append(f"the dependencies in {tables} were not taken over: `pypackpack import {FILE}` takes them")
    config = root / "setup.cfg"
    if config.is_file() and other_tools.lists_in_setup_cfg(filesystem.read_bytes(config).decode(errors="replace")):
        found.append("the dependencies in setup.cfg were not taken over: `pypackpack import setup.cfg` takes them")
    files = other_tools.files_of_setuptools(content)
    if files:
        names = ", ".join(files)
        found.append(f"the dependencies in {names} were not taken over: `pypackpack import {' '.join(files)}` takes them")
    script = root / "setup.py"
    if script.is_file() and b"install_requires" in filesystem.read_bytes(script):
        found.append(
            "the dependencies in setup.py were not taken over, since they are code: `pypackpack add <name>...` takes them"
        )
    own = own_code(root, content)
    if own:
        found.append(
            f"the code of {own} itself is not in .venv; to have it there, give the project another name in {FILE}, and move the "
            f"code into a package (`pypackpack package add {own}`)"
        )
    locks = [name for name in _OTHER_LOCKS if (root / name).is_file()]
    if locks:
        verb = "is" if len(locks) == 1 else "are"
        found.append(f"{', '.join(locks)} {verb} not read: versions are chosen anew, within what the dependencies say")
    return found
