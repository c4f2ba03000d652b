"""Which Python X.Y a test builds for, so that a foreign Python runs it and a Python here has its headers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pythons import available, find

from tests.builds import PYTHON

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import PythonOf
    from pythons import ForeignPython


def choose(target: str, foreign_python: PythonOf) -> ForeignPython:
    """Return the foreign Python of a target: of the X.Y that runs the tests, else of one that is here for Linux, too."""
    if python := find(target, PYTHON):
        return python
    for python in available():
        if python.target == target and find("linux_x86_64", python.version[:2]):
            return python
    return foreign_python(target, PYTHON)


def words(python: ForeignPython) -> tuple[str, str]:
    """Return what ``pypackpack build`` has to be told about the Python to build for."""
    return "--python", "{}.{}".format(*python.version[:2])


def environment(python: ForeignPython) -> Mapping[str, str]:
    """Return what has to be in the environment for pypackpack to find a Python of that X.Y here."""
    host = find("linux_x86_64", python.version[:2])
    if host is None or python.version[:2] == PYTHON:
        return {}
    return {"PATH": f"{Path(host.command[0]).parent}{os.pathsep}{os.environ['PATH']}"}
