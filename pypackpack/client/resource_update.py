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
import errno
import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pypackpack.client.resource_format import DamagedResourceError, Index, parse_head, unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import BinaryIO

    from pypackpack.client.resource import Resource
    from pypackpack.client.resource_format import Chunk

    Fetch = Callable[[int, int], bytes]

MOST_FETCHED: Final = 4 << 20
"""Bytes that are asked for at one time, and held."""
_LOCKED: Final = 1 << 41
"""Windows locks bytes, and lets nobody read these: one that no archive has."""


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
    return Difference(
        tuple(sorted(after.keys() - before.keys())),
        tuple(sorted(before.keys() - after.keys())),
        tuple(sorted(path for path in before.keys() & after.keys() if before[path] != after[path])),
        (len(missing), len(own)),
        sum(chunk.packed for chunk in missing),
        new.head,
        new.length,
        tuple(_ranges(missing)),
    )


def update(
    olds: Sequence[Resource], head: bytes, fetch: Fetch, place: str | os.PathLike[str], *, identity: str | None = None
) -> Difference:
    """Make the next archive out of those that are here and what is missing.

    It is written beside its place, every chunk compared with its digest, and put there at the end; up to then nothing has
    changed. What had come when ``fetch`` failed, or when the process was ended, lies in a hidden file beside the place; the next
    call for the same archive goes on from there. Memory: the tables of the archives, and `MOST_FETCHED` bytes.

    Args:
        olds: Open archives; any number, also none.
        head: The head of the new one, all of it.
        fetch: Returns so many bytes of the new archive's file from a place on.
        place: Where the new one goes; may be that of an old one, except on Windows, where an open file cannot be replaced.
        identity: The identity that it has to have, in hexadecimal; None for any.

    Returns:
        What separates the new one from the old ones.

    Raises:
        ResourceError: A head, or something that was fetched, is damaged; nothing was changed.
        BlockingIOError: Another process, or thread, is making the same archive at the same place.
        OSError: A file cannot be read or written; nothing was changed. What ``fetch`` raises comes through, too.
    """
    place = Path(place)
    new = parse_head(head, identity)
    found = difference([each.index for each in olds], new)
    place.parent.mkdir(parents=True, exist_ok=True)
    aside = place.parent / f"{_aside(place)}{new.identity[:32]}.part"
    fetched = _Fetched(fetch)
    try:
        with _held(aside) as out:
            begun = _begun(out, head, new)
            _write(out, new, olds, begun, fetched)
            out.flush()
            os.fsync(out.fileno())
            if os.name != "nt":  # there no open file can be renamed
                os.replace(aside, place)  # noqa: PTH105 - as below
        if os.name == "nt":
            os.replace(aside, place)  # noqa: PTH105 - it replaces, as on other systems
    except BlockingIOError:
        raise
    except BaseException:
        if not fetched.failed:
            with contextlib.suppress(OSError):
                aside.unlink(missing_ok=True)
        raise
    _drop_others(place)
    return found


def _aside(place: Path) -> str:
    """Return what the names begin with that stand beside a place while it is made."""
    return f".{place.name[:40]}.{hashlib.sha256(place.name.encode()).hexdigest()[:8]}."


@contextlib.contextmanager
def _held(aside: Path) -> Iterator[BinaryIO]:
    """Open a file that one process at a time writes; it may have been begun."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    while True:
        handle = os.open(aside, flags, 0o666)
        with open(handle, "r+b") as out:  # noqa: PTH123 - closes the handle
            if not _lock(handle):
                msg = "another process is making this archive"
                raise BlockingIOError(errno.EAGAIN, msg, str(aside))
            if _is_at(handle, aside):  # else somebody has just finished it
                yield out
                return


def _is_at(handle: int, path: Path) -> bool:
    """Tell whether an open file is the one of that path; on Windows nobody can have moved it."""
    try:
        return os.name == "nt" or os.path.samestat(os.fstat(handle), os.lstat(path))
    except FileNotFoundError:
        return False


def _lock(handle: int) -> bool:
    """Lock a file until it is closed; returns whether nobody else has."""
    try:
        import fcntl  # noqa: PLC0415 - not on Windows, nor on Pyodide, where there are no other processes
    except ImportError:
        if sys.platform != "win32":
            return True
        import msvcrt  # noqa: PLC0415 - on Windows only

        os.lseek(handle, _LOCKED, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(handle, 0, os.SEEK_SET)
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _begun(out: BinaryIO, head: bytes, new: Index) -> int:
    """Return how many of the chunks, from the first on, a file has already; what follows is cut off."""
    length = out.seek(0, 2)
    out.seek(0)
    done = 0
    if length >= len(head) and out.read(len(head)) == head:
        for chunk in new.chunks():
            if not chunk.repeated:
                out.seek(chunk.place)
                try:
                    unpack(out.read(chunk.packed), chunk)
                except DamagedResourceError:
                    out.seek(chunk.place)
                    break
            done += 1
        else:
            out.seek(new.length)
    else:
        out.seek(0)
        out.write(head)
    out.truncate()
    return done


def _drop_others(place: Path) -> None:
    """Remove what dead processes left of other archives for the same place."""
    start = _aside(place)
    with contextlib.suppress(OSError):
        for each in place.parent.iterdir():
            if each.name.startswith(start) and each.name.endswith(".part"):
                with each.open("r+b") as stream:
                    dead = _lock(stream.fileno())
                    if dead and os.name != "nt":
                        each.unlink()
                if dead and os.name == "nt":
                    each.unlink()


_There = dict[tuple[bytes, int], tuple[int, int]]


def _there(olds: Iterable[Index]) -> _There:
    """Return digest and packed size of each chunk → which archive has it, and its number there."""
    found: _There = {}
    for which, index in enumerate(olds):
        for number, chunk in enumerate(index.chunks()):
            if not chunk.repeated:
                found.setdefault((chunk.sha256, chunk.packed), (which, number))
    return found


def _write(out: BinaryIO, new: Index, olds: Sequence[Resource], begun: int, fetched: _Fetched) -> None:
    """Write the chunks that are not there yet; missing neighbours are fetched together."""
    there = _there([each.index for each in olds])
    rest = [chunk for number, chunk in enumerate(new.chunks()) if number >= begun and not chunk.repeated]
    fetched.wanted(chunk for chunk in rest if (chunk.sha256, chunk.packed) not in there)
    for chunk in rest:
        known = there.get((chunk.sha256, chunk.packed))
        data = fetched.take(chunk) if known is None else olds[known[0]].packed(olds[known[0]].index.chunk(known[1]))
        unpack(data, chunk)
        out.write(data)


def _ranges(chunks: Iterable[Chunk]) -> list[tuple[int, int]]:
    """Return begin and number of the bytes of chunks; neighbours are one."""
    ranges: list[tuple[int, int]] = []
    for chunk in chunks:
        if ranges and sum(ranges[-1]) == chunk.place:
            ranges[-1] = (ranges[-1][0], ranges[-1][1] + chunk.packed)
        else:
            ranges.append((chunk.place, chunk.packed))
    return ranges


class _Fetched:
    """The missing bytes, in the order in which they are needed; large ranges are asked for in pieces.

    Attributes:
        failed: Whether fetching raised an error: what was written is right then, as far as it goes.
    """

    def __init__(self, fetch: Fetch) -> None:
        self._pieces: Iterator[tuple[int, int]] = iter(())
        self._fetch = fetch
        self._held = memoryview(b"")
        self.failed = False

    def wanted(self, chunks: Iterable[Chunk]) -> None:
        """Say which chunks will be taken."""
        self._pieces = (
            (start + done, min(MOST_FETCHED, count - done))
            for start, count in _ranges(chunks)
            for done in range(0, count, MOST_FETCHED)
        )

    def take(self, chunk: Chunk) -> bytes:
        """Return the packed bytes of the next of them."""
        while len(self._held) < chunk.packed:
            start, count = next(self._pieces)
            self.failed = True
            data = self._fetch(start, count)
            self.failed = False
            if len(data) != count:
                msg = f"{count} bytes were asked for, from {start} on, and {len(data)} came"
                raise DamagedResourceError(msg)
            self._held = memoryview(bytes(self._held) + data)  # what is left of the last one is less than a chunk
        data, self._held = bytes(self._held[: chunk.packed]), self._held[chunk.packed :]
        return data
