"""Target environments, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.model.target import PythonVersion


@dataclass(frozen=True)
class TargetEnvironment:
    """What `sync` made of one environment.

    Attributes:
        package: Whose environment it is.
        target: Name of the target.
        python: The Python version.
        site_packages: The folder that holds the dependencies.
        installed: Every dependency in it, as (name, version).
        added: Those that were not there, or in another version, before.
        removed: Those that were there before and are not now, or in another version.
        unchanged: Whether nothing had to be done.
    """

    package: str
    target: str
    python: PythonVersion
    site_packages: Path
    installed: tuple[tuple[str, str], ...]
    added: tuple[tuple[str, str], ...] = ()
    removed: tuple[tuple[str, str], ...] = ()
    unchanged: bool = False


@dataclass(frozen=True)
class SyncResult:
    """What `sync` did.

    Attributes:
        environments: Every environment that was asked for.
        locked: Packages whose lock was written anew.
        notes: What a person should know, such as an older version that one target needs.
    """

    environments: tuple[TargetEnvironment, ...] = ()
    locked: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class DependencyChange:
    """What `add` or `remove` did to a package.

    Attributes:
        package: The package.
        lines: Its ``[project] dependencies`` now.
        target_lines: Its ``[tool.pypackpack.target.<name>] dependencies`` now: (target, lines).
        changed: Whether its pyproject.toml was changed.
        synced: What became of its environments.
    """

    package: str
    lines: tuple[str, ...]
    target_lines: tuple[tuple[str, tuple[str, ...]], ...]
    changed: bool
    synced: SyncResult


@dataclass(frozen=True)
class DevelopmentSync:
    """What became of a project's development environment.

    Attributes:
        folder: The environment.
        python: The version of its Python.
        installed: Every distribution in it, as (name, version).
        added: Those that were not there, or in another version, before.
        removed: Those that were there before and are not now, or in another version.
        editable: The project's packages that it imports straight from their sources.
        locked: Whether the project's lock was written anew.
        unchanged: Whether nothing had to be done.
        said: What uv said, where that was what was asked for (``--dry-run``, ``--check``).
    """

    folder: Path
    python: tuple[int, int, int]
    installed: tuple[tuple[str, str], ...]
    added: tuple[tuple[str, str], ...] = ()
    removed: tuple[tuple[str, str], ...] = ()
    editable: tuple[str, ...] = ()
    locked: bool = False
    unchanged: bool = False
    said: str = ""


@dataclass(frozen=True)
class DevelopmentChange:
    """What `add` or `remove` did to the development dependencies of a project.

    Attributes:
        place: Where they stand: ``dependency-groups.dev`` or ``project.optional-dependencies.docs``.
        lines: What stands there now.
        changed: Whether the project's pyproject.toml was changed.
        synced: What became of the environment; None when uv was told not to touch it.
    """

    place: str
    lines: tuple[str, ...]
    changed: bool
    synced: DevelopmentSync | None


@dataclass(frozen=True)
class TreeNode:
    """One distribution in a tree of dependencies.

    Attributes:
        name: Its name.
        version: The locked version; empty for what has none, such as a folder.
        extras: The extras that are asked for here.
        marker: The marker under which it is wanted here, as the lock says it; empty when always.
        source: Where it comes from when that is no index: ``git``, ``url``, ``path``, or ``local`` for a package of the project.
        children: What it needs in turn.
        repeated: Its children are not listed again: it stands with them further up.
    """

    name: str
    version: str
    extras: tuple[str, ...] = ()
    marker: str = ""
    source: str = ""
    children: tuple[TreeNode, ...] = ()
    repeated: bool = False


@dataclass(frozen=True)
class TargetTree:
    """What one environment resolves to.

    Attributes:
        target: Name of the target.
        python: The Python version.
        roots: What the package needs itself.
    """

    target: str
    python: PythonVersion
    roots: tuple[TreeNode, ...]


@dataclass(frozen=True)
class TreeResult:
    """What a package's targets resolve to.

    Attributes:
        package: The package.
        version: Its version.
        trees: One for each environment.
        locked: Whether the package's lock says it; otherwise it is what `sync` would lock first.
    """

    package: str
    version: str
    trees: tuple[TargetTree, ...]
    locked: bool = True
