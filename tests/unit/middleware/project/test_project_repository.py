from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tomlkit

from pypackpack.backend.tools import git
from pypackpack.middleware.project.extras import offer_extras
from pypackpack.middleware.project.repository import folder_references, git_url, has_folders, repository_references
from pypackpack.model.errors import SettingsError
from pypackpack.model.project import BundleSettings, Package, Project

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("remote", "url"),
    [
        ("https://github.com/acme/project.git", "git+https://github.com/acme/project.git"),
        ("git+https://github.com/acme/project", "git+https://github.com/acme/project"),
        ("https://token@github.com/acme/project", "git+https://github.com/acme/project"),
        ("https://robot:p@ss@host:8443/x?token=1#y", "git+https://host:8443/x"),
        ("git@github.com:acme/project.git", "git+ssh://git@github.com/acme/project.git"),
        ("host.example:acme/project", "git+ssh://host.example/acme/project"),
        ("ssh://git:secret@host:22/x", "git+ssh://git@host:22/x"),
        ("git://host/x y", "git+git://host/x%20y"),
        ("file:///srv/x", "git+file:///srv/x"),
        ("ftp://host/x", ""),
        ("https:///x", ""),
        ("ext::sh -c evil", ""),
        ("ssh://-oProxyCommand=evil/x", ""),
        ("-oProxyCommand=evil:x", ""),
        ("https://host/x\x00y", ""),
        ("https://host/x\nevil", ""),
        ("", ""),
    ],
)
def test_urls(remote: str, url: str, tmp_path: Path) -> None:
    assert git_url(remote, tmp_path) == url


def test_paths(tmp_path: Path) -> None:
    assert git_url(str(tmp_path / "x y"), tmp_path) == f"git+{(tmp_path / 'x y').as_uri()}"
    assert git_url("../up", tmp_path / "checkout") == f"git+{(tmp_path / 'up').as_uri()}"


def project_in(root: Path, repository: str = "") -> Project:
    packages = tuple(
        Package(name, name.lower(), root / name, "1", (), (), (), {}, {}, BundleSettings()) for name in ("Core", "fresh")
    )
    return Project("whole", root, packages, repository=repository)


def test_references(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "repo" / "below"
    project = project_in(root)
    folders = folder_references(project)
    assert folders == {"core": (root / "Core").as_uri(), "fresh": (root / "fresh").as_uri()}
    monkeypatch.setattr(git, "checkout", lambda _folder: None)
    assert repository_references(project) == folders
    assert repository_references(project, paths=False) == {}
    tree = git.Checkout(tmp_path / "repo", "0" * 40, "https://me:secret@host/x.git")
    monkeypatch.setattr(git, "checkout", lambda _folder: tree)
    monkeypatch.setattr(git, "committed", lambda _tree, _paths: frozenset({"below/Core/pyproject.toml"}))
    core = f"@{'0' * 40}#subdirectory=below/Core"
    assert repository_references(project) == {"core": f"git+https://host/x.git{core}", "fresh": folders["fresh"]}
    assert repository_references(project, paths=False) == {"core": f"git+https://host/x.git{core}"}
    named = project_in(root, "https://named/y")
    assert repository_references(named)["core"] == f"git+https://named/y{core}"
    monkeypatch.setattr(git, "checkout", lambda _folder: git.Checkout(tmp_path / "repo", "0" * 40, ""))
    assert repository_references(project)["core"] == f"git+{(tmp_path / 'repo').as_uri()}{core}"
    with pytest.raises(SettingsError, match=r"tool\.pypackpack\.repository"):
        repository_references(project_in(root, "ftp://x/y"))


def test_folders_that_requirements_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "repo"
    project = project_in(root)
    assert not has_folders(project)
    (root / "Core").mkdir(parents=True)
    text = """\
[project]
dependencies = ["thing @ ../libs/thing", "old @ ./old ; os_name == 'nt'", "six"]

[project.optional-dependencies]
more = ["outside @ ../../outside"]

[tool.pypackpack.target.windows_amd64]
dependencies = ["new @ ../libs/new"]
"""
    (root / "Core/pyproject.toml").write_text(text, encoding="utf-8")
    assert has_folders(project)
    monkeypatch.setattr(git, "checkout", lambda _folder: git.Checkout(root, "0" * 40, "https://host/x.git"))
    there = frozenset({"Core/pyproject.toml", "libs/thing/pyproject.toml", "Core/old/setup.py"})
    monkeypatch.setattr(git, "committed", lambda _tree, _paths: there)

    def url(folder: str) -> str:
        return f"git+https://host/x.git@{'0' * 40}#subdirectory={folder}"

    committed = {
        "core": url("Core"),
        (root / "libs/thing").as_posix(): url("libs/thing"),
        (root / "Core/old").as_posix(): url("Core/old"),
    }
    assert repository_references(project, paths=False) == committed
    others = {path.as_posix(): path.as_uri() for path in (tmp_path / "outside", root / "libs/new")}
    assert repository_references(project) == {**committed, "fresh": (root / "fresh").as_uri(), **others}


OURS = '[build-system]\nbuild-backend = "pypackpack.build_api"\n'


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        (f"{OURS}[project]\nname = 'x'\n", f"{OURS}[project]\nname = 'x'\ndynamic = [\"optional-dependencies\"]\n", ""),
        (f"{OURS}[project]\ndynamic = ['optional-dependencies']\n", None, ""),
        (f"{OURS}[project]\ndynamic = ['y']\n", f"{OURS}[project]\ndynamic = ['y', \"optional-dependencies\"]\n", ""),
        (
            f"{OURS}[project]\nname = 'x'\n[project.optional-dependencies]\ny = []\n",
            f"{OURS}[project]\nname = 'x'\ndynamic = [\"optional-dependencies\"]\n\n[project.optional-dependencies]\ny = []\n",
            "",
        ),
        (OURS, None, "no [project] table"),
        ("[project]\n", None, "names no build backend"),
        ("[build-system]\nbuild-backend = 'hatchling.build'\n[project]\n", None, "built by hatchling.build"),
    ],
)
def test_a_project_offers_its_packages_as_extras(before: str, after: str | None, problem: str) -> None:
    document = tomlkit.parse(before)
    said = offer_extras(document)
    assert problem in said
    assert bool(problem) == bool(said)
    assert document.as_string() == (before if after is None else after)
