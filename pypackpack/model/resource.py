"""Archives of data files, as they cross floors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class ResourceMember:
    """A file in an archive.

    Attributes:
        path: Its path below the import package, with ``/``.
        size: Its bytes.
        sha256: Digest of its bytes.
    """

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class ResourceFacts:
    """What an archive says of itself.

    Attributes:
        path: The archive.
        size: Its bytes.
        name: The distribution.
        version: Its version.
        package: The import package whose data files these are.
        tag: What it is for: ``any``, a family of targets, or one target.
        identity: SHA-256 over all that decides what is read from it.
        unpacked: Bytes of all files together.
        chunks: Number of chunks that stand in it.
        members: The files, by path.
    """

    path: Path
    size: int
    name: str
    version: str
    package: str
    tag: str
    identity: str
    unpacked: int
    chunks: int
    members: tuple[ResourceMember, ...]


@dataclass(frozen=True)
class ResourceChange:
    """What separates an archive from the next one.

    Attributes:
        old: The one that is there.
        new: The next.
        added: Paths of files that are new.
        removed: Paths of those that are gone.
        changed: Paths of those with other bytes.
        chunks: Number of chunks that are missing for the next one.
        fetch: Bytes that whoever has the old one has to fetch for the next.
    """

    old: ResourceFacts
    new: ResourceFacts
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    chunks: int
    fetch: int
