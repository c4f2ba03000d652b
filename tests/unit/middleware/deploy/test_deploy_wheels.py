"""Which wheels may go to an index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pypackpack.middleware.deploy.wheels import releases
from pypackpack.middleware.project.read import find_project
from pypackpack.model.errors import DamagedArtifactError, PyPackPackError, UsageError
from tests.wheelhouse import wheel

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.model.project import Package

WINDOWS, LINUX = "py3-none-win_amd64", "py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64"


def package(root: Path, version: str = "1.0", more: str = "") -> Package:
    (root / "small" / "src" / "main").mkdir(parents=True, exist_ok=True)
    (root / "small" / "pyproject.toml").write_text(
        f'[project]\nname = "small"\nversion = "{version}"\n[tool.pypackpack]\ntargets = ["linux_x86_64", "windows_amd64"]\n{more}',
        encoding="utf-8",
    )
    (root / "pyproject.toml").write_text(
        '[project]\nname = "whole"\nversion = "1.0"\nrequires-python = ">=3.10"\n[tool.pypackpack]\npackages = ["small"]\n',
        encoding="utf-8",
    )
    found = find_project(root).package("small")
    assert found is not None
    return found


def made(root: Path, kind: str = "release/instant", version: str = "1.0", tag: str = "py3-none-any", name: str = "small") -> Path:
    folder = root / "small" / "build" / "packpack" / "single" / kind
    folder.mkdir(parents=True, exist_ok=True)
    return wheel(folder, name, version, tag=tag)


def test_the_wheels_of_the_present_version(tmp_path: Path) -> None:
    made(tmp_path, version="0.9")
    made(tmp_path, name="other")
    made(tmp_path, "debug/native")
    both = [made(tmp_path, tag=LINUX), made(tmp_path, tag=WINDOWS)]
    found = releases(package(tmp_path)).wheels
    assert sorted(each.path for each in found) == sorted(both)
    assert {each.platforms for each in found} == {("win_amd64",), ("manylinux2014_x86_64", "manylinux_2_17_x86_64")}
    assert [each.path for each in releases(package(tmp_path), words=["windows"]).wheels] == both[1:]


def test_a_version_may_be_written_in_another_way(tmp_path: Path) -> None:
    made(tmp_path, version="1.0rc1")
    [found] = releases(package(tmp_path, version="1.0-RC1")).wheels
    assert found.version == "1.0rc1"


def test_levels_that_are_not_said(tmp_path: Path) -> None:
    made(tmp_path)
    native = made(tmp_path, "release/native", tag="cp313-cp313-win_amd64")
    with pytest.raises(UsageError, match="of the levels instant and native") as caught:
        releases(package(tmp_path))
    assert "--level native" in caught.value.hint
    assert [each.path for each in releases(package(tmp_path), level="native").wheels] == [native]


OWN = '[tool.pypackpack.target.windows_amd64]\ndependencies = ["idna"]\n'


@pytest.mark.parametrize(
    ("version", "more", "message", "hint"),
    [
        ("1.0+patch.3", "", r"1.0\+patch.3 is a local version", "without `\\+`"),
        ("1.1", "", "no release wheel of small 1.1", "--type release --level native"),
        ("1.0", OWN, "for windows_amd64 have dependencies of their own", "markers"),
    ],
)
def test_what_an_index_must_not_have(version: str, more: str, message: str, hint: str, tmp_path: Path) -> None:
    made(tmp_path)
    with pytest.raises(UsageError, match=message) as caught:
        releases(package(tmp_path, version, more))
    assert hint.replace("\\", "") in caught.value.hint


def test_other_targets_of_a_package_with_dependencies_of_a_target_may_go(tmp_path: Path) -> None:
    linux = made(tmp_path, tag=LINUX)
    made(tmp_path, tag=WINDOWS)
    assert [each.path for each in releases(package(tmp_path, more=OWN), words=["linux"]).wheels] == [linux]


def test_only_debug_wheels(tmp_path: Path) -> None:
    made(tmp_path, "debug/native")
    with pytest.raises(UsageError, match="only debug ones of level native, which are not for an index") as caught:
        releases(package(tmp_path))
    assert "--type release --level native" in caught.value.hint


@pytest.mark.parametrize("what", ["cut", "renamed", "named"])
def test_a_wheel_that_is_not_what_it_says(what: str, tmp_path: Path) -> None:
    path = made(tmp_path, version="0.9" if what == "renamed" else "1.0")
    if what == "cut":
        path.write_bytes(path.read_bytes()[:-40])
    else:
        path.rename(path.with_name("small-1.0-py3-none-any.whl" if what == "renamed" else "small.whl"))
    with pytest.raises(DamagedArtifactError) as caught:
        releases(package(tmp_path))
    assert isinstance(caught.value, PyPackPackError)
    assert caught.value.hint
