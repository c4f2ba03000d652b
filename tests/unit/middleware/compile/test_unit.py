"""What is generated for a package that is one extension module, and when there is none."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from pypackpack.middleware.compile.extension import Extension, Way
from pypackpack.middleware.compile.layers import SourceFile
from pypackpack.middleware.compile.unit import FINDER, Member, symbol, table, why_no_unit
from pypackpack.middleware.target.table import find
from pypackpack.model.project import BuildSettings, NativePattern

FILES = tuple(SourceFile(place, Path("src", place), "main") for place in ("__init__.py", "a.py"))


def member(name: str, *, package: bool) -> Member:
    return Member(Extension("pkg", name, name, name, "c", 1), cast("Way", None), package, name)


def test_the_table_has_functions_and_names_in_one_order() -> None:
    text = table("pkg", [member("pkg", package=True), member("pkg.größe", package=False)]).decode("ascii")
    assert f"    {symbol('pkg')},\n    {symbol('pkg.größe')},\n" in text
    assert "#define UNIT_INIT PyInit_pkg\n" in text
    numbers = text.partition("unit_modules[] = {\n")[2].partition("}")[0].replace("\n", "").strip(", ")
    code = bytes(int(number) for number in numbers.split(","))
    assert code.startswith(FINDER.read_bytes())
    assert code.endswith(b"\nMODULES.update({'pkg': (0, True), 'pkg.gr\\xf6\\xdfe': (1, False)})\n\0")


def test_symbols_differ_by_full_name_and_are_of_c() -> None:
    found = {symbol(name) for name in ("pkg.a", "pkg.b.a", "pkg.ä")}
    assert len(found) == 3
    assert all(each.isidentifier() and each.isascii() for each in found)


@pytest.mark.parametrize(
    ("target", "settings", "files", "why"),
    [
        ("linux_x86_64", BuildSettings(), FILES, ""),
        ("linux_x86_64", BuildSettings(native=NativePattern(exclude=("__init__",))), FILES, "native.exclude names it: __init__"),
        ("linux_x86_64", BuildSettings(), FILES[1:], "pkg/__init__.py is not there"),
        ("macos_universal2", BuildSettings(), FILES, "zig alone links packages"),
        ("ios_13_0_arm64", BuildSettings(), FILES, "zig alone links packages"),
    ],
)
def test_where_there_is_no_unit_the_reason_is_said(
    target: str, settings: BuildSettings, files: tuple[SourceFile, ...], why: str
) -> None:
    found = why_no_unit("pkg", find(target), settings, files)
    assert bool(found) is bool(why)
    assert why in found
