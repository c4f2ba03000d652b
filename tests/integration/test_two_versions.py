"""Two versions of a package, from their sources to those who have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.two_versions import tell_story

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.network
@pytest.mark.slow
def test_two_versions_go_to_an_index_and_a_patch_leads_from_one_to_the_other(tmp_path: Path, cold_cache: Path) -> None:  # noqa: ARG001 - has to be there
    story: list[str] = []
    assert len(tell_story(tmp_path, story.append)) == 1
