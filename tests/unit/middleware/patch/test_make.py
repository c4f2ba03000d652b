"""From two wheels to a patch and back."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pypackpack.backend.tools import bsdiff
from pypackpack.client.patch import apply_patch, check_patch, read_patch
from pypackpack.client.patch_members import _sum
from pypackpack.client.patch_streams import CHUNK
from pypackpack.client.patch_wheel import bare_record, whole_record
from pypackpack.middleware.patch.make import make_patch, read_identity, same_tags
from pypackpack.model.errors import DamagedArtifactError, UsageError
from tests.unit.client.forge import NEW, OLD, contents, pair, wheel

if TYPE_CHECKING:
    from pathlib import Path


def there_and_back(folder: Path, old: Path, new: Path, codecs: tuple[str, ...] = ("lzma",)) -> int:
    patch = folder / "x.whl.patch"
    patch.write_bytes(make_patch(old, new, number=7, codecs=codecs))
    result = apply_patch(patch, old, folder / "out")
    assert list(contents(result).items()) == list(contents(new).items())
    assert read_identity(result) == read_identity(new) == read_patch(patch).result.identity
    return patch.stat().st_size


@pytest.mark.parametrize("codec", ["lzma", "bz2", "deflate"])
def test_a_patch_leads_to_the_new_wheel(tmp_path: Path, codec: str) -> None:
    old, new = pair(tmp_path)
    there_and_back(tmp_path, old, new, (codec,))
    manifest = read_patch(tmp_path / "x.whl.patch")
    assert (manifest.codec, manifest.number, manifest.primary.version, manifest.result.version) == (codec, 7, "1.0", "1.1")
    assert {step.kind for step in manifest.steps} == {"run", "copy", "delta", "full"}
    assert manifest.steps[-1].record
    assert manifest.steps[-1].size < 260  # the digests of its members are not in it


def test_the_same_wheels_give_the_same_patch_and_the_smallest_codec_wins(tmp_path: Path) -> None:
    old, new = pair(tmp_path)
    packed = {codec: make_patch(old, new, number=1, codecs=(codec,)) for codec in ("lzma", "bz2", "deflate")}
    assert make_patch(old, new, number=1, codecs=tuple(packed)) == min(packed.values(), key=len)


def test_nothing_changed_is_nearly_nothing(tmp_path: Path) -> None:
    old = wheel(tmp_path / "demo-1.0-py3-none-any.whl", OLD, record="demo-1.0.dist-info")
    new = wheel(tmp_path / "n" / "demo-1.0-py3-none-any.whl", OLD, record="demo-1.0.dist-info")
    assert there_and_back(tmp_path, old, new) < 500
    assert [step.kind for step in read_patch(tmp_path / "x.whl.patch").steps] == ["run"] * 3  # of sorted members


def test_programs_empty_files_folders_and_another_order(tmp_path: Path) -> None:
    old = wheel(tmp_path / "demo-1.0-py3-none-any.whl", {**OLD, "demo/": b"", "demo/empty": b"", "demo/tool": b"#!"})
    flipped = dict(reversed({**NEW, "demo/empty": b"", "demo/zero": b"", "demo/tool": b"#!"}.items()))
    new = wheel(tmp_path / "n" / "demo-1.1-py3-none-any.whl", flipped, programs=("demo/tool",))
    there_and_back(tmp_path, old, new)
    old = wheel(tmp_path / "demo-1.0-py3-none-any.whl", {"a": b"x", "b": b""})
    there_and_back(tmp_path, old, wheel(tmp_path / "n" / "demo-1.1-py3-none-any.whl", {"a": b"", "b": b"y"}))


def test_large_files_are_compared_piece_by_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bsdiff, "WINDOW", 5000)
    dice = random.Random(3)  # noqa: S311 - no secret
    data = dice.randbytes(60_000)
    changed = bytearray(data[:20_000] + dice.randbytes(700) + data[20_000:55_000] + data[:3000])
    for _ in range(40):
        changed[dice.randrange(len(changed))] ^= 255
    old = wheel(tmp_path / "demo-1.0-py3-none-any.whl", {"demo/x": data})
    new = wheel(tmp_path / "n" / "demo-1.1-py3-none-any.whl", {"demo/x": bytes(changed)})
    assert there_and_back(tmp_path, old, new) < 6000


def test_a_record_that_is_not_the_last_member(tmp_path: Path) -> None:
    """As auditwheel leaves it: whoever applies the patch makes it last all the same, and puts it where it stands."""
    old, new = pair(tmp_path)
    members = list(contents(new).items())
    moved = wheel(tmp_path / "m" / new.name, dict([*members[:2], members[-1], *members[2:-1]]))
    there_and_back(tmp_path, old, moved)
    manifest = read_patch(tmp_path / "x.whl.patch")
    assert manifest.behind == len(members) - 3
    assert manifest.steps[-1].record
    check_patch(tmp_path / "x.whl.patch", old)


def test_a_record_that_is_kept_and_is_not_the_last_member(tmp_path: Path) -> None:
    """It is made by the same step as others: what stands behind it is counted from the member, not from the step."""
    members = {"x-1.dist-info/RECORD": b"", "a.py": b"1", "b/c.py": b"2"}
    old = wheel(tmp_path / "x-1-py3-none-any.whl", members)
    new = wheel(tmp_path / "n" / "x-2-py3-none-any.whl", members)
    there_and_back(tmp_path, old, new)
    manifest = read_patch(tmp_path / "x.whl.patch")
    assert (manifest.behind, [(step.kind, step.count) for step in manifest.steps]) == (2, [("run", 3)])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_two_wheels(tmp_path: Path, data: st.DataObject) -> None:
    pool = data.draw(st.lists(st.binary(max_size=300), min_size=1, max_size=5))
    names = st.sampled_from(["a.py", "b/c.py", "b/d-0123456789.so", "b/d-9876543210.so", "x-1.dist-info/RECORD", "x-2.dist-info/RECORD"])
    content = st.lists(st.sampled_from(pool), max_size=6).map(b"".join)
    sides = [data.draw(st.dictionaries(names, content, min_size=1)) for _ in range(2)]
    old = wheel(tmp_path / "x-1-py3-none-any.whl", sides[0])
    new = wheel(tmp_path / "n" / "x-2-py3-none-any.whl", sides[1])
    there_and_back(tmp_path, old, new)


@given(st.binary(max_size=200), st.randoms(use_true_random=False))
def test_sums_of_bytes(old: bytes, dice: random.Random) -> None:
    other = dice.randbytes(len(old))
    assert _sum(old, other) == bytes((a + b) % 256 for a, b in zip(old, other, strict=True))


def test_sums_of_a_whole_piece() -> None:
    old, other = b"\xff\x80\x7f\x01" * (CHUNK // 4), b"\x01\x80\x81\xff" * (CHUNK // 4)
    assert _sum(old, other) == b"\x00\x00\x00\x00" * (CHUNK // 4)


def test_a_record_without_its_digests() -> None:
    known = {"a.py": (b"\x01" * 32, 5), 'b,"c.py': (b"\x02" * 32, 6)}
    first = b"sha256=AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE,5"
    second = b"sha256=AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI,6"
    record = b"a.py," + first + b'\r\n"b,""c.py",' + second + b"\na.py," + second + b"\nRECORD,,\n"
    bare = bare_record(record, known)
    assert bare == b'a.py,\0\r\n"b,""c.py",\0\na.py,' + second + b"\nRECORD,,\n"
    assert whole_record(bare, known) == record
    assert bare_record(record + b"\0", known) is None


def test_wheels_that_do_not_belong_together(tmp_path: Path) -> None:
    old, new = pair(tmp_path)
    for name in ("other-1.1-py3-none-any.whl", "demo-1.1-cp311-none-any.whl", "demo.whl"):
        with pytest.raises(UsageError):
            make_patch(old, new.rename(new.with_name(name)), number=1)
        new = new.with_name(name)
    new.write_bytes(b"nothing")
    with pytest.raises(DamagedArtifactError):
        make_patch(old, new.rename(new.with_name("demo-1.1-py3-none-any.whl")), number=1)


def test_the_order_of_tags_says_nothing() -> None:
    assert same_tags("cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64", "cp313-cp313-manylinux2014_x86_64.manylinux_2_17_x86_64")
    assert not same_tags("cp313-cp313-win32", "cp313-cp313-win_amd64")
