"""A damaged folder of headers in the cache never reaches a compiler."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pypackpack.backend.filesystem import CACHE_VARIABLE, remove_tree
from pypackpack.middleware.compile.workshop import Workshop, looking, open_workshop
from pypackpack.middleware.target import table
from pypackpack.model.build import Silent
from pypackpack.model.errors import EXIT_MISSING, ConflictError, MissingToolError
from pypackpack.model.interpreter import Interpreter
from pypackpack.model.project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pypackpack.model.target import Target


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workshop]:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    project = Project(root=tmp_path / "project", name="demo", packages=())
    with open_workshop(project, offline=True, watcher=Silent()) as result:
        yield result


@pytest.fixture
def python(tmp_path: Path) -> Interpreter:
    include = tmp_path / "include"
    include.mkdir()
    (include / "Python.h").write_text("one")
    (include / "pyconfig.h").write_text("this one's own")
    values = {"implementation": "cpython", "has_headers": True, "free_threaded": False, "platform": "linux-x86_64"}
    return Interpreter(tmp_path / "python3", (3, 12, 4), include=include, **values)


@pytest.fixture
def target() -> Target:
    return table.find("emscripten_wasm32")


def test_whole_folders_are_given_as_they_are(shop: Workshop, target: Target, python: Interpreter) -> None:
    folders = shop.sound(shop.includes(target, python), target, python)
    assert folders == tuple(folder.path for folder in shop.includes(target, python))
    assert [(folder / "Python.h").exists() for folder in folders] == [False, False, True]
    assert not (folders[-1] / "pyconfig.h").exists()
    assert shop.watcher.notes == []


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_damaged_folder_is_made_again_and_said(shop: Workshop, target: Target, python: Interpreter, number: int) -> None:
    folder = shop.includes(target, python)[number].path
    file = next(path for path in folder.rglob("*.h"))
    whole = file.read_bytes()
    file.write_bytes(b"")
    before = shop.includes(target, python)
    assert shop.sound(shop.includes(target, python), target, python)[number] == folder
    assert file.read_bytes() == whole
    assert shop.includes(target, python) == before
    (note,) = shop.watcher.notes
    assert str(folder) in note
    assert "damaged" in note


def test_headers_that_are_gone_since_the_interpreter_was_asked_are_missed(
    shop: Workshop, target: Target, python: Interpreter
) -> None:
    (python.include / "Python.h").unlink()
    with pytest.raises(MissingToolError, match="has no C headers") as caught:
        shop.includes(target, python)
    assert "python3.12-dev" in caught.value.hint
    assert caught.value.exit_code == EXIT_MISSING


def test_other_headers_than_planned_are_not_compiled_with(shop: Workshop, target: Target, python: Interpreter) -> None:
    folder = shop.includes(target, python)[-1].path
    remove_tree(folder)
    (python.include / "Python.h").write_text("another")
    with pytest.raises(ConflictError, match="changed"):
        shop.sound(shop.includes(target, python), target, python)


def test_two_that_look_at_once_are_not_in_each_others_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    project = Project(root=tmp_path / "project", name="demo", packages=())
    with looking(project, watcher=Silent()) as one, looking(project, watcher=Silent()) as two:
        with one.folder() as mine, two.folder() as theirs:
            assert mine != theirs
            assert mine.is_dir()
            assert theirs.is_dir()
        assert [path for path in (tmp_path / "cache").rglob("*") if path.name != "tmp"] == []
