"""What a task leaves behind: digests of outputs and a few facts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class ActionResult:
    """The result of one task, small enough to keep for ever.

    Attributes:
        outputs: Name → SHA-256 of a blob in the store.
        facts: Short texts that whoever needs the task wants to know (a reason, a file name).
        keep: False for a result that may be another one next time, such as a compiler's refusal.
    """

    outputs: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    keep: bool = True
