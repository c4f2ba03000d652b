"""Builds with the real command, for tests that look at what comes out: copies of sample projects, wheels, their files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pypackpack

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ROOT = Path(pypackpack.__file__).parents[1]
EXAMPLE = ROOT / "usage-example"
PACKAGES = ROOT / "tests" / "packages"
PYTHON = sys.version_info[:2]
"""What the sample packages are built for: the Python that runs the tests, so that nothing else has to be there."""

_MADE = shutil.ignore_patterns("build", ".venv", "__pycache__", ".pytest_cache", "pyproject.lock")


@dataclass(frozen=True)
class Built:
    """What one build said and made."""

    answer: Mapping[str, Any]

    def wheel(self, target: str, python: tuple[int, int] | None = None) -> Path:
        """The wheel of a target, and of a Python X.Y if more than one was built for."""
        series = [list(python)] if python else [each["python"] for each in self.answer["artifacts"]]
        artifacts = [each for each in self.answer["artifacts"] if target in each["targets"] and each["python"] in series]
        found = [Path(each["path"]) for each in artifacts]
        assert len(found) == 1, f"{len(found)} artifacts for {target}: {found}"
        return found[0]

    def wheels(self) -> list[Path]:
        """All wheels."""
        return [Path(each["path"]) for each in self.answer["artifacts"]]

    def fallbacks(self, target: str) -> dict[str, str]:
        """Modules of a target that are not native, with the reason."""
        return {each["module"]: each["reason"] for each in self.answer["fallbacks"] if target in each["targets"]}


def copy_project(source: Path, folder: Path) -> Path:
    """Copy a sample project without what was made in it."""
    shutil.copytree(source, folder, ignore=_MADE)
    return folder


def build(project: Path, package: str, *words: str, env: Mapping[str, str] | None = None, timeout: float = 1500) -> Built:
    """Run ``pypackpack build <package> source <words>`` with additions to the environment and return what it says."""
    command = [sys.executable, "-m", "pypackpack", "build", package, "source", *words, "--json"]
    done = run(command, cwd=project, env={"PYTHONPATH": str(ROOT), "NO_COLOR": "1", **(env or {})}, timeout=timeout)
    assert done.returncode == 0, done.stdout + done.stderr
    return Built(json.loads(done.stdout.splitlines()[-1]))


def run(
    command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str] | None = None, timeout: float = 600
) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder, with additions to our environment."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1", **(env or {})}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, encoding="utf-8", check=False, timeout=timeout)


def unpack(wheels: Iterable[Path], folder: Path) -> Path:
    """Unpack wheels into a folder that then can stand on ``sys.path``."""
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
    return folder


def stage(package: Path, name: str, folder: Path, *overlays: str) -> Path:
    """Lay a package's sources into ``folder/<name>`` by hand, overlays last: what the wheel has to behave like."""
    for layer in ("main", *overlays):
        if (source := package / "src" / layer).is_dir():
            shutil.copytree(source, folder / name, dirs_exist_ok=True, ignore=_MADE)
    return folder


def members(wheel: Path) -> dict[str, bytes]:
    """Return the files in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def linked(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the code of others that a wheel's bill of materials says is in it: name → version."""
    (place,) = [name for name in files if name.endswith("/sboms/pypackpack.cdx.json")]
    return {part["name"]: part.get("version", "") for part in json.loads(files[place])["metadata"]["component"]["components"]}


def native_modules(files: Iterable[str]) -> set[str]:
    """Return the dotted names of the extension modules among files."""
    found = set()
    for name in files:
        if name.endswith((".so", ".pyd")):
            folder, _, file = name.rpartition("/")
            found.add(f"{folder}/{file.partition('.')[0]}".strip("/").replace("/", ".").removesuffix(".__init__"))
    return found
