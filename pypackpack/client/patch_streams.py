"""The packed parts of a patch, unpacked a piece at a time. Standard library only; runs inside people's apps."""

from __future__ import annotations

import contextlib
import hashlib
from array import array
from typing import TYPE_CHECKING, Final, Protocol

from pypackpack.client.patch_format import STREAMS, DamagedPatchError, Manifest, UnsupportedPatchError, padding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import BinaryIO

    from pypackpack.client.patch_format import Segment

CHUNK: Final = 1 << 16
_MOST_LZMA: Final = 1 << 16
"""Bytes of an uncompressed chunk of LZMA2."""


class _Unpacking(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


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


def _unpacking(codec: str) -> Callable[[int], _Unpacking]:
    """Return what makes a decompressor that looks back so many bytes."""
    try:
        if codec == "lzma":
            import lzma  # noqa: PLC0415 - not every Python has it

            def raw(window: int) -> _Unpacking:
                filters = [{"id": lzma.FILTER_LZMA2, "dict_size": max(4096, window)}]
                return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)

            return raw
        if codec == "bz2":
            import bz2  # noqa: PLC0415 - as above

            return lambda _: bz2.BZ2Decompressor()
    except ImportError as error:
        msg = f"the patch is packed with {codec}, and this Python has no module for that"
        raise UnsupportedPatchError(msg) from error
    return lambda _: _Inflating()


def uncompressed_chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what puts bytes into the window of an LZMA2 decoder: stored chunks, the first of which empties the window."""
    control = b"\1"
    for piece in pieces:
        for start in range(0, len(piece), _MOST_LZMA):
            part = piece[start : start + _MOST_LZMA]
            yield control + (len(part) - 1).to_bytes(2, "big") + part
            control = b"\2"


def _primed(unpacking: _Unpacking, pieces: Iterable[bytes]) -> _Unpacking:
    """Make a decoder of LZMA2 believe that it has made these bytes: what comes next refers to them."""
    for chunk in uncompressed_chunks(pieces):
        made = len(unpacking.decompress(chunk))
        while made < len(chunk) - 3:
            made += len(unpacking.decompress(b""))
    return unpacking


class Source:
    """One stream of a segment, unpacked as far as it is needed."""

    def __init__(self, file: BinaryIO, offset: int, packed: int, size: int, unpacking: _Unpacking) -> None:
        self._file, self._offset = file, offset
        self._left, self._size, self._empty = packed, size, not packed
        self._unpacking = unpacking
        self._held = b""

    def take(self, count: int) -> bytes:
        """Return so many bytes; no more than a piece.

        Raises:
            DamagedPatchError: There are not so many.
        """
        if len(self._held) < count:
            parts = [self._held]
            have = len(self._held)
            while have < count:
                parts.append(self._more(CHUNK))
                have += len(parts[-1])
            self._held = b"".join(parts)
        data, self._held = self._held[:count], self._held[count:]
        return data

    def skip(self, count: int) -> None:
        """Leave bytes out."""
        while count > 0:
            count -= len(self.take(min(count, CHUNK)))

    def rest(self) -> bytes:
        """Return everything."""
        parts = [self._held]
        self._held = b""
        while self._size:
            parts.append(self._more(CHUNK))
        return b"".join(parts)

    def _read(self) -> bytes:
        self._file.seek(self._offset)
        packed = self._file.read(min(CHUNK, self._left))
        self._left -= len(packed)
        self._offset += len(packed)
        return packed

    def _more(self, most: int) -> bytes:
        data = b""
        while not data:
            packed = self._read() if self._unpacking.needs_input else b""
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

    def finish(self) -> None:
        """See that nothing is left over.

        Raises:
            DamagedPatchError: Something is.
        """
        over = bool(self._held or self._size)
        try:
            while not over and (self._left or not self._unpacking.eof) and not self._empty:  # the codec's own end
                packed = self._read()
                over = bool(self._unpacking.decompress(packed, 1)) or not (packed or self._unpacking.eof)
            over = over or bool(self._unpacking.unused_data)
        except Exception as error:  # as above
            raise DamagedPatchError("a stream of the patch has a damaged end") from error
        if over:
            raise DamagedPatchError("a stream of the patch has bytes that nothing needs, or no end")


class _Open:
    """The segment that is being unpacked."""

    def __init__(self, segment: Segment, sources: tuple[Source, Source, Source]) -> None:
        control, self.difference, self.literal = sources
        self._numbers, self._triples = _numbers(control.rest())
        self._at = 0
        self._sources = sources
        self.left = segment.made

    def triple(self) -> tuple[int, int, int]:
        """Return the next row of the three columns of the control stream."""
        at, self._at = self._at, self._at + 1
        if at >= self._triples:
            raise DamagedPatchError("the control stream of the patch ends too early")
        return self._numbers[at], self._numbers[self._triples + at], self._numbers[2 * self._triples + at]

    def coming(self) -> Iterator[tuple[int, int, int]]:
        """Yield the rows that are left, and leave them there."""
        return _rows(self._numbers, self._triples, self._at)

    def finish(self) -> None:
        """See that nothing is left over."""
        if self._at != self._triples:
            raise DamagedPatchError("the control stream of the patch has bytes that nothing needs")
        for source in self._sources:
            source.finish()


def _numbers(data: bytes) -> tuple[array[int], int]:
    """Return the numbers of a control stream, and how many rows they are.

    A number has seven bits a byte, the lowest first, and the eighth bit where more follow.
    """
    found = array("Q")
    value = shift = 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            found.append(value)
            value = shift = 0
        else:
            shift += 7
            if shift > 35:
                raise DamagedPatchError("a number in the control stream is too large")
    triples, over = divmod(len(found), 3)
    if shift or over:
        raise DamagedPatchError("the control stream of the patch is cut")
    return found, triples


def _rows(numbers: array[int], triples: int, first: int = 0) -> Iterator[tuple[int, int, int]]:
    for at in range(first, triples):
        yield numbers[at], numbers[triples + at], numbers[2 * triples + at]


class Segments:
    """All segments of a patch, one behind the other.

    Args:
        file: The patch.
        start: Where the segments begin.
        manifest: What it says of itself.
        old: Gives a piece of a member of the primary: index, first byte, bytes.
        first: The segment to begin with.
    """

    def __init__(
        self, file: BinaryIO, start: int, manifest: Manifest, old: Callable[[int, int, int], Iterator[bytes]], first: int = 0
    ) -> None:
        self._file, self._start = file, start
        self._segments = manifest.segments
        self._make = _unpacking(manifest.codec)
        self._old = old
        self._next = first
        self._start += sum(each.size for each in manifest.segments[:first])
        self._open: _Open | None = None

    def ready(self) -> int:
        """Return how many bytes the segment still makes; a finished one is left for the next."""
        while self._open is None or not self._open.left:
            if self._open is not None:
                self._open.finish()
            if self._next == len(self._segments):
                raise DamagedPatchError("the segments of the patch end too early")
            self._open = self._opened(self._segments[self._next])
            self._next += 1
        return self._open.left

    def _opened(self, segment: Segment) -> _Open:
        check_segment(self._file, self._start, segment)
        windows = (segment.control, segment.made - segment.literal, segment.window)
        sources: list[Source] = []
        for packed, size, window in zip(segment.packed, segment.unpacked, windows, strict=True):
            unpacking = self._make(window)
            if len(sources) == 2 and (segment.dictionary or segment.padding):
                _primed(unpacking, self._before(segment))
            sources.append(Source(self._file, self._start, packed, size, unpacking))
            self._start += packed
        control, difference, literal = sources
        literal.skip(segment.skip)
        return _Open(segment, (control, difference, literal))

    def _before(self, segment: Segment) -> Iterator[bytes]:
        for piece in segment.dictionary:
            yield from self._old(*piece)
        yield padding(segment.padding)[: segment.padding - segment.skip]

    def _now(self, count: int) -> _Open:
        if self._open is None or count > self._open.left:
            raise DamagedPatchError("the control stream of the patch leads out of a segment")
        self._open.left -= count
        return self._open

    def triple(self) -> tuple[int, int, int]:
        """Return the next three numbers of the control stream; `ready` comes first."""
        return self._now(0).triple()

    def ahead(self, size: int) -> Iterator[tuple[int, int, int]]:
        """Yield the next triples, until they make so many bytes, without taking any; `ready` comes first.

        Raises:
            DamagedPatchError: Those of a segment make less than it says, or there are not so many.
        """
        if self._open is None:
            raise DamagedPatchError("the segments of the patch end too early")
        rows, left, start = self._open.coming(), self._open.left, self._start
        for segment in (*self._segments[self._next :], None):
            for row in rows:
                yield row
                left, size = left - row[0] - row[1], size - row[0] - row[1]
                if size <= 0:
                    return
            if left or segment is None:
                raise DamagedPatchError("the control stream of the patch ends too early")
            control = Source(self._file, start, segment.packed[0], segment.control, self._make(segment.control))
            rows, left, start = _rows(*_numbers(control.rest())), segment.made, start + segment.size

    def difference(self, count: int) -> bytes:
        """Return the next bytes of the difference stream, at most a piece."""
        return self._now(count).difference.take(count)

    def literal(self, count: int) -> bytes:
        """Return the next bytes of the literal stream, at most a piece."""
        return self._now(count).literal.take(count)

    def finish(self) -> None:
        """See that nothing is left over."""
        if self._open is not None:
            if self._open.left:
                raise DamagedPatchError("the segments of the patch have bytes that nothing needs")
            self._open.finish()
        if self._next != len(self._segments):
            raise DamagedPatchError("the patch has a segment that nothing needs")


def check_segment(file: BinaryIO, start: int, segment: Segment) -> None:
    """Compare a segment with its digest, before anything unpacks it.

    Raises:
        DamagedPatchError: It is damaged, or cut.
    """
    file.seek(start)
    digest, left = hashlib.sha256(), segment.size
    while left and (chunk := file.read(min(CHUNK, left))):
        digest.update(chunk)
        left -= len(chunk)
    if left or digest.hexdigest() != segment.sha256:
        msg = f"a segment of the patch ({', '.join(STREAMS)}) is damaged"
        raise DamagedPatchError(msg)


def whole_until(file: BinaryIO, start: int, manifest: Manifest) -> int:
    """Return how many bytes of a patch are there and right: up to the end of a segment."""
    with contextlib.suppress(DamagedPatchError):
        for each in manifest.segments:
            check_segment(file, start, each)
            start += each.size
    return start
