"""What integration tests share: the project that most of them build, and caches."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend import filesystem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOST_TARGETS = ("linux_x86_64",)


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    cache = tmp_path / "cache"
    monkeypatch.setenv(filesystem.CACHE_VARIABLE, os.fspath(cache))
    return cache


@pytest.fixture
def cold_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own that has nothing but zig and the C runtimes that it built, if they are here already."""
    shared = filesystem.cache_folder()
    cache = tmp_path / "cache"
    cache.mkdir()
    for name in ("tools-v1", "zig-v1"):
        (shared / name).mkdir(parents=True, exist_ok=True)
        (cache / name).symlink_to(shared / name, target_is_directory=True)
    monkeypatch.setenv(filesystem.CACHE_VARIABLE, os.fspath(cache))
    return cache


@pytest.fixture
def small_project(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes a project with one package ``small`` and returns its root.

    Args of the function: files by path below the package's ``src``, lines for ``[tool.pypackpack]``, targets, and the name of
    the folder.
    """

    def make(
        files: dict[str, str | bytes] | None = None,
        *,
        settings: str = "",
        targets: tuple[str, ...] = HOST_TARGETS,
        folder: str = "project",
    ) -> Path:
        root = tmp_path / folder
        package = root / "small"
        everything: dict[str, str | bytes] = {
            "main/__init__.py": "",
            "main/mod.py": "def answer():\n    return 42\n",
            **(files or {}),
        }
        for place, content in everything.items():
            path = package / "src" / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        listed = ", ".join(f'"{target}"' for target in targets)
        (package / "pyproject.toml").write_text(
            f'[project]\nname = "small"\nversion = "1.0"\n\n[tool.pypackpack]\ntargets = [{listed}]\n{settings}', encoding="utf-8"
        )
        (root / "pyproject.toml").write_text(
            '[project]\nname = "whole"\nversion = "1.0"\nrequires-python = ">=3.10"\n\n[tool.pypackpack]\npackages = ["small"]\n',
            encoding="utf-8",
        )
        return root

    return make
