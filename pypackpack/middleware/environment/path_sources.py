"""Folders outside of the project that a package's dependencies come from, and whether they are still what was installed.

uv installs such a folder as it finds it and does not look again, and the lock says nothing of what is in it. So the lock is made
anew when what describes the folder changes, and an environment is when anything in it does.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from pypackpack.backend import filesystem
from pypackpack.middleware.project import paths
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pypackpack.middleware.environment.lock import Needs
    from pypackpack.model.project import Package, Project

_DESCRIBING = ("pyproject.toml", "setup.py", "setup.cfg")
_SKIPPED = frozenset(
    {".git", ".hg", ".mypy_cache", ".nox", ".pytest_cache", ".ruff_cache", ".svn", ".tox", ".venv", "__pycache__", "node_modules"}
)
_OUTPUTS = frozenset({"build", "dist"})
"""What building a folder leaves at its top."""
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_FILE_URL = re.compile(r"@\s*(file:[^\s;#?]+)")


def source_folders(project: Project, package: Package) -> tuple[Path, ...]:
    """Return the folders that a package's dependencies are installed from, and those that these need in turn.

    Packages of the project are not among them.

    Raises:
        SettingsError: A pyproject.toml of the project cannot be read.
    """
    from pypackpack.middleware.environment.lock import needs_of  # noqa: PLC0415 - it imports this module

    return folders_of(needs_of(project, package))


def folders_of(needs: Needs) -> tuple[Path, ...]:
    """Return the folders of `source_folders`, as absolute paths in a stable order; only those that are there."""
    lines = [*needs.lines, *(text for texts in needs.own.values() for text in texts)]
    found: dict[Path, None] = {}
    waiting = [*_named(lines, needs.settings.get("sources"), needs.root)]
    while waiting:
        folder = waiting.pop(0)
        if folder not in found and folder.is_dir():
            found[folder] = None
            waiting += _needed_by(folder)
    return tuple(found)


def description_digest(needs: Needs) -> str:
    """Return a digest of what says the folders' versions and dependencies; empty when there is no such folder."""
    found = []
    for folder in folders_of(needs):
        for name in _DESCRIBING:
            path = folder / name
            if path.is_file():
                data = filesystem.read_bytes(path).replace(b"\r\n", b"\n")  # the lock is the same on every machine
                found.append(f"{name} {filesystem.sha256_bytes(data)}")
    return filesystem.sha256_bytes("\n".join(found)) if found else ""


def content_digest(needs: Needs) -> str:
    """Return a digest of all files of the folders, but what is made of them; empty when there is no such folder."""
    return "\n".join(filter(None, (_state(folder) for folder in folders_of(needs))))


def _state(folder: Path) -> str:
    found = [f"{path.relative_to(folder).as_posix()}\0{filesystem.sha256_file(path)}" for path in _files(folder, top=True)]
    return filesystem.sha256_bytes("\n".join(found).encode("utf-8", "surrogateescape"))


def _files(folder: Path, *, top: bool = False) -> Iterator[Path]:
    with filesystem.explained("read", folder):
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    for entry in entries:
        path = folder / entry.name
        if filesystem.is_leftover(entry.name):
            continue
        if entry.is_dir(follow_symlinks=False):
            made = top and entry.name in _OUTPUTS and not (path / "__init__.py").is_file()
            if not (made or entry.name in _SKIPPED or entry.name.endswith(".egg-info")):
                yield from _files(path)
        elif entry.is_file():
            yield path


def _named(lines: Iterable[str], sources: object, root: Path) -> Iterator[Path]:
    """Yield the places that dependencies name, in the line itself or among uv's sources; files too."""
    said = {normalise(name): entry for name, entry in sources.items()} if isinstance(sources, dict) else {}
    for line in lines:
        place = paths.place_of(line)
        url = _FILE_URL.search(line)
        if place:
            yield _absolute(root, place)
        elif url is not None:
            from pypackpack.backend.urls import path_of  # noqa: PLC0415 - import cost, in the rare case

            yield _absolute(root, str(path_of(url[1])))
        elif (name := _NAME.match(line)) and (entry := said.get(normalise(name[1]))) is not None:
            for one in entry if isinstance(entry, list) else [entry]:
                if isinstance(one, dict) and isinstance(one.get("path"), str):
                    yield _absolute(root, one["path"])


def _needed_by(folder: Path) -> Iterator[Path]:
    """Yield the places that the dependencies of such a folder name, as far as its pyproject.toml can be read."""
    from pypackpack.middleware.project.toml import read_toml  # noqa: PLC0415 - keeps imports of the CLI light
    from pypackpack.model.errors import PyPackPackError  # noqa: PLC0415 - keeps imports of the CLI light

    file = folder / "pyproject.toml"
    try:
        content = read_toml(file) if file.is_file() else {}
    except PyPackPackError:
        return  # uv says what is wrong with it
    lines = _table(content, "project").get("dependencies")
    sources = _table(content, "tool", "uv").get("sources")
    yield from _named((text for text in lines if isinstance(text, str)) if isinstance(lines, list) else (), sources, folder)


def _table(content: Mapping[str, Any], *words: str) -> Mapping[str, Any]:
    here: Any = content
    for word in words:
        here = here.get(word) if isinstance(here, dict) else None
    return here if isinstance(here, dict) else {}


def _absolute(root: Path, place: str) -> Path:
    return type(root)(os.path.abspath(root / place))  # noqa: PTH100 - a link stays what the person named
