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
