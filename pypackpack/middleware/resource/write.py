"""Writes ``.resource`` archives: contents are cut into chunks and packed, then laid behind each other.

The same files give the same bytes on every machine: the chunker and libdeflate are pinned, and paths, sizes and digests are all
that an archive says of a file.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from pypackpack.backend.tools import chunker
from pypackpack.client.resource_format import CHUNK, HEADER, MAGIC, VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from typing import BinaryIO

    from pypackpack.client.resource_format import Manifest

    Row = tuple[bytes, int, int]
    """Digest, size and packed size of a chunk."""
    Part = tuple[bytes, Callable[[], AbstractContextManager[BinaryIO]]]
    """Of a content: its table, and what opens its packed chunks."""

LARGE: Final = 1 << 20
COMPRESSION: Final = 7
"""Of libdeflate: see the table in docs/decisions/0107-resources.md."""


def method() -> str:
    """Return what decides the bytes of packed contents besides the contents and the average."""
    import deflate  # noqa: PLC0415 - import cost

    return f"{chunker.method()}, deflate {deflate.__version__} {COMPRESSION}"


def average(size: int) -> int:
    """Return how many bytes the chunks of a file of that size have on average.

    In large files the table of chunks is what every update costs, in smaller ones the chunk that has changed.
    """
    return chunker.FINE if size < LARGE else chunker.COARSE


def pack(stream: BinaryIO, out: BinaryIO, average: int) -> list[Row]:
    """Cut what a stream holds into chunks, and write each, packed, once.

    Args:
        stream: The content.
        out: Where to.
        average: Bytes of a chunk.

    Returns:
        A row for each chunk; the packed size is 0 where the stream had the same chunk before.
    """
    rows: list[Row] = []
    seen: set[bytes] = set()
    for data in chunker.chunks(stream, average):
        sha256 = hashlib.sha256(data).digest()
        packed = b"" if sha256 in seen else _smaller(data)
        seen.add(sha256)
        out.write(packed)
        rows.append((sha256, len(data), len(packed)))
    return rows


def _smaller(data: bytes) -> bytes:
    """Return a chunk deflated, or as it is where that is not longer."""
    import deflate  # noqa: PLC0415 - import cost

    packed = bytes(deflate.deflate_compress(data, COMPRESSION))
    return packed if len(packed) < len(data) else data


def table(rows: Iterable[Row]) -> bytes:
    """Return rows as they stand in an archive."""
    return b"".join(CHUNK.pack(*row) for row in rows)


def manifest_bytes(manifest: Manifest) -> bytes:
    """Return a manifest as it stands in an archive, before it is packed."""
    content = {
        "files": [list(each) for each in manifest.files],
        "name": manifest.name,
        "package": manifest.package,
        "tag": manifest.tag,
        "version": manifest.version,
    }
    return json.dumps(content, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()


def head(manifest: Manifest, rows: Sequence[Row]) -> bytes:
    """Return an archive's first bytes: all but the chunks' own."""
    import deflate  # noqa: PLC0415 - import cost

    plain, rows_ = manifest_bytes(manifest), table(rows)
    packed = bytes(deflate.deflate_compress(plain, COMPRESSION))
    data = sum(row[2] for row in rows)
    digest = hashlib.sha256(plain + rows_).digest()
    return HEADER.pack(MAGIC, VERSION, 0, len(packed), len(plain), len(rows), data, digest) + packed + rows_


def joined(tables: Iterable[bytes]) -> list[Row]:
    """Return the rows of an archive that has these contents one behind the other; a chunk that comes again takes no room."""
    rows: list[Row] = []
    seen: set[bytes] = set()
    for each in tables:
        for sha256, size, packed in CHUNK.iter_unpack(each):
            rows.append((sha256, size, 0 if sha256 in seen else packed))
            seen.add(sha256)
    return rows


def write_archive(out: BinaryIO, begin: bytes, rows: Sequence[Row], parts: Iterable[Part]) -> tuple[str, int]:
    """Write an archive.

    Args:
        out: Where to.
        begin: Its head.
        rows: Its rows.
        parts: Its contents; each is open only while it is copied.

    Returns:
        The hex SHA-256 of the archive, and its size.
    """
    digest, size = hashlib.sha256(), 0
    for data in _all(begin, rows, parts):
        digest.update(data)
        size += len(data)
        out.write(data)
    return digest.hexdigest(), size


def _all(begin: bytes, rows: Sequence[Row], parts: Iterable[Part]) -> Iterator[bytes]:
    yield begin
    left = iter(rows)
    for own, opened in parts:
        with opened() as stream:
            for _, _, packed in CHUNK.iter_unpack(own):
                data = stream.read(packed)
                _, _, wanted = next(left)
                if len(data) != packed:
                    msg = "the packed chunks of a content are fewer than its table says"
                    raise EOFError(msg)
                if wanted:
                    yield data
