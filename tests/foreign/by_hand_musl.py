"""Modules for musl on a Python for musl: by Cython and by Nuitka, separate and as one file.

    python tests/foreign/provide.py linux_musl_x86_64
    python -m pytest tests/foreign/by_hand_musl.py

That Python is built of Debian's source, which takes minutes: it is no part of the suite, and pytest does not collect this by itself.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from test_unit_foreign import NATIVE

from tests import behaviours
from tests.builds import PACKAGES, PYTHON, build, copy_project, members, native_modules, stage, unpack

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import PythonOf
    from pythons import ForeignPython

MUSL = "linux_musl_x86_64"
KNOWN = {"cython": behaviours.KNOWN, "nuitka": behaviours.NUITKA}


def asked(python: ForeignPython, package: str, source: Path, wheel: Path) -> dict[str, object]:
    """Return what differs between the answers of the sources and of the wheel."""
    answers = []
    for folder in (source, wheel):
        done = python.run_script(behaviours.RUNNER, paths=[folder], args=[package])
        assert done.returncode == 0, done.stderr
        answers.append(behaviours.parse(done.stdout))
        assert len(answers[-1]["answers"]) > 20
    return dict(behaviours.differences(*answers, package))


@pytest.mark.parametrize("compiler", KNOWN)
def test_each_module_answers_as_the_sources(compiler: str, tmp_path: Path, foreign_python: PythonOf) -> None:
    python = foreign_python(MUSL, PYTHON)
    project = copy_project(behaviours.PROJECT, tmp_path / "behaviour")
    settings = project / "behaviour" / "pyproject.toml"
    table = f'\n[tool.pypackpack.build]\ncompiler = "{compiler}"\n'
    if compiler == "nuitka":
        table += f"native = {{ include = {json.dumps(behaviours.NUITKA_MODULES)} }}\n"
    settings.write_text(settings.read_text(encoding="utf-8") + table, encoding="utf-8")
    built = build(project, "behaviour", *NATIVE, "debug", "--target", MUSL)
    wheel = unpack([built.wheel(MUSL)], tmp_path / "wheel")
    found = asked(python, "behaviour", stage(project / "behaviour", "behaviour", tmp_path / "source"), wheel)
    known = KNOWN[compiler].keys()
    assert {name: pair for name, pair in found.items() if name not in known} == {}
    assert sorted(known - found.keys()) == []


@pytest.mark.parametrize("compiler", KNOWN)
def test_one_file_answers_as_the_sources(compiler: str, tmp_path: Path, foreign_python: PythonOf) -> None:
    python = foreign_python(MUSL, PYTHON)
    project = copy_project(PACKAGES / "whole", tmp_path / "whole")
    settings = project / "whole" / "pyproject.toml"
    text = settings.read_text(encoding="utf-8").replace('"linux_arm64"', f'"{MUSL}"')
    settings.write_text(text.replace('unit = "package"\n', f'unit = "package"\ncompiler = "{compiler}"\n'), encoding="utf-8")
    built = build(project, "whole", *NATIVE, "release", "--target", MUSL)
    assert native_modules(members(built.wheel(MUSL))) == {"whole"}
    wheel = unpack([built.wheel(MUSL)], tmp_path / "wheel")
    assert asked(python, "whole", stage(project / "whole", "whole", tmp_path / "source"), wheel) == {}
