"""Wheels and patches that say whatever a test wants them to say."""

from __future__ import annotations

import base64
import hashlib
import json
import lzma
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

from pypackpack.client.patch_format import HEADER
from pypackpack.client.patch_manifest import put_header

if TYPE_CHECKING:
    from pathlib import Path

FILTERS = [{"id": lzma.FILTER_LZMA2, "dict_size": 8 << 20}]
OLD = {
    "demo/__init__.py": b"def f():\n    return 1\n" * 40,
    "demo/data.bin": bytes(range(256)) * 8,
    "demo/same.py": b"SAME = True\n",
    "demo-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n",
    "demo-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nTag: py3-none-any\n",
}
NEW = {
    "demo/__init__.py": b"def f():\n    return 1\n" * 20 + b"def g():\n    return 2\n" + b"def f():\n    return 1\n" * 20,
    "demo/fresh.py": b"FRESH = 'new'\n",
    "demo/moved.bin": bytes(range(256)) * 8,
    "demo/same.py": b"SAME = True\n",
    "demo-1.1.dist-info/METADATA": b"Metadata-Version: 2.1\nName: demo\nVersion: 1.1\n",
    "demo-1.1.dist-info/WHEEL": b"Wheel-Version: 1.0\nTag: py3-none-any\n",
}


def wheel(path: Path, members: dict[str, bytes], *, record: str = "", programs: tuple[str, ...] = ()) -> Path:
    """Write a wheel; with the folder of its metadata also a RECORD."""
    members = dict(members)
    if record:
        lines = [
            f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n"
            for name, data in members.items()
        ]
        members[f"{record}/RECORD"] = ("".join(lines) + f"{record}/RECORD,,\n").encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, (2020, 2, 2, 0, 0, 0))
            info.external_attr = (0o100755 if name in programs else 0o100644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return path


def pair(folder: Path) -> tuple[Path, Path]:
    """Write two wheels of which one is the other's successor."""
    old = wheel(folder / "demo-1.0-py3-none-any.whl", OLD, record="demo-1.0.dist-info")
    return old, wheel(folder / "new" / "demo-1.1-py3-none-any.whl", NEW, record="demo-1.1.dist-info")


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def taken_apart(patch: bytes, *, behind: bool = False) -> tuple[dict[str, Any], list[bytes]]:
    """Return the manifest, and the three streams of the only segment: unpacked, or with ``behind`` as they are packed."""
    *_, packed, _, _ = HEADER.unpack_from(patch)
    start = HEADER.size + packed
    manifest = json.loads(zlib.decompress(patch[HEADER.size : start], -15))
    (row,) = manifest["segments"]
    streams = []
    for size in row[4]:
        streams.append(patch[start : start + size])
        start += size
    if behind:
        return manifest, streams
    assert not row[1]  # with a dictionary, it takes the primary
    return manifest, [lzma.decompress(each, lzma.FORMAT_RAW, filters=FILTERS) if each else b"" for each in streams]


def put_together(
    manifest: dict[str, Any] | bytes,
    streams: list[bytes],
    *,
    sizes: list[int] | None = None,
    segment: list[Any] | None = None,
    packed: bool = False,
) -> bytes:
    """Return a patch whose digests are right, whatever else of it is not.

    Args:
        manifest: What it says; its segment is put right, unless it is bytes.
        streams: What is packed.
        sizes: What the segment says of them.
        segment: What its segment says before the sizes: bytes made, dictionary, padding, bytes skipped.
        packed: The streams are packed already, and the segment says what it said of them.
    """
    data = streams if packed else [lzma.compress(each, lzma.FORMAT_RAW, filters=FILTERS) if each else b"" for each in streams]
    if isinstance(manifest, dict):
        digest = hashlib.sha256(b"".join(data)).hexdigest()
        if packed:
            (row,) = manifest["segments"]
            row = [*row[:4], [len(each) for each in data], *row[5:7], digest]
        else:
            control, difference, literal = sizes or [len(each) for each in streams]
            said = segment or [difference + literal, [], 0, 0]
            row = [*said, [len(each) for each in data], control, literal, digest]
        manifest = json.dumps({**manifest, "segments": [row]}).encode()
    return raw(manifest) + b"".join(data)


def raw(manifest: bytes) -> bytes:
    """Return the beginning of a patch."""
    packing = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = packing.compress(manifest) + packing.flush()
    return put_header(data, len(manifest)) + data
