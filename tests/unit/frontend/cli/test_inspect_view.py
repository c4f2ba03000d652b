"""`inspect`: the words of the call, and its answer in wide and narrow terminals."""

from __future__ import annotations

import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pypackpack.frontend.cli.inspect_view import inspection_lines
from pypackpack.frontend.cli.main import run
from pypackpack.frontend.cli.style import PLAIN, Style
from pypackpack.model.inspection import InspectedFile, InspectedModule, Inspection, Tool

if TYPE_CHECKING:
    from collections.abc import Callable

REASON = "shop/batch.py:2:4: except* that raises would end the process"
RESULT = Inspection(
    "wheel",
    Path("shop-1.0-cp311-cp311-win_amd64.whl"),
    129_300,
    "ab" * 32,
    "shop",
    "1.0",
    ("cp311-cp311-win_amd64",),
    ">=3.10",
    "pypackpack 0.3.0",
    "native",
    "debug",
    "3.11.2",
    Tool("cython", "3.3.1"),
    Tool("zig", "0.17.0"),
    (
        InspectedModule("shop", "shop/__init__.cp311-win_amd64.pyd", "extension", "version", (), 64_000, ""),
        InspectedModule("shop.__main__", "shop/__main__.py", "bytecode", "", ("source",), 900, "__main__ is never compiled"),
        InspectedModule("shop.batch", "shop/batch.py", "bytecode", "", ("source",), 2000, f"{REASON}\n{REASON}"),
    ),
    tuple(InspectedFile(f"shop/data/{number}.txt", 10) for number in range(12)),
    ("this is a note",),
)


def test_a_wide_terminal_has_one_line_per_module() -> None:
    lines = inspection_lines(RESULT, 140)
    assert "  package  shop 1.0" in lines
    assert "  made by  pypackpack 0.3.0, with Cython 3.3.1 and zig 0.17.0" in lines
    assert "  python   built for 3.11.2, asks for >=3.10" in lines
    assert f"  shop.batch     bytecode (+ source)   2.0 kB  {REASON}" in lines
    assert "  and 4 files more" in lines
    assert "1 extension module, 2 modules as bytecode, 12 other files (120 B)" in lines
    assert lines[-1] == "note: this is a note"


@pytest.mark.parametrize("width", [140, 30])
def test_a_file_that_is_several_modules_is_counted_once(width: int) -> None:
    unit = "shop/__init__.cp311-win_amd64.pyd"
    names = ("shop", "shop.cart", "shop.stock")
    members = tuple(InspectedModule(name, unit, "extension", "package", (), 64_000, "") for name in names)
    lines = inspection_lines(replace(RESULT, modules=(*members, RESULT.modules[1]), data=()), width)
    text = " ".join(" ".join(lines).split())
    assert "one extension module that is 3 modules, 1 module as bytecode" in text
    assert text.count("64.0 kB") == 1
    assert not any(line.endswith(" ") for line in lines)


def test_a_module_that_another_compiler_made_says_so() -> None:
    other = replace(RESULT.modules[0], compiler=Tool("mypyc", "2.4.1"))
    lines = inspection_lines(replace(RESULT, modules=(other, *RESULT.modules[1:])), 140)
    assert "  shop           extension module by mypyc 2.4.1  64.0 kB" in lines


@pytest.mark.parametrize("width", [40, 44, 60, 80, 100, 140])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    words = {word for word in re.split(r"\s+", "\n".join(inspection_lines(RESULT, None))) if len(word) > width - 12}
    for line in inspection_lines(RESULT, width)[1:]:
        assert len(line) <= width or any(word in line for word in words), line


def test_colour_changes_no_letter() -> None:
    coloured = inspection_lines(RESULT, 100, Style(on=True))
    assert any("\033[" in line for line in coloured)
    assert [re.sub(r"\033\[[\d;]*m", "", line) for line in coloured] == inspection_lines(RESULT, 100, PLAIN)


def test_foreign_text_cannot_move_the_cursor() -> None:
    from dataclasses import replace  # noqa: PLC0415 - beside its only use

    wheel = replace(RESULT, made_by="\x1b[2J evil\x07", notes=("\x1b]0;x\x07",), version="1\u202e0")
    assert not re.search("[\x1b\x07\u202e]", "\n".join(inspection_lines(wheel, 80)))


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile("demo-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("demo/__init__.py", "")
        archive.writestr("demo-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n")
        archive.writestr("demo-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")

    def called(*words: str) -> tuple[int, str, str]:
        code = run(["inspect", *words])
        return (code, *capsys.readouterr())

    return called


def test_the_command_needs_no_project(call: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = call("demo-1.0-py3-none-any.whl")
    assert (code, err) == (0, "")
    assert "  demo  source  0 B" in out.splitlines()
    assert call("--quiet", "demo-1.0-py3-none-any.whl") == (0, out, "")
    assert json.loads(call("demo-1.0-py3-none-any.whl", "--json")[1])["modules"][0]["form"] == "source"


@pytest.mark.parametrize(
    ("words", "code", "said"), [((), 2, "FILE"), (("no.whl",), 2, "no.whl is not there"), (("a", "b"), 2, "b")]
)
def test_wrong_calls(call: Callable[..., tuple[int, str, str]], words: tuple[str, ...], code: int, said: str) -> None:
    found, out, err = call(*words)
    assert (found, out) == (code, "")
    assert said.lower() in err.lower()
