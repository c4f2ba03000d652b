"""Addresses in compiled code: found, moved, and what that does to patches. The files are made here, byte by byte."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pypackpack.client import patch_format, patch_image
from pypackpack.client.patch import apply_patch, read_patch
from pypackpack.client.patch_image import Field, Image, Moves, Range, moved_pieces
from pypackpack.client.patch_streams import CHUNK
from pypackpack.middleware.patch import make, segments
from pypackpack.middleware.patch.addresses import _minus, comparable, difference_of, image_of, known_of, marked
from pypackpack.middleware.patch.make import make_patch, read_identity
from tests.unit.client.forge import wheel
from tests.unit.client.forge_elf import CODE, DATA, versions

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("machine", ["x86", "arm64"])
def test_moved_code_is_nearly_nothing(tmp_path: Path, machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = ({"demo/x.so": each} for each in versions(machine))
    first = wheel(tmp_path / "demo-1.0-py3-none-any.whl", old)
    second = wheel(tmp_path / "new" / "demo-1.1-py3-none-any.whl", new)
    patch = tmp_path / "x.whl.patch"
    patch.write_bytes(make_patch(first, second, number=1))
    (step,) = read_patch(patch).steps
    assert step.image is not None
    assert read_identity(apply_patch(patch, first, tmp_path / "out")) == read_identity(second)
    small = patch.stat().st_size
    # Cut into segments anywhere: where addresses have gone is known from all of them.
    monkeypatch.setattr(segments, "MOST_MADE", 20_011)
    patch.write_bytes(make_patch(first, second, number=1))
    assert len(read_patch(patch).segments) > 6
    assert read_identity(apply_patch(patch, first, tmp_path / "out")) == read_identity(second)
    monkeypatch.undo()
    monkeypatch.setattr(make, "image_of", lambda *_: None)
    patch.write_bytes(make_patch(first, second, number=1))
    assert patch.stat().st_size > 2 * small


def test_what_is_known_of_a_file() -> None:
    old, new = versions("x86")
    known = known_of(old)
    assert known is not None
    assert [(each.kind, each.offset) for each in known.fields] == [("x86", CODE), ("table", DATA)]
    image = image_of(known, known_of(new))
    assert image is not None
    assert [each.slide for each in image.ranges] == [0, 0]
    assert image.lies_in(len(old))
    assert not image.lies_in(DATA)
    assert image_of(known, None) is None
    assert image_of(known, known_of(versions("arm64")[0])) is None


@settings(deadline=None)
@given(st.sampled_from([b"\x7fELF\2\1", b"MZ", b"\xcf\xfa\xed\xfe", b""]), st.data())
def test_files_that_are_not_what_they_look_like(begin: bytes, data: st.DataObject) -> None:
    """Nothing, or what lies inside."""
    whole = bytearray(versions("x86")[0][:4000] if begin.startswith(b"\x7f") else begin + data.draw(st.binary(max_size=600)))
    for _ in range(data.draw(st.integers(0, 5))):
        whole[data.draw(st.integers(0, min(200, len(whole)) - 1)) if whole else 0 : 1] = data.draw(st.binary(max_size=3))
    file = bytes(whole)
    known = known_of(file)
    if known is not None:
        image = image_of(known, known)
        assert image is not None
        assert image.lies_in(len(file))
        assert len(comparable(file, known)) == len(file)


NUMBERS = st.integers(0, 300)
FIELDS = st.builds(
    lambda kind, offset, size, stride, width, base: Field(kind, offset, size, max(stride, width), 0, width, base) if kind == "table" else Field(kind, offset, size),
    st.sampled_from(patch_image.KINDS), NUMBERS, st.integers(1, 300), st.integers(4, 64), st.sampled_from([4, 8]), st.integers(0, patch_image.MOST_ADDRESS),
)  # fmt: skip
RANGES = st.builds(Range, NUMBERS, st.integers(1, 300), st.integers(0, patch_image.MOST_ADDRESS) | NUMBERS, st.integers(-(1 << 62), 1 << 62) | NUMBERS)


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=600), st.lists(RANGES, min_size=1, max_size=4), st.lists(FIELDS, min_size=1, max_size=4), st.data())
def test_any_addresses_in_any_bytes(old: bytes, ranges: list[Range], fields: list[Field], data: st.DataObject) -> None:
    """Whatever a patch says, bytes come of it, as many as there were; what is taken off is what is added."""
    number = st.integers(0, 200)
    steps = data.draw(st.lists(st.tuples(number, number, st.integers(-300, 300)), max_size=8))
    marks = data.draw(st.lists(st.tuples(NUMBERS, st.integers(-(1 << 62), 1 << 62)), max_size=4))
    moves = Moves(Image(tuple(ranges), tuple(fields), tuple(marks)), moved_pieces(steps))
    at, move = data.draw(NUMBERS), data.draw(st.integers(-300, 1 << 40))
    moved = moves.applied(old, at, move)
    assert len(moved) == len(old)
    new = data.draw(st.binary(min_size=len(old), max_size=len(old)))
    difference = difference_of(old, new, at, at + move, moves)
    assert bytes((a + b) % 256 for a, b in zip(moved, difference, strict=True)) == new


def test_differences_of_bytes() -> None:
    new, old = bytes(range(256)) * 3, bytes(reversed(range(256))) * 3
    assert _minus(new, old) == bytes((a - b) % 256 for a, b in zip(new, old, strict=True))
    assert _minus(b"", b"") == b""


def test_pieces_that_a_segment_has_cut_are_one() -> None:
    assert moved_pieces([(10, 5, 3), (7, 0, 0)]) == [(0, 10, 0), (13, 7, 2)]
    assert moved_pieces([(4, 0, 0), (6, 2, 0), (0, 3, 3), (7, 0, 0)]) == [(0, 10, 0), (13, 7, 2)]


def test_of_several_pieces_at_one_place_the_longest_counts() -> None:
    image = Image((Range(0, 100, 1000, 50),), (Field("x86", 0, 100),))
    moves = Moves(image, [(10, 40, 5), (20, 5, 900), (60, 10, 7)])
    assert [moves.shift(address) for address in (999, 1005, 1010, 1022, 1049, 1055, 1065, 1090)] == [0, 0, 55, 55, 55, 55, 57, 57]


def test_too_many_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patch_image, "MOST_PIECES", 3)
    with pytest.raises(ValueError, match="more than 3 pieces"):
        moved_pieces([(1, 1, 0)] * 4)


def test_pieces_are_taken_in_parts() -> None:
    """A call that a part's end cuts stays as it is, with whoever makes the patch and with whoever applies it."""
    old = bytearray(2 * CHUNK)
    for place in (100, CHUNK - 3, CHUNK + 100):
        old[place : place + 5] = b"\xe8" + struct.pack("<i", 5000)
    image = Image((Range(0, len(old), 0, 0),), (Field("x86", 0, len(old)),))
    moves = Moves(image, [(0, 200, 0), (200, len(old) - 200, 16)])
    parts = [moves.applied(bytes(old[start : start + CHUNK]), start, 0) for start in (0, CHUNK)]
    moved = b"".join(parts)
    assert [struct.unpack_from("<i", moved, place + 1)[0] for place in (100, CHUNK - 3, CHUNK + 100)] == [5016, 5000, 5016]
    assert patch_format.MOST_MADE > CHUNK


def test_entries_of_frames() -> None:
    """How far before an entry stands what it belongs to, and how far from it the code is; and what only looks like that."""
    common = struct.pack("<II", 12, 0) + b"\1zR\0\1x\x10\1"
    begins = [1024 - (2048 + len(common) + 16 * number + 8) for number in range(3)]
    entries = [struct.pack("<IIiI", 12, len(common) + 16 * number + 4, begin + 64 * number, 64) for number, begin in enumerate(begins)]
    old = bytearray(4096)
    old[2048 : 2048 + len(common) + 48] = common + b"".join(entries)
    old[2200:2208] = struct.pack("<Ii", 0x0C070800, 1024 - 2204)  # no entry begins so: its owner would stand before everything
    image = Image((Range(0, 4096, 0, 0),), (Field("x86", 1000, 400), Field("frames", 2048, 200)))
    # A piece of 32 bytes came into the code behind the first function, and one of 16 between the first and the second entry.
    second = 2048 + len(common) + 16
    moves = Moves(image, [(0, 1088, 0), (1088, second - 1088, 32), (second, 4096 - second, 48)])
    moved = moves.applied(bytes(old[second:2248]), second, 48)
    for number in (1, 2):
        _, owner, code, size = struct.unpack_from("<IIiI", moved, 16 * (number - 1))
        assert (owner, size) == (len(common) + 16 * number + 4 + 16, 64)
        assert code == begins[number] + 64 * number + 32 - 48
    rest = 2048 + len(common) + 48 - second
    assert moved[rest:] == old[second + rest : 2248]


def test_data_without_bytes_in_the_file() -> None:
    """Where these have gone is found by what names them, if there is more of that than chance would have."""
    old, new = bytearray(4096), bytearray(4096)
    targets = [*range(8192, 8192 + 80, 8), *range(8400, 8480, 8)]
    for number, target in enumerate([*targets, 8300, 20]):
        place = 100 + 16 * number
        moved = target + (40 if target > 8390 else 7777 if target == 8300 else 0)
        for data, there in ((old, target), (new, moved)):
            data[place : place + 7] = b"\x48\x8d\x05" + struct.pack("<i", there - place - 7)
    image = Image((Range(0, 4096, 0, 0),), (Field("x86", 0, 4096),))
    known = marked(image, bytes(old), bytes(new), [(0, 4096, 0)])
    assert known.marks == ((8400, 40),)
    moves = Moves(known, [(0, 4096, 0)])
    assert [moves.shift(each) for each in (8192, 8399, 8400, 9000)] == [0, 0, 40, 40]
    different = difference_of(bytes(old), bytes(new), 0, 0, moves)
    assert len(different) - different.count(0) <= 4  # of the one that nothing else is like
