"""Compressed once: the wheel is the same, and nothing is compressed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pypackpack.backend.store import Store
from pypackpack.middleware.bundle.packing import packed
from pypackpack.middleware.bundle.tags import WheelTag
from pypackpack.middleware.bundle.wheel import WheelMember, write_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.middleware.bundle.metadata import CoreFiles

TAGS = WheelTag("py3", "none", ("any",))
CONTENTS = {"demo_app/__init__.py": b"x = 1\n" * 500, "demo_app/empty": b"", "demo_app/noise": bytes(range(7))}


def unread() -> bytes:
    pytest.fail("it was compressed again")


def test_a_wheel_of_packed_members_is_the_same_wheel(tmp_path: Path, core: CoreFiles) -> None:
    store = Store(tmp_path / "cache")
    plain = [WheelMember(path, data) for path, data in CONTENTS.items()]
    first = write_wheel(tmp_path / "plain", core=core, tags=TAGS, pure=True, members=plain)
    for reader in (None, unread):  # made, then remembered
        members = [
            WheelMember(path, packed(store.put(data), store, reader or (lambda data=data: data)))  # type: ignore[misc]
            for path, data in CONTENTS.items()
        ]
        again = write_wheel(tmp_path / "packed", core=core, tags=TAGS, pure=True, members=members)
        assert again.path.read_bytes() == first.path.read_bytes()
        assert again.sha256 == first.sha256


def test_a_damaged_compressed_form_is_made_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    data = b"content " * 100
    digest = store.put(data)
    first = packed(digest, store, lambda: data)
    for blob in (store.root / "cas").glob("*/*"):
        if blob.name != digest:
            blob.write_bytes(b"damage")
    assert packed(digest, store, lambda: data) == first
