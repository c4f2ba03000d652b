"""Projects and packages, read once into frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pypackpack.model.cache import CacheSettings
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.target import PythonVersion, Target


@dataclass(frozen=True)
class NativePattern:
    """Which modules are compiled, or in which way: glob patterns over module paths such as ``plugins/**``."""

    include: tuple[str, ...] = ("**",)
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExtensionSettings:
    """Finished ``[tool.pypackpack.build.extension.<name>]``: how an extension module of one's own sources is made.

    Attributes:
        sources: Patterns of the other sources that belong to it, below the package; None: those that lie with it.
        include: Folders below the package in which ``#include`` looks.
        define: Macros, sorted: name and text; an empty one defines the bare name.
        options: Words for the compiler.
        libraries: Libraries of the target's system.
    """

    sources: tuple[str, ...] | None = None
    include: tuple[str, ...] = ()
    define: tuple[tuple[str, str], ...] = ()
    options: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()


@dataclass(frozen=True)
class Minify:
    """What goes when code is made smaller, besides comments and blanks.

    Attributes:
        docstrings: Docstrings.
        annotations: Annotations, but for those that classes are made of.
        names: ``locals`` gives local variables shorter names, ``keep`` does not.
    """

    docstrings: bool = False
    annotations: bool = False
    names: str = "keep"


@dataclass(frozen=True)
class BuildSettings:
    """Finished ``[tool.pypackpack.build]`` for one target: defaults, the table, then the family's and the target's own.

    ``extensions`` has name and settings of each extension module that settings speak of. ``include_packages`` are dependencies
    whose headers and declarations the package's code uses. ``ship_sources`` are patterns of native sources that go into a release
    wheel. ``time_limit`` is in seconds. ``toolchain`` is None for the one that the table of targets names, ``toolchain_program``
    for the compiler of the usual name. ``mypyc`` says which modules it gets, if it is the one; Cython gets the others.
    """

    compiler: str = "cython"
    abi: str = "version"
    abi3: NativePattern = field(default_factory=NativePattern)
    unit: str = "module"
    dependencies: tuple[str, ...] | None = None
    native: NativePattern = field(default_factory=NativePattern)
    minify: Minify | None = None
    strict: bool = False
    extensions: tuple[tuple[str, ExtensionSettings], ...] = ()
    include_packages: tuple[str, ...] = ()
    ship_sources: tuple[str, ...] = ()
    time_limit: float = 3600.0
    toolchain: str | None = None
    toolchain_program: str | None = None
    mypyc: NativePattern = field(default_factory=NativePattern)


@dataclass(frozen=True)
class BundleSettings:
    """Finished ``[tool.pypackpack.bundle]``; ``fat_name`` is None for the usual one, ``resource`` are patterns of data files."""

    entry: str | None = None
    fat_layout: str = "single"
    binary_layout: str = "folder"
    resource: NativePattern = field(default_factory=NativePattern)
    fat_name: str | None = None


@dataclass(frozen=True)
class HookSettings:
    """Finished ``[tool.pypackpack.hooks]``: what the build hooks (PEP 517) make when pip, uv or build ask for a wheel."""

    level: str = "instant"
    type: str = "release"


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
        build: Target name → finished settings; ``""`` has those of a target that has none of its own.
        bundle: Finished bundle settings.
        local_dependencies: Names of the project's other packages that this one needs.
        requires_python: ``[project] requires-python`` (PEP 440 specifiers); empty means any.
        interpreters: Target name → the target's own Python on this machine, where the settings name one.
        hooks: Finished settings of the build hooks.
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
    requires_python: str = ""
    interpreters: Mapping[str, Path] = field(default_factory=dict)
    hooks: HookSettings = field(default_factory=HookSettings)

    def settings(self, target: Target) -> BuildSettings:
        """Return the finished build settings for a target, enabled or not."""
        return self.build.get(target.name) or self.build.get("") or BuildSettings()

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
    """A folder with ``[tool.pypackpack]`` and its packages.

    Attributes:
        name: ``[project] name``, else the folder's.
        root: The folder, absolute and without links.
        packages: In the order in which the settings record them.
        requires_python: ``[project] requires-python`` (PEP 440 specifiers); empty means any.
        repository: ``[tool.pypackpack] repository``: the URL of its git repository; empty when it is not set.
        cache: Finished settings of the cache.
    """

    name: str
    root: Path
    packages: tuple[Package, ...]
    requires_python: str = ""
    repository: str = ""
    cache: CacheSettings = field(default_factory=CacheSettings)

    @property
    def venv(self) -> Path:
        """The development environment."""
        return self.root / ".venv"

    def package(self, name: str) -> Package | None:
        """Return the package of that name (PEP 503 spelling does not matter), or None."""
        wanted = normalise(name)
        return next((package for package in self.packages if normalise(package.name) == wanted), None)


@dataclass(frozen=True)
class InitResult:
    """What ``init`` did.

    Attributes:
        root: The project's folder.
        name: The project's name.
        made: What was made or changed, relative to ``root``, with ``/``.
        kept: What was there already and stayed as it was.
        adopted: Whether our table was added to a pyproject.toml that was there.
        python: The Python of ``.venv``; None when a project was adopted.
    """

    root: Path
    name: str
    made: tuple[str, ...]
    kept: tuple[str, ...] = ()
    adopted: bool = False
    python: Interpreter | None = None


@dataclass(frozen=True)
class Removal:
    """What removing a package would delete.

    Attributes:
        package: The package.
        files: Number of files below its folder.
        size: Their bytes.
        sources: Files below ``src/``, relative to the package, with ``/``: what cannot be made again.
        entries: What lies in the folder itself, by name (a folder's ends in ``/``): how many files, and their bytes.
    """

    package: Package
    files: int
    size: int
    sources: tuple[str, ...]
    entries: tuple[tuple[str, int, int], ...] = ()
