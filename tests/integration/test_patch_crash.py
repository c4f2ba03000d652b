"""Processes that apply patches are killed: the short form of tests/benchmarks/patch_crash.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.benchmarks import patch_crash

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
def test_what_a_kill_leaves_is_the_old_version_or_the_new_one(tmp_path: Path) -> None:
    found = patch_crash.run(12, tmp_path, seed=3)
    assert sum(found.values()) == 12
    assert any("leftovers" in left for _, left in found)
