"""Files of the store as they stand in wheels: compressed once, and remembered.

One changed module of many changes every wheel; to compress the others again would cost more than to compile the one, and even
to look each of them up costs more than to take them all from the wheel that stood there before.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pypackpack.backend.filesystem import sha256_bytes
from pypackpack.middleware.bundle.archive import Member, RawMember, compressed, method_of_compression
from pypackpack.middleware.bundle.wheel import Packed
from pypackpack.model.action import ActionResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from pypackpack.backend.store import Store
    from pypackpack.middleware.bundle.wheel import WheelFile

LARGEST_FORMER = 64_000_000
"""A former wheel of more bytes is not held in memory for the sake of its members: they are looked up one by one."""


def packed(digest: str, store: Store, read: Callable[[], bytes]) -> Packed:
    """Return the compressed form of a blob of the store.

    Args:
        digest: The blob's.
        store: Where compressed forms are remembered.
        read: Gives the blob's bytes, if they have to be compressed.
    """
    key = sha256_bytes(f"pack-1\0{method_of_compression()}\0{digest}")
    known = store.result(key)
    data = store.read(known.outputs["data"]) if known is not None else None
    if known is not None and data is not None:
        method, crc32, size = (int(known.facts[name]) for name in ("method", "crc32", "size"))
        return Packed(digest, RawMember("", method, crc32, size, len(data), data))
    raw = compressed(Member("", read()))
    data = raw.data if isinstance(raw.data, bytes) else b"".join(raw.data)
    facts = {"method": str(raw.method), "crc32": str(raw.crc32), "size": str(raw.size)}
    store.record(key, ActionResult({"data": store.put(data)}, facts))
    return Packed(digest, raw)


def former_members(place: str, store: Store) -> dict[str, Packed]:
    """Return what the wheel that this machine last wrote for a place has compressed, by the hex SHA-256 of its content.

    The wheel is read from the store, which checks it; it need not stand at its place any more.
    """
    known = store.result(_former_key(place))
    if known is None or int(known.facts["size"]) > LARGEST_FORMER:
        return {}
    index, data = store.read(known.outputs["index"]), store.read(known.outputs["wheel"])
    if index is None or data is None:
        return {}
    view = memoryview(data)
    return {
        digest: Packed(digest, RawMember("", method, crc32, size, length, (view[start : start + length],)))
        for digest, method, crc32, size, length, start in json.loads(index)
    }


def remember_members(place: str, wheel: WheelFile, store: Store) -> None:
    """Remember what a wheel for a place has compressed, for the next one; the wheel is in the store."""
    packed_ = ((each.sha256, each.raw, start) for each, start in wheel.packed)
    rows = [(digest, raw.method, raw.crc32, raw.size, raw.compressed_size, start) for digest, raw, start in packed_]
    index = store.put(json.dumps(rows).encode())
    store.record(_former_key(place), ActionResult({"index": index, "wheel": wheel.sha256}, {"size": str(wheel.size)}))


def _former_key(place: str) -> str:
    return sha256_bytes(f"former-1\0{method_of_compression()}\0{place}")
