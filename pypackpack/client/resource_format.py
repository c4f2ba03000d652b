"""The format of ``.resource`` archives, version 1: what their bytes mean, and what they may not say.

``docs/reference/resource-format.md`` describes it byte by byte. Every number that an archive claims is compared with a limit
before anything is made for it. Standard library only; runs inside people's apps.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from array import array
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from pypackpack.client import strict_json
from pypackpack.client.paths import check_together, problem_with, windows_problem_with

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import BinaryIO

MAGIC: Final = b"\x89PPR\r\n\x1a\n"
"""As PNG's: a copy that changed line ends, or lost the eighth bit, does not begin like this any more."""
VERSION: Final = 1
HEADER: Final = struct.Struct("<8sHHIIIQ32s")
"""Magic, version, flags (0), bytes of the manifest packed and unpacked, number of chunks, bytes of the data, SHA-256 of the
unpacked manifest and the table of chunks."""
CHUNK: Final = struct.Struct("<32sII")
"""A row of the table: SHA-256 of a chunk, its bytes unpacked and packed; packed 0: it stands there for an earlier row."""

MOST_MANIFEST: Final = 32 << 20
MOST_FILES: Final = 100_000
MOST_PATH: Final = 1024
MOST_NAME: Final = 255
"""Bytes of a path, and of each part of it."""
MOST_CHUNKS: Final = 1 << 20
MOST_CHUNK: Final = 1 << 20
"""Bytes of a chunk, unpacked: what reading one byte costs in memory."""
MOST_TOTAL: Final = 1 << 40
"""Bytes of all files together."""
MOST_GROWTH: Final = 1000
SMALL: Final = 64 << 20
"""The files of an archive may be `MOST_GROWTH` times as large as it, and `SMALL` bytes on top."""


class ResourceError(Exception):
    """An archive cannot be used."""

    hint = "Get the archive again."


class DamagedResourceError(ResourceError):
    """The archive is damaged, or says what no archive may say."""


class UnsupportedResourceError(ResourceError):
    """The archive is made for a newer reader."""

    hint = "Update the program that reads it."


class Entry(NamedTuple):
    """A file of an archive.

    Attributes:
        path: Its path below the import package, with ``/``.
        size: Its bytes.
        sha256: Digest of its bytes, in hexadecimal.
        offset: Where it begins in the stream of all contents.
    """

    path: str
    size: int
    sha256: str
    offset: int


class Chunk(NamedTuple):
    """A piece of the stream of all contents.

    Attributes:
        sha256: Digest of its bytes.
        size: Its bytes.
        packed: Its bytes in the archive.
        place: Where these begin in the archive's file.
        repeated: Whether an earlier chunk has the same bytes, and these stand there once.
    """

    sha256: bytes
    size: int
    packed: int
    place: int
    repeated: bool


@dataclass(frozen=True)
class Manifest:
    """What an archive says of itself.

    Attributes:
        name: The distribution.
        version: Its version.
        package: The import package whose data files these are.
        tag: What it is for: ``any``, a family of targets, or one target.
        files: Path, size and digest of each file, in the order in which their contents stand in the stream.
    """

    name: str
    version: str
    package: str
    tag: str
    files: tuple[tuple[str, int, str], ...]


class Index:
    """The head of an archive: what is in it, and where.

    Attributes:
        manifest: What it says of itself.
        identity: SHA-256 over manifest and table of chunks, in hexadecimal: whoever knows it can trust every byte that is read.
        entries: Path → file.
        head: Bytes before the data.
        length: Bytes of the whole archive.
    """

    def __init__(self, manifest: Manifest, table: bytes, identity: str, head: int, data: int) -> None:
        """Look through the parts of a head.

        Raises:
            ValueError: They contradict each other, or a limit.
        """
        self.manifest = manifest
        self.identity = identity
        self.head = head
        self.length = head + data
        self._table = table
        self.entries, total = _entries(manifest.files, self.length)
        self._starts = array("Q", [0])
        self._places = array("Q")
        self._packed = array("I")
        self._read_table(data)
        if self._starts[-1] != total:
            msg = f"its chunks have {self._starts[-1]} bytes, and its files {total}"
            raise ValueError(msg)

    def _read_table(self, data: int) -> None:
        known: dict[bytes, int] | None = None
        place, stream = self.head, 0
        for number, (sha256, size, packed) in enumerate(CHUNK.iter_unpack(self._table)):
            if not 0 < size <= MOST_CHUNK or packed > size:
                msg = f"chunk {number} cannot have {size} bytes, packed {packed}"
                raise ValueError(msg)
            stream += size
            self._starts.append(stream)
            if packed:
                self._places.append(place)
                self._packed.append(packed)
                place += packed
                if known is not None:
                    known.setdefault(sha256, number)
                continue
            if known is None:  # most archives have no chunk twice, and do without
                known = {}
                for earlier in range(number):
                    known.setdefault(self._digest(earlier), earlier)
            first = known.get(sha256)
            if first is None or self._starts[first + 1] - self._starts[first] != size:
                msg = f"chunk {number} should stand there already, and does not"
                raise ValueError(msg)
            self._places.append(self._places[first])
            self._packed.append(self._packed[first])
        if place - self.head != data:
            msg = f"its chunks take {place - self.head} bytes, and its data has {data}"
            raise ValueError(msg)

    def _digest(self, number: int) -> bytes:
        begin = number * CHUNK.size
        return self._table[begin : begin + 32]

    def __len__(self) -> int:
        """Return the number of chunks."""
        return len(self._packed)

    def chunk(self, number: int) -> Chunk:
        """Return a chunk."""
        sha256, size, packed = CHUNK.unpack_from(self._table, number * CHUNK.size)
        return Chunk(sha256, size, self._packed[number], self._places[number], not packed)

    def chunks(self) -> Iterator[Chunk]:
        """Yield every chunk, in the order of the stream."""
        return (self.chunk(number) for number in range(len(self)))

    def at(self, offset: int) -> tuple[int, int]:
        """Return the number of the chunk that has a byte of the stream, and where in it that is."""
        number = bisect_right(self._starts, offset) - 1
        return number, offset - self._starts[number]


def head_size(begin: bytes) -> int:
    """Return the bytes of an archive's head, all of which `parse_head` wants.

    Args:
        begin: The first bytes of the archive, at least `HEADER.size`.

    Raises:
        DamagedResourceError: It is no archive, or damaged.
        UnsupportedResourceError: It is of a newer version.
    """
    if begin[: len(MAGIC)] != MAGIC:
        raise DamagedResourceError("this is no resource archive: its first bytes are others")
    if len(begin) < HEADER.size:
        raise DamagedResourceError("the archive is cut in its header")
    _, version, flags, packed, size, chunks, data, _ = HEADER.unpack_from(begin)
    if version > VERSION:
        msg = f"the archive has format {version}, and this reader knows {VERSION}"
        raise UnsupportedResourceError(msg)
    if version != VERSION or flags:
        raise DamagedResourceError("the header of the archive is damaged")
    if not 0 < size <= MOST_MANIFEST or not 0 < packed <= MOST_MANIFEST or chunks > MOST_CHUNKS or data > MOST_TOTAL:
        raise DamagedResourceError("the archive is larger than any may be, or its header is damaged")
    return HEADER.size + int(packed) + int(chunks) * CHUNK.size


def _expected(identity: str) -> str:
    try:
        return strict_json.identity(identity)
    except ValueError as error:
        raise DamagedResourceError(str(error)) from error


def parse_head(head: bytes, identity: str | None = None) -> Index:
    """Return what a head says.

    Args:
        head: The first bytes of an archive, as many as `head_size` says.
        identity: The identity that it has to have, in hexadecimal; None for any.

    Raises:
        DamagedResourceError: It is damaged, or says what no archive may say, or has another identity.
        UnsupportedResourceError: It is of a newer version.
    """
    whole = head_size(head)
    if len(head) != whole:
        raise DamagedResourceError("the archive is cut in its head")
    *_, packed, size, _, data, digest = HEADER.unpack_from(head)
    unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        plain = unpacking.decompress(head[HEADER.size : HEADER.size + packed], size + 1)
    except zlib.error as error:
        msg = f"the manifest of the archive cannot be unpacked ({error})"
        raise DamagedResourceError(msg) from error
    table = head[HEADER.size + packed :]
    found = hashlib.sha256(plain)
    found.update(table)
    if len(plain) != size or not unpacking.eof or unpacking.unused_data or found.digest() != digest:
        raise DamagedResourceError("the head of the archive is not what its digest says")
    if identity is not None and digest.hex() != _expected(identity):
        msg = f"the archive is another one than was wanted: its identity is {digest.hex()}"
        raise DamagedResourceError(msg)
    try:
        manifest = _manifest(strict_json.load(plain))
        return Index(manifest, table, digest.hex(), whole, data)
    except (ValueError, RecursionError) as error:
        msg = f"the head of the archive is wrong: {error}"
        raise DamagedResourceError(msg) from error


def read_head(stream: BinaryIO, identity: str | None = None) -> tuple[Index, bytes]:
    """Read the head of an archive's file.

    Returns:
        What it says, and its bytes.

    Raises:
        ResourceError: As `parse_head`; or the file ends where it should not.
        OSError: It cannot be read.
    """
    length = stream.seek(0, 2)
    stream.seek(0)
    begin = stream.read(HEADER.size)
    whole = head_size(begin)
    if whole > length:
        raise DamagedResourceError("the archive is cut, or its header is damaged")
    head = begin + stream.read(whole - len(begin))
    index = parse_head(head, identity)
    if index.length != length:
        raise DamagedResourceError("the archive is cut, or something stands behind its end")
    return index, head


def unpack(packed: bytes, chunk: Chunk) -> bytes:
    """Return the bytes of a chunk, which are what its digest says.

    Raises:
        DamagedResourceError: They are not.
    """
    data = packed
    if chunk.packed < chunk.size:
        unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            data = unpacking.decompress(packed, chunk.size + 1)
        except zlib.error as error:
            msg = f"a chunk of the archive cannot be unpacked ({error})"
            raise DamagedResourceError(msg) from error
        if not unpacking.eof or unpacking.unused_data:
            raise DamagedResourceError("a chunk of the archive has another end than it should")
    if len(data) != chunk.size or hashlib.sha256(data).digest() != chunk.sha256:
        raise DamagedResourceError("a chunk of the archive is not what its digest says")
    return data


def check_path(path: str) -> None:
    """Refuse a path that no archive may have: one that leads out, or that some system cannot have.

    Raises:
        ValueError: With the reason.
    """
    problem = problem_with(path) or windows_problem_with(path)
    if not problem and (len(path.encode()) > MOST_PATH or any(len(part.encode()) > MOST_NAME for part in path.split("/"))):
        problem = f"is longer than {MOST_PATH} bytes, or a part of it than {MOST_NAME}"
    if problem:
        msg = f"the path {path[:200]!r} {problem}"
        raise ValueError(msg)


def check_paths(paths: Iterable[str]) -> None:
    """Refuse paths that an archive cannot have, or that cannot stand beside each other on Windows or macOS.

    Raises:
        ValueError: With the path and the reason.
    """

    def fitting() -> Iterator[str]:
        for path in paths:
            check_path(path)
            yield path

    check_together(fitting())


def most_bytes(length: int) -> int:
    """Return how many bytes the files of an archive may have that is so long."""
    return min(MOST_TOTAL, MOST_GROWTH * length + SMALL)


def _entries(files: Iterable[tuple[str, int, str]], length: int) -> tuple[Mapping[str, Entry], int]:
    """Return the files by path, and the bytes of the stream; a content that comes again takes no new ones."""
    entries: dict[str, Entry] = {}
    contents: dict[str, tuple[int, int]] = {}
    total = offset = 0
    for path, size, sha256 in files:
        start, known = contents.setdefault(sha256, (offset, size))
        if known != size:
            msg = f"{path[:200]!r} has another size than a file with the same digest"
            raise ValueError(msg)
        if start == offset:
            offset += size
        total += size
        entries[path] = Entry(path, size, sha256, start)
    if total > most_bytes(length):
        msg = f"its files have {total} bytes, more than an archive of {length} may hold"
        raise ValueError(msg)
    return entries, offset


def _manifest(data: object) -> Manifest:
    said = strict_json.table(data, ("files", "name", "package", "tag", "version"))
    entries = strict_json.array(said["files"])
    if len(entries) > MOST_FILES:
        msg = f"it has more than {MOST_FILES} files"
        raise ValueError(msg)
    name, version, package, tag = (strict_json.text(said[key]) for key in ("name", "version", "package", "tag"))
    files = tuple(_file(each) for each in entries)
    check_paths(path for path, _, _ in files)
    return Manifest(name, version, package, tag, files)


def _file(data: object) -> tuple[str, int, str]:
    path, size, sha256 = strict_json.fields(data, 3)
    if not isinstance(path, str):
        msg = "a path is no text"
        raise ValueError(msg)  # noqa: TRY004 - what is wrong is the archive, not a call
    return path, strict_json.number(size, MOST_TOTAL), strict_json.sha256(sha256)
