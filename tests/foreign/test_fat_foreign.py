"""Fat wheels on real foreign Pythons: what they carry is native there."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
import series

from pypackpack.middleware.verify import verify
from tests import dependents
from tests.builds import build, run, unpack

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


NATIVE = """
import importlib.metadata as metadata, json, threading
import app
files = [file for name in ("MarkupSafe", "PyYAML", "msgpack", "app") for file in metadata.files(name)]
print(json.dumps([app.ask(), [str(file) for file in files if not file.locate().is_file()],
                  sum("licen" in str(file).lower() or "COPYING" in str(file) for file in files)]))
"""
ASK = """
import markupsafe._speedups, msgpack, yaml
def ask():
    text = yaml.load("a: [1, 2]", Loader=yaml.CSafeLoader)
    return [str(markupsafe.escape("<")), text, msgpack.unpackb(msgpack.packb([1])), msgpack.Packer.__module__]
"""


def test_native_dependencies_of_the_index_on_two_processors(foreign_python: PythonOf, tmp_path: Path) -> None:
    python = series.choose("linux_arm64", foreign_python)
    root = tmp_path / "whole"
    main = root / "app" / "src" / "main"
    main.mkdir(parents=True)
    (main / "__init__.py").write_text(ASK)
    needs = 'dependencies = ["markupsafe", "pyyaml", "msgpack"]'
    own = '[tool.pypackpack]\ntargets = ["linux_x86_64", "linux_arm64"]\npython = ["{}.{}"]\n'.format(*python.version[:2])
    (root / "app" / "pyproject.toml").write_text(f'[project]\nname = "app"\nversion = "1"\n{needs}\n{own}')
    whole = '[project]\nname = "whole"\nversion = "1"\nrequires-python = ">=3.10"\n[tool.pypackpack]\npackages = ["app"]\n'
    (root / "pyproject.toml").write_text(whole)
    built = build(root, "app", "fat", "--type", "release", env=series.environment(python))
    assert [each["targets"] for each in built.answer["artifacts"]] == [["linux_x86_64"], ["linux_arm64"]]
    right = [["&lt;", {"a": [1, 2]}, [1], "msgpack._cmsgpack"], [], 3]
    done = python.run(NATIVE, paths=[unpack([built.wheel("linux_arm64")], tmp_path / "arm64")])
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == right
    if python.version[:2] == sys.version_info[:2]:
        site = unpack([built.wheel("linux_x86_64")], tmp_path / "host")
        here = run([sys.executable, "-c", NATIVE], cwd=tmp_path, env={"PYTHONPATH": str(site)})
        assert (here.returncode, here.stderr) == (0, "")
        assert json.loads(here.stdout) == right
