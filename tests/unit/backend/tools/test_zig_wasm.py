"""The words of C++ for Emscripten, and that its library is made once for what decides it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pypackpack.backend import filesystem
from pypackpack.backend.tools import zig, zig_wasm
from pypackpack.middleware.target.table import targets
from pypackpack.model.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Runs:
    """Stands for zig: notes what it is called with and leaves an archive."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def __call__(self, words: Sequence[str | Path], cwd: Path) -> None:
        self.calls.append([str(word) for word in words])
        filesystem.write_scratch(cwd / zig_wasm.ARCHIVE, f"{len(self.calls)}".encode())


def test_the_library_is_made_once_and_again_for_other_headers(tmp_path: Path) -> None:
    run, library = Runs(), tmp_path / "lib"
    first = zig_wasm.archive(library, tmp_path / "cache", {"bits/types.h": "int"}, run)
    assert zig_wasm.archive(library, tmp_path / "cache", {"bits/types.h": "int"}, run) == first
    other = zig_wasm.archive(library, tmp_path / "cache", {"bits/types.h": "long"}, run)
    assert first.read_bytes() == b"1"
    assert other.read_bytes() == b"2"
    assert len(run.calls) == 2


def test_a_library_that_cannot_be_made_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail(words: Sequence[str | Path], cwd: Path) -> None:
        filesystem.write_scratch(cwd / zig_wasm.ARCHIVE, b"half")
        msg = f"{words[0]} failed"
        raise ToolError(msg)

    with pytest.raises(ToolError, match="build-lib failed"):
        zig_wasm.archive(tmp_path / "lib", tmp_path / "cache", {}, fail)
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".lock"]
    assert zig_wasm.archive(tmp_path / "lib", tmp_path / "cache", {}, Runs()).read_bytes() == b"1"


def test_cplusplus_has_exceptions_and_the_same_words_as_its_library(tmp_path: Path) -> None:
    target = targets()["emscripten_wasm32"]
    words = zig_wasm.cplusplus(zig.compile_flags(target, release=True).words)
    assert [word for word in words if word.startswith("-mcpu")] == ["-mcpu=generic-extended_const+exception_handling"]
    run = Runs()
    zig_wasm.archive(tmp_path / "lib", tmp_path / "cache", {}, run)
    macros = [word for word in words if word.startswith("-D_LIB")]
    assert macros
    assert [word for word in run.calls[0] if word in macros] == macros
    assert "-fwasm-exceptions" in words
    assert "-fwasm-exceptions" in run.calls[0]
