"""The folder of wheels: what a dependency says of itself is no path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pypackpack.middleware.bundle.installed import Distribution, InstalledFile
from pypackpack.middleware.bundle.separate import _tags
from pypackpack.model.errors import WorkError

if TYPE_CHECKING:
    from pathlib import Path


def distribution(folder: Path, *tags: str) -> Distribution:
    place = folder / "WHEEL"
    place.write_text("Wheel-Version: 1.0\n" + "".join(f"Tag: {tag}\n" for tag in tags))
    file = InstalledFile("dep-1.0.dist-info/WHEEL", "dep 1.0", "0" * 64, 1, place)
    return Distribution("dep", "1.0", "dep-1.0.dist-info", (file,))


def test_tags_become_a_name(tmp_path: Path) -> None:
    assert _tags(distribution(tmp_path, "py3-none-any", "py2-none-any")) == "py2.py3-none-any"


@pytest.mark.parametrize("tag", ["py3-none-a/../../../evil", "py3-none-a\\..\\evil", "py3-none-a:b", "py3-none", "py3-none-"])
def test_tags_that_lead_elsewhere_are_refused(tmp_path: Path, tag: str) -> None:
    with pytest.raises(WorkError, match=r"the WHEEL file of dep 1\.0 has no tags"):
        _tags(distribution(tmp_path, tag))
