from __future__ import annotations

import copy
from pathlib import Path

import pytest
import tomlkit

import pypackpack.data
from pypackpack.middleware.target.rows import TABLE_NAME, read_table
from pypackpack.model.errors import SettingsError

SMALL = """
[runners.emulator]
hosts = ["linux"]
programs = ["emu-{cpu}"]

[families.beos]
default = "beos_ppc"
sys_platform = "beos"
platform_system = "BeOS"
os_name = "posix"
object_format = "elf"
toolchain = "zig"
min_python = "3.10"

[[target]]
name = "beos_ppc"
arch = "ppc"
summary = "BeOS on a PowerPC"
versions = { name = "beos_{version}_ppc", form = '\\d_\\d', unsaid = "5_0", lowest = "4_0", newest = "6_9" }
tags = ["beos_{version}_ppc"]
more_tags = { 5_0 = ["beos_pro_ppc"] }
platform_machine = "ppc"
triple = "powerpc-beos.{dotted}"
suffix = ".cpython-{py}-beos.so"
uv = "ppc-beos-{version}"
uv_versions = ["4_5", "5_0"]
machines = ["ppc"]
runner = { with = "emulator", cpu = "ppc" }
aliases = ["bebox", "beos{version}-ppc"]

[[target]]
name = "beos_x86"
arch = "x86"
summary = "BeOS on x86"
tags = ["beos_x86"]
platform_machine = "x86"
triple = "x86-beos"
suffix = ".cpython-{py}-beos.so"
machines = ["i586"]
also_on = ["beos_ppc"]
"""


def test_a_new_target_is_one_row() -> None:
    table = read_table(SMALL)
    assert list(table.rows) == ["beos_ppc", "beos_x86"]
    row = table.rows["beos_ppc"]
    target = row.target()
    assert target.name == "beos_ppc"
    assert target.tags.default == ("beos_5_0_ppc", "beos_pro_ppc")
    assert target.triple == "powerpc-beos.5.0"
    assert target.uv_platform == "ppc-beos-5_0"
    assert target.default_of_family
    assert row.runner is not None
    assert row.runner.programs == ("emu-ppc",)
    other = row.target("4_6")
    assert (other.name, other.tags.default, other.triple) == ("beos_4_6_ppc", ("beos_4_6_ppc",), "powerpc-beos.4.6")
    assert (other.uv_platform, other.row, other.version, other.default_of_family) == ("ppc-beos-4_5", "beos_ppc", "4.6", False)
    assert row.target("4_0").uv_platform == ""
    assert table.rows["beos_x86"].target().version == ""


def broken(row: int | str, key: str, value: object) -> str:
    """Return the small table with one value replaced; None removes it, and the row is a number or a family."""
    document = copy.deepcopy(tomlkit.parse(SMALL).unwrap())
    place = document["families"][row] if isinstance(row, str) else document["target"][row]
    *tables, last = key.split(".")
    for name in tables:
        place = place[name]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return tomlkit.dumps(document)


@pytest.mark.parametrize(
    ("row", "key", "value", "says"),
    [
        (0, "name", None, "target number 1: name: expected a name such as linux_x86_64, found None"),
        (0, "name", "BeOS", "target number 1: name: expected a name such as"),
        (0, "name", "amiga_ppc", "target amiga_ppc: name: expected one of the families beos"),
        (0, "name", "beos_x86", "target beos_x86: versions.name: expected a pattern of the name beos_x86"),
        (1, "name", "beos_ppc", "target beos_ppc: arch: expected a word of the name beos_ppc"),
        (0, "arch", 3, "target beos_ppc: arch: expected a text, found 3"),
        (0, "arch", "", "target beos_ppc: arch: expected a text that is not empty, found ''"),
        (0, "arch", "sparc", "target beos_ppc: arch: expected a word of the name beos_ppc, found 'sparc'"),
        (0, "summary", None, "target beos_ppc: summary: expected this key, here or in the family, found None"),
        (0, "tags", [], "target beos_ppc: tags: expected at least one tag"),
        (0, "tags", "beos_ppc", "target beos_ppc: tags: expected a list of texts, found 'beos_ppc'"),
        (0, "tags", ["a", "a"], "target beos_ppc: tags: expected a list without repetitions"),
        (0, "tags", ["beos-ppc"], "target beos_ppc: tags: expected platform tags of lower case letters"),
        (0, "tags", ["beos_{versoin}"], "target beos_ppc: tags: expected no other placeholders than {dotted} and {version}"),
        (1, "tags", ["beos_{version}"], "target beos_x86: tags: expected no placeholders, found 'beos_{version}'"),
        (
            0,
            "more_tags",
            {"five": ["x"]},
            "target beos_ppc: more_tags: expected a version with underscores, such as 2_17, found 'five'",
        ),
        (0, "tags_by_python", {"3": ["x"]}, "target beos_ppc: tags_by_python: expected a Python version such as 3.13, found '3'"),
        (0, "min_python", "3", "target beos_ppc: min_python: expected a Python version such as 3.13, found '3'"),
        (0, "toolchain", "gcc", "target beos_ppc: toolchain: expected one of 'zig', 'ndk', 'xcode', found 'gcc'"),
        (
            0,
            "object_format",
            "pef",
            "target beos_ppc: object_format: expected one of 'elf', 'macho', 'coff', 'wasm', found 'pef'",
        ),
        (0, "libc", "newlib", "target beos_ppc: libc: expected one of '', 'glibc', 'musl', found 'newlib'"),
        (0, "triple", "", "target beos_ppc: triple: expected a triple, or parts, found ''"),
        (0, "suffix", "{python}.so", "target beos_ppc: suffix: expected no other placeholders than"),
        (0, "suffix_by_python", {"3.10": ""}, "target beos_ppc: suffix_by_python.3.10: expected a text that is not empty"),
        (0, "uv", "", "target beos_ppc: uv_versions: expected the key uv beside it"),
        (0, "parts", ["beos_arm"], "target beos_ppc: parts: expected names of other targets, found 'beos_arm'"),
        (1, "also_on", ["beos_x86"], "target beos_x86: also_on: expected names of other targets, found 'beos_x86'"),
        (1, "machines", ["ppc"], "target beos_x86: machines: expected machines that beos_ppc does not have, found 'ppc'"),
        (1, "aliases", ["Be-Box"], None),
        (1, "aliases", ["BEBOX"], "target beos_x86: aliases: expected a name that target beos_ppc does not have, found 'BEBOX'"),
        (1, "aliases", ["beos"], "target beos_x86: aliases: expected a name that family beos does not have, found 'beos'"),
        (1, "aliases", ["host"], "target beos_x86: aliases: expected a name that the word for this machine does not have"),
        (1, "aliases", ["beos{dotted}_ppc"], "target beos_x86: aliases: expected no placeholders, found 'beos{dotted}_ppc'"),
        (0, "runner", {"with": "qemu"}, "target beos_ppc: runner.with: expected one of emulator, found 'qemu'"),
        (0, "runner", {"which": "x"}, "target beos_ppc: runner: expected one of 'with', 'cpu', found 'which'"),
        (0, "versions.name", "beos_ppc", "target beos_ppc: versions.name: expected {version} once, found 'beos_ppc'"),
        (0, "versions.form", "[", "target beos_ppc: versions.form: expected a regular expression"),
        (0, "versions.form", None, "target beos_ppc: versions.form: expected this key, found None"),
        (0, "versions.unsaid", "5", "target beos_ppc: versions.unsaid: expected a version of the form \\d_\\d, found '5'"),
        (0, "versions.lowest", "5.0", "target beos_ppc: versions.lowest: expected a version with underscores"),
        (0, "versions.lowest", "5_5", "target beos_ppc: versions.lowest: expected a version that is not above the others"),
        (0, "versions.newest", "3_0", "target beos_ppc: versions.lowest: expected a version that is not above the others"),
        (0, "versions.same", {"9_9": "five"}, "target beos_ppc: versions.same.9_9: expected a version with underscores"),
        (0, "versions.latest", "6_0", "target beos_ppc: versions.latest: there is no such key"),
        (0, "sufix", ".so", "target beos_ppc: sufix: there is no such key"),
        ("beos", "default", "beos_arm", "family beos: default: expected a target of the family, found 'beos_arm'"),
        ("beos", "default", None, "family beos: default: expected a text, found None"),
        ("beos", "os_nme", "nt", "family beos: os_nme: there is no such key"),
        ("beos", "toolchain", "gcc", "family beos: toolchain: expected one of"),
        ("beos", "os_name", None, "target beos_ppc: os_name: expected this key, here or in the family, found None"),
    ],
)
def test_a_bad_row_is_an_error_that_names_the_row_and_the_key(row: int | str, key: str, value: object, says: str | None) -> None:
    text = broken(row, key, value)
    if says is None:
        read_table(text)
        return
    with pytest.raises(SettingsError) as caught:
        read_table(text)
    assert caught.value.message.startswith(f"{TABLE_NAME}: {says}")
    assert caught.value.hint


def test_a_wrong_key_is_answered_with_the_nearest() -> None:
    with pytest.raises(SettingsError) as caught:
        read_table(broken(0, "sufix", ".so"))
    assert caught.value.hint == "Did you mean suffix?"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[target]\n", "not valid TOML"),
        ("targets = []\n", "the file: targets: there is no such key"),
        ("target = 3\n", "the file: target: expected a list of tables"),
        ("target = [3]\n", "target number 1: target: expected a table"),
        ("families = []\n", "the file: families: expected a table"),
        ('[runners.x]\nprogram = ["x"]\n', "runner x: program: there is no such key"),
        ("[runners.x]\n", "runner x: programs: expected a list of texts"),
    ],
)
def test_a_bad_file_is_an_error(text: str, says: str | None) -> None:
    with pytest.raises(SettingsError, match=f"^{TABLE_NAME}: {says}"):
        read_table(text)


def test_two_rows_of_one_name_are_an_error() -> None:
    second = SMALL[SMALL.index("[[target]]") :]
    with pytest.raises(SettingsError, match="target beos_ppc: name: expected a name that no other row has"):
        read_table(SMALL + second)


def test_the_shipped_table_has_no_key_that_does_nothing() -> None:
    text = (Path(pypackpack.data.__path__[0]) / TABLE_NAME).read_text(encoding="utf-8")
    used = {row.runner.name for row in read_table(text).rows.values() if row.runner}
    assert used == set(tomlkit.parse(text)["runners"])
