"""Wheels and patches that say whatever a test wants them to say."""

from __future__ import annotations

import base64
import hashlib
import json
import lzma
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

from pypackpack.client.patch_format import HEADER, MAGIC, VERSION

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


def taken_apart(patch: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """Return the manifest, and the three streams of the only segment, unpacked."""
    *_, packed, _, _ = HEADER.unpack_from(patch)
    start = HEADER.size + packed
    manifest = json.loads(zlib.decompress(patch[HEADER.size : start], -15))
    streams = []
    ((*_, sizes, _, _, _),) = manifest["segments"]
    for size in sizes:
        streams.append(lzma.decompress(patch[start : start + size], lzma.FORMAT_RAW, filters=FILTERS) if size else b"")
        start += size
    return manifest, streams


def put_together(
    manifest: dict[str, Any] | bytes, streams: list[bytes], *, sizes: list[int] | None = None, segment: list[Any] | None = None
) -> bytes:
    """Return a patch whose digests are right, whatever else of it is not.

    Args:
        manifest: What it says; its segment is put right, unless it is bytes.
        streams: What is packed.
        sizes: What the segment says of them.
        segment: What its segment says before the sizes: bytes made, dictionary, padding, bytes skipped.
    """
    packed = [lzma.compress(each, lzma.FORMAT_RAW, filters=FILTERS) if each else b"" for each in streams]
    if isinstance(manifest, dict):
        control, difference, literal = sizes or [len(each) for each in streams]
        said = segment or [difference + literal, [], 0, 0]
        digest = hashlib.sha256(b"".join(packed)).hexdigest()
        row = [*said, [len(each) for each in packed], control, literal, digest]
        manifest = json.dumps({**manifest, "segments": [row]}).encode()
    return raw(manifest) + b"".join(packed)


def raw(manifest: bytes) -> bytes:
    """Return the beginning of a patch."""
    packing = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = packing.compress(manifest) + packing.flush()
    return struct.pack("<8sHHII32s", MAGIC, VERSION, 0, len(data), len(manifest), hashlib.sha256(manifest).digest()) + data
