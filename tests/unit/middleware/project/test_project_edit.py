from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pypackpack.backend import filesystem
from pypackpack.middleware.project.edit import append_word, commit_edits, edit_toml, plan_edit, table_at
from pypackpack.model.errors import ConflictError, FilesystemError, SettingsError
from tests.snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable


def add(word: str) -> Callable[[Any], None]:
    return lambda document: append_word(table_at(document, "tool.pypackpack")["packages"], word)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("packages = []\n", 'packages = ["new"]\n'),
        ('packages = ["a"] # why\n', 'packages = ["a", "new"] # why\n'),
        ('packages = [\n  "a", # first\n  "b"\n]\n', 'packages = [\n  "a", # first\n  "b",\n  "new",\n]\n'),
        ('packages = [\n\t"a",\n]\n', 'packages = [\n\t"a",\n\t"new",\n]\n'),
        ("packages = [\n  # none yet\n]\n", 'packages = [\n  # none yet\n  "new",\n]\n'),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_an_edit_keeps_everything_else(tmp_path: Path, before: str, after: str, ending: str) -> None:
    path = tmp_path / "pyproject.toml"
    around = "# Größe ✓\n[project]\nname='x'   # quoted so\n\n[tool.pypackpack]  # ours\n{}\n[tool.other]\nz = 1\na = 2\n"
    path.write_bytes(around.format(before).replace("\n", ending).encode())
    assert edit_toml(path, add("new"))
    assert path.read_bytes() == around.format(after).replace("\n", ending).encode()


def test_an_edit_that_changes_nothing_does_not_write(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text("a = 1\n")
    state = path.stat()
    assert not edit_toml(path, lambda _: None)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (state.st_ino, state.st_mtime_ns)


def test_tables_are_made_where_they_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text("[project]\nname = 'x'\n")
    edit_toml(path, lambda document: table_at(document, "tool.pypackpack.build").update(strict=True))
    assert path.read_text() == "[project]\nname = 'x'\n\n[tool.pypackpack.build]\nstrict = true\n"


def test_a_value_where_a_table_should_be_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text("tool = 3\n")
    with pytest.raises(SettingsError, match="tool is not a table"):
        edit_toml(path, lambda document: table_at(document, "tool.pypackpack"))
    assert path.read_text() == "tool = 3\n"


def test_an_edit_that_somebody_made_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text("[tool.pypackpack]\npackages = []\n")
    edit = plan_edit(path, add("new"))
    path.write_text("[tool.pypackpack]\npackages = ['theirs']\n")
    with pytest.raises(ConflictError, match="changed by somebody else"):
        commit_edits([edit])
    assert path.read_text() == "[tool.pypackpack]\npackages = ['theirs']\n"


@pytest.mark.parametrize("reason", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_several_files_change_together_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: BaseException
) -> None:
    paths = [tmp_path / name for name in ("a.toml", "b.toml", "c.toml")]
    for path in paths:
        path.write_text("x = 1\n")
    edits = [plan_edit(path, lambda document: document.update(x=2)) for path in paths]
    before = snapshot(tmp_path)
    really = filesystem.replace

    def replace(aside: Path, path: Path) -> None:
        if Path(path).name == "c.toml":
            raise reason
        really(aside, path)

    with monkeypatch.context() as patch:
        patch.setattr(filesystem, "replace", replace)
        with pytest.raises((FilesystemError, KeyboardInterrupt)):
            commit_edits(edits)
    assert snapshot(tmp_path) == before
    commit_edits(edits)
    assert [path.read_text() for path in paths] == ["x = 2\n"] * 3


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "real.toml"
    real.write_text("x = 1\n")
    link = tmp_path / "link.toml"
    link.symlink_to(real)
    edit_toml(link, lambda document: document.update(x=2))
    assert link.is_symlink()
    assert real.read_text() == "x = 2\n"


def test_no_lock_file_appears_beside_the_file(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text("x = 1\n")
    edit_toml(path, lambda document: document.update(x=2))
    assert [entry.name for entry in tmp_path.iterdir()] == ["pyproject.toml"]


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"a = 1\nb = [1, 2\nc = 3\n", ":3:1: "),
        (b"a = \xff\n", ":1: not valid TOML: the file is not UTF-8 (byte 0xff)"),
        (b"[a]\n[a]\n", ":2:3: "),
        (b'a = "', ":1:6: "),
    ],
)
def test_broken_toml_is_said_with_its_place(tmp_path: Path, data: bytes, place: str) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_bytes(data)
    with pytest.raises(SettingsError) as caught:
        edit_toml(path, lambda _: None)
    assert f"{path}{place}" in caught.value.message
    assert path.read_bytes() == data
