"""Compressed once: the wheel is the same, and nothing is compressed again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend.filesystem import sha256_bytes
from pypackpack.backend.store import Store
from pypackpack.middleware.bundle.packing import LARGEST_FORMER, former_members, packed, remember_members
from pypackpack.middleware.bundle.tags import WheelTag
from pypackpack.middleware.bundle.wheel import WheelMember, write_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.middleware.bundle.metadata import CoreFiles
    from pypackpack.middleware.bundle.wheel import WheelFile

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


def test_the_next_wheel_takes_what_did_not_change_from_the_last_one(tmp_path: Path, core: CoreFiles) -> None:
    store, place = Store(tmp_path / "cache"), str(tmp_path / "dist" / "demo.whl")
    assert former_members(place, store) == {}

    def write(folder: str, contents: dict[str, bytes], *, known: bool) -> WheelFile:
        former = former_members(place, store) if known else {}
        members = []
        for path, data in contents.items():
            digest = store.put(data)
            compressed = former.get(digest) or packed(digest, store, lambda data=data: data)  # type: ignore[misc]
            members.append(WheelMember(path, compressed))
        return write_wheel(tmp_path / folder, core=core, tags=TAGS, pure=True, members=members)

    first = write("first", CONTENTS, known=False)
    store.adopt(first.path, first.sha256)
    remember_members(place, first, store)
    former = former_members(place, store)
    assert set(former) == {sha256_bytes(data) for data in CONTENTS.values()}
    # Other names, one file more, one less, one changed: the same bytes as if nothing had been remembered.
    changed = {"demo_app/a.py": b"new = 2\n" * 90, "demo_app/moved.py": CONTENTS["demo_app/__init__.py"], "demo_app/empty": b""}
    assert write("known", changed, known=True).path.read_bytes() == write("plain", changed, known=False).path.read_bytes()


def test_a_former_wheel_that_is_lost_damaged_or_too_large_is_not_used(tmp_path: Path, core: CoreFiles) -> None:
    store, place = Store(tmp_path / "cache"), str(tmp_path / "dist" / "demo.whl")
    data = b"x = 1\n" * 500
    member = WheelMember("demo_app/__init__.py", packed(store.put(data), store, lambda: data))
    wheel = write_wheel(tmp_path / "one", core=core, tags=TAGS, pure=True, members=[member])
    store.adopt(wheel.path, wheel.sha256)
    remember_members(place, replace(wheel, size=LARGEST_FORMER + 1), store)
    assert former_members(place, store) == {}
    remember_members(place, wheel, store)
    assert former_members(place, store)
    blob = store.root / "cas" / wheel.sha256[:2] / wheel.sha256
    blob.write_bytes(blob.read_bytes()[:-1] + b"!")
    assert former_members(place, store) == {}  # and the damaged blob is thrown away
    assert not blob.exists()
