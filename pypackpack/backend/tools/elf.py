"""ELF files (System V ABI, "Object Files" and "Dynamic Linking"): the symbols of an object, the libraries that a module names."""

from __future__ import annotations

import struct

from pypackpack.model.errors import WorkError

_SYMBOL_TABLE = 2
_DYNAMIC = 6
_NEEDED = 1


def undefined_symbols(data: bytes) -> tuple[str, ...]:
    """Return the sorted names of the symbols that an object refers to and does not define.

    Raises:
        WorkError: The bytes are no ELF object.
    """
    msg = "the compiler wrote something that is not an ELF object"
    try:
        sections, order, wide = _sections(data)
        names = set()
        for kind, offset, size, link in sections:
            if kind == _SYMBOL_TABLE:
                strings = sections[link][1]
                names.update(_undefined(data[offset : offset + size], data, strings, order, wide=wide))
    except (struct.error, ValueError, IndexError, UnicodeDecodeError) as error:
        raise WorkError(msg) from error
    return tuple(sorted(names))


def without_needed(data: bytes, library: str) -> bytes:
    """Return a shared library that does not name another one as needed (any more); the rest keeps its place and size.

    Raises:
        WorkError: The bytes are no ELF file.
    """
    msg = "the linker wrote something that is not an ELF file"
    try:
        sections, order, wide = _sections(data)
        dynamic = next((each for each in sections if each[0] == _DYNAMIC), None)
        if dynamic is None:
            return data
        _, offset, size, link = dynamic
        strings = sections[link][1]
        layout = struct.Struct(f"{order}qQ" if wide else f"{order}iI")
        kept = []
        for tag, value in layout.iter_unpack(data[offset : offset + size]):
            place = strings + value
            if tag != _NEEDED or data[place : data.index(b"\0", place)] != library.encode():
                kept.append(layout.pack(tag, value))
    except (struct.error, ValueError, IndexError) as error:
        raise WorkError(msg) from error
    # What ends the table, an entry of zeros, may stand there more than once.
    return data[:offset] + b"".join(kept).ljust(size, b"\0") + data[offset + size :]


def _sections(data: bytes) -> tuple[list[tuple[int, int, int, int]], str, bool]:
    """Return the sections (kind, offset, size, link), the byte order as `struct` writes it, and whether it is a 64-bit file.

    Raises:
        ValueError, IndexError, struct.error: The bytes are no ELF file.
    """
    if data[:4] != b"\x7fELF":
        msg = "no ELF"
        raise ValueError(msg)
    wide, order = data[4] == 2, "<" if data[5] == 1 else ">"
    table, entry, count = (
        struct.unpack_from(f"{order}Q10xHH", data, 0x28) if wide else struct.unpack_from(f"{order}I10xHH", data, 0x20)
    )
    return [_section(data, table + number * entry, order, wide=wide) for number in range(count)], order, wide


def _section(data: bytes, place: int, order: str, *, wide: bool) -> tuple[int, int, int, int]:
    """Return type, offset, size and link of a section."""
    if wide:
        kind, offset, size, link = struct.unpack_from(f"{order}4xI16xQQI", data, place)
    else:
        kind, offset, size, link = struct.unpack_from(f"{order}4xI8xIII", data, place)
    return kind, offset, size, link


def _undefined(table: bytes, data: bytes, strings: int, order: str, *, wide: bool) -> list[str]:
    layout = struct.Struct(f"{order}IBBH16x" if wide else f"{order}I8xBBH")
    names = []
    for name, info, _, section in layout.iter_unpack(table):
        if section == 0 and name and info & 0xF <= 2:  # no section or file symbols
            names.append(data[strings + name : data.index(b"\0", strings + name)].decode())
    return names
