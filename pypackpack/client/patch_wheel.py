"""Wheels as patches see them: members in order, their identity, and a writer that takes packed members over as they are.

Standard library only; runs inside people's apps.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pypackpack.client.patch_format import (
    MOST_MEMBERS,
    MOST_TOTAL,
    DamagedPrimaryError,
    WrongPrimaryError,
    check_paths,
    content_of,
    identity_of,
    in_order,
)
from pypackpack.client.patch_streams import CHUNK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import IO, BinaryIO

_LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL: Final = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END: Final = struct.Struct("<4sHHHHIIH")
"""Records of ZIP archives (APPNOTE 4.3), without ZIP64: the limits of patches are below it."""
_UTF8: Final = 0x800
_ENCRYPTED: Final = 1
_DEFLATED: Final = 8
_DATE: Final = (1 << 5) | 1  # 1980-01-01, the first day that a ZIP archive knows
_UNIX: Final = 3 << 8
_MOST_DIRECTORY: Final = 64 << 20
"""Bytes of an archive's directory. One of ZIP64 is none of a wheel: it would have more members than one may."""
_ABSENT: Final = b"\x00"

BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
)
"""What zipfile raises for archives that are damaged, encrypted or hostile."""


@dataclass(frozen=True)
class Member:
    """A file in a wheel.

    Attributes:
        path: Its path.
        executable: Whether it is a program.
        size: Bytes, uncompressed.
        crc32: CRC-32 of them.
        sha256: SHA-256 of them.
    """

    path: str
    executable: bool
    size: int
    crc32: int
    sha256: bytes

    @classmethod
    def of(
        cls,
        path: str,
        chunks: Iterable[bytes],
        *,
        executable: bool,
        out: Callable[[bytes], object] | None = None,
        zipped: bool = True,
    ) -> Member:
        """Return what a member of these bytes is; ``out`` gets them, too. Where it is in no archive, it needs no CRC-32."""
        digest, crc32, size = hashlib.sha256(), 0, 0
        for chunk in chunks:
            digest.update(chunk)
            crc32, size = zlib.crc32(chunk, crc32) if zipped else 0, size + len(chunk)
            if out is not None:
                out(chunk)
        return cls(path, executable, size, crc32, digest.digest())


class WheelReader:
    """An open wheel.

    Args:
        stream: The open file; it stays the caller's.
        members: The number of members that it may have; folders may stand beside them.

    Raises:
        DamagedPrimaryError: It is no wheel, or holds what no wheel holds.
        WrongPrimaryError: It has more members than it should have.
    """

    def __init__(self, stream: BinaryIO, members: int = MOST_MEMBERS) -> None:
        self._stream = stream
        try:
            if _count(stream) > 2 * members + 1000:  # before an object is made for each
                raise WrongPrimaryError("the wheel has more members than it should have")
            self._archive = zipfile.ZipFile(stream)
            self._infos = [info for info in self._archive.infolist() if not info.orig_filename.endswith("/")]
            check_paths(info.orig_filename for info in self._infos)
        except BROKEN as error:
            raise _damaged(error) from error
        length = stream.seek(0, 2)
        for info in self._infos:
            if not 0 <= info.header_offset < length:
                raise DamagedPrimaryError("the wheel is damaged: a member lies outside of it")
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & _ENCRYPTED:
                msg = f"the wheel's member {info.orig_filename[:200]!r} is encrypted, or packed as in no wheel"
                raise DamagedPrimaryError(msg)

    @property
    def paths(self) -> list[str]:
        """The members' paths, in order."""
        return [info.orig_filename for info in self._infos]

    @property
    def sizes(self) -> list[int]:
        """Their bytes, uncompressed, as the directory says."""
        return [info.file_size for info in self._infos]

    def members(self) -> tuple[Member, ...]:
        """Read everything once, and return the members.

        Raises:
            DamagedPrimaryError: It is damaged, or larger than any.
        """
        if sum(self.sizes) > MOST_TOTAL:
            raise DamagedPrimaryError("the wheel is larger unpacked than wheels may be")
        return tuple(
            Member(info.orig_filename, bool(info.external_attr >> 16 & 0o111), info.file_size, info.CRC, self._digest(index))
            for index, info in enumerate(self._infos)
        )

    def _digest(self, index: int) -> bytes:
        digest = hashlib.sha256()
        for chunk in self.chunks(index):
            digest.update(chunk)
        return digest.digest()

    def chunks(self, index: int) -> Iterator[bytes]:
        """Yield a member's bytes, a piece at a time.

        Raises:
            DamagedPrimaryError: It is damaged.
        """
        info, read = self._infos[index], 0
        try:
            with self._archive.open(info) as member:
                while chunk := member.read(CHUNK):
                    read += len(chunk)
                    yield chunk
        except BROKEN as error:
            raise _damaged(error) from error
        if read != info.file_size:
            msg = f"the wheel's member {info.orig_filename[:200]!r} is not as long as the wheel says"
            raise DamagedPrimaryError(msg)

    def packed(self, index: int) -> tuple[int, int, Iterator[bytes]]:
        """Return how a member is packed: method, bytes, and these bytes a piece at a time.

        Raises:
            DamagedPrimaryError: It is damaged.
        """
        info = self._infos[index]
        return info.compress_type, info.compress_size, self._raw(info)

    def _raw(self, info: zipfile.ZipInfo) -> Iterator[bytes]:
        self._stream.seek(info.header_offset)
        head = self._stream.read(_LOCAL.size)
        if len(head) != _LOCAL.size:
            raise DamagedPrimaryError("the wheel is cut")
        *_, name, extra = _LOCAL.unpack(head)
        at, left = info.header_offset + _LOCAL.size + name + extra, info.compress_size
        while left:
            self._stream.seek(at)
            chunk = self._stream.read(min(CHUNK, left))
            if not chunk:
                raise DamagedPrimaryError("the wheel is cut")
            at, left = at + len(chunk), left - len(chunk)
            yield chunk


def _count(stream: BinaryIO) -> int:
    """Return how many members the directory of an archive has, whatever it says: zipfile reads it all and counts nothing."""
    length = stream.seek(0, 2)
    tail = min(length, _END.size + 0xFFFF)
    stream.seek(length - tail)
    data = stream.read(tail)
    found = data.rfind(b"PK\x05\x06")
    if found < 0 or found + _END.size > len(data):
        raise DamagedPrimaryError("this is no wheel, or its end is missing")
    *_, size, _, _ = _END.unpack_from(data, found)
    start = length - tail + found - size
    if size > _MOST_DIRECTORY or start < 0 or data[max(0, found - 20) : found].startswith(b"PK\x06\x07"):
        raise DamagedPrimaryError("the directory of the wheel is larger than any")
    stream.seek(start)
    directory = stream.read(size)
    at = count = 0
    while at < size:
        head = _CENTRAL.unpack_from(directory, at)
        at += _CENTRAL.size + head[10] + head[11] + head[12]
        count += 1
    return count


def _damaged(error: Exception) -> DamagedPrimaryError:
    return DamagedPrimaryError(f"the wheel is damaged: {error}")


def identity(members: Iterable[Member]) -> str:
    """Return the identity of a wheel of these members (`identity_of`)."""
    return identity_of((each.path, each.executable, each.size, each.sha256) for each in members)


def content(members: Iterable[Member]) -> str:
    """Return what a wheel of these members and its installation have in common (`content_of`)."""
    return content_of((each.path, each.size, each.sha256) for each in members)


class WheelWriter:
    """Writes a wheel's members one after the other; the stream must be seekable."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._directory: list[bytes] = []

    def resume(self, expected: Sequence[tuple[str, bool]]) -> list[Member]:
        """Look at what an earlier process wrote, and return the members that are whole; writing goes on behind them.

        Args:
            expected: Paths, and whether each is a program, in order.
        """
        self._stream.seek(0)
        found: list[Member] = []
        for path, executable in expected:
            start = self._stream.tell()
            member = self._member(path, executable=executable)
            if member is None:
                self._stream.seek(start)
                break
            found.append(member)
        self._stream.truncate()
        return found

    def _member(self, path: str, *, executable: bool) -> Member | None:
        """Return the member that begins here if it is whole, and enter it into the directory."""
        start, name = self._stream.tell(), path.encode()
        head = self._stream.read(_LOCAL.size + len(name))
        if len(head) != _LOCAL.size + len(name) or head[_LOCAL.size :] != name or head[:4] != b"PK\x03\x04":
            return None
        *_, method, _, _, crc32, packed, size, _, _ = _LOCAL.unpack_from(head)
        begin = self._stream.tell()
        try:
            member = Member.of(path, self._unpacked(method, packed), executable=executable)
        except BROKEN:
            return None
        if (member.crc32, member.size, self._stream.tell() - begin) != (crc32, size, packed):
            return None
        self._enter(start, path, (method, crc32, packed, size), executable=executable)
        return member

    def _unpacked(self, method: int, left: int) -> Iterator[bytes]:
        inflating = zlib.decompressobj(-zlib.MAX_WBITS) if method == _DEFLATED else None
        while left and (chunk := self._stream.read(min(CHUNK, left))):
            left -= len(chunk)
            if inflating is None:
                yield chunk
                continue
            yield inflating.decompress(chunk, CHUNK)
            while inflating.unconsumed_tail:
                yield inflating.decompress(inflating.unconsumed_tail, CHUNK)
        if left or (inflating is not None and not inflating.eof):
            raise EOFError

    def cut(self, count: int) -> None:
        """Forget all members but so many of the first, after `resume`."""
        if count < len(self._directory):
            (start,) = struct.unpack_from("<I", self._directory[count], _CENTRAL.size - 4)
            del self._directory[count:]
            self._stream.seek(start)
            self._stream.truncate()

    def take(self, member: Member, packed: tuple[int, int, Iterable[bytes]]) -> None:
        """Write a member whose packed bytes are there already."""
        method, size, chunks = packed
        start = self._begin(member.path)
        for chunk in chunks:
            self._stream.write(chunk)
        self._end(start, member.path, (method, member.crc32, size, member.size), executable=member.executable)

    def write(self, path: str, chunks: Iterable[bytes], *, executable: bool) -> Member:
        """Compress and write a member; return what it is."""
        start = self._begin(path)
        packing = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        begin = self._stream.tell()
        member = Member.of(path, chunks, executable=executable, out=lambda chunk: self._stream.write(packing.compress(chunk)))
        self._stream.write(packing.flush())
        facts = (_DEFLATED, member.crc32, self._stream.tell() - begin, member.size)
        self._end(start, path, facts, executable=executable)
        return member

    def _begin(self, path: str) -> int:
        start = self._stream.tell()
        self._stream.write(b"\0" * (_LOCAL.size + len(path.encode())))
        return start

    def _end(self, start: int, path: str, facts: tuple[int, int, int, int], *, executable: bool) -> None:
        """Write the header now that everything is known, and go on behind the member."""
        end = self._stream.tell()
        self._stream.seek(start)
        self._stream.write(_LOCAL.pack(b"PK\x03\x04", 20, *_described(path, facts)) + path.encode())
        self._stream.seek(end)
        self._enter(start, path, facts, executable=executable)

    def _enter(self, start: int, path: str, facts: tuple[int, int, int, int], *, executable: bool) -> None:
        described, name = _described(path, facts), path.encode()
        mode = 0o100755 if executable else 0o100644
        self._directory.append(_CENTRAL.pack(b"PK\x01\x02", _UNIX | 20, 20, *described, 0, 0, 0, mode << 16, start) + name)

    def finish(self, behind: int = 0) -> None:
        """Write the directory, in which so many members stand behind the one that was written last."""
        start = self._stream.tell()
        size = sum(self._stream.write(each) for each in in_order(self._directory, behind))
        count = len(self._directory)
        self._stream.write(_END.pack(b"PK\x05\x06", 0, 0, count, count, size, start, 0))


def _described(path: str, facts: tuple[int, int, int, int]) -> tuple[int, ...]:
    """Return what both headers of a member say: of method, CRC-32, bytes packed and unpacked."""
    return (0 if path.isascii() else _UTF8, facts[0], 0, _DATE, *facts[1:], len(path.encode()), 0)


def bare_record(data: bytes, members: Mapping[str, tuple[bytes, int]]) -> bytes | None:
    """Return a RECORD whose digests and sizes are left out where they are those of the members; None where that cannot be undone.

    Args:
        data: The RECORD, as PEP 376 and the wheel format have it.
        members: Path → SHA-256 and bytes.
    """
    if _ABSENT in data:
        return None
    lines = data.split(b"\n")
    for index, line in enumerate(lines):
        parts = line.rsplit(b",", 2)
        known = members.get(_unquoted(parts[0])) if len(parts) == 3 else None
        body, end = (parts[2][:-1], b"\r") if known and parts[2].endswith(b"\r") else (parts[-1], b"")
        if known is not None and b",".join((parts[1], body)) == _hash(*known):
            lines[index] = parts[0] + b"," + _ABSENT + end
    bare = b"\n".join(lines)
    return bare if whole_record(bare, members) == data else None


def whole_record(data: bytes, members: Mapping[str, tuple[bytes, int]]) -> bytes:
    """Undo `bare_record`.

    Raises:
        ValueError: It names a member that is not there.
    """
    lines = data.split(b"\n")
    for index, line in enumerate(lines):
        end = b"\r" if line.endswith(b"\r") else b""
        body = line[:-1] if end else line
        if body.endswith(b"," + _ABSENT):
            name = body[:-2]
            known = members.get(_unquoted(name))
            if known is None:
                msg = f"its RECORD names {name[:200]!r}, which is no member"
                raise ValueError(msg)
            lines[index] = name + b"," + _hash(*known) + end
    return b"\n".join(lines)


def _hash(sha256: bytes, size: int) -> bytes:
    return b"sha256=" + base64.urlsafe_b64encode(sha256).rstrip(b"=") + b",%d" % size


def _unquoted(name: bytes) -> str:
    text = name.decode("utf-8", "replace")
    if not text.startswith('"'):
        return text
    try:
        rows: Sequence[Sequence[str]] = list(csv.reader([text]))
    except csv.Error:  # a name that is longer than any, or has what no row may have
        return ""
    return rows[0][0] if rows and rows[0] else ""
