"""Archives that somebody damaged or made up: refused before anything large is made."""

from __future__ import annotations

import io
import json
import struct
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pypackpack.client import resource_format
from pypackpack.client.resource import DamagedResourceError, Resource, ResourceError, UnsupportedResourceError
from pypackpack.client.resource_format import HEADER, MOST_CHUNK, head_size, parse_head
from tests.unit.client.resource_forge import FILES, archive, parts, sha, together

PARTS = parts()
PLAIN = json.dumps(PARTS[0])
GOOD = together(*PARTS)


def opened(data: bytes) -> None:
    """Read all there is."""
    with Resource(io.BytesIO(data)) as resource:
        resource.verify()


def refused(data: bytes, words: str = ".", error: type[ResourceError] = ResourceError) -> None:
    with pytest.raises(error, match=words):
        opened(data)


def test_a_forged_archive_that_says_what_it_should_is_read() -> None:
    opened(GOOD)
    opened(together(*parts({})))


def test_a_flipped_bit_anywhere() -> None:
    small = archive({"a.txt": b"aaaaaaaabbbbbbbb" * 20, "b": b"\x00\x01\x02" * 30}, 100)
    with Resource(io.BytesIO(small)) as resource:
        right = {entry.path: resource.read(entry.path) for entry in resource}
    unnoticed = 0
    for place in range(len(small)):
        damaged = bytearray(small)
        damaged[place] ^= 1 << place % 8
        try:
            with Resource(io.BytesIO(bytes(damaged))) as resource:
                assert {entry.path: resource.read(entry.path) for entry in resource} == right
            unnoticed += 1
        except ResourceError:
            pass
    assert unnoticed <= 12  # the last bits of a deflated piece mean nothing, and are not read


def test_a_cut_anywhere_and_something_behind_the_end() -> None:
    for length in [*range(400), *range(400, len(GOOD), 997), len(GOOD) - 1]:
        refused(GOOD[:length])
    refused(GOOD + b"\0", "behind its end")


@settings(max_examples=150)
@given(st.data())
def test_bytes_changed_at_random(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(GOOD) - 1))
    piece = data.draw(st.binary(min_size=0, max_size=40))
    changed = GOOD[:start] + piece + GOOD[start + data.draw(st.integers(0, 40)) :]
    if changed != GOOD:
        refused(changed)


def copied() -> tuple[dict[str, Any], list[tuple[bytes, int, int]], bytes]:
    return json.loads(PLAIN), list(PARTS[1]), PARTS[2]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20), lambda each: st.lists(each) | st.dictionaries(st.text(max_size=5), each), max_leaves=8
)


@settings(max_examples=120)
@given(st.data())
def test_a_manifest_with_anything_in_one_place(data: st.DataObject) -> None:
    manifest, rows, packed = copied()
    place: Any = manifest
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], (dict, list)) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    before = place[key]
    place[key] = data.draw(JSON)
    try:  # a path, or a name that nothing depends on, may be another one
        opened(together(manifest, rows, packed))
    except ResourceError:
        assert place[key] != before
    else:
        assert isinstance(before, str)


@settings(max_examples=100)
@given(st.data())
def test_a_table_with_anything_in_one_row(data: st.DataObject) -> None:
    manifest, rows, packed = copied()
    number = data.draw(st.integers(0, len(rows) - 1))
    sizes = st.integers(0, 0xFFFFFFFF) | st.sampled_from([row[1] for row in rows]) | st.sampled_from([row[2] for row in rows])
    row = (data.draw(st.sampled_from([sha(b""), *(each[0] for each in rows)])), data.draw(sizes), data.draw(sizes))
    same = row == rows[number]
    rows[number] = row
    if not same:
        refused(together(manifest, rows, packed))


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (b"[]", "should have"),
        (b"{", "wrong"),
        (b"[" * 100_000, "wrong"),
        (b'{"name": NaN}', "NaN is no number"),
        (b'{"name": "a", "name": "b"}', "twice"),
        (b"\xff", "wrong"),
        (b"1" * 5000, "wrong"),
    ],
)
def test_a_manifest_that_is_none(manifest: bytes, words: str) -> None:
    refused(together(manifest, [], b""), words, DamagedResourceError)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "is empty"),
        ("/etc/passwd", "is absolute"),
        ("C:/windows/x", "is absolute"),
        ("../outside", "leads out"),
        ("data/../../outside", "leads out"),
        ("data\\outside", "backslash"),
        ("data//x", "empty part"),
        ("data/", "empty part"),
        ("./x", "empty part"),
        ("a\nb", "control character"),
        ("a\0b", "control character"),
        ("\ud800", "not Unicode"),
        ("data/aux.txt", "device"),
        ("data/x.", "dot or a space"),
        ("data/a?b", "does not allow"),
        ("data/a:stream", "does not allow"),
        ("x" * 256, "longer than"),
        ("/".join(["abcdefgh"] * 120), "longer than"),
    ],
)
def test_a_path_that_no_archive_may_have(path: str, words: str) -> None:
    manifest, rows, packed = parts()
    manifest["files"][0][0] = path
    refused(together(manifest, rows, packed), words, DamagedResourceError)


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (("a", "a"), "twice"),
        (("Data/x", "data/y"), "same as another"),
        (("a.txt", "A.TXT"), "same as another"),
        (("\u00e9", "e\u0301"), "same as another"),
        (("a", "a/b"), "same as another"),
        (("a/b", "a"), "same as another"),
        (("A", "a/b"), "same as another"),
    ],
)
def test_paths_that_cannot_stand_beside_each_other(paths: tuple[str, str], words: str) -> None:
    manifest, rows, packed = parts({"one": b"1", "two": b"2"})
    for row, path in zip(manifest["files"], paths, strict=True):
        row[0] = path
    refused(together(manifest, rows, packed), words, DamagedResourceError)


def test_files_that_contradict_the_chunks() -> None:
    manifest, rows, packed = parts({"one": b"1" * 100})
    for size in (99, 101, 0):
        manifest["files"][0][1] = size
        refused(together(manifest, rows, packed), "chunks have", DamagedResourceError)
    manifest["files"][0] = ["one", 100, sha(b"other").hex()]
    refused(together(manifest, rows, packed), "one is not what its digest says", DamagedResourceError)
    digest = sha(b"1" * 100).hex()
    manifest["files"] = [["one", 100, digest], ["two", 50, digest]]
    refused(together(manifest, rows, packed), "another size", DamagedResourceError)


def test_chunks_that_are_no_chunks() -> None:
    manifest, rows, packed = parts({"one": bytes(3000)}, 1000)
    assert [row[2] > 0 for row in rows] == [True, False, False]
    for row in ((rows[0][0], 0, 0), (rows[0][0], MOST_CHUNK + 1, 5), (rows[0][0], 1000, 1001)):
        refused(together(manifest, [row, *rows[1:]], packed), "cannot have", DamagedResourceError)
    refused(together(manifest, [rows[1], rows[0], rows[2]], packed), "should stand there already", DamagedResourceError)
    wrong = [rows[0], (sha(b"never"), 1000, 0), rows[2]]
    refused(together(manifest, wrong, packed), "should stand there already", DamagedResourceError)
    refused(together(manifest, [rows[0], (rows[0][0], 999, 0), rows[2]], packed), "should stand there already", DamagedResourceError)
    refused(together(manifest, rows, packed + b"x"), "its data has", DamagedResourceError)
    refused(together(manifest, rows, packed, said_data=len(packed) + 1), "its data has", DamagedResourceError)


def test_a_chunk_that_unpacks_to_more_than_it_says() -> None:
    manifest, rows, packed = parts({"one": bytes(500_000)}, 500_000)
    manifest["files"][0][1] = 1000
    rows = [(rows[0][0], 1000, rows[0][2])]
    data = together(manifest, rows, packed)
    tracemalloc.start()
    with Resource(io.BytesIO(data)) as resource, pytest.raises(DamagedResourceError, match="another end"):
        resource.read("one")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300_000


def test_files_of_more_bytes_than_an_archive_may_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource_format, "SMALL", 1000)
    content = bytes(500_000)
    manifest, rows, packed = parts({"one": content}, 500_000)
    opened(together(manifest, rows, packed))
    manifest["files"] = [[f"f{number}", *manifest["files"][0][1:]] for number in range(5000)]
    refused(together(manifest, rows, packed), "more than an archive", DamagedResourceError)


def test_a_header_that_claims_too_much() -> None:
    for said in ("plain", "packed", "chunks"):
        data = together(*PARTS, **{f"said_{said}": 0xFFFFFFFF})
        tracemalloc.start()
        refused(data, "damaged", DamagedResourceError)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 100_000
    refused(together(*PARTS, said_data=1 << 60), "damaged", DamagedResourceError)
    refused(together(*PARTS, said_plain=0), "damaged", DamagedResourceError)
    bomb = together(json.dumps({}).encode() + b" " * (20 << 20), [], b"", said_plain=1000)
    refused(bomb, "not what its digest says", DamagedResourceError)


def test_another_version_of_the_format() -> None:
    refused(together(*PARTS, said_version=2), "format 2", UnsupportedResourceError)
    refused(together(*PARTS, said_version=0), "damaged", DamagedResourceError)
    refused(together(*PARTS, said_flags=1), "damaged", DamagedResourceError)
    refused(b"PK\3\4" + GOOD, "no resource archive", DamagedResourceError)
    refused(b"", "no resource archive", DamagedResourceError)
    with pytest.raises(DamagedResourceError, match="cut in its head"):
        parse_head(GOOD[: head_size(GOOD) - 1])


def test_the_description_of_the_format_is_what_is_read() -> None:
    index = Resource(io.BytesIO(GOOD)).index
    assert HEADER.size == 64
    assert struct.unpack_from("<8sHH", GOOD) == (b"\x89PPR\r\n\x1a\n", 1, 0)
    assert index.identity == GOOD[32:64].hex()
    assert index.length == len(GOOD)
    assert sum(entry.size for entry in index.entries.values()) == sum(map(len, FILES.values()))
