"""The store: what it gives back, and what it does with damage."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend import filesystem
from pypackpack.backend.digests import VERSION, FileDigests
from pypackpack.backend.filesystem import sha256_bytes
from pypackpack.backend.store import Store, parse_result, sealed
from pypackpack.model.action import ActionResult
from pypackpack.model.errors import ConflictError, FilesystemError

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


class Readings:
    """Counts how often a file's content is read for its digest."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        real = filesystem.sha256_file

        def counted(path: Path) -> str:
            self.count += 1
            return real(path)

        monkeypatch.setattr(filesystem, "sha256_file", counted)


def later() -> int:
    """Tell a time at which nothing changed just now."""
    return time.time_ns() + 10**10


def test_an_unchanged_file_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "a.py"
    source.write_text("one")
    aged(source)
    digests = FileDigests(tmp_path / "cache", tmp_path, clock=later)
    first = digests.digest(source)
    digests.save()
    readings = Readings(monkeypatch)
    assert FileDigests(tmp_path / "cache", tmp_path, clock=later).digest(source) == first
    assert readings.count == 0


def test_a_change_is_seen_although_size_and_time_were_put_back(tmp_path: Path) -> None:
    source = tmp_path / "a.py"
    source.write_text("one")
    aged(source)
    digests = FileDigests(tmp_path / "cache", tmp_path, clock=later)
    digests.digest(source)
    digests.save()
    again = FileDigests(tmp_path / "cache", tmp_path, clock=later)
    state = source.stat()
    source.write_text("two")
    os.utime(source, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert again.digest(source) == sha256_bytes(b"two")
    replacement = tmp_path / "b.py"
    replacement.write_text("six")
    os.utime(replacement, ns=(state.st_atime_ns, state.st_mtime_ns))
    replacement.replace(source)
    assert again.digest(source) == sha256_bytes(b"six")


def test_nothing_is_believed_that_was_remembered_at_a_time_to_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "a.py"
    source.write_text("one")
    aged(source)
    late = FileDigests(tmp_path / "cache", tmp_path, clock=lambda: time.time_ns() + 10**12)
    late.digest(source)
    late.save()
    readings = Readings(monkeypatch)
    assert FileDigests(tmp_path / "cache", tmp_path).digest(source) == sha256_bytes(b"one")
    assert readings.count == 1


def test_a_file_with_a_time_to_come_is_read_every_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "a.py"
    source.write_text("one")
    aged(source, -1000)
    digests, readings = FileDigests(tmp_path / "cache", tmp_path), Readings(monkeypatch)
    digests.digest(source)
    digests.digest(source)
    assert readings.count == 2


def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "a.py"
    source.write_text("one")
    real, changes = filesystem.sha256_file, ["two!", "three"]

    def disturbed(path: Path) -> str:
        digest = real(path)
        if changes:
            path.write_text(changes.pop(0))
        return digest

    monkeypatch.setattr(filesystem, "sha256_file", disturbed)
    assert FileDigests(tmp_path / "cache", tmp_path).digest(source) == sha256_bytes(b"three")
    changes += [f"{number:06}" for number in range(100)]
    with pytest.raises(ConflictError, match=r"a\.py changes while it is read"):
        FileDigests(tmp_path / "cache", tmp_path).digest(source)


def test_a_file_changed_just_now_is_not_remembered(tmp_path: Path) -> None:
    source = tmp_path / "a.py"
    source.write_text("one")
    digests = FileDigests(tmp_path / "cache", tmp_path)
    digests.digest(source)
    state = source.stat()
    source.write_text("two")
    os.utime(source, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert digests.digest(source) == sha256_bytes(b"two")


def test_a_file_whose_entry_changed_just_now_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "a.py"
    source.write_text("one")
    aged(source)  # the time of the content is long ago, as after cp -p
    digests, readings = FileDigests(tmp_path / "cache", tmp_path), Readings(monkeypatch)
    digests.digest(source)
    digests.digest(source)
    assert readings.count == (1 if sys.platform == "win32" else 2)  # which has no such time


def test_what_is_nested_without_end_is_damage(tmp_path: Path) -> None:
    deep = b"[" * 200_000
    with pytest.raises(ValueError, match="recursion"):
        parse_result(sealed(deep, "key"), "key")
    digests = FileDigests(tmp_path / "cache", tmp_path)
    digests._place.parent.mkdir(parents=True)
    digests._place.write_bytes(sealed(deep, VERSION))
    (tmp_path / "a.py").write_text("one")
    assert FileDigests(tmp_path / "cache", tmp_path).digest(tmp_path / "a.py") == sha256_bytes(b"one")


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
