"""The archive writer: what it writes is read by `zipfile`, and is always the same."""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypackpack.middleware.bundle.archive import DEFLATED, STORED, Member, RawMember, write_archive
from pypackpack.middleware.bundle.paths import problem_with
from pypackpack.model.errors import WorkError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

TEXT = b"the same words again and again\n" * 200
# A date that DOS can write to the second: 2024-02-29 12:34:56 UTC.
LEAP_DAY = 1709210096


def written(members: Iterable[Member | RawMember], *, epoch: int | None = None) -> bytes:
    stream = io.BytesIO()
    write_archive(stream, members, epoch=epoch, place="demo.zip")
    return stream.getvalue()


def opened(data: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(data))


def test_members_come_back_in_order_with_modes_and_the_fixed_date() -> None:
    data = written([Member("z.txt", TEXT), Member("a/run", b"#!", executable=True), Member("empty", b"")])
    with opened(data) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["z.txt", "a/run", "empty"]
        assert archive.read("z.txt") == TEXT
        assert [info.external_attr >> 16 for info in archive.infolist()] == [0o100644, 0o100755, 0o100644]
        assert {info.date_time for info in archive.infolist()} == {(2016, 1, 1, 0, 0, 0)}
        assert {info.create_system for info in archive.infolist()} == {3}
        assert archive.getinfo("z.txt").compress_size < len(TEXT) / 10


def test_what_does_not_get_smaller_is_stored() -> None:
    with opened(written([Member("short", b"x"), Member("long", TEXT)])) as archive:
        assert archive.getinfo("short").compress_type == zipfile.ZIP_STORED
        assert archive.getinfo("long").compress_type == zipfile.ZIP_DEFLATED


def test_bytes_are_the_ones_that_were_agreed_on() -> None:
    """A change of the compressor or of a header shows here: then every artifact's digest changes, and the changelog says so."""
    varied = "\n".join(hashlib.sha256(b"%d" % (number * number % 89)).hexdigest() for number in range(3000)).encode()
    data = written([Member("pkg/a.py", varied), Member("pkg/ü.txt", bytes(5000)), Member("pkg/run", b"x", executable=True)])
    assert hashlib.sha256(data).hexdigest() == "0e8df66a7ca81c12a60d0dda4ab655c8494580ede3d833ac65f17ed2239ff8da"


@pytest.mark.parametrize(
    ("epoch", "moment"),
    [
        (LEAP_DAY, (2024, 2, 29, 12, 34, 56)),
        (LEAP_DAY + 1, (2024, 2, 29, 12, 34, 56)),
        (0, (1980, 1, 1, 0, 0, 0)),
        (10**12, (2107, 12, 31, 23, 59, 58)),
    ],
)
def test_the_date_is_the_given_one_within_what_the_format_can_say(epoch: int, moment: tuple[int, ...]) -> None:
    with opened(written([Member("a", b"a")], epoch=epoch)) as archive:
        assert archive.getinfo("a").date_time == moment


def test_a_member_may_be_compressed_already() -> None:
    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
    squeezed = raw.compress(TEXT) + raw.flush()
    pieces = [squeezed[:10], squeezed[10:]]
    members = [
        RawMember("whole", DEFLATED, zlib.crc32(TEXT), len(TEXT), len(squeezed), squeezed),
        RawMember("pieces", DEFLATED, zlib.crc32(TEXT), len(TEXT), len(squeezed), pieces),
        RawMember("stored", STORED, zlib.crc32(TEXT), len(TEXT), len(TEXT), TEXT, executable=True),
    ]
    with opened(written(members)) as archive:
        assert archive.testzip() is None
        assert {archive.read(name) for name in archive.namelist()} == {TEXT}
        assert archive.getinfo("stored").external_attr >> 16 == 0o100755


def test_a_member_that_lies_about_its_size_is_refused() -> None:
    with pytest.raises(WorkError, match=r"'lie' has 3 compressed bytes and not 4"):
        written([RawMember("lie", STORED, 0, 4, 4, b"abc")])


@pytest.mark.parametrize("paths", [["a", "a"], ["a", "A"], ["../a"], ["/a"], ["a\\b"]])
def test_paths_that_cannot_stand_in_an_archive_are_refused(paths: list[str]) -> None:
    with pytest.raises(WorkError, match=r"demo\.zip"):
        written([Member(path, b"") for path in paths])


def test_one_member_is_taken_at_a_time() -> None:
    stream = io.BytesIO()
    sizes: list[int] = []

    def members() -> Iterator[Member]:
        for name in "abc":
            sizes.append(stream.tell())
            yield Member(name, TEXT)

    write_archive(stream, members())
    assert sizes[0] == 0
    assert sizes[0] < sizes[1] < sizes[2]


def test_the_stream_is_written_only() -> None:
    class Pipe(io.RawIOBase):
        content = b""

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.content += data
            return len(data)

    pipe = Pipe()
    write_archive(pipe, [Member("a", TEXT)])  # type: ignore[arg-type]
    assert opened(pipe.content).read("a") == TEXT


def test_more_members_than_16_bits_count() -> None:
    names = [f"{number:x}" for number in range(0x10000)]
    data = written(RawMember(name, STORED, 0, 0, 0, b"") for name in names)
    with opened(data) as archive:
        assert archive.namelist() == names
    assert b"PK\x06\x06" in data
    assert b"PK\x06\x06" not in written([Member("a", b"a")])


def test_larger_than_32_bits_count(tmp_path: Path) -> None:
    """A hole in a file stands for four gigabytes of zeros (whose checksum nobody asks for: it is not read to the end)."""
    piece = bytes(1 << 20)
    count = 4096

    class Sparse(io.FileIO):
        def write(self, data: bytes) -> int:  # type: ignore[override]
            if data is piece:
                self.seek(len(data), io.SEEK_CUR)
                return len(data)
            return super().write(data)

    place = tmp_path / "large.zip"
    with Sparse(place, "wb") as stream:
        large = RawMember("large", STORED, 0, count << 20, count << 20, (piece for _ in range(count)))
        write_archive(stream, [large, Member("after", TEXT)])
    with zipfile.ZipFile(place) as archive:
        assert archive.namelist() == ["large", "after"]
        assert archive.getinfo("large").file_size == count << 20
        assert archive.getinfo("after").header_offset > count << 20
        assert archive.read("after") == TEXT
        with archive.open("large") as content:
            assert content.read(1000) == bytes(1000)


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(st.dictionaries(NAMES, st.tuples(st.binary(max_size=300), st.booleans()), max_size=6))
def test_whatever_is_taken_comes_back(files: dict[str, tuple[bytes, bool]]) -> None:
    members = [Member(name, data, executable) for name, (data, executable) in files.items()]
    try:
        data = written(members)
    except WorkError:
        refused = True
    else:
        refused = False
        assert data == written(members)
        with opened(data) as archive:
            assert archive.testzip() is None
            found = {info.filename: (archive.read(info), bool(info.external_attr >> 16 & 0o100)) for info in archive.infolist()}
        assert found == files
    plain = all(name.isascii() and name == name.lower() and "/" not in name and not problem_with(name) for name in files)
    assert not (plain and refused)
