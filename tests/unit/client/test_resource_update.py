"""From one archive to the next with what is missing, and nothing more."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pypackpack.client import resource_update
from pypackpack.client.resource import DamagedResourceError, Resource, open_resource
from pypackpack.client.resource_format import HEADER, head_size, parse_head
from pypackpack.client.resource_update import difference, update
from tests.unit.client.resource_forge import archive, noise

if TYPE_CHECKING:
    from pathlib import Path

OLD = {"a.bin": noise(50_000, 1), "b.txt": b"same\n" * 4000, "gone": noise(9000, 9)}
NEW = {"a.bin": OLD["a.bin"][:40_000] + b"!" + OLD["a.bin"][40_001:], "b.txt": OLD["b.txt"], "fresh": noise(3000, 4)}


class Far:
    """The next archive, somewhere else."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.asked: list[tuple[int, int]] = []

    def __call__(self, start: int, count: int) -> bytes:
        self.asked.append((start, count))
        return self.data[start : start + count]

    def head(self) -> bytes:
        begin = self.data[: HEADER.size]
        return self.data[: head_size(begin)]


def test_what_is_missing_is_fetched_and_the_next_archive_is_the_same_to_the_byte(tmp_path: Path) -> None:
    far, place = Far(archive(NEW, 5000)), tmp_path / "deep" / "new.resource"
    with Resource(io.BytesIO(archive(OLD, 5000))) as old:
        found = difference([old.index], parse_head(far.head()))
        assert (found.added, found.removed, found.changed) == (("fresh",), ("gone",), ("a.bin",))
        assert update([old], far.head(), far, place) == found
    assert place.read_bytes() == far.data
    assert far.asked == list(found.ranges)
    assert sum(count for _, count in far.asked) == found.missing
    assert found.fetch == found.missing + len(far.head())
    assert found.missing < 5000 + 3000 + 5000
    assert found.chunks[0] < found.chunks[1]
    assert list(place.parent.iterdir()) == [place]


def test_nothing_changed_and_nothing_there(tmp_path: Path) -> None:
    data = archive(OLD, 5000)
    far, place = Far(data), tmp_path / "x.resource"
    with Resource(io.BytesIO(data)) as old:
        assert update([old], far.head(), far, place).missing == 0
    assert far.asked == []
    found = update([], far.head(), far, place)
    assert (found.fetch, found.added) == (len(data), tuple(sorted(OLD)))
    assert place.read_bytes() == data


def test_several_old_archives_give_what_they_have(tmp_path: Path) -> None:
    far = Far(archive(NEW, 5000))
    with Resource(io.BytesIO(archive(OLD, 5000))) as one, Resource(io.BytesIO(archive({"fresh": NEW["fresh"]}, 5000))) as two:
        alone = difference([one.index], parse_head(far.head())).missing
        found = update([one, two], far.head(), far, tmp_path / "x")
    assert found.missing == alone - len(NEW["fresh"])
    assert (tmp_path / "x").read_bytes() == far.data


def test_large_ranges_are_asked_for_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource_update, "MOST_FETCHED", 7000)
    far = Far(archive({"a": noise(100_000)}, 5000))
    update([], far.head(), far, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == far.data
    assert max(count for _, count in far.asked) == 7000


def test_what_comes_damaged_changes_nothing(tmp_path: Path) -> None:
    place = tmp_path / "x.resource"
    place.write_bytes(b"before")
    far = Far(archive(NEW, 5000))
    head = far.head()
    broken = bytearray(far.data)
    broken[-1] ^= 1
    answers = [bytes(broken), far.data[:-1], far.data + b"more"]
    for answer in answers:
        with Resource(io.BytesIO(archive(OLD, 5000))) as old, pytest.raises(DamagedResourceError):
            update([old], head, lambda start, count, answer=answer: answer[start : start + count + (len(answer) > len(far.data))], place)
        assert place.read_bytes() == b"before"
        assert list(tmp_path.iterdir()) == [place]

    def away(_start: int, _count: int) -> bytes:
        raise ConnectionError

    with pytest.raises(DamagedResourceError, match="another one"):
        update([], head, far, place, identity="0" * 64)
    assert list(tmp_path.iterdir()) == [place]
    with pytest.raises(ConnectionError):
        update([], head, away, place)
    assert place.read_bytes() == b"before"


def test_an_old_archive_that_is_damaged_gives_nothing(tmp_path: Path) -> None:
    data = bytearray(archive(OLD, 5000))
    data[-1] ^= 1
    far = Far(archive(OLD, 5000))
    with Resource(io.BytesIO(bytes(data))) as old, pytest.raises(DamagedResourceError):
        update([old], far.head(), far, tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_what_had_come_before_the_connection_broke_is_not_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource_update, "MOST_FETCHED", 7000)
    place = tmp_path / "x.resource"
    place.write_bytes(b"before")
    far = Far(archive({"a": noise(100_000), "b": bytes(20_000)}, 5000))
    left = 50_000

    def fetch(start: int, count: int) -> bytes:
        if sum(each for _, each in far.asked) + count > left:
            raise ConnectionError
        return far(start, count)

    with pytest.raises(ConnectionError):
        update([], far.head(), fetch, place)
    (aside,) = set(tmp_path.iterdir()) - {place}
    assert place.read_bytes() == b"before"
    assert aside.stat().st_size > 40_000
    with aside.open("ab") as stream:  # of a chunk that was being written, a part may be there
        stream.write(b"half of something")
    first = sum(count for _, count in far.asked)
    far.asked.clear()
    found = update([], far.head(), far, place)
    assert place.read_bytes() == far.data
    assert list(tmp_path.iterdir()) == [place]
    assert found.missing - first <= sum(count for _, count in far.asked) <= found.missing - first + 7000


def test_whatever_lies_where_it_is_made_is_no_harm(tmp_path: Path) -> None:
    place, far = tmp_path / "x.resource", Far(archive(NEW, 5000))

    def away(_start: int, _count: int) -> bytes:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        update([], far.head(), away, place)
    (aside,) = tmp_path.iterdir()
    damaged = bytearray(far.data)
    damaged[len(far.head()) + 30] ^= 1
    for there in (b"", b"garbage" * 9000, far.head()[:-1], far.data, far.data + b"more", bytes(damaged)):
        aside.write_bytes(there)
        update([], far.head(), far, place)
        assert place.read_bytes() == far.data
        assert list(tmp_path.iterdir()) == [place]
    other = tmp_path / (aside.name[:-37] + "0" * 32 + ".part")  # of a version that nobody wants any more
    other.write_bytes(b"old")
    update([], far.head(), far, place)
    assert list(tmp_path.iterdir()) == [place]


def test_two_that_make_the_same_archive_do_not_disturb_each_other(tmp_path: Path) -> None:
    place, far = tmp_path / "x.resource", Far(archive(NEW, 5000))
    refused = []

    def fetch(start: int, count: int) -> bytes:
        if not refused:
            with pytest.raises(BlockingIOError, match="another process"):
                update([], far.head(), far, place)
            refused.append(True)
        return far(start, count)

    update([], far.head(), fetch, place)
    assert refused
    assert place.read_bytes() == far.data
    assert list(tmp_path.iterdir()) == [place]


def test_the_next_one_takes_the_place_of_the_old(tmp_path: Path) -> None:
    place = tmp_path / "x.resource"
    place.write_bytes(archive(OLD, 5000))
    far = Far(archive(NEW, 5000))
    with open_resource(place) as old:
        head = far.head()
        new = tmp_path / "new"
        update([old], head, far, new)
    new.replace(place)
    with open_resource(place, identity=parse_head(far.head()).identity) as now:
        now.verify()
        assert {entry.path: now.read(entry.path) for entry in now} == NEW


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_two_archives(tmp_path: Path, data: st.DataObject) -> None:
    pool = data.draw(st.lists(st.binary(min_size=1, max_size=400), min_size=1, max_size=5))
    contents = st.lists(st.sampled_from(pool), max_size=8).map(b"".join)
    files = st.dictionaries(st.sampled_from(["a", "b", "c/d", "c/e", "f"]), contents, max_size=5)
    old, new = archive(data.draw(files), 100), Far(archive(data.draw(files), 100))
    with Resource(io.BytesIO(old)) as before:
        found = update([before], new.head(), new, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == new.data
    assert sum(count for _, count in new.asked) == found.missing
