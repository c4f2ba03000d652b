"""Building for this machine with the real compilers: what comes out, and what is refused."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend.tools import zig
from pypackpack.middleware.build import build
from pypackpack.model.build import BuildRequest, BuildType, Bundle, Level, Silent
from pypackpack.model.errors import (
    FilesystemError,
    MissingToolError,
    PyPackPackError,
    SourceError,
    ToolError,
    UnknownTargetError,
    UsageError,
)
from tests.snapshot import snapshot
from tests.together import at_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from pypackpack.backend.tools.toolchain import ModuleJob
    from pypackpack.model.build import BuildResult

    Project = Callable[..., Path]

pytestmark = pytest.mark.usefixtures("cold_cache")
ROOT = Path(__file__).parent.parent.parent


def run(root: Path, level: Level = Level.NATIVE, **changes: object) -> BuildResult:
    request = BuildRequest(start=root, package="small", bundle=Bundle.SINGLE, level=level)
    return build(BuildRequest(**{**request.__dict__, **changes}), Silent())


def names(result: BuildResult) -> list[str]:
    (artifact,) = result.artifacts
    return zipfile.ZipFile(artifact.path).namelist()


def in_wheel(result: BuildResult, code: str, tmp_path: Path) -> str:
    """Unpack the one wheel and run code beside it on the Python it was built for."""
    (artifact,) = result.artifacts
    place = tmp_path / f"unpacked-{artifact.sha256[:8]}"
    zipfile.ZipFile(artifact.path).extractall(place)
    assert artifact.python in {None, sys.version_info[:2]}
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {os.fspath(place)!r})\n{code}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=place,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def _this_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Build for the Python that runs the tests, whatever else is on PATH."""
    monkeypatch.setenv("PATH", f"{Path(sys.base_prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def mine(small_project: Project) -> Project:
    """Projects whose Python is the one that runs the tests."""

    def make(*args: object, **kwargs: object) -> Path:
        root = small_project(*args, **kwargs)
        (root / ".python-version").write_text(f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}\n")
        return root

    return make


def test_native_holds_modules_and_no_sources(mine: Project, tmp_path: Path) -> None:
    result = run(mine({"main/sub/__init__.py": "", "main/sub/deep.py": "X = 1\n", "main/data.txt": "hello"}))
    listed = names(result)
    assert [name for name in listed if name.endswith((".py", ".c", ".pyc"))] == []
    assert sum(name.endswith(".so") for name in listed) == 4
    assert "small/data.txt" in listed
    code = "import small.mod, small.sub.deep; print(small.mod.answer(), small.sub.deep.X, small.mod.__file__.endswith('.so'))"
    assert in_wheel(result, code, tmp_path) == "42 1 True"


@pytest.mark.parametrize("kind", [BuildType.DEBUG, BuildType.RELEASE])
def test_the_levels(mine: Project, tmp_path: Path, kind: BuildType) -> None:
    root = mine({"main/__main__.py": "print('ran')\n"})
    instant = run(root, Level.INSTANT, type=kind)
    assert instant.artifacts[0].path.name == "small-1.0-py3-none-any.whl"
    assert {"small/__init__.py", "small/__main__.py", "small/mod.py"} < set(names(instant))
    bytecode = run(root, Level.BYTECODE, type=kind)
    series = f"cp{sys.version_info.major}{sys.version_info.minor}"
    assert bytecode.artifacts[0].path.name == f"small-1.0-{series}-none-any.whl"
    listed = set(names(bytecode))
    assert ("small/mod.py" in listed) is (kind is BuildType.DEBUG)
    assert ("small/mod.pyc" in listed) is (kind is BuildType.RELEASE)
    native = run(root, Level.NATIVE, type=kind)
    assert f"-{series}-{series}-" in native.artifacts[0].path.name
    for result in (instant, bytecode, native):
        assert (
            in_wheel(result, "import small.mod, runpy; print(small.mod.answer()); runpy.run_module('small')", tmp_path)
            == "42\nran"
        )


def test_a_second_build_runs_nothing_and_changes_nothing(mine: Project) -> None:
    root = mine()
    first = run(root)
    state = first.artifacts[0].path.stat()
    second = run(root)
    assert first.tasks_cached == 0
    assert second.tasks_run == 0
    assert second.artifacts[0].cached
    assert second.artifacts[0].path.stat() == state or second.artifacts[0].path.stat().st_mtime_ns == state.st_mtime_ns


def test_only_what_changed_is_made_again(mine: Project) -> None:
    root = mine({"main/other.py": "Y = 1\n"})
    run(root)
    (root / "small/src/main/other.py").write_text("Y = 2\n")
    again = run(root)
    assert again.tasks_run == 4  # bytecode, transcompile, compile of the module, and the wheel


@pytest.mark.parametrize("kind", [BuildType.DEBUG, BuildType.RELEASE])
def test_two_folders_give_the_same_bytes(
    mine: Project, kind: BuildType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cold_cache: Path
) -> None:
    targets = ("linux_x86_64", "linux_musl_x86_64", "windows_amd64", "macos_arm64")
    sums = []
    for folder in ("one", "the other one, with ünïcode"):
        cache = tmp_path / f"cache {folder}"
        cache.mkdir()
        for name in ("tools-v1", "zig-v1"):
            (cache / name).symlink_to((cold_cache / name).resolve(), target_is_directory=True)
        monkeypatch.setenv("PYPACKPACK_CACHE_DIR", os.fspath(cache))
        result = run(mine(folder=folder, targets=targets), type=kind)
        assert result.tasks_cached == 0
        sums.append({artifact.path.name: artifact.sha256 for artifact in result.artifacts})
        for artifact in result.artifacts:
            wheel = zipfile.ZipFile(artifact.path)
            for name in wheel.namelist():
                data = wheel.read(name)
                leaks = [word for word in (tmp_path, Path.home(), cache) if os.fsencode(word) in data]
                assert not leaks, f"{artifact.path.name}: {name} names {leaks}"
    assert len(sums[0]) == len(targets)
    assert sums[0] == sums[1]


def test_overlays_replace_files_and_tests_stay_out(mine: Project, tmp_path: Path) -> None:
    root = mine(
        {
            "main/where.py": "PLACE = 'main'\n",
            "linux/where.py": "PLACE = 'linux'\n",
            "linux/only.py": "PLACE = 'family'\n",
            "linux_x86_64/only.py": "PLACE = 'target'\n",
            "windows/where.py": "PLACE = 'windows'\n",
            "test/test_mod.py": "raise RuntimeError\n",
        }
    )
    result = run(root)
    assert (
        in_wheel(result, "import small.where, small.only; print(small.where.PLACE, small.only.PLACE)", tmp_path) == "linux target"
    )
    assert not any("test" in name for name in names(result))
    pure = run(root, Level.INSTANT)
    assert "manylinux" in pure.artifacts[0].path.name


def test_a_module_that_cython_refuses_falls_back_and_is_reported(mine: Project, tmp_path: Path) -> None:
    if sys.version_info < (3, 12):
        source = (
            "def f():\n    try:\n        pass\n    except* ValueError:\n        return\n" if sys.version_info >= (3, 14) else ""
        )
    else:
        source = "def first[T](items: list[T]) -> T:\n    return items[0]\n"
    if not source:
        source = "import sys\n\ndef f(a, /, b):\n    return a + b\n\nclass C:\n    nonlocal_ = 1\n" + "x = 1\n"
        pytest.fail("no module known that this Cython refuses and this Python takes") if False else None
    root = mine({"main/new.py": source})
    result = run(root)
    if sys.version_info >= (3, 12):
        (fallback,) = result.fallbacks
        assert fallback.module == "small.new"
        assert "small/new.py:1:" in fallback.reason
        assert in_wheel(result, "import small.new; print(small.new.first([7]))", tmp_path) == "7"
        (root / "small/pyproject.toml").write_text(
            (root / "small/pyproject.toml").read_text() + "[tool.pypackpack.build]\nstrict = true\n"
        )
        with pytest.raises(SourceError, match="strict is set") as caught:
            run(root)
        assert "small.new" in caught.value.details
    else:
        assert not result.fallbacks


def test_a_c_compiler_that_refuses_keeps_its_words(mine: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = zig.Zig.build_module

    def broken(self: zig.Zig, job: ModuleJob, scratch: Path) -> bytes:
        if job.name == "mod":
            job = replace(job, files={job.sources[0]: b"#include <Python.h>\nint broken(void) { return nowhere; }\n"})
        return real(self, job, scratch)

    monkeypatch.setattr(zig.Zig, "build_module", broken)
    root = mine()
    result = run(root)
    (fallback,) = result.fallbacks
    assert fallback.module == "small.mod"
    assert "undeclared identifier 'nowhere'" in fallback.reason
    assert in_wheel(result, "import small.mod; print(small.mod.answer())", tmp_path) == "42"
    monkeypatch.undo()


def test_a_compiler_that_breaks_down_is_an_error_and_no_fallback(mine: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(_self: zig.Zig, _job: ModuleJob, _scratch: Path) -> bytes:
        raise ToolError("compiling small/mod.c failed (zig, exit code -9)", details="Killed")

    monkeypatch.setattr(zig.Zig, "build_module", crash)
    root = mine()
    before = snapshot(root / "small" / "src")
    with pytest.raises(ToolError, match="exit code -9"):
        run(root, jobs=1)  # with more, both of its modules may be under way and fail
    assert snapshot(root / "small" / "src") == before
    assert not list((root / "small" / "build").rglob("*.whl"))


def test_syntax_errors_are_named_all_at_once(mine: Project) -> None:
    root = mine({"main/one.py": "def f(:\n", "main/sub/two.py": "x = 1\ny = = 2\n", "main/three.py": b"# caf\xe9\nx = 1\n"})
    for level in (Level.INSTANT, Level.BYTECODE, Level.NATIVE):
        with pytest.raises(SourceError) as caught:
            run(root, level)
        text = f"{caught.value.message}\n{caught.value.details}"
        assert f"{root / 'small/src/main/one.py'}:1:" in text
        assert f"{root / 'small/src/main/sub/two.py'}:2:" in text
        assert "three.py" in text
        assert "utf-8" in text
    assert not list((root / "small" / "build").rglob("*.whl"))


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"main/twin.py": "", "main/twin/__init__.py": ""}, "same module twin"),
        ({"main/twin.py": "", "linux/twin/__init__.py": ""}, "src/linux/twin/__init__.py"),
        ({"main/Twin.py": "", "main/twin.py": ""}, "differ in case only"),
    ],
)
def test_two_files_for_one_module(mine: Project, files: dict[str, str], words: str) -> None:
    with pytest.raises(SourceError, match=words):
        run(mine(files), Level.INSTANT)


@pytest.mark.parametrize("target", ["windows_amd64", "linux_x86_64"])
def test_a_wheel_for_every_platform_has_no_file_that_windows_cannot_have(mine: Project, target: str) -> None:
    root = mine({"main/data/aux.txt": ""}, targets=("linux_x86_64", "windows_amd64"))
    with pytest.raises(SourceError, match=r"src/main/data/aux\.txt.*device on Windows"):
        run(root, Level.INSTANT, targets=(target,))
    assert not list((root / "small" / "build").rglob("*.whl"))


def test_without_windows_among_the_targets_such_a_file_is_a_warning(mine: Project) -> None:
    result = run(mine({"main/data/aux.txt": ""}, targets=("linux_x86_64",)), Level.INSTANT)
    assert [artifact.path.name for artifact in result.artifacts] == ["small-1.0-py3-none-any.whl"]
    (warning,) = result.warnings
    assert "src/main/data/aux.txt" in warning


def test_links_that_cannot_be_followed_are_refused_before_anything_is_built(mine: Project, tmp_path: Path) -> None:
    root = mine()
    (tmp_path / "secret.txt").write_text("of this machine")
    link = root / "small" / "src" / "main" / "data.txt"
    link.symlink_to(tmp_path / "secret.txt")
    before = snapshot(root)
    with pytest.raises(SourceError, match="leads out of the project") as caught:
        run(root, Level.NATIVE)
    assert str(link) in caught.value.message
    assert [name for name in snapshot(root).keys() - before.keys() if "packpack" in str(name)] == []


def test_linked_folders_are_in_the_wheel(mine: Project) -> None:
    root = mine({"main/data/one.txt": "1"}, targets=("linux_x86_64",))
    (root / "small" / "src" / "main" / "again").symlink_to("data")
    (wheel,) = run(root, Level.INSTANT).artifacts
    with zipfile.ZipFile(wheel.path) as archive:
        assert archive.read("small/again/one.txt") == archive.read("small/data/one.txt") == b"1"


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"package": "smal"}, UsageError, "no package smal"),
        ({"targets": ("linus_x86_64",)}, UnknownTargetError, "linux_x86_64"),
        ({"pythons": ("2.7",)}, UsageError, "2.7"),
        ({"pythons": ("3.13t",)}, UsageError, "free-threaded"),
    ],
)
def test_words_that_cannot_be_built(mine: Project, changes: dict[str, object], error: type[Exception], words: str) -> None:
    root = mine()
    before = snapshot(root)
    with pytest.raises(error) as caught:
        run(root, **{"level": Level.NATIVE, **changes})  # type: ignore[arg-type]
    assert words in f"{caught.value} {getattr(caught.value, 'hint', '')}"
    assert snapshot(root) == before


def test_targets_without_a_toolchain_are_left_out_or_refused(mine: Project) -> None:
    version = ("3.13",) if sys.version_info[:2] >= (3, 13) else ()
    root = mine(targets=("linux_x86_64", "android_24_arm64"))
    if not version:
        with pytest.raises(MissingToolError, match="android_24_arm64 has no Python"):
            run(root, targets=("android",))
    result = run(root)
    assert [name for name, _ in result.left_out] == ["android_24_arm64"]
    with pytest.raises(MissingToolError, match="android_24_arm64"):
        run(root, targets=("android",))


def test_what_nuitka_cannot_is_refused(mine: Project) -> None:
    with pytest.raises(PyPackPackError, match="nuitka cannot"):
        run(mine(settings='[tool.pypackpack.build]\ncompiler = "nuitka"\nabi = "abi3"\n'))


def test_a_file_where_the_build_folder_has_to_be(mine: Project) -> None:
    root = mine()
    (root / "small" / "build").write_text("in the way")
    before = snapshot(root)
    with pytest.raises(FilesystemError, match="build"):
        run(root)
    assert snapshot(root) == before


def test_a_full_disk_is_said_and_leaves_the_old_wheel(mine: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    root = mine()
    first = run(root, Level.INSTANT)
    old = first.artifacts[0].path.read_bytes()
    (root / "small/src/main/mod.py").write_text("def answer():\n    return 43\n")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    # However the wheel is copied to its place: the kernel copies, or Python does.
    monkeypatch.setattr("pypackpack.backend.filesystem.clone", lambda *_: False)
    monkeypatch.setattr("os.copy_file_range", full, raising=False)
    monkeypatch.setattr("shutil.copyfileobj", full)
    with pytest.raises(FilesystemError, match="No space left") as caught:
        run(root, Level.INSTANT)
    assert "disk is full" in caught.value.hint
    assert first.artifacts[0].path.read_bytes() == old
    assert [path.name for path in first.artifacts[0].path.parent.iterdir()] == [first.artifacts[0].path.name]


def test_two_builds_at_once_give_one_right_wheel(mine: Project) -> None:
    root = mine({f"main/m{number}.py": f"N = {number}\n" for number in range(4)})
    results = at_once([lambda: run(root)] * 2)
    assert len({result.artifacts[0].sha256 for result in results}) == 1
    assert zipfile.ZipFile(results[0].artifacts[0].path).testzip() is None


@pytest.mark.parametrize("after", [0.3, 0.8, 1.5, 2.5, 4.0])
def test_ctrl_c_leaves_a_project_that_builds(mine: Project, after: float, cold_cache: Path) -> None:
    root = mine({f"main/m{number}.py": "".join(f"def f{n}(a):\n    return a + {n}\n" for n in range(60)) for number in range(6)})
    sources = snapshot(root / "small" / "src")
    words = [sys.executable, "-m", "pypackpack", "build", "small", "source", "single", "--level", "native", "--type", "release"]
    child = subprocess.Popen(words, cwd=root, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True)
    time.sleep(after)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=60)
    assert child.returncode in {130, -signal.SIGINT, 0}, said
    assert "Traceback" not in said or child.returncode == -signal.SIGINT  # Python itself was still starting
    assert snapshot(root / "small" / "src") == sources
    assert not [path for path in (root / "small" / "build").rglob(".*") if path.name != ".lock"]
    assert not list((cold_cache / "tmp").glob("build-*"))
    result = run(root, type=BuildType.RELEASE)
    assert zipfile.ZipFile(result.artifacts[0].path).testzip() is None


def test_a_path_with_spaces_and_letters_of_all_kinds(mine: Project, tmp_path: Path) -> None:
    root = mine({"main/größe.py": "def maß():\n    return 'ä'\n", "main/daten äöü.txt": "x"}, folder="mein Prüjekt ✓")
    result = run(root)
    assert not result.fallbacks
    assert in_wheel(result, "import importlib; print(ascii(importlib.import_module('small.größe').maß()))", tmp_path) == r"'\xe4'"


def test_the_wheel_imports_without_its_project(mine: Project, tmp_path: Path) -> None:
    assert importlib.util.find_spec("small") is None
    assert in_wheel(run(mine()), "import small; print(small.__name__)", tmp_path) == "small"
