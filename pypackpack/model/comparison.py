"""What separates two artifacts, and what a patch is made of: answers of ``inspect`` besides that about one wheel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.model.inspection import InspectedFile

ADDED, REMOVED, CHANGED = "added", "removed", "changed"
"""What became of a member, a field or a module from the first artifact to the second."""


@dataclass(frozen=True)
class MemberChange:
    """A file that two wheels do not have in common.

    Attributes:
        path: Its path.
        change: ``added``, ``removed`` or ``changed``.
        before: Its bytes in the first wheel, uncompressed; None where it is not there.
        after: Its bytes in the second wheel; None where it is not there.
    """

    path: str
    change: str
    before: int | None
    after: int | None


@dataclass(frozen=True)
class FieldChange:
    """A fact that two wheels do not have in common.

    Attributes:
        name: The field: of METADATA or WHEEL as it is written there, of the report ``level``, ``compiler`` …
        before: Its values in the first wheel, those that the second does not have.
        after: Its values in the second wheel, those that the first does not have.
    """

    name: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True)
class ModuleChange:
    """A module that is something else in the second wheel.

    Attributes:
        module: Its dotted name.
        change: ``added``, ``removed`` or ``changed``: that is in form, scope or reason, and not in size.
        before: What it is in the first wheel, with the reason where there is one; empty where it is not there.
        after: What it is in the second wheel; empty where it is not there.
    """

    module: str
    change: str
    before: str
    after: str


@dataclass(frozen=True)
class Comparison:
    """What separates two wheels.

    Attributes:
        kind: ``comparison``.
        first: The first wheel.
        second: The second wheel.
        sizes: Bytes of the two files.
        sha256: Digests of the two files.
        same: Whether the two are the same to the byte.
        members: Files that differ, by path.
        unchanged: Number of files that are the same in both.
        fields: Facts that differ: METADATA, WHEEL, and what the report says of the whole.
        modules: Modules that are something else.
        packing: Whether all files are the same and the archives are not: other order, dates, modes or compression.
    """

    kind: str
    first: Path
    second: Path
    sizes: tuple[int, int]
    sha256: tuple[str, str]
    same: bool
    members: tuple[MemberChange, ...]
    unchanged: int
    fields: tuple[FieldChange, ...]
    modules: tuple[ModuleChange, ...]
    packing: bool


@dataclass(frozen=True)
class PatchedMember:
    """A file that a patch makes.

    Attributes:
        path: Its path; empty where it keeps the one that the primary has, which only that knows.
        change: ``changed`` or ``added``.
        size: Its bytes; of a RECORD those of its form without digests.
        executable: Whether it is a program.
    """

    path: str
    change: str
    size: int
    executable: bool


@dataclass(frozen=True)
class PatchInspection:
    """What is known of a patch; all of its bytes were compared with their digests.

    Attributes:
        kind: ``patch``.
        path: Where it is.
        size: Its bytes.
        sha256: Its digest.
        identity: What whoever applies it may ask for: it stands for every byte of it.
        name: The distribution.
        number: Its number, from 1 on for each primary version.
        tag: Tags of both wheels.
        codec: How it is packed.
        primary: File name of the wheel it begins with.
        primary_identity: SHA-256 over that one's uncompressed members.
        result: File name of the wheel it leads to.
        result_identity: SHA-256 over that one's uncompressed members.
        result_size: Bytes of the result, uncompressed.
        kept: Number of files that are taken over as they are.
        members: Files that it makes.
    """

    kind: str
    path: Path
    size: int
    sha256: str
    identity: str
    name: str
    number: int
    tag: str
    codec: str
    primary: str
    primary_identity: str
    result: str
    result_identity: str
    result_size: int
    kept: int
    members: tuple[PatchedMember, ...]


@dataclass(frozen=True)
class ResourceInspection:
    """What is known of an archive of data files.

    Attributes:
        kind: ``resource``.
        path: Where it is.
        size: Its bytes.
        sha256: Its digest.
        name: The distribution.
        version: Its version.
        package: The import package whose data files these are.
        tag: What it is for: ``any``, a family of targets, or one target.
        identity: SHA-256 over all that decides what is read from it.
        unpacked: Bytes of all files together.
        chunks: Number of chunks that stand in it.
        data: The files, by path.
    """

    kind: str
    path: Path
    size: int
    sha256: str
    name: str
    version: str
    package: str
    tag: str
    identity: str
    unpacked: int
    chunks: int
    data: tuple[InspectedFile, ...]


@dataclass(frozen=True)
class ResourceComparison:
    """What separates an archive of data files from the next one.

    Attributes:
        kind: ``resource-comparison``.
        first: The first archive.
        second: The second archive.
        sizes: Bytes of the two files.
        same: Whether all files are the same.
        members: Files that differ, by path.
        chunks: Number of chunks that whoever has the first is missing for the second.
        fetch: Bytes that they have to fetch.
    """

    kind: str
    first: Path
    second: Path
    sizes: tuple[int, int]
    same: bool
    members: tuple[MemberChange, ...]
    chunks: int
    fetch: int
