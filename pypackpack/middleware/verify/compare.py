"""Two wheels, or files, that should be the same to the byte: where they first differ, in words."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from pypackpack.backend import filesystem
from pypackpack.backend.zip_format import CENTRAL
from pypackpack.backend.zip_reader import ZipReader
from pypackpack.middleware.patch.make import read_identity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pypackpack.backend.zip_reader import Entry

_CHUNK = 1 << 18
_AROUND: Final = 16
"""So many bytes are shown of what differs."""
_DATE: Final = 10
"""Where time and date stand in a local header (APPNOTE 4.3.7)."""
_APPLIED: Final = b"\0\0\x21\0"
"""Time and date of every member that `pypackpack.client.patch_wheel` writes: 1980-01-01, 0:00 (APPNOTE 4.4.6)."""


def first_difference(one: Path, other: Path) -> str:
    """Return where two wheels first differ, with the member and the offset in it; empty where they are the same to the byte.

    Args:
        one: The first; the words speak of it as "the artifact".
        other: The second, "the rebuild".

    Raises:
        DamagedArtifactError: One is damaged.
        FilesystemError: One cannot be read.
    """
    with filesystem.explained("read", one), one.open("rb") as first, other.open("rb") as second:
        place = _offset(_blocks(first), _blocks(second))
        if place is None:
            return ""
        left, right = ZipReader(first, one), ZipReader(second, other)
        paths = [[entry.path for entry in archive.entries] for archive in (left, right)]
        if paths[0] != paths[1]:
            return names_difference(*paths)
        for mine, theirs in zip(left.entries, right.entries, strict=True):
            if (mine.size, mine.crc32) == (theirs.size, theirs.crc32):
                continue
            at = _offset(left.chunks(mine), right.chunks(theirs))
            if at is not None:
                return _member(mine, theirs, at, left, right)
        return f"the files in both are the same, and byte {place} of the archives is not: {_region(left, place)}"


def same_but_applied(one: Path, other: Path) -> bool:
    """Tell whether a wheel came of ``patch apply``, and has the same files as another: the archive only is written otherwise.

    Applying keeps what is packed and does not compress as a build does; what it promises is the identity.

    Raises:
        DamagedArtifactError: One is damaged.
        FilesystemError: One cannot be read.
    """
    with filesystem.explained("read", one), one.open("rb") as stream:
        entries = ZipReader(stream, one).entries
        for entry in entries:
            stream.seek(entry.offset + _DATE)
            if stream.read(len(_APPLIED)) != _APPLIED:
                return False
    return read_identity(one) == read_identity(other)


def first_offset(one: Path, data: bytes) -> int | None:
    """Return the first place where a file differs from some bytes; None where they are the same.

    Raises:
        FilesystemError: It cannot be read.
    """
    with filesystem.explained("read", one), one.open("rb") as stream:
        return _offset(_blocks(stream), (data,))


def file_difference(name: str, one: Path, other: Path) -> str:
    """Return where two files first differ; empty where they are the same.

    Args:
        name: What they are called.
        one: The artifact's.
        other: The rebuild's.

    Raises:
        FilesystemError: One cannot be read.
    """
    with filesystem.explained("read", one), one.open("rb") as first, other.open("rb") as second:
        at = _offset(_blocks(first), _blocks(second))
        if at is None:
            return ""
        sizes = first.seek(0, 2), second.seek(0, 2)
        first.seek(at)
        second.seek(at)
        return _told(name, at, sizes, _shown(first.read(_AROUND)), _shown(second.read(_AROUND)))


def names_difference(mine: list[str], theirs: list[str]) -> str:
    """Return what separates the names of the files of an artifact from those of its rebuild; empty where nothing does."""
    gone, new = sorted(set(mine) - set(theirs)), sorted(set(theirs) - set(mine))
    if gone or new:
        said = [f"{gone[0]!r} is in the artifact only" + (f", and {len(gone) - 1} more" if gone[1:] else "")] if gone else []
        said += [f"{new[0]!r} is in the rebuild only" + (f", and {len(new) - 1} more" if new[1:] else "")] if new else []
        return "; ".join(said)
    if mine == theirs:
        return ""
    first = next(number for number, (a, b) in enumerate(zip(mine, theirs, strict=True)) if a != b)
    return (
        f"the same files stand in another order, from the {first + 1}th on: {mine[first]!r}, and in the rebuild {theirs[first]!r}"
    )


def _member(mine: Entry, theirs: Entry, at: int, left: ZipReader, right: ZipReader) -> str:
    a, b = _around(left.chunks(mine), at), _around(right.chunks(theirs), at)
    return _told(mine.path, at, (mine.size, theirs.size), a, b)


def _told(name: str, at: int, sizes: tuple[int, int], mine: str, theirs: str) -> str:
    differ = f" (it has {sizes[0]} bytes, in the rebuild {sizes[1]})" if sizes[0] != sizes[1] else ""
    return f"{name!r} differs from byte {at} on{differ}: {mine}, and in the rebuild {theirs}"


def _around(chunks: Iterable[bytes], at: int, count: int = _AROUND) -> str:
    """Return some bytes as text where they are that, else in hexadecimal digits."""
    data, position = b"", 0
    for chunk in chunks:
        data += chunk[max(0, at - position) : max(0, at + count - position)]
        position += len(chunk)
        if position >= at + count:
            break
    return _shown(data)


def _shown(data: bytes) -> str:
    if not data:
        return "nothing"
    return repr(data.decode()) if data.isascii() and data.decode().isprintable() else data.hex(" ")


def _blocks(stream: Iterable[bytes]) -> Iterator[bytes]:
    read = getattr(stream, "read")  # noqa: B009 - files are iterables of lines to the type checker
    while block := read(_CHUNK):
        yield block


def _offset(one: Iterable[bytes], other: Iterable[bytes]) -> int | None:
    """Return the first place where two streams differ; None where they are the same."""
    place = 0
    for a, b in zip_longest(_even(one), _even(other), fillvalue=b""):
        if a != b:
            common = min(len(a), len(b))
            return place + next((at for at in range(common) if a[at] != b[at]), common)
        place += len(a)
    return None


def _even(chunks: Iterable[bytes], size: int = _CHUNK) -> Iterator[bytes]:
    """Yield the bytes in pieces of one size, however they come."""
    held = bytearray()
    for chunk in chunks:
        held += chunk
        while len(held) >= size:
            yield bytes(held[:size])
            del held[:size]
    if held:
        yield bytes(held)


def _region(archive: ZipReader, place: int) -> str:
    """Return what of an archive a byte belongs to."""
    for entry in sorted(archive.entries, key=lambda each: each.offset):
        begin = archive.begin(entry)
        if entry.offset <= place < begin:
            part = "its date" if _DATE <= place - entry.offset < _DATE + len(_APPLIED) else "its header"
            return (
                f"{part}, of {entry.path!r}; a date comes from SOURCE_DATE_EPOCH"
                if part == "its date"
                else f"{part}, of {entry.path!r}"
            )
        if begin <= place < begin + entry.compressed_size:
            return f"the compressed bytes of {entry.path!r}"
    return f"the directory at the end, which has {CENTRAL.size} bytes and a name for each file"
