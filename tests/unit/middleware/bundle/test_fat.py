"""Fat wheels: name, tags, metadata, and what is said of what does not go along."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from pypackpack.middleware.bundle.dependencies import BuiltDependencies
from pypackpack.middleware.bundle.fat import FatPlan, check_name, fat_core, fat_name, points_elsewhere
from pypackpack.middleware.bundle.installed import Distribution, Installed, InstalledFile
from pypackpack.middleware.bundle.metadata import CoreFiles
from pypackpack.middleware.compile.content import Content, Contents
from pypackpack.middleware.target import table
from pypackpack.model.errors import SettingsError
from pypackpack.model.project import BundleSettings, Package

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.middleware.bundle.artifacts import Made

TEXT = """\
Metadata-Version: 2.4
Name: Demo.App
Version: 1.0
Summary: it
License-Expression: MIT
Requires-Python: >=3.10
Requires-Dist: numpy>=2
Requires-Dist: rich; extra == "pretty"
Provides-Extra: pretty

Requires-Dist: this is the readme.
"""


def package(root: Path, **bundle: Any) -> Package:  # noqa: ANN401
    return Package("Demo.App", "demo_app", root, "1.0", (), (), (), {}, {}, BundleSettings(**bundle))


def plan(root: Path, files: dict[str, bytes], target: str = "linux_x86_64") -> FatPlan:
    """Return a plan of a package with one dependency."""
    found = []
    for path, data in files.items():
        place = root / "site" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        found.append(InstalledFile(path, "dep 2.0", "0" * 64, len(data), place))
    item = Distribution("dep", "2.0", "dep-2.0.dist-info", tuple(found))
    mine = package(root)
    contents = Contents((Content("demo_app/__init__.py", "1" * 64),), False, False, (), True)
    made = SimpleNamespace(package=mine, target=table.find(target), python=SimpleNamespace(series=(3, 12)), contents=contents)
    return FatPlan(mine, (cast("Made", made),), BuiltDependencies(Installed((item,)), {}))


def test_it_asks_for_nothing_and_says_every_licence() -> None:
    licenses = {"numpy": "BSD-3-Clause", "Old_One": "", "either": "MIT OR Apache-2.0", "same": "MIT"}
    core = fat_core(CoreFiles("Demo.App", "1.0", TEXT, "[console_scripts]\n"), "Demo.App-fat", licenses)
    head, _, body = core.metadata.partition("\n\n")
    assert head.splitlines() == [
        "Metadata-Version: 2.4",
        "Name: Demo.App-fat",
        "Version: 1.0",
        "Summary: it",
        "Requires-Python: >=3.10",
        "License-Expression: MIT AND BSD-3-Clause AND LicenseRef-old-one AND (MIT OR Apache-2.0)",
    ]
    assert body == "Requires-Dist: this is the readme.\n"
    assert (core.dist_info, core.entry_points) == ("demo_app_fat-1.0.dist-info", "[console_scripts]\n")
    alone = fat_core(CoreFiles("a", "1", "Name: a\nLicense-Expression: MIT\n"), "a-fat", {})
    assert alone.metadata == "Name: a-fat\nLicense-Expression: MIT\n"


def test_a_package_that_says_no_licence_in_spdxs_words_is_named_as_a_dependency_is() -> None:
    old = "Name: My_App\nLicense: do what\n        you like\nSummary: it\nClassifier: License :: Other\nClassifier: Topic :: X\n"
    for text in ("Name: My_App\nSummary: it\nClassifier: Topic :: X\n", old):
        metadata = fat_core(CoreFiles("My_App", "1", text), "f", {"numpy": "BSD-3-Clause"}).metadata
        said = "License-Expression: LicenseRef-my-app AND BSD-3-Clause\n"
        assert metadata == f"Name: f\nSummary: it\nClassifier: Topic :: X\n{said}"
    # With nothing else inside, what the package says holds.
    assert fat_core(CoreFiles("My_App", "1", old), "f", {}).metadata == old.replace("My_App", "f")


def test_the_name_may_be_set_and_is_nobody_elses(tmp_path: Path) -> None:
    assert fat_name(package(tmp_path)) == "Demo.App-fat"
    assert fat_name(package(tmp_path, fat_name="whole")) == "whole"
    installed = Installed((Distribution("dep_one", "2.0", "dep_one-2.0.dist-info", ()),))
    check_name(package(tmp_path), installed)
    for name, whose in (("demo_app", "the package itself"), ("Dep.One", "dep_one 2.0")):
        with pytest.raises(SettingsError, match=r"tool\.pypackpack\.bundle\.fat-name") as caught:
            check_name(package(tmp_path, fat_name=name), installed)
        assert whose in str(caught.value)


@pytest.mark.parametrize(
    ("path", "tag"),
    [
        ("dep/__init__.py", "cp312-none-"),
        ("dep/core.cpython-312-x86_64-linux-gnu.so", "cp312-cp312-"),
        ("dep.libs/libx-1234.so.1.2", "cp312-cp312-"),
        ("dep/core.abi3.so", "cp312-cp312-"),
        ("dep/some.json", "cp312-none-"),
    ],
)
def test_tags_are_those_of_what_is_inside(tmp_path: Path, path: str, tag: str) -> None:
    found = str(plan(tmp_path, {path: b""}).tags())
    assert found == f"{tag}manylinux2014_x86_64.manylinux_2_17_x86_64"
    assert str(plan(tmp_path, {path: b""}, "windows_amd64").tags()) == f"{tag}win_amd64"


def test_names_at_the_top(tmp_path: Path) -> None:
    files = [
        "dep/__init__.py",
        "one.py",
        "two.cpython-312-x86_64-linux-gnu.so",
        "dep.libs/x.so",
        "a.txt",
        "x.pth",
        "demo_app/b.py",
    ]
    files += ["dep-2.0.dist-info/METADATA", "three.pyc", "four.pyd", "__main__.py"]
    assert plan(tmp_path, dict.fromkeys(files, b"")).names() == ("dep", "four", "one", "three", "two")


def test_what_a_pth_file_names(tmp_path: Path) -> None:
    lines = b"# comment\nwin32\n\nwin32\\lib\nimport boot\n.\n"
    points = {"dep-2.0.dist-info/entry_points.txt": b"[plugins]\na = b\n\n[console_scripts]\nstop = c:d\nrun=e:f\n"}
    there = {"dep/__init__.py": b"", "win32/lib/a.py": b"", "sub/other.pth": b"no\n"}
    mine = plan(tmp_path, {"dep.pth": lines} | there | points)
    assert mine.folders() == ("win32", "win32/lib")
    commands, code = mine.notes()
    assert "`run`, `stop` of dep 2.0" in commands
    assert "dep.pth" in code


def test_commands_from_a_wheel_and_a_pth_file_that_leads_out_are_named(tmp_path: Path) -> None:
    mine = plan(tmp_path, {"dep/__init__.py": b"", "dep-2.0.dist-info/entry_points.txt": b"[console_scripts]\nninja = a:b\n"})
    (item,) = mine.installed.distributions
    left = InstalledFile("out.pth", item.label, "0" * 64, 1, tmp_path / "out.pth")
    item = replace(item, scripts=("ninja", "ruff.exe"), left=(left,))
    commands, away = replace(mine, built=BuiltDependencies(Installed((item,)), {})).notes()
    assert commands.endswith(": `ninja`, `ruff` of dep 2.0")
    assert "out.pth of dep 2.0 does not go along" in away


@pytest.mark.parametrize("line", ["win32/../../..", "..", "\\\\evil", "C:evil", "gone", "a\0b", "\udcff"])
def test_a_pth_file_names_nothing_that_is_not_carried(tmp_path: Path, line: str) -> None:
    there = {"dep.pth": f"{line}\nPythonwin\n".encode(errors="surrogateescape"), "win32/a.py": b"", "pythonwin/b.py": b""}
    assert plan(tmp_path, there).folders() == ()
    assert plan(tmp_path, there, "windows_amd64").folders() == ("pythonwin",)  # as pywin32 has it, and case means nothing


def test_a_metadata_folder_of_any_name_has_a_licence() -> None:
    core = fat_core(CoreFiles("a", "1", "Name: a\nLicense-Expression: MIT\n"), "a-fat", {"we ird!(": "", "_x": ""})
    assert "License-Expression: MIT AND LicenseRef--x AND LicenseRef-we-ird-\n" in core.metadata


def test_what_cannot_start_is_said() -> None:
    points = "[console_scripts]\na = demo.cli:main\nb = other:main\n\n[plugins]\nc = demo\nd = demolition.x:y\n"
    b, d = points_elsewhere(CoreFiles("demo-fat", "1", "", points), "demo")
    assert b.startswith("b = other:main cannot start")
    assert d.startswith("d = demolition.x:y cannot start")
    assert points_elsewhere(CoreFiles("demo-fat", "1", ""), "demo") == []


def test_long_paths_are_said_for_windows(tmp_path: Path) -> None:
    files = {"dep/" + "folder/" * 20 + "module.py": b""}
    assert plan(tmp_path, files).notes() == ()
    assert plan(tmp_path, {"dep/a.py": b""}, "windows_amd64").notes() == ()
    (note,) = plan(tmp_path, files, "windows_amd64").notes()
    assert "has 171 characters" in note


def test_what_it_holds_is_by_its_place(tmp_path: Path) -> None:
    mine = plan(tmp_path, {"dep/a.py": b""})
    built = BuiltDependencies(mine.installed, {"dep/b.so": Content("dep/b.so", "2" * 64)})
    found = replace(mine, built=built).digests()
    assert found == {"dep/a.py": "0" * 64, "dep/b.so": "2" * 64, "demo_app/__init__.py": "1" * 64}
