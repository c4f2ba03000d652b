"""Mach-O files of several processors in one, which Apple calls universal binaries ("fat" in its headers).

The format is that of ``<mach-o/fat.h>``: a header in big-endian order with a table of parts, then the parts as they are, each
at a multiple of its alignment. A part's signature covers the part alone, so joining needs no new one.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from pypackpack.model.errors import WorkError

if TYPE_CHECKING:
    from collections.abc import Sequence

FAT_VERSION: Final = "1"
"""Part of the key of what `fat` makes."""

_FAT_MAGIC: Final = 0xCAFEBABE
_MAGIC_64: Final = 0xFEEDFACF
_HEADER: Final = struct.Struct(">II")
_ARCH: Final = struct.Struct(">iiIII")

_ALIGNMENTS: Final = {0x01000007: 12, 0x0100000C: 14}
"""CPU_TYPE_X86_64 and CPU_TYPE_ARM64 → power of two that their pages are aligned to (4 KB, 16 KB), as Apple's lipo does it."""


def fat(parts: Sequence[bytes]) -> bytes:
    """Return one file of several, each a 64-bit Mach-O file of another processor; the same parts give the same bytes.

    Raises:
        WorkError: One is no such file, two are of one processor, or together they are larger than the format can say (4 GB).
    """
    found = sorted((_processor(part), part) for part in parts)
    kinds = [kind for (kind, _), _ in found]
    if len(set(kinds)) != len(kinds) or not kinds:
        msg = "the files to be joined are of the same processor"
        raise WorkError(msg)
    place, table, body = _HEADER.size + len(found) * _ARCH.size, [], []
    end = place
    for (kind, subtype), data in found:
        power = _ALIGNMENTS[kind]
        start = -(-end // (1 << power)) << power
        body.append(bytes(start - end) + data)
        table.append((kind, subtype, start, len(data), power))
        end = start + len(data)
    if end >= 1 << 32:
        msg = "the files to be joined are larger than 4 GB, which the format of universal binaries has no room for"
        raise WorkError(msg)
    return b"".join([_HEADER.pack(_FAT_MAGIC, len(found)), *(_ARCH.pack(*entry) for entry in table), *body])


def _processor(data: bytes) -> tuple[int, int]:
    """Return CPU type and subtype of a Mach-O file (``<mach-o/loader.h>``)."""
    try:
        magic, kind, subtype = struct.unpack_from("<Iii", data)
    except struct.error:
        magic = kind = subtype = 0
    if magic != _MAGIC_64 or kind not in _ALIGNMENTS:
        msg = "the linker wrote something that is not a Mach-O file of a processor that macOS runs on"
        raise WorkError(msg)
    return kind, subtype
