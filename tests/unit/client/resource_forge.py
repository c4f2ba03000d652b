"""Archives of data files that say whatever a test wants them to say, written from the description of the format alone."""

from __future__ import annotations

import hashlib
import json
import random
import struct
import zlib
from typing import Any

MAGIC = b"\x89PPR\r\n\x1a\n"


def noise(count: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(count)  # noqa: S311 - no secret


FILES = {
    "data/empty": b"",
    "data/letters/head.txt": "Grüße\n".encode() * 30,
    "data/prices.bin": noise(70_000),
    "data/twice.bin": noise(70_000),
    "data/zeros.bin": bytes(50_000),
    "top.txt": b"first\r\nsecond\n",
}
CHUNK = 20_000


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def deflated(data: bytes) -> bytes:
    packing = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packing.compress(data) + packing.flush()
    return packed if len(packed) < len(data) else data


def parts(files: dict[str, bytes] | None = None, chunk: int = CHUNK) -> tuple[dict[str, Any], list[tuple[bytes, int, int]], bytes]:
    """Return the manifest, the rows of the table, and the packed chunks, for contents cut at every so many bytes."""
    files = FILES if files is None else files
    stream = b"".join(dict.fromkeys(files.values()))
    rows, data, seen = [], b"", set()
    for start in range(0, len(stream), chunk):
        piece = stream[start : start + chunk]
        packed = b"" if sha(piece) in seen else deflated(piece)
        seen.add(sha(piece))
        rows.append((sha(piece), len(piece), len(packed)))
        data += packed
    listed = [[path, len(content), sha(content).hex()] for path, content in files.items()]
    return {"files": listed, "name": "demo", "package": "demo", "tag": "any", "version": "1.0"}, rows, data


def together(manifest: dict[str, Any] | bytes, rows: list[tuple[bytes, int, int]] | bytes, data: bytes, **said: int) -> bytes:
    """Return an archive whose head has the right digest, whatever else of it is not; ``said_…`` changes numbers in the header."""
    plain = manifest if isinstance(manifest, bytes) else json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()
    table = rows if isinstance(rows, bytes) else b"".join(struct.pack("<32sII", *row) for row in rows)
    packing = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packing.compress(plain) + packing.flush()
    numbers = {"version": 1, "flags": 0, "packed": len(packed), "plain": len(plain), "chunks": len(table) // 40, "data": len(data)}
    numbers |= {name.removeprefix("said_"): number for name, number in said.items()}
    return struct.pack("<8sHHIIIQ32s", MAGIC, *numbers.values(), sha(plain + table)) + packed + table + data


def archive(files: dict[str, bytes] | None = None, chunk: int = CHUNK) -> bytes:
    return together(*parts(files, chunk))
