"""What ``vendor`` brings together, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class VendoredFile:
    """One wheel of ``vendor/``.

    Attributes:
        path: Relative to the folder, with ``/``.
        sha256: Its digest (hex).
        size: Bytes.
        users: What needs it: ``billing for linux_x86_64 with Python 3.13``, ``.venv``, ``the compiler``.
        fetched: Whether it was fetched, or built, just now.
        source: What it was built of, where no index has it as a wheel; empty for the others.
    """

    path: str
    sha256: str
    size: int
    users: tuple[str, ...]
    fetched: bool = False
    source: str = ""


@dataclass(frozen=True)
class VendorResult:
    """What ``vendor`` did.

    Attributes:
        folder: The folder of wheels.
        files: Everything that is in it now, in the order of the names.
        removed: What was in it and nobody needs any more.
        left_out: What cannot be vendored: (what, why).
    """

    folder: Path
    files: tuple[VendoredFile, ...]
    removed: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
