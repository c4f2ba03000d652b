"""Wheels as the rest of the world sees them: checkers, installers, other Pythons, other processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import pypackpack
from pypackpack.backend.tools import uv
from pypackpack.backend.tools.venv import interpreter as venv_interpreter

ROOT = Path(pypackpack.__file__).parents[1]

PYPROJECT = """
[project]
name = "Demo.App"
version = "1.0-rc1"
description = "A small program, to be packed."
readme = "README.md"
license = "apache-2.0"
requires-python = ">=3.10"
keywords = ["one", "two"]
authors = [{ name = "Zoë Ünal", email = "zoe@example.org" }]
classifiers = ["Programming Language :: Python :: 3"]

[project.optional-dependencies]
speed = ["demo-accelerator>=1; sys_platform != 'win32'"]

[project.urls]
Home = "https://example.org/demo"

[project.scripts]
demo-app = "demo_app:main"

[project.entry-points."demo.plugins"]
plain = "demo_app.inner"
"""

# Writes the wheel of the project in argv[1] into the folder argv[2] and prints its digest.
WRITE = """
import sys
from pathlib import Path
from pypackpack.middleware.bundle.metadata import core_metadata
from pypackpack.middleware.bundle.tags import WheelTag
from pypackpack.middleware.bundle.wheel import WheelMember, write_wheel
from pypackpack.model.project import BundleSettings, Package, Project

root = Path(sys.argv[1])
source = root / "demo-app" / "src" / "main"
package = Package("Demo.App", "demo_app", root / "demo-app", "1.0-rc1", (), (), (), {}, {}, BundleSettings())
members = [
    WheelMember("demo_app/" + path.relative_to(source).as_posix(), path, path.suffix == ".sh")
    for path in source.rglob("*") if path.is_file()
]
tags = WheelTag("py3", "none", ("any",))
core = core_metadata(package, Project("demo", root, (package,)))
print(write_wheel(Path(sys.argv[2]), core=core, tags=tags, pure=True, members=members).sha256)
"""

# Says what an installed wheel is to the Python that runs it.
LOOK = """
import importlib.metadata as metadata, importlib.resources as resources, json, os, demo_app
from pathlib import Path
dist = metadata.distribution("demo.app")
script = resources.files("demo_app").joinpath("run.sh")
print(json.dumps({
    "version": dist.version,
    "summary": dist.metadata["Summary"],
    "author": dist.metadata["Author-Email"],
    "description": dist.metadata.get_payload(),
    "requires": dist.requires,
    "extras": dist.metadata.get_all("Provides-Extra"),
    "plugin": dist.entry_points.select(group="demo.plugins")["plain"].load().NAME,
    "licence": dist.read_text("licenses/LICENSE"),
    "data": resources.files("demo_app").joinpath("größe.txt").read_text(encoding="utf-8"),
    "executable": os.access(str(script), os.X_OK),
    "whole": all(file.locate().is_file() for file in dist.files),
}))
"""


def make_project(root: Path) -> Path:
    """Write a project with one package."""
    source = root / "demo-app" / "src" / "main"
    files = {
        "LICENSE": "Do what you like.\n" * 20,
        "demo-app/pyproject.toml": PYPROJECT,
        "demo-app/README.md": "# Demo\n\nEine **größere** Sache.\n",
        "demo-app/src/main/__init__.py": 'def main() -> None:\n    print("it runs")\n' + "# filler\n" * 200,
        "demo-app/src/main/inner/__init__.py": 'NAME = "inner"\n',
        "demo-app/src/main/größe.txt": "groß\n",
        "demo-app/src/main/run.sh": "#!/bin/sh\n",
    }
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8", newline="\n")
    assert source.is_dir()
    return root


def run(*command: str | Path, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    """Run a program that must succeed; return what it wrote."""
    done = subprocess.run(command, env=env, cwd=cwd, capture_output=True, encoding="utf-8", check=False, timeout=300)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def write(python: Path | str, project: Path, folder: Path, *flags: str, **variables: str) -> str:
    """Write the wheel in a process of its own and return its digest."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **variables}
    env.pop("SOURCE_DATE_EPOCH", None)
    return run(python, *flags, "-c", WRITE, project, folder, env=env, cwd=folder.parent).strip()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    write(sys.executable, make_project(folder / "project"), folder / "out")
    (made,) = (folder / "out").iterdir()
    return made


def test_checkers_find_nothing(wheel: Path) -> None:
    assert wheel.name == "demo_app-1.0rc1-py3-none-any.whl"
    assert "PASSED" in run(sys.executable, "-m", "twine", "check", "--strict", wheel, env={**os.environ, "NO_COLOR": "1"})
    assert "OK" in run(sys.executable, "-m", "check_wheel_contents", wheel)


def test_the_archive_is_one_that_other_tools_read(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert archive.testzip() is None
        assert "demo_app/größe.txt" in archive.namelist()
        assert archive.namelist()[-1] == "demo_app-1.0rc1.dist-info/RECORD"


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_installers_take_it(wheel: Path, tmp_path: Path, installer: str) -> None:
    venv = tmp_path / "venv"
    run(sys.executable, "-m", "venv", *(["--without-pip"] if installer == "uv" else []), venv)
    python = venv_interpreter(venv)
    if installer == "uv":
        run(uv.executable(), "pip", "install", "--quiet", "--no-index", "--python", python, wheel)
    else:
        run(python, "-m", "pip", "install", "--quiet", "--no-index", "--disable-pip-version-check", wheel)
        run(python, "-m", "pip", "check", "--disable-pip-version-check")
    env = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    env.pop("PYTHONPATH", None)
    seen = json.loads(run(python, "-c", LOOK, env=env, cwd=tmp_path))
    assert seen == {
        "version": "1.0rc1",
        "summary": "A small program, to be packed.",
        "author": "Zoë Ünal <zoe@example.org>",
        "description": "# Demo\n\nEine **größere** Sache.\n",
        "requires": ['demo-accelerator>=1; sys_platform != "win32" and extra == "speed"'],
        "extras": ["speed"],
        "plugin": "inner",
        "licence": "Do what you like.\n" * 20,
        "data": "groß\n",
        "executable": True,
        "whole": True,
    }
    script = python.with_name("demo-app.exe" if sys.platform == "win32" else "demo-app")
    assert run(script, env=env).strip() == "it runs"


def test_neither_process_nor_folder_nor_clock_shows_in_the_bytes(wheel: Path, tmp_path: Path) -> None:
    project = make_project(tmp_path / "ganz woanders")
    for path in project.rglob("*"):
        os.utime(path, (10**9, 10**9))
    digests = {
        write(sys.executable, project, tmp_path / "one", PYTHONHASHSEED="1", TZ="Pacific/Kiritimati", LC_ALL="C"),
        write(sys.executable, project, tmp_path / "two", "-O", PYTHONHASHSEED="2", TZ="Pacific/Niue", PYTHONUTF8="1"),
    }
    assert len(digests) == 1
    assert (tmp_path / "one" / wheel.name).read_bytes() == wheel.read_bytes()


@pytest.mark.network
@pytest.mark.parametrize("version", ["3.10", "3.13"])
def test_another_python_writes_the_same_bytes(wheel: Path, tmp_path: Path, version: str) -> None:
    venv = tmp_path / "venv"
    uv.make_venv(venv, uv.find_python(version).executable)
    python = venv_interpreter(venv)
    needs = ["deflate>=0.9,<0.10", "packaging>=25.0", "pyproject-metadata>=0.11", "tomli>=2.2; python_version < '3.11'"]
    run(uv.executable(), "pip", "install", "--quiet", "--python", python, *needs)
    assert run(python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])").strip() == version
    write(python, make_project(tmp_path / "project"), tmp_path / "out")
    assert (tmp_path / "out" / wheel.name).read_bytes() == wheel.read_bytes()
