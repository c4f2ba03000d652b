from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker

from pypackpack.middleware.environment import lock as locks
from pypackpack.middleware.environment.lock import Lock, Needs
from pypackpack.middleware.target import table
from pypackpack.model.errors import DamagedLockError, NewerLockError
from pypackpack.model.project import BundleSettings, Package, Project

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path

TARGETS = tuple(table.find(name) for name in ("linux_x86_64", "linux_musl_x86_64", "windows_amd64", "macos_universal2"))
NEEDS = Needs("app", ("click", "numpy; sys_platform == 'win32'"), {}, TARGETS, ">=3.11,<4", {})


def package(root: Path, name: str, dependencies: tuple[str, ...], local: tuple[str, ...] = ()) -> Package:
    return Package(name, name, root / name, "1", TARGETS, ((3, 12),), dependencies, {}, {}, BundleSettings(), local)


def test_the_lock_project_says_only_what_the_resolution_depends_on() -> None:
    content = tomllib.loads(locks.project_text(NEEDS))
    assert content["project"]["dependencies"] == list(NEEDS.lines)
    assert content["project"]["requires-python"] == ">=3.10"
    assert content["tool"]["uv"]["package"] is False
    assert content["tool"]["uv"]["workspace"] == {"members": []}
    assert "conflicts" not in content["tool"]["uv"]


def test_environments_are_the_markers_of_the_targets() -> None:
    found = locks.environments(NEEDS)
    python = "python_full_version < '4' and python_full_version >= '3.11'"
    assert found == (
        f"sys_platform == 'linux' and platform_machine == 'x86_64' and {python}",  # glibc and musl are one to a marker
        f"sys_platform == 'win32' and platform_machine == 'AMD64' and {python}",
        f"sys_platform == 'darwin' and {python}",
    )
    for target in TARGETS:
        for version, inside in (((3, 10), False), ((3, 11), True), ((3, 14), True)):
            facts = locks.marker_facts(target, version)
            assert any(Marker(marker).evaluate(facts) for marker in found) is inside


def test_dependencies_of_single_targets_are_groups_with_their_marker() -> None:
    needs = replace(NEEDS, own={"linux_musl_x86_64": ("numpy<2; python_version < '3.13'",), "windows_amd64": ("rich",)})
    content = tomllib.loads(locks.project_text(needs))
    assert set(content["dependency-groups"]) == {"linux-musl-x86-64", "windows-amd64"}
    assert content["tool"]["uv"]["conflicts"] == [[{"group": "linux-musl-x86-64"}, {"group": "windows-amd64"}]]
    text = content["dependency-groups"]["linux-musl-x86-64"][0]
    marker = Marker(text.partition(";")[2])
    assert marker.evaluate(locks.marker_facts(TARGETS[0], (3, 12)))
    assert not marker.evaluate(locks.marker_facts(TARGETS[0], (3, 13)))
    assert not marker.evaluate(locks.marker_facts(TARGETS[2], (3, 12)))


def test_local_packages_give_their_dependencies_and_stay_out_themselves(tmp_path: Path) -> None:
    core = package(tmp_path, "core", ("click>=8", "rich"))
    app = package(tmp_path, "app", ("core", "rich", "core-tools"), ("core",))
    project = Project("all", tmp_path, (app, core))
    assert locks.needs_of(project, app).lines == ("click>=8", "rich", "core-tools")
    assert locks.needs_of(project, core).lines == ("click>=8", "rich")


def test_what_is_said_to_uv_goes_along(tmp_path: Path) -> None:
    app = package(tmp_path, "app", ("click",))
    app.root.mkdir()
    (tmp_path / "pyproject.toml").write_text(
        '[tool.uv]\nindex-strategy = "unsafe-best-match"\nprerelease = "allow"\npackage = true\n'
    )
    (app.root / "pyproject.toml").write_text('[tool.uv]\nprerelease = "disallow"\n')
    settings = locks.needs_of(Project("all", tmp_path, (app,)), app).settings
    assert settings == {"index-strategy": "unsafe-best-match", "prerelease": "disallow"}


def test_the_digest_changes_with_what_matters_and_with_nothing_else(tmp_path: Path) -> None:
    digest = locks.made_from(NEEDS)
    assert locks.made_from(replace(NEEDS)) == digest
    assert locks.made_from(replace(NEEDS, lines=("click",))) != digest
    assert locks.made_from(replace(NEEDS, targets=TARGETS[:1])) != digest
    app = package(tmp_path, "app", ("click",))
    one = locks.made_from(locks.needs_of(Project("x", tmp_path, ()), app))
    moved = replace(app, root=tmp_path / "elsewhere", version="2")
    assert locks.made_from(locks.needs_of(Project("y", tmp_path, ()), moved)) == one


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_lock_file_is_read_back(tmp_path: Path, newline: str) -> None:
    lock = Lock('version = 1\n\n[[package]]\nname = "a"\nversion = "2"\n', "abc", ("numpy==2 ; sys_platform == 'linux'",))
    path = tmp_path / "pyproject.lock"
    path.write_bytes(str(lock).replace("\n", newline).encode())
    assert locks.read_lock(path) == lock
    assert locks.read_lock(tmp_path / "none") is None


def test_a_lock_from_elsewhere_has_no_origin(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.lock"
    path.write_text("version = 1\n")
    assert locks.read_lock(path) == Lock("version = 1\n", "")


@pytest.mark.parametrize("data", [b"<<<<<<< HEAD\n", b"\xff\xfe", b"version = "])
def test_a_damaged_lock_is_named(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "pyproject.lock"
    path.write_bytes(data)
    with pytest.raises(DamagedLockError, match=r"pyproject\.lock is damaged"):
        locks.read_lock(path)


def test_without_dependencies_the_lock_is_valid_and_empty() -> None:
    lock = locks.empty_lock(replace(NEEDS, lines=()))
    assert tomllib.loads(str(lock))["package"][0]["name"] == "app"
    assert tomllib.loads(locks.EMPTY_PYLOCK)["packages"] == []


PYLOCK = """\
lock-version = "1.0"
created-by = "test"
[[packages]]
name = "numpy"
version = "2"
marker = "sys_platform == 'win32' and python_full_version >= '3.12'"
wheels = [{ url = "https://example.org/numpy-2-cp312-cp312-win_amd64.whl", hashes = { sha256 = "00" } }]
[[packages]]
name = "click"
version = "8"
wheels = [{ url = "https://example.org/click-8-py3-none-any.whl", hashes = { sha256 = "11" } }]
"""


def test_a_target_takes_what_its_markers_say() -> None:
    linux, windows = TARGETS[0], TARGETS[2]
    assert [item.name for item in locks.applicable(PYLOCK, linux, (3, 12))] == ["click"]
    assert [item.name for item in locks.applicable(PYLOCK, windows, (3, 12))] == ["click", "numpy"]
    assert [item.name for item in locks.applicable(PYLOCK, windows, (3, 11))] == ["click"]
    other = PYLOCK.replace('"11"', '"22"')
    assert locks.applicable(PYLOCK, linux, (3, 12)) != locks.applicable(other, linux, (3, 12))


def test_fits_are_for_one_target_and_python_and_only_where_the_lock_differs() -> None:
    windows = TARGETS[2]
    locked = locks.applicable(PYLOCK, windows, (3, 12))
    assert locks.fits_for({"click": "8", "numpy": "1.9"}, locked, windows, (3, 12)) == (
        "numpy==1.9 ; sys_platform == 'win32' and platform_machine == 'AMD64' and python_version == '3.12'",
    )


def test_a_lock_of_something_newer_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.lock"
    path.write_text(str(Lock("version = 1\n", "abc")).replace("# format: 1", "# format: 2"))
    with pytest.raises(NewerLockError, match="newer pypackpack"):
        locks.read_lock(path)
    path.write_text(str(Lock("version = 2\n", "abc")))
    with pytest.raises(NewerLockError, match="newer uv"):
        locks.read_lock(path)


def test_wheels_of_other_systems_do_not_change_an_environment() -> None:
    def pylock(*files: str) -> str:
        wheels = ", ".join(
            f"{{ url = 'https://x/{file}', hashes = {{ sha256 = '{number}' }} }}" for number, file in enumerate(files)
        )
        return f"lock-version = '1.0'\n[[packages]]\nname = 'a'\nversion = '1'\nwheels = [{wheels}]\n"

    few = pylock("a-1-cp312-cp312-manylinux_2_17_x86_64.whl", "a-1-py3-none-any.whl")
    more = pylock("a-1-cp312-cp312-manylinux_2_17_x86_64.whl", "a-1-py3-none-any.whl", "a-1-cp312-cp312-win_amd64.whl")
    linux, windows = TARGETS[0], TARGETS[2]
    assert locks.applicable(few, linux, (3, 12)) == locks.applicable(more, linux, (3, 12))
    assert locks.applicable(few, windows, (3, 12)) != locks.applicable(more, windows, (3, 12))


TOML = st.recursive(
    st.text(st.characters(exclude_categories=["Cs"])) | st.booleans() | st.integers(-(2**60), 2**60),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), TOML))
def test_toml_for_uv_says_what_it_was_made_from(content: dict[str, object]) -> None:
    assert tomllib.loads(locks.toml_text(content)) == content
