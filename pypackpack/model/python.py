"""What the commands about Pythons hand back, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.model.environment import DevelopmentSync
    from pypackpack.model.interpreter import Interpreter


@dataclass(frozen=True)
class ForeignPython:
    """A Python of another platform that was fetched.

    Attributes:
        target: Name of the target.
        key: uv's name of it, such as ``cpython-3.13.1-windows-x86_64-none``.
        folder: Where it lies.
        fetched: Whether it was fetched just now.
    """

    target: str
    key: str
    folder: Path
    fetched: bool


@dataclass(frozen=True)
class PythonChange:
    """What ``python use`` did.

    Attributes:
        python: The Python of ``.venv`` now.
        before: The version that it had before, or None when there was no ``.venv`` that worked.
        changed: Files that were changed, relative to the project, with ``/``.
        cleared: Packages whose ``build`` folder was removed.
        synced: What became of ``.venv``.
    """

    python: Interpreter
    before: tuple[int, int, int] | None
    changed: tuple[str, ...]
    cleared: tuple[str, ...]
    synced: DevelopmentSync
