"""Applies patches: ``.whl.patch`` files that turn one wheel, the primary, into a newer one.

Standard library only, in bounded memory; runs inside people's apps::

    from pypackpack.client.patch import apply_patch

    apply_patch(Path("demo-1.4.0-p3-py3-none-any.whl.patch"), Path("demo-1.4.0-py3-none-any.whl"), Path("new"))

All of them take ``identity``, which an app got from where it trusts: then no patch but that one is applied.
An installed package: `pypackpack.client.patch_installed`. Format: ``docs/reference/patch-format.md``.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.client.patch_format import (
    CutPatchError,
    DamagedPatchError,
    DamagedPrimaryError,
    Manifest,
    PatchError,
    UnsupportedPatchError,
    WrongPatchError,
    WrongPrimaryError,
    in_order,
    rank,
)
from pypackpack.client.patch_lock import BusyPatchError, locked
from pypackpack.client.patch_manifest import read_manifest
from pypackpack.client.patch_members import Making, Tally, check_result, resumption, spooled
from pypackpack.client.patch_streams import check_segment, whole_until
from pypackpack.client.patch_wheel import Member, WheelReader, WheelWriter
from pypackpack.client.patch_wheel import identity as identity_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import IO, BinaryIO

__all__ = [
    "BusyPatchError",
    "DamagedPatchError",
    "DamagedPrimaryError",
    "PatchError",
    "UnsupportedPatchError",
    "WrongPatchError",
    "WrongPrimaryError",
    "apply_patch",
    "check_patch",
    "read_patch",
    "received",
]


def read_patch(patch: str | os.PathLike[str], *, identity: str | None = None) -> Manifest:
    """Return what a patch says of itself, with every byte of it checked against its digests.

    Args:
        patch: The patch.
        identity: As with `apply_patch`.

    Raises:
        PatchError: It is damaged, or not for this reader.
        OSError: It cannot be read.
    """
    with Path(patch).open("rb") as stream:
        manifest, start = read_manifest(stream, identity=identity)
        check_segments(stream, manifest, start)
    return manifest


def received(patch: str | os.PathLike[str], *, identity: str | None = None) -> tuple[int, int]:
    """Return how many bytes of a patch are there and right, and how many it has: where to go on with a download that was cut.

    What stands behind the first number is to be thrown away. Before the manifest is whole, both are 0.

    Args:
        patch: What came of it.
        identity: As with `apply_patch`.

    Raises:
        DamagedPatchError: The beginning is that of no patch, or is damaged.
        UnsupportedPatchError: It is for a newer reader.
        WrongPatchError: It has another identity.
        OSError: It cannot be read.
    """
    with Path(patch).open("rb") as stream:
        try:
            manifest, start = read_manifest(stream, whole=False, identity=identity)
        except CutPatchError:
            return 0, 0
        return whole_until(stream, start, manifest), start + manifest.size


def check_patch(
    patch: str | os.PathLike[str], primary: str | os.PathLike[str], *, identity: str | None = None
) -> Manifest:
    """Apply a patch to a wheel, check the result, and keep nothing of it. Errors are those of `apply_patch`."""
    with Path(patch).open("rb") as stream, Path(primary).open("rb") as old:
        manifest, start = read_manifest(stream, identity=identity)
        check_segments(stream, manifest, start)
        olds = _Olds(old, manifest)
        check_result(manifest, olds.members)
        made = Making(manifest, stream, start, olds).run(Tally())
        check_identity(manifest, in_order(made, manifest.behind))
    return manifest


def apply_patch(
    patch: str | os.PathLike[str],
    primary: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    identity: str | None = None,
) -> Path:
    """Apply a patch to a wheel.

    The result stands in the folder once all of it has been made and read again, and its identity is the one that the patch names;
    before that, nothing is changed. The primary is only read. What a killed call left in the folder is gone on with if it was of
    the same patch, else removed.

    Args:
        patch: The patch.
        primary: The wheel that it was made for.
        folder: Where the result goes, under the name that the patch gives it; made if need be.
        identity: The identity that the patch has to have, in hexadecimal, as `pypackpack patch show` names it; None for any.

    Returns:
        The path of the result.

    Raises:
        WrongPatchError: The patch has another identity.
        WrongPrimaryError: The wheel is another one, or damaged (`DamagedPrimaryError`).
        DamagedPatchError: The patch is damaged, or does what no patch may do.
        UnsupportedPatchError: It takes a newer reader, or a Python with a module that this one lacks.
        BusyPatchError: Another process makes the same result, for very long.
        OSError: A file cannot be read or written; nothing was changed.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with Path(patch).open("rb") as stream, Path(primary).open("rb") as old:
        manifest, start = read_manifest(stream, identity=identity)
        result = folder / manifest.result.file
        if result.exists() and result.samefile(primary):
            msg = f"the result would stand in the place of the primary, {primary}"
            raise WrongPrimaryError(msg)
        check_segments(stream, manifest, start)
        olds = _Olds(old, manifest)
        paths = check_result(manifest, olds.members)
        mine = f".{hashlib.sha256(result.name.encode()).hexdigest()[:16]}."
        with locked(folder / f"{mine}lock"):
            aside = folder / f"{mine}{manifest.digest[:16]}.part"
            for name in os.listdir(folder):  # noqa: PTH208 - names are all that is wanted
                if name.startswith(mine) and name.endswith(".part") and name != aside.name:
                    (folder / name).unlink()
            try:
                _write(aside, Making(manifest, stream, start, olds), manifest, olds, paths)
                os.replace(aside, result)  # noqa: PTH105 - on Windows it replaces, as on other systems
            finally:
                with contextlib.suppress(OSError):
                    aside.unlink(missing_ok=True)
    return result


def _write(aside: Path, making: Making, manifest: Manifest, olds: _Olds, paths: Sequence[str]) -> None:
    """Write the result, and read it once more."""
    with open(aside, "r+b", opener=_private) as new:
        writer = WheelWriter(new)
        there = writer.resume(_expected(manifest, olds, paths))
        step, count, segment = resumption(manifest, len(there))
        writer.cut(count)
        made = making.run(_Writing(writer, olds), there[:count], step, segment)
        if count and identity_of(in_order(made, manifest.behind)) != manifest.result.identity:
            # What was there was not what it should have been.
            writer.cut(0)
            making.run(_Writing(writer, olds))
        writer.finish(manifest.behind)
        new.flush()
        os.fsync(new.fileno())
        try:
            found = WheelReader(new, manifest.result.members).members()
        except WrongPrimaryError as error:
            msg = f"the result cannot be read: {error}"
            raise DamagedPatchError(msg) from error
        check_identity(manifest, found)


def _private(path: str, flags: int) -> int:
    """Open what a killed call left, or make it; never through a link that somebody put there."""
    return os.open(path, flags | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)


def _expected(manifest: Manifest, olds: _Olds, paths: Sequence[str]) -> list[tuple[str, bool]]:
    """Return paths of the result, and whether each is a program."""
    programs: list[bool] = []
    for step in manifest.steps:
        if step.kind == "run":
            programs += [each.executable for each in olds.members[step.old : step.old + step.count]]
        else:
            programs.append(step.executable)
    return list(zip(paths, programs, strict=True))


def check_segments(stream: BinaryIO, manifest: Manifest, start: int) -> None:
    """Compare everything packed with its digests, before anything unpacks it.

    Raises:
        DamagedPatchError: Something is damaged.
    """
    for each in manifest.segments:
        check_segment(stream, start, each)
        start += each.size


def check_identity(manifest: Manifest, members: Sequence[Member]) -> None:
    """See that the members of a result are those that the patch names.

    Raises:
        DamagedPatchError: They are not.
    """
    if identity_of(members) != manifest.result.identity:
        raise DamagedPatchError("the result is not what the patch says that it is")


class _Olds:
    """The members of the primary, a wheel file."""

    def __init__(self, stream: BinaryIO, manifest: Manifest) -> None:
        self._reader = WheelReader(stream, manifest.primary.members)
        facts = (len(self._reader.paths), sum(self._reader.sizes))
        if facts != (manifest.primary.members, manifest.primary.size):
            raise _other(manifest)
        members = self._reader.members()
        if identity_of(members) != manifest.primary.identity:
            raise _other(manifest)
        self._order = sorted(range(len(members)), key=lambda index: rank(members[index].path))
        self.members: Sequence[Member] = [members[index] for index in self._order]

    def chunks(self, index: int) -> Iterator[bytes]:
        """Yield the bytes of a member."""
        return self._reader.chunks(self._order[index])

    def open(self, index: int) -> IO[bytes]:
        """Return a member as a file."""
        return spooled(self.chunks(index))

    def packed(self, index: int) -> tuple[int, int, Iterator[bytes]]:
        """Return how a member is packed (`WheelReader.packed`)."""
        return self._reader.packed(self._order[index])


class _Writing:
    """Puts the members of a result into a wheel file."""

    def __init__(self, writer: WheelWriter, olds: _Olds) -> None:
        self._writer = writer
        self._olds = olds

    def take(self, member: Member, old: int) -> None:
        """Take a member over as it is packed."""
        self._writer.take(member, self._olds.packed(old))

    def write(self, path: str, chunks: Iterator[bytes], *, executable: bool) -> Member:
        """Pack a member."""
        return self._writer.write(path, chunks, executable=executable)


def _other(manifest: Manifest) -> WrongPrimaryError:
    return WrongPrimaryError(f"the wheel is not the primary of this patch, which is {manifest.primary.file}, or is damaged")
