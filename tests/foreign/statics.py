"""What an extension module has to be for a target and a Python, read from the file without running it.

Each check is for one file of a release wheel: the architecture, the one exported name, the libraries it wants, nothing
of the machine that made it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import lief

if TYPE_CHECKING:
    from collections.abc import Iterator

TAGS = {
    "linux_x86_64": "manylinux_2_17_x86_64",
    "linux_arm64": "manylinux_2_17_aarch64",
    "linux_musl_x86_64": "musllinux_1_2_x86_64",
    "linux_musl_arm64": "musllinux_1_2_aarch64",
    "windows_amd64": "win_amd64",
    "windows_arm64": "win_arm64",
    "macos_arm64": "macosx_11_0_arm64",
    "macos_x86_64": "macosx_10_13_x86_64",
    "macos_universal2": "macosx_10_13_universal2",
    "emscripten_wasm32": "wasm32",
}
MACOS_FLOORS = {"macos_arm64": [11, 0, 0], "macos_x86_64": [10, 13, 0]}


def suffix(target: str, series: tuple[int, int]) -> str:
    """Return what the file name of a module ends with, for a Python X.Y."""
    if "musl" in target and series < (3, 11):
        # The C library is a part of the name since 3.11; builds of 3.10 for musl differ in what they say.
        return ".so"
    py = "{}{}".format(*series)
    return {
        "linux_x86_64": f".cpython-{py}-x86_64-linux-gnu.so",
        "linux_arm64": f".cpython-{py}-aarch64-linux-gnu.so",
        "linux_musl_x86_64": f".cpython-{py}-x86_64-linux-musl.so",
        "linux_musl_arm64": f".cpython-{py}-aarch64-linux-musl.so",
        "windows_amd64": f".cp{py}-win_amd64.pyd",
        "windows_arm64": f".cp{py}-win_arm64.pyd",
        "macos_arm64": f".cpython-{py}-darwin.so",
        "macos_x86_64": f".cpython-{py}-darwin.so",
        "macos_universal2": f".cpython-{py}-darwin.so",
        "emscripten_wasm32": f".cpython-{py}-wasm32-emscripten.so",
    }[target]


def module_of(name: str) -> str:
    """The last part of the dotted name of a module, as it stands in PyInit_*."""
    folder, _, file = name.rpartition("/")
    stem = file.partition(".")[0]
    return folder.rpartition("/")[2] if stem == "__init__" else stem


def wasm_sections(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and content of the sections of a WebAssembly module (core specification 5.5)."""

    def number(at: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, at
            shift += 7

    at = 8
    while at < len(data):
        kind = data[at]
        size, at = number(at + 1)
        yield kind, data[at : at + size]
        at += size


def check(target: str, series: tuple[int, int], name: str, data: bytes) -> None:
    """Check a module of any target by what its platform asks for."""
    if target.startswith("linux"):
        check_elf(target, name, data)
    elif target.startswith("windows"):
        check_pe(target, series, name, data)
    elif target == "macos_universal2":
        check_universal(name, data)
    elif target.startswith("macos"):
        check_macho(target, name, data)
    else:
        check_wasm(name, data)


def check_elf(target: str, name: str, data: bytes) -> None:
    """Check a module for Linux."""
    machine = lief.ELF.ARCH.AARCH64 if target.endswith("arm64") else lief.ELF.ARCH.X86_64
    binary = lief.parse(list(data))
    assert isinstance(binary, lief.ELF.Binary)
    assert binary.header.machine_type == machine
    exported = [symbol.name for symbol in binary.exported_symbols if not symbol.name.startswith("__pyx_module_is_main_")]
    assert exported == [f"PyInit_{module_of(name)}"]
    assert {str(library) for library in binary.libraries} <= {"libc.so.6", "libm.so.6", "libpthread.so.0"} | (
        {"libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"} if "musl" in target else set()
    )
    assert not list(binary.symtab_symbols)
    assert [section.name for section in binary.sections if "debug" in section.name] == []
    assert not {entry.tag for entry in binary.dynamic_entries} & {
        lief.ELF.DynamicEntry.TAG.RPATH,
        lief.ELF.DynamicEntry.TAG.RUNPATH,
    }
    stack = next(segment for segment in binary.segments if segment.type == lief.ELF.Segment.TYPE.GNU_STACK)
    assert not stack.has(lief.ELF.Segment.FLAGS.X)


def check_pe(target: str, series: tuple[int, int], name: str, data: bytes) -> None:
    """Check a module for Windows."""
    machines = lief.PE.Header.MACHINE_TYPES
    binary = lief.parse(list(data))
    assert isinstance(binary, lief.PE.Binary)
    assert binary.header.machine == (machines.ARM64 if target.endswith("arm64") else machines.AMD64)
    assert [entry.name for entry in binary.get_export().entries] == [f"PyInit_{module_of(name)}"]
    libraries = {library.name.lower() for library in binary.imports}
    assert "python{}{}.dll".format(*series) in libraries
    # Everything else has to be there on any Windows 10.
    assert {
        each
        for each in libraries
        if not re.fullmatch(r"python\d+\.dll|ucrtbase\.dll|kernel32\.dll|api-ms-win-crt-\w+-l1-1-0\.dll", each)
    } == set()
    assert binary.optional_header.major_subsystem_version <= 10
    characteristics = binary.optional_header.dll_characteristics_lists
    wanted = lief.PE.OptionalHeader.DLL_CHARACTERISTICS
    assert {wanted.DYNAMIC_BASE, wanted.NX_COMPAT} <= set(characteristics)
    assert not list(binary.symbols)
    assert [section.name for section in binary.sections if "debug" in section.name] == []
    assert b".pdb" not in data


def check_macho(target: str, name: str, data: bytes) -> None:
    """Check a module for macOS."""
    kinds = lief.MachO.Header.CPU_TYPE
    binary = lief.parse(list(data))
    assert isinstance(binary, lief.MachO.Binary)
    assert binary.header.cpu_type == (kinds.ARM64 if target.endswith("arm64") else kinds.X86_64)
    version = binary.build_version.minos if binary.build_version else binary.version_min.version
    assert version == MACOS_FLOORS[target]
    assert f"_PyInit_{module_of(name)}" in {symbol.name for symbol in binary.exported_symbols}
    # Its own name, then what it needs: nothing but the system's library.
    assert [library.name for library in binary.libraries if not library.name.startswith("@rpath/")] == [
        "/usr/lib/libSystem.B.dylib"
    ]
    # Python's functions are looked up in whatever process loads it, in a flat name space.
    python = [symbol for symbol in binary.imported_symbols if symbol.name.startswith("_Py")]
    assert python
    assert {symbol.binding_info.library_ordinal for symbol in python if symbol.has_binding_info} <= {-2}
    assert "__DWARF" not in {segment.name for segment in binary.segments}
    if target == "macos_arm64":
        assert binary.has_code_signature
        assert signed(data), name


def check_universal(name: str, data: bytes) -> None:
    """Check a module for both processors of macOS: each part is the one of its own target (<mach-o/fat.h>)."""
    assert data[:8] == bytes.fromhex("cafebabe00000002")
    fields = [int.from_bytes(data[at : at + 4], "big") for at in range(8, 48, 4)]
    for target, (cpu, _, start, size, power) in zip(("macos_x86_64", "macos_arm64"), (fields[:5], fields[5:]), strict=True):
        assert cpu == {"macos_x86_64": 0x01000007, "macos_arm64": 0x0100000C}[target]
        assert start % (1 << power) == 0
        check_macho(target, name, data[start : start + size])
    both = lief.MachO.parse(list(data))
    assert both is not None
    assert [str(each.header.cpu_type).rpartition(".")[2] for each in both] == ["X86_64", "ARM64"]


def signed(data: bytes) -> bool:
    """Check an ad hoc signature: the page hashes of the first code directory, as codesign -v does (xnu: cs_blobs.h)."""
    from hashlib import sha256  # noqa: PLC0415 - only here

    binary = lief.parse(list(data))
    assert isinstance(binary, lief.MachO.Binary)
    start = binary.code_signature.data_offset

    def big(at: int) -> int:
        return int.from_bytes(data[at : at + 4], "big")

    assert big(start) == 0xFADE0CC0  # an embedded signature
    directory = next(start + big(start + 16 + 8 * index) for index in range(big(start + 8)) if big(start + 12 + 8 * index) == 0)
    assert big(directory) == 0xFADE0C02  # a code directory
    hashes, slots, limit = big(directory + 16), big(directory + 28), big(directory + 32)
    size, kind, page = data[directory + 36], data[directory + 37], 1 << data[directory + 39]
    assert (size, kind) == (32, 2)  # SHA-256
    stored = [data[directory + hashes + size * slot : directory + hashes + size * (slot + 1)] for slot in range(slots)]
    pages = [data[at : min(at + page, limit)] for at in range(0, limit, page)]
    return stored == [sha256(each).digest() for each in pages]


def check_wasm(name: str, data: bytes) -> None:
    """Check a module for WebAssembly."""
    assert data[:8] == b"\0asm\1\0\0\0"
    sections = list(wasm_sections(data))
    exports = next(content for kind, content in sections if kind == 7)
    assert f"PyInit_{module_of(name)}".encode() in exports
    custom = [content[1 : 1 + content[0]].decode() for kind, content in sections if kind == 0]
    assert custom[0] == "dylink.0"
    assert [each for each in custom if each == "name" or each.startswith(".debug")] == []
