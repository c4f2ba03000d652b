"""A cache that a power cut has damaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.backend.store import Store
from pypackpack.model.action import ActionResult

if TYPE_CHECKING:
    from pathlib import Path


def test_damaged_blobs_are_thrown_away_and_their_results_forgotten(tmp_path: Path) -> None:
    store = Store(tmp_path)
    good, bad, worse = (store.put(data) for data in (b"good", b"bad", b"worse"))
    store.record("ab" * 32, ActionResult({"x": worse}, {}))
    for digest in (bad, worse):
        next(store.root.glob(f"cas/*/{digest}")).write_bytes(b"")
    aside = store.root / "cas" / good[:2] / ".new-0123"
    aside.write_bytes(b"somebody else is writing this")
    assert store.read(bad) is None
    assert not store.has(bad)
    assert store.drop_damaged([good, bad, worse]) == 1
    assert not store.has(worse)
    assert store.result("ab" * 32) is None
    assert store.read(good) == b"good"
    assert aside.is_file()


def test_a_copy_is_whole_or_is_not_made(tmp_path: Path) -> None:
    store = Store(tmp_path / "cache")
    good, bad = store.put(b"good" * 1_000_000), store.put(b"bad")
    next(store.root.glob(f"cas/*/{bad}")).write_bytes(b"")
    place = tmp_path / "out" / "file"
    assert store.copy(good, place)
    assert place.read_bytes() == b"good" * 1_000_000
    assert not store.copy(bad, place)
    assert not store.copy("0" * 64, place)
    assert place.read_bytes() == b"good" * 1_000_000
    assert list(place.parent.iterdir()) == [place]
    assert not store.has(bad)
