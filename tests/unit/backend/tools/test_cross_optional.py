"""What becomes of an extension module that does not compile, by who would say it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend.tools.workers import cross_startup

if TYPE_CHECKING:
    from pathlib import Path


class CompileError(Exception):
    """As setuptools has it; the only kind of error that it forgives."""


def _build(monkeypatch: pytest.MonkeyPatch, optional: str, notes: Path | None) -> None:
    """Build a module that does not compile with a changed command; setuptools' own name for that is ``build_ext``."""

    class BuildExt:
        def build_extension(self, _ext: object) -> None:
            msg = "no\nheader"
            raise CompileError(msg)

    monkeypatch.setenv("PYPACKPACK_OPTIONAL", optional)
    monkeypatch.setenv("PYPACKPACK_NOTES", str(notes or ""))
    monkeypatch.setenv("PYPACKPACK_TARGET", "linux_arm64")
    cross_startup._patch_build_ext(SimpleNamespace(build_ext=BuildExt), {})
    BuildExt().build_extension(SimpleNamespace(name="demo._speed"))


def test_it_is_noted_for_who_says_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(CompileError):
        _build(monkeypatch, "", tmp_path / "notes")
    assert (tmp_path / "notes").read_text() == "demo._speed: no header\n"


@pytest.mark.parametrize(("optional", "listened"), [("error", True), ("error", False), ("", False)])
def test_it_is_an_error_that_is_not_forgiven(
    optional: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, listened: bool
) -> None:
    with pytest.raises(RuntimeError, match=r"demo\._speed cannot be built for linux_arm64"):
        _build(monkeypatch, optional, tmp_path / "notes" if listened else None)


@pytest.mark.parametrize("listened", [True, False])
def test_it_is_left_out_in_silence_when_that_is_wanted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, listened: bool
) -> None:
    with pytest.raises(CompileError):
        _build(monkeypatch, "skip", tmp_path / "notes" if listened else None)
    assert not (tmp_path / "notes").exists()
