"""Asks the package in a folder its questions (`tests.behaviours`), on the Python that runs the tests or on a foreign one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from tests import behaviours
from tests.builds import PYTHON, run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conftest import PythonOf
    from pythons import ForeignPython

HERE = "linux_x86_64"
"""The target that the Python of the tests is one of."""


def ask(python: ForeignPython, folder: Path, package: str) -> Mapping[str, Any]:
    """Return what a package answers on a foreign Python."""
    done = python.run_script(behaviours.RUNNER, paths=[folder], args=[package])
    assert done.returncode == 0, done.stderr
    return behaviours.parse(done.stdout)


def ask_on(target: str, folder: Path, package: str, foreign_python: PythonOf) -> Mapping[str, Any]:
    """Return what a package answers on a target, on a Python of the X.Y that runs the tests."""
    if target != HERE:
        return ask(foreign_python(target, PYTHON), folder, package)
    done = run([sys.executable, behaviours.RUNNER, package], cwd=folder, env={"PYTHONPATH": str(folder)})
    assert done.returncode == 0, done.stderr
    return behaviours.parse(done.stdout)
