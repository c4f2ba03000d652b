"""Nuitka for other platforms: one build for five, run on three, read on the others; and one for Pyodide, of the Python that it has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import lief
import pytest
import series
import statics
from answering import HERE, ask, ask_on

from tests import behaviours
from tests.builds import PYTHON, Built, build, copy_project, members, native_modules, stage, unpack

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import PythonOf

RUN = (HERE, "linux_arm64", "windows_amd64")
READ = ("macos_arm64", "linux_musl_x86_64")
WASM = "emscripten_wasm32"


SAMPLE = ("__init__", "coroutines", "inner/**")
"""What is compiled for targets whose modules are only read."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = copy_project(behaviours.PROJECT, tmp_path_factory.mktemp("nuitka") / "behaviour")
    settings = root / "behaviour" / "pyproject.toml"
    table = f'\n[tool.pypackpack.build]\ncompiler = "nuitka"\nnative = {{ include = {json.dumps(behaviours.NUITKA_MODULES)} }}\n'
    for target in READ:
        table += f"[tool.pypackpack.build.target.{target}]\nnative = {{ include = {json.dumps(SAMPLE)} }}\n"
    settings.write_text(settings.read_text() + table)
    return root


@pytest.fixture(scope="module")
def built(project: Path) -> Built:
    return build(project, "behaviour", "single", "--type", "debug", "--level", "native", "--target", *RUN, *READ)


@pytest.mark.parametrize("target", RUN)
def test_the_wheel_answers_as_the_sources(
    target: str, project: Path, built: Built, foreign_python: PythonOf, tmp_path: Path
) -> None:
    overlay = ("windows",) if target == "windows_amd64" else ()
    sources = stage(project / "behaviour", "behaviour", tmp_path / "source", *overlay)
    source = ask_on(target, sources, "behaviour", foreign_python)
    native = ask_on(target, unpack([built.wheel(target)], tmp_path / "wheel"), "behaviour", foreign_python)
    assert len(source["answers"]) > 300
    found = behaviours.differences(source, native)
    unlisted = {name: pair for name, pair in found.items() if name not in behaviours.NUITKA}
    assert unlisted == {}, json.dumps(unlisted, indent=2)
    assert sorted(behaviours.NUITKA.keys() - found.keys()) == [], "the same now: take them out of the table"


def test_pyodide_answers_as_the_sources(project: Path, foreign_python: PythonOf, tmp_path: Path) -> None:
    python = series.choose(WASM, foreign_python)
    words = ("single", "--type", "debug", "--level", "native", "--target", WASM, *series.words(python))
    wheel = build(project, "behaviour", *words, env=series.environment(python)).wheel(WASM)
    assert len([name for name in members(wheel) if name.endswith(".so")]) == len(behaviours.NUITKA_MODULES) - 1
    sources = stage(project / "behaviour", "behaviour", tmp_path / "source", "emscripten")
    answers = [ask(python, folder, "behaviour") for folder in (sources, unpack([wheel], tmp_path / "wheel"))]
    assert len(answers[0]["answers"]) > 300
    found = behaviours.differences(*answers)
    assert {name: pair for name, pair in found.items() if name not in behaviours.NUITKA} == {}
    newer = {"groups.split"} if python.version >= (3, 13) else set()  # takes every callable from there on
    assert sorted(behaviours.NUITKA.keys() - found.keys() - newer) == []


@pytest.mark.parametrize("target", [*RUN, *READ])
def test_each_module_is_of_its_platform(target: str, built: Built, project: Path) -> None:
    files = members(built.wheel(target))
    modules = {name: data for name, data in files.items() if name.endswith((".so", ".pyd"))}
    # inner/** are two, and two of them all are refused
    assert len(modules) == (len(SAMPLE) + 1 if target in READ else len(behaviours.NUITKA_MODULES) - 1)
    for name, data in modules.items():
        if target == "macos_arm64":
            statics.check(target, PYTHON, name, data)
        else:  # those checks are of stripped modules
            assert exported(data) == {f"PyInit_{statics.module_of(name)}"}
        assert str(project).encode() not in data


def exported(data: bytes) -> set[str]:
    """Return the names that a module for Linux or Windows shows."""
    binary = lief.parse(list(data))
    if isinstance(binary, lief.PE.Binary):
        return {entry.name for entry in binary.get_export().entries}
    assert isinstance(binary, lief.ELF.Binary)
    return {symbol.name for symbol in binary.exported_symbols}


def test_what_nuitka_crashes_on_is_bytecode(built: Built) -> None:
    for target in RUN:
        reasons = built.fallbacks(target)
        assert reasons.keys() >= behaviours.NUITKA_FALLBACKS.keys()
        assert [name for name, word in behaviours.NUITKA_FALLBACKS.items() if word not in reasons[name]] == []
    assert "behaviour.values" not in native_modules(members(built.wheel(HERE)))
