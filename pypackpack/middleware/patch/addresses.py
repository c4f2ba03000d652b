"""What is known of an executable file's addresses: where it is loaded, and where which kind of them stands.

Read from ELF, PE and Mach-O of 64 bits for x86-64 and AArch64. Whoever applies a patch reads none of these formats: the patch
says what was found.
"""

from __future__ import annotations

import itertools
import struct
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from pypackpack.client.patch_image import MOST_FIELDS, MOST_MARKS, MOST_RANGES, X86, Field, Image, Moves, Range
from pypackpack.client.patch_streams import CHUNK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pypackpack.client.patch_image import Kind

_ELF_MACHINES: Final[dict[int, Kind]] = {62: "x86", 183: "arm64"}
_PE_MACHINES: Final[dict[int, Kind]] = {0x8664: "x86", 0xAA64: "arm64"}
_MACH_MACHINES: Final[dict[int, Kind]] = {0x01000007: "x86", 0x0100000C: "arm64"}


_SIGNED: Final = struct.Struct("<i")
_ENOUGH: Final = 4
"""References to neighbours that have gone equally far, which make it worth to say so."""


class _Load(NamedTuple):
    """A part of a file that is loaded: first byte, bytes, address."""

    offset: int
    size: int
    address: int


@dataclass(frozen=True)
class Known:
    """What was found in one file."""

    machine: Kind
    loads: tuple[_Load, ...]
    fields: tuple[Field, ...]


def known_of(data: bytes) -> Known | None:
    """Return what is known of a file; None where that is nothing."""
    for begin, read in ((b"\x7fELF\2\1", _elf), (b"MZ", _pe), (b"\xcf\xfa\xed\xfe", _mach)):
        if data.startswith(begin):
            try:
                found = read(data)
            except (struct.error, ValueError, IndexError, OverflowError):
                return None  # it is not what it looks like: compared as any other file
            return _within(found, len(data)) if found is not None else None
    return None


def _within(known: Known, size: int) -> Known | None:
    """Return what lies in the file, as much of it as a patch may say."""
    loads = tuple(each for each in known.loads if each.size > 0 and each.offset + each.size <= size)
    fields = [each for each in known.fields if each.size >= 8 and each.offset + each.size <= size]
    fits: list[Field] = []
    total = 0
    for each in sorted(fields, key=lambda each: -each.size):  # the format's limit is twice the file
        if total + each.size <= 2 * size and len(fits) < MOST_FIELDS:
            fits.append(each)
            total += each.size
    if not loads or not fits or len(loads) > MOST_RANGES:
        return None
    return Known(known.machine, loads, tuple(sorted(fits, key=lambda each: (each.offset, each.place))))


def image_of(old: Known | None, new: Known | None) -> Image | None:
    """Return what a delta between two files has to know of the old one; None where it cannot know it."""
    if old is None or new is None or old.machine != new.machine or len(old.loads) != len(new.loads):
        return None
    pairs = zip(old.loads, new.loads, strict=True)
    ranges = (Range(*one, other.address - other.offset - one.address + one.offset) for one, other in pairs)
    return Image(tuple(ranges), old.fields)


def marked(image: Image, old: bytes, new: bytes, pieces: Sequence[tuple[int, int, int]]) -> Image:
    """Return an image that knows where data without bytes in the file have gone, by what code for x86-64 names in both files."""
    moves = Moves(image, pieces)
    votes: dict[int, Counter[int]] = {}
    loaded = [(each.address, each.address + each.size) for each in image.ranges]
    code = [each for each in image.fields if each.kind == "x86"]
    for field, (first, size, move) in itertools.product(code, pieces):
        begin, end = max(first, field.offset), min(first + size, field.offset + field.size)
        found = moves.range_of(begin)
        if begin >= end or found is None:
            continue
        for match in X86.finditer(old, begin, end):
            place = match.end() - 4
            before, after = (_SIGNED.unpack_from(data, at)[0] for data, at in ((old, place), (new, place + move)))
            target = found.address + place - found.offset + 4 + before
            if target > loaded[0][0] and not any(start <= target < stop for start, stop in loaded):
                votes.setdefault(target, Counter())[after - before + move + found.slide] += 1
    return Image(image.ranges, image.fields, _marks(votes, moves))


def _marks(votes: Mapping[int, Counter[int]], moves: Moves) -> tuple[tuple[int, int], ...]:
    """Return from where on things have gone how far, where several references say so together."""
    runs = [(target, *counts.most_common(1)[0]) for target, counts in sorted(votes.items())]
    for least in (1, 2, _ENOUGH):  # what looks like a reference, and is none, stands between others
        merged: list[tuple[int, int, int]] = []
        for target, shift, count in runs:
            if merged and merged[-1][1] == shift:
                merged[-1] = (merged[-1][0], shift, merged[-1][2] + count)
            elif count >= least:
                merged.append((target, shift, count))
        runs = merged
    marks: list[tuple[int, int]] = []
    for target, shift, _ in runs:
        if shift != (marks[-1][1] if marks else moves.shift(target)):
            marks.append((target, shift))
    return tuple(marks[:MOST_MARKS])


def comparable(data: bytes, known: Known) -> bytes:
    """Return a file without its addresses, which is compared instead of it: so code is found wherever it went.

    In tables, the distance from one row to the next stays: without, all rows would be alike.
    """
    out = bytearray(data)
    for each in known.fields:
        if each.kind == "x86":
            for match in X86.finditer(data, each.offset, each.offset + each.size):
                out[match.end() - 4 : match.end()] = bytes(4)
        elif each.kind == "arm64":
            _bare_arm64(out, each)
        elif each.kind == "table":
            form = struct.Struct("<I" if each.width == 4 else "<Q")
            before, mask = 0, (1 << 8 * each.width) - 1
            for place in range(each.offset + each.place, each.offset + each.size - each.width + 1, each.stride):
                (value,) = form.unpack_from(data, place)
                form.pack_into(out, place, value - before & mask)
                before = value
    return bytes(out)


def _bare_arm64(out: bytearray, field: Field) -> None:
    for place in range(field.offset, field.offset + field.size - 3, 4):
        high = out[place + 3]
        if high & 0x7C == 0x14:  # b, bl
            out[place : place + 4] = bytes((0, 0, 0, high & 0xFC))
        elif high & 0x9F == 0x90:  # adrp: its register stays
            out[place : place + 4] = bytes((out[place] & 31, 0, 0, 0x90))


def moved_difference(old: bytes, new: bytes, steps: Sequence[tuple[int, int, int]], moves: Moves) -> tuple[bytes, bytes]:
    """Return difference and literal of a delta whose old bytes are moved first."""
    at = there = 0
    difference, literal = [], []
    for same, fresh, jump in steps:
        difference.append(difference_of(old[at : at + same], new[there : there + same], at, there, moves))
        literal.append(new[there + same : there + same + fresh])
        at, there = at + same + jump, there + same + fresh
    return b"".join(difference), b"".join(literal)


def difference_of(old: bytes, new: bytes, at: int, there: int, moves: Moves) -> bytes:
    """Return what is to be added to a piece of an old file, which is taken in parts as whoever applies it does."""
    parts = []
    for start in range(0, len(old), CHUNK):
        part = moves.applied(old[start : start + CHUNK], at + start, there - at)
        parts.append(_minus(new[start : start + CHUNK], part))
    return b"".join(parts)


def _minus(new: bytes, old: bytes) -> bytes:
    """Take bytes from bytes, each modulo 256: all at once, as two large numbers that borrow inside their bytes."""
    if new == old:
        return bytes(len(new))
    tops, sevens = (int.from_bytes(each * len(new), "little") for each in (b"\x80", b"\x7f"))
    one, other = int.from_bytes(new, "little"), int.from_bytes(old, "little")
    return (((one | tops) - (other & sevens)) ^ (one ^ other ^ tops) & tops).to_bytes(len(new), "little")


def _elf(data: bytes) -> Known | None:
    """Read ELF64 (System V gABI, chapters 4 and 5)."""
    machine = _ELF_MACHINES.get(struct.unpack_from("<H", data, 18)[0])
    if machine is None:
        return None
    programs, sections = struct.unpack_from("<QQ", data, 32)
    program_size, program_count, section_size, section_count, names = struct.unpack_from("<5H", data, 54)
    loads = []
    for number in range(program_count):
        kind, _, offset, address, _, size = struct.unpack_from("<IIQQQQ", data, programs + number * program_size)
        if kind == 1:  # PT_LOAD
            loads.append(_Load(offset, size, address))
    heads = [struct.unpack_from("<IIQQQQIIQQ", data, sections + number * section_size) for number in range(section_count)]
    fields: list[Field] = []
    for name, kind, flags, address, offset, size, *_ in heads:
        at = heads[names][4] + name
        fields += _elf_section(machine, data[at : data.index(b"\0", at)], (kind, flags, address, offset, size))
    return Known(machine, tuple(loads), tuple(fields))


def _elf_section(machine: Kind, name: bytes, section: tuple[int, int, int, int, int]) -> Iterable[Field]:
    kind, flags, address, offset, size = section
    if kind == 4:  # SHT_RELA: r_offset and r_addend
        yield Field("table", offset, size, 24, 0, 8)
        yield Field("table", offset, size, 24, 16, 8)
    elif kind in (2, 11):  # SHT_SYMTAB, SHT_DYNSYM: st_value
        yield Field("table", offset, size, 24, 8, 8)
    elif kind == 8:  # SHT_NOBITS
        return
    elif flags & 4:  # SHF_EXECINSTR
        yield Field(machine, offset, size)
    elif name == b".eh_frame_hdr":  # a table of pairs that count from its begin (LSB 10.6.2)
        yield Field("table", offset + 12, size - 12, 8, 0, 4, address)
        yield Field("table", offset + 12, size - 12, 8, 4, 4, address)
    elif name == b".eh_frame":  # code by its distance; and what an entry belongs to, by how far before it that stands
        yield Field("frames", offset, size)
    elif kind == 1 and flags & 3 == 2:  # PROGBITS, loaded and not written: jump tables in .rodata
        yield Field("near", offset, size)
    elif flags & 1 and kind in (1, 14, 15, 16):  # SHF_WRITE: .data, .got, .init_array …
        yield Field("table", offset, size, 8, 0, 8)


def _pe(data: bytes) -> Known | None:
    """Read PE32+ (Microsoft: "PE Format")."""
    (at,) = struct.unpack_from("<I", data, 60)
    machine = _PE_MACHINES.get(struct.unpack_from("<H", data, at + 4)[0])
    if data[at : at + 4] != b"PE\0\0" or machine is None or struct.unpack_from("<H", data, at + 24)[0] != 0x20B:
        return None
    (count,), (optional,) = struct.unpack_from("<H", data, at + 6), struct.unpack_from("<H", data, at + 20)
    (base,) = struct.unpack_from("<Q", data, at + 48)
    loads, fields = [], []
    for number in range(count):
        head = struct.unpack_from("<8sIIIIIIHHI", data, at + 24 + optional + 40 * number)
        name, memory, address, raw, offset, flags = *head[:5], head[9]
        size = min(memory, raw)
        loads.append(_Load(offset, size, base + address))
        if flags & 0x20000000:  # IMAGE_SCN_MEM_EXECUTE
            fields.append(Field(machine, offset, size))
        elif name.rstrip(b"\0") == b".pdata":  # RVAs: of x86-64 three in a row, of ARM64 one with packed data
            row = 12 if machine == "x86" else 8
            fields += [Field("table", offset, size, row, place, 4, base) for place in range(0, row, 4)]
        elif flags & 0x40:  # IMAGE_SCN_CNT_INITIALIZED_DATA
            fields.append(Field("table", offset, size, 8, 0, 8))
    return Known(machine, tuple(loads), tuple(fields))


def _mach(data: bytes) -> Known | None:
    """Read Mach-O of 64 bits (``mach-o/loader.h``)."""
    machine = _MACH_MACHINES.get(struct.unpack_from("<I", data, 4)[0])
    if machine is None:
        return None
    (count,) = struct.unpack_from("<I", data, 16)
    at = 32
    loads: list[_Load] = []
    fields: list[Field] = []
    for _ in range(count):
        kind, size = struct.unpack_from("<II", data, at)
        if kind == 0x19:  # LC_SEGMENT_64
            address, _, offset, bytes_, *_, sections, _ = struct.unpack_from("<QQQQIIII", data, at + 24)
            loads.append(_Load(offset, bytes_, address))
            for number in range(sections):
                fields += _mach_section(machine, struct.unpack_from("<16s16sQQIIIII", data, at + 72 + 80 * number))
        at += max(8, size)
    return Known(machine, tuple(loads), tuple(fields))


def _mach_section(machine: Kind, section: tuple[bytes, bytes, int, int, int, int, int, int, int]) -> Iterable[Field]:
    name, segment, _, size, offset, *_, flags = section
    if not offset or flags & 0xFF in (1, 12, 18):  # S_ZEROFILL and its like have no bytes
        return
    if flags & 0x80000400:  # S_ATTR_PURE_INSTRUCTIONS, S_ATTR_SOME_INSTRUCTIONS
        yield Field(machine, offset, size)
    elif segment.rstrip(b"\0") == b"__TEXT" and name.rstrip(b"\0") in (b"__eh_frame", b"__const"):
        yield Field("frames" if name.startswith(b"__eh") else "near", offset, size)
