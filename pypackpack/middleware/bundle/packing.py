"""Files of the store as they stand in wheels: compressed once, and remembered.

One changed module of many changes every wheel; to compress the others again would cost more than to compile the one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.backend.filesystem import sha256_bytes
from pypackpack.middleware.bundle.archive import Member, RawMember, compressed, method_of_compression
from pypackpack.middleware.bundle.wheel import Packed
from pypackpack.model.action import ActionResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from pypackpack.backend.store import Store


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
