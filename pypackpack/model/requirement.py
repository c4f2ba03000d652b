"""Lines of requirements files, and what importing them did, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.model.environment import DependencyChange, DevelopmentChange


@dataclass(frozen=True)
class Place:
    """Where something stands.

    Attributes:
        file: The file, as a person would write it: relative to the project where it lies in it.
        line: Its first line, from 1.
    """

    file: str
    line: int

    def __str__(self) -> str:
        """Return ``file:line``, as editors take it."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Asked:
    """One line of a requirements file that asks for a distribution.

    Attributes:
        name: Its name, as written.
        extras: Its extras.
        specifier: PEP 440 specifiers; empty means any version.
        marker: PEP 508 marker; empty means everywhere.
        url: Where it comes from, for ``name @ url`` and version control; variables in it stay as written.
        path: The folder or file it comes from, for what lies on this machine.
        editable: Whether the line began with ``-e``.
        constraint: Whether it only limits the version (``-c``).
        hashes: ``algorithm:digest`` of what is allowed.
        place: Where it stands.
    """

    name: str
    place: Place
    extras: tuple[str, ...] = ()
    specifier: str = ""
    marker: str = ""
    url: str = ""
    path: Path | None = None
    editable: bool = False
    constraint: bool = False
    hashes: tuple[str, ...] = ()


@dataclass(frozen=True)
class NotTaken:
    """Something in a requirements file that has no place in a list of dependencies.

    Attributes:
        place: Where it stands.
        what: The option or line, without credentials.
        why: What to do about it.
        matters: Whether something is lost when the file goes.
    """

    place: Place
    what: str
    why: str
    matters: bool = True


@dataclass(frozen=True)
class AskedIndex:
    """An option of a requirements file that says where distributions come from.

    Attributes:
        place: Where it stands.
        shown: The option with its value, without credentials.
        url: An index's url, or the folder or page of ``--find-links``, without credentials; a folder as an absolute path.
        kind: ``default`` (in the place of the public index), ``extra``, ``explicit`` (only for what names it), or
            ``flat`` (a list of files, no index).
        name: What the file calls it; empty when it gives no name.
        secret: Whether credentials stood in the url.
    """

    place: Place
    shown: str
    url: str
    kind: str
    name: str = ""
    secret: bool = False


@dataclass(frozen=True)
class TakenIndex:
    """An index that stands in ``[[tool.uv.index]]`` of the project now.

    Attributes:
        name: Its name there; it is in the names of uv's variables for credentials too.
        url: Its url, or a folder relative to the project.
        kind: As in `AskedIndex`.
        places: The lines that it comes from.
        secret: Whether credentials stood in one of these, and were left there.
    """

    name: str
    url: str
    kind: str
    places: tuple[Place, ...]
    secret: bool = False


@dataclass(frozen=True)
class RequirementFiles:
    """Everything that was read.

    Attributes:
        files: All files, also included ones, in the order in which they were read.
        asked: What they ask for.
        not_taken: What cannot be taken over.
        indexes: Where they say that distributions come from.
    """

    files: tuple[Path, ...]
    asked: tuple[Asked, ...]
    not_taken: tuple[NotTaken, ...]
    indexes: tuple[AskedIndex, ...] = ()


@dataclass(frozen=True)
class MergedLine:
    """One line of the new list.

    Attributes:
        text: A PEP 508 string; for what lies on this machine its name.
        places: Every line of a file that it comes from.
        path: The folder or file, for what lies on this machine.
        editable: Whether that folder is to be imported from where it is.
    """

    text: str
    places: tuple[Place, ...]
    path: Path | None = None
    editable: bool = False


@dataclass(frozen=True)
class ImportResult:
    """What ``import`` did.

    Attributes:
        into: The list that was written: ``dependency-groups.dev``, or a package's name.
        files: The files that were read.
        lines: What they came to.
        constraints: Versions that were held for what only other dependencies need; the lock has them now.
        not_taken: What has no place in a list of dependencies.
        deleted: The files that were removed.
        changed: What became of the dependencies and the environment.
        indexes: What was written into ``[[tool.uv.index]]``, or stood there.
    """

    into: str
    files: tuple[str, ...]
    lines: tuple[MergedLine, ...]
    constraints: tuple[MergedLine, ...]
    not_taken: tuple[NotTaken, ...]
    deleted: tuple[str, ...]
    changed: DevelopmentChange | DependencyChange | None
    indexes: tuple[TakenIndex, ...] = ()
