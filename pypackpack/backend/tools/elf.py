"""ELF files (System V ABI, "Object Files" and "Dynamic Linking"): the symbols of an object, the libraries that a module names."""

from __future__ import annotations

import struct

from pypackpack.model.errors import WorkError

_SYMBOL_TABLE = 2
_DYNAMIC = 6
_NEEDED = 1
_DYNAMIC_SYMBOLS = 11
_VERSIONS = 0x6FFFFFFF
_VERSIONS_NEEDED = 0x6FFFFFFE


def undefined_symbols(*objects: bytes) -> tuple[str, ...]:
    """Return the sorted names of the symbols that objects refer to and none of them defines.

    Raises:
        WorkError: The bytes of one are no ELF object.
    """
    msg = "the compiler wrote something that is not an ELF object"
    wanted, defined = set[str](), set[str]()
    try:
        for data in objects:
            sections, order, wide = _sections(data)
            for kind, offset, size, link in sections:
                if kind == _SYMBOL_TABLE:
                    for name, is_defined in _symbols(data[offset : offset + size], data, sections[link][1], order, wide=wide):
                        (defined if is_defined else wanted).add(name)
    except (struct.error, ValueError, IndexError, UnicodeDecodeError) as error:
        raise WorkError(msg) from error
    return tuple(sorted(wanted - defined))


def versioned_symbols(data: bytes) -> tuple[tuple[str, str], ...]:
    """Return the sorted symbols that a shared library wants in a certain version, each with that version.

    The format is the Linux Standard Base's, "Symbol Versioning": ``.gnu.version`` has a number for each dynamic symbol, and
    ``.gnu.version_r`` says what the numbers mean.

    Raises:
        WorkError: The bytes are no ELF file.
    """
    msg = "the linker wrote something that is not an ELF file"
    try:
        sections, order, wide = _sections(data)
        by_kind = {section[0]: section for section in sections}
        if _VERSIONS_NEEDED not in by_kind or _DYNAMIC_SYMBOLS not in by_kind:
            return ()
        versions = _needed_versions(data, by_kind[_VERSIONS_NEEDED], sections, order)
        _, start, size, link = by_kind[_DYNAMIC_SYMBOLS]
        layout = struct.Struct(f"{order}I20x" if wide else f"{order}I12x")
        numbers = struct.iter_unpack(f"{order}H", data[by_kind[_VERSIONS][1] : by_kind[_VERSIONS][1] + size // layout.size * 2])
        found = {
            (_string(data, sections[link][1] + name), versions[number & 0x7FFF])
            for (name,), (number,) in zip(layout.iter_unpack(data[start : start + size]), numbers, strict=True)
            if number & 0x7FFF in versions
        }
    except (struct.error, ValueError, IndexError, KeyError, UnicodeDecodeError) as error:
        raise WorkError(msg) from error
    return tuple(sorted(found))


def shown_symbols(data: bytes) -> set[str]:
    """Return the names that a shared library shows to who loads it.

    Raises:
        ValueError, IndexError, struct.error: The bytes are no ELF file.
    """
    sections, order, wide = _sections(data)
    # Name, info, other and section number: the order of the fields is another one in 32-bit files.
    layout = struct.Struct(f"{order}IBBH16x" if wide else f"{order}I8xBBH")
    return {
        _string(data, sections[link][1] + name)
        for kind, offset, size, link in sections
        if kind == _DYNAMIC_SYMBOLS
        for name, info, other, section in layout.iter_unpack(data[offset : offset + size])
        if section != 0 and info >> 4 != 0 and other & 3 in (0, 3)  # not local; of default or protected visibility
    }


def _needed_versions(
    data: bytes, section: tuple[int, int, int, int], sections: list[tuple[int, int, int, int]], order: str
) -> dict[int, str]:
    """Return number → version of what ``.gnu.version_r`` lists."""
    _, place, size, link = section
    strings, found, end = sections[link][1], {}, place + size
    library = struct.Struct(f"{order}HHIII")
    entry = struct.Struct(f"{order}IHHII")
    while place < end:
        _, count, _, first, following = library.unpack_from(data, place)
        at = place + first
        for _ in range(count):
            _, _, number, name, step = entry.unpack_from(data, at)
            found[number] = _string(data, strings + name)
            at += step
        if not following:
            break
        place += following
    return found


def _string(data: bytes, place: int) -> str:
    return data[place : data.index(b"\0", place)].decode()


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


def _symbols(table: bytes, data: bytes, strings: int, order: str, *, wide: bool) -> list[tuple[str, bool]]:
    """Return the names that other objects see, or should have, each with whether it is defined."""
    layout = struct.Struct(f"{order}IBBH16x" if wide else f"{order}I8xBBH")
    names = []
    for name, info, _, section in layout.iter_unpack(table):
        wanted = section == 0 and info & 0xF <= 2  # no section or file symbols
        if name and (wanted or (section != 0 and info >> 4 != 0)):  # what is local is defined for its own object alone
            names.append((_string(data, strings + name), section != 0))
    return names
