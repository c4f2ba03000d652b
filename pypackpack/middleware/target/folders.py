"""The folders that a target has in a package, made and taken away with a way back."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import Target

KEEP = ".gitkeep"
"""The file that keeps an empty source folder in git; no build takes it for data."""


def make_folders(undo: contextlib.ExitStack, project: Project, package: Package, target: Target) -> tuple[str, ...]:
    """Make a target's environment folder and its family's source folder, where they are not there yet."""
    made: list[str] = []
    environment = package.build_folder / "crossenv" / target.name
    source = package.source / target.family
    for folder, keep in ((environment, False), (source, True)):
        if folder.is_dir():
            continue
        undo.callback(_remove_empty, tuple(_missing_parents(folder)))
        with filesystem.explained("make", folder):
            folder.mkdir(parents=True)
        undo.callback(remove, folder)  # from here on it is ours: a file that was in its place is not
        if keep:
            filesystem.write_atomic(folder / KEEP, b"")
        made.append(folder.relative_to(project.root).as_posix())
    return tuple(made)


def _missing_parents(folder: Path) -> Iterator[Path]:
    for parent in folder.parents:
        if parent.exists():
            return
        yield parent


def remove(path: Path) -> None:
    """Take away a file or folder as far as that can be done; no error comes of it."""
    with contextlib.suppress(Exception):
        filesystem.remove_tree(path)


def _remove_empty(folders: Sequence[Path]) -> None:
    """Take away folders that were made on the way, innermost first, unless somebody put something into them."""
    with contextlib.suppress(OSError):
        for folder in folders:
            folder.rmdir()


def is_bare(folder: Path) -> bool:
    """Tell whether a source folder holds nothing that a person wrote."""
    try:
        return [path.name for path in folder.iterdir()] in ([], [KEEP])
    except OSError:
        return False


def set_aside(undo: contextlib.ExitStack, package: Package, path: Path) -> Path:
    """Move a folder out of the way; it comes back unless everything works."""
    parent = package.build_folder if package.build_folder.is_dir() else package.root
    aside = parent / f".removed-{os.urandom(4).hex()}-{path.name}"
    with filesystem.explained("move", path):
        filesystem.replace(path, aside)
    undo.callback(_put_back, aside, path)
    return aside


def _put_back(aside: Path, path: Path) -> None:
    with contextlib.suppress(Exception):
        filesystem.replace(aside, path)
