"""Toolchains: compilers with their linkers, as they were found on this machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Surroundings:
    """What of a machine decides which toolchains are found on it.

    Attributes:
        system: ``sys.platform``.
        machine: The processor, as `pypackpack.model.host.Host` names it.
        variables: The environment.
        home: The person's own folder.
    """

    system: str
    machine: str
    variables: Mapping[str, str]
    home: Path


@dataclass(frozen=True)
class FoundToolchain:
    """A toolchain for one target: where it is and what exactly it is, or what keeps it from being used.

    Attributes:
        name: What the setting ``toolchain`` calls it: ``zig``, ``gcc`` …
        version: For people: ``12.2.0``, ``27.1.12297006``.
        place: Its folder or program; None for zig, which comes by itself, and where there is none.
        identity: Everything of it that can change a result, as pairs of a name and a text: part of every key.
        missing: Why it cannot be used for the target; empty when it can.
        hint: What to get, and from where; said with ``missing``.
        programs: Name of a role (``cc``, ``c++``, ``link`` …) → program.
        folders: Name of a role (``sysroot`` …) → folder.
    """

    name: str
    version: str = ""
    place: Path | None = None
    identity: tuple[tuple[str, str], ...] = ()
    missing: str = ""
    hint: str = ""
    programs: Mapping[str, Path] = field(default_factory=dict)
    folders: Mapping[str, Path] = field(default_factory=dict)

    @property
    def usable(self) -> bool:
        """Whether it can be used."""
        return not self.missing
