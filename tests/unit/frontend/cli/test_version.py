"""uv's version without asking uv."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pypackpack.frontend.cli import version

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_folder_next_to_the_package_says_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "other/uv-9.9.9.dist-info",
        "site/uv",
        "site/uv-1.2.3.dist-info",
        "site/uv_thing-7.dist-info",
        "site/uvloop-3.dist-info",
    ):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "missing"), str(tmp_path / "other"), str(tmp_path / "site")])
    assert version.uv_version() == "1.2.3"


def test_without_a_wheel_uv_itself_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.setattr(version, "_asked_uv", lambda: "4.5.6")
    assert version.uv_version() == "4.5.6"
