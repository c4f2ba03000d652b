"""Declarations beside Python, and those and headers of numpy: built at level native, and run on this machine and foreign Pythons."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
import series

from tests import native_sources
from tests.builds import PYTHON, build, copy_project, linked, members, native_modules, run, unpack

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import PythonOf

HOST = "linux_x86_64"
NATIVE = ("single", "--level", "native")
MODULES = {"typed": {"typed", "typed.sums", "typed.user"}, "arrays": {"arrays", "arrays.rows", "arrays.pure", "arrays.table"}}


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(native_sources.PROJECT, tmp_path_factory.mktemp("declarations") / "native")


@pytest.mark.parametrize(
    ("package", "target"),
    [("typed", HOST), ("typed", "linux_arm64"), ("arrays", HOST), ("arrays", "linux_arm64"), ("arrays", "windows_amd64")],
)
def test_a_wheel_with_declarations_runs(
    package: str, target: str, project: Path, foreign_python: PythonOf, tmp_path: Path
) -> None:
    python = None if target == HOST else series.choose(target, foreign_python)
    number = "{}.{}".format(*(PYTHON if python is None else python.version[:2]))
    env = {} if python is None else series.environment(python)
    wheel = build(project, package, *NATIVE, "--target", target, "--python", number, env=env).wheel(target)
    files = members(wheel)
    assert native_modules(files) == MODULES[package]
    paths, brought = [unpack([wheel], tmp_path / "wheel")], {}
    if package == "arrays":  # what it was compiled with
        paths.append(project / "arrays" / "build" / "crossenv" / target / "lib" / f"python{number}" / "site-packages")
        (numpy,) = paths[1].glob("numpy-*.dist-info")
        brought = {"numpy": numpy.name.split("-")[1].removesuffix(".dist")}
    assert {name: version for name, version in linked(files).items() if name != "Cython"} == brought
    if python is None:
        path = os.pathsep.join(map(os.fspath, paths))
        done = run([sys.executable, native_sources.RUNNER, package], cwd=tmp_path, env={"PYTHONPATH": path})
    else:
        done = python.run_script(native_sources.RUNNER, paths=paths, args=[package])
    assert done.returncode == 0, done.stderr
    assert native_sources.parse(done.stdout) == native_sources.expected(package, target)
