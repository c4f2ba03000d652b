"""How the members of a patch's result come about, wherever they go. Standard library only; runs inside people's apps."""

from __future__ import annotations

import io
import tempfile
from typing import TYPE_CHECKING, Final, Protocol

from pypackpack.client.patch_format import MOST_RECORD, DamagedPatchError, Manifest, check_paths, serves_windows
from pypackpack.client.patch_image import Moves, moved_pieces
from pypackpack.client.patch_streams import CHUNK, Segments
from pypackpack.client.patch_wheel import Member, bare_record, whole_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import IO, BinaryIO

    from pypackpack.client.patch_format import Step

HELD: Final = 2 << 20
"""Bytes of an old member that stay in memory; a larger one goes through a temporary file."""
_NONE: Final = bytes(CHUNK)
_SEVENS: Final = int.from_bytes(b"\x7f" * CHUNK, "little")
_TOPS: Final = int.from_bytes(b"\x80" * CHUNK, "little")


class Olds(Protocol):
    """The members of a primary, in the order of `rank`."""

    @property
    def members(self) -> Sequence[Member]:
        """What they are."""
        ...

    def chunks(self, index: int) -> Iterator[bytes]:
        """Yield the bytes of one, a piece at a time."""
        ...

    def open(self, index: int) -> IO[bytes]:
        """Return one as a file that can be sought in."""
        ...


class Sink(Protocol):
    """Where the members of a result go, in their order."""

    def take(self, member: Member, old: int) -> None:
        """Take a member over as it is."""
        ...

    def write(self, path: str, chunks: Iterator[bytes], *, executable: bool) -> Member:
        """Write a member, and return what it is."""
        ...


class Tally:
    """A sink that keeps nothing."""

    def take(self, member: Member, old: int) -> None:
        """Take a member over as it is."""

    def write(self, path: str, chunks: Iterator[bytes], *, executable: bool) -> Member:
        """Count a member."""
        return Member.of(path, chunks, executable=executable)


def check_result(manifest: Manifest, members: Sequence[Member], *, exact: bool = True) -> list[str]:
    """Look at the result's paths and sizes before anything of it is made; return the paths.

    Args:
        manifest: The patch.
        members: Those of the primary.
        exact: Whether all of them have their sizes: an installed RECORD is another one than the wheel's.

    Raises:
        DamagedPatchError: There may be no such result.
    """
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
    if size > manifest.result.size or (exact and size != manifest.result.size and not record):
        raise DamagedPatchError("the members that the patch makes have another size than it says")
    try:
        check_paths(paths, windows=serves_windows(manifest.tag))
    except ValueError as error:
        msg = f"the result of the patch is wrong: {error}"
        raise DamagedPatchError(msg) from error
    return paths


def resumption(manifest: Manifest, done: int) -> tuple[int, int, int]:
    """Return where making members can begin again, when some of them are there: step, number of its first member, segment.

    Args:
        manifest: The patch.
        done: The number of members that are there.
    """
    starts = {0: 0}
    end = 0
    for number, segment in enumerate(manifest.segments):
        end += segment.made
        starts[end] = number + 1
    best = (0, 0, 0)
    made = count = 0
    for index, step in enumerate(manifest.steps):
        if count > done:
            break
        if made in starts:
            best = (index, count, starts[made])
        made += step.size
        count += step.count
    return best


class Making:
    """A patch's steps being done.

    Args:
        manifest: The patch.
        patch: The open patch.
        start: Where its segments begin.
        olds: The primary.
    """

    def __init__(self, manifest: Manifest, patch: BinaryIO, start: int, olds: Olds) -> None:
        self._manifest = manifest
        self._olds = olds
        self._patch, self._start = patch, start
        self._held: tuple[int, IO[bytes]] | None = None

    def run(
        self, sink: Sink, before: Sequence[Member] = (), step: int = 0, segment: int = 0, last: int | None = None
    ) -> list[Member]:
        """Make the members, and return them.

        Args:
            sink: Where they go.
            before: Those that are there already.
            step: The step to begin with.
            segment: The segment that it begins with (`resumption`).
            last: The step to end before; -1 leaves out the last one.

        Raises:
            DamagedPatchError: The patch contradicts itself.
            WrongPrimaryError: The primary cannot be read any more.
            OSError: Something cannot be read or written.
        """
        members = list(before)
        segments = Segments(self._patch, self._start, self._manifest, self._piece, segment)
        try:
            for each in self._manifest.steps[step:last]:
                self._step(each, segments, sink, members)
            if last is None:
                segments.finish()
        finally:
            self._forget()
        return members

    def _step(self, step: Step, segments: Segments, sink: Sink, members: list[Member]) -> None:
        olds = self._olds.members
        if step.kind in ("run", "copy"):
            for index in range(step.old, step.old + step.count):
                old = olds[index]
                program = step.executable if step.kind == "copy" else old.executable
                member = Member(step.path or old.path, program, old.size, old.crc32, old.sha256)
                sink.take(member, index)
                members.append(member)
            return
        chunks = self._full(step, segments) if step.kind == "full" else self._delta(step, segments)
        if step.record:
            chunks = _whole(chunks, members)
        members.append(sink.write(step.path or olds[step.old].path, chunks, executable=step.executable))

    @staticmethod
    def _full(step: Step, segments: Segments) -> Iterator[bytes]:
        left = step.size
        while left:
            count = min(CHUNK, left, segments.ready())
            yield segments.literal(count)
            left -= count

    def _delta(self, step: Step, segments: Segments) -> Iterator[bytes]:
        old = self._old_record(step.old) if step.record else self._old(step.old)
        length = old.seek(0, 2)
        at, left = 0, step.size
        moves = self._moves(step, segments, length) if step.image and left else None
        while left:
            segments.ready()
            same, fresh, jump = segments.triple()
            left -= same + fresh
            if left < 0 or at + same > length:
                raise DamagedPatchError("the control stream of the patch leads out of a file")
            old.seek(at)
            move = step.size - left - same - fresh - at
            for count in _pieces(same):
                data = old.read(count)
                if moves is not None:
                    data = moves.applied(data, old.tell() - len(data), move)
                yield _sum(data, segments.difference(count))
            for count in _pieces(fresh):
                yield segments.literal(count)
            at += same + _signed(jump)
            if not 0 <= at <= length:
                raise DamagedPatchError("the control stream of the patch leads out of a file")

    @staticmethod
    def _moves(step: Step, segments: Segments, length: int) -> Moves:
        """Return where a delta moves the addresses of its old file."""
        if step.image is None or not step.image.lies_in(length):
            raise DamagedPatchError("the patch names addresses that do not lie in their file")
        segments.ready()
        triples = ((same, fresh, _signed(jump)) for same, fresh, jump in segments.ahead(step.size))
        try:
            return Moves(step.image, moved_pieces(triples))
        except ValueError as error:
            msg = f"the patch is wrong: {error}"
            raise DamagedPatchError(msg) from error

    def _piece(self, index: int, first: int, size: int) -> Iterator[bytes]:
        """Yield a piece of an old member, for the dictionary of a segment."""
        olds = self._olds.members
        if first + size > olds[index].size:
            raise DamagedPatchError("a segment of the patch refers to what is behind the end of a file")
        if self._held is not None and self._held[0] == index:  # a delta is in the middle of it
            yield from _read(self._held[1], first, size)
        else:
            with self._olds.open(index) as old:
                yield from _read(old, first, size)

    def _old(self, index: int) -> IO[bytes]:
        """Return an old member as a file: of those for deltas, the last one stays open."""
        if self._held is None or self._held[0] != index:
            self._forget()
            self._held = (index, self._olds.open(index))
        return self._held[1]

    def _old_record(self, index: int) -> IO[bytes]:
        if self._olds.members[index].size > MOST_RECORD:
            raise DamagedPatchError("the RECORD of the primary is too large for a patch")
        known = {each.path: (each.sha256, each.size) for each in self._olds.members}
        data = b"".join(self._olds.chunks(index))
        return io.BytesIO(bare_record(data, known) or data)

    def _forget(self) -> None:
        if self._held is not None:
            self._held[1].close()
            self._held = None


def _signed(number: int) -> int:
    """Undo zigzag coding."""
    return number >> 1 ^ -(number & 1)


def spooled(chunks: Iterator[bytes]) -> IO[bytes]:
    """Return bytes as a file: a small one in memory, a large one on the disk, without a name."""
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=HELD)  # noqa: SIM115 - who asks closes it
    for chunk in chunks:
        file.write(chunk)
    return file


def _whole(chunks: Iterator[bytes], members: Sequence[Member]) -> Iterator[bytes]:
    known = {each.path: (each.sha256, each.size) for each in members}
    try:
        yield whole_record(b"".join(chunks), known)
    except ValueError as error:
        msg = f"the patch is wrong: {error}"
        raise DamagedPatchError(msg) from error


def _read(file: IO[bytes], first: int, size: int) -> Iterator[bytes]:
    file.seek(first)
    for count in _pieces(size):
        yield file.read(count)


def _pieces(count: int) -> Iterator[int]:
    while count > 0:
        yield min(count, CHUNK)
        count -= CHUNK


def _sum(old: bytes, difference: bytes) -> bytes:
    """Add bytes to bytes, each modulo 256: all at once, as two large numbers whose carries are kept inside their bytes."""
    size = len(difference)
    if len(old) != size:
        raise DamagedPatchError("the control stream of the patch leads out of a file")
    if difference == (_NONE if size == CHUNK else bytes(size)):
        return old
    shift = 8 * (CHUNK - size)
    sevens, tops = _SEVENS >> shift, _TOPS >> shift
    a, b = int.from_bytes(old, "little"), int.from_bytes(difference, "little")
    return (((a & sevens) + (b & sevens)) ^ ((a ^ b) & tops)).to_bytes(size, "little")
