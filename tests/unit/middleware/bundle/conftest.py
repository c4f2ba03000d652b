"""A project of two packages, as values and on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from pypackpack.middleware.bundle.metadata import CoreFiles
from pypackpack.model.project import BundleSettings, Package, Project

if TYPE_CHECKING:
    from pathlib import Path

Make = Callable[..., tuple[Package, Project]]

HEAD = '[project]\nname = "Demo.App"\nversion = "1.0-rc1"\n'


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Give a function that writes ``demo-app/pyproject.toml`` (``[project]`` with name and version stands already)."""

    def made(text: str = "", *, head: str = HEAD, core: str = "1.2.0", **fields: Any) -> tuple[Package, Project]:  # noqa: ANN401
        root = tmp_path / "project" / "demo-app"
        root.mkdir(parents=True, exist_ok=True)
        (root / "pyproject.toml").write_text(head + text, encoding="utf-8")
        values: dict[str, Any] = {
            "name": "Demo.App",
            "import_name": "demo_app",
            "root": root,
            "version": "1.0-rc1",
            "targets": (),
            "pythons": (),
            "dependencies": (),
            "target_dependencies": {},
            "build": {},
            "bundle": BundleSettings(),
        }
        app = Package(**(values | fields))
        other = Package(
            **(values | {"name": "Core_Lib", "import_name": "core_lib", "root": root.parent / "core", "version": core})
        )
        return app, Project("demo", root.parent, (app, other))

    return made


@pytest.fixture
def core() -> CoreFiles:
    """Core metadata as plain as can be."""
    return CoreFiles(
        "Demo.App", "1.0", "Metadata-Version: 2.4\nName: Demo.App\nVersion: 1.0\n", licenses=(("LICENSE", b"free\n"),)
    )
