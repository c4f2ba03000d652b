"""The folders that a target has in a package, made and taken away with a way back."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.backend.undo import Undo
    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import Target

KEEP = ".gitkeep"
"""The file that keeps an empty source folder in git; no build takes it for data."""


def make_folders(undo: Undo, project: Project, package: Package, target: Target) -> tuple[str, ...]:
    """Make a target's environment folder and its family's source folder, where they are not there yet."""
    made: list[str] = []
    environment = package.build_folder / "crossenv" / target.name
    source = package.source / target.family
    for folder, keep in ((environment, False), (source, True)):
        if folder.is_dir():
            continue
        undo.make_folder(folder)
        if keep:
            filesystem.write_atomic(folder / KEEP, b"")
        made.append(folder.relative_to(project.root).as_posix())
    return tuple(made)


def remove(path: Path) -> None:
    """Take away a file or folder as far as that can be done; no error comes of it."""
    with contextlib.suppress(Exception):
        filesystem.remove_tree(path)


def is_bare(folder: Path) -> bool:
    """Tell whether a source folder holds nothing that a person wrote."""
    try:
        return [path.name for path in folder.iterdir()] in ([], [KEEP])
    except OSError:
        return False


def set_aside(undo: Undo, package: Package, path: Path) -> Path:
    """Move a folder out of the way; it comes back unless everything works."""
    parent = package.build_folder if package.build_folder.is_dir() else package.root
    aside = parent / f".removed-{os.urandom(4).hex()}-{path.name}"
    undo.move(path, aside)
    return aside
