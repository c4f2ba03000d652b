"""Wheels in `vendor` that were built of sources: how they are found again, and what is refused."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pypackpack.backend import filesystem
from pypackpack.middleware.dependency.vendored import Where, vendored
from pypackpack.middleware.dependency.vendored_sources import listed, source_key
from pypackpack.model.errors import DamagedVendorError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path

GIT = {"type": "git", "url": "https://example.org/lib", "commit-id": "abc1", "subdirectory": "sub"}
GIT_KEY = "lib @ git+https://example.org/lib@abc1#sub"
LOCK = """\
lock-version = "1.0"
created-by = "uv"

[[packages]]
name = "lib"
version = "1.0"
marker = "python_version > '3'"
vcs = { type = "git", url = "https://example.org/lib", commit-id = "abc1", subdirectory = "sub" }
"""


def key(root: Path, **entry: Any) -> str:  # noqa: ANN401 - a TOML value
    return source_key({"name": "lib", **entry}, root / "a" / "b", root)


def test_sources_have_the_same_name_everywhere(tmp_path: Path) -> None:
    assert key(tmp_path, vcs=GIT) == GIT_KEY
    secret = {**GIT, "url": "https://me:secret@example.org/lib", "subdirectory": ""}
    assert key(tmp_path, vcs=secret) == "lib @ git+https://****@example.org/lib@abc1"
    assert key(tmp_path, vcs={"type": "git", "path": "../../libs/own", "commit-id": "abc1"}) == "lib @ git+libs/own@abc1"
    assert key(tmp_path, archive={"url": "https://h/lib-1.zip", "hashes": {"sha256": "00"}}) == "lib @ sha256=00"
    assert key(tmp_path, sdist={"url": "https://h/lib-1.tar.gz", "hashes": {"sha256": "00"}}) == "lib @ sha256=00"


def test_folders_are_named_by_their_content(tmp_path: Path) -> None:
    def now(**more: object) -> str:
        return key(tmp_path, directory={"path": "../../libs/own", **more})

    folder = tmp_path / "libs" / "own"
    assert now() == ""
    folder.mkdir(parents=True)
    (folder / "lib.py").write_text("A = 1\n")
    first = now()
    assert first.startswith("lib @ libs/own#sha256=")
    for left in ("build/x", ".git/HEAD", "lib.egg-info/PKG-INFO", "__pycache__/lib.pyc"):
        (folder / left).parent.mkdir()
        (folder / left).write_text("x")
    assert now() == first
    (folder / "lib.py").write_text("A = 2\n")
    assert now() != first
    assert now(editable=True) == ""


def test_wheels_and_what_has_no_hash_are_no_sources(tmp_path: Path) -> None:
    assert key(tmp_path, archive={"url": "https://h/lib-1-py3-none-any.whl", "hashes": {"sha256": "00"}}) == ""
    assert key(tmp_path, archive={"url": "https://h/lib-1.zip"}) == ""
    assert key(tmp_path, wheels=[]) == ""


def built(folder: Path, *files: str, source: str = GIT_KEY) -> None:
    folder.mkdir(exist_ok=True)
    entries = []
    for file in files:
        (folder / file).write_bytes(file.encode())
        entries.append({"path": file, "sha256": filesystem.sha256_bytes(file), "source": source})
    (folder / "manifest.json").write_text(json.dumps({"files": entries}))


def found(root: Path, *platforms: str) -> dict[str, Any]:
    text = vendored(LOCK, root / "vendor", Where(root, root, platforms, (3, 12)))
    (item,) = tomllib.loads(text)["packages"]
    return dict(item)


def test_a_source_becomes_the_wheel_that_was_built_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "vendor"
    built(folder, "lib-1.0-cp312-cp312-linux_x86_64.whl", "lib-1.0-py3-none-any.whl")
    path = folder / "lib-1.0-cp312-cp312-linux_x86_64.whl"
    assert found(tmp_path, "linux_x86_64") == {
        "name": "lib",
        "version": "1.0",
        "marker": "python_version > '3'",
        "archive": {"path": path.as_posix(), "hashes": {"sha256": filesystem.sha256_file(path)}},
    }
    assert found(tmp_path, "win_amd64")["archive"]["path"].endswith("py3-none-any.whl")
    path.write_bytes(b"other")
    with pytest.raises(DamagedVendorError) as caught:
        found(tmp_path, "linux_x86_64")
    assert path.name in caught.value.details


def test_what_was_not_built_of_it_is_not_taken(tmp_path: Path) -> None:
    folder = tmp_path / "vendor"
    built(folder, "lib-1.0-py3-none-any.whl", source="lib @ git+https://example.org/lib@abc2#sub")
    assert "vcs" in found(tmp_path)
    built(folder, "lib-1.0-cp311-cp311-win_amd64.whl")
    assert "vcs" in found(tmp_path, "win_amd64")
    assert vendored(LOCK, folder) == LOCK


@pytest.mark.parametrize("text", ["[broken", "[]", '{"files": 3}', '{"files": [3]}', '{"files": [{"path": "x.whl"}]}'])
def test_a_manifest_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    assert listed(tmp_path) == []


def test_a_manifest_names_nothing_outside(tmp_path: Path) -> None:
    (tmp_path / "out.whl").write_bytes(b"")
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "manifest.json").write_text(
        json.dumps({"files": [{"path": "../out.whl", "sha256": "00", "source": GIT_KEY}]})
    )
    assert listed(tmp_path / "vendor") == []
