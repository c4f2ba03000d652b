"""Mach-O files, also of several processors (Apple's ``<mach-o/loader.h>``, ``<mach-o/fat.h>`` and ``<mach-o/nlist.h>``)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from pypackpack.backend.images.text import LONGEST, Names, checked, piece
from pypackpack.model.image import Image

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEADER: Final = 32
_FAT, _FAT_64, _ONE = b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf", b"\xcf\xfa\xed\xfe"
MAGICS: Final = (_FAT, _FAT_64, _ONE)

_MACHINES: Final = {0x01000007: "x86_64", 0x0100000C: "arm64", 7: "i386", 12: "arm"}
_PLATFORMS: Final = {1: "macos", 2: "ios", 3: "tvos", 4: "watchos", 6: "maccatalyst", 7: "ios-simulator", 11: "visionos"}
_OF_OLD_COMMANDS: Final = {0x24: "macos", 0x25: "ios", 0x2F: "tvos", 0x30: "watchos"}
_LIBRARIES: Final = (0xC, 0x80000018, 0x8000001F, 0x80000023, 0x20)
"""``LC_LOAD_DYLIB``, and its weak, re-exported, upward and lazy kinds."""
_ID, _SYMTAB, _RPATH, _SIGNATURE, _BUILD_VERSION = 0xD, 0x2, 0x8000001C, 0x1D, 0x32
_KINDS: Final = (6, 8)
"""``MH_DYLIB`` and ``MH_BUNDLE``."""
_DEBUG, _TYPE, _EXTERNAL, _PRIVATE = 0xE0, 0x0E, 1, 0x10
_MOST_PARTS: Final = 16


def read(data: bytes) -> tuple[Image, ...]:
    """Return what each part of a file says of itself.

    Raises:
        ValueError, IndexError, struct.error: It is damaged, or no library.
    """
    if data[:4] == _ONE:
        return (_image(data),)
    (count,) = struct.unpack_from(">I", data, 4)
    layout = struct.Struct(">iiQQII" if data[:4] == _FAT_64 else ">iiIII")
    found = []
    for number in range(checked(count, _MOST_PARTS)):
        _, _, start, size, *_ = layout.unpack_from(data, 8 + number * layout.size)
        found.append(_image(piece(data, start, size)))
    return tuple(found)


def _commands(data: bytes, count: int, size: int) -> Iterator[tuple[int, int, int]]:
    """Yield what each load command is, where it begins and how long it is."""
    at, end = _HEADER, _HEADER + size
    for _ in range(checked(count, 100_000)):
        command, length = struct.unpack_from("<II", data, at)
        if length < 8 or at + length > end:
            msg = "a load command is longer than the file says"
            raise ValueError(msg)
        yield command, at, length
        at += length


def _image(data: bytes) -> Image:
    magic, cpu, _, kind, count, size = struct.unpack_from("<4siiIII", data)
    if magic != _ONE or kind not in _KINDS:
        msg = "a part of it is no library of 64 bits"
        raise ValueError(msg)
    texts: dict[int, list[str]] = {}
    platform, version, signed, tables = "", None, False, False
    exports: frozenset[str] = frozenset()
    imports: frozenset[str] = frozenset()
    for command, at, length in _commands(data, count, size):
        if command in (*_LIBRARIES, _ID, _RPATH):
            texts.setdefault(_LIBRARIES[0] if command in _LIBRARIES else command, []).append(_string(data, at, length))
        elif command == _SYMTAB and tables:
            msg = "it has two tables of symbols"
            raise ValueError(msg)
        elif command == _SYMTAB:
            tables = True
            exports, imports = _symbols(data, at)
        elif command == _BUILD_VERSION:
            number, version = struct.unpack_from("<II", data, at + 8)
            platform = _PLATFORMS.get(number, f"platform {number}")
        elif command in _OF_OLD_COMMANDS:
            platform, (version,) = _OF_OLD_COMMANDS[command], struct.unpack_from("<I", data, at + 8)
        signed = signed or command == _SIGNATURE
    return Image(
        "macho",
        _MACHINES.get(cpu, f"Mach-O processor {cpu:#x}"),
        needs=tuple(texts.get(_LIBRARIES[0], ())),
        exports=exports,
        imports=imports,
        paths=tuple(texts.get(_RPATH, ())),
        platform=platform,
        oldest=None if version is None else (version >> 16, version >> 8 & 0xFF),
        name=next(iter(texts.get(_ID, ())), ""),
        signed=signed,
    )


def _string(data: bytes, at: int, length: int) -> str:
    """Return the text of a load command, whose offset stands behind its length."""
    (start,) = struct.unpack_from("<I", data, at + 8)
    if not 12 <= start < length:
        msg = "a load command's text is not in it"
        raise ValueError(msg)
    text = piece(data, at + start, length - start)[:LONGEST]
    return text.partition(b"\0")[0].decode("utf-8", "replace")


def _symbols(data: bytes, at: int) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names that others see and those that are wanted of others, without the underscore that C adds."""
    table, count, strings, _ = struct.unpack_from("<IIII", data, at + 8)
    exports, imports, names = set(), set(), Names(data)
    for name, kind, _, _, value in struct.iter_unpack("<IBBHQ", piece(data, table, 16 * checked(count))):
        if kind & _DEBUG or not kind & _EXTERNAL or not name:
            continue
        if kind & _TYPE == 0 and not value:
            imports.add(names.at(strings + name).removeprefix("_"))
        elif kind & _TYPE and not kind & _PRIVATE:
            exports.add(names.at(strings + name).removeprefix("_"))
    return frozenset(exports), frozenset(imports)
