"""The cache around a build: counted, pruned when it has grown too large, swept after a kill; and the commands about it."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

import pypackpack
from pypackpack.backend.store import Store
from pypackpack.backend.store_leases import gate, lease
from pypackpack.backend.store_prune import add_size, walk
from pypackpack.middleware.cache import clear, in_use, info, prune, settings_at, settle, verify
from pypackpack.model.action import ActionResult
from pypackpack.model.build import Silent
from pypackpack.model.errors import ConflictError, FilesystemError, NoProjectError

BLOCK = 4096


def fill(cache: Path, count: int, *, age: float = 0.0) -> Store:
    """Let a store have so many results of one blob each."""
    store = Store(cache)
    for number in range(count):
        key = f"{number:064x}"
        store.record(key, ActionResult({"out": store.put(b"%d" % number)}))
        when = time.time() - age
        for path in (*store.root.glob(f"ac/*/{key}.json"), *store.root.glob("cas/*/*")):
            os.utime(path, (when, when))
    return store


def test_a_build_has_a_folder_of_its_own_and_is_seen(tmp_path: Path) -> None:
    with in_use(tmp_path, "a build of /here", Silent()) as use:
        assert use.scratch.is_dir()
        assert info(tmp_path, 100).builds == ("a build of /here",)
    assert not use.scratch.exists()
    assert info(tmp_path, 100).builds == ()


def test_what_a_build_wrote_is_counted(tmp_path: Path) -> None:
    watcher = Silent()
    store = fill(tmp_path, 2)
    settle(store, tmp_path, 10**9, watcher)
    again = Store(tmp_path)
    again.put(b"more")
    settle(again, tmp_path, 10**9, watcher)
    count = add_size(store.root, 0)
    assert count is not None
    assert count.size == walk(store.root).size == 5 * BLOCK
    assert watcher.notes == []


def test_the_store_is_not_walked_while_it_is_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = fill(tmp_path, 2)
    settle(store, tmp_path, 10**9, Silent())
    again = Store(tmp_path)
    again.put(b"more")
    monkeypatch.setattr("pypackpack.backend.store_prune.walk", lambda _root: pytest.fail("it was walked"))
    settle(again, tmp_path, 10**9, Silent())
    settle(Store(tmp_path), tmp_path, 0, Silent())  # wrote nothing


def test_a_store_that_has_grown_too_large_is_pruned_and_that_is_said(tmp_path: Path) -> None:
    watcher = Silent()
    store = fill(tmp_path, 30, age=9 * 86400)
    settle(store, tmp_path, 40 * BLOCK, watcher)
    assert walk(store.root).size == 36 * BLOCK
    (note,) = watcher.notes
    assert "not used for longest" in note


def test_a_count_that_was_too_high_takes_nothing_away(tmp_path: Path) -> None:
    watcher = Silent()
    store = fill(tmp_path, 19, age=9 * 86400)
    settle(store, tmp_path, 40 * BLOCK, watcher)
    again = Store(tmp_path)
    for _ in range(20):
        again.put(b"0")  # which was there
    settle(again, tmp_path, 40 * BLOCK, watcher)
    assert walk(store.root).size == 38 * BLOCK
    assert watcher.notes == []
    count = add_size(store.root, 0)
    assert count is not None
    assert count.size == 38 * BLOCK


def test_a_store_that_builds_need_all_of_is_left_alone(tmp_path: Path) -> None:
    watcher = Silent()
    store = fill(tmp_path, 30)
    with lease(store.root, "another build"):
        settle(store, tmp_path, 40 * BLOCK, watcher)
    assert walk(store.root).size == 60 * BLOCK
    (note,) = watcher.notes
    assert "builds need all that is in it" in note


def test_who_is_in_a_hurry_prunes_nothing(tmp_path: Path) -> None:
    store = fill(tmp_path, 30)
    settle(store, tmp_path, 0, Silent(), hurry=True)
    assert walk(store.root).size == 60 * BLOCK


def test_nothing_that_goes_wrong_afterwards_is_the_builds_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = fill(tmp_path, 3)
    with gate(store.root):
        settle(store, tmp_path, 0, Silent())
    assert walk(store.root).size == 6 * BLOCK

    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pypackpack.backend.store_prune.walk", refused)
    (store.root / "size.json").unlink()
    settle(store, tmp_path, 0, Silent())


def test_after_a_kill_leftovers_are_swept(tmp_path: Path) -> None:
    store = fill(tmp_path, 1)
    left = tmp_path / "tmp" / "build-4711-0123456789ab-000000000000"
    left.mkdir(parents=True)
    settle(store, tmp_path, 10**9, Silent())
    assert left.is_dir()
    settle(Store(tmp_path), tmp_path, 10**9, Silent(), sweep=True)
    assert not left.exists()


def test_info_of_a_cache_that_is_not_there(tmp_path: Path) -> None:
    found = info(tmp_path / "none", 7)
    assert (found.buckets, found.size, found.entries, found.oldest, found.limit) == ((), 0, 0, None, 7)
    assert not (tmp_path / "none").exists()


def test_info_names_the_parts(tmp_path: Path) -> None:
    fill(tmp_path, 2, age=40 * 86400)
    (tmp_path / "tools-v1" / "zig").mkdir(parents=True)
    (tmp_path / "tools-v1" / "zig" / "zig").write_bytes(bytes(BLOCK + 1))
    (tmp_path / "store-v1").mkdir()
    (tmp_path / "store-v1" / "x").touch()
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.txt").write_text("not ours")
    found = info(tmp_path, 100)
    assert {each.name: each.files for each in found.buckets} == {"blobs": 2, "results": 2, "tools": 1, "older": 1}
    assert {each.name: each.size for each in found.buckets}["tools"] == 2 * BLOCK
    assert (found.entries, found.store) == (4, 4 * BLOCK)
    assert found.oldest is not None
    assert found.oldest < time.strftime("%Y-%m-%d", time.gmtime(time.time() - 39 * 86400))


def test_prune_takes_what_older_versions_left(tmp_path: Path) -> None:
    for name in ("store-v1", "store-v999", "digests-v1", "thesis-v1"):
        (tmp_path / name).mkdir()
    assert prune(tmp_path, 10**9, Silent()).leftovers == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["store-v999", "thesis-v1"]
    fill(tmp_path, 2)
    (tmp_path / "store-v1").mkdir()
    done = prune(tmp_path, 0, Silent())
    assert (done.results, done.blobs, done.leftovers, done.size) == (2, 2, 1, 0)


def test_verify_tells_how_far_it_is(tmp_path: Path) -> None:
    store = fill(tmp_path, 2)
    next(store.root.glob("cas/*/*")).write_bytes(b"")
    steps: list[tuple[int, int]] = []

    class Watching(Silent):
        def step(self, event: object) -> None:
            steps.append((event.done, event.total))  # type: ignore[attr-defined]

    found = verify(tmp_path, Watching())
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert (found.entries, len(found.damaged), found.useless) == (4, 1, 1)
    assert found.damaged[0].startswith(os.path.join("store-v2", "cas"))  # noqa: PTH118 - as text
    assert verify(tmp_path, Silent()).damaged == ()


def test_clear_takes_all_but_the_tools_and_what_is_not_ours(tmp_path: Path) -> None:
    store = fill(tmp_path, 2)
    settle(store, tmp_path, 10**9, Silent())
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "zig").touch()
    (tmp_path / "tools-v1").symlink_to(elsewhere, target_is_directory=True)
    (tmp_path / "thesis.txt").write_text("not ours")
    done = clear(tmp_path, Silent())
    assert [each.name for each in done.buckets] == ["blobs", "results"]
    assert done.freed == 4 * BLOCK
    assert walk(store.root).size == 0
    assert (tmp_path / "tools-v1" / "zig").is_file()
    assert [each.name for each in clear(tmp_path, Silent(), tools=True).buckets] == ["tools"]
    assert (elsewhere / "zig").is_file()
    assert (tmp_path / "thesis.txt").is_file()
    assert clear(tmp_path, Silent(), tools=True).buckets == ()


def test_clear_takes_nothing_from_a_running_build(tmp_path: Path) -> None:
    store = fill(tmp_path, 2)
    with in_use(tmp_path, "a build of /here", Silent()), pytest.raises(ConflictError, match="1 build is using") as caught:
        clear(tmp_path, Silent())
    assert caught.value.details == "a build of /here"
    assert walk(store.root).size == 4 * BLOCK


def test_settings_come_from_the_project_if_there_is_one(tmp_path: Path) -> None:
    assert settings_at(tmp_path).folder is None
    with pytest.raises(NoProjectError):
        settings_at(tmp_path, named=True)
    text = '[project]\nname = "whole"\nversion = "1.0"\n\n[tool.pypackpack]\npackages = []\n[tool.pypackpack.cache]\n'
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "pyproject.toml").write_text(text + f"folder = '{tmp_path / 'here'}'\nsize = \"30 MB\"\n")
    found = settings_at(tmp_path / "project")
    assert (found.folder, found.size) == (tmp_path / "here", 30_000_000)


@pytest.mark.parametrize("name", ["tmp", "store-v2"])
def test_a_cache_with_links_in_it_is_refused_by_whoever_removes(tmp_path: Path, name: str) -> None:
    victim, cache = tmp_path / "victim", tmp_path / "cache"
    (victim / "leases").mkdir(parents=True)
    (victim / "leases" / "4711-0123456789ab").touch()
    cache.mkdir()
    (cache / name).symlink_to(victim, target_is_directory=True)
    for use in (
        lambda: in_use(cache, "a build", Silent()).__enter__(),
        lambda: prune(cache, 0, Silent()),
        lambda: verify(cache, Silent()),
        lambda: clear(cache, Silent(), tools=True),
    ):
        with pytest.raises(FilesystemError, match=rf"{name} is a link"):
            use()
    assert (victim / "leases" / "4711-0123456789ab").is_file()
    assert len(list(victim.rglob("*"))) == 2


def test_every_folder_of_a_cache_is_known_to_the_commands_and_told(tmp_path: Path) -> None:
    """Whatever names a folder with a version writes into one that `cache info`, `prune` and `clear` know, and the docs name."""
    root = Path(pypackpack.__file__).parent
    named = {name for file in root.rglob("*.py") for name in re.findall(r'"([a-z]+(?:-[a-z]+)*-v\d+)"', file.read_text("utf-8"))}
    assert {"store-v2", "zig-v1"} <= named
    for name in named - {"store-v2"}:
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_bytes(b"1")
    found = info(tmp_path, 100)
    assert sum(bucket.files for bucket in found.buckets) == len(named) - 1
    page = (root.parent / "docs" / "how-to" / "offline.md").read_text("utf-8")
    assert [name for name in sorted(named) if f"`{name}`" not in page] == []
