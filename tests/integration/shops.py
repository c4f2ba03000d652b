"""Projects that tests of dependencies work on, and what a person does to them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from pypackpack.middleware.dependency import manage
from pypackpack.middleware.environment.sync import sync
from pypackpack.middleware.project.read import load_project
from pypackpack.model.build import Silent
from tests.snapshot import snapshot

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pypackpack.model.environment import DependencyChange, SyncResult
    from pypackpack.model.errors import PyPackPackError

PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"


def lay_out(root: Path, settings: str, packages: Mapping[str, str], *, python: str = "") -> None:
    """Write a project's settings and those of its packages, each with a module that knows the package's name.

    ``python`` is the series for ``.python-version``; without it there is no such file.
    """
    for name, text in packages.items():
        (root / name / "src" / "main").mkdir(parents=True, exist_ok=True)
        (root / name / "src" / "main" / "__init__.py").write_text(f"NAME = {name!r}\n", encoding="utf-8")
        (root / name / "pyproject.toml").write_text(text, encoding="utf-8")
    (root / "pyproject.toml").write_text(settings, encoding="utf-8")
    if python:
        (root / ".python-version").write_text(f"{python}\n", encoding="utf-8")


class PackageShop:
    """A project whose package ``app`` gets dependencies."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.app = root / "app"
        self.lock = self.app / "pyproject.lock"
        self.heard = Silent()

    def add(
        self, *words: str, to: tuple[str, ...] = (), options: tuple[str, ...] = (), offline: bool = False, name: str = "app"
    ) -> DependencyChange:
        project = load_project(self.root)
        package = project.package(name)
        assert package is not None
        return manage.add(project, package, manage.Wanted(words, to, offline, options), self.heard)

    def remove(self, *words: str, of: tuple[str, ...] = ()) -> DependencyChange:
        project = load_project(self.root)
        return manage.remove(project, project.packages[0], manage.Wanted(words, of), self.heard)

    def sync(self, *targets: str, options: tuple[str, ...] = (), offline: bool = False) -> SyncResult:
        project = load_project(self.root)
        return sync(project, project.packages, targets, uv_options=options, offline=offline, watcher=self.heard)

    def lines(self, name: str = "app") -> list[str]:
        content = tomllib.loads((self.root / name / "pyproject.toml").read_text(encoding="utf-8"))
        return list(content["project"]["dependencies"])

    def site(self, target: str, name: str = "app") -> Path:
        return self.root / name / "build" / "crossenv" / target / "lib" / f"python{PYTHON}" / "site-packages"

    def tags(self, target: str, name: str = "app") -> dict[tuple[str, str], list[str]]:
        """Distribution and version → the tags that its installed WHEEL file says, in its order."""
        found = {}
        for path in self.site(target, name).glob("*.dist-info/WHEEL"):
            lines = path.read_text(encoding="utf-8").splitlines()
            dist, _, version = path.parent.name.removesuffix(".dist-info").partition("-")
            found[dist, version] = [line[5:] for line in lines if line.startswith("Tag: ")]
        return found

    def refused(self, kind: type[PyPackPackError], *words: str, **how: tuple[str, ...]) -> PyPackPackError:
        """Add what cannot be added, and see that nothing has changed."""
        before = snapshot(self.root)
        with pytest.raises(kind) as caught:
            self.add(*words, **how)  # type: ignore[arg-type]  # `to` and `options`
        assert snapshot(self.root) == before
        assert type(caught.value) is kind
        assert caught.value.hint
        return caught.value
