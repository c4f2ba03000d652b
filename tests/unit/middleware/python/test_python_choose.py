from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pypackpack.backend.tools import python as pythons
from pypackpack.backend.tools import uv
from pypackpack.middleware.python import choose
from pypackpack.model.build import Silent
from pypackpack.model.errors import MissingToolError, UsageError
from pypackpack.model.interpreter import Interpreter
from pypackpack.model.project import BundleSettings, Package, Project


def interpreter(version: tuple[int, int, int] = (3, 12, 4), path: str = "/p/python3", **facts: object) -> Interpreter:
    values = {"implementation": "cpython", "has_headers": True, "free_threaded": False, "platform": "linux-x86_64", **facts}
    return Interpreter(Path(path), version, include=Path(path).parent / "include", **values)


@pytest.fixture
def package(tmp_path: Path) -> Package:
    return Package("mypkg", "mypkg", tmp_path / "mypkg", "1", (), (), (), {}, {}, BundleSettings())


@pytest.fixture
def project(tmp_path: Path, package: Package) -> Project:
    return Project("acme", tmp_path.resolve(), (package,))


class Found(dict[str, Interpreter]):
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.asked: list[str] = []

        def find(spec: str, **_: object) -> Interpreter:
            self.asked.append(spec)
            if spec not in self:
                raise MissingToolError(f"Python {spec} is not on this machine", hint="fetch it")
            return self[spec]

        monkeypatch.setattr(uv, "find_python", find)
        monkeypatch.setattr(choose, "installed", lambda _: ())


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Found:
    return Found(monkeypatch)


def venv(root: Path, home: Path, text: str = "version_info = 3.12.4\n") -> None:
    (root / ".venv").mkdir()
    (root / ".venv" / "pyvenv.cfg").write_text(f"home = {home}\n{text}")


def test_the_own_python_is_that_of_the_environment(
    project: Project, found: Found, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for name in ("python3.12", "python3"):
        (home / name).touch()
    monkeypatch.setattr(pythons, "inspect_interpreter", lambda path: interpreter(path=str(path)))
    venv(project.root, home)
    (project.root / ".python-version").write_text("3.11\n")
    assert choose.project_python(project).executable == home / "python3.12"
    (home / "python3.12").unlink()
    assert choose.project_python(project).executable == home / "python3"
    assert found.asked == []
    (home / "python3").unlink()
    with pytest.raises(MissingToolError, match="was made from is gone"):
        choose.project_python(project)


def test_the_own_python_without_an_environment(project: Project, found: Found) -> None:
    found.update({"3.11": interpreter((3, 11, 1)), ">=3.13": interpreter((3, 13, 0)), choose.SUPPORTED: interpreter((3, 12, 0))})
    assert choose.project_python(project).series == (3, 12)
    assert choose.project_python(replace(project, requires_python=">=3.13")).series == (3, 13)
    (project.root / ".python-version").write_text("# pinned\n\n3.11  # for now\n3.12\n")
    assert choose.project_python(replace(project, requires_python=">=3.13")).series == (3, 11)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"free_threaded": True}, "free-threaded"),
        ({"implementation": "pypy"}, "is pypy 3.12.4; PyPackPack builds for CPython only"),
        ({"version": (3, 9, 18)}, r"3\.10 to 3\.14"),
        ({"version": (3, 15, 0)}, r"3\.10 to 3\.14"),
    ],
)
def test_what_cannot_be_built_for_is_refused(
    project: Project, package: Package, found: Found, facts: dict[str, object], words: str
) -> None:
    found[choose.SUPPORTED] = found["3.12"] = interpreter(**facts)
    with pytest.raises(UsageError, match=words):
        choose.project_python(project)
    with pytest.raises(UsageError, match=words):
        choose.pythons_for(project, package, ["3.12"])


def test_a_plain_python_is_looked_for_behind_a_free_threaded_one(
    project: Project, package: Package, found: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = found["3.14"] = found[choose.SUPPORTED] = interpreter((3, 14, 3), "/threads/python3", free_threaded=True)
    others = [threads, interpreter((3, 14, 2), "/pypy/python3", implementation="pypy"), interpreter((3, 14, 1), "/plain/python3")]
    monkeypatch.setattr(choose, "installed", lambda _: tuple(others))
    assert choose.pythons_for(project, package, ["3.14"]) == (others[2],)
    assert choose.project_python(project) == others[2]
    del others[2]
    with pytest.raises(UsageError, match="/threads/python3 is a free-threaded Python") as caught:
        choose.pythons_for(project, package, ["3.14"])
    assert "pypackpack python install 3.14" in caught.value.hint


def test_words_before_settings_before_the_own(project: Project, package: Package, found: Found) -> None:
    for minor in range(10, 15):
        found[f"3.{minor}"] = interpreter((3, minor, 1))
    found[choose.SUPPORTED] = interpreter((3, 10, 0))
    found["3.12.7"] = interpreter((3, 12, 7))

    def series(package: Package, *words: str) -> list[tuple[int, int]]:
        return [python.series for python in choose.pythons_for(project, package, words)]

    assert series(package) == [(3, 10)]
    package = replace(package, pythons=((3, 13), (3, 11)))
    assert series(package) == [(3, 13), (3, 11)]
    assert series(package, "3.14", "3.12.7", "3.14") == [(3, 14), (3, 12)]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("banana", '"banana" is not a Python version'),
        ("3", '"3" is not a Python version'),
        ("pypy3.10", "is not a Python version"),
        ("3.9", "is not supported"),
        ("2.7", "is not supported"),
        ("3.15", "is not supported"),
        ("3.13t", "free-threaded"),
        ("3.14+freethreaded", "free-threaded"),
    ],
)
def test_words_that_are_no_python(project: Project, package: Package, found: Found, word: str, message: str) -> None:
    with pytest.raises(UsageError, match=message.replace("+", r"\+")):
        choose.pythons_for(project, package, ["3.12", word])
    assert found.asked == []


def test_one_series_twice(project: Project, package: Package, found: Found) -> None:
    with pytest.raises(UsageError, match=r"3\.12 and 3\.12\.4 are the same series"):
        choose.pythons_for(project, package, ["3.12", "3.12.4"])
    assert found.asked == []


def test_versions_that_the_package_excludes(project: Project, package: Package, found: Found) -> None:
    found[choose.SUPPORTED] = interpreter((3, 10, 3))
    package = replace(package, requires_python=">=3.11.4,!=3.13.*")
    for words in (["3.10"], ["3.13"], []):
        with pytest.raises(UsageError, match="is excluded by requires-python"):
            choose.pythons_for(project, package, words)


def test_every_missing_python_in_one_error(project: Project, package: Package, found: Found) -> None:
    found["3.12"] = interpreter()
    with pytest.raises(MissingToolError, match=r"Python 3\.14 is not on this machine"):
        choose.pythons_for(project, package, ["3.12", "3.14"])
    with pytest.raises(MissingToolError, match=r"not on this machine: 3\.13, 3\.14") as caught:
        choose.pythons_for(project, package, ["3.13", "3.12", "3.14"])
    assert caught.value.hint == "fetch it"


def test_headers_are_borrowed_from_the_same_series_or_missed(
    project: Project, package: Package, found: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = found["3.12"] = interpreter((3, 12, 4), "/bare/python3", has_headers=False)
    others = [
        bare,
        interpreter((3, 12, 9), "/threads/python3", free_threaded=True),
        interpreter((3, 11, 9), "/older/python3"),
        interpreter((3, 12, 1), "/whole/python3"),
    ]
    monkeypatch.setattr(choose, "installed", lambda _: tuple(others))
    assert choose.pythons_for(project, package, ["3.12"]) == (bare,)
    watcher = Silent()
    (python,) = choose.pythons_for(project, package, ["3.12"], headers=True, watcher=watcher)
    assert python == replace(bare, include=Path("/whole/include"), has_headers=True)
    assert len(watcher.notes) == 1
    del others[3]
    with pytest.raises(MissingToolError, match="has no C headers") as caught:
        choose.pythons_for(project, package, ["3.12"], headers=True)
    assert "python3.12-dev" in caught.value.hint
    assert "pypackpack python install 3.12" in caught.value.hint


def test_a_new_project_gets_a_python_with_headers(found: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = interpreter((3, 12, 4), "/bare/python3", has_headers=False)
    whole = interpreter((3, 12, 1), "/whole/python3")
    monkeypatch.setattr(choose, "installed", lambda _: (bare, whole))
    assert choose.preferred("3.12", whole) == whole
    assert choose.preferred("3.12", bare) == whole

    monkeypatch.setattr(choose, "installed", lambda _: (bare,))
    fetched = found["3.12"] = interpreter((3, 12, 13), "/uv/python3")
    asked: list[str] = []
    monkeypatch.setattr(uv, "install_python", lambda spec, **_: asked.append(spec))
    assert choose.preferred("3.12", bare) == fetched
    assert asked == ["3.12"]

    def out_of_reach(*_: object, **__: object) -> None:
        raise MissingToolError("out of reach")

    monkeypatch.setattr(uv, "install_python", out_of_reach)
    watcher = Silent()
    assert choose.preferred("3.12", bare, watcher) == bare
    assert "python3.12-dev" in watcher.notes[0]


@pytest.mark.parametrize(
    "word",
    [
        "3.12",
        "3.12.4",
        "3",
        "3.14t",
        "cpython3.12",
        "cpython@3.12",
        "cpython-3.12-linux-x86_64-gnu",
        ">=3.11,<3.13",
        "pypy@3.10",
        "3.14.0rc1",
    ],
)
def test_what_uv_takes_for_a_python_may_stand_in_the_version_file(word: str, tmp_path: Path) -> None:
    (tmp_path / ".python-version").write_text(f"{word}\n", encoding="utf-8")
    assert choose.pinned_version(tmp_path) == word


@pytest.mark.parametrize(
    "word",
    ["latest", "the newest one", "3.12 or so", "v3,12", "\udcff".encode(errors="surrogateescape").decode(errors="replace")],
)
def test_garbage_in_the_version_file_is_said_with_its_place(word: str, tmp_path: Path) -> None:
    (tmp_path / ".python-version").write_text(f"{word}\n", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        choose.pinned_version(tmp_path)
    assert str(tmp_path / ".python-version") in caught.value.message
    assert word in caught.value.message
    assert "python use" in caught.value.hint
