"""What a finished extension module shows to who loads it, by the format of its file.

A linker ends well also where nothing defines the function that Python looks for, and it may hide it: the module would be built,
and fail when it is imported.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from pypackpack.backend.tools import elf
from pypackpack.model.errors import WorkError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SYMBOL_TABLE: Final = 2
_NLIST: Final = struct.Struct("<IBBHQ")
_DEFINED, _EXTERNAL, _PRIVATE = 0x0E, 0x01, 0x10
_EXPORT_SECTION: Final = 7


def shows(module: bytes, symbol: str, object_format: str) -> bool:
    """Tell whether an extension module shows a symbol.

    Args:
        module: The file.
        symbol: The name, as C has it.
        object_format: Of the target: ``elf``, ``macho``, ``coff`` or ``wasm``.

    Raises:
        WorkError: The bytes are no such file.
    """
    try:
        return symbol in _READERS[object_format](module)
    except (struct.error, ValueError, IndexError, KeyError) as error:
        msg = "the linker wrote something that is no extension module"
        raise WorkError(msg) from error


def _macho(data: bytes) -> set[str]:
    """Return the symbols of a 64-bit Mach-O file, without the underscore before each.

    Sources: ``<mach-o/loader.h>`` and ``<mach-o/nlist.h>``.
    """
    (count,) = struct.unpack_from("<I", data, 16)
    place, found = 32, set[str]()
    for _ in range(count):
        kind, size = struct.unpack_from("<II", data, place)
        if kind == _SYMBOL_TABLE:
            symbols, number, strings, _ = struct.unpack_from("<IIII", data, place + 8)
            for name, what, *_ in _NLIST.iter_unpack(data[symbols : symbols + number * _NLIST.size]):
                if what & _EXTERNAL and what & _DEFINED and not what & _PRIVATE:
                    found.add(_text(data, strings + name).removeprefix("_"))
        place += size
    return found


def _coff(data: bytes) -> set[str]:
    """Return the names that a PE image exports (Microsoft's "PE Format", "Export Directory Table")."""
    (header,) = struct.unpack_from("<I", data, 0x3C)
    sections, optional_size = struct.unpack_from("<H12xH", data, header + 6)
    optional = header + 24
    directories = optional + (112 if struct.unpack_from("<H", data, optional)[0] == 0x20B else 96)
    address, size = struct.unpack_from("<II", data, directories)
    if not size:
        return set()
    places_of_sections = (optional + optional_size + 40 * number + 8 for number in range(sections))
    table: list[tuple[int, int, int, int]] = [struct.unpack_from("<IIII", data, place) for place in places_of_sections]

    def offset(virtual: int) -> int:
        found = (raw - start for extent, start, length, raw in table if start <= virtual < start + max(extent, length))
        return virtual + next(found)

    try:
        number, _, names = struct.unpack_from("<III", data, offset(address) + 24)
        places = struct.unpack_from(f"<{number}I", data, offset(names)) if number else ()
        return {_text(data, offset(place)) for place in places}
    except StopIteration as error:
        raise ValueError from error


def _wasm(data: bytes) -> set[str]:
    """Return the names that a WebAssembly module exports (the specification's "Binary Format", "Modules")."""
    place, found = 8, set[str]()
    while place < len(data):
        kind, place = data[place], place + 1
        size, place = _leb128(data, place)
        if kind == _EXPORT_SECTION:
            count, at = _leb128(data, place)
            for _ in range(count):
                length, at = _leb128(data, at)
                found.add(data[at : at + length].decode())
                _, at = _leb128(data, at + length + 1)
        place += size
    return found


def _leb128(data: bytes, place: int) -> tuple[int, int]:
    """Return an unsigned number and the place behind it."""
    value = shift = 0
    while True:
        byte = data[place]
        value, shift, place = value | (byte & 0x7F) << shift, shift + 7, place + 1
        if byte < 0x80:
            return value, place


def _text(data: bytes, place: int) -> str:
    return data[place : data.index(b"\0", place)].decode()


_READERS: Final[Mapping[str, Callable[[bytes], set[str]]]] = {
    "elf": elf.shown_symbols,
    "macho": _macho,
    "coff": _coff,
    "wasm": _wasm,
}
