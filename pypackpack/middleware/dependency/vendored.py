"""Installing from ``vendor/``: a lock whose wheels are looked for in a folder instead of on an index.

``vendor/`` holds wheels under their own names; where two of one name differ, the second lies in a folder named by its digest.
What a wheel has to be is said by the lock, so nothing has to be believed of the folder.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pypackpack.backend import filesystem
from pypackpack.backend.urls import file_name
from pypackpack.model.errors import DamagedVendorError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import PythonVersion

FOLDER = "vendor"
DIGITS = 16


def vendor_folder(project: Project) -> Path:
    """Return the folder of a project's vendored wheels, whether or not it is there."""
    return project.root / FOLDER


def vendor_folder_of(package: Package) -> Path:
    """Return the folder of vendored wheels for a package: that of the project it lies in."""
    return package.root.parent / FOLDER


def places(folder: Path, file: str, sha256: str) -> tuple[Path, Path]:
    """Return where a wheel may lie: under its own name, else in a folder named by its digest."""
    return folder / file, folder / sha256[:DIGITS] / file


@dataclass(frozen=True)
class Where:
    """What has to be known of an environment to find the wheel that was built for it.

    Attributes:
        base: Where relative paths in the lock begin.
        root: The project's folder.
        platforms: The platform tags that fit, best first.
        python: For which Python.
    """

    base: Path
    root: Path
    platforms: Sequence[str]
    python: PythonVersion


def vendored(pylock: str, folder: Path, where: Where | None = None) -> str:
    """Return a ``pylock.toml`` (PEP 751) that takes its wheels from a folder, by absolute paths and with their hashes.

    Of a package that has wheels in the folder only these stay; a package that has none stays as it is, since uv's cache may
    have it.

    Args:
        pylock: The lock.
        folder: ``vendor/``; when it is not there, the lock comes back as it is.
        where: For which environment; then repositories, folders and archives of sources are replaced by wheels built of them.

    Raises:
        DamagedVendorError: A wheel in the folder is not the one that the lock names; all of them are named.
    """
    if not folder.is_dir():
        return pylock
    import tomlkit  # noqa: PLC0415 - import cost

    content: dict[str, Any] = tomllib.loads(pylock)
    damaged: list[str] = []
    changed = False
    for number, item in enumerate(content.get("packages", [])):
        built = _built(item, folder, where, damaged) if where is not None else None
        if built is not None:
            content["packages"][number] = built
            changed = True
            continue
        kept = [found for wheel in item.get("wheels", []) if (found := _here(wheel, folder, damaged)) is not None]
        if kept:
            item["wheels"] = kept
            item.pop("sdist", None)
            changed = True
        archive = item.get("archive")
        if archive and wheels_of(item) and (found := _here(archive, folder, damaged)) is not None:
            item["archive"] = {key: found[key] for key in ("path", "hashes")}
            changed = True
    if damaged:
        raise damage(folder, damaged)
    return tomlkit.dumps(content) if changed else pylock


def damage(folder: Path, damaged: list[str]) -> DamagedVendorError:
    """Return the error for wheels that are not what the lock says; ``damaged`` has a line for each."""
    what = "1 wheel" if len(damaged) == 1 else f"{len(damaged)} wheels"
    msg = f"{what} in {folder} {'is' if len(damaged) == 1 else 'are'} not what the lock says; nothing was installed"
    hint = "`pypackpack vendor`, while online, fetches them again; if they came from somebody else, ask why they differ."
    return DamagedVendorError(msg, hint=hint, details="\n".join(dict.fromkeys(damaged)))


def wheels_of(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the wheels of a ``pylock.toml`` entry: those of an index, or the one that a url names."""
    archive = item.get("archive")
    return [archive] if archive and wheel_file(archive).endswith(".whl") else list(item.get("wheels", []))


def wheel_file(wheel: Mapping[str, Any]) -> str:
    """Return the file name of a wheel in a ``pylock.toml``: ``name``, else the last part of ``path`` or ``url``."""
    said = wheel.get("name")
    return str(said) if said else file_name(str(wheel.get("path") or wheel.get("url") or ""))


def sha256_of(wheel: Mapping[str, Any]) -> str:
    """Return the SHA-256 (hex) that a lock gives for a wheel, or an empty text."""
    return str(wheel.get("hashes", {}).get("sha256", ""))


def _built(item: Mapping[str, Any], folder: Path, where: Where, damaged: list[str]) -> dict[str, Any] | None:
    """Return an entry that takes the wheel that was built of its source; None where there is none."""
    from pypackpack.middleware.dependency import vendored_sources as sources  # noqa: PLC0415 - only offline
    from pypackpack.middleware.dependency.wheels import best_wheel  # noqa: PLC0415 - the two know each other

    there = sources.listed(folder)
    if not there or not (key := sources.source_key(item, where.base, where.root)):
        return None
    own = {
        file_name(each.path): {"path": (folder / each.path).as_posix(), "hashes": {"sha256": each.sha256}}
        for each in there
        if each.source == key
    }
    best = best_wheel(own.values(), where.platforms, where.python)
    if best is None:
        return None
    path = Path(best["path"])
    found = filesystem.sha256_file(path)
    if found != best["hashes"]["sha256"]:
        place = path.relative_to(folder).as_posix()
        damaged.append(f"{place}: expected sha256 {best['hashes']['sha256']}, found {found}")
        return None
    return sources.as_wheel(item, best)


def _here(wheel: dict[str, Any], folder: Path, damaged: list[str]) -> dict[str, Any] | None:
    """Return the wheel with its path in the folder; None when it does not lie there."""
    file, digest = wheel_file(wheel), sha256_of(wheel)
    if not file or not digest:
        return None
    wrong: list[str] = []
    for path in places(folder, file, digest):
        if not path.is_file():
            continue
        found = filesystem.sha256_file(path)
        if found == digest:
            return {"name": file, "path": path.as_posix(), "hashes": {"sha256": digest}}
        wrong.append(f"{path.relative_to(folder).as_posix()}: expected sha256 {digest}, found {found}")
    # Another wheel of the same name, which another lock means, is no damage while it lies beside its namesake.
    damaged += [] if (folder / digest[:DIGITS]).is_dir() else wrong
    return None
