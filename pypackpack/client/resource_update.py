"""From one ``.resource`` archive to the next: which chunks are missing, and the next one made of what is here and these.

::

    head = fetch(0, HEADER.size)                     # of the new archive: fetch(start, count) returns bytes of its file
    head += fetch(len(head), head_size(head) - len(head))
    with open_resource(old) as before:
        print(difference([before.index], parse_head(head)).fetch)  # bytes
        update([before], head, fetch, Path(new))

Standard library only; runs inside people's apps. How ``fetch`` reaches the new archive is the app's own: with HTTP it is a
request with a ``Range``.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pypackpack.client.resource_format import DamagedResourceError, Index, parse_head, unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from pypackpack.client.resource import Resource
    from pypackpack.client.resource_format import Chunk

    Fetch = Callable[[int, int], bytes]

MOST_FETCHED: Final = 4 << 20
"""Bytes that are asked for at one time, and held."""


@dataclass(frozen=True)
class Difference:
    """What separates an archive from the next one.

    Attributes:
        added: Paths of files that are new.
        removed: Paths of those that are gone.
        changed: Paths of those with other bytes.
        chunks: Number of chunks that are missing, and of those in the new archive, each counted once.
        missing: Bytes of the missing ones, as they are packed.
        head: Bytes of the new archive's head.
        whole: Bytes of the whole new archive.
        ranges: Begin and number of the bytes of the new archive's file to fetch, without the head; neighbours are one.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    chunks: tuple[int, int]
    missing: int
    head: int
    whole: int
    ranges: tuple[tuple[int, int], ...]

    @property
    def fetch(self) -> int:
        """Bytes to fetch: the head and what is missing."""
        return self.head + self.missing


def difference(olds: Sequence[Index], new: Index) -> Difference:
    """Compare archives that are here with a new one.

    Args:
        olds: Heads of those that are here; the first is the one that the new one comes after, the others may have chunks, too.
        new: Head of the new one.
    """
    before = {path: each.sha256 for path, each in olds[0].entries.items()} if olds else {}
    after = {path: each.sha256 for path, each in new.entries.items()}
    there = _there(olds)
    own = [chunk for chunk in new.chunks() if not chunk.repeated]
    missing = [chunk for chunk in own if (chunk.sha256, chunk.packed) not in there]
    ranges: list[tuple[int, int]] = []
    for chunk in missing:
        if ranges and sum(ranges[-1]) == chunk.place:
            ranges[-1] = (ranges[-1][0], ranges[-1][1] + chunk.packed)
        else:
            ranges.append((chunk.place, chunk.packed))
    return Difference(
        tuple(sorted(after.keys() - before.keys())),
        tuple(sorted(before.keys() - after.keys())),
        tuple(sorted(path for path in before.keys() & after.keys() if before[path] != after[path])),
        (len(missing), len(own)),
        sum(chunk.packed for chunk in missing),
        new.head,
        new.length,
        tuple(ranges),
    )


def update(olds: Sequence[Resource], head: bytes, fetch: Fetch, place: Path, *, identity: str = "") -> Difference:
    """Make the next archive out of those that are here and what is missing.

    It is written beside its place, every chunk compared with its digest, and put there at the end; up to then nothing has
    changed. Memory: the tables of the archives, and `MOST_FETCHED` bytes.

    Args:
        olds: Open archives; any number, also none.
        head: The head of the new one, all of it.
        fetch: Returns so many bytes of the new archive's file from a place on.
        place: Where the new one goes; may be that of an old one, except on Windows, where an open file cannot be replaced.
        identity: The identity that it has to have, in hexadecimal; empty for any.

    Returns:
        What was fetched and taken over.

    Raises:
        ResourceError: A head, or something that was fetched, is damaged; nothing was changed.
        OSError: A file cannot be read or written; nothing was changed. What ``fetch`` raises comes through, too.
    """
    new = parse_head(head, identity)
    found = difference([each.index for each in olds], new)
    there = _there([each.index for each in olds])
    place.parent.mkdir(parents=True, exist_ok=True)
    aside = place.parent / f".{place.name[:40]}.{os.urandom(6).hex()}.part"
    try:
        with aside.open("xb") as out:
            out.write(head)
            _write(out, new, olds, there, _Fetched(found.ranges, fetch))
            out.flush()
            os.fsync(out.fileno())
        os.replace(aside, place)  # noqa: PTH105 - on Windows it replaces, as on other systems
    finally:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
    return found


_There = dict[tuple[bytes, int], tuple[int, int]]


def _there(olds: Iterable[Index]) -> _There:
    """Return digest and packed size of each chunk → which archive has it, and its number there."""
    found: _There = {}
    for which, index in enumerate(olds):
        for number, chunk in enumerate(index.chunks()):
            if not chunk.repeated:
                found.setdefault((chunk.sha256, chunk.packed), (which, number))
    return found


def _write(out: BinaryIO, new: Index, olds: Sequence[Resource], there: _There, fetched: _Fetched) -> None:
    for chunk in new.chunks():
        if chunk.repeated:
            continue
        known = there.get((chunk.sha256, chunk.packed))
        data = fetched.take(chunk) if known is None else olds[known[0]].packed(olds[known[0]].index.chunk(known[1]))
        unpack(data, chunk)
        out.write(data)


class _Fetched:
    """The missing bytes, in the order in which they are needed; a range is asked for in pieces of whole chunks."""

    def __init__(self, ranges: Sequence[tuple[int, int]], fetch: Fetch) -> None:
        self._pieces: Iterator[tuple[int, int]] = (
            (start + done, min(MOST_FETCHED, count - done)) for start, count in ranges for done in range(0, count, MOST_FETCHED)
        )
        self._fetch = fetch
        self._held = memoryview(b"")

    def take(self, chunk: Chunk) -> bytes:
        while len(self._held) < chunk.packed:
            start, count = next(self._pieces)
            data = self._fetch(start, count)
            if len(data) != count:
                msg = f"{count} bytes were asked for, from {start} on, and {len(data)} came"
                raise DamagedResourceError(msg)
            self._held = memoryview(bytes(self._held) + data)  # what is left of the last one is less than a chunk
        data, self._held = bytes(self._held[: chunk.packed]), self._held[chunk.packed :]
        return data
