"""The store: what it gives back, and what it does with damage."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend.filesystem import sha256_bytes
from pypackpack.backend.store import FileDigests, Store
from pypackpack.model.action import ActionResult
from pypackpack.model.errors import FilesystemError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def blob(store: Store, digest: str) -> Path:
    return store.root / "cas" / digest[:2] / digest


def test_bytes_come_back_under_their_digest(store: Store) -> None:
    digest = store.put(b"content")
    assert digest == sha256_bytes(b"content")
    assert store.read(digest) == b"content"
    assert store.read("0" * 64) is None


def test_a_damaged_blob_is_thrown_away(store: Store) -> None:
    digest = store.put(b"content")
    blob(store, digest).write_bytes(b"contents")
    assert store.read(digest) is None
    assert not store.has(digest)


def test_a_result_comes_back_while_all_its_blobs_are_there(store: Store) -> None:
    digest = store.put(b"content")
    result = ActionResult({"out": digest}, {"file": "ä"})
    store.record("ab" * 32, result)
    assert store.result("ab" * 32) == result
    blob(store, digest).unlink()
    assert store.result("ab" * 32) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"outputs": 1, "facts": {}}', '{"outputs": {}}'])
def test_a_damaged_result_counts_as_none(store: Store, text: str) -> None:
    store.record("ab" * 32, ActionResult())
    (store.root / "ac" / "ab" / f"{'ab' * 32}.json").write_text(text)
    assert store.result("ab" * 32) is None


def test_scratch_is_gone_afterwards(store: Store) -> None:
    with store.scratch() as folder:
        (folder / "x").write_text("x")
    assert not folder.exists()


def aged(path: Path, seconds: int = 100) -> None:
    state = path.stat()
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns - seconds * 10**9))


def test_digests_are_remembered_by_what_stat_says(tmp_path: Path) -> None:
    source = tmp_path / "a.py"
    source.write_text("one")
    aged(source)
    digests = FileDigests(tmp_path / "cache", tmp_path)
    first = digests.digest(source)
    digests.save()
    again = FileDigests(tmp_path / "cache", tmp_path)
    state = source.stat()
    source.write_text("two")
    os.utime(source, ns=(state.st_atime_ns, state.st_mtime_ns))  # the same size and time: what stat cannot see
    assert again.digest(source) == first
    aged(source)
    assert again.digest(source) == sha256_bytes(b"two")


def test_a_file_changed_just_now_is_not_remembered(tmp_path: Path) -> None:
    source = tmp_path / "a.py"
    source.write_text("one")
    digests = FileDigests(tmp_path / "cache", tmp_path)
    digests.digest(source)
    state = source.stat()
    source.write_text("two")
    os.utime(source, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert digests.digest(source) == sha256_bytes(b"two")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FilesystemError, match=r"gone\.py"):
        FileDigests(tmp_path, tmp_path).digest(tmp_path / "gone.py")


def test_a_finished_file_is_taken_over(store: Store) -> None:
    with store.scratch() as folder:
        (folder / "wheel").write_bytes(b"content")
        store.adopt(folder / "wheel", sha256_bytes(b"content"))
        assert not (folder / "wheel").exists()
    assert store.read(sha256_bytes(b"content")) == b"content"


def test_a_build_goes_by_what_it_saw_first(tmp_path: Path) -> None:
    source = tmp_path / "module.py"
    source.write_bytes(b"one")
    digests = FileDigests(tmp_path / "cache", tmp_path)
    assert digests.planned(source) == (sha256_bytes(b"one"), 3)
    source.write_bytes(b"three")
    assert digests.planned(source) == (sha256_bytes(b"one"), 3)
    assert digests.digest(source) == sha256_bytes(b"three")
