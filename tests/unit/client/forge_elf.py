"""Small ELF files with machine code that calls itself, in two versions, made byte by byte."""

from __future__ import annotations

import functools
import random
import struct

CODE, DATA, BASE = 0x400, 0x20000, 0x10000
"""Where code and data stand in the files, and how much further in memory."""


def program(machine: str, sizes: list[int], calls: list[tuple[int, int]]) -> bytes:
    """Return an ELF file with functions of these sizes, calls from one into another, and a table of pointers to all of them."""
    starts = [sum(sizes[:number]) for number in range(len(sizes))]
    code = bytearray()
    for number, size in enumerate(sizes):
        code += bytes(random.Random(number).choices(range(0x70, 0x7D), k=size))  # noqa: S311 - no secret
    for number, (caller, callee) in enumerate(calls):
        place = starts[caller] + 8 + 12 * (number % ((sizes[caller] - 24) // 12))
        if machine == "x86":
            code[place : place + 5] = b"\xe8" + struct.pack("<i", starts[callee] - place - 5)
        elif number % 2:
            place &= ~3
            code[place : place + 4] = struct.pack("<I", 0x94000000 | (starts[callee] - place >> 2) & 0x3FFFFFF)
        else:  # adrp x3, page; add x3, x3, #low
            place &= ~3
            target, here = CODE + starts[callee], CODE + place
            pages = (target >> 12) - (here >> 12)
            adrp = 0x90000003 | (pages & 3) << 29 | (pages >> 2 & 0x7FFFF) << 5
            code[place : place + 8] = struct.pack("<II", adrp, 0x91000063 | (target & 0xFFF) << 10)
    table = b"".join(struct.pack("<Q", CODE + start) for start in starts)
    names = b"\0.text\0.data\0.names\0"
    file = bytearray(DATA)
    file[CODE : CODE + len(code)] = code
    file += table
    at_names = len(file)
    file += names
    heads = len(file)
    for row in (
        (1, 1, 6, CODE, CODE, len(code)),
        (7, 1, 3, DATA + BASE, DATA, len(table)),
        (13, 3, 0, 0, at_names, len(names)),
    ):
        file += struct.pack("<IIQQQQIIQQ", *row, 0, 0, 8, 0)
    file[:64] = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 3, 62 if machine == "x86" else 183, 1, 0, 64, heads, 0, 64, 56, 2, 64, 3, 2)
    file[64:176] = b"".join(
        struct.pack("<IIQQQQQQ", 1, 5, offset, address, address, size, size, 4096)
        for offset, address, size in ((0, 0, CODE + len(code)), (DATA, DATA + BASE, len(table)))
    )
    return bytes(file)


@functools.cache
def versions(machine: str) -> tuple[bytes, bytes]:
    """Return two versions of a program, of which the second has some longer functions."""
    dice = random.Random(5)  # noqa: S311 - no secret
    sizes = [dice.randrange(60, 300) & ~3 for _ in range(300)]
    calls = [(dice.randrange(300), dice.randrange(300)) for _ in range(2000)]
    longer = [size + (4 * dice.randrange(1, 30) if number % 17 == 5 else 0) for number, size in enumerate(sizes)]
    return program(machine, sizes, calls), program(machine, longer, calls)
