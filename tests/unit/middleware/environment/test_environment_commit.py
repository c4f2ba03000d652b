"""Several packages' locks, environments and settings are put in place together: all of it or nothing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend import filesystem, undo
from pypackpack.backend.undo import Undo
from pypackpack.middleware.environment import commit as commits
from pypackpack.middleware.environment import lock as locks
from pypackpack.middleware.environment.commit import Made, Ready, commit, joined
from pypackpack.middleware.environment.install import Room
from pypackpack.middleware.project import edit
from pypackpack.middleware.project.edit import plan_edit
from pypackpack.middleware.project.read import load_project
from pypackpack.model.errors import ConflictError, FilesystemError
from tests.interrupt import interrupted_at
from tests.snapshot import snapshot

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = '[project]\nname = "{name}"\nversion = "1"\n\n[tool.pypackpack]\ntargets = ["linux_x86_64"]\npython = ["3.11"]\n'
PLACE = "build/crossenv/linux_x86_64/lib/python3.11/site-packages"

# A file that was being opened at that moment is closed by the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    filesystem.write_atomic(root / "pyproject.toml", '[tool.pypackpack]\npackages = ["app", "core"]\n')
    for name in ("app", "core"):
        filesystem.write_atomic(root / name / "pyproject.toml", PACKAGE.format(name=name))
    filesystem.write_atomic(root / "core" / PLACE / "old.py", "")
    filesystem.write_atomic(root / "core" / locks.FILE, "the old lock\n")
    return root


def put(root: Path) -> list[str]:
    """Prepare both packages and put everything in place, with a change of one's settings."""
    project = load_project(root)
    ready = []
    with filesystem.scratch_folder(root, ".sync-") as scratch:
        for package in project.packages:
            room = Room(package, package.targets[0], (3, 11))
            filesystem.write_scratch(scratch / package.name / "new.py", b"")
            made = Made(room, scratch / package.name, "digest", (("new", "1"),), ())
            ready.append(Ready(package, locks.Lock("version = 1\n", "made from"), True, [made], {room.target.name: "a pylock\n"}))
        change = plan_edit(root / "app" / "pyproject.toml", lambda document: document["project"].update(version="2"))  # type: ignore[union-attr]
        return list(joined(commit(ready, [change])).locked)


def seen(root: Path) -> dict[str, tuple[str, bytes]]:
    """What lies there but for scratch folders and what only saves time."""
    return {
        name: (each[0], each[2])
        for name, each in snapshot(root).items()
        if not name.startswith(".") and ("/build" not in name or name.endswith(".py"))
    }


def test_everything_is_put_in_place(root: Path) -> None:
    assert put(root) == ["app", "core"]
    for name in ("app", "core"):
        assert [path.name for path in (root / name / PLACE).iterdir()] == ["new.py"]
        assert "version = 1" in (root / name / locks.FILE).read_text()
        assert (root / name / "build/crossenv/linux_x86_64/pylock.toml").read_text() == "a pylock\n"
    assert 'version = "2"' in (root / "app" / "pyproject.toml").read_text()


def test_when_the_settings_cannot_be_written_both_packages_are_as_before(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = seen(root)
    really = filesystem.write_atomic

    def refuse(path: Path, data: bytes | str, **more: bool) -> None:
        if path.name == "pyproject.toml":
            assert (root / "core" / PLACE / "new.py").exists()
            raise FilesystemError("the disk is full")
        really(path, data, **more)

    monkeypatch.setattr(filesystem, "write_atomic", refuse)
    with pytest.raises(FilesystemError, match="the disk is full") as caught:
        put(root)
    assert seen(root) == before
    assert not getattr(caught.value, "__notes__", [])


def test_what_is_not_as_before_is_said_with_what_completes_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def conflict(*_: object) -> None:
        (root / "core" / locks.FILE).unlink()
        (root / "core" / locks.FILE).mkdir()
        (root / "app" / locks.FILE).write_text("somebody's")
        monkeypatch.setattr(filesystem, "replace", refuse)
        raise ConflictError("changed meanwhile")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(edit, "commit_edits", conflict)
    with pytest.raises(ConflictError, match="changed meanwhile") as caught:
        put(root)
    assert (root / "app" / locks.FILE).read_text() == "somebody's"
    notes = caught.value.__notes__
    assert any("site-packages could not be put back: cannot move " in note for note in notes)
    assert notes[-1] == commits.WAY_OUT


def test_ctrl_c_at_every_line_leaves_all_or_nothing(root: Path, tmp_path: Path) -> None:
    before = seen(root)
    old = {name: each[2] for name, each in snapshot(root).items() if each[0] == "file"}
    put(root)
    after = seen(root)
    code = (commits, edit, filesystem, undo)
    line, found = 1, set()
    while True:
        fresh = tmp_path / str(line)
        for name, data in old.items():
            filesystem.write_atomic(fresh / name, data)
        if not interrupted_at(line, code, partial(put, fresh)):
            break
        now = seen(fresh)
        assert now in (before, after), line
        found.add(now == after)
        line += 7  # a prime: every kind of line comes up, and the test costs little
    assert found == {True, False}


def test_what_was_remembered_before_goes_back_too(root: Path) -> None:
    before = seen(root)
    project = load_project(root)
    back = Undo()
    edited = plan_edit(root / "app" / "pyproject.toml", lambda document: document.add("x", 1))  # type: ignore[arg-type]
    (root / "app" / "pyproject.toml").write_text("changed = 1\n")
    theirs = (root / "app" / "pyproject.toml").read_bytes()
    with back:
        back.make_folder(root / "app" / "src" / "windows")
        with pytest.raises(ConflictError):
            commit([Ready(project.packages[1], locks.Lock("x = 1\n", "y"), True)], [edited], back)
    now = seen(root)
    assert now.pop("app/pyproject.toml")[1] == theirs
    del before["app/pyproject.toml"]
    assert now == before
