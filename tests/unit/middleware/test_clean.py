"""Emptying build folders."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend import filesystem
from pypackpack.backend.tree_size import tree_size
from pypackpack.middleware.clean import clean
from pypackpack.middleware.project.read import find_project
from pypackpack.model.build import Silent
from pypackpack.model.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.model.project import Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv(filesystem.CACHE_VARIABLE, os.fspath(tmp_path / "cache"))
    root = tmp_path / "shop"
    for name in ("billing", "stock"):
        (root / name / "src" / "main").mkdir(parents=True)
        (root / name / "src" / "main" / "__init__.py").touch()
        (root / name / "pyproject.toml").write_text(
            f'[project]\nname = "{name}"\nversion = "1.0"\n\n[tool.pypackpack]\ntargets = ["linux_x86_64"]\n'
        )
    (root / "pyproject.toml").write_text(
        '[project]\nname = "shop"\nversion = "1.0"\n\n[tool.pypackpack]\npackages = ["billing", "stock"]\n'
    )
    return find_project(root)


def fill(project: Project, name: str) -> Path:
    package = project.package(name)
    assert package is not None
    folder = package.build_folder
    for place, text in (("packpack/a.whl", "abcd"), ("crossenv/linux_x86_64/x.py", "xy"), (".lock", "")):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(text)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_build_folders_are_emptied_and_the_lock_stays(project: Project) -> None:
    folders = [fill(project, "billing"), fill(project, "stock")]
    result = clean(project, (), Silent())
    assert [(each.package, each.files, each.size, each.parts) for each in result.packages] == [
        ("billing", 2, 6, ("crossenv", "packpack")),
        ("stock", 2, 6, ("crossenv", "packpack")),
    ]
    assert [names(folder) for folder in folders] == [[".lock"], [".lock"]]
    assert [each.parts for each in clean(project, (), Silent()).packages] == [(), ()]


def test_only_the_packages_that_were_named(project: Project) -> None:
    billing, stock = fill(project, "billing"), fill(project, "stock")
    clean(project, ("stock",), Silent())
    assert (names(billing), names(stock)) == ([".lock", "crossenv", "packpack"], [".lock"])


def test_a_dry_run_removes_nothing_and_makes_nothing(project: Project) -> None:
    billing = fill(project, "billing")
    result = clean(project, (), Silent(), dry=True)
    assert (result.dry, [each.size for each in result.packages]) == (True, [6, 0])
    assert names(billing) == [".lock", "crossenv", "packpack"]
    assert not (project.root / "stock" / "build").exists()


def test_what_was_never_built_stays_without_a_folder(project: Project) -> None:
    clean(project, (), Silent())
    assert not (project.root / "billing" / "build").exists()


def test_a_wrong_name_is_refused_before_anything_is_removed(project: Project) -> None:
    billing = fill(project, "billing")
    with pytest.raises(UsageError, match="no package bilding") as caught:
        clean(project, ("billing", "bilding"), Silent())
    assert "billing, stock" in caught.value.message
    assert (billing / "packpack").exists()


def test_a_folder_that_is_a_link_is_left_alone(project: Project, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    (project.root / "billing" / "build").symlink_to(elsewhere, target_is_directory=True)
    watcher = Silent()
    assert clean(project, ("billing",), watcher).packages[0].parts == ()
    assert (elsewhere / "precious").exists()
    assert "is a link" in watcher.notes[0]


def test_a_link_in_it_is_removed_and_not_followed(project: Project, tmp_path: Path) -> None:
    folder = fill(project, "billing")
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("x" * 1000)
    (folder / "link").symlink_to(tmp_path / "precious", target_is_directory=True)
    result = clean(project, ("billing",), Silent())
    assert names(folder) == [".lock"]
    assert (tmp_path / "precious" / "file").exists()
    assert result.packages[0].size < 1000


def test_a_running_build_is_waited_for(project: Project) -> None:
    folder = fill(project, "billing")
    waits, done = threading.Event(), threading.Event()

    class Watcher(Silent):
        def note(self, text: str) -> None:
            assert "a build of billing is running" in text
            waits.set()

    def work() -> None:
        clean(project, ("billing",), Watcher())
        done.set()

    with filesystem.lock(folder / ".lock"):
        thread = threading.Thread(target=work)
        thread.start()
        assert waits.wait(20)
        assert (folder / "packpack" / "a.whl").exists()
        assert not done.is_set()
    thread.join(20)
    assert done.is_set()
    assert names(folder) == [".lock"]


def test_a_file_with_two_names_is_counted_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1234")
    os.link(tmp_path / "a", tmp_path / "b")
    (tmp_path / "empty").mkdir()
    assert tree_size([tmp_path]) == (1, 4)
    assert tree_size([tmp_path / "not there"]) == (0, 0)
