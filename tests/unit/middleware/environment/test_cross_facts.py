"""What a cross environment's Python reports; tests/foreign compares with the real Pythons that can be had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pypackpack.middleware.environment import cross_facts, cross_files
from pypackpack.middleware.target import table

if TYPE_CHECKING:
    from pathlib import Path

TOOLS = {"CC": "cc", "CXX": "c++", "AR": "ar", "RANLIB": "ranlib", "STRIP": "strip"}
WORDS = {name: (word,) for name, word in TOOLS.items()}

# target, Python, sysconfig.get_platform(), SOABI, sys.implementation._multiarch, platform.machine(), first and last wheel platform
# tag. After PEP 730 and 738, CPython's configure and Pyodide; tests/foreign reads those that can be had off
# real Pythons.
REAL = [
    (
        "linux_x86_64",
        (3, 13),
        "linux-x86_64",
        "cpython-313-x86_64-linux-gnu",
        "x86_64-linux-gnu",
        "x86_64",
        "manylinux_2_17_x86_64",
    ),
    (
        "linux_arm64",
        (3, 11),
        "linux-aarch64",
        "cpython-311-aarch64-linux-gnu",
        "aarch64-linux-gnu",
        "aarch64",
        "manylinux_2_17_aarch64",
    ),
    (
        "linux_2_28_arm64",
        (3, 11),
        "linux-aarch64",
        "cpython-311-aarch64-linux-gnu",
        "aarch64-linux-gnu",
        "aarch64",
        "manylinux_2_28_aarch64",
    ),
    (
        "linux_armv7",
        (3, 12),
        "linux-armv7l",
        "cpython-312-arm-linux-gnueabihf",
        "arm-linux-gnueabihf",
        "armv7l",
        "manylinux_2_17_armv7l",
    ),
    (
        "linux_musl_arm64",
        (3, 12),
        "linux-aarch64",
        "cpython-312-aarch64-linux-musl",
        "aarch64-linux-musl",
        "aarch64",
        "musllinux_1_2_aarch64",
    ),
    ("windows_amd64", (3, 13), "win-amd64", "cp313-win_amd64", "", "AMD64", "win_amd64"),
    ("windows_arm64", (3, 13), "win-arm64", "cp313-win_arm64", "", "ARM64", "win_arm64"),
    ("windows_x86", (3, 13), "win32", "cp313-win32", "", "x86", "win32"),
    ("macos_arm64", (3, 13), "macosx-11.0-arm64", "cpython-313-darwin", "darwin", "arm64", "macosx_11_0_arm64"),
    ("macos_x86_64", (3, 13), "macosx-10.13-x86_64", "cpython-313-darwin", "darwin", "x86_64", "macosx_10_13_x86_64"),
    (
        "android_24_arm64",
        (3, 14),
        "android-24-arm64_v8a",
        "cpython-314-aarch64-linux-android",
        "aarch64-linux-android",
        "aarch64",
        "android_24_arm64_v8a",
    ),
    (
        "emscripten_wasm32",
        (3, 13),
        "pyodide-2025_0-wasm32",
        "cpython-313-wasm32-emscripten",
        "wasm32-emscripten",
        "wasm32",
        "pyodide_2025_0_wasm32",
    ),
]


@pytest.mark.parametrize(
    ("name", "python", "platform", "soabi", "multiarch", "machine", "tag"), REAL, ids=[row[0] for row in REAL]
)
def test_what_a_target_says_of_itself(
    name: str, python: tuple[int, int], platform: str, soabi: str, multiarch: str, machine: str, tag: str
) -> None:
    target = table.find(name)
    facts = cross_facts.cross_facts(target, python, tools=TOOLS, include="/include", libs="/libs")
    assert facts["platform"] == platform
    assert facts["config_vars"]["SOABI"] == soabi
    assert facts["config_vars"]["EXT_SUFFIX"] == target.suffix(python)
    assert facts["multiarch"] == multiarch
    assert facts["uname"]["machine"] == machine
    assert facts["uname"]["system"] == target.platform_system
    assert facts["sys_platform"] == target.sys_platform
    assert facts["os_name"] == target.os_name
    assert facts["platform_tags"][0] == tag


def test_a_linux_target_takes_wheels_of_older_levels_too() -> None:
    tags = cross_facts.platform_tags(table.find("linux_x86_64"), (3, 12))
    assert "manylinux2014_x86_64" in tags
    assert tags.index("manylinux2014_x86_64") < tags.index("manylinux2010_x86_64") < tags.index("manylinux1_x86_64")
    assert tags[-1] == "linux_x86_64"
    assert "manylinux_2_18_x86_64" not in tags


def test_no_other_processor_has_levels_older_than_its_first() -> None:
    assert "manylinux_2_16_aarch64" not in cross_facts.platform_tags(table.find("linux_arm64"), (3, 12))


def test_musl_and_glibc_wheels_do_not_mix() -> None:
    tags = cross_facts.platform_tags(table.find("linux_musl_x86_64"), (3, 12))
    assert tags == ("musllinux_1_2_x86_64", "musllinux_1_1_x86_64", "musllinux_1_0_x86_64", "linux_x86_64")


def test_android_takes_lower_levels() -> None:
    tags = cross_facts.platform_tags(table.find("android_24_x86_64"), (3, 14))
    assert tags[:2] == ("android_24_x86_64", "android_23_x86_64")
    assert tags[-1] == "android_16_x86_64"


def test_numbers_of_pyconfig_are_numbers() -> None:
    values = cross_facts.pyconfig_values(table.find("emscripten_wasm32"), (3, 13))
    assert values["SIZEOF_VOID_P"] == 4
    assert values["SIZEOF_LONG"] == 4


def test_ios_has_a_name_for_its_devices_and_its_simulators() -> None:
    assert cross_facts.sysconfig_platform(table.find("ios_13_0_arm64"), (3, 13)) == "ios-13.0-arm64-iphoneos"
    assert cross_facts.sysconfig_platform(table.find("ios_13_0_arm64_simulator"), (3, 13)) == "ios-13.0-arm64-iphonesimulator"


def test_every_target_with_a_compiler_has_facts_for_every_python_that_it_has() -> None:
    for target in table.targets().values():
        for minor in range(10, 15):
            if (
                target.triple
                and target.toolchain != "xcode"
                and (3, minor) >= target.min_python
                and target.tags.for_python((3, minor))
            ):
                facts = cross_facts.cross_facts(target, (3, minor), tools=TOOLS, include="/i", libs="/l")
                assert facts["platform"], target.name
                assert facts["platform_tags"], target.name


def test_meson_is_told_the_machine_and_never_this_one_s_libraries(tmp_path: Path) -> None:
    text = cross_files.meson_cross_file(table.find("linux_s390x"), tools=WORDS, python=tmp_path / "it's python")
    assert "cpu_family = 's390x'" in text
    assert "endian = 'big'" in text
    assert "pkg-config = 'false'" in text
    assert "it\\'s python" in text


def test_meson_knows_every_target_s_processor(tmp_path: Path) -> None:
    for target in table.targets().values():
        if target.triple:
            text = cross_files.meson_cross_file(target, tools=WORDS, python=tmp_path)
            family = text.split("cpu_family = '")[1].split("'")[0]
            known = {"x86_64", "aarch64", "arm", "x86", "ppc64", "s390x", "riscv64", "wasm32"}
            assert family in known, target.name


def test_cmake_gets_windows_import_library(tmp_path: Path) -> None:
    text = cross_files.cmake_toolchain(
        table.find("windows_arm64"),
        (3, 12),
        tools=WORDS,
        python=tmp_path,
        include=tmp_path,
        libs=tmp_path / "libs",
        modules=tmp_path,
    )
    assert 'set(CMAKE_SYSTEM_NAME "Windows")' in text
    assert "python312.lib" in text
    assert 'set(Python_SOABI "cp312-win_arm64"' in text
