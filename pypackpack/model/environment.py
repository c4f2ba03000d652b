"""Target environments, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.model.target import PythonVersion


class LockUse(Enum):
    """What is done about a lock that does not fit the settings."""

    UPDATE = "update"
    """It is brought up to date."""
    LOCKED = "locked"
    """It is an error, and nothing is changed."""
    FROZEN = "frozen"
    """Nobody looks whether it fits: it is taken as it is."""


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
        planned: Whether all this is only what it would do (``--dry-run``); nothing was changed.
    """

    environments: tuple[TargetEnvironment, ...] = ()
    locked: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    planned: bool = False


@dataclass(frozen=True)
class LineChange:
    """A line of dependencies that came or went.

    Attributes:
        line: The line.
        target: The target whose own it is; empty for one of all.
    """

    line: str
    target: str = ""


@dataclass(frozen=True)
class DependencyChange:
    """What `add` or `remove` did to a package.

    Attributes:
        package: The package.
        lines: Its ``[project] dependencies`` now.
        target_lines: Its ``[tool.pypackpack.target.<name>] dependencies`` now: (target, lines).
        changed: Whether its pyproject.toml was changed.
        synced: What became of its environments.
        added: The lines that were not there before.
        removed: The lines that were there before and are not now.
        development: What became of ``.venv``; None where it was not brought along.
    """

    package: str
    lines: tuple[str, ...]
    target_lines: tuple[tuple[str, tuple[str, ...]], ...]
    changed: bool
    synced: SyncResult
    added: tuple[LineChange, ...] = ()
    removed: tuple[LineChange, ...] = ()
    development: DevelopmentSync | None = None


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
        planned: Whether this is only what would be done (``--dry-run``); nothing was changed.
        renewed: Those of ``editable`` that were not there as their settings and sources are now.
        new_commands: Commands of the project's packages that were not there before.
        gone_commands: Those that were there before and are not now.
    """

    folder: Path
    python: tuple[int, int, int]
    installed: tuple[tuple[str, str], ...]
    added: tuple[tuple[str, str], ...] = ()
    removed: tuple[tuple[str, str], ...] = ()
    editable: tuple[str, ...] = ()
    locked: bool = False
    unchanged: bool = False
    planned: bool = False
    renewed: tuple[str, ...] = ()
    new_commands: tuple[str, ...] = ()
    gone_commands: tuple[str, ...] = ()


@dataclass(frozen=True)
class DevelopmentChange:
    """What `add` or `remove` did to the development dependencies of a project.

    Attributes:
        place: Where they stand: ``dependency-groups.dev`` or ``project.optional-dependencies.docs``.
        lines: What stands there now.
        changed: Whether the project's pyproject.toml was changed.
        synced: What became of the environment; None when uv was told not to touch it.
        added: The lines that were not there before.
        removed: The lines that were there before and are not now.
    """

    place: str
    lines: tuple[str, ...]
    changed: bool
    synced: DevelopmentSync | None
    added: tuple[LineChange, ...] = ()
    removed: tuple[LineChange, ...] = ()


@dataclass(frozen=True)
class TreeNode:
    """One distribution in a tree of dependencies.

    Attributes:
        name: Its name.
        version: The locked version; empty for what has none, such as a folder.
        extras: The extras that are asked for here.
        marker: The marker under which it is wanted here, as the lock says it; empty when always. In an inverted tree: under which
            this one wants the one above it.
        source: Where it comes from when that is no index: ``git``, ``url``, ``path``, or ``local`` for a package of the project.
        children: What it needs in turn; in an inverted tree what needs it.
        repeated: Its children are not listed again: it stands with them further up.
        group: The dependency group that asks for it, where one does.
        size: Size in bytes of the wheel that is taken here; None when it was not asked for, or the index does not say it.
        latest: The newest version that the index has, where it was asked for and is another one.
    """

    name: str
    version: str
    extras: tuple[str, ...] = ()
    marker: str = ""
    source: str = ""
    children: tuple[TreeNode, ...] = ()
    repeated: bool = False
    group: str = ""
    size: int | None = None
    latest: str = ""


@dataclass(frozen=True)
class TreeView:
    """What a person wants to see of a tree of dependencies; the words are those of ``uv tree``.

    Attributes:
        depth: How many steps from where the tree begins; None shows all.
        packages: Begin at these distributions instead of what the package or project needs itself.
        prune: Leave these distributions out, and what only they need.
        invert: Show what needs what, from the distribution upwards.
        dedupe: Do not unfold again what was unfolded further up.
        sizes: Show the size of each wheel.
        outdated: Ask the index for newer versions.
    """

    depth: int | None = None
    packages: tuple[str, ...] = ()
    prune: tuple[str, ...] = ()
    invert: bool = False
    dedupe: bool = True
    sizes: bool = False
    outdated: bool = False


@dataclass(frozen=True)
class TargetTree:
    """What one environment resolves to.

    Attributes:
        target: Name of the target.
        python: The Python version.
        roots: Where the tree begins: what the package needs itself, or what the view names.
    """

    target: str
    python: PythonVersion
    roots: tuple[TreeNode, ...]


@dataclass(frozen=True)
class TreeResult:
    """What a package's targets, or a project's development environment, resolve to.

    Attributes:
        package: The package; the project for its development environment.
        version: Its version.
        trees: One for each environment.
        locked: Whether the lock says it; otherwise it is what `sync` would lock first.
        inverted: Whether children are what needs the node above them.
    """

    package: str
    version: str
    trees: tuple[TargetTree, ...]
    locked: bool = True
    inverted: bool = False
