"""Where a target's environment lies, and how to tell that it still is what was installed.

``<package>/build/crossenv/<target>/lib/python3.X/site-packages`` on every host: it is the target's folder, not ours.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.backend.treestate import tree_state

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.model.project import Package
    from pypackpack.model.target import PythonVersion, Target


def crossenv_folder(package: Package) -> Path:
    """Return the folder of a package's environments."""
    return package.build_folder / "crossenv"


def environment_folder(package: Package, target: Target) -> Path:
    """Return the folder of one target's environment, whether or not it is there."""
    return crossenv_folder(package) / target.name


def site_packages(package: Package, target: Target, python: PythonVersion) -> Path:
    """Return the folder of one target's dependencies for one Python, whether or not it is there."""
    return environment_folder(package, target) / "lib" / f"python{python[0]}.{python[1]}" / "site-packages"


def stamp_file(package: Package, target: Target, python: PythonVersion) -> Path:
    """Return the file that says what an environment was made from."""
    return environment_folder(package, target) / f"sync-{python[0]}.{python[1]}.json"


@dataclass(frozen=True)
class Stamp:
    """What an environment was made from, and what it looked like then.

    Attributes:
        lock: Digest of the lock file.
        content: Digest of what of the lock is for this environment.
        listing: Digest of names, sizes and times of all files.
        installed: Every dependency in it, as (name, version).
        sources: Digest of the folders that dependencies were installed from (`path_sources`).
    """

    lock: str
    content: str
    listing: str
    installed: tuple[tuple[str, str], ...]
    sources: str = ""


def read_stamp(path: Path) -> Stamp | None:
    """Return an environment's stamp, or None when there is none that can be read."""
    try:
        data = json.loads(path.read_bytes())
        return Stamp(
            str(data["lock"]),
            str(data["content"]),
            str(data["listing"]),
            tuple((str(name), str(version)) for name, version in data["installed"]),
            str(data.get("sources", "")),
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def stamp_text(stamp: Stamp) -> str:
    """Return the content of a stamp file."""
    facts = {"lock": stamp.lock, "content": stamp.content, "listing": stamp.listing, "installed": stamp.installed}
    return json.dumps({**facts, **({"sources": stamp.sources} if stamp.sources else {})}, indent=1)


def listing(site: Path) -> str:
    """Return a digest of names, sizes and times of every file in an environment, or an empty text when it is not there.

    What Python itself writes while somebody imports from it (``__pycache__``) does not count.
    """
    with filesystem.explained("read", site):
        return tree_state(os.fspath(site))
