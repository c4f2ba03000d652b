"""`inspect --diff` and `inspect` of patches: what is told, as data by the documented schema and as lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

import pypackpack
from pypackpack.frontend.cli import inspect_reference
from pypackpack.frontend.cli.comparison_view import comparison_lines, patch_lines, resource_lines, resources_lines
from pypackpack.frontend.cli.console import as_json
from pypackpack.frontend.cli.style import PLAIN
from pypackpack.middleware.bundle.report import FILE, write_report
from pypackpack.middleware.inspect import compare, inspect
from pypackpack.middleware.patch.make import make_patch
from pypackpack.middleware.verify import verify
from pypackpack.model.comparison import (
    Comparison,
    FieldChange,
    MemberChange,
    ModuleChange,
    PatchInspection,
    ResourceComparison,
    ResourceInspection,
)
from pypackpack.model.errors import DamagedArtifactError, UsageError
from pypackpack.model.inspection import ModuleForm, Tool, WheelReport
from tests.crafted import craft
from tests.unit.client import resource_forge

if TYPE_CHECKING:
    from collections.abc import Callable

DOCS = Path(pypackpack.__file__).parents[1] / "docs" / "reference"
SCHEMA = Draft202012Validator(inspect_reference.json_schema())
METADATA = "Metadata-Version: 2.4\nName: demo\nVersion: {}\nRequires-Dist: one\n{}\nText {}.\n"
NAME = "demo-{}-cp311-cp311-manylinux_2_17_x86_64.whl"


def report(level: str, *forms: ModuleForm, cython: str = "3.3.1") -> bytes:
    return write_report(WheelReport(level, "release", "3.11", Tool("cython", cython), None, forms))


def make(folder: Path, version: str, files: dict[str, bytes], more: str = "", **report_of: bytes) -> Path:
    info = f"demo-{version}.dist-info"
    folder.mkdir(exist_ok=True)
    inside = {**files, **({f"{info}/{FILE}": report_of["report"]} if report_of else {})}
    return craft(folder, inside, NAME.format(version), metadata=METADATA.format(version, more, version), info=info)


def compare_two(one: Path, other: Path) -> Comparison:
    found = compare(one, other)
    assert isinstance(found, Comparison)
    return found


def valid(value: object) -> None:
    SCHEMA.validate(json.loads(json.dumps(as_json(value))))


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """Two versions of one wheel."""
    before = report("native", ModuleForm("demo.a", "demo/a.py", "bytecode", reason="line one\nline two"))
    after = report("native", ModuleForm("demo.a", "demo/a.so", "extension", "version"), cython="3.3.2")
    old = {"demo/__init__.py": b"1", "demo/a.py": b"x", "demo/gone.txt": b"abc", "demo/same.txt": b"same"}
    new = {"demo/__init__.py": b"12", "demo/a.so": b"\x7f", "demo/same.txt": b"same"}
    return make(tmp_path / "one", "1.0", old, report=before), make(
        tmp_path / "two", "1.1", new, "Requires-Dist: two\n", report=after
    )


def test_files_metadata_and_modules(two: tuple[Path, Path]) -> None:
    found = compare_two(*two)
    valid(found)
    members = {each.path: each for each in found.members if not each.path.startswith(".dist-info/")}
    assert members == {
        "demo/__init__.py": MemberChange("demo/__init__.py", "changed", 1, 2),
        "demo/a.py": MemberChange("demo/a.py", "removed", 1, None),
        "demo/a.so": MemberChange("demo/a.so", "added", None, 1),
        "demo/gone.txt": MemberChange("demo/gone.txt", "removed", 3, None),
    }
    assert [each.path for each in found.members if each.path.startswith(".")] == [
        ".dist-info/METADATA",
        ".dist-info/RECORD",
        f".dist-info/{FILE}",
    ]
    assert found.unchanged == 2  # and WHEEL
    fields = {each.name: each for each in found.fields}
    assert fields["METADATA: Version"] == FieldChange("METADATA: Version", ("1.0",), ("1.1",))
    assert fields["METADATA: Requires-Dist"].after == ("two",)
    assert fields["compiler"] == FieldChange("compiler", ("cython 3.3.1",), ("cython 3.3.2",))
    assert "METADATA: text" in fields
    assert ModuleChange("demo.a", "changed", "source: line one\nline two", "extension (version)") in found.modules
    assert not found.same
    assert not found.packing


def test_a_table_of_it(two: tuple[Path, Path]) -> None:
    lines = comparison_lines(compare_two(*two), 100, PLAIN)
    text = "\n".join(lines)
    assert "~  demo/__init__.py" in text
    assert "-  demo/gone.txt" in text
    assert "+  demo/a.so" in text
    assert "and 2 files the same in both" in text
    assert "    + two" in text
    assert "      - source: line one" in text
    # Paths are shown whole, so that they can be copied.
    assert max(len(line) for line in lines if not any(str(path) in line for path in two)) <= 100


def test_the_same_and_only_packed_otherwise(two: tuple[Path, Path], tmp_path: Path) -> None:
    copy = tmp_path / two[0].name
    copy.write_bytes(two[0].read_bytes())
    found = compare_two(two[0], copy)
    assert (found.same, found.members, found.packing) == (True, (), False)
    assert comparison_lines(found, None, PLAIN)[-1] == "the same to the byte"
    data = bytearray(copy.read_bytes())
    data[10] ^= 1  # the time of the first member
    copy.write_bytes(data)
    found = compare_two(two[0], copy)
    assert (found.same, found.members, found.packing) == (False, (), True)
    assert "all files are the same" in "\n".join(comparison_lines(found, None, PLAIN))


def test_control_characters_of_others_do_nothing(tmp_path: Path) -> None:
    wheel = craft(
        tmp_path, {"demo/\x1b[2J.txt".replace("\x1b", "~"): b""}, metadata="Name: demo\nVersion: 1.0\nSummary: \x1b[2Jred\n"
    )
    other = craft(tmp_path / "..", {}, metadata="Name: demo\nVersion: 1.0\nSummary: blue\n", name="other-1.0-py3-none-any.whl")
    assert "\x1b" not in "\n".join(comparison_lines(compare_two(wheel, other), None, PLAIN))


def test_what_cannot_be_compared(two: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not there"):
        compare(two[0], tmp_path / "none.whl")
    (tmp_path / "x.txt").touch()
    with pytest.raises(UsageError, match="neither two wheels nor"):
        compare(two[0], tmp_path / "x.txt")
    data = two[1].read_bytes()
    two[1].write_bytes(data[: len(data) // 2])
    with pytest.raises(DamagedArtifactError):
        compare_two(*two)


@pytest.fixture
def patch(two: tuple[Path, Path], tmp_path: Path) -> Path:
    """A patch from one to the other."""
    path = tmp_path / "demo-1.0-p3-cp311-cp311-manylinux_2_17_x86_64.whl.patch"
    path.write_bytes(make_patch(*two, number=3, codecs=("lzma",)))
    return path


def test_what_is_in_a_patch(patch: Path, two: tuple[Path, Path]) -> None:
    found = inspect(patch)
    assert isinstance(found, PatchInspection)
    valid(found)
    assert (found.kind, found.name, found.number, found.primary, found.result) == ("patch", "demo", 3, two[0].name, two[1].name)
    assert {each.path for each in found.members if each.change == "added"} >= {"demo/a.so"}
    text = "\n".join(patch_lines(found, 80, PLAIN))
    assert "3 of demo" in text
    assert "+  demo/a.so" in text


def test_verify_of_a_patch(patch: Path, two: tuple[Path, Path]) -> None:
    found = verify(patch, base=two[0])
    valid(found)
    assert found.problems == ()
    assert [check.name for check in found.checks] == ["patch", "identity", "names", "result"]
    wrong = patch.rename(patch.with_name(patch.name.replace("-p3-", "-p4-")))
    assert "by what it says of itself it is called demo-1.0-p3-" in verify(wrong).problems[0]
    with pytest.raises(UsageError, match="--audit is for wheels"):
        verify(wrong, audit=True)
    with pytest.raises(UsageError, match="not the primary"):  # the patch is right, and not called damaged
        verify(wrong, base=two[1])
    data = bytearray(wrong.read_bytes())
    data[-3] ^= 1
    wrong.write_bytes(data)
    for look in (verify, inspect):
        with pytest.raises(DamagedArtifactError):
            look(wrong)


def test_archives_of_data_files(tmp_path: Path) -> None:
    before = {"a.txt": b"a" * 10, "b.txt": b"b", "c.txt": b"c"}
    one = tmp_path / "one.resource"
    one.write_bytes(resource_forge.archive(before))
    other = tmp_path / "other.resource"
    other.write_bytes(resource_forge.archive({"a.txt": b"other", "b.txt": b"b", "d.txt": b"dd"}))
    found = inspect(one)
    assert isinstance(found, ResourceInspection)
    valid(found)
    assert [(each.path, each.size) for each in found.data] == [("a.txt", 10), ("b.txt", 1), ("c.txt", 1)]
    assert "3 files" in resource_lines(found, 80, PLAIN)[-1]
    compared = compare(one, other)
    assert isinstance(compared, ResourceComparison)
    valid(compared)
    assert [(each.path, each.change, each.before, each.after) for each in compared.members] == [
        ("a.txt", "changed", 10, 5),
        ("c.txt", "removed", 1, None),
        ("d.txt", "added", None, 2),
    ]
    assert "+  d.txt" in "\n".join(resources_lines(compared, 80, PLAIN))
    assert resources_lines(compare(one, one), None, PLAIN)[-1] == "all files are the same"

    checked = verify(one)
    valid(checked)
    (problem,) = checked.problems
    named = one.rename(one.with_name(problem.rpartition(" ")[2]))
    assert verify(named).problems == ()
    with pytest.raises(UsageError, match="neither two wheels nor"):
        compare(named, craft(tmp_path, {}))
    data = bytearray(named.read_bytes())
    data[-1] ^= 1
    named.write_bytes(data)
    with pytest.raises(DamagedArtifactError):
        verify(named)


def test_what_verify_says_of_a_wheel_is_by_the_schema(two: tuple[Path, Path]) -> None:
    valid(verify(two[0]))
    valid(inspect(two[0]))


@pytest.mark.parametrize(
    ("name", "text"),
    [("inspection.md", inspect_reference.page), (inspect_reference.SCHEMA_FILE, inspect_reference.schema_text)],
)
def test_the_reference_is_made_from_the_code(name: str, text: Callable[[], str]) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == text(), "run python -m pypackpack.frontend.cli.reference"
