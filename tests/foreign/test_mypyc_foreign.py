"""mypyc for other platforms: one build for three, and one for Pyodide, all run; and what the wheels say of their modules."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import series
from answering import HERE, ask, ask_on

from pypackpack.model.interpreter import NEWEST, OLDEST
from tests import behaviours
from tests.builds import PACKAGES, Built, build, copy_project, members, native_modules, stage, unpack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import PythonOf

RUN = (HERE, "linux_arm64", "windows_amd64")
WASM = "emscripten_wasm32"
REFUSED = {
    "refused_alias": "[second-name]",
    "refused_async": "async generators",
    "refused_untyped": "[no-untyped-def]",
    "refused_wrong": "[return-value]",
}
NATIVE = {"exact", *(f"exact.{name}" for name in ("flows", "heirs", "inner", "inner.leaf", "numbers", "rounds_a", "rounds_b"))}
NATIVE |= {"exact.shapes", "exact.systems"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(PACKAGES / "typed", tmp_path_factory.mktemp("mypyc") / "typed")


@pytest.fixture(scope="module")
def built(project: Path) -> Built:
    return build(project, "exact", "single", "--type", "debug", "--level", "native", "--target", *RUN)


def check(source: Mapping[str, Any], native: Mapping[str, Any]) -> None:
    """Look whether a wheel answers as the sources, by its compiled modules."""
    assert len(source["answers"]) > 45
    raised = {name: answer for name, answer in source["answers"].items() if isinstance(answer, dict) and "raised" in answer}
    assert raised == {}
    found = behaviours.differences(source, native, "exact")
    assert found == {}, json.dumps(found, indent=2)
    compiled = {name for name, file in native["files"].items() if file.endswith((".so", ".pyd"))}
    assert compiled == NATIVE


@pytest.mark.parametrize("target", RUN)
def test_the_wheel_answers_as_the_sources(
    target: str, project: Path, built: Built, foreign_python: PythonOf, tmp_path: Path
) -> None:
    sources = stage(project / "exact", "exact", tmp_path / "source")
    wheel = unpack([built.wheel(target)], tmp_path / "wheel")
    check(*(ask_on(target, folder, "exact", foreign_python) for folder in (sources, wheel)))


def test_pyodide_answers_as_the_sources(project: Path, foreign_python: PythonOf, tmp_path: Path) -> None:
    python = series.choose(WASM, foreign_python)
    words = ("single", "--type", "debug", "--level", "native", "--target", WASM, *series.words(python))
    wheel = build(project, "exact", *words, env=series.environment(python)).wheel(WASM)
    folders = (stage(project / "exact", "exact", tmp_path / "source"), unpack([wheel], tmp_path / "wheel"))
    check(*(ask(python, folder, "exact") for folder in folders))


def test_the_oldest_and_the_newest_python(project: Path, foreign_python: PythonOf, tmp_path: Path) -> None:
    mine = copy_project(project, tmp_path / "typed")
    settings = mine / "exact" / "pyproject.toml"
    settings.write_text(settings.read_text() + 'native = { include = ["numbers", "shapes"] }\n')
    pythons = [foreign_python(HERE, version) for version in (OLDEST, NEWEST)]
    path = os.pathsep.join([*(str(Path(python.command[0]).parent) for python in pythons), os.environ["PATH"]])
    words = ("--type", "debug", "--level", "native", "--target", HERE, "--python", *(series.words(each)[1] for each in pythons))
    built = build(mine, "exact", "single", *words, env={"PATH": path})
    for python in pythons:
        wheel = unpack([built.wheel(HERE, python.version[:2])], tmp_path / str(python.version[1]))
        native = ask(python, wheel, "exact")
        assert {name for name, file in native["files"].items() if file.endswith(".so")} == {"exact.numbers", "exact.shapes"}
        source = ask(python, stage(mine / "exact", "exact", tmp_path / "source"), "exact")
        assert behaviours.differences(source, native, "exact") == {}


def test_what_falls_back_says_why(built: Built) -> None:
    for target in RUN:
        reasons = built.fallbacks(target)
        assert set(reasons) == {f"exact.{name}" for name in REFUSED}
        assert [name for name, word in REFUSED.items() if word not in reasons[f"exact.{name}"]] == []


def test_modules_show_their_entry_and_nothing_of_this_machine(built: Built, project: Path) -> None:
    files = members(built.wheel(HERE))
    assert native_modules(files) == NATIVE
    report = json.loads(files["exact-1.0.dist-info/pypackpack.json"])
    assert report["compiler"]["name"] == "mypyc"
    for name, data in files.items():
        if name.endswith(".so"):
            assert str(project).encode() not in data
