"""`init --adopt` on projects as each tool makes them: what is taken, what is said, and that nothing else changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pypackpack.backend import filesystem
from pypackpack.middleware.package.manage import add_package
from pypackpack.middleware.project.init import init_project
from pypackpack.middleware.project.read import load_project
from pypackpack.middleware.project.toml import read_toml
from pypackpack.model.build import Silent
from pypackpack.model.errors import FilesystemError
from tests.snapshot import snapshot

if TYPE_CHECKING:
    from pathlib import Path

UV = """\
[project]
name = "till"
version = "0.1.0"
description = "Add your description here"
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["httpx>=0.28.1"]

[dependency-groups]
dev = ["pytest>=8"]

[build-system]
requires = ["uv_build>=0.9.5,<0.10.0"]
build-backend = "uv_build"
"""
POETRY = """\
[tool.poetry]
name = "till"
version = "0.1.0"
description = ""
authors = ["Ada <ada@example.org>"]
readme = "README.md"

[tool.poetry.dependencies]
python = "^3.11"
httpx = "^0.28"

[tool.poetry.group.dev.dependencies]
pytest = "^8.0"


[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
"""
PDM = """\
[project]
name = "till"
version = "0.1.0"
dependencies = ["httpx>=0.28.1"]
requires-python = ">=3.11"

[build-system]
requires = ["pdm-backend"]
build-backend = "pdm.backend"

[tool.pdm]
distribution = true

[tool.pdm.dev-dependencies]
test = ["pytest>=8"]
"""
HATCH = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "till"
dynamic = ["version"]
dependencies = []

[tool.hatch.version]
path = "src/till/__about__.py"

[tool.hatch.envs.types]
extra-dependencies = ["mypy>=1.0.0"]
[tool.hatch.envs.types.scripts]
check = "mypy --install-types {args:src/till tests}"
"""
FLIT = """\
[build-system]
requires = ["flit_core >=3.11,<4"]
build-backend = "flit_core.buildapi"

[project]
name = "till"
authors = [{name = "Ada", email = "ada@example.org"}]
dynamic = ["version", "description"]
"""
SETUPTOOLS = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "till"
version = "0.1.0"
dynamic = ["dependencies"]

[tool.setuptools.dynamic]
dependencies = { file = ["requirements.txt", "more.txt"] }
"""
OURS = "[tool.pypackpack]\npackages = []\n"
NOT_TAKEN = "the dependencies in {} were not taken over: `pypackpack import {}` takes them"


def adopt(folder: Path, **files: str) -> tuple[tuple[str, ...], list[str]]:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    watcher = Silent()
    result = init_project(folder, None, None, adopt=True, watcher=watcher)
    assert result.adopted
    return result.made, watcher.notes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (UV, []),
        (POETRY, [NOT_TAKEN.format("tool.poetry.dependencies, tool.poetry.group.dev.dependencies", "pyproject.toml")]),
        (PDM, [NOT_TAKEN.format("tool.pdm.dev-dependencies.test", "pyproject.toml")]),
        (HATCH, [NOT_TAKEN.format("tool.hatch.envs.types.extra-dependencies", "pyproject.toml")]),
        (FLIT, []),
        (SETUPTOOLS, [NOT_TAKEN.format("requirements.txt, more.txt", "requirements.txt more.txt")]),
    ],
    ids=["uv", "poetry", "pdm", "hatch", "flit", "setuptools"],
)
def test_a_project_of_each_tool(tmp_path: Path, text: str, said: list[str]) -> None:
    made, notes = adopt(tmp_path, **{"pyproject.toml": text})
    assert made == (".gitignore", "pyproject.toml")
    after = (tmp_path / "pyproject.toml").read_text()
    assert after.replace(OURS + "\n", "").replace("\n" + OURS, "") == text
    assert OURS in after
    assert "]\n[" not in after.partition(OURS)[2]
    assert "/*/build/" in (tmp_path / ".gitignore").read_text()
    assert notes == said
    watcher = Silent()
    added = add_package(load_project(tmp_path), "shop", watcher)
    assert added.name == "shop"
    (note,) = watcher.notes
    assert "offers no extras for its packages" in note
    assert '`pip install "shop @ git+<url>#subdirectory=shop"` works as it is' in note


def test_versions_of_uv_lock_are_kept_and_the_file_too(tmp_path: Path) -> None:
    lock = 'version = 1\nrevision = 3\nrequires-python = ">=3.11"\n\n[[package]]\nname = "httpx"\nversion = "0.28.1"\n'
    made, notes = adopt(tmp_path, **{"pyproject.toml": UV, "uv.lock": lock})
    assert made == ("pyproject.lock", ".gitignore", "pyproject.toml")
    assert (tmp_path / "pyproject.lock").read_text() == (tmp_path / "uv.lock").read_text() == lock
    assert notes == ["pyproject.lock begins with the versions of uv.lock, which stays and is not read again"]


@pytest.mark.parametrize("lock", ["version = 2\n", "[broken", ""])
def test_a_uv_lock_that_cannot_be_read_is_said(tmp_path: Path, lock: str) -> None:
    made, notes = adopt(tmp_path, **{"pyproject.toml": UV, "uv.lock": lock})
    assert made == (".gitignore", "pyproject.toml")
    assert notes == ["uv.lock cannot be read, so the next `pypackpack sync` chooses versions anew"]


def test_a_lock_of_ours_that_is_there_stays(tmp_path: Path) -> None:
    made, _ = adopt(tmp_path, **{"pyproject.toml": UV, "uv.lock": "version = 1\n", "pyproject.lock": "mine"})
    assert (made, (tmp_path / "pyproject.lock").read_text()) == ((".gitignore", "pyproject.toml"), "mine")


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("", ".venv/ /*/build/ __pycache__/ *.py[co]"),
        ("# x\n.venv\nbuild/\n__pycache__\n", ""),
        ("/.venv/\n*.pyc\n", "/*/build/ __pycache__/"),
        ("dist\r\n.venv*\r\n**/build/\r\n*.py[cod]\r\n__pycache__/\r\n", ""),
    ],
)
def test_a_gitignore_that_is_there_stays_and_what_it_lacks_is_said(tmp_path: Path, text: str, missing: str) -> None:
    made, notes = adopt(tmp_path, **{"pyproject.toml": FLIT, ".gitignore": text})
    assert made == ("pyproject.toml",)
    assert notes == ([f".gitignore stays as it is; these lines belong into it: {missing}"] if missing else [])


def test_what_setuptools_says_elsewhere(tmp_path: Path) -> None:
    config = "[metadata]\nname = till\n\n[options]\npackages = find:\ninstall_requires =\n    httpx>=0.28\n    six; python_version<'3.12'\n"
    code = "from setuptools import setup\nsetup(name='till', install_requires=['httpx'])\n"
    made, notes = adopt(tmp_path, **{"setup.cfg": config, "setup.py": code})
    assert made == (".gitignore", "pyproject.toml")
    assert notes == [
        NOT_TAKEN.format("setup.cfg", "setup.cfg"),
        "the dependencies in setup.py were not taken over, since they are code: `pypackpack add <name>...` takes them",
    ]
    assert read_toml(tmp_path / "pyproject.toml") == {"tool": {"pypackpack": {"packages": []}}}


@pytest.mark.parametrize("place", ["src/till/__init__.py", "till/__init__.py", "till.py", ""])
def test_code_of_the_project_itself_is_said(tmp_path: Path, place: str) -> None:
    text = UV if place else UV.replace("[build-system]", '[project.scripts]\ntill = "till:main"\n\n[build-system]')
    if place:
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text("")
    _, notes = adopt(tmp_path, **{"pyproject.toml": text})
    (note,) = notes
    assert note == (
        "the code of till itself is not in .venv; to have it there, give the project another name in pyproject.toml, and move the "
        "code into a package (`pypackpack package add till`)"
    )


def test_locks_of_other_tools_are_said(tmp_path: Path) -> None:
    _, notes = adopt(tmp_path, **{"pyproject.toml": FLIT, "poetry.lock": "", "pdm.lock": ""})
    assert notes == ["poetry.lock, pdm.lock are not read: versions are chosen anew, within what the dependencies say"]


def test_what_cannot_be_written_leaves_everything_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text(UV)
    (tmp_path / "uv.lock").write_text("version = 1\n")
    before = snapshot(tmp_path)
    real = filesystem.write_atomic

    def failing(path: Path, data: bytes | str) -> None:
        if path.name == "pyproject.toml":
            msg = "the disk is full"
            raise FilesystemError(msg)
        real(path, data)

    monkeypatch.setattr(filesystem, "write_atomic", failing)
    with pytest.raises(FilesystemError, match="the disk is full"):
        init_project(tmp_path, None, None, adopt=True, watcher=Silent())
    assert snapshot(tmp_path) == before
