"""Archives that anybody may have made: right ones are read as Python reads them, wrong ones end in one error."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypackpack.backend.zip_reader import MOST_MEMBERS, ZipReader
from pypackpack.model.errors import DamagedArtifactError

PATH = Path("some.whl")
FILES = {"a/__init__.py": b"", "a/größe.txt": "groß".encode() * 500, "a/b.so": bytes(range(256)) * 40}


def archive(files: dict[str, bytes] | None = None, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as made:
        for name, data in (FILES if files is None else files).items():
            made.writestr(name, data)
    return stream.getvalue()


def opened(data: bytes) -> ZipReader:
    return ZipReader(io.BytesIO(data), PATH)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_are_read(method: int) -> None:
    reader = opened(archive(method=method))
    assert {entry.path: reader.read(entry, 1 << 20) for entry in reader.entries} == FILES


def test_an_archive_with_a_comment_and_one_of_large_files() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        made.comment = b"PK\x05\x06 is no end"[4:]
        with made.open(zipfile.ZipInfo("large"), "w", force_zip64=True) as member:
            member.write(b"not so large")
    (entry,) = opened(stream.getvalue()).entries
    assert opened(stream.getvalue()).read(entry, 100) == b"not so large"


def test_more_files_than_a_short_count_holds() -> None:
    reader = opened(archive({f"m/{number}": b"" for number in range(65_600)}))
    assert len(reader.entries) == 65_600


@given(st.data())
def test_a_cut_or_flipped_archive_is_read_or_refused(data: st.DataObject) -> None:
    good = bytearray(archive())
    place = data.draw(st.integers(0, len(good) - 1))
    if data.draw(st.booleans()):
        del good[place:]
    else:
        good[place] ^= data.draw(st.integers(1, 255))
    try:
        reader = opened(bytes(good))
        for entry in reader.entries:
            assert len(reader.read(entry, 1 << 20)) == entry.size
    except DamagedArtifactError as error:
        assert str(PATH) in error.message  # noqa: PT017 - what is asserted is the message, whichever way it came


@given(st.binary(max_size=300))
def test_anything_is_refused_in_one_error(data: bytes) -> None:
    with pytest.raises(DamagedArtifactError):
        opened(data + b"!")


def test_a_bomb_is_not_unpacked() -> None:
    reader = opened(archive({"bomb": bytes(200 << 20)}))
    tracemalloc.start()
    with pytest.raises(DamagedArtifactError, match="most that is read"):
        reader.read(reader.entries[0], 8 << 20)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_a_bomb_that_says_it_is_small_is_not_unpacked_either() -> None:
    data = bytearray(archive({"bomb": bytes(200 << 20)}))
    directory = data.rfind(b"PK\x01\x02")
    struct.pack_into("<L", data, directory + 24, 1000)
    reader = opened(bytes(data))
    tracemalloc.start()
    with pytest.raises(DamagedArtifactError, match="checksum"):
        reader.read(reader.entries[0], 1 << 20)
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


def test_a_count_that_is_a_lie() -> None:
    data = bytearray(archive())
    end = data.rfind(b"PK\x05\x06")
    struct.pack_into("<HH", data, end + 8, 2, 2)
    with pytest.raises(DamagedArtifactError, match="more members than the 2"):
        opened(bytes(data))


def test_a_directory_too_large_is_not_read() -> None:
    # A zip64 end that says how many there are; nothing of the directory itself is looked at.
    count = MOST_MEMBERS + 1
    end_64 = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, 0, 0)
    data = (
        end_64
        + struct.pack("<4sIQI", b"PK\x06\x07", 0, 0, 1)
        + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0, 0, 0)
    )
    with pytest.raises(DamagedArtifactError, match=f"{count} members"):
        opened(data)


def test_what_stands_before_an_archive_is_refused() -> None:
    with pytest.raises(DamagedArtifactError, match="something stands before it"):
        opened(b"#!/bin/sh\n" + archive())


def test_an_encrypted_member_and_an_unknown_compression() -> None:
    for place, value in ((8, 1), (10, 97)):
        data = bytearray(archive())
        struct.pack_into("<H", data, data.rfind(b"PK\x01\x02") + place, value)
        reader = opened(bytes(data))
        with pytest.raises(DamagedArtifactError, match="encrypted"):
            reader.read(reader.entries[-1], 1 << 20)
