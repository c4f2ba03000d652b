"""Building for ever, with a list of changes in the place of a disk that changes: rounds, halts, errors, and what matters."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from pypackpack.middleware import continuous
from pypackpack.middleware.build import HaltedError
from pypackpack.middleware.continuous import Round, View, keep_building, view_of
from pypackpack.model.build import Artifact, BuildRequest, BuildResult, Bundle
from pypackpack.model.errors import ConflictError, MissingToolError, NoProjectError, SettingsError, SourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pypackpack.backend.watching import Sight

DONE = BuildResult((), tasks_run=1)
NOTHING = BuildResult(())


class Over(Exception):  # noqa: N818 - the end of a script
    """The test's list of changes is at its end, as a person's patience with Ctrl-C."""


@dataclass
class Script:
    """Eyes that see what they are told."""

    coming: list[dict[str, bool]]
    news: list[bool] = field(default_factory=list)
    open: set[str] = field(default_factory=set)
    sights: list[Sight] = field(default_factory=list)
    waits: list[float | None] = field(default_factory=list)

    def look(self, sight: Sight) -> bool:
        self.sights.append(sight)
        return self.news.pop(0) if self.news else False

    def pending(self) -> frozenset[str]:
        return frozenset(self.open)

    def take(self, seconds: float | None = None) -> Mapping[str, bool]:
        self.waits.append(seconds)
        if self.open:
            taken, self.open = dict.fromkeys(self.open, True), set()
            return taken
        if seconds is not None:
            return {}
        if not self.coming:
            raise Over
        return self.coming.pop(0)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with a package ``one`` that needs ``two``, and ``three`` that nobody needs."""
    for name, needs in (("one", '["two"]'), ("two", "[]"), ("three", "[]")):
        (tmp_path / name / "src" / "main").mkdir(parents=True)
        (tmp_path / name / "pyproject.toml").write_text(
            f'[project]\nname = "{name}"\nversion = "1"\ndependencies = {needs}\n[tool.pypackpack]\ntargets = ["linux"]\n'
        )
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "p"\nversion = "1"\n[tool.pypackpack]\npackages = ["one", "two", "three"]\n'
    )
    return tmp_path.resolve()


def asked(root: Path, bundle: Bundle = Bundle.SINGLE) -> BuildRequest:
    return BuildRequest(root, "one", bundle)


def play(root: Path, eyes: Script, *acts: Callable[[Callable[[], bool]], BuildResult]) -> list[Round]:
    """Run rounds, each with the next act, until the script is over."""
    told: list[Round] = []
    left = list(acts)

    def work(halted: Callable[[], bool], begun: Round) -> BuildResult:
        assert (begun.number == 1) is all(each.halted for each in told)
        return left.pop(0)(halted)

    with pytest.raises(Over):
        keep_building(asked(root), eyes, work, told.append, clock=lambda: 1.0)
    assert left == []
    return told


def done(_halted: object) -> BuildResult:
    return DONE


def idle(_halted: object) -> BuildResult:
    return NOTHING


def fails(error: BaseException) -> Callable[[object], BuildResult]:
    def act(_halted: object) -> BuildResult:
        raise error

    return act


def src(root: Path, *words: str) -> str:
    return os.fspath(root.joinpath("one", "src", *words))


def test_a_round_for_each_change_and_what_it_was(root: Path) -> None:
    eyes = Script([{src(root, "main", "a.py"): True, src(root, "main", "b.py"): True}, {os.fspath(root / "README.md"): True}])
    assert play(root, eyes, done, done, idle) == [
        Round(1, (), 0.0, DONE),
        Round(2, ("one/src/main/a.py", "one/src/main/b.py"), 0.0, DONE),
        Round(3, ("README.md",), 0.0, NOTHING),
    ]


def test_errors_are_told_and_it_goes_on(root: Path) -> None:
    syntax, settings = SourceError("a bracket"), SettingsError("a key")
    eyes = Script([{src(root, "main", "a.py"): True}] * 2)
    assert [each.error for each in play(root, eyes, fails(syntax), fails(settings), done)] == [syntax, settings, None]


@pytest.mark.parametrize("error", [UsageError("no such package"), MissingToolError("no compiler"), NoProjectError("none")])
def test_what_no_change_of_a_file_would_mend_ends_it_at_once_but_not_later(root: Path, error: Exception) -> None:
    with pytest.raises(type(error)):
        keep_building(asked(root), Script([]), lambda halted, begun: fails(error)((halted, begun)), pytest.fail)
    eyes = Script([{src(root, "main", "a.py"): True}])
    assert play(root, eyes, done, fails(error))[1].error is error


def test_no_project_is_an_error_before_anything_is_built(tmp_path: Path) -> None:
    with pytest.raises(NoProjectError):
        keep_building(BuildRequest(tmp_path, "one"), Script([]), pytest.fail, pytest.fail)


def test_a_change_meanwhile_halts_the_round_and_begins_it_anew(root: Path) -> None:
    eyes = Script([])

    def halts(halted: Callable[[], bool]) -> BuildResult:
        assert not halted()
        eyes.open.add(src(root, "main", "b.py"))
        assert halted()
        raise HaltedError

    first, second = play(root, eyes, halts, done)
    assert first.halted
    assert second == Round(1, ("one/src/main/b.py",), 0.0, DONE)
    assert eyes.waits == [0.0, None]


def test_what_went_wrong_while_it_changed_is_not_told(root: Path) -> None:
    eyes = Script([{src(root, "main", "a.py"): True}])

    def half_written(_halted: object) -> BuildResult:
        eyes.open.add(src(root, "main", "a.py"))
        msg = "half a file"
        raise SourceError(msg)

    assert [each.error for each in play(root, eyes, done, half_written, done) if not each.halted] == [None, None]


def test_a_conflict_waits_for_the_change_and_is_told_when_there_is_none(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(continuous, "CONFLICTS", 2)
    conflict = ConflictError("it changed while it was being built")
    eyes = Script([])
    rounds = play(root, eyes, fails(conflict), fails(conflict), fails(conflict))
    assert [each.halted for each in rounds] == [True, True, False]
    assert rounds[-1].error is conflict
    assert eyes.waits == [continuous.CONFLICT_SECONDS, continuous.CONFLICT_SECONDS, None]


def test_files_that_came_and_went_and_locks_are_told_only_where_something_was_done(root: Path) -> None:
    passing = {src(root, "main", "4913"): False}
    lock = {os.fspath(root / "one" / "pyproject.lock"): True}
    rounds = play(root, Script([passing, lock, dict(lock)]), done, idle, idle, done)
    assert [(each.number, each.changed) for each in rounds] == [(1, ()), (2, ())]


def test_a_lock_halts_nothing(root: Path) -> None:
    eyes = Script([])

    def locks(halted: Callable[[], bool]) -> BuildResult:
        eyes.open.add(os.fspath(root / "one" / "pyproject.lock"))
        assert not halted()
        return DONE

    assert len(play(root, eyes, locks, idle)) == 1


def test_what_is_watched_anew_is_built_again_silently(root: Path) -> None:
    eyes = Script([], news=[False, True])
    assert len(play(root, eyes, done, idle)) == 1
    assert eyes.waits == [None]


def test_an_error_is_told_once_where_nothing_changed(root: Path) -> None:
    eyes = Script([], news=[False, True])
    assert len(play(root, eyes, fails(SourceError("a bracket")), fails(SourceError("a bracket")))) == 1


def test_an_artifact_that_was_made_is_something_done(tmp_path: Path) -> None:
    artifact = Artifact(tmp_path, "folder", "one", (), None, 1, "", cached=False)
    assert not Round(1, (), 0.0, BuildResult((artifact,))).did_nothing
    assert Round(1, (), 0.0, BuildResult(())).did_nothing
    assert not Round(1, (), 0.0, error=SourceError("x")).did_nothing


MATTERS = [
    ("one/src/main/a.py", True),
    ("one/src/main/deep/er/a.txt", True),
    ("one/src/windows", True),
    ("one/src/windows/a.py", True),
    ("one/src", True),
    ("one/src/test/test_a.py", False),
    ("one/src/test", False),
    ("one/src/main/__pycache__/a.pyc", False),
    ("one/src/main/a.py~", False),
    ("one/src/main/.a.py.swp", False),
    ("one/src/main/.gitkeep", False),
    ("one/pyproject.toml", True),
    ("one/about.md", True),
    ("one/more.md", False),
    ("one/licenses/MIT.txt", True),
    ("one/LICENSE.second", True),
    ("docs/R.md", False),
    ("one/build/packpack/single/a.whl", False),
    ("one/build", False),
    ("one/releases.toml", False),
    ("one/.hidden", False),
    ("LICENSE", True),
    ("output.log", False),
    ("pyproject.toml", True),
    (".python-version", True),
    (".venv/pyvenv.cfg", True),
    (".venv/lib/a.py", False),
    (".git/index", False),
    ("three/src/main/a.py", False),
    ("three/pyproject.toml", False),
    ("two/pyproject.toml", True),
]


@pytest.mark.parametrize(("path", "matters"), MATTERS)
def test_what_matters_to_a_wheel(root: Path, path: str, matters: bool) -> None:
    (root / "one" / "licenses").mkdir()
    (root / "one" / "licenses" / "MIT.txt").touch()
    (root / "one" / "about.md").touch()
    settings = root / "one" / "pyproject.toml"
    named = 'version = "1"\nreadme = "about.md"\nlicense-files = ["licenses/*.txt", "LICEN[CS]E*"]\n'
    settings.write_text(settings.read_text().replace('version = "1"\n', named))
    (root / "one" / "src" / "main" / "a.py").touch()
    assert view_of(asked(root)).matters(os.fspath(root.joinpath(*path.split("/")))) is matters


def test_a_readme_elsewhere_in_the_project_matters(root: Path) -> None:
    (root / "docs").mkdir()
    (root / "docs" / "R.md").touch()
    settings = root / "one" / "pyproject.toml"
    settings.write_text(settings.read_text().replace('version = "1"\n', 'version = "1"\nreadme = "../docs/R.md"\n'))
    assert view_of(asked(root)).matters(os.fspath(root / "docs" / "R.md"))


@pytest.mark.parametrize("bundle", [Bundle.BINARY, Bundle.FAT])
def test_what_carries_dependencies_depends_on_the_packages_that_it_needs_and_on_locks(root: Path, bundle: Bundle) -> None:
    wheel, binary = view_of(asked(root)), view_of(asked(root, bundle))
    for path in ("two/src/main/a.py", "one/pyproject.lock", "two/pyproject.lock"):
        assert [view.matters(os.fspath(root.joinpath(*path.split("/")))) for view in (wheel, binary)] == [False, True]


def test_folders_that_are_made_in_the_root_do_not_matter(root: Path) -> None:
    view = view_of(asked(root))
    (root / "dist").mkdir()
    assert not view.matters(os.fspath(root / "dist"))
    assert view.matters(os.fspath(root / "NOTICE"))


def test_what_links_lead_to_is_watched(root: Path) -> None:
    (root / "common" / "deep").mkdir(parents=True)
    (root / "common" / "one.py").touch()
    (root / "common" / "two.py").touch()
    (root / "common" / "deep" / "up").symlink_to(root / "common" / "two.py")
    main = root / "one" / "src" / "main"
    (main / "one.py").symlink_to(root / "common" / "one.py")
    (main / "deep").symlink_to(root / "common" / "deep")
    (main / "gone").symlink_to(root / "nowhere")
    (main / "loop").symlink_to(main)
    view = view_of(asked(root))
    common = root / "common"
    found = [
        view.matters(os.fspath(common.joinpath(*name.split("/")))) for name in ("one.py", "two.py", "deep/x/y.py", "three.py")
    ]
    assert found == [True, True, True, False]
    assert {place.folder for place in view.places} >= {os.fspath(common), os.fspath(common / "deep")}


@pytest.mark.parametrize("broken", ["pyproject.toml", "one/pyproject.toml"])
def test_broken_settings_are_watched_too(root: Path, broken: str) -> None:
    path = root.joinpath(*broken.split("/"))
    path.write_text("[")
    view = view_of(BuildRequest(root / "one", "one"))
    assert view.matters(os.fspath(path))
    assert os.fspath(path.parent) in {place.folder for place in view.places}


def test_a_package_that_is_not_there_may_come_with_any_change_of_the_settings(root: Path) -> None:
    view = view_of(BuildRequest(root, "four"))
    assert view.matters(os.fspath(root / "pyproject.toml"))
    assert view.matters(os.fspath(root / "three" / "pyproject.toml"))


def test_paths_are_shown_from_the_project_on(tmp_path: Path) -> None:
    assert View(tmp_path).shown(os.fspath(tmp_path / "a" / "b.py")) == "a/b.py"
