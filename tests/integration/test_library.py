"""A well-known library, built native, passes its own test suite as its source does."""

from __future__ import annotations

import shutil
import sys
import tarfile
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from uv import find_uv_bin

from tests.builds import Built, build, members, native_modules, run

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "tomlkit"
VERSION = "0.15.2"
SHA256 = "83e32755ba1d20d9340bd069ee97e9f6232ba2346b63ffcba425de01f7e327a6"

PROJECT = """
[project]
name = "library"
version = "0"
requires-python = ">=3.10"

[tool.pypackpack]
packages = ["tomlkit"]
"""
PACKAGE = f"""
[build-system]
requires = ["pypackpack>=0.3"]
build-backend = "pypackpack.build_api"

[project]
name = "{NAME}"
version = "{VERSION}"
requires-python = ">=3.10"

[tool.pypackpack]
targets = ["linux_x86_64", "linux_arm64", "windows_amd64", "macos_arm64", "macos_x86_64"]
"""


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked sdist, from the index by its hash."""
    folder = tmp_path_factory.mktemp("sdist")
    (folder / "requirements.txt").write_text(f"{NAME}=={VERSION} --hash=sha256:{SHA256}\n")
    words = ["download", "--no-deps", "--no-binary", NAME, "--require-hashes", "-r", "requirements.txt"]
    done = run([sys.executable, "-m", "pip", *words], cwd=folder)
    assert done.returncode == 0, done.stderr
    with tarfile.open(folder / f"{NAME}-{VERSION}.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    return folder / f"{NAME}-{VERSION}"


@pytest.fixture(scope="module")
def built(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The library as a package of a project, built for the host; its tests stay behind."""
    project = tmp_path_factory.mktemp("library")
    (project / "pyproject.toml").write_text(PROJECT)
    shutil.copytree(sdist / NAME, project / NAME / "src" / "main")
    (project / NAME / "pyproject.toml").write_text(PACKAGE)
    return build(project, NAME, "single", "--type", "debug", "--level", "native", "--target", "host")  # a third of the work


def environment(folder: Path, *requirements: str | Path) -> Path:
    """Make an environment with these installed and return its Python."""
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    for words in (
        ["venv", "--quiet", "--python", sys.executable, folder],
        ["pip", "install", "--quiet", "--python", python, *requirements],
    ):
        done = run([find_uv_bin(), *words], cwd=folder.parent)
        assert done.returncode == 0, done.stderr
    return python


def results(python: Path, sdist: Path, folder: Path, path: Path | None) -> Mapping[str, str]:
    """Run the suite and return what became of each test."""
    folder.mkdir()
    shutil.copytree(sdist / "tests", folder / "tests")
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "addopts=", "--junitxml", "report.xml", "tests"]
    done = run(command, cwd=folder, env={"PYTHONPATH": str(path) if path else "", "PYTHONSAFEPATH": "1"})
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    found = {}
    for case in ET.parse(folder / "report.xml").iter("testcase"):  # noqa: S314 - pytest wrote it just now
        found[f"{case.get('classname')}::{case.get('name')}"] = next(
            (each.tag for each in case if each.tag != "properties"), "passed"
        )
    return found


def test_the_suite_says_the_same(sdist: Path, built: Built, tmp_path: Path) -> None:
    (wheel,) = built.wheels()
    modules = native_modules(members(wheel))
    assert len(modules) >= 10
    assert modules == {f"{NAME}.{path.stem}".removesuffix(".__init__") for path in (sdist / NAME).glob("*.py")}
    plain = environment(tmp_path / "plain", "pytest")
    compiled = environment(tmp_path / "compiled", "pytest", wheel)
    where = run([compiled, "-c", f"import {NAME}.items as m; print(m.__file__)"], cwd=tmp_path)
    assert Path(where.stdout.strip()).suffix in {".so", ".pyd"}, where.stderr
    source = results(plain, sdist, tmp_path / "source", sdist)
    native = results(compiled, sdist, tmp_path / "native", None)
    assert len(source) > 1000
    assert set(source.values()) <= {"passed", "skipped"}
    assert native == source
