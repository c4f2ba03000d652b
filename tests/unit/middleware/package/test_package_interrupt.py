"""Ctrl-C at every line of adding and removing a package: before or after, never between.

Also at the lines that clean up: there a scratch folder may stay, whose name begins with a dot and which nobody reads.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend import filesystem, undo
from pypackpack.middleware.package import manage
from pypackpack.middleware.project import edit
from pypackpack.middleware.project.read import load_project
from pypackpack.middleware.target import table
from pypackpack.model.build import Silent
from tests.interrupt import interrupted_at
from tests.snapshot import snapshot

if TYPE_CHECKING:
    from pathlib import Path

CODE = (manage, edit, filesystem, undo)

# A file that was being opened at that moment is closed by the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def seen_in(root: Path) -> dict[str, tuple[str, int, bytes]]:
    return {name: entry for name, entry in snapshot(root).items() if not name.startswith(".")}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    host = table.find("linux_x86_64")
    monkeypatch.setattr(table, "host_target", lambda: host)
    (tmp_path / "pyproject.toml").write_text("[tool.pypackpack]\npackages = []\n")
    return tmp_path


def test_add(root: Path) -> None:
    before = seen_in(root)
    manage.add_package(load_project(root), "mypkg", Silent())
    after = seen_in(root)
    manage.remove_package(load_project(root), "mypkg")
    line, seen = 1, set()
    while interrupted_at(line, CODE, partial(manage.add_package, load_project(root), "mypkg", Silent())):
        now = seen_in(root)
        assert now in (before, after), line
        seen.add(now == after)
        if now != before:
            manage.remove_package(load_project(root), "mypkg")
        line += 1
    assert line > 100
    assert False in seen


def test_remove(root: Path) -> None:
    before = seen_in(root)
    manage.add_package(load_project(root), "mypkg", Silent())
    after = seen_in(root)
    line, seen = 1, set()
    while interrupted_at(line, CODE, partial(manage.remove_package, load_project(root), "mypkg")):
        now = seen_in(root)
        assert now in (before, after), line
        seen.add(now == after)
        if now == before:
            manage.add_package(load_project(root), "mypkg", Silent())
        line += 1
    assert line > 100
    assert True in seen
