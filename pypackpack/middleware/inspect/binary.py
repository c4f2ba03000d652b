"""What a binary is: a folder whose `manifest.json` says what is in it, compared with what lies there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.middleware.bundle.binary import MANIFEST, MANIFEST_FORMAT
from pypackpack.middleware.bundle.paths import problem_with
from pypackpack.middleware.inspect.tree import dependencies, is_metadata, owners
from pypackpack.middleware.inspect.wheel import parted
from pypackpack.model.errors import DamagedArtifactError
from pypackpack.model.inspection import Inspection

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MOST = 64 << 20
"""Bytes that a manifest may have, and a RECORD."""

_SHOWN = 3
_HINT = "Build it again; what is in such a folder is not to be changed by hand."


@dataclass(frozen=True)
class _Listed:
    """A file as the manifest has it."""

    path: str
    size: int
    sha256: str


def inspect_binary(path: Path) -> Inspection:
    """Return what is known of the folder of a binary.

    Raises:
        DamagedArtifactError: Its manifest cannot be used.
        FilesystemError: It cannot be read.
    """
    place = path / MANIFEST
    if place.stat().st_size > MOST:
        msg = f"{place} is larger than {MOST >> 20} MB"
        raise DamagedArtifactError(msg, hint=_HINT)
    data = filesystem.read_bytes(place)
    try:
        content = json.loads(data)
        if content["format"] != MANIFEST_FORMAT:
            msg = f"{place} has the format {content['format']!r}, and this version of pypackpack knows {MANIFEST_FORMAT}"
            raise DamagedArtifactError(msg, hint="Use the version of pypackpack that built it, or build it again.")
        files = {each["path"]: _Listed(str(each["path"]), int(each["size"]), str(each["sha256"])) for each in content["files"]}
        told = {str(each["name"]): (str(each["version"]), str(each["level"])) for each in content["dependencies"]}
        words = {key: str(content[key]) for key in ("package", "version", "target", "python", "level", "type", "pypackpack")}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        msg = f"{place} is no manifest of a binary: {type(error).__name__}: {error}"
        raise DamagedArtifactError(msg, hint=_HINT) from error
    for name in files:
        if problem := problem_with(name):
            msg = f"{place}: the path {name[:200]!r} {problem}"
            raise DamagedArtifactError(msg, hint=_HINT)
    whose = owners(files, lambda name: filesystem.read_bytes(path / name))
    own = {name: file for name, file in files.items() if whose.get(name) not in told and not is_metadata(name)}
    modules, rest = parted(own, "", None)
    return Inspection(
        kind="binary",
        path=path,
        size=len(data) + sum(file.size for file in files.values()),
        sha256=filesystem.sha256_bytes(data),
        name=words["package"],
        version=words["version"],
        tags=(),
        requires_python="",
        made_by=f"pypackpack {words['pypackpack']}",
        level=words["level"],
        type=words["type"],
        python=words["python"],
        compiler=None,
        toolchain=None,
        modules=modules,
        data=rest,
        notes=_notes(path, files),
        target=words["target"],
        dependencies=dependencies(told, files, whose),
    )


def _notes(folder: Path, files: Mapping[str, _Listed]) -> tuple[str, ...]:
    """Say what differs between the manifest and the folder: every file is hashed."""
    gone, changed = [], []
    for name, file in files.items():
        place = folder / name
        if place.is_symlink() or not place.is_file():
            gone.append(name)
        elif place.stat().st_size != file.size or filesystem.sha256_file(place) != file.sha256:
            changed.append(name)
    there = {place.relative_to(folder).as_posix() for place in filesystem.files_below(folder, installed=True)}
    more = sorted(there - files.keys() - {MANIFEST})
    found = (
        (gone, "{} of its manifest is not there: {}", "{} of its manifest are not there: {}"),
        (changed, "{} is not as its manifest says: {}", "{} are not as its manifest says: {}"),
        (more, "{} is in no manifest: {}", "{} are in no manifest: {}"),
    )
    return tuple(
        (one if len(names) == 1 else several).format(f"{len(names)} file{'s' * (len(names) != 1)}", _some(names))
        for names, one, several in found
        if names
    )


def _some(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")
