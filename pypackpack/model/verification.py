"""What looking at an artifact with suspicion gave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What: ``archive``, ``record``, ``names``, ``modules``, ``libraries``, ``attestation``, ``patch``, ``rebuild`` …
        found: What was seen, in a few words.
        problems: What is wrong, a sentence each; empty where all is as it should be.
    """

    name: str
    found: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verification:
    """What is known of an artifact that was verified.

    Attributes:
        path: The artifact.
        kind: ``wheel``, ``patch`` or ``resource``.
        size: Its bytes.
        sha256: SHA-256 of the file.
        checks: What was looked at, in order.
        notes: What a person should know of the answer.
    """

    path: Path
    kind: str
    size: int
    sha256: str
    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """All that is wrong."""
        return tuple(problem for check in self.checks for problem in check.problems)
