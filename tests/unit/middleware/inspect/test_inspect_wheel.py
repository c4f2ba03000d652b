"""What `inspect` says of wheels: ours, those of others, and what nobody should have made."""

from __future__ import annotations

import json
import os
import zipfile
from typing import TYPE_CHECKING

import pytest

from pypackpack.middleware.bundle.report import FILE, write_report
from pypackpack.middleware.inspect import inspect
from pypackpack.model.errors import DamagedArtifactError, UsageError
from pypackpack.model.inspection import ModuleForm, Tool, WheelReport

if TYPE_CHECKING:
    from pathlib import Path

NAME = "demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"
INFO = "demo-1.0.dist-info"
METADATA = "Metadata-Version: 2.4\nName: Demo\nVersion: 1.0\nRequires-Python: >=3.10\n\nText\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: {}\nRoot-Is-Purelib: false\nTag: cp311-cp311-manylinux_2_17_x86_64\n"
SO = "cpython-311-x86_64-linux-gnu.so"
REASON = "demo/batch.py:2:4: except* that raises would end the process"


def wheel(
    folder: Path, *files: str, report: bytes | None = None, generator: str = "other 1.0", name: str = NAME, **info: str
) -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w") as archive:
        for file in files:
            archive.writestr(file, "x" * 10)
        content = {"METADATA": METADATA, "WHEEL": WHEEL.format(generator), "RECORD": "", **info}
        for key, text in content.items():
            if text is not None:
                archive.writestr(f"{INFO}/{key}", text)
        if report is not None:
            archive.writestr(f"{INFO}/{FILE}", report)
    return path


def forms(path: Path) -> dict[str, tuple[str, str, tuple[str, ...]]]:
    return {each.module: (each.form, each.scope, each.also) for each in inspect(path).modules}


def test_a_native_wheel_of_ours_says_why(tmp_path: Path) -> None:
    report = WheelReport(
        "native",
        "debug",
        "3.11.2",
        Tool("cython", "3.3.1"),
        Tool("zig", "0.17.0"),
        (
            ModuleForm("demo", f"demo/__init__.{SO}", "extension", "version"),
            ModuleForm("demo.batch", "demo/batch.py", "bytecode", reason=REASON),
            ModuleForm("demo.__main__", "demo/__main__.py", "bytecode", reason="__main__ is never compiled"),
        ),
    )
    files = [f"demo/__init__.{SO}", "demo/data.txt"]
    files += [
        f"demo/{place}" for stem in ("batch", "__main__") for place in (f"{stem}.py", f"__pycache__/{stem}.cpython-311.pyc")
    ]
    found = inspect(wheel(tmp_path, *files, report=write_report(report), generator="pypackpack 0.3.0"))
    assert (found.level, found.type, found.python, found.made_by) == ("native", "debug", "3.11.2", "pypackpack 0.3.0")
    assert (found.compiler, found.toolchain) == (Tool("cython", "3.3.1"), Tool("zig", "0.17.0"))
    assert found.tags == ("cp311-cp311-manylinux_2_17_x86_64",)
    assert (found.name, found.version, found.requires_python) == ("Demo", "1.0", ">=3.10")
    assert [(each.module, each.form, each.scope, each.also, each.reason) for each in found.modules] == [
        ("demo", "extension", "version", (), ""),
        ("demo.__main__", "bytecode", "", ("source",), "__main__ is never compiled"),
        ("demo.batch", "bytecode", "", ("source",), REASON),
    ]
    assert [(each.path, each.size) for each in found.data] == [("demo/data.txt", 10)]
    assert found.notes == ()


def test_modules_of_a_one_module_package(tmp_path: Path) -> None:
    file = f"demo/__init__.{SO}"
    modules = tuple(ModuleForm(name, file, "extension", "package") for name in ("demo", "demo.inner", "demo.inner.leaf"))
    report = write_report(WheelReport("native", "release", "3.11", None, None, modules))
    path = wheel(tmp_path, file, report=report)
    assert forms(path) == dict.fromkeys(("demo", "demo.inner", "demo.inner.leaf"), ("extension", "package", ()))


def test_wheels_of_others_show_what_can_be_seen(tmp_path: Path) -> None:
    files = [
        f"demo/a.{SO}",
        "demo/a.py",
        "demo/a.pyi",
        "demo/b.abi3.so",
        "demo/c.cp311-win_amd64.pyd",
        "demo/d.pyd",
        "demo/e.pyc",
    ]
    files += [
        "demo/f.py",
        "demo/__pycache__/f.cpython-311.pyc",
        "demo.libs/libx-1234.so",
        "demo/libplain.so",
        "demo/no-module.py",
    ]
    files += ["demo-1.0.data/purelib/demo/g.py", "demo-1.0.data/scripts/run.py"]
    found = inspect(wheel(tmp_path, *files))
    assert forms(found.path) == {
        "demo.a": ("extension", "version", ("source",)),
        "demo.b": ("extension", "abi3", ()),
        "demo.c": ("extension", "version", ()),
        "demo.d": ("extension", "", ()),
        "demo.e": ("bytecode", "", ()),
        "demo.f": ("source", "", ("bytecode",)),
        "demo.g": ("source", "", ()),
    }
    others = ["demo-1.0.data/scripts/run.py", "demo.libs/libx-1234.so", "demo/a.pyi", "demo/libplain.so", "demo/no-module.py"]
    assert [each.path for each in found.data] == others
    assert (found.level, found.compiler, found.made_by) == ("", None, "other 1.0")
    assert found.notes == ("it does not say why its modules are what they are; this is what its files show",)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["demo/__init__.py"], ("instant", "")),
        (["demo/__init__.pyc"], ("bytecode", "release")),
        (["demo/__init__.py", "demo/__pycache__/__init__.cpython-311.pyc"], ("bytecode", "debug")),
        (["demo/__init__.py", "demo/_own.cpython-311-x86_64-linux-gnu.so"], ("instant", "")),
        (["demo/__init__.pyc", "demo/_own.cpython-311-x86_64-linux-gnu.so"], ("bytecode", "release")),
    ],
)
def test_our_other_levels_show_by_their_files(tmp_path: Path, files: list[str], expected: tuple[str, str]) -> None:
    found = inspect(wheel(tmp_path, *files, generator="pypackpack 0.3.0"))
    assert (found.level, found.type) == expected
    assert found.notes == ()


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (b"{", "Expecting property name"),
        (b"[]", "valid dictionary"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"format": 1, "level": 3, "type": "", "python": "", "modules": []}', "level: Input should be a valid string"),
        (b'{"format": 2}', "its form is 2, and this version of pypackpack knows 1"),
        (
            b'{"format": 1, "level": "native", "type": "debug", "python": "3.11", "modules": [{"module": "x", "file": "y", "form": "jpeg"}]}',
            "modules.0.form",
        ),
        (b"\xff", "decode"),
    ],
)
def test_a_report_that_is_none_is_said(tmp_path: Path, report: bytes, words: str) -> None:
    found = inspect(wheel(tmp_path, "demo/__init__.py", report=report))
    assert words in found.notes[0]
    assert found.modules[0].form == "source"


def test_a_report_that_names_other_files_is_said(tmp_path: Path) -> None:
    report = write_report(
        WheelReport("native", "release", "3.11", None, None, (ModuleForm("demo.a", "demo/gone.so", "extension"),))
    )
    found = inspect(wheel(tmp_path, "demo/__init__.py", report=report))
    assert found.notes == ("its pypackpack.json names 1 files that are not in it, 'demo/gone.so' first",)
    assert [each.module for each in found.modules] == ["demo"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["../../etc/passwd"], "leads out through"),
        (["/etc/passwd"], "is absolute"),
        (["demo\\a.py"], "backslash"),
        (["demo/\x1b[31m.py"], "control character"),
        (["other-1.0.dist-info/METADATA"], "demo-1.0.dist-info, other-1.0.dist-info"),
    ],
)
def test_names_that_no_wheel_has(tmp_path: Path, files: list[str], words: str) -> None:
    with pytest.raises(DamagedArtifactError, match="is no wheel") as caught:
        inspect(wheel(tmp_path, *files))
    assert words in caught.value.message
    assert "\x1b" not in caught.value.message


def test_two_files_of_one_name(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = wheel(tmp_path, "demo/a.py", "demo/a.py")
    with pytest.raises(DamagedArtifactError, match="twice"):
        inspect(path)


@pytest.mark.parametrize("missing", ["METADATA", "WHEEL"])
def test_a_wheel_without_its_metadata(tmp_path: Path, missing: str) -> None:
    path = wheel(tmp_path, "demo/a.py", **{missing: None})  # type: ignore[arg-type]
    with pytest.raises(DamagedArtifactError, match=f"has no {missing}"):
        inspect(path)


def test_metadata_of_hundreds_of_megabytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / NAME
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{INFO}/METADATA", bytes(100 << 20))
        archive.writestr(f"{INFO}/WHEEL", WHEEL)
    with pytest.raises(DamagedArtifactError, match="most that is read"):
        inspect(path)


def test_names_that_a_careless_pattern_would_look_at_for_hours(tmp_path: Path) -> None:
    for middle in ("cp" + "1" * 60_000, "cpython-" + "1" * 60_000, "pypy" + "1" * 60_000):
        path = wheel(tmp_path, f"demo/a.{middle}!.so")
        assert [each.path for each in inspect(path).data] == [f"demo/a.{middle}!.so"]
    crowd = [f"demo/{number}{'a' * 60_000}.py" for number in range(100)]  # each took ten seconds
    assert [each.path for each in inspect(wheel(tmp_path, *crowd)).data] == sorted(crowd)


def test_what_is_no_artifact(tmp_path: Path) -> None:
    for name, error, words in (
        ("gone.whl", UsageError, "is not there"),
        ("notes.txt", UsageError, "no artifact that inspect knows"),
        ("demo-1.0-p1-py3-none-any.whl.patch", DamagedArtifactError, "patch"),
        ("demo.whl", DamagedArtifactError, "the name of a wheel"),
        (NAME, DamagedArtifactError, "no ZIP archive"),
    ):
        if name != "gone.whl":
            (tmp_path / name).write_text("hello")
        with pytest.raises(error, match=words):
            inspect(tmp_path / name)
    with pytest.raises(UsageError, match="is a folder"):
        inspect(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / NAME
    os.mkfifo(pipe)
    with pytest.raises(UsageError, match="no regular file"):
        inspect(pipe)


def test_the_report_is_the_same_for_the_same_modules() -> None:
    modules = [ModuleForm("a", "a.py", "source"), ModuleForm("b", "b.py", "source", reason="zwölf")]
    one = write_report(WheelReport("native", "release", "3.11", None, None, tuple(modules)))
    assert one == write_report(WheelReport("native", "release", "3.11", None, None, tuple(reversed(modules))))
    assert json.loads(one)["modules"][0] == {"module": "a", "file": "a.py", "form": "source"}
    assert one.isascii()
