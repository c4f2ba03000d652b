"""Other compilers than zig: gcc for real; the command lines of the NDK, Xcode, MSVC and emcc in folders laid out as theirs are."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import lief
import pytest

from pypackpack.backend.tools import driver, elf, emscripten, gcc, msvc, ndk, xcode
from pypackpack.backend.tools.toolchain import ModuleJob, RefusedError
from pypackpack.middleware.build import build
from pypackpack.middleware.compile import toolchains
from pypackpack.middleware.target import table
from pypackpack.model.build import BuildRequest, BuildType, Bundle, Level, Silent
from pypackpack.model.errors import MissingToolError, ToolError
from pypackpack.model.toolchain import FoundToolchain, Surroundings
from tests.builds import run
from tests.layouts import calls, lay_out_ndk, lay_out_visual_studio, program, variables

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the fakes are programs that Linux starts")
HOST = table.host_target()
SOURCE = b"int PyModuleDef_Init(void *); void *memcpy(void *, const void *, unsigned long);\nint PyInit_mod(void) { return PyModuleDef_Init(0); }\n"
NEWER = b"double exp2(double);\ndouble PyInit_mod(double x) { return exp2(x); }\n"


def job(target: str, source: bytes = SOURCE, **more: object) -> ModuleJob:
    words = {"headers": (), "release": True, **more}
    return ModuleJob("mod", "pkg/mod", {"pkg/mod.c": source}, ("pkg/mod.c",), table.find(target), (3, 13), **words)  # type: ignore[arg-type]


def here(**variables: str) -> Surroundings:
    return Surroundings("linux", "x86_64", variables, Path("/nowhere"))


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    place = tmp_path / "scratch"
    place.mkdir()
    return place


@pytest.fixture(autouse=True)
def fresh() -> None:
    toolchains.look_again()


# ------------------------------------------------------------------------------------------------------------ gcc


@pytest.fixture
def host_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.base_prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}")


def native(root: Path, **more: object) -> object:
    words = {"type": BuildType.DEBUG, **more}
    return build(BuildRequest(root, "small", Bundle.SINGLE, level=Level.NATIVE, jobs=1, **words), Silent())  # type: ignore[arg-type]


@pytest.mark.usefixtures("own_cache", "host_python")
def test_gcc_makes_a_wheel_that_answers_and_is_what_its_tag_says(small_project: Callable[..., Path], tmp_path: Path) -> None:
    root = small_project(settings='\n[tool.pypackpack.build]\ntoolchain = "gcc"\n', targets=(HOST.name,))
    (root / ".python-version").write_text(".".join(map(str, sys.version_info[:3])))
    result = native(root, report=True)
    (wheel,) = (artifact.path for artifact in result.artifacts)  # type: ignore[attr-defined]
    inputs = next(task.inputs for task in result.tasks if task.step == "compile")  # type: ignore[attr-defined]
    assert dict(inputs)["what the task does"] == "compile-gcc-1"
    assert {"gcc", "gcc itself", "gcc for", "macros of gcc", "linker", "C++ library of", "flags"} <= dict(inputs).keys()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "out")
    (module,) = (tmp_path / "out" / "small").glob("mod.*.so")
    data = module.read_bytes()
    assert str(tmp_path).encode() not in data
    assert b".debug_info" in data
    specification = importlib.util.spec_from_file_location("small.mod", module)
    assert specification is not None
    done = run([sys.executable, "-c", "import small.mod; print(small.mod.answer(), small.mod.__file__)"], cwd=tmp_path / "out")
    assert done.stdout.split() == ["42", str(module)]
    done = run([sys.executable, "-m", "auditwheel", "show", wheel], cwd=tmp_path)
    assert "is consistent with the following platform tag" in done.stdout, done.stdout + done.stderr
    again = native(root)
    assert again.tasks_run == 0  # type: ignore[attr-defined]


def found_gcc() -> FoundToolchain:
    found = gcc.GCC.find(HOST, "", here())
    assert found.missing == ""
    return found


def test_a_module_that_needs_a_newer_c_library_than_its_tag_says_is_refused(scratch: Path, tmp_path: Path) -> None:
    tool = gcc.GCC.open(found_gcc(), tmp_path)
    with pytest.raises(ToolError, match=rf"needs glibc 2\.\d+ \(exp2\), and {HOST.name} promises") as caught:
        tool.build_module(job(HOST.name, NEWER), scratch)
    later = caught.value.hint.split()[2]
    assert table.find(later).row == HOST.row
    assert tool.build_module(job(later, NEWER), scratch)[:4] == b"\x7fELF"


def test_the_same_source_gives_the_same_bytes_in_any_folder(tmp_path: Path) -> None:
    made = []
    for name in ("one", "a longer name"):
        (tmp_path / name).mkdir()
        made.append(gcc.GCC.open(found_gcc(), tmp_path).build_module(job(HOST.name, release=False), tmp_path / name))
    assert made[0] == made[1]


def test_cplusplus_brings_its_library_and_shows_nobody(tmp_path: Path) -> None:
    newest = table.find(f"linux_2_44_{HOST.arch}")
    tool = gcc.GCC.open(found_gcc(), tmp_path)
    source = (
        b"#include <stdexcept>\n#include <string>\n"
        b'extern "C" int PyInit_mod(int n) { try { throw std::runtime_error(std::string(n, 120)); }'
        b"catch (const std::exception &e) { return e.what()[0] + n; } }\n"
    )
    words = {"headers": (), "release": True}
    made = tool.build_module(ModuleJob("mod", "mod", {"mod.cpp": source}, ("mod.cpp",), newest, (3, 13), **words), tmp_path)  # type: ignore[arg-type]
    module = lief.ELF.parse(list(made))
    assert module is not None
    assert not [library for library in module.libraries if "stdc++" in str(library) or "gcc" in str(library)]
    assert len([symbol for symbol in module.exported_symbols if symbol.binding == lief.ELF.Symbol.BINDING.GLOBAL]) == 1
    (tmp_path / "mod.so").write_bytes(made)
    assert ctypes.CDLL(str(tmp_path / "mod.so")).PyInit_mod(2) == 122


def test_errors_of_the_source_are_told_from_those_of_the_options(scratch: Path, tmp_path: Path) -> None:
    tool = gcc.GCC.open(found_gcc(), tmp_path)
    with pytest.raises(RefusedError, match=r"compiling pkg/mod\.c failed"):
        tool.build_module(job(HOST.name, b"int broken(\n"), scratch)
    with pytest.raises(ToolError, match=r"compiling pkg/mod\.c failed") as caught:
        tool.build_module(job(HOST.name, options=("-fno-such-option",)), scratch)
    assert not isinstance(caught.value, RefusedError)
    assert "-fno-such-option" in caught.value.details


@pytest.mark.parametrize(
    ("answers", "failure", "said"),
    [
        ({"--version": "gcc (GCC) 4.8.5"}, None, "is gcc (GCC) 4.8.5, and gcc 8 is the oldest that works"),
        ({"--version": "gcc (GCC) 13.1.0", "-dumpmachine": "riscv64-linux-gnu"}, None, "compiles for riscv64-linux-gnu, not for"),
        ({}, {"on": "--version", "says": "boom", "code": 3}, "failed (exit code 3): boom"),
        ({"--version": "gcc (GCC) 13.1.0"}, {"on": "-dumpmachine", "says": "fatal error: no", "code": 1}, "fatal error: no"),
    ],
)
def test_a_gcc_that_does_not_do_says_why(
    tmp_path: Path, answers: dict[str, str], failure: dict[str, object] | None, said: str
) -> None:
    place = program(tmp_path / "gcc", tmp_path / "log", tmp_path, answers=answers, failure=failure)
    found = gcc.GCC.find(table.find("linux_x86_64"), "", here(PYPACKPACK_GCC=str(place)))
    assert said in found.missing
    assert found.hint


def test_a_gcc_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "gcc"
    place.write_text(f"#!{sys.executable} -IS\nimport time\ntime.sleep(600)\n")
    place.chmod(0o755)
    monkeypatch.setattr(driver, "ASK_SECONDS", 0.3)
    assert "did not end within 0.3 seconds" in gcc.GCC.find(HOST, "", here(PYPACKPACK_GCC=str(place))).missing


@pytest.mark.usefixtures("own_cache", "host_python")
@pytest.mark.parametrize(
    ("settings", "target", "said"),
    [
        ('toolchain = "gcc"\ntoolchain-program = "no-such-gcc"', "linux_x86_64", "there is no program no-such-gcc"),
        (
            'toolchain-program = "gcc-13"',
            "linux_x86_64",
            "the settings name gcc-13 (toolchain-program), and zig has programs of its own",
        ),
        ('toolchain = "gcc"', "windows_amd64", "gcc does not build for windows_amd64"),
        ('toolchain = "msvc"', "windows_amd64", "Microsoft's compiler runs on Windows only"),
        ('toolchain = "xcode"', "macos_universal2", "macos_x86_64 cannot be built by Xcode: Apple allows its SDK on a Mac only"),
    ],
)
def test_a_toolchain_that_the_settings_name_has_to_be_there(
    small_project: Callable[..., Path], settings: str, target: str, said: str
) -> None:
    root = small_project(settings=f"\n[tool.pypackpack.build]\n{settings}\n", targets=(target, "linux_arm64"))
    with pytest.raises(MissingToolError) as caught:
        native(root)
    assert said in caught.value.message
    assert caught.value.hint
    assert ('toolchain-program = "no-such-gcc"' in caught.value.hint) is ("no-such-gcc" in settings)
    assert caught.value.exit_code == 3


# ---------------------------------------------------------------------------------------- recorded layouts of the others


@pytest.fixture(scope="module")
def elf_object(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real object that misses something of Python and something of the C library."""
    folder = tmp_path_factory.mktemp("object")
    (folder / "mod.c").write_bytes(SOURCE)
    assert run(["gcc", "-c", "-fPIC", "mod.c", "-o", "mod.o"], cwd=folder).returncode == 0
    return folder / "mod.o"


def test_what_one_object_has_another_does_not_miss(tmp_path: Path, elf_object: Path) -> None:
    (tmp_path / "other.c").write_text(
        "int PyInit_mod(void); static int own(void) { return 1; }\nint PyInit_a(void) { return own() + PyInit_mod(); }\n"
    )
    assert run(["gcc", "-O0", "-c", "-fPIC", "other.c"], cwd=tmp_path).returncode == 0
    other = (tmp_path / "other.o").read_bytes()
    assert "PyInit_mod" in elf.undefined_symbols(other)
    assert "own" not in elf.undefined_symbols(other)
    both = elf.undefined_symbols(other, elf_object.read_bytes())
    assert "PyModuleDef_Init" in both
    assert "PyInit_mod" not in both


def test_the_ndk_is_called_as_pep_738_wants_it(
    tmp_path: Path, scratch: Path, elf_object: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CPATH", "CCC_OVERRIDE_OPTIONS", "SDKROOT"):
        monkeypatch.setenv(name, "/somewhere")
    log = tmp_path / "log"
    place = lay_out_ndk(tmp_path / "ndk", log=log, made=elf_object)
    found = ndk.ADAPTER.find(table.find("android_24_arm64"), "", here(ANDROID_NDK_HOME=str(place)))
    made = ndk.ADAPTER.open(found, tmp_path).build_module(job("android_24_arm64", headers=(tmp_path,)), scratch)
    assert made == elf_object.read_bytes()
    (_, compiled), (_, stub), (_, linked) = calls(log)
    sysroot = f"--sysroot={place}/toolchains/llvm/prebuilt/linux-x86_64/sysroot"
    assert {"--target=aarch64-linux-android24", sysroot, "-O2", "-fPIC", "-D__BIONIC_NO_PAGE_SIZE_MACRO"} <= set(compiled)
    assert compiled[-4:] == ["-c", "pkg/mod.c", "-o", "module.o"]
    assert "-Wl,-soname,libpython3.13.so" in stub
    assert (scratch / "libpython.c").read_text() == "void PyModuleDef_Init(void) {}\n"
    assert {"-shared", "-Wl,-z,max-page-size=16384", "-Wl,--no-undefined", "libpython3.13.so", "-lm", sysroot} <= set(linked)
    assert not {"CPATH", "CCC_OVERRIDE_OPTIONS", "SDKROOT"} & variables(log)
    ndk.ADAPTER.open(found, tmp_path).build_module(job("android_24_arm64", limited=True), scratch)
    assert "libpython3.so" in calls(log)[-1][1]  # the stable ABI has a library of its own


def test_microsofts_compiler_gets_folders_in_words_and_an_import_library(tmp_path: Path, scratch: Path) -> None:
    from tests.unit.backend.test_backend_coff import coff  # noqa: PLC0415 - writes an object by hand

    log, objects, image = tmp_path / "log", tmp_path / "object", tmp_path / "image"
    objects.write_bytes(coff([("PyModuleDef_Init", 0, 2, 0), ("__imp_PyExc_ValueError", 0, 2, 0), ("memcpy", 0, 2, 0)]))
    image.write_bytes(pe_image())
    place, kit = lay_out_visual_studio(tmp_path, log, objects, image)
    around = Surroundings("win32", "amd64", {"PROGRAMFILES(X86)": str(tmp_path)}, tmp_path)
    vswhere = tmp_path / "Microsoft Visual Studio" / "Installer" / "vswhere.exe"
    program(vswhere, log, image, answers={"-property installationPath": str(place)})
    found = msvc.ADAPTER.find(table.find("windows_amd64"), "", around)
    assert found.place == place
    made = msvc.ADAPTER.open(found, tmp_path).build_module(job("windows_amd64"), scratch)
    assert made == image.read_bytes()
    (asked, _), (compiler, compiled), (_, library), (linker, linked) = calls(log)
    assert (asked, compiler, linker) == ("vswhere.exe", "cl.exe", "link.exe")
    assert {"/std:c11", "/O2", "/MD", "/Brepro", f"/I{kit}/Include/10.0.22621.0/ucrt", "/c", "pkg/mod.c"} <= set(compiled)
    assert library == ["/nologo", "/DEF:python313.def", "/MACHINE:X64", "/OUT:python313.lib"]
    definition = (scratch / "python313.def").read_text()
    assert definition == "LIBRARY python313.dll\nEXPORTS\n    PyExc_ValueError\n    PyModuleDef_Init\n"
    assert {"/DLL", "/EXPORT:PyInit_mod", "python313.lib", f"/LIBPATH:{kit}/Lib/10.0.22621.0/um/x64"} <= set(linked)
    failing = {"on": "pkg/mod.c", "says": "pkg/mod.c(1): error C2059: syntax error: ')'", "code": 2}
    program(found.programs["cl"], log, objects, failure=failing)
    with pytest.raises(RefusedError, match=r"MSVC 14\.41\.34120"):
        msvc.ADAPTER.open(found, tmp_path).build_module(job("windows_amd64"), scratch)


def pe_image() -> bytes:
    """The smallest image that has all that is looked at: a PE32+ header without sections."""
    header = bytearray(512)
    header[:2], header[0x3C:0x40] = b"MZ", (0x80).to_bytes(4, "little")
    header[0x80:0x84] = b"PE\0\0"
    header[0x80 + 24 : 0x80 + 26] = (0x20B).to_bytes(2, "little")
    return bytes(header)


def found_xcode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, version: str = "16.0.0") -> FoundToolchain:
    log, made = tmp_path / "log", tmp_path / "made"
    made.write_bytes(b"made")
    folder = tmp_path / "Xcode.app" / "Contents" / "Developer"
    bin_folder = folder / "Toolchains" / "XcodeDefault.xctoolchain" / "usr" / "bin"
    program(bin_folder / "clang", log, made, answers={"--version": f"Apple clang version {version} (clang-1600.0.26.6)"})
    sdk = "macosx" if target.startswith("macos") else "iphonesimulator" if "simulator" in target else "iphoneos"
    answers = {
        f"--sdk {sdk} --find clang": str(bin_folder / "clang"),
        f"--sdk {sdk} --show-sdk-path": str(folder / "SDKs" / f"{sdk}.sdk"),
        f"--sdk {sdk} --show-sdk-version": "15.2",
        f"--sdk {sdk} --show-sdk-build-version": "24C94",
    }
    program(tmp_path / "bin" / "xcrun", log, made, answers=answers)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    around = Surroundings("darwin", "arm64", {"DEVELOPER_DIR": str(folder)}, tmp_path)
    return xcode.ADAPTER.find(table.find(target), "", around)


@pytest.mark.parametrize(
    ("target", "platform", "linked"),
    [
        ("macos_arm64", ["-arch", "arm64", "-mmacosx-version-min=11.0"], {"-bundle"}),
        ("ios_13_0_arm64", ["-target", "arm64-apple-ios13.0"], {"-dynamiclib"}),
        ("ios_13_0_arm64_simulator", ["-target", "arm64-apple-ios13.0-simulator"], {"-dynamiclib"}),
    ],
)
def test_xcode_is_asked_for_clang_and_the_sdk(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch, target: str, platform: list[str], linked: set[str]
) -> None:
    found = found_xcode(tmp_path, monkeypatch, target)
    assert (found.missing, found.version) == ("", "16.0.0")
    assert [name for name, _ in found.identity] == ["Apple's clang", "SDK", "build of the SDK"]
    assert xcode.ADAPTER.open(found, tmp_path).build_module(job(target), scratch) == b"made"
    compiling, linking = (words for name, words in calls(tmp_path / "log")[-2:])
    assert compiling[:3] == [*platform, "-std=c11"][:3]
    root = compiling[compiling.index("-isysroot") + 1]
    assert root.endswith(".sdk")
    assert {*linked, "-Wl,-undefined,dynamic_lookup", "-Wl,-dead_strip", "-isysroot", root, *platform} <= set(linking)


def test_an_xcode_that_is_too_old_or_lacks_an_sdk_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Apple's clang 12 is the oldest" in found_xcode(tmp_path, monkeypatch, "macos_arm64", "11.0.3").missing
    failure = {"on": "--find", "says": 'xcrun: error: SDK "iphoneos" cannot be located', "code": 1}
    program(tmp_path / "bin" / "xcrun", tmp_path / "log", tmp_path, failure=failure)
    around = Surroundings("darwin", "arm64", {}, tmp_path)
    found = xcode.ADAPTER.find(table.find("ios"), "", around)
    assert 'SDK "iphoneos" cannot be located' in found.missing
    assert "Install Xcode" in found.hint


def test_emcc_makes_side_modules(tmp_path: Path, scratch: Path) -> None:
    log, made = tmp_path / "log", tmp_path / "made"
    made.write_bytes(b"\0asm")
    place = tmp_path / "emsdk" / "upstream" / "emscripten" / "emcc"
    program(place, log, made, answers={"--version": "emcc (Emscripten gcc/clang-like replacement) 4.0.9 (abc)"})
    found = emscripten.ADAPTER.find(table.find("emscripten"), "", here(EMSDK=str(tmp_path / "emsdk")))
    assert (found.version, found.place) == ("4.0.9", place)
    assert emscripten.ADAPTER.open(found, tmp_path).build_module(job("emscripten"), scratch) == b"\0asm"
    assert {"-sSIDE_MODULE=2", "-sWASM_BIGINT", "-sEXPORTED_FUNCTIONS=_PyInit_mod"} <= set(calls(log)[-1][1])
    program(place, log, made, answers={"--version": "emcc (Emscripten gcc/clang-like replacement) 2.0.34 (abc)"})
    old = emscripten.ADAPTER.find(table.find("emscripten"), "", here(EMSDK=str(tmp_path / "emsdk")))
    assert "emcc 3.1.6 is the oldest that works" in old.missing


def test_a_compiler_that_leaves_no_file_is_an_error(tmp_path: Path, scratch: Path, elf_object: Path) -> None:
    place = lay_out_ndk(tmp_path / "ndk", log=tmp_path / "log", made=elf_object)
    found = ndk.ADAPTER.find(table.find("android_24_arm64"), "", here(ANDROID_NDK_HOME=str(place)))
    for program_ in found.programs.values():
        program_.write_text("#!/bin/sh\nexit 0\n")
    with pytest.raises(ToolError, match=r"NDK 27\.1\.12297006 ended well and left no file module\.o"):
        ndk.ADAPTER.open(found, tmp_path).build_module(job("android_24_arm64"), scratch)
