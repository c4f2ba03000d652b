"""Where compilers are looked for, and what is said of those that do not do: folders on disk, no program runs."""

from __future__ import annotations

import shutil
import struct
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend.tools import android, driver, emscripten, gcc, macho, msvc, ndk, windows_runtime, xcode, zig, zig_android
from pypackpack.backend.tools.toolchain import ModuleJob, RefusedError
from pypackpack.middleware.target import table
from pypackpack.model.errors import WorkError
from pypackpack.model.toolchain import FoundToolchain, Surroundings
from tests.layouts import lay_out_ndk, lay_out_visual_studio

if TYPE_CHECKING:
    from pathlib import Path

ANDROID = table.find("android_24_arm64")


def around(home: Path, system: str = "linux", machine: str = "x86_64", **variables: str) -> Surroundings:
    return Surroundings(system, machine, variables, home)


def find_ndk(surroundings: Surroundings, target: str = "android_24_arm64") -> FoundToolchain:
    return ndk.ADAPTER.find(table.find(target), "", surroundings)


# ------------------------------------------------------------------------------------------------------------ the NDK


def test_the_newest_ndk_of_the_sdk_is_taken(tmp_path: Path) -> None:
    sdk = tmp_path / "Android" / "Sdk"
    for revision in ("26.3.11579264", "27.1.12297006", "9.9.9"):
        lay_out_ndk(sdk / "ndk" / revision, revision)
    (sdk / "ndk" / "28.0.0").mkdir()  # an empty folder, as an installation that broke off leaves one
    found = find_ndk(around(tmp_path))
    assert (found.version, found.place) == ("27.1.12297006", sdk / "ndk" / "27.1.12297006")
    assert found.identity == (("NDK", "27.1.12297006"),)
    assert found.programs["cc"] == found.place / "toolchains" / "llvm" / "prebuilt" / "linux-x86_64" / "bin" / "clang"


@pytest.mark.parametrize("variable", ["PYPACKPACK_NDK", "ANDROID_NDK_HOME", "ANDROID_NDK_ROOT"])
def test_a_variable_names_the_ndk(tmp_path: Path, variable: str) -> None:
    lay_out_ndk(tmp_path / "Android" / "Sdk" / "ndk" / "27.1.12297006")
    named = lay_out_ndk(tmp_path / "named", "26.3.11579264")
    assert find_ndk(around(tmp_path, **{variable: str(named)})).version == "26.3.11579264"
    wrong = find_ndk(around(tmp_path, **{variable: str(tmp_path)}))  # what is named is not passed over for another one
    assert wrong.missing.startswith(f"{variable} names {tmp_path}, which is no NDK")
    assert "developer.android.com/ndk" in wrong.hint


def test_an_sdk_elsewhere_and_the_old_bundle(tmp_path: Path) -> None:
    lay_out_ndk(tmp_path / "sdk" / "ndk-bundle", "25.2.9519653")
    assert find_ndk(around(tmp_path, ANDROID_HOME=str(tmp_path / "sdk"))).version == "25.2.9519653"


@pytest.mark.parametrize(
    ("revision", "target", "machine", "said"),
    [
        ("21.4.7075529", "android_24_arm64", "x86_64", "is 21.4.7075529, and 25 is the oldest that works"),
        ("27.1.12297006", "android_36_arm64", "x86_64", "has the API levels 21 to 35, and android_36_arm64 is of 36"),
        ("27.1.12297006", "android_24_arm64", "aarch64", "there is no NDK for linux on aarch64"),
        ("nonsense", "android_24_arm64", "x86_64", "is nonsense, and 25 is the oldest that works"),
    ],
)
def test_an_ndk_that_does_not_do_says_why(tmp_path: Path, revision: str, target: str, machine: str, said: str) -> None:
    named = lay_out_ndk(tmp_path / "named", revision)
    found = find_ndk(around(tmp_path, machine=machine, ANDROID_NDK_HOME=str(named)), target)
    assert said in found.missing
    assert found.hint


@pytest.mark.parametrize("lost", ["meta/platforms.json", "toolchains/llvm/prebuilt/linux-x86_64/bin/clang++", "toolchains"])
def test_an_ndk_that_is_not_whole_says_what_is_lost(tmp_path: Path, lost: str) -> None:
    named = lay_out_ndk(tmp_path / "named")
    place = named / lost
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    assert lost.partition("/")[0] in find_ndk(around(tmp_path, ANDROID_NDK_HOME=str(named))).missing


def test_no_ndk_says_where_to_get_one(tmp_path: Path) -> None:
    found = find_ndk(around(tmp_path))
    assert found.missing == "no Android NDK found"
    assert "sdkmanager" in found.hint
    assert "ANDROID_NDK_HOME" in found.hint


def test_the_stub_of_libpython_has_what_is_missed_of_python_alone() -> None:
    missing = {"PyExc_ValueError", "_Py_NoneStruct", "memcpy", "Python", "Py;system", "PyX"}
    assert android.stub_source(missing) == (
        "void PyExc_ValueError(void) {}\nvoid PyX(void) {}\nvoid Python(void) {}\nvoid _Py_NoneStruct(void) {}\n"
    )


def test_zig_builds_for_android_what_it_knows_the_functions_of(tmp_path: Path) -> None:
    assert zig.ADAPTER.serves(ANDROID)
    assert not zig.ADAPTER.serves(table.find("android_21_arm64"))  # some functions began later
    assert {"memcpy", "__errno", "fmod"} <= zig_android.functions()
    job = ModuleJob("mod", "pkg/mod", {}, (), ANDROID, (3, 13), (), release=True)
    ran: list[list[str]] = []
    with pytest.raises(RefusedError, match="uses __sigsetjmp, dlvsym, and zig knows only a part") as caught:
        zig_android.link(job, ["module.o"], {"PyModuleDef_Init", "memcpy", "dlvsym", "__sigsetjmp"}, "out", tmp_path, ran.append)
    assert 'toolchain = "ndk"' in caught.value.message
    assert ran == []
    zig_android.link(job, ["module.o"], {"PyModuleDef_Init", "memcpy"}, "out", tmp_path, ran.append)
    assert {"max-page-size=16384", "--no-undefined", "module.o", "libpython3.13.so", "libc.so"} <= set(ran[-1])
    assert (tmp_path / "libc.c").read_text() == "void memcpy(void) {}\n"


# ------------------------------------------------------------------------------------------------------- the others


def test_apple_and_microsoft_are_said_to_be_for_their_own_systems(tmp_path: Path) -> None:
    assert "on a Mac only" in xcode.ADAPTER.find(table.find("ios"), "", around(tmp_path)).missing
    assert "on Windows only" in msvc.ADAPTER.find(table.find("windows"), "", around(tmp_path)).missing
    named = around(tmp_path, "darwin", "arm64", DEVELOPER_DIR=str(tmp_path / "nothing"))
    assert f"names {tmp_path / 'nothing'}, which is no folder" in xcode.ADAPTER.find(table.find("ios"), "", named).missing


def studio(tmp_path: Path, **variables: str) -> FoundToolchain:
    surroundings = around(tmp_path, "win32", "amd64", **{"PROGRAMFILES(X86)": str(tmp_path), **variables})
    return msvc.ADAPTER.find(table.find("windows_amd64"), "", surroundings)


def test_visual_studio_and_the_newest_whole_sdk(tmp_path: Path) -> None:
    place, kit = lay_out_visual_studio(tmp_path, tmp_path / "log", tmp_path, tmp_path)
    found = studio(tmp_path, VSINSTALLDIR=str(place))
    assert found.missing == ""
    assert found.identity == (("MSVC", "14.41.34120"), ("MSVC for", "x64"), ("Windows SDK", "10.0.22621.0"))
    assert found.folders["lib um"] == kit / "Lib" / "10.0.22621.0" / "um" / "x64"
    arm = msvc.ADAPTER.find(table.find("windows_x86"), "", around(tmp_path, "win32", "amd64", PYPACKPACK_MSVC=str(place)))
    assert "cannot build for windows_x86: there is no" in arm.missing


def test_a_visual_studio_that_does_not_do_says_why(tmp_path: Path) -> None:
    assert studio(tmp_path).missing == "no Visual Studio found"
    assert "is no Visual Studio with its C++ tools" in studio(tmp_path, PYPACKPACK_MSVC=str(tmp_path)).missing
    place, kit = lay_out_visual_studio(tmp_path, tmp_path / "log", tmp_path, tmp_path)
    shutil.rmtree(kit)
    assert studio(tmp_path, PYPACKPACK_MSVC=str(place)).missing == f"there is no Windows SDK in {kit}"
    (place / "VC/Auxiliary/Build/Microsoft.VCToolsVersion.default.txt").write_text("14.16.27023")
    assert "14.29 are the oldest that work" in studio(tmp_path, PYPACKPACK_MSVC=str(place)).missing


def test_an_emcc_that_is_not_there_is_named(tmp_path: Path) -> None:
    found = emscripten.ADAPTER.find(table.find("emscripten"), "no-such-emcc", around(tmp_path))
    assert found.missing == "there is no no-such-emcc"
    assert 'toolchain-program = "no-such-emcc" of the settings' in found.hint
    variable = emscripten.ADAPTER.find(table.find("emscripten"), "", around(tmp_path, PYPACKPACK_EMCC="no-such-emcc"))
    assert variable.missing == found.missing
    assert "emsdk" in variable.hint


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("gcc (Debian 12.2.0-14+deb12u1) 12.2.0\nCopyright", "12.2.0"),
        ("gcc (GCC) 14.1.1 20240522 (Red Hat 14.1.1-4)", "14.1.1"),
        ("Debian clang version 14.0.6", "14.0.6"),
        ("Apple clang version 16.0.0 (clang-1600.0.26.6)", "16.0.0"),
        ("emcc (Emscripten gcc/clang-like replacement + linker emulating GNU ld) 3.1.6 ()", "3.1.6"),
        ("aarch64-linux-gnu-gcc-12 (Ubuntu 12.3.0-1ubuntu1~22.04) 12.3.0", "12.3.0"),
        ("no version here", ""),
    ],
)
def test_versions_are_read_from_what_compilers_say(said: str, version: str) -> None:
    assert driver.version_in(said) == version


@pytest.mark.parametrize(
    ("machine", "target", "fits"),
    [
        ("x86_64-linux-gnu", "linux_x86_64", True),
        ("x86_64-redhat-linux", "linux_2_28_x86_64", True),
        ("x86_64-pc-linux-gnu", "linux_arm64", False),
        ("x86_64-alpine-linux-musl", "linux_x86_64", False),
        ("x86_64-alpine-linux-musl", "linux_musl_x86_64", True),
        ("arm-linux-gnueabihf", "linux_armv7", True),
        ("arm-linux-gnueabi", "linux_armv7", False),
        ("i686-linux-gnu", "linux_x86", True),
        ("aarch64-linux-android", "linux_arm64", False),
        ("aarch64-none-elf", "linux_arm64", False),
    ],
)
def test_a_compiler_is_for_the_machine_that_it_names(machine: str, target: str, fits: bool) -> None:
    assert gcc.is_for(machine, table.find(target)) is fits


def test_zig_for_windows_is_known_by_what_we_add_to_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def identity(target: str) -> object:
        return zig.ADAPTER.find(table.find(target), "", Surroundings("linux", "x86_64", {}, tmp_path)).identity

    before = {target: identity(target) for target in ("windows_amd64", "linux_x86_64")}
    (tmp_path / "windows_runtime.c").write_text("other")
    monkeypatch.setattr(windows_runtime, "SOURCE", tmp_path / "windows_runtime.c")
    assert identity("windows_amd64") != before["windows_amd64"]
    assert identity("linux_x86_64") == before["linux_x86_64"]


@pytest.mark.parametrize(
    ("name", "plus"),
    [
        ("gcc", "g++"),
        ("aarch64-linux-gnu-gcc-12", "aarch64-linux-gnu-g++-12"),
        ("clang-14", "clang++-14"),
        ("cc", "c++"),
        ("mine", ""),
    ],
)
def test_the_cplusplus_compiler_beside_a_c_compiler(name: str, plus: str) -> None:
    assert gcc.cplusplus(name) == plus


# ------------------------------------------------------------------------------------------------------- universal


def thin(cpu: int, size: int) -> bytes:
    """The beginning of a Mach-O file of a processor."""
    return struct.pack("<Iii", 0xFEEDFACF, cpu, 3) + bytes(size - 12)


def test_parts_lie_at_their_alignment_whatever_their_order() -> None:
    intel, arm = thin(0x01000007, 5000), thin(0x0100000C, 70)
    both = macho.fat([arm, intel])
    assert both == macho.fat([intel, arm])
    count, *fields = struct.unpack_from(">I10I", both, 4)
    assert (count, fields) == (2, [0x01000007, 3, 4096, 5000, 12, 0x0100000C, 3, 16384, 70, 14])
    assert (both[4096:9096], both[16384:]) == (intel, arm)


@pytest.mark.parametrize("parts", [[], [thin(0x0100000C, 20)] * 2, [b"\x7fELF"], [b""], [thin(7, 40)]])
def test_what_cannot_be_joined_is_refused(parts: list[bytes]) -> None:
    with pytest.raises(WorkError):
        macho.fat(parts)


@pytest.mark.parametrize(
    ("whole", "parts"),
    [
        ("macos_universal2", ["macos_x86_64", "macos_arm64"]),
        ("macos_12_0_universal2", ["macos_12_0_x86_64", "macos_12_0_arm64"]),
        ("macos_10_15_universal2", ["macos_10_15_x86_64", "macos_arm64"]),
        ("linux_arm64", ["linux_arm64"]),
    ],
)
def test_parts_have_the_version_of_the_whole_where_they_have_such(whole: str, parts: list[str]) -> None:
    assert [part.name for part in table.parts_of(table.find(whole))] == parts
