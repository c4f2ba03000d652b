"""What lies in a folder, as a value: two snapshots are equal when nothing on disk has changed."""

from __future__ import annotations

import os
from pathlib import Path


def snapshot(folder: Path) -> dict[str, tuple[str, int, bytes]]:
    """Return relative path → kind, mode and content (a link's target) of everything in a folder; empty when it is not there."""
    found: dict[str, tuple[str, int, bytes]] = {}
    for base, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(base) / name
            mode = path.lstat().st_mode
            if path.is_symlink():
                entry = ("link", mode, os.fsencode(path.readlink()))
            elif path.is_dir():
                entry = ("folder", mode, b"")
            else:
                entry = ("file", mode, path.read_bytes())
            found[path.relative_to(folder).as_posix()] = entry
    return found
