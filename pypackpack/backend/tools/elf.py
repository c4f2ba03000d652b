"""Reading the symbol table of an ELF object (System V ABI, "Object Files": ELF header, sections, symbol table)."""

from __future__ import annotations

import struct

from pypackpack.model.errors import WorkError

_SYMBOL_TABLE = 2


def undefined_symbols(data: bytes) -> tuple[str, ...]:
    """Return the sorted names of the symbols that an object refers to and does not define.

    Raises:
        WorkError: The bytes are no ELF object.
    """
    msg = "the compiler wrote something that is not an ELF object"
    if data[:4] != b"\x7fELF":
        raise WorkError(msg)
    try:
        wide, order = data[4] == 2, "<" if data[5] == 1 else ">"
        table, entry, count = (
            struct.unpack_from(f"{order}Q10xHH", data, 0x28) if wide else struct.unpack_from(f"{order}I10xHH", data, 0x20)
        )
        sections = [_section(data, table + number * entry, order, wide=wide) for number in range(count)]
        names = set()
        for kind, offset, size, link in sections:
            if kind == _SYMBOL_TABLE:
                strings = sections[link][1]
                names.update(_undefined(data[offset : offset + size], data, strings, order, wide=wide))
    except (struct.error, ValueError, IndexError, UnicodeDecodeError) as error:
        raise WorkError(msg) from error
    return tuple(sorted(names))


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
