"""Cuts what a patch has to make into segments, each of which is unpacked by itself, in bounded memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pypackpack.client.patch_format import MOST_CONTROL, MOST_DICTIONARY, MOST_MADE, Segment
from pypackpack.middleware.patch.addresses import difference_of
from pypackpack.middleware.patch.pack import pack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pypackpack.backend.tools.bsdiff import Difference
    from pypackpack.client.patch_image import Moves

Piece = tuple[int, int, int]
"""A piece of an old member: index, first byte, bytes."""

_TRIPLES: Final = MOST_CONTROL // 18
"""Triples in a segment; each number may take six bytes."""


@dataclass(frozen=True)
class Change:
    """A member that has to be made.

    Attributes:
        data: Its bytes.
        base: The old member that it is like; None where there is none.
        delta: How it is made of that one; None where it is literal.
        moves: Where the delta moves the old one's addresses; None where it moves none.
    """

    data: bytes
    base: int | None
    delta: Difference | None
    moves: Moves | None = None


@dataclass
class Segments:
    """Segments being filled.

    Attributes:
        codec: How streams are packed.
        old: Gives the bytes of a member of the primary.
        sizes: Bytes of the members of the primary.
        spare: Members of the primary that are in no result; members that are new may be like them.
        done: Finished segments, with their bytes.
    """

    codec: str
    old: Callable[[int], bytes]
    sizes: Sequence[int]
    spare: Sequence[int] = ()
    done: list[tuple[Segment, bytes]] = field(default_factory=list)
    _triples: list[tuple[int, int, int]] = field(default_factory=list)
    _difference: bytearray = field(default_factory=bytearray)
    _literal: bytearray = field(default_factory=bytearray)
    _pieces: list[Piece] = field(default_factory=list)
    _fresh: bool = False

    def add(self, change: Change) -> None:
        """Put a member behind the others."""
        size = len(change.data)
        if self._made and self._made + size > MOST_MADE and size <= MOST_MADE:
            self.close()  # a member begins a segment: there, applying can begin again after a cut
        if change.base is None:
            self._fresh = True
        if change.delta is None:
            at = 0
            while at < size:
                count = min(self._room(change, at), size - at)
                self._literal += change.data[at : at + count]
                at += count
            return
        at = used = fresh_used = old = 0
        for triple in change.delta.steps:
            same, fresh, jump = triple
            while same or fresh or jump:
                room = self._room(change, at)
                first = min(same, room)
                second = min(fresh, room - first) if first == same else 0
                last = first == same and second == fresh
                self._triples.append((first, second, jump if last else 0))
                self._difference += self._added(change, used, old, at, first)
                self._literal += change.delta.literal[fresh_used : fresh_used + second]
                used, fresh_used, at = used + first, fresh_used + second, at + first + second
                same, fresh, old = same - first, fresh - second, old + first
                if last:
                    old += jump
                    break

    def _added(self, change: Change, used: int, old: int, at: int, size: int) -> bytes:
        """Return the difference of a part of a piece, which may begin anywhere in it: a segment's end has cut it."""
        if change.delta is None or change.moves is None or change.base is None:
            return b"" if change.delta is None else change.delta.difference[used : used + size]
        return difference_of(self.old(change.base)[old : old + size], change.data[at : at + size], old, at, change.moves)

    @property
    def _made(self) -> int:
        return len(self._difference) + len(self._literal)

    def _room(self, change: Change, at: int) -> int:
        """Return how many bytes the segment still takes; a full one is closed before."""
        if self._made == MOST_MADE or len(self._triples) == _TRIPLES:
            self.close()
        self._refer(change, at)
        return MOST_MADE - self._made

    def _refer(self, change: Change, at: int) -> None:
        """Let the segment refer to what a member is like."""
        if change.base is None or any(old == change.base for old, _, _ in self._pieces):
            return
        size = self.sizes[change.base]
        free = MOST_DICTIONARY - sum(each for _, _, each in self._pieces)
        if size > free and self._made and free < MOST_DICTIONARY:
            self.close()
            free = MOST_DICTIONARY
        first = 0
        if size > free:  # the part around the same place
            centre = at * size // max(1, len(change.data)) + MOST_MADE // 2
            first = max(0, min(centre - free // 2, size - free))
            size = free
        if size:
            self._pieces.append((change.base, first, size))

    def close(self) -> None:
        """Finish a segment."""
        if not self._made:
            return
        pieces = tuple(self._pieces)
        if self._fresh:
            free = MOST_DICTIONARY - sum(size for _, _, size in pieces)
            used = {old for old, _, _ in pieces}
            spare = [(old, 0, self.sizes[old]) for old in self.spare if old not in used and self.sizes[old]]
            if spare and sum(size for _, _, size in spare) <= free:
                pieces = (*spare, *pieces)
        dictionary = b""
        if self.codec == "lzma" and self._literal:
            dictionary = b"".join(self.old(old)[first : first + size] for old, first, size in pieces)
        control = pack(self.codec, columns(self._triples))
        difference = pack(self.codec, bytes(self._difference))
        literal = pack(self.codec, bytes(self._literal), dictionary)
        data = control.data + difference.data + literal.data
        segment = Segment(
            self._made,
            pieces if literal.padding else (),
            literal.padding,
            literal.skip,
            (len(control.data), len(difference.data), len(literal.data)),
            len(columns(self._triples)),
            len(self._literal),
            hashlib.sha256(data).hexdigest(),
        )
        self.done.append((segment, data))
        self._triples, self._difference, self._literal = [], bytearray(), bytearray()
        self._pieces, self._fresh = [], False


def columns(triples: Iterable[tuple[int, int, int]]) -> bytes:
    """Return the control stream: all first numbers, all second ones, all third ones; these are zigzag coded."""
    rows = [(same, fresh, jump << 1 if jump >= 0 else (-jump << 1) - 1) for same, fresh, jump in triples]
    return b"".join(_number(row[column]) for column in range(3) for row in rows)


def _number(value: int) -> bytes:
    data = bytearray()
    while value > 0x7F:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    data.append(value)
    return bytes(data)
