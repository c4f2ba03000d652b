"""`verify` of wheels: what is right passes, and each kind of lie is named."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import zipfile
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend.zip_format import CENTRAL_MAGIC
from pypackpack.middleware.verify import verify
from pypackpack.model.errors import DamagedArtifactError, UsageError
from tests.crafted import INFO, add_again, craft, elf

if TYPE_CHECKING:
    from pathlib import Path

FILES = {"demo/__init__.py": b"X = 1\n", "demo/data.txt": b"text\n" * 100}
LINUX = "demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"
MODULE = "demo/fast.cpython-311-x86_64-linux-gnu.so"
GOOD = elf(needs=("libc.so.6",), exports=("PyInit_fast",), imports=("PyModule_Create2",))


def problems(path: Path, *, audit: bool = False) -> list[str]:
    return list(verify(path, audit=audit).problems)


def test_a_wheel_that_is_right(tmp_path: Path) -> None:
    found = verify(craft(tmp_path, FILES))
    assert found.problems == ()
    assert [check.name for check in found.checks] == ["archive", "record", "names"]
    assert found.sha256 == hashlib.sha256(found.path.read_bytes()).hexdigest()
    native = verify(craft(tmp_path, {MODULE: GOOD}, LINUX), audit=True)
    assert native.problems == ()
    assert [check.name for check in native.checks][-2:] == ["modules", "libraries"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace("demo/data.txt,sha256=", "demo/data.txt,sha256=x"), "'demo/data.txt' is not what RECORD says"),
        (lambda text: text.replace(",500\n", ",501\n"), "'demo/data.txt' has 500 bytes, and RECORD says 501"),
        (lambda text: text + "demo/ghost.py,,\n", "RECORD lists 'demo/ghost.py', which is not in it"),
        (
            lambda text: "".join(line for line in text.splitlines(True) if "data" not in line),
            "RECORD does not list 'demo/data.txt'",
        ),
        (lambda text: text + text.splitlines(keepends=True)[0], "RECORD lists 'demo/__init__.py' twice"),
        (lambda text: text.replace("demo/data.txt,sha256=", "demo/data.txt,md5="), "by md5, which is too weak"),
        (lambda text: text + "one,two\n", "line 6 of RECORD has 2 parts"),
        (lambda text: text.replace(f"{INFO}/RECORD,,", f"{INFO}/RECORD,sha256=abc,3"), "RECORD gives a hash of"),
    ],
)
def test_a_record_that_lies(tmp_path: Path, change: object, words: str) -> None:
    (only,) = problems(craft(tmp_path, FILES, record=change))  # type: ignore[arg-type]
    assert words in only


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"metadata": "Metadata-Version: 2.4\nName: other\nVersion: 1.0\n"}, "METADATA says that it is other"),
        ({"metadata": "Metadata-Version: 2.4\nName: demo\nVersion: 1.0.1\n"}, "METADATA says version 1.0.1"),
        ({"metadata": "Metadata-Version: 2.4\nName: demo\nVersion: 1.0\nLicense-File: LICENSE\n"}, "names the licence 'LICENSE'"),
        ({"metadata": "Metadata-Version: 2.4\nName: demo\n"}, "METADATA: "),
        ({"metadata": ""}, "it has no METADATA"),
        ({"wheel": "Wheel-Version: 2.0\nTag: py3-none-any\n"}, "WHEEL has the version '2.0'"),
        (
            {"wheel": "Wheel-Version: 1.0\nTag: cp311-none-any\n"},
            "cp311-none-any is in WHEEL only, py3-none-any is in the file's name",
        ),
        ({"info": "else-1.0.dist-info"}, "its metadata is in else-1.0.dist-info"),
    ],
)
def test_names_that_lie(tmp_path: Path, more: dict[str, str], words: str) -> None:
    found = problems(craft(tmp_path, FILES, **more))  # type: ignore[arg-type]
    assert [each for each in found if words in each], found


def test_licences_as_tools_had_them_before_the_standard(tmp_path: Path) -> None:
    metadata = "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nLicense-File: LICENSE\n"
    assert problems(craft(tmp_path, {**FILES, f"{INFO}/LICENSE": b"text"}, metadata=metadata)) == []


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("../evil.py", "leads out through '..'"),
        ("/etc/evil", "is absolute"),
        ("demo\\evil.py", "has a backslash"),
        ("C:/evil.py", "is absolute"),
        ("demo//evil.py", "has an empty part"),
    ],
)
def test_paths_that_lead_away(tmp_path: Path, path: str, words: str) -> None:
    (only,) = verify(craft(tmp_path, {**FILES, path: b"x"})).checks  # nothing of it is read
    assert [each for each in only.problems if words in each], only.problems


def test_what_is_there_twice_and_what_windows_takes_for_the_same(tmp_path: Path) -> None:
    wheel = craft(tmp_path, {**FILES, "demo/Data.TXT": b"x"}, twice={"demo/__init__.py": b"evil"})
    found = " ".join(problems(wheel))
    assert "'demo/__init__.py' is in it 2 times" in found
    assert "'demo/data.txt' and 'demo/Data.TXT' are one and the same" in found


def test_a_name_that_only_one_reader_sees(tmp_path: Path) -> None:
    wheel = craft(tmp_path, FILES)
    data = bytearray(wheel.read_bytes())
    at = data.index(b"demo/data.txt")
    data[at : at + 13] = b"demo/evil.txt"
    wheel.write_bytes(data)
    assert "is called b'demo/evil.txt' in its own header" in problems(wheel)[0]


def test_bombs(tmp_path: Path) -> None:
    wheel = craft(tmp_path, FILES)
    data = bytearray(wheel.read_bytes())
    at = data.index(CENTRAL_MAGIC)
    struct.pack_into("<I", data, at + 24, 0xFFFFFFF0)
    wheel.write_bytes(data)
    (only,) = problems(wheel)
    assert "unpacks to 4294" in only
    # Members that share bytes unpack many times what the archive has.
    wheel = craft(tmp_path, FILES)
    data = bytearray(wheel.read_bytes())
    first = data.index(CENTRAL_MAGIC)
    second = data.index(CENTRAL_MAGIC, first + 4)
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    wheel.write_bytes(data)
    assert "'demo/data.txt' shares bytes with another member" in problems(wheel)


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9, 0.999])
def test_files_that_were_cut(tmp_path: Path, keep: float) -> None:
    wheel = craft(tmp_path, FILES)
    data = wheel.read_bytes()
    wheel.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(DamagedArtifactError):
        verify(wheel)


def test_every_byte_counts(tmp_path: Path) -> None:
    """Whichever byte of the files is changed, it is found: their checksum, their digest or the archive's own marks do not fit."""
    wheel = craft(tmp_path, {"demo/__init__.py": os.urandom(200)})
    data = wheel.read_bytes()
    end = data.index(CENTRAL_MAGIC)
    with zipfile.ZipFile(wheel) as archive:
        starts = [(info.header_offset + 30 + len(info.filename), info.compress_size) for info in archive.infolist()]
    places = [place for start, size in starts for place in range(start, start + size)]
    assert places[-1] < end
    for place in places[::7]:
        changed = bytearray(data)
        changed[place] ^= 0x41
        wheel.write_bytes(changed)
        try:
            found = problems(wheel)
        except DamagedArtifactError:
            continue
        assert found, place


@pytest.mark.parametrize(
    ("name", "files", "words"),
    [
        ("demo-1.0-py3-none-any.whl", {MODULE: GOOD}, "is elf for x86_64, and the wheel's tag says any"),
        (LINUX.replace("x86_64", "aarch64"), {MODULE: GOOD}, "and the wheel's tag says manylinux_2_17_aarch64"),
        (LINUX.replace("311", "312"), {MODULE: GOOD}, "is for Python 3.11 by its name, and the tag says cp312"),
        ("demo-1.0-cp311-abi3-manylinux_2_17_x86_64.whl", {MODULE: GOOD}, "only by its name, and the tag says abi3"),
        (LINUX, {MODULE.replace("x86_64", "aarch64"): GOOD}, "is named for aarch64, and is for x86_64"),
        (LINUX, {MODULE: elf(exports=("PyInit_slow",))}, "has no PyInit_fast"),
        (LINUX, {MODULE: GOOD[:80]}, "begins as a linked file and is damaged"),
        (LINUX, {MODULE: b"hello"}, "is called as an extension module is, and is no machine code"),
        (LINUX, {"demo/x.pyc": b"\xa7\x0d\x0d\x0a" + bytes(12)}, ""),
        (
            LINUX.replace("311", "312"),
            {"demo/x.pyc": b"\xa7\x0d\x0d\x0a" + bytes(12)},
            "bytecode of Python 3.11, and the tag says cp312",
        ),
        (LINUX, {"demo/__pycache__/x.cpython-312.pyc": b"\xa7\x0d\x0d\x0a" + bytes(12)}, "is bytecode of Python 3.11"),
        (LINUX, {"demo/x.pyc": b"nothing at all"}, "no bytecode of a CPython that is known"),
    ],
)
def test_tags_that_lie(tmp_path: Path, name: str, files: dict[str, bytes], words: str) -> None:
    found = problems(craft(tmp_path, files, name))
    assert bool(found) == bool(words), found
    assert not words or [each for each in found if words in each], found


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (
            elf(needs=("libssl.so.3",), exports=("PyInit_fast",)),
            "loads libssl.so.3, which is neither in the wheel nor on every machine",
        ),
        (elf(needs=("libpython3.11.so.1.0",), exports=("PyInit_fast",)), "which Python is running, only Python itself knows"),
        (elf(path="/home/me/lib", exports=("PyInit_fast",)), "looks for libraries in /home/me/lib"),
        (elf(path="$ORIGIN/../demo.libs", exports=("PyInit_fast",)), ""),
        (elf(needs=("libown-1234.so",), exports=("PyInit_fast",)), ""),
    ],
)
def test_the_audit_says_what_is_not_everywhere(tmp_path: Path, module: bytes, words: str) -> None:
    wheel = craft(tmp_path, {MODULE: module, "demo.libs/libown-1234.so": elf()}, LINUX)
    assert problems(wheel) == []
    found = problems(wheel, audit=True)
    assert bool(found) == bool(words), found
    assert not words or words in found[0]


def test_what_is_not_in_the_stable_abi(tmp_path: Path) -> None:
    module = elf(exports=("PyInit_fast",), imports=("PyList_New", "PyErr_GetRaisedException", "_PyDict_SetItem_KnownHash"))
    wheel = craft(tmp_path, {"demo/fast.abi3.so": module}, "demo-1.0-cp311-abi3-manylinux_2_17_x86_64.whl")
    assert problems(wheel) == []
    assert problems(wheel, audit=True) == [
        "demo/fast.abi3.so uses PyErr_GetRaisedException, which the stable ABI has from 3.12 on; the tag says 3.11",
        "demo/fast.abi3.so uses _PyDict_SetItem_KnownHash, which is not in the stable ABI",
    ]


def test_bills_of_others_are_looked_at(tmp_path: Path) -> None:
    bill = f"{INFO}/sboms/pypackpack.cdx.json"
    other = {"bomFormat": "CycloneDX", "metadata": {"component": {"name": "other"}}}
    assert "is about other" in problems(craft(tmp_path, {bill: json.dumps(other).encode()}))[0]
    assert "is no CycloneDX file" in problems(craft(tmp_path, {bill: b"["}))[0]


def test_what_it_is_not_for(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.whl"):
        with pytest.raises(UsageError, match=r"a folder|not there"):
            verify(path)
    text = tmp_path / "a.txt"
    text.touch()
    with pytest.raises(UsageError, match="no artifact that verify knows"):
        verify(text)
    wheel = craft(tmp_path, FILES)
    with pytest.raises(UsageError, match="--base is for patches"):
        verify(wheel, base=wheel)
    with pytest.raises(DamagedArtifactError, match="the name of a wheel is"):
        verify(wheel.rename(tmp_path / "demo.whl"))
    add_again(tmp_path / "demo.whl", {"x": b""})
