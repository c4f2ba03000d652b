"""What is installed beside us."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend import distributions

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", ["cython", "packaging", "pyproject-metadata"])
def test_versions_are_those_that_importlib_tells(name: str) -> None:
    assert distributions.version_of(name) == version(name)


def test_the_first_on_the_path_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("Pyproject_Metadata-9.8.7.dist-info", "pyproject_metadata_more-1.0.dist-info"):
        (tmp_path / folder).mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path / "nothing"), str(tmp_path), *sys.path])
    found = distributions.find("pyproject-metadata")
    assert (found.version, found.place) == ("9.8.7", str(tmp_path))
    assert distributions.record_of("pyproject-metadata") == str(tmp_path / "Pyproject_Metadata-9.8.7.dist-info" / "RECORD")


def test_where_there_is_no_such_folder_its_own_metadata_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tool-1.2.egg-info").mkdir()
    (tmp_path / "tool-1.2.egg-info" / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: tool\nVersion: 1.2\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert distributions.find("tool") == distributions.Installed("1.2", str(tmp_path), str(tmp_path))
    with pytest.raises(PackageNotFoundError):
        distributions.version_of("no-such-tool")
