"""PE images, which Windows loads (Microsoft's "PE Format"): machine, what they import and export."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from pypackpack.backend.images.text import Names, checked, piece
from pypackpack.model.image import Image

MAGIC: Final = b"MZ"

_MACHINES: Final = {0x14C: "i686", 0x8664: "x86_64", 0xAA64: "aarch64", 0x1C4: "armv7l"}
_WIDE = 0x20B
_EXPORTS, _IMPORTS, _DELAYED = 0, 1, 13
_MOST_LIBRARIES: Final = 10_000


@dataclass(frozen=True)
class _File:
    data: bytes
    wide: bool
    sections: tuple[tuple[int, int, int, int], ...]
    names: Names

    def offset(self, address: int) -> int:
        """Return where in the file an address of the image lies."""
        for size, start, raw_size, raw in self.sections:
            if start <= address < start + max(size, raw_size):
                return raw + address - start
        msg = "a table lies in no section"
        raise ValueError(msg)


def read(data: bytes) -> tuple[Image, ...]:
    """Return what an image says of itself.

    Raises:
        ValueError, IndexError, struct.error: It is damaged, or no PE image.
    """
    (header,) = struct.unpack_from("<I", data, 0x3C)
    if piece(data, header, 4) != b"PE\0\0":
        msg = "it is a program for DOS"
        raise ValueError(msg)
    machine, count, optional_size = struct.unpack_from("<HH12xH", data, header + 4)
    optional = header + 24
    (magic,) = struct.unpack_from("<H", data, optional)
    wide = magic == _WIDE
    directories = optional + (112 if wide else 96)
    (number,) = struct.unpack_from("<I", data, directories - 4)
    table = optional + optional_size
    sections = tuple(struct.unpack_from("<IIII", data, table + 40 * each + 8) for each in range(checked(count)))
    file = _File(data, wide, sections, Names(data))

    def directory(index: int) -> tuple[int, int]:
        return struct.unpack_from("<II", data, directories + 8 * index) if index < number else (0, 0)

    needs, imports = _imports(file, directory(_IMPORTS)[0])
    late = _delayed(file, directory(_DELAYED)[0])
    name, exports = _exports(file, directory(_EXPORTS)[0])
    kind = _MACHINES.get(machine, f"PE machine {machine:#x}")
    return (Image("coff", kind, needs=(*needs, *late), exports=exports, imports=imports, name=name),)


def _imports(file: _File, address: int) -> tuple[list[str], frozenset[str]]:
    """Return the DLLs, and the functions that are taken of them by name."""
    needs: list[str] = []
    taken: set[str] = set()
    count = 0
    if not address:
        return needs, frozenset()
    at = file.offset(address)
    entry, layout = struct.Struct("<IIIII"), struct.Struct("<Q" if file.wide else "<I")
    by_number = 1 << (63 if file.wide else 31)
    for _ in range(_MOST_LIBRARIES):
        names, _, _, name, addresses = entry.unpack_from(file.data, at)
        if not name:
            break
        needs.append(file.names.at(file.offset(name)))
        place = file.offset(names or addresses)
        while (value := layout.unpack_from(file.data, place)[0]) != 0:
            if not value & by_number:
                taken.add(file.names.at(file.offset(value & 0x7FFFFFFF) + 2))
            count = checked(count + 1)
            place += layout.size
        at += entry.size
    return needs, frozenset(taken)


def _delayed(file: _File, address: int) -> list[str]:
    """Return the DLLs that are loaded when one of their functions is called first."""
    needs: list[str] = []
    if not address:
        return needs
    at = file.offset(address)
    for _ in range(_MOST_LIBRARIES):
        _, name = struct.unpack_from("<II", file.data, at)
        if not name:
            break
        needs.append(file.names.at(file.offset(name)))
        at += 32
    return needs


def _exports(file: _File, address: int) -> tuple[str, frozenset[str]]:
    """Return what a DLL calls itself, and the names of its functions."""
    if not address:
        return "", frozenset()
    name, count, table = struct.unpack_from("<12xI8xI4xI", file.data, file.offset(address))
    found: set[str] = set()
    if checked(count):
        found.update(
            file.names.at(file.offset(each))
            for (each,) in struct.iter_unpack("<I", piece(file.data, file.offset(table), 4 * count))
        )
    return file.names.at(file.offset(name)), frozenset(found)
