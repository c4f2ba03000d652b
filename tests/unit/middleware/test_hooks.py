from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend.tools import git
from pypackpack.middleware import hooks
from pypackpack.middleware.target import table
from pypackpack.model.build import Silent
from pypackpack.model.errors import MissingToolError, NoProjectError, SettingsError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of ``app``, which needs ``core``, without git, on a machine that is linux_x86_64."""
    monkeypatch.setattr(git, "checkout", lambda _folder: None)
    monkeypatch.setattr(table, "host_target", lambda: table.find("linux_x86_64"))
    folder = tmp_path / "whole"
    files = {
        "pyproject.toml": '[project]\nname = "whole"\nversion = "1.0"\nlicense-files = ["LICENSE"]\n\n'
        '[project.optional-dependencies]\nown = ["six", "core"]\n\n[tool.pypackpack]\npackages = ["app", "core"]\n',
        "LICENSE": "mine\n",
        "notes.md": "# Notes\n",
        "app/pyproject.toml": '# Größe\n[project]\nname = "app"\nversion = "1.0"\nreadme = { file = "../notes.md", content-type = "text/markdown" }\n'
        'dependencies = [\n  "core[x] ; os_name == \'posix\'",  # why\n]\n\n[tool.pypackpack]\ntargets = ["windows_amd64"]\n',
        "app/src/main/__init__.py": "",
        "core/pyproject.toml": '[project]\nname = "core"\nversion = "2.0"\n\n[tool.pypackpack]\ntargets = ["windows_amd64"]\n',
        "core/src/main/__init__.py": "",
    }
    for place, text in files.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(text, encoding="utf-8")
    return folder


def text_of(folder: Path, name: str) -> str:
    return (folder / name / "METADATA").read_text(encoding="utf-8")


def unpack(sdist: Path, folder: Path) -> None:
    """Not by extractall: its ``filter`` is not in every 3.11, and without it newer ones warn."""
    with tarfile.open(sdist) as archive:
        for item in archive:
            content = archive.extractfile(item)
            assert content is not None
            (folder / item.name).parent.mkdir(parents=True, exist_ok=True)
            (folder / item.name).write_bytes(content.read())


def test_config_settings() -> None:
    watcher = Silent()
    given = {"level": ["instant", "native"], "type": "debug", "--build-option": "x", "levle": "native"}
    assert hooks.checked_settings(given, watcher) == {"level": "native", "type": "debug"}
    assert watcher.notes == [
        'the config setting "--build-option" is not ours and was ignored',
        'the config setting "levle" is not ours and was ignored; "level" is',
    ]
    assert hooks.checked_settings(None, watcher) == {}
    for wrong in ({"level": "mixed"}, {"siblings": True}, {"target": []}):
        with pytest.raises(UsageError, match="expected"):
            hooks.checked_settings(wrong, watcher)


def test_metadata_of_a_package(root: Path, tmp_path: Path) -> None:
    """It is the same on every platform: that none of its targets is this machine's does not matter."""
    name = hooks.metadata(root / "app", tmp_path, {}, for_editable=False)
    assert name == "app-1.0.dist-info"
    folder = (root / "core").as_uri()
    assert f'Requires-Dist: core[x] @ {folder} ; os_name == "posix"\n' in text_of(tmp_path, name)
    hooks.metadata(root / "app", tmp_path, {"siblings": "version"}, for_editable=True)
    assert 'Requires-Dist: core[x]==2.0; os_name == "posix"\n' in text_of(tmp_path, name)


def test_a_package_with_overlays_is_refused_where_it_has_no_target(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "app/src/linux").mkdir()
    (root / "app/src/linux/mod.py").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="linux_x86_64 is not a target of the package"):
        hooks.metadata(root / "app", tmp_path, {}, for_editable=False)

    def none() -> None:
        raise MissingToolError("no target")

    monkeypatch.setattr(table, "host_target", none)
    assert hooks.metadata(root / "core", tmp_path, {}, for_editable=False) == "core-2.0.dist-info"


def test_metadata_of_the_project(root: Path, tmp_path: Path) -> None:
    name = hooks.metadata(root, tmp_path, {}, for_editable=False)
    lines = [line for line in text_of(tmp_path, name).splitlines() if "extra" in line.lower()]
    assert lines == [
        "Provides-Extra: own",
        'Requires-Dist: six; extra == "own"',
        f'Requires-Dist: core @ {(root / "core").as_uri()} ; extra == "own"',
        "Provides-Extra: app",
        f'Requires-Dist: app @ {(root / "app").as_uri()} ; extra == "app"',
        "Provides-Extra: core",
        f'Requires-Dist: core @ {(root / "core").as_uri()} ; extra == "core"',
    ]
    assert (tmp_path / hooks.editable(root, tmp_path / "out", {})).name == "whole-1.0-py3-none-any.whl"


def test_an_extra_that_has_the_name_of_a_package(root: Path, tmp_path: Path) -> None:
    file = root / "pyproject.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("own =", "App ="), encoding="utf-8")
    with pytest.raises(SettingsError, match="is the name of a package of the project"):
        hooks.metadata(root, tmp_path, {}, for_editable=False)


def test_an_sdist_stands_alone(root: Path, tmp_path: Path) -> None:
    first = tmp_path / hooks.sdist(root / "app", tmp_path, {})
    data = first.read_bytes()
    assert (tmp_path / hooks.sdist(root / "app", tmp_path, {})).read_bytes() == data
    unpack(first, tmp_path / "un")
    with tarfile.open(first) as archive:
        assert {(item.mtime, item.uid, item.uname, item.mode) for item in archive} == {(1451606400, 0, "", 0o644)}
    alone = tmp_path / "un" / "app-1.0"
    written = (alone / "pyproject.toml").read_text(encoding="utf-8")
    assert written.startswith("# Größe\n")
    assert '  "core[x]==2.0; os_name == \\"posix\\"",  # why\n' in written
    assert 'file = "_project/notes.md"' in written
    assert (alone / "LICENSE").read_text(encoding="utf-8") == "mine\n"
    name = hooks.metadata(alone, tmp_path, {}, for_editable=False)
    assert text_of(tmp_path, name) == (alone / "PKG-INFO").read_text(encoding="utf-8")
    again = hooks.sdist(alone, tmp_path / "again", {})
    unpack(tmp_path / "again" / again, tmp_path / "un2")
    assert (tmp_path / "un2/app-1.0/PKG-INFO").read_bytes() == (alone / "PKG-INFO").read_bytes()


def test_a_package_with_a_file_of_an_sdist_is_still_one_of_its_project(root: Path, tmp_path: Path) -> None:
    (root / "app/PKG-INFO").write_text("", encoding="utf-8")
    assert "Requires-Dist: core[x] @ file:" in text_of(tmp_path, hooks.metadata(root / "app", tmp_path, {}, for_editable=False))


def test_what_a_target_adds_is_marked_in_an_sdist(root: Path, tmp_path: Path) -> None:
    with (root / "core/pyproject.toml").open("a", encoding="utf-8") as file:
        file.write('\n[tool.pypackpack.target.windows_amd64]\ndependencies = ["pywin32"]\n')
    with tarfile.open(tmp_path / hooks.sdist(root / "core", tmp_path, {})) as archive:
        told = archive.extractfile("core-2.0/PKG-INFO")
        assert told is not None
        assert b"Dynamic: Requires-Dist\n" in told.read()


def test_the_sdist_of_the_project(root: Path, tmp_path: Path) -> None:
    unpack(tmp_path / hooks.sdist(root, tmp_path, {}), tmp_path / "un")
    alone = tmp_path / "un" / "whole-1.0"
    assert sorted(path.name for path in alone.iterdir()) == ["LICENSE", "PKG-INFO", "pyproject.toml"]
    name = hooks.metadata(alone, tmp_path, {}, for_editable=False)
    assert text_of(tmp_path, name) == (alone / "PKG-INFO").read_text(encoding="utf-8")
    assert 'Requires-Dist: app==1.0; extra == "app"' in text_of(tmp_path, name)


def test_a_folder_that_is_no_package(root: Path, tmp_path: Path) -> None:
    with pytest.raises(NoProjectError, match="is not among the packages"):
        hooks.metadata(root / "app" / "src", tmp_path, {}, for_editable=False)
    with pytest.raises(NoProjectError):
        hooks.metadata(tmp_path, tmp_path, {}, for_editable=False)


@pytest.mark.parametrize("said", [False, True])
def test_a_wheel_whose_requirements_name_this_machine_is_said(root: Path, tmp_path: Path, *, said: bool) -> None:
    if said:
        path = root / "pyproject.toml"
        path.write_text(
            path.read_text().replace("[tool.pypackpack]\n", '[tool.pypackpack]\nrepository = "https://example.org/x"\n')
        )
    watcher = Silent()
    hooks.wheel(root, tmp_path, {}, watcher)
    note = (
        "the wheel of whole names app, core by a path of this machine: before it goes to another one, "
        "give the checkout a remote, or the project a [tool.pypackpack] repository"
    )
    assert watcher.notes == ([] if said else [note])
    hooks.metadata(root, tmp_path / "metadata", {}, for_editable=False)
    watcher = Silent()
    hooks.wheel(root, tmp_path, {"siblings": "version"}, watcher)
    assert watcher.notes == []
