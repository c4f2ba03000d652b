"""What is linked for musl names no C library: the one of the process serves it."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend.tools import elf
from pypackpack.backend.tools.workers.cross_compiler import Compiler
from pypackpack.model.errors import WorkError

if TYPE_CHECKING:
    from pathlib import Path

STRINGS = b"\0libc.so\0libz.so.1\0"
NEEDED, SONAME = 1, 14


def _library(*entries: tuple[int, int], wide: bool, order: str = "<") -> bytes:
    """Return the least ELF file that has a dynamic section; its entries are (tag, value), the strings' places those of STRINGS."""
    layout = struct.Struct(f"{order}qQ" if wide else f"{order}iI")
    dynamic = b"".join(layout.pack(*entry) for entry in (*entries, (0, 0)))
    start = 64
    sections = [(3, start, len(STRINGS), 0), (6, start + len(STRINGS), len(dynamic), 0)]
    table = start + len(STRINGS) + len(dynamic)
    head = bytearray(start)
    head[:6] = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2])
    size = 64 if wide else 40
    struct.pack_into(f"{order}Q10xHH" if wide else f"{order}I10xHH", head, 0x28 if wide else 0x20, table, size, len(sections))
    rows = bytearray(size * len(sections))
    for index, (kind, offset, length, link) in enumerate(sections):
        struct.pack_into(f"{order}4xI16xQQI" if wide else f"{order}4xI8xIII", rows, index * size, kind, offset, length, link)
    return bytes(head) + STRINGS + dynamic + bytes(rows)


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("order", ["<", ">"])
def test_one_library_is_taken_away_and_the_others_stay(order: str, *, wide: bool) -> None:
    made = _library((NEEDED, 1), (NEEDED, 9), (SONAME, 1), wide=wide, order=order)
    expected = _library((NEEDED, 9), (SONAME, 1), (0, 0), wide=wide, order=order)
    assert elf.without_needed(made, "libc.so") == expected
    assert elf.without_needed(expected, "libc.so") == expected


@pytest.mark.parametrize("data", [b"", b"MZ\0\0", _library((NEEDED, 1), wide=True)[:60]])
def test_what_is_no_library_is_an_error(data: bytes) -> None:
    with pytest.raises(WorkError, match="not an ELF file"):
        elf.without_needed(data, "libc.so")


@pytest.mark.parametrize(
    ("program", "words", "bare"),
    [
        ("cc", ["-shared", "a.o"], True),
        ("cc", ["-shared", "a.o", "-lstdc++"], False),
        ("c++", ["-shared", "a.o"], False),  # without libraries it would have no libc++ either
        ("cc", ["a.o"], False),
    ],
)
def test_only_c_modules_are_linked_without_libraries(program: str, words: list[str], bare: bool, tmp_path: Path) -> None:
    facts = dict.fromkeys(("zig", "library", "arch", "libs", "python", "refusal"), "")
    place = tmp_path / "compiler.json"
    place.write_text(json.dumps({**facts, "triple": "aarch64-linux-musl", "format": "elf", "include": [], "variables": {}}))
    assert ("-nostdlib" in Compiler(str(place)).linking(program, words)) is bare
