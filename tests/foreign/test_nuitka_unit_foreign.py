"""A package that is one extension module made by Nuitka answers as its sources do: on four platforms, and beside another one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import lief
import pytest
import series
from test_unit_foreign import ARM, HOST, NATIVE, WASM, WINDOWS, answers, compare

from tests import behaviours
from tests.builds import PACKAGES, PYTHON, Built, build, copy_project, members, native_modules, run, stage, unpack

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import PythonOf

ONCE = """
import sys
hooks, finders = [*sys.path_hooks], [*sys.meta_path]
import inspect
before = inspect.getgeneratorstate
import other, other.first, other.sub.first
first = inspect.getgeneratorstate
import whole, whole.sub.deeper.first
def chain(function):
    found = 0
    while function is not before:
        found, (function,) = found + 1, {cell for cell in [getattr(function, "__wrapped__", before)]}
    return found
print(whole.one(), other.one(), type(other.one) is type(other.first.one), type(other.one) is type(whole.one))
print(finders == sys.meta_path, [getattr(hook, "__name__", "") for hook in sys.path_hooks if hook not in hooks])
print(other.__compiled__.main, other.sub.first.__compiled__.main, whole.sub.__compiled__.main)
"""
"""Types, finders and what names the compiled program: once for each file."""


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    mine = copy_project(PACKAGES / "whole", tmp_path_factory.mktemp("nuitka-unit") / "whole")
    for package in ("whole", "other"):
        file = mine / package / "pyproject.toml"
        text = file.read_text(encoding="utf-8")
        assert text.count('unit = "package"\n') == 1
        text = text.replace('unit = "package"\n', 'unit = "package"\ncompiler = "nuitka"\n')
        # On Pyodide another Python wants C of its own: fewer modules.
        text += f'[tool.pypackpack.build.target.{WASM}]\nnative = {{ include = ["__init__", "first", "sub/**"] }}\n'
        file.write_text(text, encoding="utf-8")
    return mine


@pytest.fixture(scope="session")
def built(project: Path) -> Built:
    return build(project, "whole", *NATIVE, "debug", "--target", HOST, ARM, WINDOWS)


@pytest.mark.parametrize("target", [HOST, ARM, WINDOWS])
def test_one_file_answers_as_the_sources(
    target: str, built: Built, project: Path, foreign_python: PythonOf, tmp_path: Path
) -> None:
    files = members(built.wheel(target))
    assert native_modules(files) == {"whole"}
    assert built.fallbacks(target) == {}
    (library,) = (data for name, data in files.items() if name.endswith((".so", ".pyd")))
    assert exported(library) == {"PyInit_whole"}
    assert str(project).encode() not in library
    sources, wheel = stage(project / "whole", "whole", tmp_path / "source"), unpack([built.wheel(target)], tmp_path / "wheel")
    said = []
    for folder in (sources, wheel):
        if target == HOST:
            said.append(run([sys.executable, behaviours.RUNNER, "whole"], cwd=tmp_path, env={"PYTHONPATH": str(folder)}))
        else:
            said.append(foreign_python(target, PYTHON).run_script(behaviours.RUNNER, paths=[folder], args=["whole"]))
    compare(answers(said[0]), answers(said[1]))


def exported(data: bytes) -> set[str]:
    """Return the names that a module for Linux or Windows shows."""
    binary = lief.parse(list(data))
    if isinstance(binary, lief.PE.Binary):
        return {entry.name for entry in binary.get_export().entries}
    assert isinstance(binary, lief.ELF.Binary)
    return {symbol.name for symbol in binary.exported_symbols}


def test_pyodide(project: Path, foreign_python: PythonOf, tmp_path: Path) -> None:
    python = series.choose(WASM, foreign_python)
    built = build(project, "whole", *NATIVE, "debug", "--target", WASM, *series.words(python), env=series.environment(python))
    sources, wheel = stage(project / "whole", "whole", tmp_path / "source"), unpack(built.wheels(), tmp_path / "wheel")
    assert native_modules(members(built.wheel(WASM))) == {"whole"}
    compare(*[answers(python.run_script(behaviours.RUNNER, paths=[each], args=["whole"])) for each in (sources, wheel)])


def test_what_nuitka_makes_ready_is_made_once_in_a_file(project: Path, built: Built, tmp_path: Path) -> None:
    other = build(project, "other", *NATIVE, "debug", "--target", HOST)
    folder = unpack([built.wheel(HOST), *other.wheels()], tmp_path / "both")
    done = run([sys.executable, "-c", ONCE], cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "('one', 'two') ('other', 'other.sub.first') True False",
        "True ['hook', 'hook']",
        "other other whole",
    ]
