"""What can be said of the example's wheels without running them: all nine targets, the ones that nothing here runs above all."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import lief
import pytest

from tests.builds import EXAMPLE, PYTHON, Built, build, copy_project, members, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PACKAGES = ("tidegauge", "tidewatch")
PY = "{}{}".format(*PYTHON)
TAGS = {
    "linux_x86_64": "manylinux_2_17_x86_64",
    "linux_arm64": "manylinux_2_17_aarch64",
    "linux_musl_x86_64": "musllinux_1_2_x86_64",
    "linux_musl_arm64": "musllinux_1_2_aarch64",
    "windows_amd64": "win_amd64",
    "windows_arm64": "win_arm64",
    "macos_arm64": "macosx_11_0_arm64",
    "macos_x86_64": "macosx_10_13_x86_64",
    "emscripten_wasm32": "wasm32",
}
SUFFIXES = {
    "linux_x86_64": f".cpython-{PY}-x86_64-linux-gnu.so",
    "linux_arm64": f".cpython-{PY}-aarch64-linux-gnu.so",
    "linux_musl_x86_64": f".cpython-{PY}-x86_64-linux-musl.so",
    "linux_musl_arm64": f".cpython-{PY}-aarch64-linux-musl.so",
    "windows_amd64": f".cp{PY}-win_amd64.pyd",
    "windows_arm64": f".cp{PY}-win_arm64.pyd",
    "macos_arm64": f".cpython-{PY}-darwin.so",
    "macos_x86_64": f".cpython-{PY}-darwin.so",
    "emscripten_wasm32": f".cpython-{PY}-wasm32-emscripten.so",
}
SYMBOLS = {"linux": "PyInit_{}", "windows": "PyInit_{}", "macos": "_PyInit_{}"}


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(EXAMPLE, tmp_path_factory.mktemp("static") / "usage-example")


@pytest.fixture(scope="session")
def release(project: Path) -> Mapping[str, Built]:
    """Both packages for every target."""
    return {name: build(project, name, "single", "--type", "release", "--level", "native") for name in PACKAGES}


def binaries(builds: Mapping[str, Built], target: str) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every extension module of a target."""
    for each in builds.values():
        for name, data in members(each.wheel(target)).items():
            if name.endswith((".so", ".pyd")):
                yield name, data


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


@pytest.mark.parametrize("target", TAGS)
def test_names(target: str, release: Mapping[str, Built]) -> None:
    for name, built in release.items():
        wheel = built.wheel(target)
        assert wheel.name.startswith(f"{name}-1.2.0-cp{PY}-cp{PY}-")
        assert TAGS[target] in wheel.stem
        assert ("manylinux2014" in wheel.name) is (target in {"linux_x86_64", "linux_arm64"})
    found = list(binaries(release, target))
    assert len(found) == 17
    assert [name for name, _ in found if not name.endswith(SUFFIXES[target])] == []


@pytest.mark.parametrize("target", TAGS)
def test_nothing_that_does_not_belong(target: str, release: Mapping[str, Built]) -> None:
    for built in release.values():
        files = members(built.wheel(target))
        sources = [name for name in files if name.endswith((".py", ".c", ".pyx", ".h", ".o", ".pdb", ".lib", ".def"))]
        assert sources == []
        assert [name for name in files if "test" in name.split("/")] == []
        assert [name for name in files if name.endswith(".pyc")] in ([], ["tidewatch/__main__.pyc"])


@pytest.mark.parametrize("target", TAGS)
def test_no_path_of_this_machine(target: str, release: Mapping[str, Built], project: Path) -> None:
    homes = {str(Path.home()), str(project), str(Path(sys.prefix)), str(Path(sys.base_prefix)), "/tmp/", "pypackpack"}  # noqa: S108 - the paths to look for
    words = [home.encode() for home in homes] + [home.encode("utf-16-le") for home in homes]
    for name, data in binaries(release, target):
        assert [word for word in words if word in data] == [], name
        assert re.findall(rb"/(?:home|Users|work|builds)/[\w.-]+", data) == [], name


@pytest.mark.parametrize("target", [target for target in TAGS if target.startswith("linux")])
def test_elf(target: str, release: Mapping[str, Built]) -> None:
    machine = lief.ELF.ARCH.AARCH64 if target.endswith("arm64") else lief.ELF.ARCH.X86_64
    for name, data in binaries(release, target):
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


@pytest.mark.parametrize("target", ["windows_amd64", "windows_arm64"])
def test_pe(target: str, release: Mapping[str, Built]) -> None:
    machines = lief.PE.Header.MACHINE_TYPES
    for name, data in binaries(release, target):
        binary = lief.parse(list(data))
        assert isinstance(binary, lief.PE.Binary)
        assert binary.header.machine == (machines.ARM64 if target.endswith("arm64") else machines.AMD64)
        assert [entry.name for entry in binary.get_export().entries] == [f"PyInit_{module_of(name)}"]
        libraries = {library.name.lower() for library in binary.imports}
        assert f"python{PY}.dll" in libraries
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


@pytest.mark.parametrize(("target", "floor"), [("macos_arm64", [11, 0, 0]), ("macos_x86_64", [10, 13, 0])])
def test_macho(target: str, floor: list[int], release: Mapping[str, Built]) -> None:
    kinds = lief.MachO.Header.CPU_TYPE
    for name, data in binaries(release, target):
        binary = lief.parse(list(data))
        assert isinstance(binary, lief.MachO.Binary)
        assert binary.header.cpu_type == (kinds.ARM64 if target.endswith("arm64") else kinds.X86_64)
        version = binary.build_version.minos if binary.build_version else binary.version_min.version
        assert version == floor
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


def test_wasm(release: Mapping[str, Built]) -> None:
    for name, data in binaries(release, "emscripten_wasm32"):
        assert data[:8] == b"\0asm\1\0\0\0"
        sections = list(wasm_sections(data))
        exports = next(content for kind, content in sections if kind == 7)
        assert f"PyInit_{module_of(name)}".encode() in exports
        custom = [content[1 : 1 + content[0]].decode() for kind, content in sections if kind == 0]
        assert custom[0] == "dylink.0"
        assert [each for each in custom if each == "name" or each.startswith(".debug")] == []


@pytest.mark.parametrize("target", [target for target in TAGS if target.startswith("linux")])
@pytest.mark.parametrize("name", PACKAGES)
def test_auditwheel(name: str, target: str, release: Mapping[str, Built], tmp_path: Path) -> None:
    done = run([sys.executable, "-m", "auditwheel", "show", release[name].wheel(target)], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    words = " ".join(done.stdout.split())
    assert f'is consistent with the following platform tag: "{TAGS[target]}"' in words


@pytest.mark.parametrize("target", TAGS)
def test_twine_and_check_wheel_contents(target: str, release: Mapping[str, Built], tmp_path: Path) -> None:
    wheels = [built.wheel(target) for built in release.values()]
    done = run([sys.executable, "-m", "twine", "--no-color", "check", "--strict", *wheels], cwd=tmp_path, env={"COLUMNS": "1000"})
    assert done.returncode == 0, done.stdout + done.stderr
    # W001 and W010 are expected where bytecode is on purpose: __main__ goes along as bytecode.
    done = run([sys.executable, "-m", "check_wheel_contents", "--no-config", "--ignore", "W001,W010", *wheels], cwd=tmp_path)
    assert done.returncode == 0, json.dumps([done.stdout, done.stderr])
