from __future__ import annotations

import contextlib
import keyword
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pypackpack.backend import filesystem
from pypackpack.middleware.package.manage import add_package, removal, remove_package
from pypackpack.middleware.package.names import check_name
from pypackpack.middleware.project.read import load_project
from pypackpack.middleware.target import table
from pypackpack.model.build import Silent
from pypackpack.model.errors import ConflictError, FilesystemError, MissingToolError, NameTakenError, PyPackPackError, UsageError
from pypackpack.model.names import COMMANDS
from tests.snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from pypackpack.model.project import Project

HEAD = '# Größe\n[project]\nname = "acme"\nversion = "1"\nrequires-python = ">=3.11"\n\n[tool.pypackpack] # ours\n'


@pytest.fixture(autouse=True)
def _host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "host_target", lambda: table.find("linux_x86_64"))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "projekt größe"
    root.mkdir()
    (root / "pyproject.toml").write_text(HEAD + "packages = [] # none yet\n", encoding="utf-8")
    return load_project(root)


def text(project: Project) -> str:
    return (project.root / "pyproject.toml").read_text(encoding="utf-8")


def again(project: Project) -> Project:
    return load_project(project.root)


# ------------------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("name", "module"), [("mypkg", "mypkg"), ("My-Pkg", "my_pkg"), ("a.b_c", "a_b_c"), ("x2", "x2"), ("builder", "builder")]
)
def test_good_names(project: Project, name: str, module: str) -> None:
    assert check_name(name, project) == module


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "PEP 508"),
        ("a b", "PEP 508"),
        ("-a", "PEP 508"),
        ("größe", "PEP 508"),
        ("../x", "PEP 508"),
        ("_x", "PEP 508"),
        ("3d", "cannot be imported"),
        ("class", "Python language"),
        ("Match", "Python language"),
        ("none", "Python language"),
        ("build", "is a command"),
        ("Sync", "is a command"),
        ("linux", "a family of targets"),
        ("linux_x86_64", "a family of targets"),
        ("Linux-X64", "a family of targets"),
        ("macosx-aarch64", "a family of targets"),
        ("x86_64-pc-windows-msvc", "a family of targets"),
        ("win_amd64", "a family of targets"),
        ("linux_2_28_x86_64", "a family of targets"),
        ("host", "a family of targets"),
        ("json", "standard library"),
        ("Json", "standard library"),
        ("distutils", "standard library"),
        ("test", "standard library"),
        ("pypackpack", "this program"),
        ("con", "Windows"),
        ("ACME", "name of the project"),
    ],
)
def test_bad_names_each_with_its_reason(project: Project, name: str, reason: str) -> None:
    before = snapshot(project.root)
    with pytest.raises(NameTakenError) as caught:
        add_package(project, name, Silent())
    assert reason in caught.value.message
    assert f'"{name}"' in caught.value.message
    assert snapshot(project.root) == before


def test_a_name_that_is_too_long_for_a_file_is_cut_short_in_the_error(project: Project) -> None:
    before = snapshot(project.root)
    with pytest.raises(NameTakenError, match="it has 121 letters") as caught:
        add_package(project, "x" * 121, Silent())
    assert "x" * 21 not in caught.value.message
    assert snapshot(project.root) == before
    assert check_name("x" * 120, project) == "x" * 120


def test_every_word_of_every_list_is_refused(project: Project) -> None:
    words = {*COMMANDS, *keyword.kwlist, *table.targets(), *table.families(), *table.reserved_names()}
    words |= {word for word in sys.stdlib_module_names if not word.startswith("_")}
    accepted = []
    for word in words:
        with contextlib.suppress(NameTakenError):
            accepted.append(check_name(word, project))
    assert accepted == []


def test_names_that_are_taken_in_any_spelling(project: Project) -> None:
    add_package(project, "my-pkg", Silent())
    (project.root / "docs").mkdir()
    for name in ("my-pkg", "My_Pkg", "MY.PKG"):
        with pytest.raises(NameTakenError, match='has a package "my-pkg" already'):
            check_name(name, again(project))
    with pytest.raises(NameTakenError, match="docs is there already"):
        check_name("Docs", again(project))


def test_what_is_the_projects_own_name_says_how_it_gets_free(project: Project) -> None:
    with pytest.raises(NameTakenError, match="it is the name of the project") as caught:
        check_name("acme", project)
    assert "give the project another name in pyproject.toml, then `pypackpack package add acme`" in caught.value.hint


def test_names_of_members_of_a_uv_workspace(project: Project) -> None:
    path = project.root / "pyproject.toml"
    path.write_text(path.read_text() + '\n[tool.uv.workspace]\nmembers = ["packages/*"]\n')
    (project.root / "packages" / "lib").mkdir(parents=True)
    (project.root / "packages" / "lib" / "pyproject.toml").write_text('[project]\nname = "Lib.One"\n')
    before = snapshot(project.root)
    with pytest.raises(NameTakenError, match="it is the name of packages/lib, a member of the uv workspace") as caught:
        add_package(again(project), "lib-one", Silent())
    assert "packages/lib/pyproject.toml" in caught.value.hint
    assert snapshot(project.root) == before
    assert check_name("lib", again(project)) == "lib"


def test_a_name_that_others_have_from_the_index(project: Project) -> None:
    for name in ("app", "tool"):
        add_package(again(project), name, Silent())
    path = project.root / "app" / "pyproject.toml"
    path.write_text(path.read_text().replace("dependencies = []", 'dependencies = ["Num.Py[all]>=2"]'))
    path = project.root / "tool" / "pyproject.toml"
    path.write_text(path.read_text() + '\n[tool.pypackpack.target.linux_x86_64]\ndependencies = ["num-py"]\n')
    before = snapshot(project.root)
    with pytest.raises(NameTakenError, match="app and tool depend on the num_py of the index") as caught:
        add_package(again(project), "num_py", Silent())
    assert "`pypackpack app remove num_py`" in caught.value.hint
    assert snapshot(project.root) == before
    assert check_name("num", again(project)) == "num"


# --------------------------------------------------------------------------------------------------------------- add


def test_add_makes_the_folder_and_records_it(project: Project) -> None:
    package = add_package(project, "My-Pkg", Silent())
    root = project.root / "My-Pkg"
    assert (package.name, package.import_name, package.root, package.version) == ("My-Pkg", "my_pkg", root, "0.1.0")
    assert [target.name for target in package.targets] == ["linux_x86_64"]
    assert package.requires_python == ">=3.11"
    assert sorted(path for path, (kind, _, _) in snapshot(root).items() if kind == "file") == [
        "pyproject.toml",
        "src/main/__init__.py",
        "src/test/.gitkeep",
    ]
    assert (root / "build" / "crossenv" / "linux_x86_64").is_dir()
    assert text(project) == HEAD + 'packages = ["My-Pkg"] # none yet\n'
    add_package(again(project), "other", Silent())
    assert text(project) == HEAD + 'packages = ["My-Pkg", "other"] # none yet\n'
    assert sorted(path.name for path in project.root.iterdir()) == ["My-Pkg", "other", "pyproject.toml"]


def test_add_on_a_machine_that_is_no_target(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise MissingToolError("this machine is no target")

    monkeypatch.setattr(table, "host_target", none)
    watcher = Silent()
    assert add_package(project, "mypkg", watcher).targets == ()
    assert watcher.notes[-1:] == ["the package has no target yet: this machine is no target"]


def test_add_while_somebody_edits_the_project(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    really = filesystem.write_scratch
    theirs = HEAD + 'packages = []\nrepository = "https://example.org"\n'

    def write(path: Path, data: bytes) -> None:
        (project.root / "pyproject.toml").write_text(theirs, encoding="utf-8")
        really(path, data)

    monkeypatch.setattr(filesystem, "write_scratch", write)
    with pytest.raises(ConflictError, match="changed by somebody else"):
        add_package(project, "mypkg", Silent())
    assert text(project) == theirs
    assert [path.name for path in project.root.iterdir()] == ["pyproject.toml"]


def test_add_to_a_broken_project(project: Project) -> None:
    (project.root / "pyproject.toml").write_text("[tool.pypackpack\n")
    before = snapshot(project.root)
    with pytest.raises(PyPackPackError, match="not valid TOML"):
        add_package(project, "mypkg", Silent())
    assert snapshot(project.root) == before


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(13, "Permission denied")], ids=["Ctrl-C", "no permission"])
def test_add_interrupted_at_any_write(
    project: Project, monkeypatch: pytest.MonkeyPatch, error: BaseException, after: bool
) -> None:
    before = snapshot(project.root)
    for number in range(100):
        with monkeypatch.context() as patch:
            calls = interrupt(patch, number, error, after=after)
            with contextlib.suppress(KeyboardInterrupt, FilesystemError):
                add_package(project, "mypkg", Silent())
        if calls["n"] <= number:
            break
        # Once it is recorded the package is there, whole; what is read after that may still be interrupted.
        if snapshot(project.root) != before:
            assert [package.name for package in again(project).packages] == ["mypkg"], number
            remove_package(again(project), "mypkg")
            assert snapshot(project.root) == before
    assert number > 6
    assert again(project).package("mypkg") is not None


def interrupt(patch: pytest.MonkeyPatch, allowed: int, error: BaseException, *, after: bool) -> dict[str, int]:
    """Let a number of writes through and raise at the next, once."""
    calls = {"n": 0}

    def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*words: object, **named: object) -> object:
            calls["n"] += 1
            if calls["n"] != allowed + 1:
                return function(*words, **named)
            if after:
                function(*words, **named)
            raise error

        return call

    for owner, name in ((os, "replace"), (Path, "write_bytes"), (Path, "mkdir"), (Path, "rename")):
        patch.setattr(owner, name, wrapped(getattr(owner, name)))
    return calls


# ------------------------------------------------------------------------------------------------------------ remove


def test_removal_says_what_would_go(project: Project) -> None:
    add_package(project, "mypkg", Silent())
    (project.root / "mypkg" / "src" / "main" / "code.py").write_bytes(b"x = 1\n")
    (project.root / "mypkg" / "build" / "junk").write_bytes(b"0123456789")
    before = snapshot(project.root)
    gone = removal(again(project), "MyPkg")
    assert gone.package.name == "mypkg"
    assert gone.sources == ("src/main/__init__.py", "src/main/code.py", "src/test/.gitkeep")
    toml = (project.root / "mypkg" / "pyproject.toml").stat().st_size
    assert gone.entries == (("pyproject.toml", 1, toml), ("build/", 1, 10), ("src/", 3, 6))
    assert gone.files == 5
    assert gone.size == 16 + (project.root / "mypkg" / "pyproject.toml").stat().st_size
    assert snapshot(project.root) == before


def test_remove_takes_the_folder_and_the_record(project: Project) -> None:
    for name in ("one", "my-pkg", "two"):
        add_package(again(project), name, Silent())
    assert remove_package(again(project), "my_pkg").package.name == "my-pkg"
    assert text(project) == HEAD + 'packages = ["one", "two"] # none yet\n'
    assert sorted(path.name for path in project.root.iterdir()) == ["one", "pyproject.toml", "two"]


def test_remove_keeps_the_comments_of_the_list(project: Project) -> None:
    for name in ("one", "two", "three"):
        add_package(again(project), name, Silent())
    path = project.root / "pyproject.toml"
    path.write_text(HEAD + 'packages = [\n  "one", # first\n  "two",\n  "three", # last\n]\n', encoding="utf-8")
    remove_package(again(project), "two")
    assert text(project) == HEAD + 'packages = [\n  "one", # first\n  "three", # last\n]\n'


def test_remove_what_others_depend_on(project: Project) -> None:
    for name in ("core", "app", "tool"):
        add_package(again(project), name, Silent())
    for name in ("app", "tool"):
        path = project.root / name / "pyproject.toml"
        path.write_text(path.read_text().replace("dependencies = []", 'dependencies = ["Core>=0"]'))
    before = snapshot(project.root)
    with pytest.raises(UsageError, match="core cannot be removed: app and tool depend on it"):
        remove_package(again(project), "core")
    assert snapshot(project.root) == before


def test_remove_what_is_not_there(project: Project) -> None:
    with pytest.raises(UsageError) as caught:
        removal(project, "mypkg")
    assert "package add" in caught.value.hint
    add_package(project, "mypkg", Silent())
    with pytest.raises(UsageError) as caught:
        removal(again(project), "mypgk")
    assert caught.value.hint == 'Did you mean "mypkg"?'
    with pytest.raises(UsageError) as caught:
        removal(again(project), "zzz")
    assert caught.value.hint == "It has mypkg."


def test_remove_does_not_follow_links(project: Project, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    add_package(project, "mypkg", Silent())
    (project.root / "mypkg" / "data").symlink_to(outside)
    assert removal(again(project), "mypkg").files == 4
    remove_package(again(project), "mypkg")
    assert (outside / "precious").read_text() == "x"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(13, "Permission denied")], ids=["Ctrl-C", "in use"])
def test_remove_that_cannot_move_the_folder_changes_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    add_package(project, "mypkg", Silent())
    before = snapshot(project.root)

    really = filesystem.replace

    def refuse(aside: Path, path: Path) -> None:
        if Path(aside).name == "mypkg":
            raise error
        really(aside, path)

    with monkeypatch.context() as patch:
        patch.setattr(filesystem, "replace", refuse)
        with pytest.raises((KeyboardInterrupt, FilesystemError)):
            remove_package(again(project), "mypkg")
    assert snapshot(project.root) == before


def test_what_is_left_of_a_removed_folder_is_named(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    add_package(project, "mypkg", Silent())

    def refuse(path: Path) -> None:
        raise FilesystemError(f"cannot remove {path}")

    monkeypatch.setattr(filesystem, "remove_tree", refuse)
    with pytest.raises(FilesystemError) as caught:
        remove_package(again(project), "mypkg")
    assert ".removed-" in caught.value.hint
    assert again(project).packages == ()
