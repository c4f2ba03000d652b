"""What the commands about the cache have found and done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Bucket:
    """One folder of the cache.

    Attributes:
        name: What a person calls it.
        what: What lies in it.
        folder: The folder.
        size: Bytes on disk, in blocks of 4 KiB.
        files: Number of files.
    """

    name: str
    what: str
    folder: Path
    size: int
    files: int


@dataclass(frozen=True)
class CacheInfo:
    """What the cache holds.

    Attributes:
        folder: The cache folder.
        buckets: Its parts that are not empty.
        size: Bytes of all of them.
        store: Bytes of the store: what ``limit`` is about.
        limit: Most bytes of the store.
        entries: Number of blobs and results in the store.
        oldest: When the result that was not used for longest was last used (ISO 8601, UTC, to the hour); None without results.
        builds: Which builds are using it.
    """

    folder: Path
    buckets: tuple[Bucket, ...]
    size: int
    store: int
    limit: int
    entries: int
    oldest: str | None
    builds: tuple[str, ...]


@dataclass(frozen=True)
class Pruned:
    """What was taken away.

    Attributes:
        results: Number of results that were not used for long, or were of no use.
        blobs: Number of blobs that nothing names any more.
        leftovers: Number of files and folders that killed builds and older versions left.
        freed: Bytes of all that.
        size: Bytes of the store afterwards.
        spared: Bytes that should have gone and stay, since builds that are running may need them.
    """

    results: int
    blobs: int
    leftovers: int
    freed: int
    size: int
    spared: int = 0


@dataclass(frozen=True)
class Verified:
    """What was read and compared with its digest.

    Attributes:
        entries: Number of blobs and results.
        size: Bytes of them.
        damaged: Paths, below the cache folder, of those that were not what they should be; they are thrown away.
        useless: Number of results that named blobs which are gone; they are thrown away too, and are no damage.
    """

    entries: int
    size: int
    damaged: tuple[str, ...]
    useless: int


@dataclass(frozen=True)
class Cleared:
    """What was removed.

    Attributes:
        folder: The cache folder.
        removed: Whether anything was: False when the person did not agree.
        buckets: The parts that went.
        freed: Their bytes.
    """

    folder: Path
    removed: bool
    buckets: tuple[Bucket, ...]
    freed: int
