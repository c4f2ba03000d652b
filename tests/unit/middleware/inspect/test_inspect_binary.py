"""Folders of binaries, and folders that only look like one."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from pypackpack.frontend.cli.inspect_view import inspection_lines
from pypackpack.middleware.inspect import inspect
from pypackpack.model.errors import DamagedArtifactError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILES = {
    "app/__init__.py": "",
    "app/data.txt": "data",
    "app/fast.cpython-311-x86_64-linux-gnu.so": "ELF",
    "app-1.0.dist-info/RECORD": "app/__init__.py,,\n",
    "other/one.pyc": "",
    "other/two.py": "",
    "other_one-2.dist-info/METADATA": "Name: other\n",
    "other_one-2.dist-info/RECORD": "other/one.pyc,,\nother/two.py,,\nother_one-2.dist-info/METADATA,,\n../evil,,\n",
}


def lay_out(folder: Path, more: Mapping[str, Any] | None = None, files: Mapping[str, str] = FILES) -> Path:
    for name, text in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    listed = [
        {"path": name, "sha256": hashlib.sha256(text.encode()).hexdigest(), "size": len(text)} for name, text in files.items()
    ]
    content = {
        "format": 1, "package": "app", "version": "1.0", "target": "linux_x86_64", "python": "3.11.4", "level": "mixed",
        "type": "release", "pypackpack": "0.3.0", "dependencies": [{"name": "other_one", "version": "2", "level": "native"}],
        "files": listed, **(more or {}),
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(content))
    return folder


def test_what_is_said_of_a_binary(tmp_path: Path) -> None:
    found = inspect(lay_out(tmp_path))
    assert [(each.module, each.form) for each in found.modules] == [("app", "source"), ("app.fast", "extension")]
    assert [each.path for each in found.data] == ["app/data.txt"]
    (other,) = found.dependencies
    assert (other.name, other.version, other.level, other.files) == ("other_one", "2", "native", 3)
    assert dict(other.modules) == {"bytecode": 1, "source": 1}
    assert found.notes == ()
    lines = "\n".join(inspection_lines(found, 100))
    assert "target   linux_x86_64" in lines
    assert "other_one 2: 1 module as bytecode, 1 module as source, 3 files, 12 B" in lines
    assert lines.endswith("1 extension module, 1 module as source, 1 other file (4 B)")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"format": 2}, "has the format 2, and this version of pypackpack knows 1"),
        ({"files": 3}, "is no manifest of a binary: there is no list"),
        ({"files": [{"path": "../x", "sha256": "0" * 64, "size": 1}]}, r"the path '\.\./x'"),
        ({"files": [{"path": "/x", "sha256": "0" * 64, "size": 1}]}, "the path '/x'"),
        ({"dependencies": [{}]}, "is no manifest of a binary: dependency 1: a table of it"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_refused(tmp_path: Path, more: dict[str, Any], words: str) -> None:
    with pytest.raises(DamagedArtifactError, match=words):
        inspect(lay_out(tmp_path, more))


def test_other_folders_and_broken_texts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is a folder without a manifest\.json"):
        inspect(tmp_path)
    (tmp_path / "manifest.json").write_text("[" * 100_000)
    with pytest.raises(DamagedArtifactError, match="is no manifest of a binary"):
        inspect(tmp_path)


def test_links_are_not_followed(tmp_path: Path) -> None:
    folder = lay_out(tmp_path)
    (folder / "app" / "data.txt").unlink()
    (folder / "app" / "data.txt").symlink_to("/etc/passwd")
    assert inspect(folder).notes[0] == "1 file of its manifest is not there: app/data.txt"
