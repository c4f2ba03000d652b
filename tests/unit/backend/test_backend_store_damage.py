"""A cache that a power cut has damaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.backend.store import Store
from pypackpack.model.action import ActionResult

if TYPE_CHECKING:
    from pathlib import Path


def test_one_damaged_blob_found_removes_all_that_are_damaged(tmp_path: Path) -> None:
    store = Store(tmp_path)
    good, bad, worse = (store.put(data) for data in (b"good", b"bad", b"worse"))
    store.record("ab" * 32, ActionResult({"x": worse}, {}))
    for digest in (bad, worse):
        next(store.root.glob(f"cas/*/{digest}")).write_bytes(b"")
    aside = store.root / "cas" / good[:2] / ".new-0123"
    aside.write_bytes(b"somebody else is writing this")
    assert store.read(bad) is None
    assert not store.has(worse)
    assert store.result("ab" * 32) is None
    assert store.read(good) == b"good"
    assert aside.is_file()
