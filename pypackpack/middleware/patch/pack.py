"""Packs the streams of patches. With LZMA2, a stream may refer to bytes that whoever unpacks it has already: old members."""

from __future__ import annotations

import bz2
import lzma
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple

from pypackpack.client.patch_format import PADDING, padding

if TYPE_CHECKING:
    from collections.abc import Iterator

_SETTINGS: Final = ((3, 0, 2), (1, 0, 0), (0, 2, 2))
"""lc, lp and pb of LZMA: for code, for text, and for rows of four bytes. The stream itself says which; the smallest wins."""
_LARGE: Final = 3 << 20
"""Bytes from which on only the first is tried: time."""
_MARGINS: Final = (0, 16, 256)
"""Bytes of padding behind the place where a stored chunk should end, one after the other, until one does."""
_FAR: Final = 1024
"""Bytes more than these, which the stream has to make itself, and it was another chunk."""
_WORTH: Final = 64
"""Bytes of a packed stream that make a dictionary worth its line in the manifest."""


class Packed(NamedTuple):
    """A packed stream.

    Attributes:
        data: Its bytes.
        padding: Bytes of `padding` that the decoder gets behind the dictionary.
        skip: Bytes of these that the stream makes itself.
    """

    data: bytes
    padding: int = 0
    skip: int = 0


class _Chunk(NamedTuple):
    """A chunk of LZMA2: where it begins and ends, packed and unpacked; and its first byte."""

    start: int
    end: int
    first: int
    last: int
    control: int


def pack(codec: str, data: bytes, dictionary: bytes = b"") -> Packed:
    """Pack a stream; nothing stays nothing.

    Args:
        codec: One of the format's.
        data: What is packed.
        dictionary: What the decoder has already; for ``lzma`` only.
    """
    if not data:
        return Packed(b"")
    if codec == "bz2":
        return Packed(bz2.compress(data, 9))
    if codec == "deflate":
        packing = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        return Packed(packing.compress(data) + packing.flush())
    settings = _SETTINGS if len(data) + len(dictionary) < _LARGE else _SETTINGS[:1]
    found = [Packed(_lzma(data, each)) for each in settings]
    if dictionary and min(len(each.data) for each in found) > _WORTH:
        found += [each for setting in settings if (each := _behind(dictionary, data, setting))]
    return min(found, key=lambda each: len(each.data))


def cost(data: bytes, dictionary: bytes = b"") -> int:
    """Estimate what a stream takes when LZMA packs it."""
    if not data:
        return 0
    alone = len(_lzma(dictionary, _SETTINGS[0], preset=6)) if dictionary else 12  # what an empty stream has in any case
    return len(_lzma(dictionary + data, _SETTINGS[0], preset=6)) - alone


def _lzma(data: bytes, setting: tuple[int, int, int], *, preset: int = 9 | lzma.PRESET_EXTREME, window: int = 0) -> bytes:
    lc, lp, pb = setting
    size = max(4096, window or len(data))
    filters = [{"id": lzma.FILTER_LZMA2, "preset": preset, "dict_size": size, "lc": lc, "lp": lp, "pb": pb}]
    return lzma.compress(data, lzma.FORMAT_RAW, filters=filters)


def _behind(dictionary: bytes, data: bytes, setting: tuple[int, int, int]) -> Packed | None:
    """Pack data that stand behind a dictionary, as only the data's part of the stream; None where liblzma does otherwise.

    Python's lzma knows no preset dictionary. But chunks of LZMA2 that are stored fill a decoder's window as any others do, and
    the chunk after one begins anew, with nothing but the window. So what the decoder gets is the dictionary in stored chunks,
    which are no part of the patch, and then the rest of the stream. That the encoder begins a chunk there is made sure of by
    padding between the two that nothing can pack: it is stored, in chunks whose ends depend on what was before. Packed once
    more, the padding ends where one of these does; or a little behind that, since the encoder looks at what comes, too, and may
    end it a few bytes later.
    """
    pad = padding(PADDING)
    window = len(dictionary) + len(pad) + len(data)
    begin = len(dictionary)
    ends = [
        chunk.last - begin
        for chunk in _chunks(_lzma(dictionary + pad + data[: 1 << 17], setting, window=window))
        if chunk.control < 0x80 and chunk.first >= begin and chunk.last <= begin + len(pad)
    ]
    best: Packed | None = None
    for margin in _MARGINS if ends else ():
        found = _cut(dictionary, pad[: ends[-1] + margin], data, setting)
        if found is not None and (best is None or len(found.data) < len(best.data)):
            best = found
        if found is not None and found.skip <= margin + _FAR:
            break
    return best


def _cut(dictionary: bytes, pad: bytes, data: bytes, setting: tuple[int, int, int]) -> Packed | None:
    """Pack data behind a dictionary and padding, and return what comes behind the last stored chunk of the padding."""
    begin, border = len(dictionary), len(dictionary) + len(pad)
    whole = _lzma(dictionary + pad + data, setting, window=border + len(data))
    chunks = list(_chunks(whole))
    stored = [index for index, each in enumerate(chunks) if each.control < 0x80 and begin <= each.first and each.last <= border]
    if not stored:
        return None
    rest = chunks[stored[-1] + 1 :]
    skip = border - chunks[stored[-1]].last
    kept = bytearray()
    fresh = True
    for chunk in rest:
        part = whole[chunk.start : chunk.end]
        if fresh and chunk.control >= 0x80:
            if chunk.control < 0xA0:
                return None
            if chunk.control < 0xC0:  # anew, with the same properties: said again, since nobody has said them before
                lc, lp, pb = setting
                part = bytes([0xC0 | part[0] & 0x1F]) + part[1:5] + bytes([(pb * 5 + lp) * 9 + lc]) + part[5:]
            fresh = False
        kept += part
    return Packed(bytes(kept) + b"\0", len(pad), skip)


def _chunks(data: bytes) -> Iterator[_Chunk]:
    """Yield the chunks of an LZMA2 stream without its end (liblzma, ``lzma2_decoder.c``)."""
    at = made = 0
    while control := data[at]:
        if control >= 0x80:
            size = ((control & 0x1F) << 16 | data[at + 1] << 8 | data[at + 2]) + 1
            length = 5 + (control >= 0xC0) + (data[at + 3] << 8 | data[at + 4]) + 1
        else:
            size = (data[at + 1] << 8 | data[at + 2]) + 1
            length = 3 + size
        yield _Chunk(at, at + length, made, made + size, control)
        at, made = at + length, made + size
