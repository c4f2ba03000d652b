from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pypackpack.backend.treestate import file_state, tree_state

if TYPE_CHECKING:
    from pathlib import Path


def test_every_change_of_a_folder_shows(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    assert tree_state(str(folder)) == ""
    (folder / "pkg").mkdir(parents=True)
    states = [tree_state(str(folder))]
    module = folder / "pkg" / "mod.py"
    module.write_text("one")
    states.append(tree_state(str(folder)))
    time = module.stat().st_mtime_ns
    module.write_text("two")
    os.utime(module, ns=(time + 1, time + 1))
    states.append(tree_state(str(folder)))
    module.rename(folder / "mod.py")
    states.append(tree_state(str(folder)))
    assert len(set(states)) == len(states)
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "mod.pyc").write_text("")
    assert tree_state(str(folder)) == states[-1]


def test_a_file_and_its_absence(tmp_path: Path) -> None:
    path = tmp_path / "a"
    assert file_state(str(path)) == "-"
    path.write_text("x")
    assert file_state(str(path)).startswith("1:")
    assert file_state(str(path / "b")) == "-"
