"""``pypackpack clean``: the build folder of a package, emptied. Everything in it can be made again; the cache is not touched."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.backend.tree_size import tree_size
from pypackpack.middleware.environment.sync import exclusive
from pypackpack.model.clean import Cleaned, CleanResult
from pypackpack.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pypackpack.model.build import Watcher
    from pypackpack.model.project import Package, Project

LOCK = ".lock"
"""What builds of a package hold. It stays: who waits for it would else hold a file that nobody knows."""
EDITABLE = "editable"
"""What type checkers follow to the sources: links only, that belong to ``.venv`` and stay as long as that is there."""


def clean(project: Project, names: Sequence[str], watcher: Watcher, *, dry: bool = False) -> CleanResult:
    """Empty the build folders of packages. A build or a sync that is running is waited for, with a note.

    Args:
        project: The project.
        names: Packages; empty means all.
        watcher: Gets notes.
        dry: Remove nothing, and say what would be.

    Raises:
        UsageError: There is no such package.
        FilesystemError: Something cannot be removed; what is left is removed by the next call.
    """
    packages = _packages(project, names)
    from pypackpack.backend.tools import venv  # noqa: PLC0415 - import cost

    stays = (LOCK, EDITABLE) if venv.works(project.venv) else (LOCK,)
    done = tuple(_look(package, stays) if dry else _empty(package, watcher, stays) for package in packages)
    return CleanResult(done, dry)


def _packages(project: Project, names: Sequence[str]) -> tuple[Package, ...]:
    found = []
    for name in names:
        package = project.package(name)
        if package is None:
            there = ", ".join(item.name for item in project.packages) or "none yet"
            msg = f"the project {project.name} has no package {name} (it has: {there})"
            raise UsageError(msg, hint="`pypackpack clean` without a name empties build/ of all of them.")
        found.append(package)
    return tuple(found) if names else project.packages


def _look(package: Package, stays: Sequence[str]) -> Cleaned:
    folder = package.build_folder
    parts = _parts(package, stays)
    files, size = tree_size([folder / part for part in parts])
    return Cleaned(package.name, folder, files, size, parts)


def _parts(package: Package, stays: Sequence[str]) -> tuple[str, ...]:
    """Return the names of what is to be removed: nothing where the folder is a link, which may lead anywhere."""
    folder = package.build_folder
    if folder.is_symlink() or not folder.is_dir():
        return ()
    with filesystem.explained("read", folder):
        return tuple(sorted(name for name in os.listdir(folder) if name not in stays))  # noqa: PTH208 - names only


def _empty(package: Package, watcher: Watcher, stays: Sequence[str]) -> Cleaned:
    folder = package.build_folder
    if folder.is_symlink():
        watcher.note(f"{folder} is a link, and what it leads to is left alone")
    if not _parts(package, stays):
        return Cleaned(package.name, folder, 0, 0, ())
    busy = f"a build of {package.name} is running; waiting for it"
    with filesystem.lock(folder / LOCK, waiting=lambda: watcher.note(busy)), exclusive(package, watcher):
        found = _look(package, stays)
        for part in found.parts:
            filesystem.remove_tree(folder / part)
    return found
