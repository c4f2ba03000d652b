"""What stands for Cython in keys."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

from pypackpack.backend.tools import cython

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def fingerprint() -> str:
    cython.fingerprint.cache_clear()
    return cython.fingerprint()


def test_the_version_is_the_installed_one() -> None:
    assert fingerprint().split()[:2] == ["cython", version("cython")]


def test_the_version_that_is_first_on_the_path_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Cython-9.8.7.dist-info").mkdir()
    (tmp_path / "cython_helpers-1.0.dist-info").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path / "nothing"), str(tmp_path), *sys.path])
    assert fingerprint().startswith("cython 9.8.7 ")
    monkeypatch.undo()
    assert fingerprint().split()[1] == version("cython")
