"""Which folders a package's dependencies come from, and what of them counts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pypackpack.middleware.environment import path_sources
from pypackpack.middleware.environment.lock import Needs, made_from

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def needs(root: Path, *lines: str, sources: Mapping[str, object] | None = None, **own: tuple[str, ...]) -> Needs:
    settings = {"sources": sources} if sources is not None else {}
    return Needs(name="app", lines=lines, own=own, targets=(), python=">=3.10", settings=settings, root=root)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    for name in ("app", "libs/one", "libs/two", "libs/three", "libs/idle"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "code.py").write_text("")
    (tmp_path / "libs/wheel.whl").write_text("")
    return tmp_path / "app"


def test_folders_are_named_in_lines_and_in_sources(app: Path) -> None:
    libs = app.parent / "libs"
    sources = {"T-wo": {"path": "../libs/two"}, "idle": {"path": "../libs/idle"}, "leaf": {"index": "house"}}
    found = needs(app, "one @ ../libs/one ; python_version > '3'", "t_wo>=1", "leaf", "gone @ ../libs/gone", sources=sources)
    assert path_sources.folders_of(found) == (libs / "one", libs / "two")
    url = f"three[x] @ {(libs / 'three').as_uri()}"
    found = needs(app, url, "w @ ../libs/wheel.whl", "far @ https://example.org/far.whl", linux=("one @ ../libs/one",))
    assert path_sources.folders_of(found) == (libs / "three", libs / "one")
    several = {"one": [{"path": "../libs/one", "marker": "x"}, {"path": "../libs/two", "marker": "y"}]}
    assert path_sources.folders_of(needs(app, "one", sources=several)) == (libs / "one", libs / "two")
    assert path_sources.folders_of(needs(app, "leaf")) == ()
    assert path_sources.content_digest(needs(app, "leaf")) == ""


def test_folders_that_folders_need_are_among_them(app: Path) -> None:
    libs = app.parent / "libs"
    (libs / "one/pyproject.toml").write_text(
        '[project]\nname = "one"\ndependencies = ["two"]\n[tool.uv.sources]\ntwo = { path = "../two" }\n'
    )
    (libs / "two/pyproject.toml").write_text('[project]\nname = "two"\ndependencies = ["one @ ../one", "three @ ../three"]\n')
    (libs / "three/pyproject.toml").write_text("broken [")
    found = needs(app, "one @ ../libs/one")
    assert path_sources.folders_of(found) == (libs / "one", libs / "two", libs / "three")
    before = path_sources.content_digest(found)
    (libs / "three/code.py").write_text("x = 1")
    assert path_sources.content_digest(found) != before


@pytest.mark.parametrize(
    ("file", "counts"),
    [
        ("code.py", True),
        ("deep/build/more.py", True),
        ("facts.txt", True),
        ("build/lib/code.py", False),
        ("dist/one.whl", False),
        ("one.egg-info/PKG-INFO", False),
        (".git/index", False),
        (".venv/pyvenv.cfg", False),
        ("deep/__pycache__/more.pyc", False),
    ],
)
def test_what_of_a_folder_counts(app: Path, file: str, counts: bool) -> None:
    found = needs(app, "one @ ../libs/one")
    before = path_sources.content_digest(found)
    place = app.parent / "libs/one" / file
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("changed")
    assert (path_sources.content_digest(found) != before) is counts


def test_a_package_called_build_counts(app: Path) -> None:
    found = needs(app, "one @ ../libs/one")
    (app.parent / "libs/one/build").mkdir()
    (app.parent / "libs/one/build/__init__.py").write_text("")
    before = path_sources.content_digest(found)
    (app.parent / "libs/one/build/more.py").write_text("")
    assert path_sources.content_digest(found) != before


def test_a_lock_is_made_anew_when_what_describes_a_folder_changes(app: Path) -> None:
    found = needs(app, "one @ ../libs/one")
    file = app.parent / "libs/one/pyproject.toml"
    file.write_bytes(b'[project]\nname = "one"\nversion = "1"\n')
    digest = made_from(found)
    file.write_bytes(b'[project]\r\nname = "one"\r\nversion = "1"\r\n')
    (app.parent / "libs/one/code.py").write_text("x = 1")
    assert made_from(found) == digest
    file.write_bytes(b'[project]\nname = "one"\nversion = "2"\n')
    assert made_from(found) != digest
    assert made_from(replace(found, lines=("leaf",))) == made_from(replace(found, lines=("leaf",), root=app.parent))
