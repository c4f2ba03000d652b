"""Source distributions (PEP 625 and 643; https://packaging.python.org/specifications/source-distribution-format).

A package's sdist stands alone: licences and a readme that lie in the project come along, and requirements of other packages of
the project are written out as they were. What is built from it is, to the byte, what is built from the checkout.
"""

from __future__ import annotations

import io
import struct
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pypackpack.backend import filesystem
from pypackpack.middleware.bundle.archive import FIXED_EPOCH
from pypackpack.middleware.bundle.metadata import core_metadata, frozen_requirement
from pypackpack.middleware.project.read import FILE
from pypackpack.middleware.project.toml import decode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tomlkit import TOMLDocument

    from pypackpack.middleware.bundle.metadata import CoreFiles
    from pypackpack.model.project import Package, Project

_FROM_PROJECT = "_project"
"""Folder of an sdist for files that a key names by a path that leads out of the package (``../README.md``)."""

# 31 139: gzip; 8: deflate; no name, no date; 2: best compression; 255: no system in particular (RFC 1952).
_GZIP_HEAD = bytes((31, 139, 8, 0, 0, 0, 0, 0, 2, 255))
_COMPRESSION = 9


@dataclass(frozen=True)
class _Entry:
    """One file: its path in the sdist, its bytes, whether it may be executed."""

    path: str
    data: bytes
    executable: bool = False


def write_sdist(
    folder: Path,
    package: Package,
    project: Project,
    references: Mapping[str, str] | None = None,
    extras: Mapping[str, str] | None = None,
) -> Path:
    """Write an sdist into a folder, made if needed; returns it. The same inputs give the same bytes.

    Args:
        folder: Where it goes.
        package: What it is of: a package, or the project itself as one (`root_package`).
        project: The project.
        references: See `pypackpack.middleware.bundle.metadata.core_metadata`.
        extras: See there.

    Raises:
        SettingsError: The metadata is wrong.
        SourceError: A link among the sources leads out of the project, to nothing, or round in a circle.
        FilesystemError: A file cannot be read, or the sdist not be written.
    """
    core = core_metadata(package, project, None, references, extras)
    top = f"{core.escaped_name}-{core.escaped_version}"
    entries = {entry.path: entry for entry in _entries(core, package, project, references or {}, extras)}
    epoch = filesystem.source_date_epoch()
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, entry in sorted(entries.items()):
            item = tarfile.TarInfo(f"{top}/{path}")
            item.size = len(entry.data)
            item.mtime = FIXED_EPOCH if epoch is None else epoch
            item.mode = 0o755 if entry.executable else 0o644
            archive.addfile(item, io.BytesIO(entry.data))
    place = folder / f"{top}.tar.gz"
    filesystem.write_atomic(place, _gzip(stream.getvalue()))
    return place


def _gzip(data: bytes) -> bytes:
    """Compress with the pinned library: zlib's output differs between builds of Python."""
    import deflate  # noqa: PLC0415 - import cost

    body = bytes(deflate.deflate_compress(data, _COMPRESSION))
    return _GZIP_HEAD + body + struct.pack("<II", deflate.crc32(data), len(data) & 0xFFFFFFFF)


def _entries(
    core: CoreFiles, package: Package, project: Project, references: Mapping[str, str], extras: Mapping[str, str] | None
) -> Iterator[_Entry]:
    moved: dict[str, Path] = {}
    yield _Entry("PKG-INFO", _pkg_info(core, package))
    yield _Entry(FILE, _pyproject(package, project, moved, references, extras))
    for path, data in core.licenses:
        yield _Entry(path, data)
    for path, file in moved.items():
        yield _Entry(path, filesystem.read_bytes(file))
    if package.root == project.root and package.name == project.name and extras is not None:
        return  # the project itself has no sources
    prefix = len(package.root.parts)
    for file in filesystem.source_files(package.source, (package.root, package.root.parent)):
        yield _Entry("/".join(file.parts[prefix:]), filesystem.read_bytes(file), filesystem.is_executable(file))


def _pkg_info(core: CoreFiles, package: Package) -> bytes:
    """Return METADATA; what a wheel of one platform may add to it is marked as PEP 643 wants it."""
    head, blank, body = core.metadata.partition("\n\n")
    if any(package.target_dependencies.values()):
        head += "\nDynamic: Requires-Dist"
    return f"{head.rstrip()}\n{blank[1:]}{body}".encode()


def _pyproject(
    package: Package,
    project: Project,
    moved: dict[str, Path],
    references: Mapping[str, str],
    extras: Mapping[str, str] | None,
) -> bytes:
    """Return the pyproject.toml of an sdist: what leads out of the package is resolved, all else stays as written."""
    import tomlkit  # noqa: PLC0415 - import cost

    data = filesystem.read_bytes(package.root / FILE)
    document = tomlkit.parse(decode(data, package.root / FILE))
    table: Any = document["project"]
    if isinstance(table.get("readme"), str):
        table["readme"] = _inside(table["readme"], package, project, moved)
    for key in ("readme", "license"):
        if isinstance(table.get(key), dict) and isinstance(table[key].get("file"), str):
            table[key]["file"] = _inside(table[key]["file"], package, project, moved)
    _freeze(document, package, project, references)
    if extras is not None:
        table.pop("dynamic", None)
        if extras and "optional-dependencies" not in table:
            table["optional-dependencies"] = tomlkit.table()
        for name, line in extras.items():
            table["optional-dependencies"][name] = [line]
        tool: Any = document["tool"]
        tool["pypackpack"]["packages"] = []
    if "build-system" not in document:
        system = tomlkit.table()
        system.update({"requires": ["pypackpack>=0.3"], "build-backend": "pypackpack.build_api"})
        document["build-system"] = system
    after = document.as_string()
    return data if after == decode(data, package.root / FILE) else after.encode()


def _inside(word: str, package: Package, project: Project, moved: dict[str, Path]) -> str:
    """Return where a file that a key names lies in the sdist, and take note of it."""
    file = (package.root / word).resolve()
    root = package.root.resolve()
    place = word
    if file.is_relative_to(root):
        place = file.relative_to(root).as_posix()
    elif file.is_relative_to(project.root.resolve()):
        place = f"{_FROM_PROJECT}/{file.relative_to(project.root.resolve()).as_posix()}"
    moved[place] = file
    return place


def _freeze(document: TOMLDocument, package: Package, project: Project, references: Mapping[str, str]) -> None:
    """Write requirements of other packages of the project as the metadata has them: alone, nobody could work them out."""
    content: Any = document
    lists = [content["project"].get("dependencies", []), *content["project"].get("optional-dependencies", {}).values()]
    tables = content.get("tool", {}).get("pypackpack", {}).get("target", {})
    lists += [table["dependencies"] for table in tables.values() if "dependencies" in table]
    for items in lists:
        for number, line in enumerate(items):
            frozen = frozen_requirement(str(line), package, project, references)
            if frozen != line:
                items[number] = frozen
