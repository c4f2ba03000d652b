"""C, C++ and Cython of a package's own, built at level instant and run on real foreign Pythons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import series

from tests import native_sources
from tests.builds import build, copy_project, members, native_modules, unpack

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import PythonOf

MIXTURE = {"mixture.fast", "mixture.speedups", "mixture.wave.table"}
RUNS = [
    ("mixture", "linux_arm64"),
    ("mixture", "windows_amd64"),
    ("mixture", "emscripten_wasm32"),
    # C++ is built against a library that zig makes once for each target: a minute of one core.
    ("ledger", "linux_arm64"),
    ("ledger", "windows_amd64"),
]


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(native_sources.PROJECT, tmp_path_factory.mktemp("foreign") / "native")


@pytest.mark.parametrize(("package", "target"), RUNS)
def test_a_wheel_with_native_sources_runs(
    package: str, target: str, project: Path, foreign_python: PythonOf, tmp_path: Path
) -> None:
    python = series.choose(target, foreign_python)
    words = ("single", "--type", "release", "--target", target, *series.words(python))
    wheel = build(project, package, *words, env=series.environment(python)).wheel(target)
    files = members(wheel)
    assert [name for name in files if name.endswith((".c", ".cpp", ".cc", ".h", ".hpp", ".pyx", ".pxi"))] == []
    if package == "mixture":
        assert native_modules(files) == MIXTURE
    done = python.run_script(native_sources.RUNNER, paths=[unpack([wheel], tmp_path / "wheel")], args=[package])
    assert done.returncode == 0, done.stderr
    assert native_sources.parse(done.stdout) == native_sources.expected(package, target)
