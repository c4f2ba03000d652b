"""A ZIP writer that gives the same bytes for the same members, on any machine.

Everything that usually differs is fixed: the order is the caller's, the date is one for all, the modes are 0644 and
0755, the system is always Unix, and the compressor is the pinned libdeflate (the ``deflate`` package) and not the
Python's zlib, whose output differs between builds. Sizes stand in the local headers, so the archive is written from
front to back without seeking, and one member at a time is in memory.

Format: PKWARE APPNOTE 6.3.10, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pypackpack.backend.zip_format import (
    CENTRAL,
    CENTRAL_MAGIC,
    DEFLATED,
    END,
    END_64,
    END_64_MAGIC,
    END_MAGIC,
    FULL_16,
    FULL_32,
    LOCAL,
    LOCAL_MAGIC,
    LOCATOR_64,
    LOCATOR_64_MAGIC,
    STORED,
    UTF8,
    ZIP64_EXTRA,
)
from pypackpack.middleware.bundle.paths import Paths
from pypackpack.model.errors import WorkError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

# 2016-01-01T00:00:00Z. Not the first moment of the format, 1980-01-01: read in one time zone and written in another it
# becomes 1979, which ZIP tools refuse.
FIXED_EPOCH: Final = 1451606400

# Smaller than zlib's best level, in an eighth of its time; libdeflate's next step down in size costs six times as much.
_COMPRESSION: Final = 7
_FIRST_MOMENT: Final = 315532800  # 1980-01-01T00:00:00Z
_LAST_MOMENT: Final = 4354819198  # 2107-12-31T23:59:58Z

_UNIX: Final = 3 << 8
_PLAIN_VERSION: Final = 20
_ZIP64_VERSION: Final = 45
_REGULAR_FILE: Final = 0o100000


@dataclass(frozen=True)
class Member:
    """A file of an archive: its path with ``/``, its bytes, and whether it may be executed."""

    path: str
    data: bytes
    executable: bool = False


@dataclass(frozen=True)
class RawMember:
    """A file that is compressed already, such as one taken unchanged from another archive.

    Attributes:
        path: Its path with ``/``.
        method: `STORED` or `DEFLATED`.
        crc32: Checksum of the uncompressed bytes; taken as given.
        size: Length of the uncompressed bytes.
        compressed_size: Length of ``data``; checked.
        data: The compressed bytes, whole or in pieces (a piece may be a view of more).
        executable: Whether it may be executed.
    """

    path: str
    method: int
    crc32: int
    size: int
    compressed_size: int
    data: bytes | Iterable[bytes | memoryview]
    executable: bool = False


@dataclass(frozen=True)
class _Entry:
    """What the central directory says of a member."""

    name: bytes
    member: RawMember
    offset: int


def write_archive(
    stream: BinaryIO,
    members: Iterable[Member | RawMember],
    *,
    epoch: int | None = None,
    place: str = "archive",
    ignore_case: bool = True,
) -> dict[str, int]:
    """Write a ZIP archive: the members in the order given, then the central directory.

    Args:
        stream: Written from front to back; neither read nor sought.
        members: Taken one by one, so a generator keeps memory bounded by the largest member.
        epoch: The date of every member in seconds since 1970 (UTC; two seconds are the format's resolution, years
            before 1980 and after 2107 become its first and last moment); None means `FIXED_EPOCH`.
        place: What the archive is called in errors.
        ignore_case: Whether to refuse paths that differ in case or in the composition of accents only.

    Returns:
        By path where a member's compressed bytes begin in the archive.

    Raises:
        WorkError: A path that cannot stand in an archive, or two that are the same on some system; a raw member whose
            bytes are not as many as it says.
    """
    moment = _dos_moment(FIXED_EPOCH if epoch is None else epoch)
    paths = Paths(place, ignore_case=ignore_case)
    entries: list[_Entry] = []
    begins: dict[str, int] = {}
    offset = 0
    for member in members:
        paths.add(member.path)
        raw = member if isinstance(member, RawMember) else compressed(member)
        entry = _Entry(member.path.encode(), raw, offset)
        offset += _write_member(stream, entry, moment, place)
        begins[member.path] = offset - raw.compressed_size
        # The bytes must not be kept until the end.
        entries.append(_Entry(entry.name, _without_data(raw), entry.offset))
    _write_directory(stream, entries, offset, moment)
    return begins


def _dos_moment(epoch: int) -> tuple[int, int]:
    """Return the time and the date as MS-DOS writes them (two seconds are its unit)."""
    year, month, day, hour, minute, second, *_ = time.gmtime(min(max(epoch, _FIRST_MOMENT), _LAST_MOMENT))
    return hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day


def method_of_compression() -> str:
    """Return what decides the compressed bytes besides the data: the library's version and the level."""
    import deflate  # noqa: PLC0415 - as in `compressed`

    return f"deflate {deflate.__version__} {_COMPRESSION}"


def compressed(member: Member) -> RawMember:
    """Return a member as it stands in an archive."""
    import deflate  # noqa: PLC0415 - import cost, only where something is written

    data: bytes | bytearray = member.data
    method = STORED
    if data:
        smaller = deflate.deflate_compress(data, _COMPRESSION)
        if len(smaller) < len(data):
            data, method = smaller, DEFLATED
    size, crc32 = len(member.data), deflate.crc32(member.data)
    return RawMember(member.path, method, crc32, size, len(data), bytes(data), executable=member.executable)


def _without_data(raw: RawMember) -> RawMember:
    return RawMember(raw.path, raw.method, raw.crc32, raw.size, raw.compressed_size, b"", executable=raw.executable)


def _flags(name: bytes) -> int:
    """Say UTF-8 only where it matters: old tools know the flag less well than the letters of ASCII."""
    return 0 if name.isascii() else UTF8


def _large(raw: RawMember) -> bool:
    return max(raw.size, raw.compressed_size) >= FULL_32


def _version(extra: bytes) -> int:
    """Return the version of the format that it takes to read a member."""
    return _ZIP64_VERSION if extra else _PLAIN_VERSION


def _described(entry: _Entry, moment: tuple[int, int], extra: bytes) -> tuple[int, ...]:
    """Return what the local header and the central directory say of a member in the same words, from the flags on."""
    raw = entry.member
    sizes = (FULL_32, FULL_32) if _large(raw) else (raw.compressed_size, raw.size)
    return (_flags(entry.name), raw.method, *moment, raw.crc32, *sizes, len(entry.name), len(extra))


def _write_member(stream: BinaryIO, entry: _Entry, moment: tuple[int, int], place: str) -> int:
    """Write the local header and the data; return how many bytes that were."""
    raw = entry.member
    extra = struct.pack("<HHQQ", ZIP64_EXTRA, 16, raw.size, raw.compressed_size) if _large(raw) else b""
    header = LOCAL.pack(LOCAL_MAGIC, _version(extra), *_described(entry, moment, extra))
    stream.write(header + entry.name + extra)
    written = 0
    for chunk in (raw.data,) if isinstance(raw.data, bytes) else raw.data:
        stream.write(chunk)
        written += len(chunk)
    if written != raw.compressed_size:
        msg = f"{place}: {raw.path!r} has {written} compressed bytes and not {raw.compressed_size} as it says"
        raise WorkError(msg)
    return len(header) + len(entry.name) + len(extra) + written


def _write_directory(stream: BinaryIO, entries: list[_Entry], start: int, moment: tuple[int, int]) -> None:
    size = 0
    for entry in entries:
        raw = entry.member
        fields = b""
        far = entry.offset >= FULL_32
        if _large(raw):
            fields += struct.pack("<QQ", raw.size, raw.compressed_size)
        if far:
            fields += struct.pack("<Q", entry.offset)
        extra = struct.pack("<HH", ZIP64_EXTRA, len(fields)) + fields if fields else b""
        mode = _REGULAR_FILE | (0o755 if raw.executable else 0o644)
        record = CENTRAL.pack(
            CENTRAL_MAGIC,
            _UNIX | _version(extra),
            _version(extra),
            *_described(entry, moment, extra),
            0,
            0,
            0,
            mode << 16,
            FULL_32 if far else entry.offset,
        )
        stream.write(record + entry.name + extra)
        size += len(record) + len(entry.name) + len(extra)
    count = len(entries)
    if count >= FULL_16 or size >= FULL_32 or start >= FULL_32:
        stream.write(
            END_64.pack(END_64_MAGIC, END_64.size - 12, _UNIX | _ZIP64_VERSION, _ZIP64_VERSION, 0, 0, count, count, size, start)
        )
        stream.write(LOCATOR_64.pack(LOCATOR_64_MAGIC, 0, start + size, 1))
    here = min(count, FULL_16)
    stream.write(END.pack(END_MAGIC, 0, 0, here, here, min(size, FULL_32), min(start, FULL_32), 0))
