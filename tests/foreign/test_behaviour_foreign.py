"""The questions of tests/packages/behaviour on real foreign Pythons: the wheel answers as the sources do, there too."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests import behaviours
from tests.builds import PYTHON, Built, build, copy_project, members, native_modules, stage, unpack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import PythonOf
    from pythons import ForeignPython

TARGETS = ("linux_arm64", "windows_amd64", "emscripten_wasm32")
OVERLAYS = {"windows_amd64": ("windows",), "emscripten_wasm32": ("emscripten",)}

# What a target adds to behaviours.KNOWN, and what of it does not show there.
MORE: dict[str, dict[str, str]] = {}
LESS: dict[str, set[str]] = {}


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(behaviours.PROJECT, tmp_path_factory.mktemp("foreign") / "behaviour")


@pytest.fixture(scope="session")
def built(project: Path) -> Built:
    return build(project, "behaviour", "single", "--type", "release", "--level", "native", "--target", *TARGETS)


def ask(python: ForeignPython, folder: Path, package: str) -> Mapping[str, Any]:
    done = python.run_script(behaviours.RUNNER, paths=[folder], args=[package])
    assert done.returncode == 0, done.stderr
    return behaviours.parse(done.stdout)


@pytest.mark.parametrize("target", TARGETS)
def test_the_wheel_answers_as_the_sources(
    target: str, built: Built, project: Path, foreign_python: PythonOf, tmp_path: Path
) -> None:
    python = foreign_python(target, PYTHON)
    sources = stage(project / "behaviour", "behaviour", tmp_path / "source", *OVERLAYS.get(target, ()))
    wheel = unpack([built.wheel(target)], tmp_path / "wheel")
    source, native = ask(python, sources, "behaviour"), ask(python, wheel, "behaviour")
    assert set(behaviours.FALLBACKS) == set(built.fallbacks(target))
    system = OVERLAYS.get(target, ("main",))[0]
    assert native["answers"]["behaviour.place.overlay_data"][1] == (system if system != "main" else "every system")
    expected = (behaviours.KNOWN.keys() | MORE.get(target, {}).keys()) - LESS.get(target, set())
    found = behaviours.differences(source, native)
    unlisted = {name: pair for name, pair in found.items() if name not in expected}
    assert unlisted == {}, json.dumps(unlisted, indent=2)
    assert sorted(expected - found.keys()) == [], "the same there: list them in LESS"


def test_newer_syntax_falls_back(
    project: Path, foreign_python: PythonOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = foreign_python("linux_x86_64", (3, 13))
    monkeypatch.setenv("PATH", f"{Path(python.command[0]).parent}{os.pathsep}{os.environ['PATH']}")
    built = build(
        project, "newer", "single", "--type", "release", "--level", "native", "--target", "linux_x86_64", "--python", "3.13"
    )
    (wheel,) = built.wheels()
    assert native_modules(members(wheel)) == {"newer", "newer.plain", "newer.strings"}
    sources = stage(project / "newer", "newer", tmp_path / "source")
    source, native = ask(python, sources, "newer"), ask(python, unpack([wheel], tmp_path / "wheel"), "newer")
    assert len(source["answers"]) > 7
    assert behaviours.differences(source, native, "newer") == {}
