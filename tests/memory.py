"""The store's stand-in for tests of the engine: it remembers in a dictionary. `test_memory_contract` holds it to the store's promises."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pypackpack.model.action import ActionResult


@dataclass
class Dictionary:
    """A memory for one test. Outputs need not be blobs of it, unless ``strict``."""

    known: dict[str, ActionResult] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    strict: bool = False

    def result(self, key: str) -> ActionResult | None:
        found = self.known.get(key)
        if found is not None and self.strict and not all(self.has(digest) for digest in found.outputs.values()):
            return None
        return found

    def record(self, key: str, result: ActionResult) -> None:
        self.known[key] = result

    def put(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        self.blobs[digest] = data
        return digest

    def read(self, digest: str) -> bytes | None:
        return self.blobs.get(digest)

    def has(self, digest: str) -> bool:
        return digest in self.blobs
