"""The format of ``.whl.patch``, version 2: what its bytes mean, and what they may not say.

``docs/reference/patch-format.md`` describes it byte by byte. Every number that a patch claims is compared with a limit before
anything is made for it. Standard library only; runs inside people's apps.
"""

from __future__ import annotations

import hashlib
import re
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from pypackpack.client.paths import check_together, problem_with, windows_problem_with

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pypackpack.client.patch_image import Image

MAGIC: Final = b"\x89PPP\r\n\x1a\n"
"""As PNG's: a copy that changed line ends, or lost the eighth bit, does not begin like this any more."""
VERSION: Final = 2
HEADER: Final = struct.Struct("<8sHHII32s")
"""Magic, version, flags (0), bytes of the manifest packed and unpacked, SHA-256 of these 20 bytes and the packed manifest."""

MOST_MANIFEST: Final = 16 << 20
MOST_VALUES: Final = 1_000_000
"""Commas and brackets in a manifest: each value takes up to some hundred bytes of memory, however short it is written."""
MOST_MEMBERS: Final = 65_000
"""A result with more would be a ZIP64 archive, which no wheel needs."""
MOST_MEMBER: Final = 2 << 30
MOST_TOTAL: Final = 3 << 30
"""Bytes of a member and of all members together, uncompressed."""
MOST_GROWTH: Final = 16
SMALL: Final = 64 << 20
"""A result may be `MOST_GROWTH` times as large as its primary, and `SMALL` bytes on top."""
MOST_RECORD: Final = 32 << 20
"""A RECORD is held in memory."""
MOST_MADE: Final = 8 << 20
"""Bytes that one segment makes."""
MOST_DICTIONARY: Final = 15 << 20
"""Bytes of old members that a segment's literal stream is unpacked with."""
MOST_CONTROL: Final = 1 << 20
"""Bytes of a control stream, unpacked."""
PADDING: Final = 3 << 16
"""Most bytes of `padding`. These four say what unpacking costs in memory before it begins."""

CODECS: Final = ("lzma", "bz2", "deflate")
STREAMS: Final = ("control", "difference", "literal")

Kind = Literal["run", "copy", "delta", "full"]
_T = TypeVar("_T")
_RECORD: Final = re.compile(r"[^/]+\.dist-info/RECORD")


class PatchError(Exception):
    """A patch cannot be applied; nothing was changed."""

    hint = "Nothing was changed."


class DamagedPatchError(PatchError):
    """The patch is damaged, or says what no patch may say."""

    hint = "Get the patch again; nothing was changed."


class WrongPatchError(PatchError):
    """The patch is another one than was expected."""

    hint = "Get the patch that its publisher names; nothing was changed."


class CutPatchError(DamagedPatchError):
    """The end of the patch's beginning is missing."""


class UnsupportedPatchError(PatchError):
    """The patch is made for a newer reader, or for a Python that has more in it than this one."""

    hint = "Update what applies it; nothing was changed."


class NeedsInstallerError(PatchError):
    """The newer version has something that only an installer makes: other commands, or files outside of the packages' folder."""

    hint = "Apply the patch to the wheel, and install that; nothing was changed."


class WrongPrimaryError(PatchError):
    """The wheel is not the one that the patch was made for, or is damaged."""

    hint = "Give the primary that `pypackpack patch show` names; nothing was changed."


class DamagedPrimaryError(WrongPrimaryError):
    """What should be the primary is no wheel, or is damaged."""


@dataclass(frozen=True)
class Wheel:
    """What a patch says of the wheel it begins with, or of the one it leads to.

    Attributes:
        file: The wheel's file name.
        version: Its version.
        identity: `identity_of` its members, in hexadecimal.
        content: `content_of` its members, in hexadecimal.
        members: Their number.
        size: Their bytes, uncompressed.
    """

    file: str
    version: str
    identity: str
    content: str
    members: int
    size: int


@dataclass(frozen=True)
class Segment:
    """A part of the patch that is unpacked by itself: the next bytes of the members that are made.

    Attributes:
        made: How many.
        dictionary: What its literal stream refers to: pieces of members of the primary (index, first byte, bytes).
        padding: Bytes of `padding` behind them.
        skip: Bytes at the begin of the literal stream that belong to the padding, too.
        packed: Bytes of its three streams in the patch, in the order of `STREAMS`.
        control: Bytes of the control stream, unpacked.
        literal: Bytes of the literal stream, unpacked, without ``skip``; the difference stream has the rest of ``made``.
        sha256: Digest of its bytes in the patch, in hexadecimal.
    """

    made: int
    dictionary: tuple[tuple[int, int, int], ...]
    padding: int
    skip: int
    packed: tuple[int, int, int]
    control: int
    literal: int
    sha256: str

    @property
    def size(self) -> int:
        """Bytes in the patch."""
        return sum(self.packed)

    @property
    def unpacked(self) -> tuple[int, int, int]:
        """Bytes of the streams, unpacked."""
        return self.control, self.made - self.literal, self.literal + self.skip

    @property
    def window(self) -> int:
        """Bytes that unpacking the literal stream looks back."""
        return max(4096, sum(size for _, _, size in self.dictionary) + self.padding + self.literal)


@dataclass(frozen=True)
class Step:
    """How the next members of the result come about.

    Attributes:
        kind: ``run``: ``count`` members of the primary from ``old`` on, as they are; ``copy``: one of them under another path or
            mode; ``delta``: made of one by the control and difference streams; ``full``: from the literal stream.
        old: Index of a member of the primary, in the order of `rank`; -1 for ``full``.
        count: Number of members; 1 unless it is a ``run``.
        path: The path; empty where it is that of ``old``.
        executable: Whether it is a program.
        size: Its bytes (of a RECORD: those of the form without digests); 0 where they are those of ``old``.
        record: Whether it is the RECORD without the digests of members, which whoever applies the patch knows.
        image: Of a ``delta`` of an executable file, where its addresses stand: they are moved before the difference is added.
    """

    kind: Kind
    old: int = -1
    count: int = 1
    path: str = ""
    executable: bool = False
    size: int = 0
    record: bool = False
    image: Image | None = None


@dataclass(frozen=True)
class Manifest:
    """What a patch says before its streams.

    Attributes:
        name: The distribution.
        number: The patch's number, from 1 on for each version of a primary.
        tag: Tags of both wheels.
        primary: What it begins with.
        result: What it leads to.
        codec: How the streams are packed: one of `CODECS`.
        segments: The packed parts, in their order.
        steps: How the members of the result come about, in their order, but for the last one.
        behind: How many members stand behind the one that is made last: it may be a RECORD, wherever it stands.
        digest: That of the header, in hexadecimal, where it was read: it stands for all of the patch.
    """

    name: str
    number: int
    tag: str
    primary: Wheel
    result: Wheel
    codec: str
    segments: tuple[Segment, ...]
    steps: tuple[Step, ...]
    behind: int = 0
    digest: str = field(default="", compare=False)

    @property
    def size(self) -> int:
        """Bytes of all segments in the patch."""
        return sum(each.size for each in self.segments)


def identity_of(members: Iterable[tuple[str, bool, int, bytes]]) -> str:
    """Return the identity of a wheel, in hexadecimal: a SHA-256 over its members in order, whatever compressed them.

    Args:
        members: Path, whether it is a program, bytes, and SHA-256 of the bytes, of each; folders are left out.
    """
    digest = hashlib.sha256(b"pypackpack wheel identity 1\n")
    for path, executable, size, sha256 in members:
        name = path.encode()
        digest.update(struct.pack("<IBQ", len(name), executable, size) + name + sha256)
    return digest.hexdigest()


def is_record(path: str) -> bool:
    """Tell whether a path is that of a wheel's RECORD."""
    return _RECORD.fullmatch(path) is not None


def rank(path: str) -> tuple[bool, bytes]:
    """Return what puts members into the order that their indexes count: by path, a RECORD behind all others."""
    return is_record(path), path.encode()


def in_order(members: Sequence[_T], behind: int) -> list[_T]:
    """Put what was made last where it stands in the result, before so many others."""
    border = len(members) - 1 - behind
    return [*members[:border], *members[-1:], *members[border:-1]]


def content_of(members: Iterable[tuple[str, int, bytes]]) -> str:
    """Return what a wheel and its installation have in common, in hexadecimal: over the sorted members without RECORD.

    Args:
        members: Path, bytes, and SHA-256 of the bytes, of each.
    """
    digest = hashlib.sha256(b"pypackpack wheel content 1\n")
    for path, size, sha256 in sorted(members, key=lambda each: rank(each[0])):
        if not is_record(path):
            name = path.encode()
            digest.update(struct.pack("<IQ", len(name), size) + name + sha256)
    return digest.hexdigest()


def padding(size: int) -> bytes:
    """Return bytes that cannot be packed and that nothing refers to; why they are there stands in the format's page."""
    return hashlib.shake_128(b"pypackpack patch 1").digest(size)


def serves_windows(tag: str) -> bool:
    """Tell whether wheels of such tags are installed on Windows, too."""
    return any(platform == "any" or platform.startswith("win") for platform in tag.rpartition("-")[2].split("."))


def check_paths(paths: Iterable[str], *, windows: bool = False) -> None:
    """Refuse paths that cannot stand beside each other, or that lead out.

    Args:
        paths: All files of an archive.
        windows: Refuse what Windows cannot store, too.

    Raises:
        ValueError: With the path and what is wrong about it.
    """

    def fitting() -> Iterator[str]:
        for path in paths:
            if problem := problem_with(path) or (windows_problem_with(path) if windows else ""):
                msg = f"the path {path[:200]!r} {problem}"
                raise ValueError(msg)
            yield path

    check_together(fitting())
