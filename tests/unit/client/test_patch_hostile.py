"""Patches and wheels that somebody damaged or made up: refused, and nothing on disk has changed."""

from __future__ import annotations

import json
import os
import struct
import sys
import tracemalloc
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pypackpack.backend.tools.bsdiff import Difference
from pypackpack.client import patch_image, patch_members, patch_streams
from pypackpack.client.patch import (
    DamagedPatchError,
    PatchError,
    UnsupportedPatchError,
    WrongPatchError,
    WrongPrimaryError,
    apply_patch,
    check_patch,
    read_patch,
    received,
)
from pypackpack.client.patch_format import HEADER
from pypackpack.client.patch_manifest import put_header
from pypackpack.middleware.patch.make import make_patch
from pypackpack.middleware.patch.segments import columns
from tests.unit.client.forge import OLD, contents, pair, put_together, raw, taken_apart, wheel
from tests.unit.client.forge_elf import versions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Case:
    """A primary, a patch for it, and a folder in which nothing may appear."""

    def __init__(self, folder: Path) -> None:
        self.old, self.new = pair(folder)
        self.before = self.old.read_bytes()
        self.good = make_patch(self.old, self.new, number=1)
        self.patch = folder / "demo-1.0-p1-py3-none-any.whl.patch"
        self.out = folder / "out"
        self.out.mkdir()

    def refused(self, data: bytes, error: type[PatchError] = PatchError, words: str | None = None) -> None:
        self.patch.write_bytes(data)
        with pytest.raises(error, match=words or "."):
            apply_patch(self.patch, self.old, self.out)
        assert list(self.out.iterdir()) == []
        assert self.old.read_bytes() == self.before


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(tmp_path_factory.mktemp("case"))


@pytest.fixture
def parts(case: Case) -> tuple[dict[str, Any], list[bytes]]:
    return taken_apart(case.good)


def test_a_forged_patch_that_says_what_it_should_is_applied(case: Case, parts: tuple[dict[str, Any], list[bytes]], tmp_path: Path) -> None:
    case.patch.write_bytes(put_together(*parts))
    assert contents(apply_patch(case.patch, case.old, tmp_path)) == contents(case.new)


def test_a_flipped_bit_anywhere(case: Case) -> None:
    for place in range(len(case.good)):
        damaged = bytearray(case.good)
        damaged[place] ^= 1 << place % 8
        case.refused(bytes(damaged))


@pytest.mark.parametrize("change", ["last digit", "empty", "cut", "upper"])
def test_a_patch_that_is_whole_and_was_not_expected(case: Case, parts: tuple[dict[str, Any], list[bytes]], change: str, tmp_path: Path) -> None:
    """What somebody else made for the same primary, with all digests right."""
    manifest, segments = parts
    case.patch.write_bytes(case.good)
    mine = read_patch(case.patch).digest
    assert apply_patch(case.patch, case.old, tmp_path, identity=mine.upper()).is_file()
    assert received(case.patch, identity=mine) == (len(case.good), len(case.good))
    wanted = {"last digit": mine[:-1] + ("0" if mine[-1] != "0" else "1"), "empty": "", "cut": mine[:40], "upper": mine.upper()}[change]
    if change == "upper":  # the right identity, and another patch
        case.patch.write_bytes(put_together({**manifest, "number": 2}, segments))
        assert read_patch(case.patch).number == 2
    other = tmp_path / "other"
    asked: list[Callable[[], object]] = [
        lambda: apply_patch(case.patch, case.old, other, identity=wanted),
        lambda: check_patch(case.patch, case.old, identity=wanted),
        lambda: read_patch(case.patch, identity=wanted),
        lambda: received(case.patch, identity=wanted),
    ]
    words = "is no identity" if change in ("empty", "cut") else "another one than was expected"
    for each in asked:
        with pytest.raises(WrongPatchError, match=words) as caught:
            each()
        assert "publisher" in caught.value.hint
    assert not other.exists() or list(other.iterdir()) == []
    assert case.old.read_bytes() == case.before


def test_of_an_unexpected_patch_the_header_is_enough(case: Case) -> None:
    case.patch.write_bytes(case.good[: HEADER.size])
    assert received(case.patch) == (0, 0)
    with pytest.raises(WrongPatchError):
        received(case.patch, identity="0" * 64)


def test_a_cut_anywhere_and_something_behind_the_end(case: Case) -> None:
    for length in range(len(case.good)):
        case.refused(case.good[:length])
    case.refused(case.good + b"\0", DamagedPatchError, "behind its end")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_bytes_changed_at_random(case: Case, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(case.good) - 1))
    piece = data.draw(st.binary(min_size=0, max_size=40))
    changed = case.good[:start] + piece + case.good[start + data.draw(st.integers(0, 40)) :]
    if changed != case.good:
        case.refused(changed)


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (b"[]", "a table"),
        (b"{", "wrong"),
        (b"[" * 100_000, "wrong"),
        (b'{"name": NaN}', "NaN is no number"),
        (b'{"name": "a", "name": "b"}', "twice"),
        (b"\xff", "wrong"),
        (b"1" * 5000, "wrong"),
    ],
)
def test_a_manifest_that_is_none(case: Case, manifest: bytes, words: str) -> None:
    case.refused(raw(manifest), DamagedPatchError, words)


def test_a_manifest_that_unpacks_to_more_than_it_says(case: Case) -> None:
    bomb = raw(b" " * (20 << 20))
    case.refused(bomb[:16] + struct.pack("<I", 1000) + bomb[20:], DamagedPatchError, "not what its digest says")
    case.refused(put_header(bomb[HEADER.size :], 1000) + bomb[HEADER.size :], DamagedPatchError, "not as long as it says")
    case.refused(bomb[:16] + struct.pack("<I", 0xFFFFFFFF) + bomb[20:], DamagedPatchError, "damaged")


def test_another_version_of_the_format(case: Case) -> None:
    case.refused(case.good[:8] + b"\3\0" + case.good[10:], UnsupportedPatchError, "format 3")
    case.refused(case.good[:8] + b"\0\0" + case.good[10:], DamagedPatchError)
    case.refused(b"PK\3\4" + case.good, DamagedPatchError, "no patch")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/etc/passwd", "is absolute"),
        ("C:/windows/system32/x", "is absolute"),
        ("../outside.py", "leads out"),
        ("demo/../../outside.py", "leads out"),
        ("demo\\outside.py", "backslash"),
        ("demo//x.py", "empty part"),
        ("demo/", "empty part"),
        ("demo/\x00.py", "control character"),
        ("demo/\ud800.py", "not Unicode"),
        ("demo/same.py", "twice"),
        ("demo/SAME.py", "the same as another one"),
        ("DEMO/other.py", "the same as another path"),
        ("demo/same.py/x.py", "same as another"),
        ("demo/aux.py", "device on Windows"),
        ("demo/x.", "ends in a dot"),
    ],
)
def test_paths_that_no_result_may_have(case: Case, parts: tuple[dict[str, Any], list[bytes]], path: str, words: str) -> None:
    manifest, streams = parts
    place = next(step for step in manifest["steps"] if step[0] == "full")
    place[2] = path
    case.refused(put_together(manifest, streams), DamagedPatchError, words)


@pytest.mark.parametrize("file", ["../demo-1.1-py3-none-any.whl", "/demo.whl", "a/b.whl", "aux.whl", "demo.zip", "..", ""])
def test_a_result_that_would_stand_elsewhere(case: Case, parts: tuple[dict[str, Any], list[bytes]], file: str) -> None:
    manifest, streams = parts
    manifest["result"]["file"] = file
    case.refused(put_together(manifest, streams), DamagedPatchError)


def change(manifest: dict[str, Any], words: str, value: object) -> None:
    *way, last = words.split(".")
    for word in way:
        manifest = manifest[word]
    manifest[last] = value


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("result.size", 2 << 30, "more than can come of"),
        ("result.size", 10, "other sizes"),
        ("result.content", "x", "no digest"),
        ("result.size", 1 << 62, "is not between"),
        ("result.members", 10_000_000, "is not between"),
        ("result.members", 3, "and the result has 3"),
        ("result.identity", "0" * 64, "not what the patch says"),
        ("primary.members", -1, "is not between"),
        ("number", 0, "is not between"),
        ("number", True, "is not between"),
        ("codec", "rar", "no codec"),
        ("codec", "bz2", ""),
        ("codec", "deflate", ""),
        ("behind", 99, "stands where none can"),
        ("behind", 2, "not what the patch says"),
        ("steps", [], "0 members"),
        ("steps", [[0, 60000]], "names member"),
        ("steps", [["link", 0, "x", 0, 1, 0]], "unknown kind"),
        ("steps", [["full", -1, "x", 0]], "fields"),
        ("steps", [["full", 0, "x", 0, 1, 0]], "contradicts itself"),
        ("steps", [["delta", -1, "x", 0, 1, 0]], "is not between"),
        ("steps", [["full", -1, "x", 0, 1 << 40, 0]], "is not between"),
        ("steps", [["full", -1, "x", 0, 1 << 30, 1]], "contradicts itself"),
    ],
)
def test_a_manifest_that_says_too_much(case: Case, parts: tuple[dict[str, Any], list[bytes]], key: str, value: object, words: str) -> None:
    manifest, streams = parts
    change(manifest, key, value)
    case.refused(put_together(manifest, streams), DamagedPatchError, words)


def test_a_primary_that_it_is_not_for(case: Case, parts: tuple[dict[str, Any], list[bytes]]) -> None:
    manifest, streams = parts
    for key, value in (("identity", "0" * 64), ("members", manifest["primary"]["members"] + 1), ("size", 99)):
        other = json.loads(json.dumps(manifest))
        other["primary"][key] = value
        case.refused(put_together(other, streams), WrongPrimaryError if key != "size" else PatchError)


def test_streams_that_are_not_what_they_say(case: Case, parts: tuple[dict[str, Any], list[bytes]]) -> None:
    manifest, streams = parts
    control, difference, literal = streams
    sizes = [len(each) for each in streams]
    case.refused(put_together(manifest, [control, difference, literal + b"\0" * (20 << 20)], sizes=sizes), DamagedPatchError, "longer|nothing needs")
    case.refused(put_together(manifest, [control, difference, literal[:-1]], sizes=sizes), DamagedPatchError, "too early")
    (row,) = json.loads(json.dumps(manifest))["segments"]
    start = case.good.index(b"", HEADER.size + HEADER.unpack_from(case.good)[3])
    wrong: list[tuple[int, Any]] = [
        (0, -1), (0, 0), (0, 9 << 20), (0, row[0] + 1), (1, [[99, 0, 1]]), (1, [[0, 1 << 30, 1]]), (1, [[0, 0, 16 << 20]]),
        (2, 1 << 20), (3, 1), (4, [0, 0]), (4, [0, 1, 1]), (4, [1 << 40, 1, 1]), (5, 2 << 20), (5, 0), (6, row[0] + 1), (7, "0" * 64), (7, "x" * 64), (0, 1.5),
    ]  # fmt: skip
    for place, value in wrong:
        said = [*row]
        said[place] = value
        case.refused(raw(json.dumps({**manifest, "segments": [said]}).encode()) + case.good[start:], DamagedPatchError)
    rows = numbers(control)

    def with_rows(changed: list[tuple[int, int, int]], words: str) -> None:
        case.refused(put_together(manifest, [columns(changed), difference, literal]), DamagedPatchError, words)

    case.refused(put_together(manifest, [control + b"\0", difference, literal]), DamagedPatchError, "is cut")
    case.refused(put_together(manifest, [control + b"\x80", difference, literal]), DamagedPatchError, "is cut")
    with_rows([*rows, (0, 0, 0)], "nothing needs")
    case.refused(put_together(manifest, [b"\xff" * 20, difference, literal]), DamagedPatchError, "too large")
    with_rows([(0, 0, -1), *rows], "leads out")
    with_rows([(1 << 21, 0, 0), *rows], "leads out")
    with_rows([(0, 0, 0)] * 10, "too early")
    with_rows(rows[:-1], "too early")
    case.refused(put_together(manifest, [control, difference, bytes(len(literal))]), DamagedPatchError, "the patch is wrong")


def numbers(control: bytes) -> list[tuple[int, int, int]]:
    """Return the rows of a control stream."""
    found, count = patch_streams._numbers(control)
    return [(found[i], found[count + i], found[2 * count + i] >> 1 ^ -(found[2 * count + i] & 1)) for i in range(count)]


def test_a_record_that_is_not_the_last_or_names_what_is_not_there(case: Case, parts: tuple[dict[str, Any], list[bytes]]) -> None:
    manifest, streams = parts
    manifest["steps"][-2:] = reversed(manifest["steps"][-2:])
    case.refused(put_together(manifest, streams), DamagedPatchError, "not the last")
    manifest, streams = taken_apart(case.good)
    record = b"nowhere.py,\0\n"
    manifest["steps"][-1] = ["full", -1, "demo-1.1.dist-info/RECORD", 0, len(record), 1]
    old_steps = [step for step in manifest["steps"][:-1] if step[0] == "delta"]
    assert old_steps
    size = sum(step[4] for step in manifest["steps"] if step[0] in ("delta", "full"))
    literal = streams[2] + record
    case.refused(put_together(manifest, [*streams[:2], literal], sizes=[len(streams[0]), size - len(literal), len(literal)]), DamagedPatchError)


def test_every_bit_of_the_primary(case: Case, tmp_path: Path) -> None:
    """What does not matter to the members (a date) may be otherwise; then the result is right all the same."""
    case.patch.write_bytes(case.good)
    bad, wrong = tmp_path / case.old.name, 0
    for place in range(0, len(case.before), 2):
        damaged = bytearray(case.before)
        damaged[place] ^= 1 << place % 8
        bad.write_bytes(damaged)
        try:
            check_patch(case.patch, bad)
        except PatchError:
            wrong += 1
    assert wrong > len(case.before) // 6


def test_wheels_that_are_none(case: Case, tmp_path: Path) -> None:
    case.patch.write_bytes(case.good)
    bad = tmp_path / case.old.name
    for data in (b"", b"PK\5\6", case.before[: len(case.before) // 2], case.before[:-3], case.new.read_bytes(), case.good):
        bad.write_bytes(data)
        with pytest.raises(WrongPrimaryError):
            check_patch(case.patch, bad)


@pytest.mark.parametrize("path", ["/abs.py", "../out.py", "demo/SAME.py", "demo/same.py"])
def test_a_primary_with_such_paths(case: Case, tmp_path: Path, path: str) -> None:
    case.patch.write_bytes(case.good)
    bad = wheel(tmp_path / "demo-1.0-py3-none-any.whl", OLD)
    with zipfile.ZipFile(bad, "a") as archive:
        if path in OLD:
            with pytest.warns(UserWarning, match="Duplicate"):
                archive.writestr(path, b"")
        else:
            archive.writestr(path, b"")
    with pytest.raises(WrongPrimaryError):
        check_patch(case.patch, bad)


def test_a_primary_that_unpacks_to_much(case: Case, tmp_path: Path) -> None:
    case.patch.write_bytes(case.good)
    bomb = wheel(tmp_path / "demo-1.0-py3-none-any.whl", {**OLD, "demo/data.bin": bytes(50 << 20)}, record="demo-1.0.dist-info")
    with pytest.raises(WrongPrimaryError, match="not the primary"):
        check_patch(case.patch, bomb)
    crowd = tmp_path / "crowd.whl"
    with zipfile.ZipFile(crowd, "w") as archive:
        for number in range(2000):
            archive.writestr(f"{number}", b"")
    with pytest.raises(WrongPrimaryError, match="more members"):
        check_patch(case.patch, crowd)


def test_a_directory_that_hides_how_many_members_it_has(case: Case, tmp_path: Path) -> None:
    """zipfile reads the whole directory, whatever count stands at its end."""
    case.patch.write_bytes(case.good)
    crowd = tmp_path / "crowd.whl"
    with zipfile.ZipFile(crowd, "w") as archive:
        for number in range(2000):
            archive.writestr(f"{number}", b"")
    data = bytearray(crowd.read_bytes())
    data[-14:-10] = struct.pack("<HH", 6, 6)
    for end, words in (
        (data, "more members"),
        (data[:-10] + struct.pack("<I", 0xFFFFFFF0) + data[-6:], "directory of the wheel"),  # larger than the file
        (data[:-22] + b"PK\6\7" + bytes(16) + data[-22:], "directory of the wheel"),  # of ZIP64
        (data[:-10] + struct.pack("<I", len(data) - 30) + data[-6:], "damaged|more members"),
    ):
        crowd.write_bytes(end)
        with pytest.raises(WrongPrimaryError, match=words):
            check_patch(case.patch, crowd)


def test_a_path_of_very_many_folders(case: Case, parts: tuple[dict[str, Any], list[bytes]]) -> None:
    manifest, streams = parts
    step = next(each for each in manifest["steps"] if each[0] == "full")
    step[2] = "a/" * 30_000 + "x"
    patch = put_together(manifest, streams)
    tracemalloc.start()
    try:
        case.refused(patch, DamagedPatchError, "more than any archive has")
        assert tracemalloc.get_traced_memory()[1] < 60 << 20  # it would take more than a gigabyte
    finally:
        tracemalloc.stop()


def test_a_manifest_of_very_many_values(case: Case) -> None:
    case.refused(raw(b"[" * 600_000 + b"," * 600_000), DamagedPatchError, "more values than any patch")
    case.refused(raw(b'{"steps":[' + b"9," * 1_000_001 + b"9]}"), DamagedPatchError, "more values than any patch")


def test_a_record_with_a_name_that_csv_does_not_take(case: Case, parts: tuple[dict[str, Any], list[bytes]]) -> None:
    manifest, streams = parts
    for name in (b'"' + b"a" * 140_000, b'"a\0b"', b'"a\rb'):
        changed = [*streams[:2], streams[2] + name + b",\0\n"]
        said = json.loads(json.dumps(manifest))
        control = numbers(streams[0])
        same, fresh, jump = control[-1]
        control[-1] = (same, fresh + len(name) + 3, jump)
        said["steps"][-1][4] += len(name) + 3
        said["result"]["size"] += len(name) + 3
        case.refused(put_together(said, [columns(control), *changed[1:]]), DamagedPatchError, "which is no member")


def test_the_result_in_the_place_of_the_primary(case: Case, parts: tuple[dict[str, Any], list[bytes]]) -> None:
    manifest, streams = parts
    manifest["result"]["file"] = case.old.name
    case.patch.write_bytes(put_together(manifest, streams))
    with pytest.raises(WrongPrimaryError, match="in the place of the primary"):
        apply_patch(case.patch, case.old, case.old.parent)
    assert case.old.read_bytes() == case.before


def test_a_disk_that_fails_leaves_the_old_result(case: Case, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    case.patch.write_bytes(case.good)
    result = tmp_path / "demo-1.1-py3-none-any.whl"
    result.write_bytes(b"what was there")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("fsync", "replace"):
        with monkeypatch.context() as patched:
            patched.setattr(os, name, full)
            with pytest.raises(OSError, match="No space"):
                apply_patch(case.patch, case.old, tmp_path)
        assert result.read_bytes() == b"what was there"
        assert list(tmp_path.iterdir()) == [result]
    assert contents(apply_patch(case.patch, case.old, tmp_path)) == contents(case.new)


def test_a_python_without_the_codec(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lzma", None)
    case.refused(case.good, UnsupportedPatchError, "no module for that")


def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member of 10 MB, of which a byte changes, is never in memory."""
    big = os.urandom(1 << 20) * 10
    old = wheel(tmp_path / "big-1-py3-none-any.whl", {"big.bin": big})
    new = wheel(tmp_path / "new" / "big-2-py3-none-any.whl", {"big.bin": big[:-1] + b"x"})
    monkeypatch.setattr("pypackpack.middleware.patch.make.differences", _one_change)
    patch = tmp_path / "p.whl.patch"
    patch.write_bytes(make_patch(old, new, number=1))
    assert patch.stat().st_size < 20_000
    assert len(read_patch(patch).segments) == 2
    monkeypatch.setattr(patch_members, "HELD", 1 << 19)
    tracemalloc.start()
    try:
        apply_patch(patch, old, tmp_path / "out")
        assert tracemalloc.get_traced_memory()[1] < 12 << 20  # of these, 8 for the decoder of the difference stream
    finally:
        tracemalloc.stop()


def _one_change(old: bytes, new: bytes) -> Difference:
    return Difference(((len(new), 0, 0),), bytes(len(new) - 1) + bytes([(new[-1] - old[-1]) % 256]), b"")


def test_reading_alone_finds_damage(case: Case) -> None:
    case.patch.write_bytes(case.good)
    assert read_patch(case.patch).primary.file == case.old.name
    case.patch.write_bytes(case.good[:-1] + bytes([case.good[-1] ^ 1]))
    with pytest.raises(DamagedPatchError, match="a segment"):
        read_patch(case.patch)


def test_addresses_that_a_patch_may_not_name(tmp_path: Path) -> None:
    old, new = versions("x86")
    primary = wheel(tmp_path / "demo-1.0-py3-none-any.whl", {"demo/x.so": old})
    result = wheel(tmp_path / "new" / "demo-1.1-py3-none-any.whl", {"demo/x.so": new})
    good = make_patch(primary, result, number=1)
    manifest, streams = taken_apart(good, behind=True)
    patch, out = tmp_path / "x.whl.patch", tmp_path / "out"
    (*step, ranges, fields, marks) = manifest["steps"][0]
    code, table = fields

    def refused(ranges: object, fields: object, words: str, marks: object = marks) -> None:
        said = {**manifest, "steps": [[*step, ranges, fields, marks]]}
        patch.write_bytes(put_together(said, streams, packed=True))
        with pytest.raises(DamagedPatchError, match=words):
            apply_patch(patch, primary, out)
        assert list(out.iterdir()) == []

    refused([], fields, "more addresses than any file has, or none")
    refused(ranges, [], "more addresses than any file has, or none")
    refused(ranges * 40, fields, "more addresses")
    refused(ranges, fields * 200, "more addresses")
    refused(ranges, [[0, 0, len(old) + 1]], "do not lie in their file")
    refused([[len(old) - 1, 2, 0, 0]], fields, "do not lie in their file")
    refused(ranges, [[0, 0, len(old)]] * 3, "do not lie in their file")  # each byte would be looked at three times
    for wrong in ([5, 0, 8], [-1, 0, 8], [], [0, 0], [0, 0, 0], [0, -1, 8], [3, 0, 8], [*code, 1], [[0], 0, 8], {}):
        refused(ranges, [wrong], "manifest of the patch is wrong")
    for place, value in ((3, 0), (3, 65), (3, 7), (4, 1), (4, -1), (5, 5), (5, 16), (6, 1 << 63), (6, -1)):
        row = [*table]
        row[place] = value
        refused(ranges, [row], "manifest of the patch is wrong")
    refused([[0, 8, 0]], fields, "manifest of the patch is wrong")
    refused([[0, 8, 1 << 63, 0]], fields, "manifest of the patch is wrong")
    refused([[0, 8, 0, 1 << 63]], fields, "manifest of the patch is wrong")
    for wrong_marks in ([[0]], [[0, 0, 0]], [[-1, 0]], [[0, 1 << 63]], [["0", 0]], [[0, 0]] * 1025, {}, None):
        refused(ranges, fields, "manifest of the patch is wrong", wrong_marks)
    # What may be said and is not right makes another result, which is refused as one.
    refused(ranges, [table], "not what the patch says")
    refused([[0, 8, 0, 0]], fields, "not what the patch says")
    refused(ranges, fields, "not what the patch says", [[0, 77]])
    patch.write_bytes(put_together(manifest, streams, packed=True))
    apply_patch(patch, primary, out)


def test_pieces_of_which_there_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = versions("x86")
    primary = wheel(tmp_path / "demo-1.0-py3-none-any.whl", {"demo/x.so": old})
    result = wheel(tmp_path / "new" / "demo-1.1-py3-none-any.whl", {"demo/x.so": new})
    patch = tmp_path / "x.whl.patch"
    patch.write_bytes(make_patch(primary, result, number=1))
    monkeypatch.setattr(patch_image, "MOST_PIECES", 5)
    with pytest.raises(DamagedPatchError, match="more than 5 pieces"):
        apply_patch(patch, primary, tmp_path / "out")
    patch.write_bytes(make_patch(primary, result, number=1))  # such a patch is made without addresses
    assert read_patch(patch).steps[0].image is None
    apply_patch(patch, primary, tmp_path / "out")
