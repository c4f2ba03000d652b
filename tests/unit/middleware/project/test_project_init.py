from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pypackpack.backend import filesystem
from pypackpack.backend.tools import python as pythons
from pypackpack.backend.tools import uv
from pypackpack.middleware.project import init
from pypackpack.middleware.project.init import init_project
from pypackpack.middleware.project.read import load_project
from pypackpack.middleware.project.toml import read_toml
from pypackpack.middleware.python import choose
from pypackpack.model.build import Silent
from pypackpack.model.errors import (
    ConflictError,
    FilesystemError,
    MissingToolError,
    NameTakenError,
    PyPackPackError,
    ToolError,
    UsageError,
)
from pypackpack.model.interpreter import Interpreter
from tests.interrupt import interrupted_at
from tests.snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = ["LICENSE", "README.md", ".gitignore", ".python-version", "pyproject.toml"]


def interpreter(version: tuple[int, int, int] = (3, 12, 4), **facts: object) -> Interpreter:
    values = {"implementation": "cpython", "has_headers": True, "free_threaded": False, "platform": "linux-x86_64", **facts}
    return Interpreter(Path("/pythons/bin/python3"), version, include=Path("/pythons/include"), **values)


class FakeUv:
    """Finds one Python and makes environments with the one file that we read."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.python = interpreter()
        self.asked: list[str | None] = []
        self.made: list[tuple[Path, bool]] = []

    def find_python(self, spec: str | None = None, **_: object) -> Interpreter:
        self.asked.append(spec)
        return self.python

    def make_venv(self, folder: Path, python: Path, *, prompt: str = "", clear: bool = False) -> None:  # noqa: ARG002
        assert clear or not folder.exists()
        self.made.append((folder, clear))
        for path in (self.home, folder):
            if not path.exists():
                os.mkdir(path)  # noqa: PTH102 - Path.mkdir is what the tests below make fail
        (self.home / "python3").touch()
        (folder / "pyvenv.cfg").write_text(f"home = {self.home}\n")


@pytest.fixture(autouse=True)
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeUv:
    result = FakeUv(tmp_path / "home")
    monkeypatch.setattr(uv, "find_python", result.find_python)
    monkeypatch.setattr(uv, "make_venv", result.make_venv)
    monkeypatch.setattr(pythons, "inspect_interpreter", lambda _: result.python)
    monkeypatch.setattr(choose, "installed", lambda _: ())
    return result


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    result = tmp_path / "projekte größe"
    result.mkdir()
    return result


def test_a_new_project_below_the_folder(folder: Path, fake: FakeUv) -> None:
    result = init_project(folder, "acme", "3.12", watcher=Silent())
    root = folder / "acme"
    assert result.root == root.resolve()
    assert result.made == (".venv", *FILES)
    assert result.kept == ()
    assert result.python == fake.python
    assert sorted(path.name for path in root.iterdir()) == sorted([".venv", *FILES])
    content = read_toml(root / "pyproject.toml")
    assert content["build-system"] == {"requires": ["pypackpack>=0.3"], "build-backend": "pypackpack.build_api"}
    assert content["project"]["name"] == "acme"
    assert content["project"]["requires-python"] == ">=3.12"
    assert content["dependency-groups"] == {"dev": []}
    assert content["tool"] == {"pypackpack": {"packages": []}}
    assert (root / ".python-version").read_text() == "3.12\n"
    assert "All rights reserved" in (root / "LICENSE").read_text()
    assert all("{" not in (root / name).read_text() for name in ("LICENSE", "README.md", "pyproject.toml"))
    assert load_project(root).name == "acme"
    assert fake.asked == ["3.12"]


def test_the_current_folder_becomes_the_project(folder: Path, fake: FakeUv) -> None:
    watcher = Silent()
    result = init_project(folder, None, None, watcher=watcher)
    assert result.root == folder.resolve()
    assert result.name == "projekte-große".replace("ß", "")
    assert any(result.name in note for note in watcher.notes)
    assert load_project(folder).name == result.name
    assert fake.asked == [">=3.10,<3.15"]


def test_a_single_word_that_is_a_version_is_the_python(folder: Path, fake: FakeUv) -> None:
    assert init_project(folder, "3.12", None, watcher=Silent()).root == folder.resolve()
    assert fake.asked == ["3.12"]


def test_the_project_name_of_a_folder_without_any_latin_letter(tmp_path: Path) -> None:
    (tmp_path / "проект").mkdir()
    assert init_project(tmp_path / "проект", None, None, watcher=Silent()).name == "project"


def test_a_project_in_a_package_is_refused(folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[tool.pypackpack]\npackages = ["billing"]\n')
    (folder / "billing" / "src").mkdir(parents=True)
    before = snapshot(folder)
    for place, name in ((folder / "billing", "inner"), (folder / "billing" / "src", None)):
        with pytest.raises(UsageError, match="lies in billing, a package of the project in") as caught:
            init_project(place, name, None, watcher=Silent())
        assert caught.value.hint
    with pytest.raises(UsageError, match="lies in billing"):
        init_project(folder / "billing" / "src", None, None, adopt=True, watcher=Silent())
    assert snapshot(folder) == before


def test_a_project_inside_another_one_is_said(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[tool.pypackpack]\npackages = []\n")
    watcher = Silent()
    root = init_project(folder, "inner", None, watcher=watcher).root
    assert load_project(root).name == "inner"
    (note,) = [note for note in watcher.notes if "of its own" in note]
    assert str(folder.resolve()) in note
    assert "`pypackpack package add inner`" in note


@pytest.mark.parametrize("content", ["[broken", "[tool.poetry]\n", "[tool.pypackpack]\n", "[tool.pypackpack]\npackages = 3\n"])
def test_what_is_no_project_above_is_no_obstacle(folder: Path, content: str) -> None:
    (folder / "pyproject.toml").write_text(content)
    watcher = Silent()
    init_project(folder, "inner", None, watcher=watcher)
    assert [note for note in watcher.notes if "of its own" in note] == []


def test_files_that_are_there_stay(folder: Path, fake: FakeUv) -> None:
    (folder / "README.md").write_text("mine\n")
    (folder / "main.py").write_text("print()\n")
    (folder / ".python-version").write_text("# ours\n3.11\n")
    watcher = Silent()
    result = init_project(folder, None, None, watcher=watcher)
    assert (folder / "README.md").read_text() == "mine\n"
    assert (folder / "main.py").read_text() == "print()\n"
    assert result.kept == ("README.md", ".python-version")
    assert "README.md was there already and stays as it is" in watcher.notes
    assert fake.asked == ["3.11"]


def test_an_environment_that_is_there_stays(folder: Path, fake: FakeUv) -> None:
    fake.make_venv(folder / ".venv", Path("x"))
    fake.made.clear()
    assert init_project(folder, None, None, watcher=Silent()).kept == (".venv",)
    assert (fake.made, fake.asked) == ([], [])


def test_an_environment_of_another_python_is_refused(folder: Path, fake: FakeUv) -> None:
    fake.make_venv(folder / ".venv", Path("x"))
    before = snapshot(folder)
    with pytest.raises(UsageError, match=r"\.venv is there already, with Python 3\.12\.4 instead of 3\.13"):
        init_project(folder, None, "3.13", watcher=Silent())
    assert snapshot(folder) == before


def test_what_a_killed_init_left_is_no_obstacle(folder: Path, fake: FakeUv) -> None:
    (folder / "acme" / ".venv").mkdir(parents=True)
    (folder / "acme" / ".venv" / "half").touch()
    init_project(folder, "acme", None, watcher=Silent())
    assert fake.made == [((folder / "acme" / ".venv").resolve(), True)]


FOREIGN = {
    "poetry": {"pyproject.toml": '[tool.poetry]\nname = "x"\n'},
    "pdm": {"pyproject.toml": '[build-system]\nrequires = ["pdm-backend"]\nbuild-backend = "pdm.backend"\n'},
    "hatch": {"pyproject.toml": '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n[tool.uv]\n'},
    "flit": {"pyproject.toml": '[build-system]\nbuild-backend = "flit_core.buildapi"\n'},
    "setuptools": {"pyproject.toml": '[build-system]\nbuild-backend = "setuptools.build_meta:__legacy__"\n'},
    "uv": {"pyproject.toml": '[project]\nname = "x"\n', "uv.lock": ""},
    "maturin": {"pyproject.toml": '[tool.maturin]\nfeatures = ["x"]\n'},
    "scikit-build-core": {"pyproject.toml": '[build-system]\nbuild-backend = "scikit_build_core.build"\n'},
    "meson-python": {"pyproject.toml": '[build-system]\nbuild-backend = "mesonpy"\n'},
    "in_house": {"pyproject.toml": '[build-system]\nbuild-backend = "in_house.hooks"\nbackend-path = ["."]\n'},
    "pixi": {"pyproject.toml": "[tool.pixi.workspace]\n"},
    "": {"pyproject.toml": '[project]\nname = "x"\nversion = "1"\n'},
}


@pytest.mark.parametrize("tool", FOREIGN)
def test_a_foreign_project_is_named_and_left_alone(folder: Path, tool: str) -> None:
    for name, text in FOREIGN[tool].items():
        (folder / name).write_text(text)
    before = snapshot(folder)
    with pytest.raises(UsageError) as caught:
        init_project(folder, None, None, watcher=Silent())
    expected = f"is a project of {tool}" if tool else "is not PyPackPack's"
    assert expected in caught.value.message
    assert "pypackpack init --adopt" in caught.value.hint
    assert snapshot(folder) == before


@pytest.mark.parametrize("tool", FOREIGN)
def test_adopting_adds_our_table_and_changes_nothing_else(folder: Path, tool: str, fake: FakeUv) -> None:
    for name, text in FOREIGN[tool].items():
        (folder / name).write_text(text)
    (folder / ".gitignore").write_text("mine\n")
    before = snapshot(folder)
    text = (folder / "pyproject.toml").read_text()
    result = init_project(folder, None, None, adopt=True, watcher=Silent())
    assert result.adopted
    assert result.made == ("pyproject.toml",)
    assert (folder / "pyproject.toml").read_text() == text + "\n[tool.pypackpack]\npackages = []\n"
    assert {**snapshot(folder), "pyproject.toml": None} == {**before, "pyproject.toml": None}
    assert load_project(folder).packages == ()
    assert fake.made == []


@pytest.mark.parametrize("name", ["setup.py", "setup.cfg"])
def test_a_project_without_pyproject_is_foreign_too(folder: Path, name: str) -> None:
    (folder / name).touch()
    with pytest.raises(UsageError, match="is a project of setuptools"):
        init_project(folder, None, None, watcher=Silent())
    assert [path.name for path in folder.iterdir()] == [name]
    assert init_project(folder, None, None, adopt=True, watcher=Silent()).made == (".gitignore", "pyproject.toml")
    assert (folder / "pyproject.toml").read_text() == "[tool.pypackpack]\npackages = []\n"


def test_adopting_where_there_is_nothing_makes_a_project(folder: Path) -> None:
    assert not init_project(folder, "acme", None, adopt=True, watcher=Silent()).adopted
    assert load_project(folder / "acme").name == "acme"


@pytest.mark.parametrize("adopt", [False, True])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.pypackpack]\npackages = []\n", "is already a PyPackPack project"),
        ("[tool.pypackpack]\n", "is already a package of a PyPackPack project"),
        ("[tool\n", "not valid TOML"),
    ],
)
def test_what_is_ours_or_broken_already(folder: Path, text: str, message: str, adopt: bool) -> None:
    (folder / "pyproject.toml").write_text(text)
    before = snapshot(folder)
    with pytest.raises(PyPackPackError, match=message):
        init_project(folder, None, None, adopt=adopt, watcher=Silent())
    assert snapshot(folder) == before


@pytest.mark.parametrize("name", ["a b", "-x", "../x", "größe", "", "x/y", ".x", "nul", "Com1.x"])
def test_names_that_are_none(folder: Path, name: str) -> None:
    with pytest.raises(NameTakenError):
        init_project(folder, name, None, watcher=Silent())
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("word", ["banana", "3", "2.7", "3.9", "3.15", "3.13t", "pypy3.10"])
def test_pythons_that_are_none(folder: Path, word: str) -> None:
    with pytest.raises(UsageError):
        init_project(folder, "acme", word, watcher=Silent())
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"free_threaded": True}, "free-threaded"),
        ({"implementation": "pypy"}, "CPython only"),
        ({"version": (3, 9, 1)}, "not supported"),
    ],
)
def test_pythons_that_are_found_and_cannot_be_used(folder: Path, fake: FakeUv, facts: dict[str, object], message: str) -> None:
    fake.python = interpreter(**facts)
    with pytest.raises(UsageError, match=message):
        init_project(folder, "acme", None, watcher=Silent())
    assert list(folder.iterdir()) == []


def test_a_python_that_cannot_be_had(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise MissingToolError("Python 3.14 is not on this machine")

    monkeypatch.setattr(uv, "find_python", missing)
    with pytest.raises(MissingToolError):
        init_project(folder, "acme", "3.14", watcher=Silent())
    assert list(folder.iterdir()) == []


def test_a_file_in_the_way(folder: Path) -> None:
    (folder / "acme").write_text("x")
    with pytest.raises(UsageError, match="is not a folder"):
        init_project(folder, "acme", None, watcher=Silent())
    assert [path.name for path in folder.iterdir()] == ["acme"]


def test_two_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch, fake: FakeUv) -> None:
    def second(*_: object, **__: object) -> Interpreter:
        with pytest.raises(ConflictError, match="another pypackpack is working on"):
            init_project(folder, "acme", None, watcher=Silent())
        return fake.python

    monkeypatch.setattr(uv, "find_python", second)
    init_project(folder, "acme", None, watcher=Silent())


class Count:
    """Lets a number of calls through and raises at the next one, before or after it was done."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, allowed: int, error: BaseException, *, after: bool) -> None:
        self.left, self.after = allowed, after
        self.raised = False
        for owner, name in (
            (os, "replace"),
            (Path, "write_bytes"),
            (Path, "mkdir"),
        ):
            monkeypatch.setattr(owner, name, self.wrapped(getattr(owner, name), error))
        tool = ToolError("uv ended with exit code 2") if isinstance(error, OSError) else error
        monkeypatch.setattr(uv, "make_venv", self.wrapped(uv.make_venv, tool))

    def wrapped(self, function: Callable[..., Any], error: BaseException) -> Callable[..., Any]:
        def call(*words: object, **named: object) -> object:
            if self.raised:
                return function(*words, **named)
            self.left -= 1
            if self.left < 0:
                self.raised = True
                if self.after:
                    function(*words, **named)
                raise error
            return function(*words, **named)

        return call


@pytest.mark.parametrize("existing", [False, True])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")], ids=["Ctrl-C", "full disk"])
def test_interrupted_at_any_write_nothing_is_left(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, after: bool, existing: bool
) -> None:
    root = folder / "acme"
    if existing:
        root.mkdir()
        (root / "notes.txt").write_text("mine")
    before = snapshot(folder)
    number = 0
    while True:
        with monkeypatch.context() as patch:
            count = Count(patch, number, error, after=after)
            try:
                init_project(folder, "acme", None, watcher=Silent())
            except (KeyboardInterrupt, FilesystemError, ToolError):
                assert snapshot(folder) == before, number
        if not count.raised:
            break
        number += 1
    assert number > 10
    assert load_project(root).name == "acme"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_interrupted_at_any_line_there_is_a_project_or_none(folder: Path) -> None:
    def seen() -> dict[str, object]:
        # Interrupted while it is being removed, a scratch folder stays, and with it the folder around it.
        return {name: entry for name, entry in snapshot(folder).items() if name != "acme" and "/.init-" not in name}

    init_project(folder, "acme", None, watcher=Silent())
    whole = seen()
    line, results = 1, set()
    shutil.rmtree(folder / "acme")
    while interrupted_at(line, (init, filesystem), lambda: init_project(folder, "acme", None, watcher=Silent())):
        assert seen() in ({}, whole), line
        results.add(bool(seen()))
        shutil.rmtree(folder / "acme", ignore_errors=True)
        line += 1
    assert line > 100
    assert False in results
