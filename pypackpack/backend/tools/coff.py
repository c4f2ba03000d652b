"""Reading the symbol table of a COFF object (Microsoft's "PE Format", sections "COFF File Header" and "COFF Symbol Table")."""

from __future__ import annotations

import struct

from pypackpack.model.errors import WorkError

_HEADER = struct.Struct("<HHIIIHH")
_SYMBOL = struct.Struct("<8sIhHBB")
_EXTERNAL = 2
_IMPORT_PREFIX = "__imp_"


def undefined_symbols(data: bytes) -> tuple[str, ...]:
    """Return the sorted names of the external symbols that an object refers to and does not define.

    Raises:
        WorkError: The bytes are no COFF object.
    """
    try:
        _machine, _sections, _time, table, count, _optional, _flags = _HEADER.unpack_from(data)
        strings = table + count * _SYMBOL.size
        names = set()
        index = 0
        while index < count:
            raw, value, section, _kind, storage, auxiliary = _SYMBOL.unpack_from(data, table + index * _SYMBOL.size)
            if storage == _EXTERNAL and section == 0 and value == 0:
                names.add(_name(data, raw, strings))
            index += 1 + auxiliary
    except (struct.error, ValueError, UnicodeDecodeError) as error:
        msg = "the compiler wrote something that is not a COFF object"
        raise WorkError(msg) from error
    return tuple(sorted(names))


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
        plain = name[len(_IMPORT_PREFIX) :] if name.startswith(_IMPORT_PREFIX) else name
        if underscore and plain.startswith("_"):
            plain = plain[1:]
        if plain.startswith(("Py", "_Py")):
            found.add(plain)
    return tuple(sorted(found))
