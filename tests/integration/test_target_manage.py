"""Targets of a project on disk: what is added, what is taken away, and that errors leave everything as it was.

Installing is another module's work with tests of its own; here it is replaced by something that writes what it would.
"""

from __future__ import annotations

import contextlib
import errno
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend import filesystem
from pypackpack.middleware.compile import toolchains
from pypackpack.middleware.project.read import load_project
from pypackpack.middleware.target import manage, table
from pypackpack.middleware.target.asked import Asked, read_words
from pypackpack.model.build import Silent, Step
from pypackpack.model.environment import SyncResult, TargetEnvironment
from pypackpack.model.errors import ConflictError, FilesystemError, PyPackPackError, ToolError, UnknownTargetError, UsageError
from pypackpack.model.host import Host
from pypackpack.model.toolchain import Surroundings
from tests.layouts import lay_out_ndk
from tests.snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pypackpack.backend.undo import Undo
    from pypackpack.model.build import Watcher
    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import Target

ROOT = """\
[project]
name = "shop"
version = "1.0"
requires-python = ">=3.10"

[tool.pypackpack]
packages = ["core", "web"]
"""

CORE = """\
# the heart of it
[project]
name = "core"
version = "1.0"   # bumped by hand

[tool.pypackpack]   # ours
targets = [
  "linux-x64",   # the servers
  # Bob's laptop
  "windows_amd64",
]
python = ["3.11"]

[tool.other]
z = 1
a = 2
"""

WEB = """\
[project]
name = "web"
version = "1.0"
dependencies = ["idna"]

[tool.pypackpack]
targets = ["linux_x86_64"]  # for now
"""


@dataclass
class Installer:
    """Stands in for `environment.sync`: what it prepares is put in place by `environment.commit`."""

    calls: list[tuple[str, tuple[str, ...], bool]] = field(default_factory=list)
    unavailable: tuple[str, BaseException] | None = None
    meanwhile: Callable[[], None] = lambda: None

    @contextlib.contextmanager
    def prepared(
        self, project: Project, package: Package, targets: Sequence[Target], *, offline: bool, held: bool, watcher: Watcher
    ) -> Iterator[Prepared]:
        assert held
        assert package in project.packages
        assert set(targets) <= set(package.targets)
        watcher.step(Step(package.name, targets[0].name if targets else "", "install", 0, 1))
        self.calls.append((package.name, tuple(target.name for target in targets), offline))
        if self.unavailable and self.unavailable[0] == package.name:
            raise self.unavailable[1]
        yield Prepared(self, package, targets)


@dataclass
class Prepared:
    """What an `Installer` has prepared."""

    installer: Installer
    package: Package
    targets: Sequence[Target]

    def place(self, undo: Undo) -> None:
        for target in self.targets:
            installed = self.package.build_folder / "crossenv" / target.name / "lib" / "idna.py"
            if not installed.parent.is_dir():
                undo.make_folder(installed.parent)
            undo.write(installed, b"installed = True\n")
        undo.write(self.package.root / "pyproject.lock", f"locked = {[target.name for target in self.targets]}\n".encode())
        self.installer.meanwhile()

    def finish(self) -> SyncResult:
        made = tuple(
            TargetEnvironment(self.package.name, target.name, (3, 11), self.package.root, (("idna", "3"),), (("idna", "3"),))
            for target in self.targets
        )
        return SyncResult(made, (self.package.name,))


@pytest.fixture
def installer(monkeypatch: pytest.MonkeyPatch) -> Installer:
    fake = Installer()
    monkeypatch.setattr("pypackpack.middleware.environment.sync.prepared", fake.prepared)
    return fake


@pytest.fixture
def root(tmp_path: Path, own_cache: Path) -> Path:
    del own_cache
    root = tmp_path / "my shöp"
    for name, text in (("", ROOT), ("core", CORE), ("web", WEB)):
        (root / name / "src" / "main").mkdir(parents=True) if name else root.mkdir()
        (root / name / "pyproject.toml").write_text(text, encoding="utf-8")
    (root / "web" / "pyproject.lock").write_text("locked = ['before']\n")
    (root / "core" / "src" / "windows").mkdir()
    (root / "core" / "src" / "windows" / "paths.py").write_text("HOME = 'C:'\n")
    return root


def settings(root: Path, package: str) -> str:
    return (root / package / "pyproject.toml").read_text(encoding="utf-8")


def test_adding_writes_the_settings_the_folders_and_the_environment(root: Path, installer: Installer) -> None:
    watcher = Silent()
    changes = manage.add_targets(load_project(root), Asked(("macos", "linux_2_28_arm64"), "core"), watcher)
    assert settings(root, "core") == CORE.replace(
        '  "windows_amd64",\n', '  "windows_amd64",\n  "macos_arm64",\n  "linux_2_28_arm64",\n'
    )
    assert settings(root, "web") == WEB
    assert installer.calls == [("core", ("macos_arm64", "linux_2_28_arm64"), False)]
    assert (root / "core/build/crossenv/macos_arm64/lib/idna.py").is_file()
    assert (root / "core/src/macos/.gitkeep").read_bytes() == b""
    assert [(change.target, change.word, change.changed, change.folders) for change in changes] == [
        ("macos_arm64", "macos", True, ("core/build/crossenv/macos_arm64", "core/src/macos")),
        ("linux_2_28_arm64", "linux_2_28_arm64", True, ("core/build/crossenv/linux_2_28_arm64", "core/src/linux")),
    ]
    assert watcher.notes == ["macos is macos_arm64"]
    assert [target.name for target in load_project(root).packages[0].targets] == [
        *("linux_x86_64", "windows_amd64", "macos_arm64", "linux_2_28_arm64"),
    ]
    # What was installed is told once for each package.
    assert changes[0].synced is None
    assert changes[1].synced is not None
    assert [each.target for each in changes[1].synced.environments] == ["macos_arm64", "linux_2_28_arm64"]


def test_a_source_folder_that_is_there_stays_as_it_is(root: Path, installer: Installer) -> None:
    manage.add_targets(load_project(root), Asked(("windows_arm64",), "core"), Silent())
    assert sorted(path.name for path in (root / "core/src/windows").iterdir()) == ["paths.py"]
    assert installer.calls


def test_the_key_is_made_where_there_is_none(root: Path, installer: Installer) -> None:
    text = WEB.replace('targets = ["linux_x86_64"]  # for now\n', "")
    (root / "web" / "pyproject.toml").write_text(text)
    manage.add_targets(load_project(root), Asked(("emscripten",), "web"), Silent())
    assert settings(root, "web") == text + 'targets = ["emscripten_wasm32"]\n'
    assert installer.calls == [("web", ("emscripten_wasm32",), False)]


def test_what_is_there_already_is_said_and_its_environment_is_filled_again(root: Path, installer: Installer) -> None:
    changes = manage.add_targets(load_project(root), Asked(("linux", "linux-x64", "windows-x64"), "core"), Silent(), offline=True)
    assert [(change.target, change.changed) for change in changes] == [("linux_x86_64", False), ("windows_amd64", False)]
    assert settings(root, "core") == CORE
    assert installer.calls == [("core", ("linux_x86_64", "windows_amd64"), True)]


@pytest.mark.parametrize(
    ("stand", "packages", "said"),
    [
        (".", ["core", "web"], True),
        ("core", ["core"], False),
        ("core/src/main", ["core"], False),
        ("web", ["web"], False),
    ],
)
def test_without_a_package_it_is_the_one_we_stand_in_else_all(
    root: Path, installer: Installer, stand: str, packages: list[str], said: bool
) -> None:
    watcher = Silent()
    changes = manage.add_targets(load_project(root), Asked(("macos_arm64",), start=root / stand), watcher)
    assert [change.package for change in changes] == packages
    assert watcher.notes == (["no package is named: this is for all of them: core, web"] if said else [])
    assert [name for name, _, _ in installer.calls] == packages


def test_the_only_package_is_meant_from_anywhere(root: Path, installer: Installer) -> None:
    (root / "pyproject.toml").write_text(ROOT.replace('"core", ', ""))
    watcher = Silent()
    changes = manage.add_targets(load_project(root), Asked(("macos_arm64",), start=root), watcher)
    assert [change.package for change in changes] == ["web"]
    assert watcher.notes == []
    assert installer.calls


def test_the_machines_own_target(root: Path, installer: Installer) -> None:
    host = table.host_target().name
    changes = manage.add_targets(load_project(root), Asked(("host",), "web"), Silent())
    assert [change.target for change in changes] == [host]
    assert installer.calls[0][1] == (host,)


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["windows", "linux", "core"], (("windows", "linux"), "core")),
        (["windows", "linux"], (("windows", "linux"), None)),
        (["windows", "CORE"], (("windows",), "core")),
        (["windows", "linx"], (("windows", "linx"), None)),  # the table of targets says that better
    ],
)
def test_the_last_word_may_be_a_package(root: Path, words: list[str], parts: tuple[tuple[str, ...], str | None]) -> None:
    asked = read_words(load_project(root), words, root)
    assert (asked.words, asked.package) == parts
    assert asked.start == root


def test_a_package_that_is_nearly_named_is_said(root: Path) -> None:
    with pytest.raises(UsageError, match="croe is neither a target nor a package of the project shop") as caught:
        read_words(load_project(root), ["windows", "croe"])
    assert caught.value.hint == "Did you mean the package core?"


@pytest.mark.parametrize("words", [["core"], []])
def test_a_package_alone_is_no_target(root: Path, words: list[str]) -> None:
    with pytest.raises(UsageError, match="no target is named"):
        read_words(load_project(root), words)


# ----------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("words", "package", "error", "says"),
    [
        (["macos", "windos"], "core", UnknownTargetError, "unknown target 'windos'"),
        (["linux_2_5_x86_64"], "core", UnknownTargetError, "no such version of linux_x86_64"),
        (["macos"], "cor", UsageError, "the project shop has no package cor"),
    ],
)
def test_wrong_words_change_nothing(
    root: Path, installer: Installer, words: list[str], package: str, error: type[Exception], says: str
) -> None:
    before = snapshot(root)
    with pytest.raises(error, match=says):
        manage.add_targets(load_project(root), Asked(tuple(words), package), Silent())
    assert snapshot(root) == before
    assert installer.calls == []


def test_a_project_without_packages_says_so(root: Path, installer: Installer) -> None:
    (root / "pyproject.toml").write_text(ROOT.replace('"core", "web"', ""))
    with pytest.raises(UsageError, match="the project shop has no package yet"):
        manage.add_targets(load_project(root), Asked(("macos",)), Silent())
    assert installer.calls == []


FAILURES = (ToolError("no wheel of idna for macos_arm64"), KeyboardInterrupt())


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize(("where", "package"), [("core", "core"), ("web", "web"), ("web", None)])
def test_when_a_dependency_cannot_be_had_everything_is_as_before(
    root: Path, installer: Installer, failure: BaseException, where: str, package: str | None
) -> None:
    installer.unavailable = (where, failure)
    before = snapshot(root)
    with pytest.raises(type(failure)):
        manage.add_targets(load_project(root), Asked(("macos", "linux"), package), Silent())
    assert installer.calls
    assert snapshot(root) == before


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("package", ["core", "web", None])
def test_when_installing_fails_half_way_everything_is_as_before(
    root: Path, installer: Installer, failure: BaseException, package: str | None
) -> None:
    def fail() -> None:
        raise failure

    installer.meanwhile = fail
    before = snapshot(root)
    with pytest.raises(type(failure)):
        manage.add_targets(load_project(root), Asked(("macos", "linux_arm64"), package), Silent())
    assert installer.calls
    assert snapshot(root) == before


def test_an_environment_that_was_there_stays_when_installing_fails(root: Path, installer: Installer) -> None:
    kept = root / "core/build/crossenv/macos_arm64/lib/mine.py"
    kept.parent.mkdir(parents=True)
    kept.write_text("")

    def fail() -> None:
        raise ToolError("no")

    installer.meanwhile = fail
    with pytest.raises(ToolError):
        manage.add_targets(load_project(root), Asked(("macos", "ios"), "core"), Silent())
    assert kept.is_file()
    assert not (root / "core/build/crossenv/ios_13_0_arm64").exists()


def test_settings_that_somebody_changed_meanwhile_stay(root: Path, installer: Installer) -> None:
    path = root / "web" / "pyproject.toml"
    theirs = WEB + "\n# a thought that came while it was installing\n"
    installer.meanwhile = lambda: path.write_text(theirs) and None  # type: ignore[func-returns-value]
    before = snapshot(root)
    with pytest.raises(ConflictError, match="changed by somebody else"):
        manage.add_targets(load_project(root), Asked(("macos",)), Silent())
    assert path.read_text() == theirs
    path.write_text(WEB)
    assert snapshot(root) == before


@pytest.mark.parametrize("place", ["core/src/macos", "core/build"])
def test_a_folder_that_cannot_be_made_changes_nothing(root: Path, installer: Installer, place: str) -> None:
    (root / place).write_text("a file where the folder should be")
    before = snapshot(root)
    with pytest.raises(FilesystemError, match="cannot make"):
        manage.add_targets(load_project(root), Asked(("macos",), "core"), Silent())
    assert snapshot(root) == before
    assert installer.calls == []


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOSPC, errno.EROFS])
def test_an_unwritable_or_full_disk_changes_nothing(
    root: Path, installer: Installer, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    real = os.mkdir

    def refuse(path: os.PathLike[str] | str, *rest: object, **more: object) -> None:
        if os.fspath(path).startswith(os.fspath(root)) and Path(path).name == "macos":
            raise OSError(number, os.strerror(number), os.fspath(path))
        real(path, *rest, **more)  # type: ignore[arg-type]

    before = snapshot(root)
    monkeypatch.setattr(os, "mkdir", refuse)
    with pytest.raises(FilesystemError, match=r"cannot make .*macos.*: ") as caught:
        manage.add_targets(load_project(root), Asked(("windows", "macos")), Silent())
    assert caught.value.hint
    assert snapshot(root) == before
    assert installer.calls == []


def test_a_disk_that_is_full_at_the_last_step_changes_nothing(
    root: Path, installer: Installer, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = filesystem.write_atomic

    def refuse(path: Path, data: bytes | str, **options: bool) -> None:
        if path == root / "web" / "pyproject.toml":
            raise FilesystemError(f"cannot write {path}: No space left on device")
        real(path, data, **options)

    before = snapshot(root)
    monkeypatch.setattr(filesystem, "write_atomic", refuse)
    with pytest.raises(FilesystemError, match="No space left"):
        manage.add_targets(load_project(root), Asked(("macos",)), Silent())
    assert snapshot(root) == before
    assert installer.calls


# ------------------------------------------------------------------------------------------------- with the real index


@pytest.mark.network
def test_dependencies_are_the_platforms_own_or_nothing_is_added(root: Path) -> None:
    path = root / "web" / "pyproject.toml"
    text = WEB.replace('"idna"', '"idna", "markupsafe"') + 'python = ["3.11"]\n'
    (root / "web" / "pyproject.lock").unlink()  # the others made it up
    path.write_text(text)
    manage.add_targets(load_project(root), Asked(("windows", "macos"), "web"), Silent())
    assert path.read_text() == text.replace('"linux_x86_64"]', '"linux_x86_64", "windows_amd64", "macos_arm64"]')
    for name, suffix in (("windows_amd64", ".cp311-win_amd64.pyd"), ("macos_arm64", ".cpython-311-darwin.so")):
        site = root / "web/build/crossenv" / name / "lib/python3.11/site-packages"
        assert (site / "idna/__init__.py").is_file()
        assert [file.name for file in site.rglob("_speedups.*") if file.suffix in {".pyd", ".so"}] == [f"_speedups{suffix}"]
    path.write_text(path.read_text().replace('"markupsafe"', '"markupsafe", "no-such-dependency-of-pypackpack"'))
    before = snapshot(root)
    with pytest.raises(PyPackPackError, match="no-such-dependency-of-pypackpack"):
        manage.add_targets(load_project(root), Asked(("linux_arm64",), "web"), Silent())
    assert snapshot(root) == before


# -------------------------------------------------------------------------------------------------------------- remove


def test_removing_undoes_adding(root: Path, installer: Installer) -> None:
    (root / "core/build/crossenv").mkdir(parents=True)
    before = snapshot(root)
    manage.add_targets(load_project(root), Asked(("macos", "macos_x86_64"), "core"), Silent())
    (root / "core/pyproject.lock").unlink()
    watcher = Silent()
    changes = manage.remove_targets(load_project(root), Asked(("macos",), "core"), watcher)
    assert watcher.notes == ["macos is macos_arm64, macos_x86_64 in core"]
    assert snapshot(root) == before
    assert [(change.target, change.folders) for change in changes] == [
        ("macos_arm64", ("core/build/crossenv/macos_arm64", "core/src/macos")),
        ("macos_x86_64", ("core/build/crossenv/macos_x86_64",)),
    ]
    assert len(installer.calls) == 1


def test_removing_keeps_comments_sources_and_other_spellings(root: Path) -> None:
    changes = manage.remove_targets(load_project(root), Asked(("win_amd64",), "core"), Silent())
    assert settings(root, "core") == CORE.replace('  "windows_amd64",\n', "")
    assert (root / "core/src/windows/paths.py").is_file()
    assert [(change.target, change.word, change.folders) for change in changes] == [("windows_amd64", "win_amd64", ())]
    manage.remove_targets(load_project(root), Asked(("linux_x86_64",), "core"), Silent())
    assert load_project(root).packages[0].targets == ()


def test_a_family_folder_stays_while_a_target_of_it_does(root: Path, installer: Installer) -> None:
    manage.add_targets(load_project(root), Asked(("macos_arm64", "macos_x86_64"), "core"), Silent())
    manage.remove_targets(load_project(root), Asked(("macos_x86_64",), "core"), Silent())
    assert (root / "core/src/macos/.gitkeep").is_file()
    assert (root / "core/build/crossenv/macos_arm64").is_dir()
    assert not (root / "core/build/crossenv/macos_x86_64").exists()
    assert installer.calls


def test_removing_from_all_packages_takes_it_where_it_is(root: Path, installer: Installer) -> None:
    changes = manage.remove_targets(load_project(root), Asked(("windows", "linux")), Silent())
    assert [(change.package, change.target) for change in changes] == [
        ("core", "windows_amd64"),
        ("core", "linux_x86_64"),
        ("web", "linux_x86_64"),
    ]
    assert "targets = []  # for now" in settings(root, "web")
    assert installer.calls == [("web", (), False)]  # core was never locked: nothing of it falls behind
    assert [change.synced and change.synced.locked for change in changes] == [None, None, ("web",)]


@pytest.mark.parametrize("at", ["resolving", "writing"])
def test_when_the_lock_cannot_be_made_to_fit_removing_changes_nothing(root: Path, installer: Installer, at: str) -> None:
    manage.add_targets(load_project(root), Asked(("macos",)), Silent())

    def fail() -> None:
        raise ToolError("no")

    if at == "resolving":
        installer.unavailable = ("web", ToolError("no"))
    else:
        installer.meanwhile = fail

    before = snapshot(root)
    assert "core/build/crossenv/macos_arm64/lib/idna.py" in before
    with pytest.raises(ToolError):
        manage.remove_targets(load_project(root), Asked(("macos",)), Silent())
    assert snapshot(root) == before


@pytest.mark.parametrize(
    ("words", "package", "error", "says"),
    [
        (["linux_x86_64", "macos"], "core", UsageError, "target remove macos: the package has no target of the family macos"),
        (["windows_amd64"], "web", UsageError, "target remove windows_amd64: windows_amd64 is not a target of the package"),
        (["windos"], "core", UnknownTargetError, "unknown target 'windos'"),
        (["linux"], "wbe", UsageError, "no package wbe"),
    ],
)
def test_what_cannot_be_removed_changes_nothing(
    root: Path, words: list[str], package: str, error: type[Exception], says: str
) -> None:
    before = snapshot(root)
    with pytest.raises(error, match=says):
        manage.remove_targets(load_project(root), Asked(tuple(words), package), Silent())
    assert snapshot(root) == before


def test_environments_come_back_when_the_settings_cannot_be_written(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "core/build/crossenv/windows_amd64").mkdir(parents=True)
    (root / "core/build/crossenv/windows_amd64/x.py").write_text("")
    before = snapshot(root)

    def conflict(*_: object) -> None:
        assert snapshot(root) != before
        raise ConflictError("changed")

    monkeypatch.setattr("pypackpack.middleware.project.edit.commit_edits", conflict)
    with pytest.raises(ConflictError):
        manage.remove_targets(load_project(root), Asked(("windows",), "core"), Silent())
    assert snapshot(root) == before


# ---------------------------------------------------------------------------------------------------------------- list


def test_the_list_has_every_target_and_who_has_it(root: Path) -> None:
    (root / "web" / "pyproject.toml").write_text(WEB.replace('"linux_x86_64"', '"linux_2_28_x86_64", "linux"'))
    listed = {entry.name: entry for entry in manage.list_targets(load_project(root))}
    assert set(table.targets()) | {"linux_2_28_x86_64"} == set(listed)
    assert list(listed)[:2] == ["linux_x86_64", "linux_2_28_x86_64"]
    assert listed["linux_x86_64"].enabled_in == ("core", "web")
    assert listed["linux_2_28_x86_64"].enabled_in == ("web",)
    assert listed["macos_arm64"].enabled_in == ()
    assert listed["linux_x86_64"].versions == "linux_<version>_x86_64"
    assert listed["linux_2_28_x86_64"].versions == ""


def test_the_list_needs_no_project() -> None:
    assert [entry.name for entry in manage.list_targets(None)] == list(table.targets())
    assert not any(entry.enabled_in for entry in manage.list_targets(None))


PROGRAMS = ("qemu-aarch64-static", "wine64", "wine", "node")


@pytest.mark.parametrize(
    ("host", "programs", "runs"),
    [
        (
            Host("linux", "x86_64", "glibc", "2.36"),
            PROGRAMS,
            {
                "linux_x86_64": "itself",
                "linux_arm64": "qemu-aarch64-static",
                "linux_musl_arm64": "qemu-aarch64-static",
                "linux_musl_x86_64": "",
                "linux_s390x": "",
                "windows_amd64": "wine64",
                "windows_x86": "wine",
                "windows_arm64": "",
                "macos_arm64": "",
                "emscripten_wasm32": "node",
                "android_24_arm64": "",
            },
        ),
        (Host("linux", "x86_64", "glibc", "2.36"), (), {"linux_x86_64": "itself", "windows_amd64": "", "emscripten_wasm32": ""}),
        (
            Host("darwin", "arm64"),
            PROGRAMS,
            {
                "macos_arm64": "itself",
                "macos_x86_64": "itself",
                "macos_universal2": "itself",
                "windows_amd64": "",
                "linux_arm64": "",
            },
        ),
        (Host("win32", "amd64"), PROGRAMS, {"windows_amd64": "itself", "windows_x86": "itself", "windows_arm64": ""}),
        (Host("win32", "arm64"), (), {"windows_amd64": "itself", "windows_x86": "itself", "windows_arm64": "itself"}),
        (Host("freebsd14", "amd64"), PROGRAMS, {"linux_x86_64": "", "emscripten_wasm32": "node"}),
    ],
)
def test_the_list_says_what_runs_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: Host, programs: tuple[str, ...], runs: dict[str, str]
) -> None:
    monkeypatch.setattr("pypackpack.backend.host.this_host", lambda: host)
    monkeypatch.setattr(
        "pypackpack.backend.host.find_program", lambda names: next((tmp_path / name for name in names if name in programs), None)
    )
    listed = {entry.name: entry for entry in manage.list_targets(None)}
    assert {name: listed[name].runner for name in runs} == runs
    for entry in listed.values():
        assert (entry.runner_path is None) == (entry.runner in {"", "itself"})


def test_a_newer_c_library_than_ours_does_not_run_here(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pypackpack.backend.host.this_host", lambda: Host("linux", "x86_64", "glibc", "2.31"))
    (root / "web" / "pyproject.toml").write_text(WEB.replace('"linux_x86_64"', '"linux_2_31_x86_64", "linux_2_34_x86_64"'))
    listed = {entry.name: entry.runner for entry in manage.list_targets(load_project(root))}
    assert (listed["linux_2_31_x86_64"], listed["linux_2_34_x86_64"]) == ("itself", "")


def test_the_list_says_what_builds_and_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    around = Surroundings("linux", "x86_64", {}, tmp_path)
    monkeypatch.setattr("pypackpack.middleware.compile.toolchains.here", lambda: around)
    toolchains.look_again()
    listed = {entry.name: entry for entry in manage.list_targets(None)}
    for name in (
        *("linux_x86_64", "linux_arm64", "linux_musl_x86_64", "linux_musl_arm64", "windows_amd64", "windows_arm64"),
        *("macos_arm64", "macos_x86_64", "macos_universal2", "emscripten_wasm32"),
    ):
        assert (listed[name].builder, listed[name].buildable, listed[name].why_not) == ("zig", True, "")
    assert (listed["android_24_arm64"].builder, listed["android_24_arm64"].buildable) == ("NDK", False)
    assert "ANDROID_NDK_HOME" in listed["android_24_arm64"].what_to_do
    assert listed["android_24_arm64"].builder_path is None
    assert (listed["ios_13_0_arm64"].builder, listed["ios_13_0_arm64"].why_not) == ("Xcode", "Apple allows its SDK on a Mac only")
    assert listed["windows_amd64"].toolchains == ("zig", "msvc")
    ndk = lay_out_ndk(tmp_path / "Android" / "Sdk" / "ndk" / "27.1.12297006")
    toolchains.look_again()
    listed = {entry.name: entry for entry in manage.list_targets(None)}
    assert (listed["android_24_arm64"].buildable, listed["android_24_arm64"].why_not) == (True, "")
    assert (listed["android_24_arm64"].builder_version, listed["android_24_arm64"].builder_path) == ("27.1.12297006", ndk)
    toolchains.look_again()


def test_a_last_word_like_no_target_is_said_to_be_no_package_either(root: Path) -> None:
    with pytest.raises(UnknownTargetError) as caught:
        read_words(load_project(root), ("windows", "nothing"))
    assert "neither a target nor a package" in caught.value.message
    assert "The packages are " in caught.value.hint
