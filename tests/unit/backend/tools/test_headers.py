"""Header folders are made once for each content."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pypackpack.backend.filesystem import remove_tree
from pypackpack.backend.tools.headers import FOLDER, is_whole, noted_folder, text_folder

if TYPE_CHECKING:
    from pathlib import Path


def unasked() -> dict[str, str]:
    pytest.fail("it was made again")


def test_nothing_is_made_again_until_facts_or_sources_change(tmp_path: Path) -> None:
    source = tmp_path / "facts.toml"
    source.write_text("1")
    first = noted_folder("linux", (source,), lambda: {"pyconfig.h": "one"}, tmp_path)
    assert (first.path / "pyconfig.h").read_text() == "one"
    assert noted_folder("linux", (source,), unasked, tmp_path) == first
    assert noted_folder("windows", (source,), lambda: {"pyconfig.h": "two"}, tmp_path) != first
    source.write_text("longer")
    assert noted_folder("linux", (source,), lambda: {"pyconfig.h": "three"}, tmp_path) != first


def test_a_folder_that_is_gone_is_made_again(tmp_path: Path) -> None:
    first = noted_folder("linux", (), lambda: {"pyconfig.h": "one"}, tmp_path)
    remove_tree(first.path)
    assert noted_folder("linux", (), lambda: {"pyconfig.h": "one"}, tmp_path) == first
    assert (first.path / "pyconfig.h").read_text() == "one"


@pytest.mark.parametrize("note", [b"", b"..", b"0" * 64, b"\xff\xfe", None], ids=["empty", "up", "unknown", "no text", "folder"])
def test_a_note_that_cannot_be_believed_is_written_again(tmp_path: Path, note: bytes | None) -> None:
    first = noted_folder("linux", (), lambda: {"pyconfig.h": "one"}, tmp_path)
    (place,) = (tmp_path / FOLDER / "known").iterdir()
    place.unlink()
    if note is None:
        place.mkdir()
    else:
        place.write_bytes(note)
    assert noted_folder("linux", (), lambda: {"pyconfig.h": "one"}, tmp_path) == first
    assert place.read_text() == first.digest


@pytest.mark.parametrize("damage", ["cut", "gone", "more"])
def test_damage_is_noticed(tmp_path: Path, damage: str) -> None:
    folder = text_folder({"pyconfig.h": "one", "sys/stat.h": "two"}, tmp_path)
    assert is_whole(folder)
    file = folder.path / "sys" / ("more.h" if damage == "more" else "stat.h")
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(b"")
    assert not is_whole(folder)


def test_a_file_in_the_folders_place_is_replaced(tmp_path: Path) -> None:
    folder = text_folder({"pyconfig.h": "one"}, tmp_path)
    remove_tree(folder.path)
    folder.path.write_bytes(b"")
    assert text_folder({"pyconfig.h": "one"}, tmp_path) == folder
    assert is_whole(folder)
