"""The differences between two files, by bsdiff4: what of the new one is an old piece with small changes, and what is new.

Its way to write them into a file is not used: whoever applies a patch has the standard library and nothing else.
https://www.daemonology.net/bsdiff/ describes the method.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

WINDOW: Final = 16 << 20
"""Longer files are compared piece by piece: memory is some twenty times what is compared."""

_TRIPLE: Final = struct.Struct("<QQQ")
_SIGN: Final = 1 << 63


@dataclass(frozen=True)
class Difference:
    """How a file is made of another.

    Attributes:
        steps: Bytes that are old ones plus a difference, bytes that are new, and how far to go then in the old file.
        difference: What is to be added, byte by byte.
        literal: What is new.
    """

    steps: tuple[tuple[int, int, int], ...]
    difference: bytes
    literal: bytes


def differences(old: bytes, new: bytes) -> Difference:
    """Compare two files."""
    steps: list[tuple[int, int, int]] = []
    parts, literals = [], []
    at = 0  # where whoever applies it stands in the old file
    for start, here, there in _windows(len(old), len(new)):
        if steps and start != at:
            same, fresh, jump = steps[-1]
            steps[-1] = (same, fresh, jump + start - at)
        elif start != at:
            steps.append((0, 0, start - at))
        at = start
        for same, fresh, jump, part, literal in _compare(old[start : start + here], new[there : there + WINDOW]):
            steps.append((same, fresh, jump))
            parts.append(part)
            literals.append(literal)
            at += same + jump
    if steps:  # nobody goes on from there
        steps[-1] = (*steps[-1][:2], 0)
    return Difference(tuple(steps), b"".join(parts), b"".join(literals))


def _windows(old: int, new: int) -> Iterator[tuple[int, int, int]]:
    """Yield begin and length of a piece of the old file, and the begin of the piece of the new one that is compared with it."""
    for there in range(0, new, WINDOW):
        if old <= 2 * WINDOW:
            yield 0, old, there
        else:
            centre = there * old // new  # the same place, if it was moved as everything was
            start = max(0, min(centre - WINDOW // 2, old - 2 * WINDOW))
            yield start, 2 * WINDOW, there


def _compare(old: bytes, new: bytes) -> Iterator[tuple[int, int, int, bytes, bytes]]:
    from bsdiff4 import core  # noqa: PLC0415 - loaded when a patch is made

    control, difference, literal = core.diff(old, new)
    done = fresh_done = 0
    for same, fresh, jump in _TRIPLE.iter_unpack(control):
        part = difference[done : done + same]
        yield same, fresh, _signed(jump), part, literal[fresh_done : fresh_done + fresh]
        done, fresh_done = done + same, fresh_done + fresh


def _signed(value: int) -> int:
    """Read a number as bsdiff writes it: it has a sign bit and is no two's complement."""
    return -(value & ~_SIGN) if value & _SIGN else value
