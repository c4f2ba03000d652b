from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pypackpack.middleware.editable.install import install_editable, is_current, remove_editable
from pypackpack.middleware.editable.view import view_folder
from pypackpack.middleware.project.read import load_project
from pypackpack.middleware.target import table
from pypackpack.model.errors import SettingsError, SourceError

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.model.project import Project

HOST = table.find("linux_x86_64")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "project"
    files = {
        "pyproject.toml": '[project]\nname = "whole"\nversion = "1"\n\n[tool.pypackpack]\npackages = ["small", "other"]\n',
        "small/pyproject.toml": '[project]\nname = "small"\nversion = "1.0"\ndependencies = ["other"]\n\n[project.scripts]\n'
        'run-small = "small.mod:main"\n\n[tool.pypackpack]\n',
        "small/src/main/__init__.py": "",
        "small/src/main/mod.py": "",
        "small/src/main/sub/deep.py": "",
        "small/src/linux/mod.py": "",
        "other/pyproject.toml": '[project]\nname = "other"\nversion = "2.0"\n\n[tool.pypackpack]\n',
        "other/src/main/__init__.py": "",
    }
    for place, text in files.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_text(text, encoding="utf-8")
    return load_project(root)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "venv" / "lib" / "python3.12" / "site-packages"
    folder.mkdir(parents=True)
    (tmp_path / "venv" / "bin").mkdir()
    (tmp_path / "venv" / "pyvenv.cfg").write_text("", encoding="utf-8")
    return folder


def install(project: Project, site: Path) -> None:
    install_editable(project.packages[0], project, site, HOST)


def current(project: Project, site: Path) -> bool:
    return is_current(project.packages[0], project, site, HOST)


def test_what_is_written(project: Project, site: Path) -> None:
    assert not current(project, site)
    install(project, site)
    assert current(project, site)
    assert sorted(path.name for path in site.iterdir()) == [
        "_editable_small.pth",
        "_editable_small.py",
        "_editable_small_finder.py",
        "small-1.0.dist-info",
    ]
    info = site / "small-1.0.dist-info"
    assert (info / "INSTALLER").read_text(encoding="utf-8") == "pypackpack\n"
    url = json.loads((info / "direct_url.json").read_text(encoding="utf-8"))
    assert url == {"dir_info": {"editable": True}, "url": project.packages[0].root.as_uri()}
    assert "Requires-Dist: other==2.0\n" in (info / "METADATA").read_text(encoding="utf-8")
    recorded = [line.split(",")[0] for line in (info / "RECORD").read_text(encoding="utf-8").splitlines()]
    assert all((site / path).is_file() for path in recorded)
    assert "../../../bin/run-small" in recorded or sys.platform == "win32"


def test_the_view_of_type_checkers(project: Project, site: Path) -> None:
    install(project, site)
    package = project.packages[0]
    view = view_folder(package, HOST) / "small"
    assert (view / "mod.py").resolve() == package.source / "linux" / "mod.py"
    assert (view / "sub").resolve() == package.source / "main" / "sub"
    assert (view / "py.typed").read_bytes() == b""
    assert not (package.source / "main" / "py.typed").exists()
    (package.source / "linux" / "sub").mkdir()
    (package.source / "linux" / "sub" / "more.py").write_text("", encoding="utf-8")
    assert not current(project, site)
    install(project, site)
    assert (view / "sub" / "more.py").is_file()
    assert (view / "sub" / "deep.py").is_file()


@pytest.mark.parametrize(
    "file", ["_editable_small.pth", "_editable_small.py", "small-1.0.dist-info/METADATA", "small-1.0.dist-info/RECORD"]
)
def test_an_installation_that_somebody_changed_is_not_current(project: Project, site: Path, file: str) -> None:
    install(project, site)
    with (site / file).open("a", encoding="utf-8") as stream:
        stream.write("x,y,1\n")
    assert not current(project, site)
    install(project, site)
    assert current(project, site)
    (site / file).unlink()
    assert not current(project, site)


def test_another_version_replaces_the_former(project: Project, site: Path) -> None:
    install(project, site)
    file = project.packages[0].root / "pyproject.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"1.0"', '"1.1"').replace("run-small", "go-small"), encoding="utf-8")
    later = load_project(project.root)
    assert not current(later, site)
    install(later, site)
    assert [path.name for path in site.glob("*.dist-info")] == ["small-1.1.dist-info"]
    if os.name != "nt":
        assert [path.name for path in (site.parents[2] / "bin").iterdir()] == ["go-small"]


def test_a_package_that_was_installed_with_its_files_gives_way(project: Project, site: Path) -> None:
    (site / "small" / "sub").mkdir(parents=True)
    (site / "small" / "sub" / "mod.py").write_text("", encoding="utf-8")
    (site / "small-0.9.dist-info").mkdir()
    rows = "small/sub/mod.py,,\nsmall-0.9.dist-info/RECORD,,\n../../../../project/small/src/main/mod.py,,\n"
    (site / "small-0.9.dist-info" / "RECORD").write_text(rows, encoding="utf-8")
    install(project, site)
    assert not (site / "small").exists()
    assert (project.packages[0].source / "main" / "mod.py").is_file()
    assert current(project, site)


def test_removing(project: Project, site: Path) -> None:
    (site / "neighbour.py").write_text("", encoding="utf-8")
    install(project, site)
    assert remove_editable("Small", site)
    assert [path.name for path in site.iterdir()] == ["neighbour.py"]
    assert list((site.parents[2] / "bin").iterdir()) == []
    assert not remove_editable("small", site)


def test_nothing_is_changed_by_what_cannot_be_installed(project: Project, site: Path) -> None:
    package = project.packages[0]
    with pytest.raises(SourceError, match="has no sources"):
        install_editable(replace(package, root=project.root / "none"), project, site, HOST)
    file = package.root / "pyproject.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("small.mod:main", "small.mod main"), encoding="utf-8")
    with pytest.raises(SettingsError, match="run-small"):
        install(project, site)
    assert list(site.iterdir()) == []


def test_a_program_below_a_path_that_no_first_line_can_hold(project: Project, tmp_path: Path) -> None:
    if os.name == "nt":
        return
    home = tmp_path / "a long" / ("x" * 100) / "it's"
    site = home / "lib" / "python3.12" / "site-packages"
    site.mkdir(parents=True)
    (home / "bin").mkdir()
    (home / "pyvenv.cfg").write_text("", encoding="utf-8")
    install(project, site)
    text = (home / "bin" / "run-small").read_text(encoding="utf-8")
    assert text.startswith("#!/bin/sh\n'''exec' '")
    compile(text, "run-small", "exec")
