"""Reads the folder of a binary that may be hostile: what lies there, and each file of its manifest once.

Links are not followed. One piece of one file is in memory at a time; linked files are held whole, one at a time, up to a limit.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pypackpack.backend import filesystem, images
from pypackpack.middleware.verify import reading
from pypackpack.middleware.verify.modules import NativeFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pypackpack.middleware.bundle.binary_manifest import ListedFile

MOST_RECORD: Final = 8 << 20
"""Bytes that a ``RECORD`` may have to be looked into."""
_CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class Place:
    """Something that lies in a folder and is no folder.

    Attributes:
        size: Its bytes.
        wrong: What it is where it is no file; else empty.
    """

    size: int
    wrong: str = ""


@dataclass
class Contents:
    """What was read of the files of a manifest.

    Attributes:
        problems: What is not as the manifest says.
        native: Linked files.
        broken: What is wrong with linked files.
        heads: By path the first bytes.
    """

    problems: list[str] = field(default_factory=list)
    native: list[NativeFile] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    heads: dict[str, bytes] = field(default_factory=dict)


def places(folder: Path) -> dict[str, Place]:
    """Return what lies in a folder and below, by its path with ``/``; links are named and not followed.

    Raises:
        FilesystemError: A folder cannot be read.
    """
    found: dict[str, Place] = {}
    todo = [(folder, "")]
    while todo:
        place, prefix = todo.pop()
        with filesystem.explained("read", place), os.scandir(place) as entries:
            for entry in entries:
                path = f"{prefix}{entry.name}"
                facts = entry.stat(follow_symlinks=False)
                if filesystem.is_link(entry.path):
                    found[path] = Place(0, f"a link to {os.readlink(entry.path)!r}")  # noqa: PTH115 - it may be a junction
                elif stat.S_ISDIR(facts.st_mode):
                    todo.append((place / entry.name, f"{path}/"))
                else:
                    found[path] = Place(facts.st_size, "" if stat.S_ISREG(facts.st_mode) else "no regular file")
    return dict(sorted(found.items()))


def is_record(path: str) -> bool:
    """Tell whether a path is that of a distribution's ``RECORD``."""
    info, _, name = path.partition("/")
    return name == "RECORD" and info.endswith(".dist-info")


def readable_records(paths: Iterable[str], there: Mapping[str, Place]) -> list[str]:
    """Return which of the paths are a ``RECORD`` that lies there as a file, and is not too large: a pipe would be waited for."""
    found = ((path, there.get(path)) for path in paths if is_record(path))
    return [path for path, place in found if place is not None and not place.wrong and place.size <= MOST_RECORD]


def read_files(folder: Path, listed: Iterable[ListedFile], there: Mapping[str, Place]) -> Contents:
    """Compare each file of a manifest with what lies there; what has another size is not read.

    Args:
        folder: The folder.
        listed: The manifest's files, whose paths lead nowhere else.
        there: What lies in the folder.

    Raises:
        FilesystemError: A file cannot be read.
    """
    seen = Contents()
    for file in listed:
        found = there.get(file.path)
        if found is None:
            seen.problems.append(f"{file.path[:200]!r} of the manifest is not there")
        elif not found.wrong and found.size != file.size:  # what is no file is named with all that lies there
            seen.problems.append(f"{file.path[:200]!r} has {found.size} bytes, and the manifest says {file.size}")
        elif not found.wrong:
            _read(folder / file.path, file, seen)
    return seen


def _read(place: Path, file: ListedFile, seen: Contents) -> None:
    digest = hashlib.sha256()
    keep: list[bytes] | None = None
    first = True
    with filesystem.explained("read", place), place.open("rb") as stream:
        while (chunk := stream.read(_CHUNK)) or first:
            digest.update(chunk)
            if first:
                seen.heads[file.path] = chunk[:16]
                keep = [] if reading.wanted(file.path, file.size, chunk, seen.broken) else None
            if keep is not None:
                keep.append(chunk)
            first = False
    if digest.hexdigest() != file.sha256:
        said = f"its sha256 is {digest.hexdigest()}, and the manifest says {file.sha256}"
        seen.problems.append(f"{file.path[:200]!r} is not what the manifest says: {said}")
    if keep is not None:
        try:
            seen.native.append(NativeFile(file.path, images.read_images(b"".join(keep))))
        except images.NoImageError as error:
            seen.broken.append(f"{file.path}: {error}")
