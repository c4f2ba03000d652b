"""`verify` of folders of binaries: what is right passes, and each kind of lie is named."""

from __future__ import annotations

import hashlib
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pypackpack.middleware.inspect import inspect
from pypackpack.middleware.verify import verify
from pypackpack.model.errors import DamagedArtifactError, UsageError
from tests.crafted import elf
from tests.crafted_binary import ARM, GOOD, MODULE, OTHER_INFO, OTHER_PYC, OWN, PYC, lay_out, listed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def problems(path: Path) -> list[str]:
    return list(verify(path).problems)


def test_a_binary_that_is_right(tmp_path: Path) -> None:
    found = verify(lay_out(tmp_path))
    assert found.problems == ()
    assert [check.name for check in found.checks] == ["manifest", "files", "record", "names", "bytecode", "modules"]
    assert found.checks[0].found == "demo 1.0 for linux_x86_64, Python 3.11.4, native, debug, 1 dependency"
    data = (tmp_path / "manifest.json").read_bytes()
    assert (found.kind, found.notes, found.sha256) == ("binary", (), hashlib.sha256(data).hexdigest())
    assert found.size == sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())


def test_all_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    folder = lay_out(tmp_path)
    (folder / "demo" / "data.txt").write_bytes(b"tExt\n")
    (folder / "demo" / "code.pyc").write_bytes(b"longer than before")
    (folder / MODULE).unlink()
    (folder / "demo" / "evil.py").write_bytes(b"")
    cache = folder / "other" / "__pycache__"
    cache.mkdir()
    (cache / "__init__.cpython-311.pyc").write_bytes(PYC)
    found = problems(folder)
    assert len(found) == 5
    assert found[0] == "'demo/code.pyc' has 18 bytes, and the manifest says 16"
    assert found[1].startswith("'demo/data.txt' is not what the manifest says: its sha256 is ")
    assert found[2] == f"{MODULE!r} of the manifest is not there"
    assert found[3] == "'demo/evil.py' is not in the manifest"
    assert found[4].startswith("1 file of bytecode is not in the manifest, and Python runs bytecode instead of the source")


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there, and there are no pipes in folders")
def test_links_and_pipes_are_named_and_not_followed(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "demo")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.py").write_bytes(b"")
    (folder / "demo" / "data.txt").unlink()
    (folder / "demo" / "data.txt").symlink_to("/etc/passwd")
    (folder / "away").symlink_to(outside, target_is_directory=True)
    (folder / "round").symlink_to(".")
    os.mkfifo(folder / "pipe")
    assert problems(folder) == [
        f"'away' is a link to {os.fspath(outside)!r}, and a binary has only files",
        "'demo/data.txt' is a link to '/etc/passwd', and a binary has only files",
        "'pipe' is no regular file, and a binary has only files",
        "'round' is a link to '.', and a binary has only files",
    ]
    real = (folder / "manifest.json").rename(tmp_path / "manifest.json")
    (folder / "manifest.json").symlink_to(real)
    with pytest.raises(UsageError, match=r"is a folder without a manifest\.json"):
        verify(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes in folders there")
def test_a_pipe_for_a_record_is_not_waited_for(tmp_path: Path) -> None:
    folder = lay_out(tmp_path, theirs={"other/libhelp.so": elf(183)})
    (folder / OTHER_INFO / "RECORD").unlink()
    os.mkfifo(folder / OTHER_INFO / "RECORD")
    assert f"'{OTHER_INFO}/RECORD' is no regular file, and a binary has only files" in problems(folder)
    assert "1 file of its manifest is not there: other-2.dist-info/RECORD" in inspect(folder).notes


def test_a_folder_by_a_link_is_that_folder(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "linux_x86_64")
    (tmp_path / "current.whl").symlink_to(folder, target_is_directory=True)
    assert problems(tmp_path / "current.whl") == []


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("../evil.py", "leads out through '..'"),
        ("/etc/passwd", "is absolute"),
        ("C:/evil.py", "is absolute"),
        ("demo\\evil.py", "has a backslash"),
        ("demo//evil.py", "has an empty part"),
        ("demo/\0", "has a control character"),
        ("\ud800", "is not Unicode text"),
        ("", "is empty"),
        ("demo/", "is that of a folder"),
        ("demo/__init__.py", "is in it 2 times"),
        ("demo/__init__.py/x", "is a file, and a folder with files as well"),
        ("manifest.json", "is in it 2 times"),
    ],
)
def test_paths_that_no_binary_has(tmp_path: Path, path: str, words: str) -> None:
    folder = lay_out(tmp_path, manifest=lambda content: {**content, "files": [*content["files"], listed(path), listed("../b")]})
    (only,) = verify(folder).checks  # no file is read
    assert [each for each in only.problems if words in each], only.problems
    assert [each for each in only.problems if "'../b'" in each]  # and all are named


@pytest.mark.parametrize(
    ("target", "path", "words"),
    [
        ("windows_amd64", "demo/Data.txt", "are one and the same on Windows and macOS"),
        ("windows_amd64", "demo/aux.py", "is a device on Windows"),
        ("macos_arm64", "demo/Data.txt", "are one and the same on Windows and macOS"),
        ("linux_x86_64", "demo/Data.txt", "'demo/Data.txt' of the manifest is not there"),
    ],
)
def test_names_that_the_target_takes_for_others(tmp_path: Path, target: str, path: str, words: str) -> None:
    folder = lay_out(tmp_path, target=target, manifest=lambda content: {**content, "files": [*content["files"], listed(path)]})
    assert [each for each in problems(folder) if words in each], problems(folder)


def test_folders_that_would_fill_the_memory(tmp_path: Path) -> None:
    files = [listed(f"{number}/" + "a/" * 2000 + "x") for number in range(10)]
    (only,) = problems(lay_out(tmp_path, files=files))
    assert only == "the folders of its paths are more than any artifact has"


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"target": "linux_z80"}, "its target is 'linux_z80', which this version of pypackpack does not know"),
        ({"target": "linux-x64"}, "its target is 'linux-x64', which is called linux_x86_64"),
        ({"target": "android_24_arm64"}, "its Python is 3.11.4, which there is not for android_24_arm64"),
        ({"python": "3.11"}, "python: it is no version of Python such as 3.13.1"),
        ({"level": "fast"}, "level: it is none of instant, bytecode, native, mixed"),
        ({"type": ["debug"]}, "type: it is none of debug, release"),
        ({"package": 3}, "package: there is no text"),
        ({"files": [{**listed("a"), "more": 1}]}, "file 1: a table of it should have path, sha256, size, and nothing else"),
        ({"files": [{**listed("a"), "size": -1}]}, "file 1: -1 is not between 0 and"),
        ({"files": [{**listed("a"), "size": True}]}, "file 1: True is not between 0 and"),
        ({"files": [{**listed("a"), "sha256": "A" * 64}]}, "file 1: there is no digest"),
        ({"files": [{**listed("a"), "path": "a" * 5000}]}, "file 1: there is no path of at most 4096 letters"),
        ({"files": [listed("a"), 7]}, "file 2: a table of it"),
        ({"dependencies": [{"name": "a", "version": "1", "level": "no"}]}, "dependency 1: it is none of"),
        ({"dependencies": [{"name": "a.b", "version": "1", "level": "native"}] * 2}, "the dependency a-b is in it 2 times"),
    ],
)
def test_entries_that_say_nothing(tmp_path: Path, facts: dict[str, Any], words: str) -> None:
    (only,) = verify(lay_out(tmp_path, **facts)).checks
    assert only.name == "manifest"
    assert [each for each in only.problems if words in each], only.problems


def test_all_entries_that_say_nothing_are_named(tmp_path: Path) -> None:
    found = problems(lay_out(tmp_path, level="no", type="no", files=[{**listed("a"), "size": None}] * 60))
    assert [each.partition(":")[0] for each in found[:3]] == ["level", "type", "file 1"]
    assert found[-1] == "and 12 more"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no manifest of a binary"),
        ("[" * 100_000, "is no manifest of a binary"),
        ("[]", "a table of it should have format, package"),
        ('{"format": 2}', "has the format 2, and this version of pypackpack knows 1"),
        ('{"format": 1, "format": 1}', "a key stands there twice"),
        ('{"format": NaN}', "NaN is no number"),
        ("\ud800", "is no manifest of a binary"),
    ],
)
def test_texts_that_are_no_manifest(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "manifest.json").write_bytes(text.encode(errors="surrogatepass"))
    with pytest.raises(DamagedArtifactError, match=words):
        verify(tmp_path)


@pytest.mark.parametrize("value", [True, 1.0, "1", None])
def test_formats_that_only_look_like_one(tmp_path: Path, value: object) -> None:
    with pytest.raises(DamagedArtifactError, match="format"):
        verify(lay_out(tmp_path, format=value))


def test_a_manifest_that_is_too_large(tmp_path: Path) -> None:
    with (tmp_path / "manifest.json").open("wb") as stream:
        stream.truncate((32 << 20) + 1)
    with pytest.raises(DamagedArtifactError, match="is larger than 32 MB"):
        verify(tmp_path)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({MODULE: ARM}, "is elf for aarch64, and the target linux_x86_64 says manylinux"),
        ({"demo/lib.so": ARM}, "demo/lib.so is elf for aarch64"),
        ({MODULE: GOOD[:100]}, "it begins as a linked file and is damaged"),
        ({MODULE: b"text"}, "is called as an extension module is, and is no machine code"),
        (
            {"demo/fast.cpython-312-x86_64-linux-gnu.so": GOOD},
            "is for Python 3.12 by its name, and the manifest says cp311",
        ),
        ({"demo/code.pyc": OTHER_PYC}, "demo/code.pyc is bytecode of Python 3.12, and the manifest says cp311"),
        ({"demo/code.pyc": b""}, "demo/code.pyc is no bytecode"),
    ],
)
def test_code_for_something_else(tmp_path: Path, more: dict[str, bytes], words: str) -> None:
    (only,) = problems(lay_out(tmp_path, {**OWN, **more}))
    assert words in only


def test_what_dependencies_carry_for_other_systems(tmp_path: Path) -> None:
    spare, used = elf(183), elf(needs=("libhelp.so",), exports=("PyInit_fast",))
    found = verify(lay_out(tmp_path / "one", theirs={"other/__init__.py": b"", "other/libhelp.so": spare}))
    assert found.problems == ()
    said = "1 file of machine code of dependencies not for linux_x86_64, and nothing here imports or needs it: other/libhelp.so"
    assert found.notes == (said,)
    (only,) = problems(lay_out(tmp_path / "two", {**OWN, MODULE: used}, {"other/libhelp.so": spare}))
    assert "other/libhelp.so is elf for aarch64" in only  # it is loaded
    (only,) = problems(lay_out(tmp_path / "three", theirs={"other/fast.so": ARM}))
    assert "other/fast.so is elf for aarch64" in only  # it is imported
    (only,) = problems(lay_out(tmp_path / "four", theirs={"other/fast.cpython-311-x86_64-linux-gnu.so": ARM}))
    assert "fast.cpython-311-x86_64-linux-gnu.so is elf for aarch64" in only
    for number, name in enumerate(
        ("fast.cpython-311-aarch64-linux-gnu.so", "fast.cp311-win_amd64.pyd", "fast.cpython-312-x86_64-linux-gnu.so")
    ):
        assert problems(lay_out(tmp_path / str(number), theirs={f"other/{name}": ARM})) == []
        assert problems(lay_out(tmp_path / f"own-{number}", {f"demo/{name}": ARM})) != []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace(",5\n", ",6\n"), "'demo/data.txt' is not what demo-1.0.dist-info/RECORD says"),
        (lambda text: text.replace("data.txt,sha256=", "data.txt,sha256=x"), "'demo/data.txt' is not what"),
        (lambda text: text.replace("demo/data.txt", "../evil.txt"), "lists '../evil.txt', which is not in it"),
        (lambda text: text.replace("demo/data.txt", "x" * 200_000), "RECORD cannot be read: field larger"),
    ],
)
def test_a_record_that_lies(tmp_path: Path, change: Callable[[str], str], words: str) -> None:
    (only,) = problems(lay_out(tmp_path, records=change))
    assert words in only


def test_distributions_without_metadata(tmp_path: Path) -> None:
    found = problems(lay_out(tmp_path, version="1.1", dependencies=[{"name": "third", "version": "3", "level": "instant"}]))
    assert found == [
        "demo 1.1 has no .dist-info folder there",
        "the manifest names third 3, and third-3.dist-info is not there",
    ]


def test_wrong_use(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "linux_x86_64")
    with pytest.raises(UsageError, match="is no wheel, and --audit is for wheels"):
        verify(folder, audit=True)
    with pytest.raises(UsageError, match="--base is for patches"):
        verify(folder, base=folder)
    with pytest.raises(UsageError, match="--expect is for patches"):
        verify(folder, expect="0" * 64)
    with pytest.raises(UsageError, match=r"is a folder without a manifest\.json") as caught:
        verify(tmp_path)
    assert caught.value.hint == f"Name the folders in it: {tmp_path / '*'}"
    with pytest.raises(UsageError, match="is not there"):
        verify(tmp_path / "nothing")


def test_where_nobody_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = lay_out(tmp_path / "linux_x86_64")
    (tmp_path / "linux_x86_64.sigstore.json").write_text("{}")
    monkeypatch.chdir(folder)
    from pathlib import Path  # noqa: PLC0415 - the others need it for types only

    (only,) = problems(Path())
    assert only.startswith("linux_x86_64.sigstore.json")
