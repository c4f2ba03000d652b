"""Reads ZIP archives that anybody may have made: what is taken into memory is bounded, whatever they say of themselves.

Python's own reader keeps an object of half a kilobyte for each entry that the archive has, however many these are, and
unpacks whatever a member says. Here every count and size is compared with a limit before it is believed.

Format: PKWARE APPNOTE 6.3.10, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

from __future__ import annotations

import stat
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pypackpack.backend.zip_format import (
    CENTRAL,
    CENTRAL_MAGIC,
    DEFLATED,
    ENCRYPTED,
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
    OTHER_NAME_EXTRA,
    SIZES_BEHIND,
    SIZES_MAGIC,
    STORED,
    UTF8,
    ZIP64_EXTRA,
)
from pypackpack.model.errors import DamagedArtifactError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

MOST_MEMBERS: Final = 100_000
"""A wheel with more files than that is none; the largest on the index have a tenth."""
MOST_DIRECTORY: Final = 32 << 20

_LONGEST_COMMENT: Final = 0xFFFF
_CHUNK: Final = 1 << 18


@dataclass(frozen=True)
class Entry:
    """A member, as the central directory has it.

    Attributes:
        path: Its path.
        size: Bytes, uncompressed, as the archive says.
        compressed_size: Bytes in the archive.
        method: How it is compressed (APPNOTE 4.4.5).
        crc32: Checksum of the uncompressed bytes.
        offset: Where its local header stands.
        encrypted: Whether it wants a password.
        mode: What kind of file it is, and its permissions, as on Unix; 0 where the archive does not say.
        other_name: Whether it has another name besides, which some readers prefer (APPNOTE 4.6.9).
    """

    path: str
    size: int
    compressed_size: int
    method: int
    crc32: int
    offset: int
    encrypted: bool
    mode: int = 0
    other_name: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether it is a file, or as its path says a folder, and no link or device."""
        return stat.S_IFMT(self.mode) in (0, stat.S_IFDIR if self.path.endswith("/") else stat.S_IFREG)


class ZipReader:
    """An open archive.

    Args:
        stream: The open file; it stays the caller's.
        path: What it is called in errors.

    Raises:
        DamagedArtifactError: It is no ZIP archive, or a damaged one, or has more members than any artifact.

    Attributes:
        entries: Its members, in the order of its directory.
        directory: Where its directory begins: behind all members.
    """

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        self._stream = stream
        self._path = path
        self._size = stream.seek(0, 2)
        self.directory = 0
        self.entries = self._read_directory()

    def _damaged(self, what: str) -> DamagedArtifactError:
        return DamagedArtifactError(f"{self._path}: {what}", hint="Get or build the file again.")

    def _at(self, offset: int, count: int, what: str) -> bytes:
        """Read exactly so many bytes."""
        if offset < 0 or count < 0 or offset + count > self._size:
            raise self._damaged(f"{what} lies outside of the file; it is cut or damaged")
        self._stream.seek(offset)
        data = self._stream.read(count)
        if len(data) != count:
            raise self._damaged(f"{what} could not be read whole")
        return data

    def _read_directory(self) -> tuple[Entry, ...]:
        tail = min(self._size, END.size + _LONGEST_COMMENT)
        data = self._at(self._size - tail, tail, "its end")
        found = data.rfind(END_MAGIC)
        if found < 0 or found + END.size > len(data):
            raise self._damaged("this is no ZIP archive, or its end is missing")
        _, disk, first_disk, _, count, size, offset, comment = END.unpack_from(data, found)
        if found + END.size + comment != len(data):  # readers do not agree which end they then take
            raise self._damaged("something stands behind its end")
        end = self._size - tail + found
        if disk or first_disk:
            raise self._damaged("it is a part of an archive in several files")
        if count == FULL_16 or FULL_32 in (size, offset):
            count, size, offset, end = self._read_end_64(end, (count, size, offset))
        if count > MOST_MEMBERS or size > MOST_DIRECTORY:
            raise self._damaged(
                f"it says that it has {count} members ({size} bytes of names); artifacts have at most {MOST_MEMBERS}"
            )
        if offset + size != end:
            raise self._damaged("its directory is not where its end says; something stands before it, or it is damaged")
        self.directory = offset
        return self._entries(self._at(offset, size, "its directory"), count)

    def _read_end_64(self, end: int, plain: tuple[int, int, int]) -> tuple[int, int, int, int]:
        start = end - LOCATOR_64.size
        if start < 0:
            return (*plain, end)
        magic, _, place, _ = LOCATOR_64.unpack(self._at(start, LOCATOR_64.size, "its end"))
        if magic != LOCATOR_64_MAGIC:
            return (*plain, end)
        fields = END_64.unpack(self._at(place, END_64.size, "its end"))
        if fields[0] != END_64_MAGIC:
            raise self._damaged("its end is damaged")
        return fields[7], fields[8], fields[9], place

    def _entries(self, data: bytes, count: int) -> tuple[Entry, ...]:
        entries: list[Entry] = []
        position = 0
        while position < len(data):
            if len(entries) == count:
                raise self._damaged(f"its directory has more members than the {count} it says")
            entry, position = self._entry(data, position)
            entries.append(entry)
        if len(entries) != count:
            raise self._damaged(f"its directory has {len(entries)} members and says {count}")
        return tuple(entries)

    def _entry(self, data: bytes, position: int) -> tuple[Entry, int]:
        if position + CENTRAL.size > len(data):
            raise self._damaged("its directory is cut")
        fields = CENTRAL.unpack_from(data, position)
        if fields[0] != CENTRAL_MAGIC:
            raise self._damaged("its directory is damaged")
        flags, method, crc32, packed, size = fields[3], fields[4], *fields[7:10]
        name_length, extra_length, comment_length, attributes, offset = *fields[10:13], *fields[15:17]
        start = position + CENTRAL.size
        after = start + name_length + extra_length + comment_length
        if after > len(data):
            raise self._damaged("its directory is cut")
        name = data[start : start + name_length]
        extra = dict(_extra(data[start + name_length : start + name_length + extra_length]))
        if FULL_32 in (packed, size, offset):
            wide = _wide(extra.get(ZIP64_EXTRA, b""))
            size = wide.pop(0) if size == FULL_32 and wide else size
            packed = wide.pop(0) if packed == FULL_32 and wide else packed
            offset = wide.pop(0) if offset == FULL_32 and wide else offset
        try:
            path = name.decode("utf-8" if flags & UTF8 else "cp437")
        except UnicodeDecodeError as error:
            raise self._damaged(f"the name {name[:80]!r} is no text") from error
        mode = attributes >> 16
        return Entry(path, size, packed, method, crc32, offset, bool(flags & ENCRYPTED), mode, OTHER_NAME_EXTRA in extra), after

    def read(self, entry: Entry, most: int) -> bytes:
        """Return a member's bytes.

        Args:
            entry: The member.
            most: Bytes that it may have.

        Raises:
            DamagedArtifactError: It is damaged, larger than that or than it says, or in a form that no wheel has.
        """
        what = f"its member {entry.path!r}"
        if entry.size > most:
            raise self._damaged(f"{what} has {entry.size} bytes, and {most} is the most that is read of such a file")
        start = self.begin(entry)
        if entry.compressed_size > most + most // 1000 + 1024:  # deflate grows what cannot be compressed by five bytes in 65535
            raise self._damaged(f"{what} has more bytes in the archive than it may have unpacked")
        data = self._at(start, entry.compressed_size, what)
        if entry.method == DEFLATED:
            unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
            try:
                data = unpacking.decompress(data, entry.size + 1)
            except zlib.error as error:
                raise self._damaged(f"{what} cannot be unpacked ({error})") from error
        if len(data) != entry.size or zlib.crc32(data) != entry.crc32:
            raise self._damaged(f"{what} is not what its checksum and its size say")
        return data

    def begin(self, entry: Entry) -> int:
        """Return where a member's compressed bytes begin in the file.

        Raises:
            DamagedArtifactError: Its local header is damaged, names another file, or it is in a form that no wheel has.
        """
        what = f"its member {entry.path!r}"
        if entry.encrypted or entry.method not in (STORED, DEFLATED):
            raise self._damaged(f"{what} is encrypted, or compressed in a way that no wheel may be")
        fields = LOCAL.unpack(self._at(entry.offset, LOCAL.size, what))
        if fields[0] != LOCAL_MAGIC:
            raise self._damaged(f"{what} does not begin where the directory says")
        return entry.offset + LOCAL.size + int(fields[9]) + int(fields[10])

    def behind(self, entry: Entry) -> int:
        """Return where what belongs to a member ends: its bytes, and the sizes that may stand behind them (APPNOTE 4.3.9).

        Raises:
            DamagedArtifactError: As `begin`.
        """
        end = self.begin(entry) + entry.compressed_size
        flags = LOCAL.unpack(self._at(entry.offset, LOCAL.size, "a member"))[2]
        if not flags & SIZES_BEHIND:
            return end
        data = self._at(end, min(24, self._size - end), "a member's sizes")
        for form in ("<4sIII", "<4sIQQ", "<III", "<IQQ"):
            if len(data) >= struct.calcsize(form):
                *magic, crc32, packed, size = struct.unpack_from(form, data)
                if magic in ([], [SIZES_MAGIC]) and (crc32, packed, size) == (entry.crc32, entry.compressed_size, entry.size):
                    return end + struct.calcsize(form)
        return end

    def local_name(self, entry: Entry) -> bytes:
        """Return the name that stands before a member's bytes, which readers from front to back go by.

        Raises:
            DamagedArtifactError: As `begin`.
        """
        self.begin(entry)
        fields = LOCAL.unpack(self._at(entry.offset, LOCAL.size, "a member"))
        return self._at(entry.offset + LOCAL.size, fields[9], "a member's name")

    def chunks(self, entry: Entry) -> Iterator[bytes]:
        """Yield a member's bytes in pieces, so that memory stays small whatever its size is.

        Raises:
            DamagedArtifactError: It is damaged, longer than it says, or in a form that no wheel has.
        """
        what, start, left = f"its member {entry.path!r}", self.begin(entry), entry.compressed_size
        self._at(start + left, 0, what)  # it ends in the file
        unpacking = zlib.decompressobj(-zlib.MAX_WBITS) if entry.method == DEFLATED else None
        size = crc32 = 0
        try:
            while left or (unpacking is not None and unpacking.unconsumed_tail):
                packed = unpacking.unconsumed_tail if unpacking is not None else b""
                if not packed:
                    packed = self._at(start, min(left, _CHUNK), what)
                    start, left = start + len(packed), left - len(packed)
                data = packed if unpacking is None else unpacking.decompress(packed, _CHUNK)
                size, crc32 = size + len(data), zlib.crc32(data, crc32)
                if size > entry.size:
                    break
                if data:
                    yield data
                elif unpacking is not None and unpacking.eof:
                    break
            while unpacking is not None and size <= entry.size and (data := unpacking.decompress(b"", _CHUNK)):
                size, crc32 = size + len(data), zlib.crc32(data, crc32)
                yield data
        except zlib.error as error:
            raise self._damaged(f"{what} cannot be unpacked ({error})") from error
        whole = unpacking is None or (unpacking.eof and not unpacking.unused_data)
        if size != entry.size or crc32 != entry.crc32 or left or not whole:
            raise self._damaged(f"{what} is not what its checksum and its size say")


def _extra(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the kind and the bytes of each extra field (APPNOTE 4.5.1)."""
    position = 0
    while position + 4 <= len(data):
        kind, length = struct.unpack_from("<HH", data, position)
        yield kind, data[position + 4 : position + 4 + length]
        position += 4 + length


def _wide(body: bytes) -> list[int]:
    """Return the 64-bit fields of an extra field (APPNOTE 4.5.3), in their order."""
    return list(struct.unpack(f"<{len(body) // 8}Q", body[: len(body) // 8 * 8]))
