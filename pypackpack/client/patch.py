"""Applies patches: ``.whl.patch`` files that turn one wheel, the primary, into a newer one.

Standard library only, in bounded memory; runs inside people's apps::

    from pypackpack.client.patch import apply_patch

    apply_patch(Path("demo-1.4.0-p3-py3-none-any.whl.patch"), Path("demo-1.4.0-py3-none-any.whl"), Path("new"))

Format: ``docs/reference/patch-format.md``.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from pypackpack.client.patch_format import (
    LZMA_DICTIONARY,
    MOST_RECORD,
    STREAMS,
    DamagedPatchError,
    Manifest,
    PatchError,
    UnsupportedPatchError,
    WrongPrimaryError,
    check_paths,
    read_manifest,
    serves_windows,
)
from pypackpack.client.patch_wheel import CHUNK, Member, WheelReader, WheelWriter, bare_record, identity, whole_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO, Protocol

    from pypackpack.client.patch_format import Step, Stream

    class _Unpacking(Protocol):
        @property
        def eof(self) -> bool: ...

        @property
        def needs_input(self) -> bool: ...

        @property
        def unused_data(self) -> bytes: ...

        def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


__all__ = [
    "DamagedPatchError",
    "PatchError",
    "UnsupportedPatchError",
    "WrongPrimaryError",
    "apply_patch",
    "check_patch",
    "read_patch",
]

_HELD: Final = 8 << 20
"""Bytes of an old member that stay in memory; a larger one goes through a temporary file."""
_SEVENS: Final = int.from_bytes(b"\x7f" * CHUNK, "little")
_TOPS: Final = int.from_bytes(b"\x80" * CHUNK, "little")


def read_patch(patch: Path) -> Manifest:
    """Return what a patch says of itself, with every byte of it checked against its digests.

    Raises:
        PatchError: It is damaged, or not for this reader.
        OSError: It cannot be read.
    """
    with patch.open("rb") as stream:
        manifest, start = read_manifest(stream)
        _check_streams(stream, manifest, start)
    return manifest


def check_patch(patch: Path, primary: Path) -> Manifest:
    """Apply a patch to a wheel, check the result, and keep nothing of it. Errors are those of `apply_patch`."""
    with tempfile.TemporaryDirectory(prefix="pypackpack-") as folder:
        return _apply(patch, primary, Path(folder), place=False)[0]


def apply_patch(patch: Path, primary: Path, folder: Path) -> Path:
    """Apply a patch to a wheel.

    The result stands in the folder once all of it has been made and read again, and its identity is the one that the patch names;
    before that, nothing is changed. The primary is only read.

    Args:
        patch: The patch.
        primary: The wheel that it was made for.
        folder: Where the result goes, under the name that the patch gives it; made if need be.

    Returns:
        The path of the result.

    Raises:
        WrongPrimaryError: The wheel is another one, or damaged.
        DamagedPatchError: The patch is damaged, or does what no patch may do.
        UnsupportedPatchError: It takes a newer reader, or a Python with a module that this one lacks.
        OSError: A file cannot be read or written; nothing was changed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return _apply(patch, primary, folder, place=True)[1]


def _apply(patch: Path, primary: Path, folder: Path, *, place: bool) -> tuple[Manifest, Path]:
    with patch.open("rb") as stream, primary.open("rb") as old:
        manifest, start = read_manifest(stream)
        result = folder / manifest.result.file
        if place and result.exists() and result.samefile(primary):
            msg = f"the result would stand in the place of the primary, {primary}"
            raise WrongPrimaryError(msg)
        _check_streams(stream, manifest, start)
        reader = WheelReader(old, manifest.primary.members)
        if (len(reader.paths), sum(reader.sizes)) != (manifest.primary.members, manifest.primary.size):
            raise _other(manifest)
        members = reader.members()
        if identity(members) != manifest.primary.identity:
            raise _other(manifest)
        _check_result(manifest, members)
        aside = folder / f".{hashlib.sha256(result.name.encode()).hexdigest()[:16]}.{os.urandom(6).hex()}.part"
        try:
            with aside.open("x+b") as new:
                _Application(manifest, reader, members, _streams(patch, manifest, start)).write(WheelWriter(new))
                new.flush()
                if place:
                    os.fsync(new.fileno())
                _check_written(new, manifest)
            if place:
                os.replace(aside, result)  # noqa: PTH105 - on Windows it replaces, as on other systems
        finally:
            with contextlib.suppress(OSError):
                aside.unlink(missing_ok=True)
    return manifest, result


def _other(manifest: Manifest) -> WrongPrimaryError:
    return WrongPrimaryError(f"the wheel is not the primary of this patch, which is {manifest.primary.file}, or is damaged")


def _check_streams(stream: BinaryIO, manifest: Manifest, start: int) -> None:
    """Compare the packed streams with their digests, before anything unpacks them."""
    stream.seek(start)
    for name, each in zip(STREAMS, manifest.streams, strict=True):
        digest, left = hashlib.sha256(), each.packed
        while left and (chunk := stream.read(min(CHUNK, left))):
            digest.update(chunk)
            left -= len(chunk)
        if left or digest.hexdigest() != each.sha256:
            msg = f"the {name} stream of the patch is damaged"
            raise DamagedPatchError(msg)


def _check_result(manifest: Manifest, members: tuple[Member, ...]) -> None:
    """Look at the result's paths and sizes before anything of it is made."""
    paths: list[str] = []
    size = 0
    for step in manifest.steps:
        if step.kind in ("run", "copy"):
            olds = members[step.old : step.old + step.count]
            size += sum(each.size for each in olds)
            paths += [step.path or each.path for each in olds]
        else:
            size += step.size if not step.record else 0
            paths.append(step.path or members[step.old].path)
    record = any(step.record for step in manifest.steps)
    if size > manifest.result.size or (size != manifest.result.size and not record):
        raise DamagedPatchError("the members that the patch makes have another size than it says")
    try:
        check_paths(paths, windows=serves_windows(manifest.tag))
    except ValueError as error:
        msg = f"the result of the patch is wrong: {error}"
        raise DamagedPatchError(msg) from error


def _check_written(new: BinaryIO, manifest: Manifest) -> None:
    """Read what was written once more: this is what will stand there."""
    try:
        found = WheelReader(new, manifest.result.members).members()
    except WrongPrimaryError as error:
        msg = f"the result cannot be read: {error}"
        raise DamagedPatchError(msg) from error
    if identity(found) != manifest.result.identity:
        raise DamagedPatchError("the result is not what the patch says that it is")


class _Source:
    """One stream of a patch, unpacked as far as it is needed."""

    def __init__(self, patch: Path, offset: int, stream: Stream, unpacking: _Unpacking) -> None:
        self._file = patch.open("rb")
        self._file.seek(offset)
        self._left, self._size, self._empty = stream.packed, stream.size, not stream.packed
        self._unpacking = unpacking
        self._held = b""

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def take(self, count: int) -> bytes:
        """Return so many bytes; no more than a piece."""
        while len(self._held) < count:
            self._held += self._more(CHUNK)
        data, self._held = self._held[:count], self._held[count:]
        return data

    def _more(self, most: int) -> bytes:
        data = b""
        while not data:
            packed = b""
            if self._unpacking.needs_input:
                packed = self._file.read(min(CHUNK, self._left))
                self._left -= len(packed)
            if self._unpacking.eof or (self._unpacking.needs_input and not packed):
                raise DamagedPatchError("a stream of the patch ends too early")
            try:
                data = self._unpacking.decompress(packed, most)
            except Exception as error:  # each codec has errors of its own: LZMAError, OSError, zlib.error, EOFError
                msg = f"a stream of the patch cannot be unpacked ({error})"
                raise DamagedPatchError(msg) from error
        self._size -= len(data)
        if self._size < 0:
            raise DamagedPatchError("a stream of the patch is longer than it says")
        return data

    def number(self) -> int:
        """Return a number: seven bits a byte, the lowest first, the eighth bit where more follow."""
        value = shift = 0
        while True:
            (byte,) = self.take(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 35:
                raise DamagedPatchError("a number in the control stream is too large")

    def finish(self) -> None:
        """See that nothing is left over."""
        over = bool(self._held or self._size)
        try:
            while not over and (self._left or not self._unpacking.eof) and not self._empty:  # the codec's own end
                packed = self._file.read(min(CHUNK, self._left))
                self._left -= len(packed)
                over = bool(self._unpacking.decompress(packed, 1)) or not (packed or self._unpacking.eof)
            over = over or bool(self._unpacking.unused_data)
        except Exception as error:  # as above
            raise DamagedPatchError("a stream of the patch has a damaged end") from error
        if over:
            raise DamagedPatchError("a stream of the patch has bytes that nothing needs, or no end")


class _Inflating:
    """zlib's decompressor, with the manners of lzma's and bz2's."""

    def __init__(self) -> None:
        import zlib  # noqa: PLC0415 - only where a patch is packed so

        self._inflating = zlib.decompressobj(-zlib.MAX_WBITS)

    @property
    def eof(self) -> bool:
        return self._inflating.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflating.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._inflating.unconsumed_tail

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        return self._inflating.decompress(self._inflating.unconsumed_tail + data, max_length)


def _unpacking(codec: str) -> Callable[[], _Unpacking]:
    try:
        if codec == "lzma":
            import lzma  # noqa: PLC0415 - not every Python has it

            filters = [{"id": lzma.FILTER_LZMA2, "dict_size": LZMA_DICTIONARY}]
            return lambda: lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
        if codec == "bz2":
            import bz2  # noqa: PLC0415 - as above

            return bz2.BZ2Decompressor
    except ImportError as error:
        msg = f"the patch is packed with {codec}, and this Python has no module for that"
        raise UnsupportedPatchError(msg) from error
    return _Inflating


def _streams(patch: Path, manifest: Manifest, start: int) -> tuple[_Source, _Source, _Source]:
    make = _unpacking(manifest.codec)
    sources = []
    for stream in manifest.streams:
        sources.append(_Source(patch, start, stream, make()))
        start += stream.packed
    return cast("tuple[_Source, _Source, _Source]", tuple(sources))


class _Application:
    """One patch being applied to one wheel."""

    def __init__(
        self, manifest: Manifest, old: WheelReader, members: tuple[Member, ...], streams: tuple[_Source, _Source, _Source]
    ) -> None:
        self._manifest = manifest
        self._old = old
        self._members = members
        self._control, self._difference, self._literal = self._streams = streams
        self._made: dict[str, tuple[bytes, int]] = {}

    def write(self, writer: WheelWriter) -> None:
        """Write the members of the result, and close the streams."""
        with contextlib.ExitStack() as stack:
            for stream in self._streams:
                stack.callback(stream.close)
            for step in self._manifest.steps:
                for member in self._step(step, writer):
                    self._made[member.path] = (member.sha256, member.size)
            for stream in self._streams:
                stream.finish()
            writer.finish()

    def _step(self, step: Step, writer: WheelWriter) -> Iterator[Member]:
        if step.kind in ("run", "copy"):
            for index in range(step.old, step.old + step.count):
                old = self._members[index]
                program = step.executable if step.kind == "copy" else old.executable
                member = Member(step.path or old.path, program, old.size, old.crc32, old.sha256)
                writer.take(member, self._old.packed(index))
                yield member
            return
        chunks = self._full(step) if step.kind == "full" else self._delta(step)
        if step.record:
            chunks = self._whole(chunks)
        path = step.path or self._members[step.old].path
        made = writer.write(path, chunks, executable=step.executable)
        if made.crc32 != step.crc32:
            msg = f"{path!r} would not be what the patch says; the patch contradicts itself"
            raise DamagedPatchError(msg)
        yield made

    def _whole(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        try:
            yield whole_record(b"".join(chunks), self._made)
        except ValueError as error:
            msg = f"the patch is wrong: {error}"
            raise DamagedPatchError(msg) from error

    def _full(self, step: Step) -> Iterator[bytes]:
        for count in _pieces(step.size):
            yield self._literal.take(count)

    def _delta(self, step: Step) -> Iterator[bytes]:
        with tempfile.SpooledTemporaryFile(max_size=_HELD) as old:
            length = 0
            for chunk in self._old_chunks(step):
                old.write(chunk)
                length += len(chunk)
            at = made = 0
            while made < step.size:
                same, fresh, jump = self._control.number(), self._control.number(), self._control.number()
                made += same + fresh
                if made > step.size or at + same > length:
                    raise DamagedPatchError("the control stream of the patch leads out of a file")
                old.seek(at)
                for count in _pieces(same):
                    yield _sum(old.read(count), self._difference.take(count))
                for count in _pieces(fresh):
                    yield self._literal.take(count)
                at += same + (jump >> 1 ^ -(jump & 1))
                if not 0 <= at <= length:
                    raise DamagedPatchError("the control stream of the patch leads out of a file")

    def _old_chunks(self, step: Step) -> Iterator[bytes]:
        if not step.record:
            yield from self._old.chunks(step.old)
            return
        if self._members[step.old].size > MOST_RECORD:
            raise DamagedPatchError("the RECORD of the primary is too large for a patch")
        known = {each.path: (each.sha256, each.size) for each in self._members}
        data = b"".join(self._old.chunks(step.old))
        yield bare_record(data, known) or data


def _pieces(count: int) -> Iterator[int]:
    while count > 0:
        yield min(count, CHUNK)
        count -= CHUNK


def _sum(old: bytes, difference: bytes) -> bytes:
    """Add bytes to bytes, each modulo 256: all at once, as two large numbers whose carries are kept inside their bytes."""
    size = len(difference)
    if difference.count(0) == size:
        return old
    shift = 8 * (CHUNK - size)
    sevens, tops = _SEVENS >> shift, _TOPS >> shift
    a, b = int.from_bytes(old, "little"), int.from_bytes(difference, "little")
    return (((a & sevens) + (b & sevens)) ^ ((a ^ b) & tops)).to_bytes(size, "little")
