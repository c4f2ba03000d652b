"""Dependencies per target, with the real uv and an index of this test's own: what is installed where, and what is refused."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pypackpack.frontend.cli import quick_sync
from pypackpack.frontend.cli.main import run
from pypackpack.middleware.dependency.tree import tree
from pypackpack.middleware.environment.check import check_package
from pypackpack.middleware.environment.settled import nothing_to_do
from pypackpack.middleware.project.read import load_project
from pypackpack.middleware.target.asked import Asked
from pypackpack.middleware.target.manage import add_targets, remove_targets
from pypackpack.model.errors import (
    DamagedLockError,
    DependencyConflictError,
    NewerLockError,
    NoSuchDependencyError,
    NoWheelError,
    OutOfSyncError,
    PackageIndexError,
    SettingsError,
    UsageError,
)
from tests.integration import private_index
from tests.integration.shops import PYTHON, PackageShop, lay_out
from tests.snapshot import snapshot
from tests.together import at_once
from tests.wheelhouse import sdist, wheel

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pypackpack.model.environment import TreeNode

CP = f"cp{PYTHON.replace('.', '')}"
TARGETS = ("linux_x86_64", "windows_amd64", "macos_arm64")
ROOT = """\
[project]
name = "shop"
version = "1"

[tool.pypackpack]
packages = [{packages}]

[[tool.uv.index]]
name = "house"
url = "wheels"
format = "flat"
default = true
"""
PACKAGE = """\
[project]
name = "{name}"
version = "1.0"
requires-python = ">=3.10"
dependencies = [{lines}]  # what it needs

[tool.pypackpack]
targets = [{targets}]
python = ["{python}"]
"""


class Shop(PackageShop):
    """A project with an index beside its packages."""

    def package(self, name: str, *lines: str, targets: tuple[str, ...] = TARGETS) -> None:
        text = PACKAGE.format(name=name, lines=json.dumps([*lines])[1:-1], targets=json.dumps(targets)[1:-1], python=PYTHON)
        names = sorted({name, *(path.parent.name for path in self.root.glob("*/pyproject.toml"))})
        lay_out(self.root, ROOT.format(packages=json.dumps(names)[1:-1]), {name: text})

    def there(self, target: str, name: str = "app") -> dict[str, str]:
        """Distribution → its version and the platform tags of its WHEEL."""
        found = self.tags(target, name).items()
        return {dist: " ".join([version, *(tag.rpartition("-")[2] for tag in tags)]) for (dist, version), tags in found}


@pytest.fixture(scope="module")
def wheelhouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("index")
    for platform in ("manylinux_2_17_x86_64.manylinux2014_x86_64", "win_amd64", "musllinux_1_2_x86_64"):
        wheel(folder, "fast", "1.0", f"{CP}-{CP}-{platform}")
    wheel(folder, "fast", "2.0", f"{CP}-{CP}-win_amd64")
    wheel(folder, "slow", "1.0", f"{CP}-{CP}-manylinux_2_17_x86_64")
    wheel(folder, "pure", "1.0", needs=["leaf", "other; extra == 'more'"], extras=["more"])
    for name, version in (("leaf", "1.0"), ("leaf", "2.0"), ("other", "1.0"), ("onlymac", "1.0")):
        wheel(folder, name, version)
    wheel(folder, "wants", "1.0", needs=["leaf<2"])
    wheel(folder, "refuses", "1.0", needs=["leaf>=2"])
    sdist(folder, "olden", "1.0")
    return folder


@pytest.fixture
def shop(tmp_path: Path, wheelhouse: Path, own_cache: Path) -> Shop:
    del own_cache
    made = Shop(tmp_path / "der läden")
    made.root.mkdir()
    (made.root / "wheels").symlink_to(wheelhouse, target_is_directory=True)
    made.package("app")
    return made


def test_each_target_gets_its_own_wheels(shop: Shop) -> None:
    shop.add("pure[more]")
    shop.add("fast", to=("windows", "linux_x86_64"))
    shop.add("leaf<2", to=("macos",))
    pure = {"pure": "1.0 any", "leaf": "2.0 any", "other": "1.0 any"}
    # Versions differ per target, in one lock.
    assert shop.there("linux_x86_64") == {**pure, "fast": "1.0 manylinux_2_17_x86_64 manylinux2014_x86_64"}
    assert shop.there("windows_amd64") == {**pure, "fast": "1.0 win_amd64"}
    assert shop.there("macos_arm64") == {**pure, "leaf": "1.0 any"}
    machine = "sys_platform == 'linux' and platform_machine == 'x86_64'"
    assert shop.lines() == ["pure[more]", f"fast; sys_platform == 'win32' or {machine}", "leaf<2; sys_platform == 'darwin'"]
    assert "# what it needs" in (shop.root / "app" / "pyproject.toml").read_text(encoding="utf-8")
    assert shop.lock.read_text().count('name = "leaf"\nversion') == 2
    assert str(shop.root) not in shop.lock.read_text()

    linux = snapshot(shop.site("linux_x86_64"))
    shop.remove("fast", of=("windows",))
    assert shop.lines()[1] == f"fast; {machine}"
    assert shop.there("windows_amd64") == pure
    assert snapshot(shop.site("linux_x86_64")) == linux
    for target in TARGETS:
        pylock = tomllib.loads((shop.root / "app/build/crossenv" / target / "pylock.toml").read_text(encoding="utf-8"))
        assert pylock["lock-version"] == "1.0"


def test_adding_a_target_leaves_the_others_alone(shop: Shop) -> None:
    shop.package("app", "fast; sys_platform != 'darwin'", targets=("linux_x86_64",))
    shop.sync()
    before = snapshot(shop.site("linux_x86_64"))
    project = load_project(shop.root)
    add_targets(project, Asked(("macos", "windows-x64"), "app"), shop.heard)
    assert snapshot(shop.site("linux_x86_64")) == before
    assert shop.there("macos_arm64") == {}
    assert all(item.unchanged for item in shop.sync().environments)


def test_a_target_that_goes_takes_its_part_of_the_lock(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.package("app", "pure", "fast; sys_platform == 'win32'", targets=TARGETS[:2])
    shop.sync()
    before = shop.lock.read_bytes()
    assert run(["--project", str(shop.root), "target", "add", "macos"]) == 0
    said = capsys.readouterr().out
    assert f"locked app\napp  macos_arm64  {PYTHON}  2 installed\n    + leaf 2.0\n    + pure 1.0\n" in said
    assert run(["--project", str(shop.root), "target", "remove", "macos"]) == 0
    said = capsys.readouterr().out
    assert said == "removed macos_arm64 from app\n  app/build/crossenv/macos_arm64\n  app/src/macos\nlocked app\n"
    assert shop.lock.read_bytes() == before
    remove_targets(load_project(shop.root), Asked(("windows",), "app"), shop.heard, offline=True)
    assert "platform_machine == 'AMD64'" not in shop.lock.read_text()
    synced = shop.sync()
    assert not synced.locked
    assert all(item.unchanged for item in synced.environments)


def test_of_several_targets_those_that_can_be_had_are_added(shop: Shop) -> None:
    shop.package("app", "fast", targets=("windows_amd64",))
    shop.sync()
    project = load_project(shop.root)
    with pytest.raises(NoWheelError) as caught:
        add_targets(project, Asked(("emscripten", "linux-musl-x64", "macos"), "app"), shop.heard)
    error = caught.value
    assert "emscripten_wasm32 and macos_arm64 could not be added" in error.message
    assert "linux_musl_x86_64 was added" in error.message
    assert (
        f"fast has no wheel for macos_arm64 with Python {PYTHON}" in error.details
        or "fast has no wheel for macos_arm64" in error.details
    )
    assert "win_amd64" in error.details
    assert error.details.count("\n") == 1
    assert [target.name for target in load_project(shop.root).packages[0].targets] == ["windows_amd64", "linux_musl_x86_64"]
    assert shop.there("linux_musl_x86_64") == {"fast": "1.0 musllinux_1_2_x86_64"}
    assert sorted(path.name for path in (shop.root / "app/build/crossenv").iterdir() if path.is_dir()) == [
        "linux_musl_x86_64",
        "windows_amd64",
    ]
    assert sorted(path.name for path in (shop.root / "app/src").iterdir()) == ["linux", "main"]


def test_who_does_what_the_hint_says_can_add_the_target(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    def follow(*names: str) -> str:
        """Fail to add a target, run each command of the hint, and add it."""
        assert run(["--project", str(shop.root), "target", "add", *names]) == 1
        hint = capsys.readouterr().err.partition("\nhint: ")[2]
        for command in re.findall("`pypackpack ([^`]+)`", hint):
            assert run(["--project", str(shop.root), *shlex.split(command)]) == 0, command
        assert run(["--project", str(shop.root), "target", "add", *names]) == 0
        return hint

    shop.package("app", "fast<3", targets=("linux_x86_64",))
    assert "fast<3; (sys_platform != 'darwin' or platform_machine != 'arm64')" in follow("macos", "app")
    assert shop.there("linux_x86_64") == {"fast": "1.0 manylinux_2_17_x86_64 manylinux2014_x86_64"}
    assert "sys_platform != 'emscripten'\"`" in follow("emscripten", "app")
    assert shop.lines() == ["fast<3; (sys_platform != 'darwin' or platform_machine != 'arm64') and sys_platform != 'emscripten'"]
    # Through a package of the project, whose targets are others.
    shop.package("base", "fast", targets=("linux_x86_64",))
    shop.package("top", "base", targets=("windows_amd64",))
    assert "`pypackpack base add " in follow("macos", "top")
    assert shop.lines("base") == ["fast; (sys_platform != 'darwin' or platform_machine != 'arm64')"]


def test_what_no_marker_tells_apart_is_added_to_the_others(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.package("app", "slow", targets=("linux_x86_64",))
    shop.sync()
    assert run(["--project", str(shop.root), "target", "add", "linux_musl_x86_64", "app"]) == 1
    first, last = re.findall("`pypackpack ([^`]+)`", capsys.readouterr().err.partition("\nhint: ")[2])
    for words in (shlex.split(first), ["target", "add", "linux_musl_x86_64", "app"], shlex.split(last)):
        assert run(["--project", str(shop.root), *words]) == 0
    assert set(shop.there("linux_x86_64")) == {"slow"}
    assert shop.there("linux_musl_x86_64") == {}


@pytest.mark.network
def test_what_numpy_has_for_three_more_targets(shop: Shop) -> None:
    shop.package("app", "numpy<2.5", targets=("windows_amd64",))
    root = shop.root / "pyproject.toml"
    root.write_text(root.read_text(encoding="utf-8").partition("[[tool.uv.index]]")[0], encoding="utf-8")
    with pytest.raises(NoWheelError) as caught:
        add_targets(load_project(shop.root), Asked(("emscripten", "macos", "android"), "app"), shop.heard)
    assert "emscripten_wasm32 and android_24_arm64 could not be added" in caught.value.message
    assert "macos_arm64 was added" in caught.value.message
    assert all(f"numpy has no wheel for {name}" in caught.value.details for name in ("emscripten_wasm32", "android_24_arm64"))
    assert "manylinux_2_27_x86_64" in caught.value.details
    tags = shop.there("macos_arm64")["numpy"].split()[1:]
    assert tags
    assert all(tag.startswith("macosx_") and tag.endswith("_arm64") for tag in tags)
    assert [path.name for path in (shop.root / "app/build/crossenv").iterdir() if path.is_dir()] == ["macos_arm64"]


def test_what_is_refused_changes_nothing(shop: Shop) -> None:
    shop.add("pure")
    error = shop.refused(NoWheelError, "fast")
    assert "fast has no wheel for macos_arm64" in error.message
    assert error.details.startswith("what it has: ")
    assert "win_amd64" in error.details
    assert "source" in shop.refused(NoWheelError, "olden").details
    shop.add("wants")
    error = shop.refused(DependencyConflictError, "refuses")
    assert "refuses needs leaf>=2" in error.message
    assert "wants needs leaf<2" in error.message
    assert "app needs leaf>=2" in shop.refused(DependencyConflictError, "leaf>=2").message
    assert "nosuch" in shop.refused(NoSuchDependencyError, "nosuch", to=("windows",)).message
    assert "marker of its own" in shop.refused(UsageError, "pure; python_version < '4'", to=("windows",)).message
    assert "--frobnicate" in shop.refused(UsageError, "other", options=("--frobnicate",)).message
    assert "--python" in shop.refused(UsageError, "other", options=("--python", "3.9")).message
    before = snapshot(shop.root)
    with pytest.raises(UsageError, match="other: not a dependency of app"):
        shop.remove("other")
    assert snapshot(shop.root) == before


def test_options_of_uv_go_where_they_are_known(shop: Shop, tmp_path: Path) -> None:
    shop.add("leaf<2")
    (shop.root / "app/pyproject.toml").write_text(
        (shop.root / "app/pyproject.toml").read_text(encoding="utf-8").replace("leaf<2", "leaf"), encoding="utf-8"
    )
    shop.sync()
    assert shop.there("macos_arm64") == {"leaf": "1.0 any"}  # what is locked and still fits stays
    result = shop.sync(options=("--upgrade-package", "leaf"))
    assert result.locked == ("app",)
    assert shop.there("macos_arm64") == {"leaf": "2.0 any"}
    assert [item.unchanged for item in shop.sync(options=("--reinstall",)).environments] == [False] * 3
    wheel(tmp_path / "more", "extra", "1.0")
    shop.add("extra", options=("--find-links", str(tmp_path / "more")))
    assert set(shop.there("windows_amd64")) == {"leaf", "extra"}


def test_a_lock_that_cannot_be_used(shop: Shop) -> None:
    shop.add("pure")
    good = shop.lock.read_text()
    sites = {target: snapshot(shop.site(target)) for target in TARGETS}
    for wrong, who in (("# format: 1", "pypackpack"), ("\nversion = 1\n", "uv")):
        newer = good.replace(wrong, wrong.replace("1", "99"), 1)
        shop.lock.write_text(newer)
        with pytest.raises(NewerLockError, match=f"newer {who}"):
            shop.sync()
        shop.refused(NewerLockError, "other")
        assert shop.lock.read_text() == newer
    for damage in (
        good.replace('name = "leaf"', "name = 7"),
        "<<<<<<< HEAD\n" + good,
        good.replace("version = 1", "version = {}"),
    ):
        shop.lock.write_text(damage)
        shop.heard.notes.clear()
        shop.sync()
        assert any("damaged" in note for note in shop.heard.notes)
        assert shop.lock.read_text() == good
    assert {target: snapshot(shop.site(target)) for target in TARGETS} == sites


def test_a_file_that_is_not_what_was_locked(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    shop.sync()
    digest = "0" * 64
    place = wheel(tmp_path / "other", "alone", "1.0")
    shop.add(f"alone @ {place.as_uri()}")
    text = shop.lock.read_text()
    begin = text.index("sha256:", text.index(place.name))
    shop.lock.write_text(text[: begin + 7] + digest + text[begin + 71 :])
    before = snapshot(shop.site("linux_x86_64"))
    with pytest.raises(DamagedLockError, match="alone, which app needs, is not what the lock says"):
        shop.sync()
    assert snapshot(shop.site("linux_x86_64")) == before


def test_an_environment_that_was_changed_by_hand(shop: Shop) -> None:
    shop.add("pure")
    before = snapshot(shop.site("linux_x86_64"))
    module = shop.site("linux_x86_64") / "pure" / "__init__.py"
    module.write_text(module.read_text().replace("1.0", "9.9"))  # the same size
    assert [item.target for item in shop.sync().environments if not item.unchanged] == ["linux_x86_64"]
    assert any("linux_x86_64" in note and "changed by hand" in note for note in shop.heard.notes)
    assert snapshot(shop.site("linux_x86_64")) == before


def test_what_was_installed_by_hand_goes_and_that_is_said(shop: Shop) -> None:
    def by_hand() -> str:
        shop.heard.notes.clear()
        folder = shop.site("windows_amd64") / "six-1.0.dist-info"
        folder.mkdir(parents=True)
        (folder / "WHEEL").write_text("Tag: py3-none-any\n")
        shop.sync()
        assert shop.there("windows_amd64").keys() <= {"pure", "leaf"}
        [note] = shop.heard.notes
        return note

    said = f"the environment of app for windows_amd64 with Python {PYTHON} was changed by hand; it is put right, without six 1.0"
    assert by_hand() == said  # also where `sync` has never been
    assert by_hand() == said  # and where there is nothing else
    shop.add("pure")
    assert by_hand() == said


def test_two_changes_at_once_are_both_there(shop: Shop) -> None:
    project = load_project(shop.root)
    changes: list[Callable[[], object]] = [
        lambda: shop.add("pure"),
        lambda: shop.add("other", to=("windows",)),
        lambda: add_targets(project, Asked(("linux_arm64",), "app"), shop.heard),
    ]
    at_once(changes)
    assert sorted(shop.lines()) == ["other; sys_platform == 'win32'", "pure"]
    assert set(shop.there("linux_arm64")) == {"pure", "leaf"}
    assert set(shop.there("windows_amd64")) == {"pure", "leaf", "other"}


def test_folders_and_repositories(shop: Shop, tmp_path: Path) -> None:
    backend = shop.root / "app" / "libs"
    for name in ("near", "far"):
        (backend / name / "src").mkdir(parents=True)
        # A build backend of its own: nothing has to be fetched to build it.
        (backend / name / "pyproject.toml").write_text(
            f'[project]\nname = "{name}"\nversion = "1.0"\ndependencies = ["leaf<2"]\n\n'
            '[build-system]\nrequires = []\nbuild-backend = "make"\nbackend-path = ["."]\n'
        )
        (backend / name / "make.py").write_text(
            "import shutil\n\ndef build_wheel(folder, settings=None, metadata=None):\n"
            f"    return shutil.copy('wheel.bin', folder + '/{name}-1.0-' + open('tag').read() + '.whl') and '{name}-1.0-'"
            " + open('tag').read() + '.whl'\n"
        )
        made = wheel(tmp_path / "made", name, "1.0", needs=["leaf<2"])
        (backend / name / "wheel.bin").write_bytes(made.read_bytes())
        (backend / name / "tag").write_text("py3-none-any")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.invalid", "-c", "init.defaultBranch=main"]
    far = backend / "far"
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *words], cwd=far, check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], cwd=far, check=True, capture_output=True, text=True).stdout.strip()

    shop.add("near @ ./libs/near", f"far @ git+{far.as_uri()}", to=("windows", "linux"))
    assert shop.there("windows_amd64") == {"near": "1.0 any", "far": "1.0 any", "leaf": "1.0 any"}
    assert shop.there("macos_arm64") == {}
    lock = shop.lock.read_text()
    assert commit in lock
    assert 'directory = "../../../libs/near"' in lock
    assert all(item.unchanged for item in shop.sync().environments)

    made = wheel(tmp_path / "made", "near", "1.0", f"{CP}-{CP}-linux_x86_64")
    (backend / "near" / "wheel.bin").write_bytes(made.read_bytes())
    (backend / "near" / "tag").write_text(f"{CP}-{CP}-linux_x86_64")
    (backend / "near" / "pyproject.toml").touch()
    error = shop.refused(NoWheelError, "other", options=("--reinstall", "--refresh"))
    assert "near, which app needs on" in error.message
    assert "native code" in error.message


# A build backend that needs nothing: the folder's one module, under the version and with the needs that the folder says.
PLAIN_BACKEND = """\
import sys, zipfile

def build_wheel(folder, settings=None, metadata=None):
    version, needs = open("facts").read().split("\\n")[:2]
    info = "near-" + version + ".dist-info/"
    with zipfile.ZipFile(folder + "/near-" + version + "-py3-none-any.whl", "w") as made:
        made.write("near.py")
        needs = "Requires-Dist: " + needs + "\\n" if needs else ""
        made.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: near\\nVersion: " + version + "\\n" + needs)
        made.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        made.writestr(info + "RECORD", "near.py,,\\n" + "".join(info + name + ",,\\n" for name in ("METADATA", "WHEEL", "RECORD")))
    return "near-" + version + "-py3-none-any.whl"
"""


def test_a_folder_that_changed_is_installed_anew(shop: Shop) -> None:
    near = shop.root / "libs" / "near"
    near.mkdir(parents=True)

    def describe(version: str, needs: str = "") -> None:
        (near / "pyproject.toml").write_text(
            f'[project]\nname = "near"\nversion = "{version}"\ndependencies = {json.dumps([needs] if needs else [])}\n\n'
            '[build-system]\nrequires = []\nbuild-backend = "make"\nbackend-path = ["."]\n'
        )
        (near / "facts").write_text(f"{version}\n{needs}\n")

    (near / "make.py").write_text(PLAIN_BACKEND)
    (near / "near.py").write_text("word = 1\n")
    describe("1.0")
    shop.package("app", "near @ ../libs/near", targets=TARGETS[:1])
    shop.sync()
    check(shop)
    there = shop.site(TARGETS[0]) / "near.py"
    assert there.read_text() == "word = 1\n"
    assert all(item.unchanged for item in shop.sync().environments)

    (near / "near.py").write_text("word = 2\n")
    with pytest.raises(OutOfSyncError, match=r"a folder that it depends on has changed .*near"):
        check(shop)
    assert nothing_to_do(str(shop.root), "app") is None
    assert not shop.sync().locked
    assert there.read_text() == "word = 2\n"

    describe("1.1", "leaf<2")
    with pytest.raises(OutOfSyncError):
        check(shop)
    assert shop.sync().locked == ("app",)
    assert shop.there(TARGETS[0]) == {"near": "1.1 any", "leaf": "1.0 any"}
    check(shop)
    # What building and running it leaves is no change.
    for made in ("build/lib", "near.egg-info", "__pycache__", ".git"):
        (near / made).mkdir(parents=True, exist_ok=True)
        (near / made / "x").write_text("x")
    assert all(item.unchanged for item in shop.sync().environments)


def check(shop: Shop) -> None:
    project = load_project(shop.root)
    check_package(project, project.packages[0])


def test_local_packages(shop: Shop) -> None:
    shop.package("core", "leaf<2")
    shop.package("app", "core", "other; sys_platform == 'win32'")
    shop.sync()
    # A target's environment holds what comes from elsewhere; local packages are read from their sources.
    assert shop.there("linux_x86_64") == {"leaf": "1.0 any"}
    assert shop.there("windows_amd64") == {"leaf": "1.0 any", "other": "1.0 any"}
    project = load_project(shop.root)
    found = tree(project, project.packages[0], ["linux"])
    assert [(node.name, node.source, [child.name for child in node.children]) for node in found.trees[0].roots] == [
        ("core", "local", ["leaf"])
    ]
    shop.package("core", "app")
    before = snapshot(shop.root)
    with pytest.raises(SettingsError, match=r"app.*core|core.*app"):
        shop.sync()
    assert snapshot(shop.root) == before


def test_what_needs_a_package_is_changed_with_it(shop: Shop) -> None:
    shop.package("core", "leaf<2", targets=("linux_x86_64",))
    shop.package("app", targets=("linux_x86_64", "windows_arm64"))
    shop.sync()
    shop.add("core")
    assert shop.heard.notes == ["core is the package core of this project, not the index's"]
    shop.heard.notes.clear()
    change = shop.add("other", name="core")
    assert change.synced.locked == ("core", "app")
    assert shop.there("windows_arm64") == {"leaf": "1.0 any", "other": "1.0 any"}
    # What is changed for core alone is refused where app has a target that cannot have it; the hint names what works.
    error = shop.refused(NoWheelError, "fast", name="core")  # type: ignore[arg-type]  # a word for `add`
    assert "windows_arm64" in error.message
    assert "app needs it there through core" in error.message
    line = "fast; (sys_platform != 'win32' or platform_machine != 'ARM64')"
    assert f'`pypackpack core add "{line}"`' in error.hint
    shop.add(line, name="core")
    assert shop.lines("core") == ["leaf<2", "other", line]
    assert "fast" not in shop.there("windows_arm64")
    assert not shop.heard.notes
    # One whose lock does not fit anyway keeps nobody from a change, and is named.
    shop.package("app", "core", "fast", targets=("linux_x86_64", "windows_arm64"))
    before = shop.lock.read_bytes()
    assert shop.add("pure", name="core").synced.locked == ("core",)
    assert shop.lock.read_bytes() == before
    assert any("`pypackpack app sync`" in note for note in shop.heard.notes)


def test_the_tree_of_each_target(shop: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    shop.package("app", "pure[more]", "refuses", "fast; sys_platform == 'win32'")
    project = load_project(shop.root)
    before = snapshot(shop.root)
    aside = tree(project, project.packages[0], watcher=shop.heard)
    assert snapshot(shop.root) == before
    assert not aside.locked
    assert any("does not fit" in note for note in shop.heard.notes)
    shop.sync()

    def names(nodes: tuple[TreeNode, ...]) -> list[object]:
        return [[f"{node.name} {node.version}", *names(node.children)] for node in nodes]

    found = tree(project, project.packages[0], ["windows", "macos"])
    assert found.locked
    mac = [["pure 1.0", ["leaf 2.0"], ["other 1.0"]], ["refuses 1.0", ["leaf 2.0"]]]
    assert {each.target: names(each.roots) for each in found.trees} == {
        "macos_arm64": mac,
        "windows_amd64": [["fast 2.0"], *mac],
    }
    monkeypatch.chdir(shop.root)
    assert run(["app", "tree"]) == 0
    text = capsys.readouterr().out
    assert f"linux_x86_64 {PYTHON}, macos_arm64 {PYTHON}" in text
    assert "├── pure[more] 1.0" in text
    assert "fast 2.0 ; sys_platform == 'win32'\n" in text
    assert run(["app", "tree", "--depth", "1", "--target=macos"]) == 0
    assert capsys.readouterr().out.splitlines()[2:] == [f"macos_arm64 {PYTHON}", "├── pure[more] 1.0", "└── refuses 1.0"]
    assert run(["app", "tree", "--depth=few"]) == 2
    assert '"few" is not a number' in capsys.readouterr().err
    assert run(["app", "tree", "--universal"]) == 2
    assert "has no option --universal" in (said := capsys.readouterr().err)
    assert "--depth, --package, --prune, --invert" in said
    assert run(["app", "tree", "--json", "--target", "linux"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["trees"][0]["roots"][0]["children"][0]["name"] == "leaf"
    # Of two lines for one name the one that counts there.
    shop.package("app", "fast>1; sys_platform == 'win32'", "fast<2; sys_platform == 'linux'")
    shop.sync()
    assert run(["app", "tree"]) == 0
    text = capsys.readouterr().out
    assert "fast 2.0 ; sys_platform == 'win32'\n" in text
    assert "fast 1.0 ; sys_platform == 'linux'\n" in text


def test_the_short_way_says_the_same_and_only_when_it_is_true(
    shop: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shop.root / "app")
    shop.add("pure")
    assert nothing_to_do(str(shop.root), "app") is None  # `add` leaves no note
    assert run(["app", "sync"]) == 0
    long = capsys.readouterr().out
    assert quick_sync.quick_sync(["app", "sync"]) == 0
    assert capsys.readouterr().out == long
    assert quick_sync.quick_sync(["app", "sync", "--offline"]) is None
    assert quick_sync.quick_sync(["other", "sync"]) is None

    changes = [
        shop.root / "pyproject.toml",
        shop.root / "app" / "pyproject.toml",
        shop.lock,
        shop.site("macos_arm64") / "leaf" / "__init__.py",
        shop.root / "app" / "build" / "crossenv" / "macos_arm64" / "pylock.toml",
    ]
    for path in changes:
        text = path.read_bytes()
        path.write_bytes(text + b"\n# more\n")
        assert nothing_to_do(str(shop.root), "app") is None, path
        path.write_bytes(text)
        shop.sync()
        assert nothing_to_do(str(shop.root), "app") is not None, path
    (shop.site("linux_x86_64") / "stray.py").touch()
    assert nothing_to_do(str(shop.root), "app") is None
    shop.sync()
    (shop.root / ".python-version").write_text("3.12\n")
    assert nothing_to_do(str(shop.root), "app") is None


def test_no_secret_gets_into_a_file(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    folder = tmp_path / "private"
    wheel(folder, "secretive", "1.0")
    with private_index.served(folder) as index:
        shop.add("secretive", options=("--index", f"mine={index.url_with_secret}"))
        assert set(shop.there("macos_arm64")) == {"secretive"}
        error = shop.refused(NoSuchDependencyError, "nosuch", options=("--extra-index-url", index.url_with_secret))
        assert private_index.SECRET not in error.message + error.details + error.hint
        wrong = index.url_with_secret.replace(private_index.SECRET, "wr0ng-word")
        error = shop.refused(PackageIndexError, "other", options=("--default-index", wrong, "--refresh"))
        assert "wr0ng-word" not in error.message + error.details + error.hint
    written = [path for path in shop.root.rglob("*") if path.is_file() and not path.is_relative_to(shop.root / "wheels")]
    assert any(index.host.encode() in path.read_bytes() for path in written)  # the lock says where it comes from
    assert all(private_index.SECRET.encode() not in path.read_bytes() for path in written)


def test_what_no_marker_says_is_in_the_tree_of_its_target_alone(shop: Shop) -> None:
    shop.package("app", "pure", targets=("linux_x86_64", "linux_musl_x86_64", "windows_amd64"))
    shop.add("leaf<2", to=("linux_musl_x86_64",))
    assert any("no marker tells linux_musl_x86_64" in note for note in shop.heard.notes)
    shop.add("other", to=("linux_musl_x86_64",))
    assert shop.lines() == ["pure"]
    assert shop.there("linux_musl_x86_64") == {"pure": "1.0 any", "leaf": "1.0 any", "other": "1.0 any"}
    assert shop.there("linux_x86_64") == {"pure": "1.0 any", "leaf": "2.0 any"}
    shop.add("leaf>=2", to=("windows",))
    project = load_project(shop.root)
    found = {each.target: each.roots for each in tree(project, project.packages[0]).trees}
    shown = {target: [(node.name, node.version) for node in roots] for target, roots in found.items()}
    assert shown == {
        "linux_x86_64": [("pure", "1.0")],
        "linux_musl_x86_64": [("leaf", "1.0"), ("other", "1.0"), ("pure", "1.0")],
        "windows_amd64": [("leaf", "2.0"), ("pure", "1.0")],
    }
    below = {
        target: [child.version for node in roots if node.name == "pure" for child in node.children]
        for target, roots in found.items()
    }
    assert below == {"linux_x86_64": ["2.0"], "linux_musl_x86_64": ["1.0"], "windows_amd64": ["2.0"]}
