"""Compiled dependencies on real foreign Pythons."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import series

from tests import dependents
from tests.builds import build

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import PythonOf


@pytest.mark.parametrize("target", ["linux_arm64", "windows_amd64", "emscripten_wasm32"])
def test_compiled_dependencies_answer_as_their_sources(target: str, foreign_python: PythonOf, tmp_path: Path) -> None:
    # Of Pyodide the one whose platform uv knows.
    wasm = target == "emscripten_wasm32"
    python = foreign_python(target, (3, 13)) if wasm else series.choose(target, foreign_python)
    root = dependents.project(tmp_path, targets=(target,), python="{}.{}".format(*python.version[:2]))
    built = build(root, "app", "binary", "--level", "native", env=series.environment(python))
    done = python.run(dependents.QUESTIONS, paths=[built.wheel(target)])
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    native = sorted(["app", *dependents.NATIVE])
    assert found == {"answers": dependents.ANSWERS, "words": 1500, "gone": [], "wrong": [], "native": native}
