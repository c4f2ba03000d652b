"""C, C++ and Cython of a package's own, built at level instant and run on real foreign Pythons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import series

from pypackpack.middleware.inspect.wheel import inspect_wheel
from pypackpack.model.inspection import EXTENSION, SOURCE
from tests import native_sources
from tests.builds import build, copy_project, linked, members, native_modules, unpack

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import PythonOf

MIXTURE = {"mixture.fast", "mixture.speedups", "mixture.wave.table"}
MINGW = {("ledger", "windows_amd64"): {"mingw-w64"}}
RUNS = [
    ("mixture", "linux_arm64", "release"),
    ("mixture", "windows_amd64", "release"),
    ("mixture", "emscripten_wasm32", "release"),
    # C++ is built against a library that zig makes once for each target and type: a minute of one core. Of Windows it also makes the
    # C library for that, and the one of debug modules those of Nuitka need, too.
    ("ledger", "linux_arm64", "release"),
    ("ledger", "windows_amd64", "debug"),
    ("ledger", "emscripten_wasm32", "release"),
]


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(native_sources.PROJECT, tmp_path_factory.mktemp("foreign") / "native")


@pytest.mark.parametrize(("package", "target", "kind"), RUNS)
def test_a_wheel_with_native_sources_runs(
    package: str, target: str, kind: str, project: Path, foreign_python: PythonOf, tmp_path: Path
) -> None:
    python = series.choose(target, foreign_python)
    words = ("single", "--type", kind, "--target", target, *series.words(python))
    wheel = build(project, package, *words, env=series.environment(python)).wheel(target)
    files = members(wheel)
    sources = [name for name in files if name.endswith((".c", ".cpp", ".cc", ".h", ".hpp", ".pyx", ".pxi"))]
    assert bool(sources) is (kind == "debug")
    # What C++ brings; plain C is linked without MinGW's start-up code (0005).
    assert set(linked(files)) == {"Cython"} | ({"libc++", "libc++abi"} if package == "ledger" else set()) | MINGW.get((package, target), set())
    seen = inspect_wheel(wheel)
    assert (seen.compiler and seen.compiler.name, seen.toolchain and seen.toolchain.name) == ("cython", "zig")
    assert seen.python == ".".join(map(str, python.version[:2]))
    assert {module.form for module in seen.modules} == {EXTENSION, SOURCE}
    if package == "mixture":
        assert native_modules(files) == MIXTURE
    done = python.run_script(native_sources.RUNNER, paths=[unpack([wheel], tmp_path / "wheel")], args=[package])
    assert done.returncode == 0, done.stderr
    assert native_sources.parse(done.stdout) == native_sources.expected(package, target)
