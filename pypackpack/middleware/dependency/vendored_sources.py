"""Wheels in ``vendor/`` that were built: of repositories, folders, and archives of sources.

A lock names such a source and not the wheel that is made of it. So the manifest says which wheel was built of which source, and
its digest. It lies beside the wheels: of what was built, the folder has to be believed as far as the repository that it came
with.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pypackpack.backend import filesystem
from pypackpack.backend.urls import path_of
from pypackpack.model.secrets import masked

if TYPE_CHECKING:
    from collections.abc import Mapping

MANIFEST = "manifest.json"
# What tools leave in a folder of sources, and no part of them.
_LEFT = frozenset({".git", ".hg", ".venv", "__pycache__", "build", "dist", "node_modules"})


@dataclass(frozen=True)
class Built:
    """A wheel that was built.

    Attributes:
        path: Below ``vendor/``, with ``/``.
        sha256: Its digest (hex), as the manifest says.
        source: What it was built of, as `source_key` says it.
    """

    path: str
    sha256: str
    source: str


def source_key(item: Mapping[str, Any], base: Path, root: Path) -> str:
    """Return a name for the source that an entry of a ``pylock.toml`` (PEP 751) comes from: the same on every machine.

    A repository is named with its commit, an archive with its hash, a folder with a digest of its content. Empty for what has
    none: wheels, editable folders, and folders that are not there.

    Args:
        item: The entry.
        base: Where relative paths in it begin.
        root: The project's folder.
    """
    name = str(item["name"])
    if "vcs" in item:
        vcs = item["vcs"]
        where = masked(str(vcs["url"])) if vcs.get("url") else _from(root, base / vcs["path"])
        return "#".join([f"{name} @ {vcs['type']}+{where}@{vcs['commit-id']}", str(vcs.get("subdirectory", ""))]).rstrip("#")
    if "directory" in item:
        said = item["directory"]
        folder = Path(os.path.abspath(base / said["path"] / said.get("subdirectory", "")))  # noqa: PTH100 - a link stays what it is
        if said.get("editable") or not folder.is_dir():
            return ""
        return f"{name} @ {_from(root, folder)}#sha256={_content(folder)}"
    archive = item.get("archive") or item.get("sdist")
    if archive is None:
        return ""
    place = str(archive.get("path") or archive.get("url") or archive.get("name") or "")
    digest = archive.get("hashes", {}).get("sha256")
    if place.endswith(".whl") or not digest:
        return ""
    return "#".join([f"{name} @ sha256={digest}", str(archive.get("subdirectory", ""))]).rstrip("#")


def _from(root: Path, path: Path) -> str:
    if str(path).startswith("file:"):
        path = path_of(str(path))
    try:
        return Path(os.path.relpath(path, root)).as_posix()
    except ValueError:  # another drive, on Windows
        return path.as_posix()


def _content(folder: Path) -> str:
    """Return the digest of a folder's files; what git, Python and builds leave in it does not count."""
    lines = []
    for top, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _LEFT and not name.endswith(".egg-info"))
        for name in sorted(files):
            path = Path(top, name)
            if path.is_file():
                lines.append(f"{path.relative_to(folder).as_posix()} {filesystem.sha256_file(path)}")
    return filesystem.sha256_bytes("\n".join(sorted(lines)))


def listed(folder: Path) -> list[Built]:
    """Return the wheels of ``vendor/`` that the manifest says were built; of what is no manifest of ours, none."""
    try:
        content = json.loads((folder / MANIFEST).read_bytes())
        found = [Built(str(item["path"]), str(item["sha256"]), str(item.get("source", ""))) for item in content["files"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
    return [item for item in found if item.source and is_wheel_below(folder, item.path)]


def is_wheel_below(folder: Path, place: str) -> bool:
    """Tell whether what a manifest lists is a wheel below the folder.

    A manifest comes with a repository, and is not to be believed. A link to a folder may lead anywhere, so none may be on the
    way.
    """
    path, parts = folder / place, Path(place).parts
    try:
        if path.suffix != ".whl" or ".." in parts or Path(place).is_absolute() or not path.is_file():
            return False
        return not any((folder / Path(*parts[:count])).is_symlink() for count in range(1, len(parts)))
    except (OSError, ValueError):  # no system takes such a name
        return False


def as_wheel(item: Mapping[str, Any], wheel: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry of a ``pylock.toml`` that takes a wheel in the place of its source."""
    kept = {key: value for key, value in item.items() if key not in ("vcs", "directory", "archive", "sdist", "wheels", "index")}
    return {**kept, "archive": {"path": wheel["path"], "hashes": wheel["hashes"]}}
