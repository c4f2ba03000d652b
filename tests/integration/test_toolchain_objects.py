"""Compilers other than zig, in folders laid out as theirs are: objects made before are linked, and unknown words are told."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend.tools import emscripten, gcc, msvc, ndk, xcode
from pypackpack.backend.tools.toolchain import ModuleJob, ObjectToolchain, ToolError, UnknownOptionError, unknown_option
from pypackpack.middleware.target import table
from pypackpack.model.toolchain import FoundToolchain, Surroundings
from tests.builds import run
from tests.layouts import calls, lay_out_ndk, lay_out_visual_studio, program

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pypackpack.backend.tools.toolchain import Adapter

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the fakes are programs that Linux starts")

SAYS = {
    "gcc": "gcc: error: unrecognized command-line option '-fno-such'; did you mean '-fno-sum'?",
    "clang": "clang: error: unknown argument: '-fno-such'",
    "emcc": "clang: error: unknown argument: '-fno-such'\nemcc: error: '/usr/bin/clang -g0 -fno-such' failed (returned 1)",
    "msvc": "cl : Command line warning D9002 : ignoring unknown option '-fno-such'",
}


@dataclass(frozen=True)
class Laid:
    """A toolchain whose programs are played, and what they note."""

    tool: ObjectToolchain
    target: str
    log: Path
    data: bytes
    compiler: Path


def opened(adapter: Adapter, found: FoundToolchain, folder: Path) -> ObjectToolchain:
    assert found.missing == ""
    tool = adapter.open(found, folder)
    assert isinstance(tool, ObjectToolchain)
    return tool


def lay_ndk(folder: Path) -> Laid:
    (folder / "mod.c").write_text("int PyModuleDef_Init(void *); int PyInit_mod(void) { return PyModuleDef_Init(0); }\n")
    assert run(["gcc", "-c", "-fPIC", "mod.c", "-o", "mod.o"], cwd=folder).returncode == 0
    log, made = folder / "log", folder / "mod.o"
    place = lay_out_ndk(folder / "ndk", log=log, made=made)
    around = Surroundings("linux", "x86_64", {"ANDROID_NDK_HOME": str(place)}, folder)
    found = ndk.ADAPTER.find(table.find("android_24_arm64"), "", around)
    return Laid(opened(ndk.ADAPTER, found, folder), "android_24_arm64", log, made.read_bytes(), found.programs["cc"])


def lay_emcc(folder: Path) -> Laid:
    log, made = folder / "log", folder / "made"
    made.write_bytes(b"\0asm")
    place = folder / "emsdk" / "upstream" / "emscripten" / "emcc"
    program(place, log, made, answers={"--version": "emcc (Emscripten gcc/clang-like replacement) 4.0.9 (abc)"})
    found = emscripten.ADAPTER.find(
        table.find("emscripten"), "", Surroundings("linux", "x86_64", {"EMSDK": str(folder / "emsdk")}, folder)
    )
    return Laid(opened(emscripten.ADAPTER, found, folder), "emscripten", log, b"\0asm", place)


def lay_xcode(folder: Path) -> Laid:
    log, made, clang = folder / "log", folder / "made", folder / "clang"
    made.write_bytes(b"made")
    program(clang, log, made)
    programs, folders = {"cc": clang, "c++": clang}, {"sysroot": folder / "MacOSX.sdk"}
    found = FoundToolchain("xcode", "16.0.0", clang, programs=programs, folders=folders)
    return Laid(opened(xcode.ADAPTER, found, folder), "macos_arm64", log, b"made", clang)


def lay_msvc(folder: Path) -> Laid:
    from tests.integration.test_toolchains import pe_image  # noqa: PLC0415 - a header by hand
    from tests.unit.backend.test_backend_coff import coff  # noqa: PLC0415 - writes an object by hand

    log, objects, image = folder / "log", folder / "object", folder / "image"
    objects.write_bytes(coff([("PyModuleDef_Init", 0, 2, 0)]))
    image.write_bytes(pe_image())
    place, _ = lay_out_visual_studio(folder, log, objects, image)
    around = Surroundings("win32", "amd64", {"PROGRAMFILES(X86)": str(folder), "PYPACKPACK_MSVC": str(place)}, folder)
    found = msvc.ADAPTER.find(table.find("windows_amd64"), "", around)
    return Laid(opened(msvc.ADAPTER, found, folder), "windows_amd64", log, image.read_bytes(), found.programs["cl"])


def job(target: str) -> ModuleJob:
    return ModuleJob("mod", "pkg/mod", {"mod.c": b"int x;\n"}, ("mod.c",), table.find(target), (3, 13), (), release=True)


@pytest.mark.parametrize("lay", [lay_ndk, lay_emcc, lay_xcode, lay_msvc])
def test_a_unit_is_linked_of_objects_that_were_made_before(lay: Callable[[Path], Laid], tmp_path: Path) -> None:
    laid = lay(tmp_path)
    (tmp_path / "first").mkdir()
    made = laid.tool.build_object(job(laid.target), tmp_path / "first")
    name, words = calls(laid.log)[-1]
    assert name == laid.compiler.name
    assert "mod.c" in words
    assert ("/c" if "cl" in name.split(".") else "-c") in words
    (tmp_path / "second").mkdir()
    data = laid.tool.build_module(replace(job(laid.target), objects=(made, made)), tmp_path / "second")
    assert data == laid.data
    linked = calls(laid.log)[-1][1]
    assert {"object-0.o", "object-1.o"} <= set(linked)
    assert (tmp_path / "second" / "object-1.o").read_bytes() == made


@pytest.mark.parametrize(
    ("lay", "says", "code"), [(lay_ndk, "clang", 1), (lay_xcode, "clang", 1), (lay_emcc, "emcc", 1), (lay_msvc, "msvc", 0)]
)
def test_a_word_that_the_compiler_does_not_know_is_told(
    lay: Callable[[Path], Laid], says: str, code: int, tmp_path: Path
) -> None:
    laid = lay(tmp_path)
    failure = {"on": "-fno-such", "says": SAYS[says], "code": code}
    program(laid.compiler, laid.log, tmp_path / "log", failure=failure)
    (tmp_path / "scratch").mkdir()
    wrong = replace(job(laid.target), options=("-g0", "-fno-such"), own=True)
    with pytest.raises(UnknownOptionError) as caught:
        laid.tool.build_module(wrong, tmp_path / "scratch")
    assert caught.value.word == "-fno-such"
    assert "-fno-such" in caught.value.details


def test_gcc_itself_is_heard(tmp_path: Path) -> None:
    host = table.host_target()
    found = gcc.GCC.find(host, "", Surroundings("linux", host.arch, {}, tmp_path))
    tool = gcc.GCC.open(found, tmp_path)
    mine = replace(job(host.name), own=True)
    with pytest.raises(UnknownOptionError, match="does not know -march=no-such"):
        tool.build_module(replace(mine, options=("-O2", "-march=no-such")), tmp_path)
    with pytest.raises(ToolError) as caught:  # nobody's own words: a defect of ours
        tool.build_module(replace(mine, own=False, options=("-fno-such",)), tmp_path)
    assert not isinstance(caught.value, UnknownOptionError)


@pytest.mark.parametrize(
    ("said", "options", "word"),
    [
        *((text, ("-O3", "-fno-such"), "-fno-such") for text in SAYS.values()),
        ("cc1: error: bad value 'x9' for '-march=' switch", ("-mtune=x8", "-march=x9"), "-march=x9"),
        ("error: unknown target CPU 'x9'", ("-march=x9",), "-march=x9"),
        ("mod.c:1:1: error: unknown type name 'O3'", ("-O3",), ""),
        ("gcc: fatal error: Killed signal terminated program cc1", ("-O3",), ""),
        ("emcc: error: '/usr/bin/clang -O3 x.c' failed (returned 1)", ("-O3",), ""),
    ],
)
def test_which_word_is_meant(said: str, options: tuple[str, ...], word: str) -> None:
    assert unknown_option(said, options) == word


def test_the_settings_of_emcc_are_in_its_key(tmp_path: Path) -> None:
    said = "emcc (Emscripten gcc/clang-like replacement) 4.0.9 (abc)"
    place = program(tmp_path / "emcc", tmp_path / "log", tmp_path, answers={"--version": said})

    def identity(**variables: str) -> dict[str, str]:
        around = Surroundings("linux", "x86_64", {"PYPACKPACK_EMCC": str(place), **variables}, tmp_path / "home")
        found = emscripten.ADAPTER.find(table.find("emscripten"), "", around)
        return {"missing": found.missing} if found.missing else dict(found.identity)

    assert identity() == {"emcc": said}
    config, beside = tmp_path / "config", tmp_path / ".emscripten"
    beside.write_text("LLVM_ROOT = '/beside'\n")
    config.write_text("LLVM_ROOT = '/one'\n")
    one = identity(EM_CONFIG=str(config))
    config.write_text("LLVM_ROOT = '/other'\n")
    assert len({each["emcc's settings"] for each in (one, identity(), identity(EM_CONFIG=str(config)))}) == 3
    assert "/none" in identity(EM_CONFIG="/none")["missing"]
