"""A wheel that `patch apply` made, beside the one that a build made: the same files, in another archive."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

from pypackpack.client.patch import apply_patch
from pypackpack.middleware.patch.make import make_patch
from pypackpack.middleware.verify.compare import first_difference, same_but_applied
from tests.unit.client.forge import pair

if TYPE_CHECKING:
    from pathlib import Path


def redone(wheel: Path, *, date: tuple[int, int, int, int, int, int] = (2024, 2, 3, 4, 5, 6), **members: bytes) -> None:
    """Write a wheel anew, with dates, and with other members."""
    out = io.BytesIO()
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as new:
        for info in old.infolist():
            again = zipfile.ZipInfo(info.filename, date)
            again.external_attr = info.external_attr
            new.writestr(again, members.get(info.filename.rpartition("/")[2].partition(".")[0], old.read(info)))
    wheel.write_bytes(out.getvalue())


def test_the_same_files_in_an_archive_of_apply(tmp_path: Path) -> None:
    old, new = pair(tmp_path)
    patch = tmp_path / "demo-1.0-p1-py3-none-any.whl.patch"
    patch.write_bytes(make_patch(old, new, number=1))
    applied = apply_patch(patch, old, tmp_path / "out")
    redone(new)
    assert "the files in both are the same" in first_difference(applied, new)
    assert same_but_applied(applied, new)
    assert not same_but_applied(new, applied)  # a date is that of some build, so it did not come of a patch
    redone(new, fresh=b"FRESH = 'another'\n")
    assert not same_but_applied(applied, new)
