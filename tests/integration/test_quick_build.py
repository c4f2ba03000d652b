"""The short way of a build that has nothing to do: when it is taken, and everything after which it must not be."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend import filesystem
from pypackpack.frontend.cli.main import run
from pypackpack.frontend.cli.quick_build import is_plain
from pypackpack.middleware import build_note

if TYPE_CHECKING:
    from collections.abc import Callable

WORDS = ("small", "source", "single", "--level", "bytecode")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def settled(small_project: Callable[..., Path], own_cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A project that is built, with a note of it. The clock's resolution is not waited for, and our own code is left out.

    The latter since whoever works on pypackpack while its tests run would make them fail.
    """
    monkeypatch.setattr(build_note, "RACY_NANOSECONDS", -(10**18))
    monkeypatch.setattr(build_note, "_OWN_FOLDER", os.fspath(tmp_path / "nothing"))
    monkeypatch.setenv("NO_COLOR", "1")
    root = small_project(
        {"main/sub/__init__.py": "", "main/build/deep.py": "A = 1\n", "test/test_it.py": "", "linux/extra.py": "A = 1\n"},
        folder="settled",
    )
    monkeypatch.chdir(root)
    assert run(["build", *WORDS]) == 0
    assert run(["build", *WORDS]) == 0
    assert own_cache.is_dir()
    return root


def answer(words: tuple[str, ...] = WORDS) -> str | None:
    return build_note.known_answer(os.fspath(Path.cwd()), words, "0|0").text


@pytest.mark.usefixtures("settled")
def test_the_second_build_without_work_leaves_a_note_and_the_third_reads_it(capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    text = answer()
    assert text is not None
    run(["build", *WORDS])
    said = capsys.readouterr().out
    assert said.rsplit(", in ", 1)[0] == text.rsplit(", in ", 1)[0]
    assert "0.0 s (" in text
    assert "cached" in text


def test_the_command_takes_the_short_way_without_the_full_command_line(
    small_project: Callable[..., Path], own_cache: Path
) -> None:
    root = small_project()
    env = {**os.environ, "PYTHONPATH": os.fspath(ROOT), "PYPACKPACK_CACHE_DIR": os.fspath(own_cache)}
    words = [sys.executable, "-X", "importtime", "-m", "pypackpack", "build", *WORDS]
    for _ in range(8):  # somebody may be working on pypackpack's files at this moment
        time.sleep(2.1)  # what is younger than this may change again and look the same
        done = subprocess.run(words, cwd=root, env=env, capture_output=True, text=True, check=True)
        if "typer" not in done.stderr:
            break
    assert "typer" not in done.stderr
    assert "1 wheel" in done.stdout
    assert "pypackpack.middleware.build_note" in done.stderr


def _replace(path: Path) -> None:
    """Change content and keep size and time of a file."""
    state = path.stat()
    path.write_bytes(path.read_bytes().replace(b"42", b"43"))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def _append(path: Path) -> None:
    path.write_text(path.read_text() + "\n# more\n")


def _beside(wheel: Path) -> None:
    shutil.copy(wheel, wheel.with_name("small-1.0-cp310-none-any.whl"))


CHANGES: dict[str, Callable[[Path], object]] = {
    "a source": lambda root: (root / "small/src/main/mod.py").write_text("def answer():\n    return 43\n"),
    "a source, size and time as before": lambda root: _replace(root / "small/src/main/mod.py"),
    "a new module": lambda root: (root / "small/src/main/sub/new.py").touch(),
    "a new folder": lambda root: (root / "small/src/main/data").mkdir(),
    "a module gone": lambda root: (root / "small/src/main/sub/__init__.py").unlink(),
    "a module renamed": lambda root: (root / "small/src/main/mod.py").rename(root / "small/src/main/mode.py"),
    "an overlay": lambda root: (root / "small/src/linux/extra.py").write_text("A = 2\n"),
    "a new overlay": lambda root: (root / "small/src/linux_x86_64").mkdir(),
    "a hidden file": lambda root: (root / "small/src/main/.hidden").touch(),
    "a module in a folder called build": lambda root: (root / "small/src/main/build/deep.py").write_text("A = 2\n"),
    "a program now": lambda root: (root / "small/src/main/mod.py").chmod(0o755),
    "the package's settings": lambda root: _append(root / "small/pyproject.toml"),
    "the project's settings": lambda root: _append(root / "pyproject.toml"),
    "a licence": lambda root: (root / "LICENSE").write_text("free"),
    "a readme": lambda root: (root / "small/README.md").write_text("read"),
    "the Python": lambda root: (root / ".python-version").write_text("3.12\n"),
    "the wheel gone": lambda root: next(root.glob("small/build/packpack/single/*/*/*.whl")).unlink(),
    "the wheel damaged": lambda root: next(root.glob("small/build/packpack/single/*/*/*.whl")).write_bytes(b"x"),
    "a wheel beside it": lambda root: _beside(next(root.glob("small/build/packpack/single/*/*/*.whl"))),
    "what is superseded": lambda root: next(root.glob("small/build/packpack/single/*/*.json")).write_text("{}"),
    "a link to a folder": lambda root: (root / "small/src/main/link").symlink_to(root / "small/src/main/sub"),
    "the note damaged": lambda root: next(root.glob("small/build/packpack/notes/*")).write_text('{"head": 1'),
    "the note empty": lambda root: next(root.glob("small/build/packpack/notes/*")).write_text("{}"),
    "build/ gone": lambda root: shutil.rmtree(root / "small/build"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_nothing_is_believed_after_a_change(settled: Path, what: str) -> None:
    assert answer() is not None
    CHANGES[what](settled)
    assert answer() is None


@pytest.mark.parametrize("variable", ["SOURCE_DATE_EPOCH", "PYPACKPACK_CACHE_DIR", "UV_INDEX", "PATH"])
def test_nothing_is_believed_in_another_environment(settled: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    assert answer() is not None
    monkeypatch.setenv(variable, "1")
    assert answer() is None
    assert settled.is_dir()


def test_a_note_is_for_one_call_one_place_and_one_form_of_answer(settled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert answer(("small", "source", "single")) is None
    assert build_note.known_answer(os.fspath(Path.cwd()), WORDS, "80|1").text is None
    monkeypatch.chdir(settled / "small" / "src")
    assert answer() is None  # paths are told from where the person stands
    run(["build", *WORDS])
    assert answer() is not None
    monkeypatch.chdir(settled)
    assert answer() is not None


def test_what_changed_just_now_is_not_noted(
    small_project: Callable[..., Path], own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = small_project()
    monkeypatch.chdir(root)
    run(["build", *WORDS])
    (root / "small/src/main/mod.py").touch()
    run(["build", *WORDS])
    assert not list(root.glob("small/build/packpack/notes/*"))
    assert own_cache.is_dir()


READMES = ("../docs/R.md", ".github/R.md", "src/R.md", "build/R.md")


@pytest.mark.parametrize("readme", READMES)
def test_every_file_that_metadata_is_made_of_is_an_input(settled: Path, readme: str) -> None:
    path = settled / "small" / readme
    path.parent.mkdir(exist_ok=True)
    path.write_text("first")
    settings = settled / "small/pyproject.toml"
    settings.write_text(settings.read_text().replace('version = "1.0"\n', f'version = "1.0"\nreadme = "{readme}"\n'))
    for text in ("first", "second"):
        path.write_text(text)
        assert run(["build", *WORDS]) == 0
        assert run(["build", *WORDS]) == 0
        (wheel,) = settled.glob("small/build/packpack/single/*/*/*.whl")
        with zipfile.ZipFile(wheel) as archive:
            assert archive.read("small-1.0.dist-info/METADATA").decode().endswith(text)
    assert answer() is not None
    path.write_text("third")
    assert answer() is None


def test_a_new_licence_below_a_folder_is_never_missed(settled: Path) -> None:
    (settled / "small/docs").mkdir()
    (settled / "small/docs/L1.txt").touch()
    settings = settled / "small/pyproject.toml"
    settings.write_text(settings.read_text().replace('version = "1.0"\n', 'version = "1.0"\nlicense-files = ["docs/*.txt"]\n'))
    for _ in range(2):
        assert run(["build", *WORDS]) == 0
    assert answer() is None


def test_what_is_nobodys_input_changes_nothing(settled: Path) -> None:
    (settled / "output.log").touch()
    (settled / "small/notes.txt").touch()
    for _ in range(2):
        assert run(["build", *WORDS]) == 0
    assert answer() is not None
    (settled / "output.log").write_text("more")
    (settled / "small/notes.txt").write_text("more")
    assert answer() is not None


def test_a_source_that_changed_while_nothing_was_done_leaves_no_note(settled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(settled / "small/build/packpack/notes")
    real = build_note.remember

    def late(*values: object) -> None:
        (settled / "small/src/main/mod.py").write_text("def answer():\n    return 43\n")
        real(*values)  # type: ignore[arg-type]

    monkeypatch.setattr(build_note, "RACY_NANOSECONDS", 0)
    monkeypatch.setattr(build_note, "remember", late)
    run(["build", *WORDS])
    assert answer() is None


def test_a_readme_that_changes_while_its_wheel_is_written_poisons_nothing(
    settled: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pypackpack.middleware.bundle import wheel  # noqa: PLC0415 - to disturb it

    readme = settled / "small/README.md"
    readme.write_text("planned")
    settings = settled / "small/pyproject.toml"
    settings.write_text(settings.read_text().replace('version = "1.0"\n', 'version = "1.0"\nreadme = "README.md"\n'))
    real = wheel.write_wheel

    def disturbed(*values: object, **more: object) -> object:
        readme.write_text("another")
        return real(*values, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(wheel, "write_wheel", disturbed)
    assert run(["build", *WORDS]) == 1
    assert "README.md changed while it was being built" in capsys.readouterr().err
    monkeypatch.setattr(wheel, "write_wheel", real)
    readme.write_text("planned")
    assert run(["build", *WORDS]) == 0
    (made,) = settled.glob("small/build/packpack/single/*/*/*.whl")
    with zipfile.ZipFile(made) as archive:
        assert archive.read("small-1.0.dist-info/METADATA").decode().endswith("planned")


def test_settings_that_change_while_another_build_is_waited_for_are_read_again(settled: Path) -> None:
    settings = settled / "small/pyproject.toml"
    words = [sys.executable, "-m", "pypackpack", "build", *WORDS]
    env = {**os.environ, "PYTHONPATH": os.fspath(ROOT), "PYPACKPACK_NO_NOTE": "1"}  # any variable of ours: no note holds then
    with filesystem.lock(settled / "small/build/.lock"):
        child = subprocess.Popen(words, cwd=settled, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert child.stderr is not None
        assert "waiting" in child.stderr.readline()
        settings.write_text(settings.read_text().replace('version = "1.0"', 'version = "2.0"'))
    out, err = child.communicate(timeout=60)
    assert child.returncode == 0, err
    assert "small-2.0-" in out


def test_a_binary_is_looked_at_with_its_dependencies(settled: Path) -> None:
    words = ("small", "source", "binary", "--level", "bytecode")
    run(["build", *words])
    run(["build", *words])
    assert answer(words) is not None
    artifact = settled / "small/build/packpack/binary/debug/bytecode/linux_x86_64"
    (artifact / "small/more.py").touch()
    assert answer(words) is None
    run(["build", *words])
    run(["build", *words])
    assert answer(words) is not None
    site = next((settled / "small/build/crossenv/linux_x86_64").rglob("site-packages"))
    (site / "stray.py").touch()
    assert answer(words) is None


@pytest.mark.usefixtures("settled")
def test_an_archive_of_data_files_that_is_as_it_was_takes_the_short_way() -> None:
    words = ("small", "resource")
    data = Path("small/src/main/data.txt")
    data.write_text("one")
    for _ in range(2):
        assert run(["build", *words]) == 0
    assert "1 archive" in (answer(words) or "")
    data.write_text("two")
    assert answer(words) is None
    for _ in range(2):
        assert run(["build", *words]) == 0
    assert answer(words) is not None
    next(Path("small/build/packpack/resource").iterdir()).write_bytes(b"x")
    assert answer(words) is None


def test_only_calls_whose_options_leave_the_answer_as_it_is_go_the_short_way() -> None:
    assert is_plain(["a", "source", "--target", "linux", "--level=native", "--offline"])
    for words in (["a"], ["a", "data"], ["--json", "a", "source"], ["a", "source", "--json"], ["a", "source", "--rerun"], []):
        assert not is_plain(words)


def test_a_binary_with_a_dependency_from_a_folder_is_looked_at_as_a_whole(settled: Path) -> None:
    thing = settled / "libs/thing"
    thing.mkdir(parents=True)
    (thing / "pyproject.toml").write_text(
        '[project]\nname = "thing"\nversion = "1"\ndescription = "A thing."\n[build-system]\nrequires = ["flit_core"]\nbuild-backend = "flit_core.buildapi"\n'
    )
    (thing / "thing.py").write_text('"""One."""\n')
    settings = settled / "small/pyproject.toml"
    settings.write_text(
        settings.read_text().replace('version = "1.0"\n', 'version = "1.0"\ndependencies = ["thing @ ../libs/thing"]\n')
    )
    words = ("small", "source", "binary")
    for text in ("One", "Two"):
        (thing / "thing.py").write_text(f'"""{text}."""\n')
        for _ in range(2):
            assert run(["build", *words]) == 0
        assert text in (settled / "small/build/packpack/binary/debug/instant/linux_x86_64/thing.py").read_text()
    assert answer(words) is None
