from __future__ import annotations

import re
import sysconfig
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Environment, Marker, default_environment
from packaging.tags import mac_platforms
from packaging.utils import parse_wheel_filename

from pypackpack.middleware.target import table
from pypackpack.middleware.target.rows import numbers
from pypackpack.model.errors import EXIT_USAGE, MissingToolError, UnknownTargetError, UsageError
from pypackpack.model.host import Host

if TYPE_CHECKING:
    from pypackpack.model.target import PythonVersion, Target

PYTHONS = ((3, 10), (3, 11), (3, 12), (3, 13), (3, 14))
EVERY = tuple(table.targets().values())

NAMES = {
    # canonical names of the table
    "linux_x86_64": "linux_x86_64",
    "linux_arm64": "linux_arm64",
    "linux_armv7": "linux_armv7",
    "linux_x86": "linux_x86",
    "linux_ppc64le": "linux_ppc64le",
    "linux_s390x": "linux_s390x",
    "linux_riscv64": "linux_riscv64",
    "linux_musl_x86_64": "linux_musl_x86_64",
    "linux_musl_arm64": "linux_musl_arm64",
    "windows_amd64": "windows_amd64",
    "windows_arm64": "windows_arm64",
    "windows_x86": "windows_x86",
    "macos_arm64": "macos_arm64",
    "macos_x86_64": "macos_x86_64",
    "macos_universal2": "macos_universal2",
    "android_24_arm64": "android_24_arm64",
    "android_24_x86_64": "android_24_x86_64",
    "ios_13_0_arm64": "ios_13_0_arm64",
    "ios_13_0_arm64_simulator": "ios_13_0_arm64_simulator",
    "ios_13_0_x86_64_simulator": "ios_13_0_x86_64_simulator",
    "emscripten_wasm32": "emscripten_wasm32",
    # families
    "linux": "linux_x86_64",
    "windows": "windows_amd64",
    "macos": "macos_arm64",
    "android": "android_24_arm64",
    "ios": "ios_13_0_arm64",
    "emscripten": "emscripten_wasm32",
    # versions, said and unsaid
    "linux_2_17_x86_64": "linux_x86_64",
    "linux_2_28_x86_64": "linux_2_28_x86_64",
    "linux_2_28_arm64": "linux_2_28_arm64",
    "linux_2_31_riscv64": "linux_2_31_riscv64",
    "android_21_arm64": "android_21_arm64",
    "android_21_x86_64": "android_21_x86_64",
    "android_30_arm64": "android_30_arm64",
    "android_arm64": "android_24_arm64",
    "ios_15_0_arm64": "ios_15_0_arm64",
    "ios_arm64": "ios_13_0_arm64",
    "ios_arm64_simulator": "ios_13_0_arm64_simulator",
    "ios_15_0_arm64_simulator": "ios_15_0_arm64_simulator",
    "macos_12_0_arm64": "macos_12_0_arm64",
    "macos_12_arm64": "macos_12_0_arm64",
    "macos_10_15_x86_64": "macos_10_15_x86_64",
    "emscripten_2024_0_wasm32": "emscripten_2024_0_wasm32",
    "emscripten_2025_0_wasm32": "emscripten_2025_0_wasm32",
    "emscripten_2026_0_wasm32": "emscripten_2026_0_wasm32",
    # {os}-{arch} keys
    "linux-x64": "linux_x86_64",
    "linux-aarch64": "linux_arm64",
    "macosx-x64": "macos_x86_64",
    "macosx-aarch64": "macos_arm64",
    "windows-x64": "windows_amd64",
    "windows-aarch64": "windows_arm64",
    "Linux-X64": "linux_x86_64",
    # Rust's triples
    "x86_64-unknown-linux-gnu": "linux_x86_64",
    "aarch64-unknown-linux-gnu": "linux_arm64",
    "armv7-unknown-linux-gnueabihf": "linux_armv7",
    "i686-unknown-linux-gnu": "linux_x86",
    "powerpc64le-unknown-linux-gnu": "linux_ppc64le",
    "s390x-unknown-linux-gnu": "linux_s390x",
    "riscv64gc-unknown-linux-gnu": "linux_riscv64",
    "x86_64-unknown-linux-musl": "linux_musl_x86_64",
    "aarch64-unknown-linux-musl": "linux_musl_arm64",
    "x86_64-pc-windows-msvc": "windows_amd64",
    "x86_64-pc-windows-gnu": "windows_amd64",
    "aarch64-pc-windows-msvc": "windows_arm64",
    "i686-pc-windows-msvc": "windows_x86",
    "aarch64-apple-darwin": "macos_arm64",
    "x86_64-apple-darwin": "macos_x86_64",
    "aarch64-linux-android": "android_24_arm64",
    "x86_64-linux-android": "android_24_x86_64",
    "aarch64-apple-ios": "ios_13_0_arm64",
    "aarch64-apple-ios-sim": "ios_13_0_arm64_simulator",
    "x86_64-apple-ios": "ios_13_0_x86_64_simulator",
    "wasm32-unknown-emscripten": "emscripten_wasm32",
    # wheel platform tags
    "manylinux_2_17_x86_64": "linux_x86_64",
    "manylinux2014_x86_64": "linux_x86_64",
    "manylinux_2_17_x86_64.manylinux2014_x86_64": "linux_x86_64",
    "manylinux_2_28_aarch64": "linux_2_28_arm64",
    "manylinux1_x86_64": "linux_x86_64",
    "musllinux_1_2_x86_64": "linux_musl_x86_64",
    "musllinux_1_1_aarch64": "linux_musl_arm64",
    "win_amd64": "windows_amd64",
    "win_arm64": "windows_arm64",
    "win32": "windows_x86",
    "macosx_11_0_arm64": "macos_arm64",
    "macosx_10_9_x86_64": "macos_x86_64",
    "macosx_10_13_x86_64": "macos_x86_64",
    "macosx_10_9_universal2": "macos_universal2",
    "android_21_arm64_v8a": "android_21_arm64",
    "ios_13_0_arm64_iphoneos": "ios_13_0_arm64",
    "ios_13_0_x86_64_iphonesimulator": "ios_13_0_x86_64_simulator",
    "pyodide_2024_0_wasm32": "emscripten_2024_0_wasm32",
    "pyodide_2025_0_wasm32": "emscripten_2025_0_wasm32",
    "pyemscripten_2025_0_wasm32": "emscripten_2025_0_wasm32",
    "pyemscripten_2026_0_wasm32": "emscripten_2026_0_wasm32",
    "emscripten_3_1_46_wasm32": "emscripten_3_1_46_wasm32",
    # what sysconfig says of its platform
    "linux-x86_64": "linux_x86_64",
    "linux-armv7l": "linux_armv7",
    "linux-i686": "linux_x86",
    "win-amd64": "windows_amd64",
    "win-arm64": "windows_arm64",
    "macosx-11.0-arm64": "macos_arm64",
    "macosx-14-arm64": "macos_14_0_arm64",
    "macosx-14.4-arm64": "macos_14_0_arm64",
    "macosx-10.9-universal2": "macos_universal2",
    "android-24-arm64_v8a": "android_24_arm64",
    "ios-13.0-arm64-iphoneos": "ios_13_0_arm64",
    "emscripten-4.0.9-wasm32": "emscripten_2025_0_wasm32",
    "emscripten-3.1.58-wasm32": "emscripten_2024_0_wasm32",
}

# uv 0.13's own list (`uv pip install --help`).
UV_LINUX = ("manylinux2014", *(f"manylinux_2_{minor}" for minor in (17, 28, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40)))
UV_NAMES = (
    *("windows", "linux", "macos", "x86_64-pc-windows-msvc", "aarch64-pc-windows-msvc", "i686-pc-windows-msvc"),
    *("x86_64-unknown-linux-gnu", "aarch64-apple-darwin", "x86_64-apple-darwin", "aarch64-unknown-linux-gnu"),
    *("aarch64-unknown-linux-musl", "x86_64-unknown-linux-musl", "riscv64-unknown-linux", "aarch64-linux-android"),
    *("x86_64-linux-android", "wasm32-pyodide2024", "wasm32-pyodide2025", "arm64-apple-ios", "arm64-apple-ios-simulator"),
    "x86_64-apple-ios-simulator",
    *(f"{arch}-{name}" for arch in ("x86_64", "aarch64") for name in UV_LINUX),
)


@pytest.mark.parametrize(("name", "canonical"), NAMES.items())
def test_every_name_of_the_documents_is_known(name: str, canonical: str) -> None:
    assert table.find(name).name == canonical
    assert table.is_target_word(name)


@pytest.mark.parametrize("name", UV_NAMES)
def test_every_platform_of_uv_is_a_name(name: str) -> None:
    assert table.is_target_word(name)


def test_uv_is_only_told_names_that_it_knows() -> None:
    versions = [
        *EVERY,
        *map(table.find, ("linux_2_30_x86_64", "linux_2_44_arm64", "emscripten_2024_0_wasm32", "android_30_arm64")),
    ]
    told = {target.uv(python) for target in versions for python in PYTHONS}
    assert told - {""} <= set(UV_NAMES)


@pytest.mark.parametrize("target", EVERY, ids=lambda target: target.name)
def test_every_other_spelling_of_a_row_means_its_target(target: Target) -> None:
    row = table.row_of(target)
    for alias in row.aliases:
        name = alias.replace("{version}", row.versions.lowest if row.versions else "").replace("{dotted}", target.version)
        if "{" in alias and not target.version:
            continue
        found = table.find(name)
        assert found.row == target.name, alias
        assert table.find(name.upper().replace("-", "_")) == found


@pytest.mark.parametrize("target", EVERY, ids=lambda target: target.name)
def test_names_say_what_the_rows_say(target: Target) -> None:
    assert table.find(target.name) == target
    assert target.row == target.name
    assert target.name.startswith(f"{target.family}_")
    assert target.arch in target.name
    assert target.toolchain in {"zig", "ndk", "xcode"}
    python = max(target.min_python, (3, 13))
    for tag in target.tags.for_python(python):
        assert parse_wheel_filename(f"x-1-cp3-none-{tag}.whl")
        assert table.find(tag).row == target.name
    assert target.tags.for_python(python)


def test_the_tags() -> None:
    tags = {target.name: target.tags.for_python((3, 13)) for target in EVERY}
    assert tags == {
        "linux_x86_64": ("manylinux_2_17_x86_64", "manylinux2014_x86_64"),
        "linux_arm64": ("manylinux_2_17_aarch64", "manylinux2014_aarch64"),
        "linux_armv7": ("manylinux_2_17_armv7l", "manylinux2014_armv7l"),
        "linux_x86": ("manylinux_2_17_i686", "manylinux2014_i686"),
        "linux_ppc64le": ("manylinux_2_24_ppc64le",),
        "linux_s390x": ("manylinux_2_17_s390x", "manylinux2014_s390x"),
        "linux_riscv64": ("manylinux_2_39_riscv64",),
        "linux_musl_x86_64": ("musllinux_1_2_x86_64",),
        "linux_musl_arm64": ("musllinux_1_2_aarch64",),
        "windows_amd64": ("win_amd64",),
        "windows_arm64": ("win_arm64",),
        "windows_x86": ("win32",),
        "macos_arm64": ("macosx_11_0_arm64",),
        "macos_x86_64": ("macosx_10_13_x86_64",),
        "macos_universal2": ("macosx_10_13_universal2",),
        "android_24_arm64": ("android_24_arm64_v8a",),
        "android_24_x86_64": ("android_24_x86_64",),
        "ios_13_0_arm64": ("ios_13_0_arm64_iphoneos",),
        "ios_13_0_arm64_simulator": ("ios_13_0_arm64_iphonesimulator",),
        "ios_13_0_x86_64_simulator": ("ios_13_0_x86_64_iphonesimulator",),
        "emscripten_wasm32": ("pyodide_2025_0_wasm32",),
    }


@pytest.mark.parametrize(
    ("python", "tags", "uv"),
    [
        ((3, 10), ("emscripten_3_1_27_wasm32",), ""),
        ((3, 11), ("emscripten_3_1_46_wasm32",), ""),
        ((3, 12), ("pyodide_2024_0_wasm32",), "wasm32-pyodide2024"),
        ((3, 13), ("pyodide_2025_0_wasm32",), "wasm32-pyodide2025"),
        ((3, 14), ("pyemscripten_2026_0_wasm32",), ""),
        ((3, 15), (), ""),
    ],
)
def test_emscripten_has_one_abi_for_each_python(python: PythonVersion, tags: tuple[str, ...], uv: str) -> None:
    target = table.find("emscripten_wasm32")
    assert target.tags.for_python(python) == tags
    assert target.uv(python) == uv


def test_an_emscripten_abi_belongs_to_one_python() -> None:
    target = table.find("emscripten_2025_0_wasm32")
    assert [python for python in PYTHONS if target.tags.for_python(python)] == [(3, 13)]
    assert target.min_python == (3, 13)
    assert target.tags.for_python((3, 13)) == ("pyodide_2025_0_wasm32",)
    assert target.uv((3, 13)) == "wasm32-pyodide2025"


@pytest.mark.parametrize(
    ("name", "tags", "triple", "uv", "environment"),
    [
        ("linux_x86_64", ("manylinux_2_17_x86_64", "manylinux2014_x86_64"), "x86_64-linux-gnu.2.17", "x86_64-manylinux_2_17", ()),
        ("linux_2_28_x86_64", ("manylinux_2_28_x86_64",), "x86_64-linux-gnu.2.28", "x86_64-manylinux_2_28", ()),
        ("linux_2_30_x86_64", ("manylinux_2_30_x86_64",), "x86_64-linux-gnu.2.30", "x86_64-manylinux_2_28", ()),
        ("linux_2_31_riscv64", ("manylinux_2_31_riscv64",), "riscv64-linux-gnu.2.31", "", ()),
        (
            *("macos_12_0_arm64", ("macosx_12_0_arm64",), "aarch64-macos.12.0", "aarch64-apple-darwin"),
            (("MACOSX_DEPLOYMENT_TARGET", "12.0"),),
        ),
        (
            *("android_30_arm64", ("android_30_arm64_v8a",), "aarch64-linux-android30", "aarch64-linux-android"),
            (("ANDROID_API_LEVEL", "30"),),
        ),
        (
            *("ios_15_0_arm64", ("ios_15_0_arm64_iphoneos",), "arm64-apple-ios15.0", "arm64-apple-ios"),
            (("IPHONEOS_DEPLOYMENT_TARGET", "15.0"),),
        ),
    ],
)
def test_a_version_goes_everywhere_at_once(
    name: str, tags: tuple[str, ...], triple: str, uv: str, environment: tuple[tuple[str, str], ...]
) -> None:
    target = table.find(name)
    assert (target.name, target.tags.for_python((3, 13)), target.triple) == (name, tags, triple)
    assert (target.uv((3, 13)), target.uv_environment) == (uv, environment)


@given(st.sampled_from([target for target in EVERY if target.version]), st.integers(0, 60), st.integers(0, 20))
def test_a_versioned_name_is_its_own_canonical_name_or_an_error(target: Target, major: int, minor: int) -> None:
    row = table.row_of(target)
    assert row.versions is not None
    said = f"{major}_{minor}" if "." in target.version else f"{major}"
    name = row.versions.name.replace("{version}", said)
    possible = re.fullmatch(row.versions.form, said) and numbers(said) >= numbers(row.versions.lowest)
    if possible and (not row.versions.newest or numbers(said) <= numbers(row.versions.newest)):
        found = table.find(name)
        assert found.row == target.name
        assert found.version == said.replace("_", ".")
        assert table.find(found.name) == found
        filled = (found.triple, found.uv((3, 13)), found.suffix((3, 13)), *found.tags.for_python((3, 13)))
        assert not any("{" in text for text in filled)
    else:
        with pytest.raises(UnknownTargetError):
            table.find(name)


@given(st.text())
def test_any_text_is_a_target_or_a_clear_error(text: str) -> None:
    if table.is_target_word(text) and text.lower() != "host":
        target = table.find(text)
        assert table.find(target.name) == target
    else:
        with pytest.raises(UnknownTargetError) as caught:
            table.find(text)
        assert repr(text) in caught.value.message
        assert caught.value.hint


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("windos", "windows"),
        ("linux-musl", "linux_musl_x86_64, linux_musl_arm64"),
        ("linux-x46", "linux_x86"),
        ("linux_x86_46", "linux_x86_64"),
        ("macos_arm", "macos_arm64"),
        ("x86_64-unknown-linux-gnuu", "linux_x86_64"),
        ("emscripten_wams32", "emscripten_wasm32"),
        ("linux_2_5_x86_64", "2.17"),
        ("linux_2_99_x86_64", "2.44"),
        ("android_19_arm64", "21"),
        ("macos_12_3_arm64", "11.0"),
        ("emscripten_2027_0_wasm32", "emscripten_2026_0_wasm32"),
        ("manylinux_2_99_x86_64", "2.44"),
        ("solaris", "families are linux, windows"),
        ("", "families"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(name: str, near: str) -> None:
    with pytest.raises(UnknownTargetError, match="unknown target") as caught:
        table.find(name)
    assert near in caught.value.hint
    assert caught.value.exit_code == EXIT_USAGE


@pytest.mark.parametrize("word", ["host", "HOST", "linux", "x86_64-pc-windows-gnu", "linux_2_28_x86_64", "Windows"])
def test_words_of_targets(word: str) -> None:
    assert table.is_target_word(word)


@pytest.mark.parametrize("word", ["", "3.11", "mypkg", "native", "--", "linux_", "_", "2_28", "."])
def test_words_that_are_none(word: str) -> None:
    assert not table.is_target_word(word)


def test_no_package_may_have_the_name_of_a_target() -> None:
    reserved = table.reserved_names()
    assert {"host", *table.families(), *table.targets(), "linux-x64", "linux_x64", "win32", "android_arm64"} <= reserved
    assert all(table.is_target_word(word) for word in reserved)
    assert "mypkg" not in reserved


@pytest.mark.parametrize(
    ("name", "suffixes"),
    [
        ("linux_x86_64", {(3, 13): ".cpython-313-x86_64-linux-gnu.so", (3, 10): ".cpython-310-x86_64-linux-gnu.so"}),
        ("linux_2_28_arm64", {(3, 11): ".cpython-311-aarch64-linux-gnu.so"}),
        ("linux_x86", {(3, 11): ".cpython-311-i386-linux-gnu.so"}),
        ("linux_armv7", {(3, 11): ".cpython-311-arm-linux-gnueabihf.so"}),
        ("linux_musl_arm64", {(3, 11): ".cpython-311-aarch64-linux-musl.so", (3, 10): ".so"}),
        ("windows_amd64", {(3, 14): ".cp314-win_amd64.pyd"}),
        ("windows_x86", {(3, 12): ".cp312-win32.pyd"}),
        ("macos_arm64", {(3, 12): ".cpython-312-darwin.so"}),
        ("android_24_arm64", {(3, 13): ".cpython-313-aarch64-linux-android.so"}),
        ("ios_13_0_arm64", {(3, 13): ".cpython-313-iphoneos.so"}),
        ("ios_13_0_arm64_simulator", {(3, 13): ".cpython-313-iphonesimulator.so"}),
        ("emscripten_wasm32", {(3, 13): ".cpython-313-wasm32-emscripten.so"}),
    ],
)
def test_extension_suffixes(name: str, suffixes: dict[PythonVersion, str]) -> None:
    assert {python: table.find(name).suffix(python) for python in suffixes} == suffixes


def test_macos_tags_are_ones_that_installers_make() -> None:
    for name, machine, version in (("macos_arm64", "arm64", (11, 0)), ("macos_x86_64", "x86_64", (10, 13))):
        assert set(table.find(name).tags.default) <= set(mac_platforms(version, machine))
    assert set(table.find("macos_14_0_arm64").tags.default) <= set(mac_platforms((14, 4), "arm64"))


@pytest.mark.parametrize("target", EVERY, ids=lambda target: target.name)
def test_marker_facts_select_their_own_family(target: Target) -> None:
    here: Environment = {
        **default_environment(),
        "sys_platform": target.sys_platform,
        "platform_machine": target.platform_machine,
        "platform_system": target.platform_system,
        "os_name": target.os_name,
    }
    systems = {
        "linux": "linux",
        "windows": "win32",
        "macos": "darwin",
        "android": "android",
        "ios": "ios",
        "emscripten": "emscripten",
    }
    matching = [family for family, system in systems.items() if Marker(f"sys_platform == '{system}'").evaluate(here)]
    assert matching == [target.family]
    assert Marker("os_name == 'nt'").evaluate(here) == (target.family == "windows")


def test_floors_of_pythons() -> None:
    assert {target.family for target in EVERY if target.min_python == (3, 13)} == {"android", "ios"}
    assert {target.min_python for target in EVERY if target.family not in {"android", "ios"}} == {(3, 10)}


def test_a_universal_target_names_its_parts() -> None:
    target = table.find("macos_universal2")
    assert [table.find(name).arch for name in target.parts] == ["x86_64", "arm64"]
    assert target.triple == ""


def test_targets_are_values() -> None:
    assert table.find("linux") == table.find("linux_x86_64")
    assert {table.find("linux"), table.find("linux-x64"), table.find("linux_2_28_x86_64")} == {
        table.find("linux_x86_64"),
        table.find("manylinux_2_28_x86_64"),
    }


# ------------------------------------------------------------------------------------------------------------- resolve


def enabled(*names: str) -> tuple[Target, ...]:
    return tuple(table.find(name) for name in names)


HAVE = enabled("linux_x86_64", "windows_amd64", "linux_2_28_arm64", "linux_musl_x86_64", "android_30_arm64")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["linux_x86_64"], ["linux_x86_64"]),
        (["linux"], ["linux_x86_64", "linux_2_28_arm64", "linux_musl_x86_64"]),
        (["Linux"], ["linux_x86_64", "linux_2_28_arm64", "linux_musl_x86_64"]),
        (["windows", "linux-x64"], ["windows_amd64", "linux_x86_64"]),
        (["linux_x86_64", "linux"], ["linux_x86_64", "linux_2_28_arm64", "linux_musl_x86_64"]),
        (["linux_arm64"], ["linux_2_28_arm64"]),
        (["aarch64-linux-android"], ["android_30_arm64"]),
        (["win_amd64", "win_amd64"], ["windows_amd64"]),
        ([], []),
    ],
)
def test_words_mean_the_packages_targets(words: list[str], meant: list[str]) -> None:
    assert [target.name for target in table.resolve(words, HAVE)] == meant


@pytest.mark.parametrize(
    "word", ["macos", "macos_arm64", "linux_2_28_x86_64", "linux_2_17_arm64_", "android_24_x86_64", "linux_2_31_arm64"]
)
def test_a_target_that_the_package_does_not_have_is_an_error(word: str) -> None:
    with pytest.raises(UsageError, match=word) as caught:
        table.resolve(["windows", word], HAVE)
    assert caught.value.hint


def test_the_error_says_what_there_is_and_how_to_add() -> None:
    with pytest.raises(UsageError, match=r"--target macosx-x64: macos_x86_64 is not a target of the package") as caught:
        table.resolve(["macosx-x64"], HAVE[:2])
    assert caught.value.hint == "It has linux_x86_64, windows_amd64; `pypackpack target add macos_x86_64` adds it."


def test_host_is_the_enabled_target_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "host_target", lambda: table.find("linux_arm64"))
    assert [target.name for target in table.resolve(["host"], HAVE)] == ["linux_2_28_arm64"]
    with pytest.raises(UsageError, match="--target host: linux_arm64 is not a target"):
        table.resolve(["host"], HAVE[:2])


# ---------------------------------------------------------------------------------------------------------------- host


@pytest.mark.parametrize(
    ("host", "name"),
    [
        (Host("linux", "x86_64", "glibc", "2.36"), "linux_x86_64"),
        (Host("linux", "x86_64", "musl"), "linux_musl_x86_64"),
        (Host("linux", "aarch64", "glibc", "2.31"), "linux_arm64"),
        (Host("linux", "aarch64", "musl"), "linux_musl_arm64"),
        (Host("linux", "i686", "glibc", "2.31"), "linux_x86"),
        (Host("linux", "armv7l", "glibc", "2.31"), "linux_armv7"),
        (Host("win32", "amd64"), "windows_amd64"),
        (Host("win32", "arm64"), "windows_arm64"),
        (Host("win32", "x86"), "windows_x86"),
        (Host("darwin", "arm64"), "macos_arm64"),
        (Host("darwin", "x86_64"), "macos_x86_64"),
        (Host("android", "aarch64"), "android_24_arm64"),
        (Host("emscripten", "wasm32"), "emscripten_wasm32"),
        (Host("freebsd13", "amd64"), None),
        (Host("linux", "mips64", "glibc", "2.31"), None),
    ],
)
def test_the_target_of_a_machine(host: Host, name: str | None) -> None:
    found = table.target_of_host(host)
    assert (found.name if found else None) == name


def test_this_machine_is_a_target_and_says_the_same_as_python() -> None:
    assert table.find(sysconfig.get_platform()).sys_platform == table.host_target().sys_platform
    assert table.host_target().row == table.host_target().name


def test_an_unknown_machine_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pypackpack.backend.host.this_host", lambda: Host("sunos5", "sparc"))
    with pytest.raises(MissingToolError, match="sunos5 on sparc"):
        table.host_target()
