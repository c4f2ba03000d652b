"""Compiled code moves when something before it grows: addresses in an old file, as they are likely to be in the new one.

An executable file (ELF, PE, Mach-O) names its own places again and again: in calls, in tables of relocations and symbols, in
what unwinds the stack. A delta moves pieces of the old file; from these moves follows where each place has gone, and so what each
address has become. Where that is right, the difference to the new file is nothing.

Nothing here reads a file's format: the patch says where which kind of addresses stands. Whatever it says, only other bytes come
of it, and these are compared with a digest in the end. Standard library only; runs inside people's apps.
"""

from __future__ import annotations

import heapq
import re
import struct
from bisect import bisect_right
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

MOST_RANGES: Final = 32
MOST_FIELDS: Final = 64
MOST_MARKS: Final = 1024
MOST_ADDRESS: Final = (1 << 63) - 1
MOST_STRIDE: Final = 64
MOST_PIECES: Final = 1 << 17
"""Pieces of the old file that a delta with addresses may take: where each has gone is held in memory."""

_WORD: Final = (1 << 32) - 1
_LONG: Final = (1 << 64) - 1
_SIGNED: Final = struct.Struct("<i")
_HALF: Final = struct.Struct("<I")
_WHOLE: Final = struct.Struct("<Q")

X86: Final = re.compile(
    rb"(?:[\xe8\xe9]|\x0f[\x80-\x8f]|"
    rb"[\x00-\x3f\x51-\x5f\x63\x69\x6b\x6e\x6f\x7e-\x8f\xaf\xb6\xb7\xbe\xbf\xc6\xc7\xd6\xf6\xf7\xff][\x05\x0d\x15\x1d\x25\x2d\x35\x3d])"
    rb"...[\x00\xff]",
    re.DOTALL,
)
"""x86-64: call, jmp and jcc with four bytes of distance; and what takes its operand from so many bytes behind itself (ModR/M with
mod 0 and r/m 5). A distance of more than 16 MiB is not looked for: what looks like one is mostly none."""
_ARM64: Final = re.compile(rb"[\x14-\x17\x90\x94-\x97\xb0\xd0\xf0]")
"""The last byte of what may be b, bl (imm26) or adrp on AArch64."""
_NEAR_ADRP: Final = 4
"""Instructions behind an adrp among which the one is looked for that adds the lower twelve bits."""


Kind = Literal["x86", "arm64", "near", "table", "frames"]
KINDS: Final[tuple[Kind, ...]] = ("x86", "arm64", "near", "table", "frames")
"""Kinds of fields; a patch names each by its place here."""


class Range(NamedTuple):
    """A part of an old file that is loaded somewhere.

    Attributes:
        offset: Where it begins in the file.
        size: Its bytes in the file.
        address: Where it is loaded.
        slide: How much further from its place in the file the new one is loaded.
    """

    offset: int
    size: int
    address: int
    slide: int


class Field(NamedTuple):
    """A part of an old file that has addresses in it.

    Attributes:
        kind: ``x86`` or ``arm64``: code; ``table``: numbers at regular places; ``near``: words that count from where they stand;
            ``frames``: pairs of words, how far before them stands what they belong to, and such a distance to code.
        offset: Where it begins in the file.
        size: Its bytes.
        stride: Of a table, bytes of a row.
        place: Of a table, where in a row the number stands.
        width: Of a table, bytes of the number: 4 or 8.
        base: Of a table, the address that the number counts from.
    """

    kind: Kind
    offset: int
    size: int
    stride: int = 0
    place: int = 0
    width: int = 0
    base: int = 0


@dataclass(frozen=True)
class Image:
    """Where an old file is loaded, and where its addresses stand; empty for a file of which nothing is known."""

    ranges: tuple[Range, ...] = ()
    fields: tuple[Field, ...] = ()
    marks: tuple[tuple[int, int], ...] = ()
    """Addresses, and how much further on what is there and behind it is loaded: for what has no bytes in the file, as .bss."""

    def lies_in(self, size: int) -> bool:
        """Tell whether all of it lies in a file of so many bytes, which it goes through twice at most."""
        ends = [each.offset + each.size for each in self.ranges] + [each.offset + each.size for each in self.fields]
        return max(ends, default=0) <= size and sum(each.size for each in self.fields) <= 2 * size


def moved_pieces(triples: Iterable[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Return the pieces that a delta takes from an old file: first byte, bytes, and how much further on they come to stand.

    Two that go on where the other ends are one: so it does not matter where segments cut them.

    Raises:
        ValueError: There are more than `MOST_PIECES`.
    """
    pieces: list[tuple[int, int, int]] = []
    at = new = 0
    for same, fresh, jump in triples:
        if same:
            first, size, move = pieces[-1] if pieces else (0, 0, 0)
            if pieces and first + size == at and move == new - at:
                pieces[-1] = (first, size + same, move)
            else:
                pieces.append((at, same, new - at))
                if len(pieces) > MOST_PIECES:
                    msg = f"a delta with addresses takes more than {MOST_PIECES} pieces of a file"
                    raise ValueError(msg)
        at, new = at + same + jump, new + same + fresh
    return pieces


def _flat(pieces: Iterable[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """Return from where on in the old file how far things move: of several pieces at one place the longest counts."""
    starts = sorted((first, -size, move) for first, size, move in pieces)
    bounds = sorted({each for first, size, _ in starts for each in (first, first - size)})
    found: list[tuple[int, int]] = []
    heap: list[tuple[int, int, int]] = []
    index = 0
    for bound in bounds:
        while index < len(starts) and starts[index][0] <= bound:
            first, size, move = starts[index]
            heapq.heappush(heap, (size, first - size, move))
            index += 1
        while heap and heap[0][1] <= bound:
            heapq.heappop(heap)
        if heap and (not found or found[-1][1] != heap[0][2]):  # where nothing is known, what was last goes on
            found.append((bound, heap[0][2]))
    return found


class Moves:
    """What a delta does to the addresses of a file.

    Args:
        image: What is known of the old file.
        pieces: `moved_pieces` of the delta.
    """

    def __init__(self, image: Image, pieces: Sequence[tuple[int, int, int]]) -> None:
        flat = _flat(pieces)
        starts = [first for first, _ in flat]
        self._bounds: list[int] = []
        self._shifts: list[int] = []
        for each in sorted(image.ranges, key=lambda each: each.address):
            index = max(0, bisect_right(starts, each.offset) - 1)
            while index < len(flat) and (first := flat[index][0]) < each.offset + each.size:
                self._bounds.append(each.address + max(0, first - each.offset))
                self._shifts.append(flat[index][1] + each.slide)
                index += 1
        if image.marks:
            known = sorted([*zip(self._bounds, self._shifts, strict=True), *image.marks], key=itemgetter(0))  # of two, the mark
            self._bounds, self._shifts = ([each[place] for each in known] for place in (0, 1))
        self._image = image
        self._code = [
            (self.address(each.offset), self.address(each.offset) + each.size)
            for each in image.fields
            if each.kind in ("x86", "arm64")
        ]
        parts: tuple[Range | Field, ...] = (*image.ranges, *image.fields)
        self._cuts = sorted({0, *(each.offset for each in parts), *(each.offset + each.size for each in parts)})
        self._between = [
            (tuple(each for each in image.fields if each.offset <= cut < each.offset + each.size), self.range_of(cut))
            for cut in self._cuts
        ]
        """Between one cut and the next: the fields there, and the range."""
        self._works: dict[str, Callable[[Field, bytearray, int, int, int, int], None]] = {
            "x86": self._x86,
            "arm64": self._arm64,
            "near": self._near,
            "frames": self._frames,
            "table": self._table,
        }

    def address(self, offset: int) -> int:
        """Return where a byte of the old file is loaded."""
        found = self.range_of(offset)
        return offset if found is None else found.address + offset - found.offset

    def range_of(self, offset: int) -> Range | None:
        """Return the range in which a byte of the old file lies; None where it is not loaded."""
        return next((each for each in self._image.ranges if each.offset <= offset < each.offset + each.size), None)

    def shift(self, address: int) -> int:
        """Return how much further on a place is loaded in the new file."""
        index = bisect_right(self._bounds, address)
        return self._shifts[index - 1] if index else 0

    def applied(self, data: bytes, at: int, move: int) -> bytes:
        """Return old bytes as they are likely to be in the new file.

        Args:
            data: Bytes of the old file.
            at: Where in it they stand.
            move: How much further on they stand in the new one.
        """
        end = at + len(data)
        index = bisect_right(self._cuts, at)
        if index == len(self._cuts) or end <= self._cuts[index]:  # nearly all pieces are small, and lie between two cuts
            fields, found = self._between[index - 1]
            if not fields:
                return data
            changed = bytearray(data)
            address, here = (at, move) if found is None else (found.address + at - found.offset, move + found.slide)
            for each in fields:
                self._works[each.kind](each, changed, 0, len(data), address, here)
            return bytes(changed)
        out = None
        for each in self._image.fields:
            first, last = max(at, each.offset), min(end, each.offset + each.size)
            if first < last:
                out = bytearray(data) if out is None else out
                found = self.range_of(first)
                here = move + (found.slide if found else 0)
                self._works[each.kind](each, out, first - at, last - at, self.address(first) - (first - at), here)
        return data if out is None else bytes(out)

    def _x86(self, _field: Field, out: bytearray, first: int, last: int, address: int, here: int) -> None:
        bounds, shifts, unpack, pack = self._bounds, self._shifts, _SIGNED.unpack_from, _HALF.pack_into
        base = address + 4
        for match in X86.finditer(bytes(out), first, last):
            place = match.end() - 4
            (value,) = unpack(out, place)
            index = bisect_right(bounds, base + place + value)
            if index and (shift := shifts[index - 1]) != here:
                pack(out, place, (value + shift - here) & _WORD)

    def _arm64(self, field: Field, out: bytearray, first: int, last: int, address: int, here: int) -> None:
        unpack, pack = _HALF.unpack_from, _HALF.pack_into
        skip = (address - self.address(field.offset)) & 3  # instructions stand at whole words of the field
        for match in _ARM64.finditer(bytes(out), first + 3, last):
            place = match.start() - 3
            if (place + skip) & 3:
                continue
            (word,) = unpack(out, place)
            if word & 0x7C000000 == 0x14000000:
                target = address + place + (((word & 0x3FFFFFF) ^ 0x2000000) - 0x2000000 << 2)
                if move := self.shift(target) - here:
                    pack(out, place, word & 0xFC000000 | (word + (move >> 2)) & 0x3FFFFFF)
            elif word & 0x9F000000 == 0x90000000:
                self._adrp(out, place, last, address + place, here)

    def _adrp(self, out: bytearray, place: int, last: int, address: int, here: int) -> None:
        """Move what an adrp and the instruction that adds its lower bits name together."""
        (word,) = _HALF.unpack_from(out, place)
        pages = ((word >> 3 & 0x1FFFFC | word >> 29 & 3) ^ 0x100000) - 0x100000
        register = word & 31
        for second in range(place + 4, min(place + 4 * _NEAR_ADRP + 1, last - 3), 4):
            (other,) = _HALF.unpack_from(out, second)
            if other >> 5 & 31 != register:
                continue
            if other & 0xFFC00000 == 0x91000000:  # add, 64 bits
                scale = 0
            elif other & 0x3B000000 == 0x39000000:  # ldr and str with an offset that counts in what is loaded
                scale = 4 if other & 0x04800000 == 0x04800000 else other >> 30
            else:
                continue
            target = ((address >> 12) + pages << 12) + ((other >> 10 & 0xFFF) << scale)
            there = target + self.shift(target)
            moved = (there >> 12) - (address + here >> 12)
            _HALF.pack_into(out, place, word & 0x9F00001F | (moved & 3) << 29 | (moved >> 2 & 0x7FFFF) << 5)
            low = there & 0xFFF
            if not low & (1 << scale) - 1:
                _HALF.pack_into(out, second, other & 0xFFC003FF | low >> scale << 10)
            return

    def _near(self, field: Field, out: bytearray, first: int, last: int, address: int, here: int) -> None:
        skip = -(address + first - self.address(field.offset)) % 4
        for place in range(first + skip, last - 3, 4):
            (value,) = _SIGNED.unpack_from(out, place)
            target = address + place + value
            for begin, end in self._code:  # mostly one: faster than `any`
                if begin <= target < end:
                    if (shift := self.shift(target)) != here:
                        _HALF.pack_into(out, place, (value + shift - here) & _WORD)
                    break

    def _frames(self, field: Field, out: bytearray, first: int, last: int, address: int, here: int) -> None:
        """Move what an entry of .eh_frame (LSB 10.6.1) begins with behind its length; other words look otherwise."""
        start = self.address(field.offset)
        skip = -(address + first - start) % 4
        (before,) = _HALF.unpack_from(out, first + skip) if first + skip <= last - 4 else (0,)
        for place in range(first + skip + 4, last - 3, 4):
            back, (before,) = before, _HALF.unpack_from(out, place)
            if not back or back & 3 or back > address + place - 4 - start:
                continue
            (value,) = _SIGNED.unpack_from(out, place)
            target = address + place + value
            if any(begin <= target < end for begin, end in self._code):
                owner = self.shift(address + place - 4 - back)
                _HALF.pack_into(out, place - 4, (back + here - owner) & _WORD)
                _HALF.pack_into(out, place, (value + self.shift(target) - here) & _WORD)

    def _table(self, field: Field, out: bytearray, first: int, last: int, address: int, _here: int) -> None:
        base, width = field.base, field.width
        form, mask = (_HALF, _WORD) if width == 4 else (_WHOLE, _LONG)
        zero = self.shift(base)
        begin = first + (field.place - (address + first - self.address(field.offset))) % field.stride
        bounds, shifts = self._bounds, self._shifts
        for place in range(begin, last - width + 1, field.stride):
            (value,) = form.unpack_from(out, place)
            index = bisect_right(bounds, (base + value) & mask)
            if index and (shift := shifts[index - 1] - zero):
                form.pack_into(out, place, (value + shift) & mask)
