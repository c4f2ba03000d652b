"""Nuitka itself: the same C from the same source, refusals, and time."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend import process
from pypackpack.backend.tools import nuitka
from pypackpack.backend.tools.python import inspect_interpreter
from pypackpack.model.errors import ToolError

if TYPE_CHECKING:
    from pypackpack.model.interpreter import Interpreter

SOURCE = b"""
import os, sys
def where(): return os.path.join("a", "b"), os.sep, sys.platform, sys.version_info
NAMES = {name for name in ("one", "two", "three")}
"""


@pytest.fixture(scope="module")
def python() -> Interpreter:
    return inspect_interpreter(Path(sys.executable))


def made(python: Interpreter, folder: Path, source: bytes = SOURCE, place: str = "pkg/mod.py") -> nuitka.Generated:
    folder.mkdir(parents=True)
    return nuitka.generate(python, place, source, folder, folder.parent / "cache")


def test_the_same_source_gives_the_same_c_and_nothing_of_this_machine(
    python: Interpreter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = made(python, tmp_path / "one")
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    monkeypatch.setenv("NUITKA_RESOURCE_MODE", "incbin")
    second = made(python, tmp_path / "another folder" / "two")
    assert first.reason == ""
    assert first.files == second.files
    assert set(first.sources) <= first.files.keys()
    text = b"".join(first.files.values())
    assert str(tmp_path).encode() not in text
    assert str(Path.home()).encode() not in text
    # What holds on this machine only is asked at run time.
    code = first.files["module.mod.c"]
    assert b"posixpath" not in code
    data = first.files["__constants_data.c"]
    assert data.startswith(b"const unsigned char constant_bin_data[] = {")
    blob = bytes(int(number) for number in data.split(b"{")[1].split(b"}")[0].replace(b"\n", b"").split(b",") if number)
    assert b"where" in blob
    assert b"linux" not in blob
    assert b"posixpath" not in blob


def test_a_module_whose_name_begins_as_nuitkas_own_files_do(python: Interpreter, tmp_path: Path) -> None:
    found = made(python, tmp_path / "one", place="pkg/__about__.py")
    assert "module.__about__.c" in found.files
    assert b"PyInit___about__" in found.files["__entry.c"]


def test_a_package_that_nuitka_knows_by_name_is_like_any_other(python: Interpreter, tmp_path: Path) -> None:
    # Of attrs it would ask which version is installed, and stop: where it runs, nothing is.
    assert made(python, tmp_path / "one", b"import sys\n", place="attr/__init__.py").reason == ""


def test_a_module_is_not_taken_for_a_package_of_its_last_name(python: Interpreter, tmp_path: Path) -> None:
    # OpenCV's rules ask which version of it is installed, and stop.
    assert made(python, tmp_path / "one", b"import sys\n", place="rain/cv2.py").reason == ""


def test_a_crash_is_the_reason_and_not_ours(python: Interpreter, tmp_path: Path) -> None:
    refused = made(python, tmp_path / "one", b"def f(): return {[1]}\n")
    assert refused.files == {}
    assert "unhashable type" in refused.reason
    assert refused.lasting
    assert str(tmp_path) not in refused.reason


def test_it_may_not_take_longer_than_the_limit(python: Interpreter, tmp_path: Path) -> None:
    with process.hearing(0.05), pytest.raises(ToolError, match=r"did not end within 0\.05 seconds"):
        made(python, tmp_path / "one")
