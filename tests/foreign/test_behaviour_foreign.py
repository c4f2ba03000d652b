"""The questions of tests/packages/behaviour on real foreign Pythons: the wheel answers as the sources do, there too."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import series
from answering import ask

from tests import behaviours
from tests.builds import build, copy_project, members, native_modules, stage, unpack

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import PythonOf

TARGETS = ("linux_arm64", "windows_amd64", "emscripten_wasm32")
"""Release on all of them: what an optimiser makes of the code is another thing on each processor."""

OVERLAYS = {"windows_amd64": ("windows",), "emscripten_wasm32": ("emscripten",)}

# What a target adds to behaviours.KNOWN, and what of it does not show there.
MORE: dict[str, dict[str, str]] = {}
LESS: dict[str, set[str]] = {}


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(behaviours.PROJECT, tmp_path_factory.mktemp("foreign") / "behaviour")


@pytest.mark.parametrize("target", TARGETS)
def test_the_wheel_answers_as_the_sources(target: str, project: Path, foreign_python: PythonOf, tmp_path: Path) -> None:
    python = series.choose(target, foreign_python)
    options = ("single", "--type", "release", "--level", "native", "--target", target, *series.words(python))
    built = build(project, "behaviour", *options, env=series.environment(python))
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


def test_newer_syntax_falls_back(project: Path, foreign_python: PythonOf, tmp_path: Path) -> None:
    python = foreign_python("linux_x86_64", (3, 13))
    options = ("single", "--type", "release", "--level", "native", "--target", "linux_x86_64", *series.words(python))
    built = build(project, "newer", *options, env=series.environment(python))
    (wheel,) = built.wheels()
    assert native_modules(members(wheel)) == {"newer", "newer.plain", "newer.strings"}
    sources = stage(project / "newer", "newer", tmp_path / "source")
    source, native = ask(python, sources, "newer"), ask(python, unpack([wheel], tmp_path / "wheel"), "newer")
    assert len(source["answers"]) > 7
    assert behaviours.differences(source, native, "newer") == {}
