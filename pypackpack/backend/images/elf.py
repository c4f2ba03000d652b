"""ELF shared libraries by their segments, as the loader reads them (System V ABI, "Dynamic Linking"; LSB, "Symbol Versioning").

Sections, which a stripped file need not have, are not looked at.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from pypackpack.backend.images.text import Names, checked, piece
from pypackpack.model.image import Image

MAGIC: Final = b"\x7fELF"

_MACHINES: Final = {
    3: "i686",
    20: "ppc",
    21: "ppc64le",
    22: "s390x",
    40: "armv7l",
    62: "x86_64",
    183: "aarch64",
    243: "riscv64",
    258: "loongarch64",
}
"""``e_machine`` → the processor; those of 64 bits only where they are, see `_machine`."""

_LOAD, _DYNAMIC = 1, 2
_NEEDED, _HASH, _STRTAB, _SYMTAB, _STRSZ, _SONAME, _RPATH, _RUNPATH = 1, 4, 5, 6, 10, 14, 15, 29
_GNU_HASH, _VERNEED, _VERNEEDNUM = 0x6FFFFEF5, 0x6FFFFFFE, 0x6FFFFFFF
_SHARED_LIBRARY = 3
_MOST_DYNAMIC: Final = 1 << 20
"""Bytes of the dynamic section."""
_FILE, _GLOBAL, _WEAK, _UNIQUE = 4, 1, 2, 10
_HIDDEN = (1, 2)


@dataclass(frozen=True)
class _File:
    data: bytes
    wide: bool
    order: str
    loads: tuple[tuple[int, int, int], ...]
    names: Names

    def offset(self, address: int) -> int:
        """Return where in the file an address of the loaded image lies."""
        for start, place, size in self.loads:
            if start <= address < start + size:
                return place + address - start
        msg = "a table lies at no address of the file"
        raise ValueError(msg)


def read(data: bytes) -> tuple[Image, ...]:
    """Return what a shared library says of itself.

    Raises:
        ValueError, IndexError, struct.error: It is damaged, or another kind of ELF file.
    """
    wide, order = {1: False, 2: True}[data[4]] if data[4] in (1, 2) else _refuse("its class"), {1: "<", 2: ">"}.get(data[5], "<")
    kind, machine = struct.unpack_from(f"{order}HH", data, 16)
    if kind != _SHARED_LIBRARY:
        _refuse("its type, which is no shared library's")
    if wide:
        table, entry, count = struct.unpack_from(f"{order}Q14xHH", data, 32)
        layout = struct.Struct(f"{order}I4xQQ8xQ8x")
    else:
        table, entry, count = struct.unpack_from(f"{order}I10xHH", data, 28)
        layout = struct.Struct(f"{order}IIIxxxxI12x")
    loads, dynamic = [], (0, 0)
    for number in range(checked(count)):
        what, place, address, size = layout.unpack_from(data, table + number * entry)
        if what == _LOAD:
            loads.append((address, place, size))
        elif what == _DYNAMIC:
            dynamic = (place, size)
    return (_image(_File(data, wide, order, tuple(loads), Names(data)), _machine(machine, wide=wide, order=order), dynamic),)


def _refuse(what: str) -> bool:
    msg = f"{what} is none that is known"
    raise ValueError(msg)


def _machine(number: int, *, wide: bool, order: str) -> str:
    name = _MACHINES.get(number, "")
    if name == "x86_64" and not wide:
        return "x32"
    if name == "ppc64le" and order == ">":
        return "ppc64"
    return name if name and wide == (name not in ("i686", "ppc", "armv7l")) else f"ELF machine {number}"


def _image(file: _File, machine: str, dynamic: tuple[int, int]) -> Image:
    pair = struct.Struct(f"{file.order}qQ" if file.wide else f"{file.order}iI")
    body = piece(file.data, dynamic[0], checked(dynamic[1], _MOST_DYNAMIC))
    entries: dict[int, list[int]] = {}
    for tag, value in pair.iter_unpack(body[: len(body) // pair.size * pair.size]):
        if tag == 0:
            break
        entries.setdefault(tag, []).append(value)
    if _STRTAB not in entries:
        return Image("elf", machine)
    strings = file.offset(entries[_STRTAB][0])

    def names(tag: int) -> tuple[str, ...]:
        return tuple(file.names.at(strings + value) for value in entries.get(tag, ()))

    exports, imports = _symbols(file, entries, strings)
    return Image(
        "elf",
        machine,
        needs=names(_NEEDED),
        versions=_versions(file, entries, strings),
        exports=exports,
        imports=imports,
        paths=tuple(each for word in (*names(_RPATH), *names(_RUNPATH)) for each in word.split(":") if each),
        name=next(iter(names(_SONAME)), ""),
    )


def _versions(file: _File, entries: dict[int, list[int]], strings: int) -> tuple[tuple[str, str], ...]:
    if _VERNEED not in entries:
        return ()
    place, found = file.offset(entries[_VERNEED][0]), []
    head, item = struct.Struct(f"{file.order}HHIII"), struct.Struct(f"{file.order}IHHII")
    for _ in range(checked(entries.get(_VERNEEDNUM, [0])[0], 10_000)):
        _, count, library, first, following = head.unpack_from(file.data, place)
        at = place + first
        for _ in range(count):
            _, _, _, name, step = item.unpack_from(file.data, at)
            found.append((file.names.at(strings + library), file.names.at(strings + name)))
            checked(len(found), 100_000)
            at += step
        if not following:
            break
        place += following
    return tuple(sorted(set(found)))


def _symbols(file: _File, entries: dict[int, list[int]], strings: int) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names that are defined for others, and those that are wanted of them."""
    if _SYMTAB not in entries:
        return frozenset(), frozenset()
    place = file.offset(entries[_SYMTAB][0])
    layout = struct.Struct(f"{file.order}IBBH16x" if file.wide else f"{file.order}I8xBBH")
    count = _count(file, entries, place, strings, layout.size)
    exports, imports = set(), set()
    for name, info, other, section in layout.iter_unpack(piece(file.data, place, count * layout.size)):
        if not name or info >> 4 not in (_GLOBAL, _WEAK, _UNIQUE) or info & 0xF == _FILE:
            continue
        if section == 0:
            imports.add(file.names.at(strings + name))
        elif other & 3 not in _HIDDEN:
            exports.add(file.names.at(strings + name))
    return frozenset(exports), frozenset(imports)


def _count(file: _File, entries: dict[int, list[int]], symbols: int, strings: int, size: int) -> int:
    """Return the number of dynamic symbols, which only the hash tables say."""
    if _HASH in entries:
        entry = "Q" if file.data[18:20] == b"\x00\x16" and file.wide else "I"  # s390x has wide entries there
        place = file.offset(entries[_HASH][0])
        return checked(int(struct.unpack_from(f"{file.order}2{entry}", file.data, place)[1]))
    if _GNU_HASH in entries:
        return checked(_gnu_count(file, file.offset(entries[_GNU_HASH][0])))
    return checked((strings - symbols) // size) if strings > symbols else 0


def _gnu_count(file: _File, place: int) -> int:
    """Return what the GNU hash table says: the last chain ends at the last symbol."""
    buckets, first, words, _ = map(int, struct.unpack_from(f"{file.order}4I", file.data, place))
    chains = place + 16 + checked(words) * (8 if file.wide else 4)
    table = struct.unpack_from(f"{file.order}{checked(buckets)}I", file.data, chains)
    last = max(table, default=0)
    if last < first:
        return first
    at = chains + 4 * buckets + 4 * (last - first)
    while not struct.unpack_from(f"{file.order}I", file.data, at)[0] & 1:
        at += 4
        last = checked(last + 1)
    return last + 1
