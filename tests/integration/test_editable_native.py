"""Native sources of editable packages with the real tools: built when the package is installed, told when they are older."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pypackpack.middleware import hooks
from pypackpack.middleware.compile.native.find import COMPILED, CYTHON, INCLUDED
from pypackpack.middleware.editable import extensions
from pypackpack.middleware.environment import development
from pypackpack.middleware.project.read import load_project
from pypackpack.middleware.target import table
from pypackpack.model.build import Silent
from pypackpack.model.errors import SourceError
from tests.builds import run, unpack

if TYPE_CHECKING:
    import subprocess

HOST = table.host_target()
SERIES = sys.version_info[:2]
MODULE = """\
#include <Python.h>
#include "number.h"
static PyObject *answer(PyObject *self, PyObject *none) { (void) self; (void) none; return PyLong_FromLong(NUMBER); }
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, ""}, {0}};
static struct PyModuleDef d = {PyModuleDef_HEAD_INIT, "fast", 0, -1, methods};
PyMODINIT_FUNC PyInit_fast(void) { return PyModule_Create(&d); }
"""
ASK = "import small.sub.fast; print(small.sub.fast.answer(), small.sub.fast.__name__, small.__file__)"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Write a project whose package has a module of C and a header, and no others."""
    sub = tmp_path / "project" / "small" / "src" / "main" / "sub"
    sub.mkdir(parents=True)
    root = tmp_path / "project"
    (root / "pyproject.toml").write_text('[tool.pypackpack]\npackages = ["small"]\n')
    (root / ".python-version").write_text("{}.{}".format(*SERIES))
    (root / "small" / "pyproject.toml").write_text(
        f'[project]\nname = "small"\nversion = "1"\n[tool.pypackpack]\ntargets = ["{HOST.name}"]\n'
    )
    (sub.parent / "__init__.py").touch()
    (sub / "__init__.py").touch()
    (sub / "fast.c").write_text(MODULE)
    (sub / "number.h").write_text("#define NUMBER 41\n")
    return root


def ask(site: Path, python: Path = Path(sys.executable)) -> subprocess.CompletedProcess[str]:
    (pth,) = site.glob("*.pth")
    start = f"import site; site.addsitedir({os.fspath(pth.parent)!r}); {ASK}"
    return run([python, "-c", start], cwd=site)


def test_installing_builds_and_says_when_a_source_is_newer(project: Path, tmp_path: Path) -> None:
    folder, made = project / "small", tmp_path / "made"
    wheel = made / hooks.editable(folder, made, {}, Silent())
    site = unpack([wheel], tmp_path / "site")
    done = ask(site)
    assert done.stdout.split()[:2] == ["41", "small.sub.fast"], done.stderr
    assert done.stderr == ""
    header = folder / "src" / "main" / "sub" / "number.h"
    header.write_text("#define NUMBER 4200\n")
    done = ask(site)
    assert done.stdout.startswith("41 ")
    words = f"{header} has changed since small's extension modules were built; the old ones are imported. Run `pypackpack sync`"
    assert f"RuntimeWarning: {words}" in done.stderr
    source = load_project(project).packages[0]
    assert not extensions.are_current(source, HOST, SERIES)
    header.write_text("#define NUMBER (\n")
    with pytest.raises(SourceError, match=rf"small\.sub\.fast does not compile for {HOST.name}: small/sub/"):
        hooks.editable(folder, made, {}, Silent())
    assert ask(site).stdout.startswith("41 ")  # what was there before
    header.write_text("#define NUMBER 42\n")
    hooks.editable(folder, made, {}, Silent())
    done = ask(site)
    assert (done.stdout.split()[0], done.stderr) == ("42", "")
    assert extensions.are_current(source, HOST, SERIES)
    place = extensions.extensions_folder(source, HOST) / f"small/sub/fast{HOST.suffix(SERIES)}"
    release = place.read_bytes()
    assert b".debug_info" not in release
    hooks.editable(folder, made, {"type": "debug"}, Silent())  # the same sources, built otherwise
    assert b".debug_info" in place.read_bytes()
    # A module that is gone is gone, and one that was never built is told.
    (folder / "src" / "main" / "sub" / "fast.c").rename(folder / "src" / "main" / "sub" / "other.c")
    hooks.editable(folder, made, {}, Silent())
    assert "No module named 'small.sub.fast'" in ask(site).stderr


def test_sync_builds_for_the_development_environment(project: Path) -> None:
    heard = Silent()
    development.sync(load_project(project), watcher=heard)
    python = project / ".venv" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    done = run([python, "-c", ASK], cwd=project)
    assert (done.stdout.split()[0], done.stderr) == ("41", "")
    assert development.sync(load_project(project), watcher=heard).unchanged
    header = project / "small" / "src" / "main" / "sub" / "number.h"
    header.write_text("#define NUMBER )\n")
    with pytest.raises(SourceError, match="does not compile"):
        development.sync(load_project(project), watcher=heard)
    header.write_text("#define NUMBER 43\n")
    assert not development.sync(load_project(project), watcher=heard).unchanged
    assert run([python, "-c", ASK], cwd=project).stdout.split()[0] == "43"


def test_what_is_native_is_one_list() -> None:
    assert set(extensions.SUFFIXES) == {*CYTHON, *COMPILED, *INCLUDED}
