"""Fat wheels on real foreign Pythons: what they carry is native there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import series

from pypackpack.middleware.verify import verify
from tests import dependents
from tests.builds import build, unpack

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import PythonOf

PLACES = """
import os, runpy
print(json.dumps([os.path.basename(os.path.dirname(os.path.dirname(app.__file__))), importlib.metadata.version("app-fat"),
                  app is sys.modules["app"], runpy.run_module("plainlib", run_name="asked")["__name__"]]))
"""


@pytest.mark.parametrize("target", ["linux_arm64", "windows_amd64", "emscripten_wasm32"])
def test_what_it_carries_answers_as_its_sources(target: str, foreign_python: PythonOf, tmp_path: Path) -> None:
    # Of Pyodide the one whose platform uv knows.
    wasm = target == "emscripten_wasm32"
    python = foreign_python(target, (3, 13)) if wasm else series.choose(target, foreign_python)
    root = dependents.project(tmp_path, targets=(target,), python="{}.{}".format(*python.version[:2]))
    (made,) = build(root, "app", "fat", "--level", "native", env=series.environment(python)).wheels()
    version = "cp{}{}".format(*python.version[:2])
    assert made.name.startswith(f"app_fat-1-{version}-{version}-")
    assert all(check.problems == () for check in verify(made).checks)
    done = python.run(dependents.QUESTIONS + PLACES, paths=[unpack([made], tmp_path / "site")])
    assert done.returncode == 0, done.stderr
    found, places = map(json.loads, done.stdout.replace("main\n", "").splitlines()[-2:])
    native = sorted(["app", *dependents.NATIVE])
    assert found == {"answers": dependents.ANSWERS, "words": 1500, "gone": [], "wrong": [], "native": native}
    assert places == ["_carried", "1", True, "asked"]
