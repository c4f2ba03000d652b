"""What a manifest in ``vendor`` may make us remove."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pypackpack.middleware.dependency import vendor

if TYPE_CHECKING:
    from pathlib import Path


def listed(folder: Path, *places: object) -> None:
    (folder / vendor.MANIFEST).write_text(json.dumps({"files": [{"path": place} for place in places]}))


def test_only_wheels_below_the_folder_are_removed(tmp_path: Path) -> None:
    folder, outside = tmp_path / "vendor", tmp_path / "outside"
    for path in (folder / "a.whl", folder / "ab12" / "b.whl", folder / "c.txt", outside / "d.whl", tmp_path / "e.whl"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    (folder / "link").symlink_to(outside, target_is_directory=True)
    places = ("a.whl", "ab12/b.whl", "c.txt", "link/d.whl", "../e.whl", str(tmp_path / "e.whl"), "link/../../e.whl")
    listed(folder, *places, "n\0.whl", "x" * 5000 + ".whl", 7)
    assert vendor._remove_old(folder, set()) == ("a.whl", "ab12/b.whl")
    assert (outside / "d.whl").exists()
    assert (tmp_path / "e.whl").exists()
    assert (folder / "c.txt").exists()
    assert not (folder / "ab12").exists()


def test_what_is_needed_stays(tmp_path: Path) -> None:
    (tmp_path / "a.whl").write_bytes(b"")
    listed(tmp_path, "a.whl")
    assert vendor._remove_old(tmp_path, {"a.whl"}) == ()
    assert (tmp_path / "a.whl").exists()
