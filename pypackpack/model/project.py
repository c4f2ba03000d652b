"""Projects and packages, read once into frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pypackpack.model.target import PythonVersion, Target


@dataclass(frozen=True)
class NativePattern:
    """Which modules are compiled: glob patterns over module paths such as ``plugins/**`` (spec: ``native``)."""

    include: tuple[str, ...] = ("**",)
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class BuildSettings:
    """Finished ``[tool.pypackpack.build]`` for one target: defaults, the table, then the family's and the target's own."""

    compiler: str = "cython"
    abi: str = "version"
    unit: str = "module"
    dependencies: tuple[str, ...] | None = None
    native: NativePattern = field(default_factory=NativePattern)
    minify: bool = False
    strict: bool = False


@dataclass(frozen=True)
class BundleSettings:
    """Finished ``[tool.pypackpack.bundle]``."""

    entry: str | None = None
    fat_layout: str = "single"
    binary_layout: str = "folder"


@dataclass(frozen=True)
class Package:
    """A package of a project: one distribution, one import package.

    Attributes:
        name: Distribution name as the person wrote it.
        import_name: The import package: the normalised name with underscores.
        root: Its folder (holds ``pyproject.toml`` and ``src/``).
        version: The version as written in ``[project]``.
        targets: Enabled targets, in the order of the settings.
        pythons: Python versions of ``[tool.pypackpack] python``; empty means the project's own.
        dependencies: PEP 508 strings of ``[project] dependencies``.
        target_dependencies: What markers cannot say: target name → PEP 508 strings.
        build: Target name → finished settings.
        bundle: Finished bundle settings.
        local_dependencies: Names of the project's other packages that this one needs.
    """

    name: str
    import_name: str
    root: Path
    version: str
    targets: tuple[Target, ...]
    pythons: tuple[PythonVersion, ...]
    dependencies: tuple[str, ...]
    target_dependencies: Mapping[str, tuple[str, ...]]
    build: Mapping[str, BuildSettings]
    bundle: BundleSettings
    local_dependencies: tuple[str, ...] = ()

    @property
    def source(self) -> Path:
        """The folder of sources and overlays."""
        return self.root / "src"

    @property
    def build_folder(self) -> Path:
        """The folder that everything made lies in; ``clean`` empties it."""
        return self.root / "build"


@dataclass(frozen=True)
class Project:
    """A folder with ``[tool.pypackpack]`` and its packages."""

    name: str
    root: Path
    packages: tuple[Package, ...]

    @property
    def venv(self) -> Path:
        """The development environment."""
        return self.root / ".venv"

    def package(self, name: str) -> Package | None:
        """Return the package of that name (PEP 503 spelling does not matter), or None."""
        wanted = name.lower().replace("_", "-").replace(".", "-")
        for package in self.packages:
            if package.name.lower().replace("_", "-").replace(".", "-") == wanted:
                return package
        return None
