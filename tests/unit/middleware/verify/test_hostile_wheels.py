"""Wheels of somebody who wants to be taken for another, or who wants `verify` to take hours or all the memory."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import struct
import tracemalloc
import zipfile
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend.zip_format import CENTRAL_MAGIC, END_MAGIC
from pypackpack.frontend.cli import main
from pypackpack.middleware.patch.make import make_patch
from pypackpack.middleware.verify import verify
from pypackpack.model.errors import DamagedArtifactError
from tests.crafted import INFO, NAME, craft
from tests.unit.client.forge import pair, put_together, taken_apart
from tests.unit.middleware.verify.test_verify_wheel import FILES, problems

if TYPE_CHECKING:
    from pathlib import Path


def central(data: bytes | bytearray, name: bytes) -> int:
    """Return where a member's entry in the directory begins."""
    return data.index(name, data.index(CENTRAL_MAGIC)) - 46


def inserted(data: bytes, place: int, more: bytes) -> bytes:
    """Return an archive with bytes between its members, and all offsets behind them right."""
    out = bytearray(data[:place] + more + data[place:])
    at = first = data.index(CENTRAL_MAGIC) + len(more)
    while (at := out.find(CENTRAL_MAGIC, at)) >= 0:
        (offset,) = struct.unpack_from("<I", out, at + 42)
        if offset >= place:
            struct.pack_into("<I", out, at + 42, offset + len(more))
        at += 4
    struct.pack_into("<I", out, out.rindex(END_MAGIC) + 16, first)
    return bytes(out)


def test_members_that_only_a_reader_from_front_to_back_sees(tmp_path: Path) -> None:
    """What uv and others unpacked, and pip did not: such wheels are refused by the index since 2025."""
    wheel = craft(tmp_path, FILES)
    whole = wheel.read_bytes()
    with zipfile.ZipFile(io.BytesIO(), "w") as archive:
        archive.writestr("demo/evil.py", b"EVIL = 1\n")
        hidden = archive.fp.getvalue()  # type: ignore[union-attr]
    for place, words in (
        (0, "before 'demo/__init__.py' belong to no member"),
        (whole.index(b"PK\3\4", 10), "before 'demo/data.txt' belong to no member"),
        (whole.index(CENTRAL_MAGIC), "bytes before its directory are no member's"),
    ):
        wheel.write_bytes(inserted(whole, place, hidden))
        with zipfile.ZipFile(wheel) as archive:
            assert archive.testzip() is None
        (only,) = problems(wheel)
        assert only.endswith(words)


def test_sizes_behind_the_bytes_are_no_gap(tmp_path: Path) -> None:
    """As archives have them that were written without seeking."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.data += data
            return len(data)

    made, pipe = craft(tmp_path, FILES), Pipe()
    with zipfile.ZipFile(made) as archive, zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as other:
        for info in archive.infolist():
            other.writestr(info.filename, archive.read(info))
    made.write_bytes(pipe.data)
    assert problems(made) == []
    at = pipe.data.index(b"PK\7\x08")
    pipe.data[at + 4] ^= 1  # sizes that are another member's belong to none
    made.write_bytes(pipe.data)
    assert "belong to no member" in problems(made)[0]


def test_something_behind_the_end(tmp_path: Path) -> None:
    wheel = craft(tmp_path, FILES)
    whole = wheel.read_bytes()
    wheel.write_bytes(whole + b"x")
    with pytest.raises(DamagedArtifactError, match="something stands behind its end"):
        verify(wheel)
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("x", b"")
        archive.comment = whole[whole.rindex(END_MAGIC) :]  # another end, in the comment
    with pytest.raises(DamagedArtifactError):
        verify(wheel)


def test_links_and_second_names(tmp_path: Path) -> None:
    wheel = craft(tmp_path, FILES)
    with zipfile.ZipFile(wheel, "a") as archive:
        for name, mode in (("demo/link", 0o120777), ("demo/pipe", 0o010644), ("demo/folder/", 0o100644)):
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, b"/etc/passwd")
        info = zipfile.ZipInfo("demo/plain.py")
        body = struct.pack("<BI", 1, 0) + b"demo/evil.py"
        info.extra = struct.pack("<HH", 0x7075, len(body)) + body
        archive.writestr(info, b"")
    found = problems(wheel)
    for words in (
        "'demo/link' is no file but a link",
        "'demo/pipe' is no file but a link, or something else",
        "'demo/folder/' is a folder, and has bytes",
        "'demo/plain.py' has a second name",
    ):
        assert [each for each in found if each.startswith(words)], words


def test_a_file_that_is_a_folder_and_a_name_that_windows_has_not(tmp_path: Path) -> None:
    found = " ".join(problems(craft(tmp_path, {**FILES, "Demo": b"x", "demo/aux.py": b"", "demo/a:b": b""})))
    assert "'Demo' is a file, and a folder with files as well" in found
    assert "which is a device on Windows" in found  # a wheel for any platform is for Windows, too
    assert "has ':', which Windows does not allow" in found
    linux = craft(tmp_path, {"demo/a:b": b""}, "demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl")
    assert problems(linux) == []


def test_a_record_in_another_form_is_read(tmp_path: Path) -> None:
    def quoted(text: str) -> str:
        digest = base64.urlsafe_b64encode(hashlib.sha384(FILES["demo/data.txt"]).digest()).decode()
        return re.sub(r"demo/data\.txt,[^,]*,", f'"demo/data.txt","sha384={digest}",', text)

    assert problems(craft(tmp_path, FILES, record=quoted)) == []


def test_a_record_without_end(tmp_path: Path) -> None:
    wheel = craft(tmp_path, FILES, record=lambda text: text + "".join(f"x{number},,\n" for number in range(200_000)))
    tracemalloc.start()
    found = problems(wheel)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "lines or more, for 5 files" in found[0]
    assert found[-1] == "and 56 more"
    assert peak < 20 << 20
    huge = craft(tmp_path, FILES, record=lambda text: text + "\n" * (33 << 20))
    assert any("RECORD could not be read" in each for each in problems(huge))


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ("".join(f"X-{number}: 1\n" for number in range(500_000)), "METADATA has 500003 fields, with 500003 names"),
        ("Classifier: a\n" * 100_000, "METADATA has 100003 fields"),
        ("\n" + "x" * (9 << 20), "METADATA has 9437231 bytes, too many to be looked into"),
    ],
)
def test_metadata_that_takes_a_parser_hours(tmp_path: Path, metadata: str, words: str) -> None:
    wheel = craft(tmp_path, FILES, metadata="Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n" + metadata)
    assert any(words in each for each in problems(wheel))


def test_a_description_is_no_list_of_fields_whatever_its_lines_end_with(tmp_path: Path) -> None:
    text = "Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n\n" + "".join(f"word{number}: x\n" for number in range(2000))
    for end in ("\n", "\r\n"):
        assert problems(craft(tmp_path, FILES, metadata=text.replace("\n", end))) == []


def test_metadata_files_are_not_kept(tmp_path: Path) -> None:
    """Ten licences of eight megabytes, and bills of materials that are larger than any."""
    files = {f"{INFO}/licenses/{number}": bytes(8 << 20) for number in range(10)}
    wheel = craft(tmp_path, {**files, **{f"{INFO}/sboms/{number}.cdx.json": bytes(9 << 20) for number in range(5)}})
    tracemalloc.start()
    found = problems(wheel)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum("too many to be looked into" in each for each in found) == 2
    assert sum("is no CycloneDX file" in each for each in found) == 3
    assert peak < 75 << 20


def test_a_patch_of_a_primary_with_no_name(tmp_path: Path) -> None:
    old, new = pair(tmp_path)
    manifest, streams = taken_apart(make_patch(old, new, number=1))
    patch = tmp_path / "demo-1.0-p1-py3-none-any.whl.patch"
    patch.write_bytes(put_together({**manifest, "primary": {**manifest["primary"], "file": "x.whl"}}, streams))
    assert "by what it says of itself it is called x--p1-py3-none-any.whl.patch" in verify(patch).problems[0]


def test_what_is_printed_moves_no_cursor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wheel = craft(tmp_path, {"demo/\x9b2J.pyd": b"MZ", "demo/\u202eyp.exe": b"x"}, metadata="Metadata-Version: 2.4\nName: d\x1b[2J\nVersion: 1.0\n")
    assert wheel.name == NAME
    assert main.run(["verify", str(wheel)]) == 1
    said = "".join(capsys.readouterr())
    assert not [letter for letter in said if not letter.isprintable() and letter != "\n"]
