"""A cache that a power cut, a bad disk or a hand in the wrong folder has damaged: what is given back is right, or nothing is."""

from __future__ import annotations

import hashlib
import io
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypackpack.backend import store as store_module
from pypackpack.backend.store import Store
from pypackpack.backend.store_verify import verify
from pypackpack.model.action import ActionResult
from pypackpack.model.errors import FilesystemError

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "ab" * 32
RESULT_FACTS = {"file": "wheel-1.0.whl", "size": "120"}


def filled(folder: Path) -> tuple[Store, ActionResult]:
    store = Store(folder)
    result = ActionResult({"out": store.put(b"content" * 20), "more": store.put(b"more")}, RESULT_FACTS)
    store.record(KEY, result)
    return store, result


def entries(store: Store) -> list[Path]:
    return sorted(path for path in store.root.rglob("*") if path.is_file())


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


def test_what_is_written_through_a_copy_does_not_reach_the_store(tmp_path: Path) -> None:
    store = Store(tmp_path / "cache")
    digest, place = store.put(b"content"), tmp_path / "copy"
    assert store.copy(digest, place)
    with place.open("r+b") as stream:
        stream.write(b"CONTENT")
    assert store.read(digest) == b"content"


@given(
    which=st.integers(0, 2),
    harm=st.one_of(
        st.tuples(st.just("flip"), st.integers(0, 10_000), st.integers(0, 7)),
        st.tuples(st.just("cut"), st.integers(0, 10_000), st.just(0)),
        st.tuples(st.just("add"), st.integers(0, 300), st.just(0)),
    ),
)
def test_no_flipped_bit_and_no_lost_byte_is_ever_believed(
    which: int, harm: tuple[str, int, int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    store, result = filled(tmp_path_factory.mktemp("store"))
    place = entries(store)[which]
    data = bytearray(place.read_bytes())
    kind, where, bit = harm
    if kind == "flip":
        data[where % len(data)] ^= 1 << bit
    elif kind == "cut":
        del data[where % len(data) :]
    else:
        data += bytes(where + 1)
    place.write_bytes(data)
    assert store.result(KEY) in (None, result)
    for digest, content in zip(result.outputs.values(), (b"content" * 20, b"more"), strict=True):
        assert store.read(digest) in (None, content)
    # Whatever it was, it does not stay.
    assert filled(store.root.parent)[1] == result
    assert store.result(KEY) == result
    assert [store.read(digest) for digest in result.outputs.values()] == [b"content" * 20, b"more"]


@given(moved=st.integers(0, 3))
def test_a_result_in_the_place_of_another_is_not_believed(moved: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    store, _ = filled(tmp_path_factory.mktemp("store"))
    other = f"{moved}" * 64
    place = store.root / "ac" / other[:2] / f"{other}.json"
    place.parent.mkdir()
    shutil.copy(store.root / "ac" / KEY[:2] / f"{KEY}.json", place)
    assert store.result(other) is None


def folder_in_place(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inside").write_text("x")


def file_for_its_folder(path: Path) -> None:
    shutil.rmtree(path.parent)
    path.parent.write_text("in the way")


def link_to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.parent / "nowhere")


@pytest.mark.parametrize("harm", [folder_in_place, file_for_its_folder, link_to_nothing])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_whatever_stands_in_the_place_of_an_entry_is_replaced(harm: Callable[[Path], None], which: int, tmp_path: Path) -> None:
    store, result = filled(tmp_path)
    harm(entries(store)[which])
    assert store.result(KEY) is None
    assert store.drop_damaged(result.outputs.values()) in (0, 1)
    assert filled(tmp_path)[1] == result
    assert store.result(KEY) == result
    for digest in result.outputs.values():
        assert hashlib.sha256(store.read(digest) or b"").hexdigest() == digest
        assert store.copy(digest, tmp_path / "copy")


@pytest.mark.parametrize("harm", [folder_in_place, file_for_its_folder])
def test_verify_throws_such_things_away(harm: Callable[[Path], None], tmp_path: Path) -> None:
    store, result = filled(tmp_path)
    place = store.root / "cas" / result.outputs["out"][:2] / result.outputs["out"]
    harm(place)
    found = verify(store.root, lambda *_: None)
    assert len(found.damaged) == 1
    assert found.useless == 1
    again = verify(store.root, lambda *_: None)
    assert (again.damaged, again.useless) == ((), 0)


class Refusal:
    """Lets the system refuse to open entries of a store, as when they belong to another user."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        def refused(path: object, *args: object, **kwargs: object) -> object:
            if name in str(path):
                raise PermissionError(13, "Permission denied", str(path))
            return open(path, *args, **kwargs)  # type: ignore[call-overload]  # noqa: PTH123 - stands for it

        monkeypatch.setattr(store_module, "open", refused, raising=False)


def test_an_entry_that_may_not_be_read_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, result = filled(tmp_path)
    digest = result.outputs["out"]
    Refusal(monkeypatch, digest)
    assert store.read(digest) is None
    assert not store.has(digest)
    assert store.result(KEY) is None
    monkeypatch.undo()
    assert filled(tmp_path)[1] == result
    Refusal(monkeypatch, KEY)
    assert store.result(KEY) is None


def test_an_entry_that_can_neither_be_read_nor_removed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, result = filled(tmp_path)
    digest = result.outputs["out"]
    Refusal(monkeypatch, digest)

    def refused(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(store_module.os, "unlink", refused)
    with pytest.raises(FilesystemError, match=f"cannot remove the damaged entry of the cache .*{digest}") as caught:
        store.read(digest)
    assert "who owns" in caught.value.hint


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, result = filled(tmp_path)
    before = entries(store)

    class Full(io.BytesIO):
        def write(self, _data: object) -> int:
            raise OSError(28, "No space left on device")

    def full(path: str, mode: str) -> object:
        if "x" in mode:
            Path(path).touch(exist_ok=False)
            return Full()
        return open(path, mode)  # noqa: PTH123 - stands for it

    monkeypatch.setattr(store_module, "open", full, raising=False)
    with pytest.raises(FilesystemError, match="No space left") as caught:
        store.put(b"content" * 20)
    assert "disk is full" in caught.value.hint
    assert entries(store) == before
    assert store.read(result.outputs["out"]) == b"content" * 20
