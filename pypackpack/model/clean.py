"""What ``pypackpack clean`` did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Cleaned:
    """The emptied build folder of one package.

    Attributes:
        package: Whose.
        folder: Its build folder.
        files: Number of files in it.
        size: Their bytes; a file that has several names is counted once.
        parts: Names of what lay directly in it.
    """

    package: str
    folder: Path
    files: int
    size: int
    parts: tuple[str, ...]


@dataclass(frozen=True)
class CleanResult:
    """What was removed, or would be.

    Attributes:
        packages: Package by package, those without anything to remove too.
        dry: Whether nothing was removed.
    """

    packages: tuple[Cleaned, ...]
    dry: bool = False
