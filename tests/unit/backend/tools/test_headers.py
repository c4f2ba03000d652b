"""Header folders are made once for each content."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pypackpack.backend.filesystem import remove_tree
from pypackpack.backend.tools.headers import noted_folder

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
