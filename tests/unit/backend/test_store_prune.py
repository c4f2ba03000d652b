"""What goes when the store is too large, what is spared, and who is asked."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypackpack.backend import filesystem, links
from pypackpack.backend.store import Store
from pypackpack.backend.store_leases import check_no_links, gate, lease, leases
from pypackpack.backend.store_prune import DAY, Count, add_size, note_size, prune, sweep, walk
from pypackpack.backend.store_verify import verify
from pypackpack.model.action import ActionResult
from pypackpack.model.errors import ConflictError, FilesystemError

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = 4096
HOUR = 3600.0


def key(number: int) -> str:
    return hashlib.sha256(f"key {number}".encode()).hexdigest()


def put(store: Store, number: int, *contents: bytes, age: float = 0.0) -> str:
    """Record a result whose entries were last used so long ago."""
    outputs = {str(place): store.put(content) for place, content in enumerate(contents)}
    store.record(key(number), ActionResult(outputs))
    when = time.time() - age
    for digest in outputs.values():
        os.utime(store.root / "cas" / digest[:2] / digest, (when, when))
    os.utime(store.root / "ac" / key(number)[:2] / f"{key(number)}.json", (when, when))
    return key(number)


def known(store: Store, *keys: str) -> list[bool]:
    return [store.result(each) is not None for each in keys]


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    store = Store(tmp_path)
    old, newer, new = (put(store, number, b"%d" % number, age=(9 - number) * DAY) for number in range(3))
    done = prune(store.root, 4 * BLOCK)
    assert known(store, old, newer, new) == [False, True, True]
    assert (done.results, done.blobs, done.freed, done.size) == (1, 1, 2 * BLOCK, 4 * BLOCK)
    assert walk(store.root).size == 4 * BLOCK


def test_using_a_result_keeps_it(tmp_path: Path) -> None:
    store = Store(tmp_path)
    old, newer = put(store, 0, b"0", age=9 * DAY), put(store, 1, b"1", age=8 * DAY)
    assert store.result(old) is not None
    prune(store.root, 2 * BLOCK)
    assert known(store, old, newer) == [True, False]


def test_a_time_to_come_keeps_nothing_for_ever(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = put(store, 0, b"0", age=-900 * DAY)
    assert store.result(first) is not None
    assert walk(store.root).results.popitem()[1][1] <= time.time() + 1


def test_a_blob_lives_as_long_as_a_result_names_it(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put(store, 0, b"shared", b"own", age=9 * DAY)
    kept = put(store, 1, b"shared", age=1 * DAY)
    nobody = store.put(b"nobody's")
    done = prune(store.root, 2 * BLOCK)
    assert (done.results, done.blobs) == (1, 2)
    assert known(store, kept) == [True]
    assert not store.has(nobody)


def test_nothing_goes_from_a_store_that_is_small_enough(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = put(store, 0, b"0", age=900 * DAY)
    assert prune(store.root, 10**9).freed == 0
    assert known(store, first) == [True]


def test_older_than_goes_whatever_the_size(tmp_path: Path) -> None:
    store = Store(tmp_path)
    old, new = put(store, 0, b"0", age=31 * DAY), put(store, 1, b"1", age=29 * DAY)
    prune(store.root, None, before=time.time() - 30 * DAY)
    assert known(store, old, new) == [False, True]


def test_results_of_no_use_go(tmp_path: Path) -> None:
    store = Store(tmp_path, signers=("team",))
    damaged, missing = put(store, 0, b"0"), put(store, 1, b"1")
    (store.root / "ac" / damaged[:2] / f"{damaged}.json").write_bytes(b"{")
    (store.root / "cas").joinpath(hashlib.sha256(b"1").hexdigest()[:2], hashlib.sha256(b"1").hexdigest()).unlink()
    far = hashlib.sha256(b"far").hexdigest()
    store.record(missing, ActionResult({"out": far}), signer="team", sizes={far: 3})
    assert prune(store.root, None).results == 2
    # What a remote cache has need not be here.
    assert len(walk(store.root).results) == 1


def test_what_a_running_build_may_have_seen_is_spared(tmp_path: Path) -> None:
    store = Store(tmp_path)
    old, seen = put(store, 0, b"0", age=3 * HOUR), put(store, 1, b"1", age=0.5 * HOUR)
    with lease(store.root, "a build"):
        fresh = store.put(b"not named yet")
        done = prune(store.root, 0)
        assert known(store, old, seen) == [False, True]
        assert store.has(fresh)
        assert done.spared == 3 * BLOCK
    done = prune(store.root, 0)
    assert (done.size, done.spared) == (0, 0)


def test_a_result_that_is_used_while_others_go_is_spared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    first = put(store, 0, b"0", age=9 * DAY)
    from pypackpack.backend import store_prune  # noqa: PLC0415 - to be changed

    real = store_prune.walk

    def used_meanwhile(root: Path) -> object:
        there = real(root)
        store.result(first)
        return there

    with lease(store.root, "a build"):
        monkeypatch.setattr(store_prune, "walk", used_meanwhile)
        prune(store.root, 0)
    assert known(store, first) == [True]


@given(
    stock=st.lists(st.tuples(st.lists(st.integers(0, 5), max_size=3), st.integers(0, 400)), max_size=8),
    goal=st.integers(0, 20),
    spared=st.booleans(),
)
def test_no_result_ever_names_what_is_gone(
    stock: list[tuple[list[int], int]], goal: int, *, spared: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    for number, (contents, hours) in enumerate(stock):
        put(store, number, *(b"%d" % content for content in contents), age=hours * HOUR)
    if spared:
        with lease(store.root, "a build"):
            done = prune(store.root, goal * BLOCK)
    else:
        done = prune(store.root, goal * BLOCK)
        assert done.size <= goal * BLOCK
    assert done.size == walk(store.root).size
    found = verify(store.root, lambda *_: None)
    assert (found.damaged, found.useless) == ((), 0)
    named = {
        digest
        for number in range(len(stock))
        for result in [store.result(key(number))]
        if result
        for digest in result.outputs.values()
    }
    assert spared or walk(store.root).blobs.keys() == named


def test_a_lease_lasts_as_long_as_its_block(tmp_path: Path) -> None:
    with lease(tmp_path, "a build of /here") as held:
        (found,) = leases(tmp_path)
        assert (found.name, found.who) == (held.name, "a build of /here")
        assert abs(found.start - time.time()) < 60
        with lease(tmp_path, "another"):
            assert len(leases(tmp_path)) == 2
    assert leases(tmp_path) == []
    assert list((tmp_path / "leases").iterdir()) == []


def test_a_killed_build_is_noticed_once(tmp_path: Path) -> None:
    with lease(tmp_path, "first") as held:
        assert not held.others_died
    note_size(tmp_path, 100)
    (tmp_path / "leases" / "4711-0123456789ab").touch()  # nobody holds it
    with lease(tmp_path, "second") as held:
        assert held.others_died
        assert len(leases(tmp_path)) == 1
    # What the dead one wrote was not counted.
    assert add_size(tmp_path, 10) is None
    with lease(tmp_path, "third") as held:
        assert not held.others_died


def test_who_prunes_is_alone_at_the_gate(tmp_path: Path) -> None:
    with gate(tmp_path), pytest.raises(ConflictError), gate(tmp_path, wait=False):
        pass
    with lease(tmp_path, "a build"), gate(tmp_path, wait=False):
        pass


def test_leftovers_of_the_dead_go_and_those_of_the_living_stay(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put(store, 0, b"0")
    aside = next((store.root / "cas").iterdir()) / ".new-0123456789abcdef"
    with lease(store.root, "a build") as held:
        mine = tmp_path / "tmp" / f"build-{held.name}-000000000000" / "deep"
        dead = tmp_path / "tmp" / "build-4711-0123456789ab-000000000000" / "deep"
        recent, ancient = (tmp_path / "tmp" / f"import-{number:012x}" for number in (1, 2))
        for folder in (mine, dead, recent, ancient, store.root / "tmp" / ".work-000000000001"):
            folder.mkdir(parents=True)
        zig = [tmp_path / "zig-v1" / "0.17.0" / "tmp" / name for name in ("old.tmp", "new.tmp")]
        zig[0].parent.mkdir(parents=True)
        for place in zig:
            place.touch()
        os.utime(ancient, (1, 1))
        os.utime(zig[0], (1, 1))
        aside.write_text("somebody is writing")
        assert sweep(tmp_path, ()) == 3
        assert [path.exists() for path in zig] == [False, True]
        assert prune(store.root, None).leftovers == 0
        assert mine.is_dir()
        assert recent.is_dir()
        assert aside.exists()
        assert not dead.parent.exists()
        assert not ancient.exists()
    assert prune(store.root, None).leftovers == 2
    assert not aside.exists()
    assert sweep(tmp_path, ()) == 1
    assert [path.name for path in (tmp_path / "tmp").iterdir()] == ["import-000000000001"]


def test_what_has_no_name_of_ours_is_not_swept(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put(store, 0, b"0")
    shelf = next((store.root / "cas").iterdir())
    foreign = [
        tmp_path / "tmp" / "build-of-my-house",
        tmp_path / "tmp" / "thesis",
        tmp_path / "notes" / ".thesis",
        store.root / "tmp" / "thesis",
        store.root / "leases" / "1-dead",
        shelf / "thesis",
        store.root / "ac" / "thesis.json",
    ]
    for place in foreign:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
        os.utime(place, (1, 1))
    with lease(store.root, "a build") as held:
        assert not held.others_died
    assert sweep(tmp_path, ["notes"]) == 0
    assert prune(store.root, 0).leftovers == 0
    assert [place for place in foreign if not place.exists()] == []


@pytest.mark.parametrize("name", ["tmp", "store-v2/leases", "store-v2/cas", "store-v2/tmp", "store-v2/signed/team", "zig-v1"])
def test_nothing_is_removed_through_a_link(tmp_path: Path, name: str) -> None:
    victim = tmp_path / "victim"
    digest = "0" * 64
    for place in (
        *(victim / part for part in ("4711-0123456789ab", "import-000000000002", ".work-000000000003", ".new-0123456789abcdef")),
        victim / "00" / digest,
        victim / "00" / f"{digest}.json",
        victim / "0.17.0" / "tmp" / "thesis",
    ):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
        os.utime(place, (1, 1))
    before = sorted(victim.rglob("*"))
    link = tmp_path / "cache" / name
    link.parent.mkdir(parents=True)
    links.link(link, victim)
    store = Store(tmp_path / "cache")
    if name != "store-v2/leases":
        with lease(store.root, "a build"):
            pass
    assert leases(store.root) == []
    sweep(tmp_path / "cache", ["zig-v1"])
    prune(store.root, 0)
    assert sorted(victim.rglob("*")) == before
    refused = name in {"tmp", "store-v2/leases", "store-v2/cas", "store-v2/tmp"}
    with pytest.raises(FilesystemError, match="is a link") if refused else contextlib.nullcontext():
        check_no_links(tmp_path / "cache")


def test_sizes_are_added_up_without_looking(tmp_path: Path) -> None:
    assert add_size(tmp_path, 5) is None
    note_size(tmp_path, 100)
    add_size(tmp_path, 5)
    found = add_size(tmp_path, 6)
    assert found is not None
    assert (found.size, found.counted) == (111, 100)
    (tmp_path / "size.json").write_text("[1]")
    assert add_size(tmp_path, 1) is None


@pytest.mark.parametrize(
    ("count", "due"),
    [
        (Count(100, 0, 1000.0), False),  # not too large
        (Count(101, 0, 1000.0), True),  # it has grown
        (Count(120, 119, 1000.0), False),  # was walked just now, and stayed too large
        (Count(125, 119, 1000.0), True),  # and has grown since
        (Count(120, 119, 1000.0 - 2 * HOUR), True),  # or that is long ago
        (Count(120, 119, 1000.0 + 2 * HOUR), True),  # or the clock was set back
    ],
)
def test_when_a_store_is_pruned(count: Count, due: bool) -> None:
    assert count.is_due(100, 1010.0) is due


def test_who_holds_a_lock_can_be_asked(tmp_path: Path) -> None:
    place = tmp_path / "lock"
    assert not filesystem.is_held(place)
    assert not place.exists()
    with filesystem.lock(place):
        assert filesystem.is_held(place)
    assert not filesystem.is_held(place)
