"""Archives of data files are read where they lie."""

from __future__ import annotations

import io
import sys
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import as_file
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pypackpack.client.resource import DamagedResourceError, Resource, open_resource
from tests.unit.client.resource_forge import CHUNK, FILES, archive, noise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def resource() -> Iterator[Resource]:
    with Resource(io.BytesIO(archive())) as opened:
        yield opened


def test_what_is_in_it(resource: Resource) -> None:
    assert [entry.path for entry in resource] == sorted(FILES)
    assert len(resource) == len(FILES)
    assert "top.txt" in resource
    assert "data" not in resource
    assert (resource.index.manifest.name, resource.index.manifest.version, resource.index.manifest.tag) == ("demo", "1.0", "any")
    assert {path: resource.read(path) for path in FILES} == FILES
    resource.verify()
    with pytest.raises(FileNotFoundError, match="nowhere"):
        resource.read("nowhere")


def test_the_same_content_stands_there_once(resource: Resource) -> None:
    twice = [resource.entry(path) for path in ("data/prices.bin", "data/twice.bin")]
    assert twice[0].offset == twice[1].offset
    assert any(chunk.repeated for chunk in Resource(io.BytesIO(archive({"z": bytes(90_000)}))).index.chunks())
    assert Resource(io.BytesIO(archive({"z": bytes(90_000)}))).read("z", 35_000, 30_000) == bytes(30_000)


def test_a_folder_is_walked_as_one_of_importlib(resource: Resource) -> None:
    root = resource.files()
    assert root.name == "demo"
    assert [path.name for path in root.iterdir()] == ["data", "top.txt"]
    assert [path.is_dir() for path in root.iterdir()] == [True, False]
    head = root / "data" / "letters/head.txt"
    assert (head.name, str(head), head.is_file(), head.is_dir()) == ("head.txt", "data/letters/head.txt", True, False)
    assert head.read_text() == FILES["data/letters/head.txt"].decode()
    assert head.read_text(encoding="latin-1")[2] == "Ã"
    assert (root.joinpath("top.txt")).read_text() == "first\nsecond\n"
    with (root / "top.txt").open("r", newline="") as stream:
        assert stream.readline() == "first\r\n"
    assert root.joinpath("data", "prices.bin").read_bytes() == FILES["data/prices.bin"]
    assert head == root.joinpath("data").joinpath("letters").joinpath("head.txt")
    assert len({head, root / "data/letters/head.txt"}) == 1


def test_what_a_folder_refuses(resource: Resource) -> None:
    root = resource.files()
    for path in (root / "nothing", root / "data" / ".." / "top.txt", root / "top.txt" / "below"):
        assert not path.is_file()
        assert not path.is_dir()
        with pytest.raises(FileNotFoundError):
            path.read_bytes()
        with pytest.raises(FileNotFoundError):
            path.open("rb")
        with pytest.raises(FileNotFoundError):
            path.iterdir()
    for read in ((root / "data").open, (root / "data").read_bytes, (root / "data").read_text):
        with pytest.raises(IsADirectoryError):
            read()
    with pytest.raises(NotADirectoryError):
        (root / "top.txt").iterdir()
    with pytest.raises(ValueError, match="for reading"):
        (root / "top.txt").open("w")


def test_it_is_a_traversable_of_importlib(resource: Resource) -> None:
    if sys.version_info >= (3, 11):
        from importlib.resources.abc import Traversable  # noqa: PLC0415 - not on Python 3.10
    else:
        from importlib.abc import Traversable  # noqa: PLC0415 - as above
    assert isinstance(resource.files(), Traversable)


def test_importlib_makes_a_file_of_it(resource: Resource) -> None:
    with as_file(resource.files() / "data" / "prices.bin") as path:  # type: ignore[arg-type]
        assert path.read_bytes() == FILES["data/prices.bin"]


def test_a_file_behaves_as_one(resource: Resource) -> None:
    data = FILES["data/prices.bin"]
    with resource.open("data/prices.bin") as raw:
        assert (raw.readable(), raw.seekable(), raw.writable(), raw.name) == (True, True, False, "data/prices.bin")
        assert raw.seek(-10, io.SEEK_END) == len(data) - 10
        assert raw.read() == data[-10:]
        assert raw.read(5) == b""
        assert raw.seek(len(data) + 100) == len(data) + 100
        assert raw.read(5) == b""
        assert (raw.seek(5), raw.seek(5, io.SEEK_CUR), raw.tell()) == (5, 10, 10)
        buffer = bytearray(7)
        assert raw.readinto(buffer) == 7
        assert buffer == data[10:17]
        for offset, whence in ((-1, 0), (-11_000_000, 1), (0, 7)):
            with pytest.raises(ValueError, match="no position"):
                raw.seek(offset, whence)
    with pytest.raises(ValueError, match="closed"):
        raw.read(1)
    with (resource.files() / "data/prices.bin").open("rb") as stream:
        assert stream.read(3) + stream.read() == data
        assert stream.seek(CHUNK - 1) == CHUNK - 1
        assert stream.read(2) == data[CHUNK - 1 : CHUNK + 1]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(offset=st.integers(-5, 75_000), count=st.integers(-1, 75_000), chunk=st.integers(1, 30_000), held=st.sampled_from([0, 5000, 1 << 20]))
def test_any_piece_of_a_file(offset: int, count: int, chunk: int, held: int) -> None:
    files = {"a": noise(10_000, 2), "b": FILES["data/prices.bin"][:30_000], "c": b"tail"}
    with Resource(io.BytesIO(archive(files, max(chunk, 200))), held=held) as opened:
        begin = max(offset, 0)
        assert opened.read("b", offset, count) == files["b"][begin : None if count < 0 else begin + count]


def test_threads_read_one_archive_side_by_side(tmp_path: Path) -> None:
    place = tmp_path / "x.resource"
    files = {f"f{number}": noise(40_000 + number, number) for number in range(12)}
    place.write_bytes(archive(files, 7000))
    with open_resource(place, held=30_000) as opened, ThreadPoolExecutor(8) as pool:
        start = threading.Barrier(8)

        def work(seed: int) -> None:
            start.wait()
            for path, data in sorted(files.items(), key=lambda each: hash((each[0], seed))):
                with (opened.files() / path).open("rb") as stream:
                    stream.seek(seed * 1000)
                    assert stream.read(9000) == data[seed * 1000 : seed * 1000 + 9000]
                assert opened.read(path) == data

        for each in [pool.submit(work, seed) for seed in range(8)]:
            each.result()


def test_memory_is_bounded(tmp_path: Path) -> None:
    place = tmp_path / "x.resource"
    place.write_bytes(archive({"big": noise(6 << 20)}, 200_000))
    with open_resource(place, held=1 << 20) as opened:
        tracemalloc.start()
        with opened.open("big") as stream:
            while stream.read(50_000):
                pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 2 << 20


def test_after_closing_nothing_is_read(tmp_path: Path) -> None:
    place = tmp_path / "x.resource"
    place.write_bytes(archive())
    opened = open_resource(place)
    stream = (opened.files() / "top.txt").open("rb")
    assert opened.read("top.txt") == FILES["top.txt"]
    opened.close()
    for read in (lambda: opened.read("top.txt"), lambda: stream.read(3), lambda: opened.read("data/zeros.bin")):
        with pytest.raises(ValueError, match="closed"):
            read()
    place.unlink()  # Windows lets it go


def test_only_the_archive_with_the_identity_that_was_wanted_is_opened(tmp_path: Path) -> None:
    place = tmp_path / "x.resource"
    place.write_bytes(archive())
    with open_resource(place) as opened:
        identity = opened.index.identity
    with open_resource(place, identity=identity) as opened:
        assert opened.read("top.txt") == FILES["top.txt"]
    place.write_bytes(archive({**FILES, "top.txt": b"other"}))
    for wanted, words in ((identity, "another one"), ("", "'' is no identity")):  # what a broken service answers is not "any"
        with pytest.raises(DamagedResourceError, match=words):
            open_resource(place, identity=wanted)


def test_an_archive_that_becomes_shorter_while_it_is_open(tmp_path: Path) -> None:
    place = tmp_path / "x.resource"
    place.write_bytes(archive())
    with open_resource(place) as opened:
        with place.open("r+b") as stream:
            stream.truncate(opened.index.head + 10)
        with pytest.raises(DamagedResourceError, match="shorter"):
            opened.read("data/prices.bin")
