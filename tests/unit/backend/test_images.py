"""Reading linked files: what real ones say, and that nothing hostile does more than be refused."""

from __future__ import annotations

import importlib.machinery
import struct
import sys
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pypackpack.backend.images import NoImageError, is_image, read_images
from pypackpack.backend.images.text import LONGEST, Names
from tests.crafted import elf

GOOD = elf(needs=("libc.so.6", "libm.so.6"), exports=("PyInit_x",), imports=("PyList_New",), path="$ORIGIN/lib")


def wasm(*sections: tuple[int, bytes]) -> bytes:
    return b"\0asm\1\0\0\0" + b"".join(bytes([kind, len(data)]) + data for kind, data in sections)


def text(word: str) -> bytes:
    return bytes([len(word)]) + word.encode()


DYLINK = (0, text("dylink.0") + bytes([2, 1 + len(text("libz.so"))]) + b"\1" + text("libz.so"))
WASM = wasm(
    DYLINK,
    (2, b"\2" + text("env") + text("PyList_New") + b"\0\0" + text("env") + text("memory") + b"\2\1\1\2"),
    (7, b"\1" + text("PyInit_x") + b"\0\0"),
)


def macho(cpu: int, *commands: bytes) -> bytes:
    body = b"".join(commands)
    return struct.pack("<4siiIIIII", b"\xcf\xfa\xed\xfe", cpu, 0, 8, len(commands), len(body), 0, 0) + body


def command(kind: int, word: str) -> bytes:
    body = word.encode() + b"\0" * (8 - len(word) % 8)
    return struct.pack("<IIIIII", kind, 24 + len(body), 24, 0, 0, 0) + body


BUILT = struct.pack("<IIIIII", 0x32, 24, 1, 11 << 16 | 3 << 8, 0, 0)
ARM = macho(0x0100000C, command(0xC, "/usr/lib/libSystem.B.dylib"), command(0x8000001C, "@loader_path"), BUILT)
INTEL = macho(0x01000007, struct.pack("<IIII", 0x24, 16, 10 << 16 | 13 << 8, 0))
FAT = struct.pack(">II", 0xCAFEBABE, 2) + struct.pack(">iiIII", 7, 3, 48, len(ARM), 0)
FAT += struct.pack(">iiIII", 7, 3, 48 + len(ARM), len(INTEL), 0) + ARM + INTEL


def test_elf() -> None:
    (found,) = read_images(GOOD)
    assert (found.format, found.machine, found.needs, found.paths) == (
        "elf",
        "x86_64",
        ("libc.so.6", "libm.so.6"),
        ("$ORIGIN/lib",),
    )
    assert (found.exports, found.imports) == ({"PyInit_x"}, {"PyList_New"})
    assert read_images(elf(183))[0].machine == "aarch64"
    assert read_images(elf(9999))[0].machine == "ELF machine 9999"


def test_wasm() -> None:
    (found,) = read_images(WASM)
    assert (found.machine, found.needs) == ("wasm32", ("libz.so",))
    assert (found.exports, found.imports) == ({"PyInit_x"}, {"PyList_New", "memory"})
    with pytest.raises(NoImageError, match=r"no section dylink\.0"):
        read_images(wasm())


def test_mach_o_of_two_processors() -> None:
    arm, intel = read_images(FAT)
    assert (arm.machine, arm.platform, arm.oldest, arm.paths) == ("arm64", "macos", (11, 3), ("@loader_path",))
    assert arm.needs == ("/usr/lib/libSystem.B.dylib",)
    assert (intel.machine, intel.oldest, intel.signed) == ("x86_64", (10, 13), False)


@pytest.mark.skipif(sys.platform == "win32", reason="Python is put together of other files there")
def test_tables_that_say_the_same_again_and_again() -> None:
    """A small file whose names would fill the memory, or whose table is read a hundred thousand times."""
    names = Names(b"a" * 4000 + b"\0")
    assert names.at(3999) == "a"
    with pytest.raises(ValueError, match="its names are longer than it is"):
        sum(len(names.at(place)) for place in [*range(4000)] * 2)
    table = struct.pack("<IIIIII", 2, 24, 0, 0, 0, 0)
    assert read_images(macho(0x0100000C, table))
    with pytest.raises(NoImageError, match="two tables of symbols"):
        read_images(macho(0x0100000C, table, table))


def test_an_extension_module_of_this_python() -> None:
    folders = [Path(sysconfig.get_path("platlib")), Path(str(sysconfig.get_config_var("DESTSHARED")))]
    ends = tuple(importlib.machinery.EXTENSION_SUFFIXES)
    module = next(file for folder in folders for file in sorted(folder.rglob("*")) if file.name.endswith(ends))
    for found in read_images(module.read_bytes()):
        assert any(name.startswith("PyInit_") for name in found.exports)
        assert any(name.startswith("Py") for name in found.imports)


def test_what_is_none() -> None:
    assert not is_image(b"#!/b")
    for data in (b"", b"hello", b"\x7fELF", b"MZ", b"MZ" + bytes(100), b"\xca\xfe\xba\xbe\0\0\xff\xff", b"\0asm", GOOD[:100]):
        with pytest.raises(NoImageError):
            read_images(data)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([GOOD, WASM, FAT, ARM]),
    st.lists(st.tuples(st.integers(0, 2000), st.binary(min_size=1, max_size=8)), max_size=6),
    st.integers(0, 2000),
)
def test_whatever_is_changed_it_is_read_or_refused(data: bytes, changes: list[tuple[int, bytes]], cut: int) -> None:
    changed = bytearray(data)
    for place, piece in changes:
        start = place % len(data)
        changed[start : start + len(piece)] = piece
    try:
        found = read_images(bytes(changed[: len(changed) - cut % len(data)]))
    except NoImageError:
        return
    for image in found:
        assert all(len(name) <= LONGEST for name in (*image.needs, *image.exports, *image.imports))
