"""One extension module for a package, for two processors at once, and by emcc."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import lief
import pytest
import series

from tests.builds import build, members, native_modules, unpack

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import PythonOf

SETTINGS = """\
[project]
name = "tiny"
version = "1"
[tool.pypackpack]
targets = ["macos_universal2", "emscripten_wasm32"]
[tool.pypackpack.build]
unit = "package"
[tool.pypackpack.build.target.emscripten_wasm32]
toolchain = "emcc"
"""
ASK = "import tiny.sub.deep, tiny; print(tiny.sub.deep.double(21), tiny.sub.deep.__name__, tiny.NAME)\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    sub = root / "tiny" / "src" / "main" / "sub"
    sub.mkdir(parents=True)
    (root / "pyproject.toml").write_text('[tool.pypackpack]\npackages = ["tiny"]\n')
    (root / "tiny" / "pyproject.toml").write_text(SETTINGS)
    (sub.parent / "__init__.py").write_text("NAME = __name__\n")
    (sub / "__init__.py").touch()
    (sub / "deep.py").write_text("def double(x):\n    return 2 * x\n")
    return root


def test_a_universal_file_has_the_package_for_both_processors(project: Path) -> None:
    built = build(project, "tiny", "single", "--level", "native", "--type", "release", "--target", "macos_universal2")
    files = members(built.wheel("macos_universal2"))
    assert native_modules(files) == {"tiny"}
    (name,) = (each for each in files if each.endswith(".so"))
    fat = lief.MachO.parse(list(files[name]))
    assert fat is not None
    assert {str(each.header.cpu_type).rpartition(".")[2] for each in fat} == {"X86_64", "ARM64"}
    for each in fat:
        assert [symbol.name for symbol in each.exported_symbols if "Init" in str(symbol.name)] == ["_PyInit_tiny"]
        assert b"'tiny.sub.deep': (" in bytes(b"".join(bytes(section.content) for section in each.sections))
    # A module more in one part would be one that half of the machines cannot import.
    assert (
        build(project, "tiny", "single", "--level", "native", "--type", "release", "--target", "macos_universal2").answer[
            "tasks_run"
        ]
        == 0
    )


@pytest.mark.skipif(shutil.which("emcc") is None, reason="no emcc on this machine")
def test_emcc_makes_one_that_pyodide_imports(project: Path, foreign_python: PythonOf, tmp_path: Path) -> None:
    python = series.choose("emscripten_wasm32", foreign_python)
    words = ("single", "--level", "native", "--type", "release", "--target", "emscripten_wasm32", *series.words(python))
    wheel = build(project, "tiny", *words, env=series.environment(python)).wheel("emscripten_wasm32")
    assert native_modules(members(wheel)) == {"tiny"}
    script = tmp_path / "ask.py"
    script.write_text(ASK)
    done = python.run_script(script, paths=[unpack([wheel], tmp_path / "wheel")])
    assert done.stdout.split() == ["42", "tiny.sub.deep", "tiny"], done.stderr
