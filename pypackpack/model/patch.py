"""Releases and patches, as they cross floors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.client.patch_format import Wheel
    from pypackpack.model.build import BuildResult


@dataclass(frozen=True)
class Primary:
    """A released wheel that patches are made against.

    Attributes:
        file: Its file name.
        version: Its version, as the file name has it.
        tag: Its tags, as the file name has them.
        level: How far its code is compiled.
        identity: SHA-256 over its uncompressed members in order (`docs/reference/patch-format.md`).
        sha256: SHA-256 of the file.
        size: Bytes of the file.
    """

    file: str
    version: str
    tag: str
    level: str
    identity: str
    sha256: str
    size: int


@dataclass(frozen=True)
class ReleasedPatch:
    """A patch whose number is taken.

    Attributes:
        file: Its file name.
        number: Its number.
        version: The version of its primary.
        level: How far the code is compiled.
        identity: Identity of the wheel that it leads to.
        sha256: SHA-256 of the file.
    """

    file: str
    number: int
    version: str
    level: str
    identity: str
    sha256: str


@dataclass(frozen=True)
class Releases:
    """What a package's ``releases.toml`` records, in its order."""

    primaries: tuple[Primary, ...] = ()
    patches: tuple[ReleasedPatch, ...] = ()


@dataclass(frozen=True)
class ReleaseResult:
    """What ``release`` did.

    Attributes:
        file: The ``releases.toml``.
        primaries: Wheels that are recorded now and were not before.
        patches: Patches likewise.
        known: File names of those that were recorded already.
        left_out: File names of wheels and patches that are not current, each with the reason.
    """

    file: Path
    primaries: tuple[Primary, ...]
    patches: tuple[ReleasedPatch, ...]
    known: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class PatchFacts:
    """What a patch says of itself.

    Attributes:
        path: The patch.
        size: Its bytes.
        identity: What whoever applies it may ask for (`docs/reference/patch-format.md`): it stands for every byte of it.
        name: The distribution.
        number: Its number, from 1 on for each primary version.
        tag: Tags of both wheels.
        codec: How it is packed.
        primary: What it begins with.
        result: What it leads to.
        same: Number of members that are taken over as they are.
        changed: Number of those that are made of old ones.
        new: Number of those that it carries whole.
    """

    path: Path
    size: int
    identity: str
    name: str
    number: int
    tag: str
    codec: str
    primary: Wheel
    result: Wheel
    same: int
    changed: int
    new: int


@dataclass(frozen=True)
class Applied:
    """What applying a patch, or checking that it could be, gave.

    Attributes:
        patch: What was applied.
        to: The wheel, or the site-packages folder, that it was applied to.
        path: The result: a wheel, or the folder; None where it was only checked.
        already: Whether the newer version was installed there before.
    """

    patch: PatchFacts
    to: Path | None
    path: Path | None
    already: bool = False


@dataclass(frozen=True)
class MadePatch:
    """A patch that a build made.

    Attributes:
        path: Where it stands.
        size: Its bytes.
        sha256: SHA-256 of the file.
        number: Its number, from 1 on for each primary version.
        primary: File name of the wheel it begins with.
        wheel: The wheel it leads to, which stands beside it.
        wheel_size: Bytes of that wheel.
        targets: Target names that it serves.
        cached: Whether it came from the store.
    """

    path: Path
    size: int
    sha256: str
    number: int
    primary: str
    wheel: Path
    wheel_size: int
    targets: tuple[str, ...]
    cached: bool


@dataclass(frozen=True)
class PatchBuild:
    """What a build of patches made.

    Attributes:
        patches: The patches.
        build: The wheels that they lead to.
        left_out: Wheels that no primary has the tags of.
        recordable: Whether ``release`` can record the patches now: their primary's version is recorded.
    """

    patches: tuple[MadePatch, ...]
    build: BuildResult
    left_out: tuple[str, ...] = ()
    recordable: bool = False
