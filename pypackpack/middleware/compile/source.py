"""A module's source as it was when it was planned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pypackpack.middleware.compile.layers import SourceFile


@dataclass(frozen=True)
class Source:
    """A file as it was when it was planned.

    Attributes:
        file: Where it is.
        package: Name of the package that it belongs to, as its person wrote it.
        place: Its place below site-packages, with ``/``.
        name: Its module's full name.
        digest: SHA-256 of its bytes.
        size: Its bytes.
    """

    file: SourceFile
    package: str
    place: str
    name: str
    digest: str
    size: int

    @property
    def shown(self) -> str:
        """What a person knows it by: its path in the package's folder."""
        return f"src/{self.file.layer}/{self.file.place}"
