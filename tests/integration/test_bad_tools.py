"""Tools that hang, crash, or write where they should not: real processes that only play the tool."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend import process
from pypackpack.backend.tools import bytecode, cython, zig
from pypackpack.middleware.build import build
from pypackpack.middleware.compile.workshop import Workshop
from pypackpack.model.build import BuildRequest, Bundle, Level, Silent
from pypackpack.model.errors import ConflictError, ToolError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pypackpack.model.build import BuildResult

pytestmark = pytest.mark.usefixtures("own_cache")
HANGS = "import time; time.sleep(600)"
CRASHES = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"


@pytest.fixture
def root(small_project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one module."""
    monkeypatch.setenv("PATH", f"{Path(sys.base_prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}")
    root = small_project()
    (root / "small" / "src" / "main" / "mod.py").unlink()
    (root / ".python-version").write_text(".".join(map(str, sys.version_info[:3])))
    return root


def run(root: Path, level: Level) -> BuildResult:
    return build(BuildRequest(root, "small", Bundle.SINGLE, level=level, jobs=1), Silent())


def limit(root: Path, table: str) -> None:
    """Let tools take one second."""
    with (root / "small" / "pyproject.toml").open("a") as stream:
        stream.write(f"\n[tool.pypackpack.{table}]\ntime-limit = 1\n")


def worker(tmp_path: Path, code: str) -> Path:
    path = tmp_path / "pretends.py"
    path.write_text(code)
    return path


def compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str) -> None:
    """Let a program of this Python play zig."""
    program = tmp_path / "zig" / "ziglang" / "zig"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!{sys.executable} -IS\nimport sys\n{code}\n")
    program.chmod(0o755)
    monkeypatch.setattr(Workshop, "zig", lambda _self: zig.Zig(tmp_path / "zig", tmp_path / "zig-cache", version="0"))


def test_a_compiler_that_hangs_is_ended(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(root, "build.target.linux")
    compiler(monkeypatch, tmp_path, HANGS)
    with pytest.raises(ToolError, match="zig did not end within 1 seconds, its `time-limit`") as caught:  # the target's own limit
        run(root, Level.NATIVE)
    assert caught.value.hint.startswith(f"The command was: {tmp_path}/zig/ziglang/zig cc -target ")
    assert not process._live


@pytest.mark.parametrize(("tool", "level"), [(bytecode, Level.BYTECODE), (cython, Level.NATIVE)])
def test_a_worker_that_hangs_is_ended(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: object, level: Level
) -> None:
    limit(root, "build")  # which is for what targets share, too
    path = worker(tmp_path, HANGS)
    monkeypatch.setattr(tool, "WORKER", path)
    with pytest.raises(ToolError, match="did not answer within 1 seconds, its `time-limit`") as caught:
        run(root, level)
    assert str(path) in caught.value.hint
    assert not process._live


def test_a_compiler_that_crashes_is_said_to(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler(monkeypatch, tmp_path, f"print('an assertion failed', file=sys.stderr, flush=True)\n{CRASHES}")
    with pytest.raises(ToolError, match=r"compiling small/__init__\.c failed \(zig 0, ended by SIGSEGV\)") as caught:
        run(root, Level.NATIVE)
    assert caught.value.details == "an assertion failed"


def test_a_worker_that_crashes_is_said_to(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bytecode, "WORKER", worker(tmp_path, CRASHES))
    with pytest.raises(ToolError, match="ended by SIGSEGV in the middle of its work"):
        run(root, Level.BYTECODE)
    monkeypatch.setattr(bytecode, "WORKER", worker(tmp_path, "print('nonsense')\nraise SystemExit('no licence')"))
    with pytest.raises(ToolError, match=r"ended \(exit code 1\) in the middle") as caught:
        run(root, Level.BYTECODE)
    assert caught.value.details == "no licence"


def test_a_tool_that_changes_a_source_is_noticed(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = root / "small" / "src" / "main" / "__init__.py"
    code = f"open({str(source)!r}, 'a').write('# meddled\\n')\n" + bytecode.WORKER.read_text()
    monkeypatch.setattr(bytecode, "WORKER", worker(tmp_path, code))
    # What was planned is read before the worker starts, and again by nobody: only its state tells.
    monkeypatch.setattr(Workshop, "read", lambda _self, file: file.path.read_bytes().replace(b"# meddled\n", b""))
    with pytest.raises(ConflictError, match=r"__init__\.py changed while it was being built"):
        run(root, Level.BYTECODE)
    assert not list((root / "small" / "build").rglob("*.whl"))


def test_a_tool_that_writes_into_the_folder_of_another_task_is_noticed(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "open('small/__init__.c', 'a').write('/* meddled */'); open('module.o', 'w').close()"
    compiler(monkeypatch, tmp_path, code)
    with pytest.raises(ToolError, match=r"small/__init__\.c was changed by something else while it was compiled for linux_x86_64"):
        run(root, Level.NATIVE)
    assert not list((root / "small" / "build").rglob("*.whl"))


@pytest.mark.parametrize("code", ["raise SystemExit", "import os; os.symlink('/etc/passwd', 'module.o')"])
def test_only_a_file_in_its_own_folder_is_taken_from_a_compiler(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    compiler(monkeypatch, tmp_path, code)
    with pytest.raises(ToolError, match=r"compiling small/__init__\.c: zig 0 ended well and left no file module\.o"):
        run(root, Level.NATIVE)
