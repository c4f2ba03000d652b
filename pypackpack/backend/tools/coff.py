"""Reading the symbol table of a COFF object (Microsoft's "PE Format", sections "COFF File Header" and "COFF Symbol Table")."""

from __future__ import annotations

import struct

from pypackpack.model.errors import WorkError

_HEADER = struct.Struct("<HHIIIHH")
_SYMBOL = struct.Struct("<8sIhHBB")
_SECTION = 40
"""Bytes of a section's header."""

_STARTUP = (".ctors", ".dtors", ".CRT$X")
"""Sections whose functions the C library's start-up code calls; MinGW has the first two, Microsoft the third."""

_ENTRIES = ("DllMain", "_DllMain@12")
_EXTERNAL = 2
_IMPORT_PREFIX = "__imp_"


def undefined_symbols(data: bytes) -> tuple[str, ...]:
    """Return the sorted names of the external symbols that an object refers to and does not define.

    Raises:
        WorkError: The bytes are no COFF object.
    """
    return tuple(sorted(name for name, defined in _external_symbols(data) if not defined))


def defined_symbols(data: bytes) -> tuple[str, ...]:
    """Return the sorted names of the external symbols that an object defines, common ones among them.

    Raises:
        WorkError: The bytes are no COFF object.
    """
    return tuple(sorted(name for name, defined in _external_symbols(data) if defined))


def has_entry_point(data: bytes) -> bool:
    """Tell whether a linked image has code that Windows runs when it loads it (PE format, "AddressOfEntryPoint").

    Raises:
        WorkError: The bytes are no such image.
    """
    try:
        (header,) = struct.unpack_from("<I", data, 0x3C)
        (entry,) = struct.unpack_from("<I", data, header + 40)
    except struct.error as error:
        msg = "the linker wrote something that is not a PE image"
        raise WorkError(msg) from error
    return bool(entry)


def wants_startup(data: bytes) -> bool:
    """Tell whether an object has code that a DLL runs when it is loaded: constructors, or an entry point of its own.

    Raises:
        WorkError: The bytes are no COFF object.
    """
    try:
        _machine, sections, _time, table, count, optional, _flags = _HEADER.unpack_from(data)
        strings = table + count * _SYMBOL.size
        for number in range(sections):
            raw = data[_HEADER.size + optional + number * _SECTION : _HEADER.size + optional + number * _SECTION + 8]
            name = raw.rstrip(b"\0").decode()
            if name.startswith("/"):  # where in the string table a name of more than eight bytes stands
                start = strings + int(name[1:])
                name = data[start : data.index(b"\0", start)].decode()
            if name.startswith(_STARTUP):
                return True
    except (struct.error, ValueError) as error:
        msg = "the compiler wrote something that is not a COFF object"
        raise WorkError(msg) from error
    return any(name in _ENTRIES for name in defined_symbols(data))


def _external_symbols(data: bytes) -> set[tuple[str, bool]]:
    """Return the external symbols of an object, and whether it defines them."""
    try:
        _machine, _sections, _time, table, count, _optional, _flags = _HEADER.unpack_from(data)
        strings = table + count * _SYMBOL.size
        found = set()
        index = 0
        while index < count:
            raw, value, section, _kind, storage, auxiliary = _SYMBOL.unpack_from(data, table + index * _SYMBOL.size)
            if storage == _EXTERNAL:
                # Of no section and with a value it is a common symbol: the value is its size.
                found.add((_name(data, raw, strings), section != 0 or value != 0))
            index += 1 + auxiliary
    except (struct.error, ValueError, UnicodeDecodeError) as error:
        msg = "the compiler wrote something that is not a COFF object"
        raise WorkError(msg) from error
    return found


def _name(data: bytes, raw: bytes, strings: int) -> str:
    """A name of up to eight bytes stands in the entry; a longer one in the string table, at the offset in bytes 4-8."""
    if raw[:4] != b"\0\0\0\0":
        return raw.rstrip(b"\0").decode()
    start = strings + int.from_bytes(raw[4:8], "little")
    return data[start : data.index(b"\0", start)].decode()


def python_imports(names: tuple[str, ...], *, underscore: bool = False) -> tuple[str, ...]:
    """Return the Python API names among undefined symbols, without the prefix of an import and of 32-bit x86."""
    found = set()
    for name in names:
        plain = name.removeprefix(_IMPORT_PREFIX)
        if underscore and plain.startswith("_"):
            plain = plain[1:]
        if plain.startswith(("Py", "_Py")):
            found.add(plain)
    return tuple(sorted(found))


_DEBUG_ENTRY = struct.Struct("<IIHHIIII")
_DEBUG_DIRECTORY = 6
_CODEVIEW = 2


def without_identity(image: bytes) -> bytes:
    """Return a PE image with its time stamps and the identity of its PDB set to zero.

    The linker makes both from the content of the PDB, which names folders of this machine; the PDB is not shipped, the
    symbols lie in the image as DWARF.

    Raises:
        WorkError: The bytes are no PE image.
    """
    data = bytearray(image)
    try:
        header = struct.unpack_from("<I", data, 0x3C)[0]
        if data[:2] != b"MZ" or data[header : header + 4] != b"PE\0\0":
            msg = "the linker wrote something that is not a PE image"
            raise WorkError(msg)
        sections, optional_size = struct.unpack_from("<H12xH", data, header + 6)
        struct.pack_into("<I", data, header + 8, 0)
        optional = header + 24
        directories = optional + (112 if struct.unpack_from("<H", data, optional)[0] == 0x20B else 96)
        address, size = struct.unpack_from("<II", data, directories + 8 * _DEBUG_DIRECTORY)
        table = [struct.unpack_from("<IIII", data, optional + optional_size + 40 * number + 8) for number in range(sections)]
        place = _file_offset(table, address) if size else 0
        for entry in range(place, place + size, _DEBUG_ENTRY.size):
            struct.pack_into("<I", data, entry + 4, 0)
            kind, length, _, offset = struct.unpack_from("<IIII", data, entry + 12)
            if kind == _CODEVIEW and data[offset : offset + 4] == b"RSDS" and length >= 24:
                data[offset + 4 : offset + 20] = bytes(16)
    except struct.error as error:
        msg = "the linker wrote something that is not a PE image"
        raise WorkError(msg) from error
    return bytes(data)


def _file_offset(table: list[tuple[int, ...]], address: int) -> int:
    """Return where in the file an address of the image lies, by the section table."""
    for virtual_size, start, raw_size, raw in table:
        if start <= address < start + max(virtual_size, raw_size):
            return raw + address - start
    msg = "the linker wrote a PE image whose debug directory lies in no section"
    raise WorkError(msg)
