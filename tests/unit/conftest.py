"""Every unit test has a cache of its own and starts no process."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend.filesystem import CACHE_VARIABLE

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _alone(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    cache: Path = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv(CACHE_VARIABLE, str(cache))

    def refuse(*words: object, **_: object) -> None:
        raise AssertionError(f"a unit test started a process: {words}")

    monkeypatch.setattr(subprocess, "Popen", refuse)
