"""What a binary is: a folder whose `manifest.json` says what is in it, compared with what lies there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.middleware.bundle.binary import MANIFEST
from pypackpack.middleware.bundle.binary_manifest import HINT, read_manifest
from pypackpack.middleware.bundle.paths import problem_with
from pypackpack.middleware.inspect.tree import dependencies, is_metadata, owners
from pypackpack.middleware.inspect.wheel import parted
from pypackpack.middleware.verify.folder import places, readable_records
from pypackpack.model.errors import DamagedArtifactError
from pypackpack.model.inspection import Inspection

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pypackpack.middleware.bundle.binary_manifest import ListedFile
    from pypackpack.middleware.verify.folder import Place

_SHOWN = 3


def inspect_binary(path: Path) -> Inspection:
    """Return what is known of the folder of a binary.

    Raises:
        DamagedArtifactError: Its manifest cannot be used.
        FilesystemError: It cannot be read.
    """
    said = read_manifest(path)
    files = {each.path: each for each in said.files}
    told = {each.name: (each.version, each.level) for each in said.dependencies}
    for name in files:
        if problem := problem_with(name):
            msg = f"{said.place}: the path {name[:200]!r} {problem}"
            raise DamagedArtifactError(msg, hint=HINT)
    there = places(path)
    whose = owners(dict.fromkeys(readable_records(files, there)), lambda name: filesystem.read_bytes(path / name))
    own = {name: file for name, file in files.items() if whose.get(name) not in told and not is_metadata(name)}
    modules, rest = parted(own, "", None)
    return Inspection(
        kind="binary",
        path=path,
        size=said.size + sum(file.size for file in files.values()),
        sha256=said.sha256,
        name=said.package,
        version=said.version,
        tags=(),
        requires_python="",
        made_by=f"pypackpack {said.pypackpack}",
        level=said.level,
        type=said.type,
        python=said.python,
        compiler=None,
        toolchain=None,
        modules=modules,
        data=rest,
        notes=_notes(path, files, there),
        target=said.target,
        dependencies=dependencies(told, files, whose),
    )


def _notes(folder: Path, files: Mapping[str, ListedFile], there: Mapping[str, Place]) -> tuple[str, ...]:
    """Say what differs between the manifest and the folder: every file is hashed. Links are not followed."""
    gone, changed = [], []
    for name, file in files.items():
        found = there.get(name)
        if found is None or found.wrong:
            gone.append(name)
        elif found.size != file.size or filesystem.sha256_file(folder / name) != file.sha256:
            changed.append(name)
    more = [name for name in there if name not in files and name != MANIFEST and "__pycache__" not in name.split("/")]
    lists = (
        (gone, "{} of its manifest is not there: {}", "{} of its manifest are not there: {}"),
        (changed, "{} is not as its manifest says: {}", "{} are not as its manifest says: {}"),
        (more, "{} is in no manifest: {}", "{} are in no manifest: {}"),
    )
    return tuple(
        (one if len(names) == 1 else several).format(f"{len(names)} file{'s' * (len(names) != 1)}", _some(names))
        for names, one, several in lists
        if names
    )


def _some(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")
