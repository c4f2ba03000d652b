"""A Python on this machine, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.model.target import PythonVersion


OLDEST: PythonVersion = (3, 10)
NEWEST: PythonVersion = (3, 14)
"""The series of CPython that packages are built for, both ends included."""


@dataclass(frozen=True)
class Interpreter:
    """What we need to know of an interpreter.

    Attributes:
        executable: The path that starts it.
        version: X, Y, Z.
        implementation: ``cpython`` or another.
        include: Folder of its C headers, whether or not it is there.
        has_headers: Whether ``Python.h`` lies in ``include``.
        free_threaded: Built with ``--disable-gil`` (PEP 703).
        platform: ``sysconfig.get_platform()``.
        release: Its version as it names itself: ``3.14.0rc1`` and ``3.14.0`` have one ``version``, and different bytecode.
        magic: The magic number of its bytecode, without the line end in it: 3495.
    """

    executable: Path
    version: tuple[int, int, int]
    implementation: str
    include: Path
    has_headers: bool
    free_threaded: bool
    platform: str
    release: str = ""
    magic: int = 0

    @property
    def series(self) -> PythonVersion:
        """The X.Y that wheels and headers are bound to."""
        return self.version[:2]
