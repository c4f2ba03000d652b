"""Native sources of a package's own with the real tools: an error on one target only, wrong options, the sdist."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend import filesystem
from tests import native_sources
from tests.builds import ROOT, copy_project, members, native_modules, run, unpack

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

INIT = '\n#include <Python.h>\nstatic struct PyModuleDef d = {PyModuleDef_HEAD_INIT, "int"};\nPyMODINIT_FUNC PyInit_int(void) {\n'
GOOD = f'#include <string.h>\n{INIT}  return strlen("x") == 1 ? PyModule_Create(&d) : 0;\n}}\n'
SETTINGS = """\
[project]
name = "small"
version = "1"
[tool.pypackpack]
targets = ["linux_x86_64", "linux_arm64"]
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Make a project with a module that is called as a keyword of C, beside a header that is called as one of C's own."""
    main = tmp_path / "small" / "src" / "main"
    main.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('[tool.pypackpack]\npackages = ["small"]\n')
    (tmp_path / "small" / "pyproject.toml").write_text(SETTINGS)
    (main / "__init__.py").touch()
    (main / "string.h").write_text("#error not this one\n")
    (main / "int.c").write_text(GOOD)
    return tmp_path


def ppp(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pypackpack", "build", "small", "source", "single", *words]
    return run(command, cwd=project, env={"PYTHONPATH": str(ROOT), "NO_COLOR": "1"})


def test_an_error_on_one_target_leaves_the_others(small: Path) -> None:
    broken = small / "small" / "src" / "linux_arm64"
    broken.mkdir()
    (broken / "int.c").write_text(GOOD.replace("return", "retrun"))
    done = ppp(small, "--keep-going", "--type", "release")
    said = " ".join(done.stderr.split())
    assert done.returncode == 1, said
    assert "small.int does not compile for linux_arm64: small/int.c:6:" in said
    (wheel,) = (small / "small" / "build" / "packpack" / "single" / "release" / "instant").glob("*.whl")
    assert "x86_64" in wheel.name
    assert native_modules(members(wheel)) == {"small.int"}
    folder = unpack([wheel], small / "unpacked")
    asked = run([sys.executable, "-c", "import importlib; importlib.import_module('small.int')"], cwd=folder)
    assert asked.returncode == 0, asked.stderr


def test_what_no_key_has_and_a_module_without_its_entry_point_are_errors_on_each_target(small: Path) -> None:
    """One build: what a macro includes, an entry point that only Windows has, and Cython's include."""
    targets = ("linux_x86_64", "windows_amd64", "macos_arm64", "emscripten_wasm32")
    settings = small / "small" / "pyproject.toml"
    settings.write_text(SETTINGS.replace('["linux_x86_64", "linux_arm64"]', str(list(targets)).replace("'", '"')))
    main = small / "small" / "src" / "main"
    outside = small / "outside.h"
    outside.write_text("#define OUTSIDE\n")
    (main / "int.c").write_text(
        f'#ifdef _WIN32\n#define WHERE "{outside.as_posix()}"\n#include WHERE\n#else\nint no;\n#endif\n' + GOOD
    )
    text = (main / "int.c").read_text().replace("PyMODINIT_FUNC", "#ifdef _WIN32\nPyMODINIT_FUNC") + "#endif\n"
    (main / "int.c").write_text(text)
    (small / "small" / "src" / "linux").mkdir()
    (small / "small" / "src" / "linux" / "wave.pyx").write_text(f'include "{outside.as_posix()}"\n')
    done = ppp(small, "--keep-going")
    said = " ".join(done.stderr.split())
    assert done.returncode == 1, said
    assert f"small/int.c includes {outside.as_posix()}, which lies out of the package" in said
    assert f"wave.pyx:1:0: '{outside.as_posix()}' lies outside of the package" in said
    for target in targets:
        assert (f"small/int for {target} has no function PyInit_int" in said) is (target != "windows_amd64"), said


def test_what_lies_outside_does_not_get_into_a_report_by_a_declaration(small: Path) -> None:
    main = small / "small" / "src" / "main"
    (main / "int.c").unlink()
    (small / "outside.pxi").write_text("the secret\n")
    (main / "mod.py").touch()
    (main / "mod.pxd").write_text(f'include "{(small / "outside.pxi").as_posix()}"\n')
    done = ppp(small, "--target", "linux_x86_64", "--level", "native")
    assert done.returncode == 0, done.stderr
    said = " ".join((done.stdout + done.stderr).split())
    assert "outside.pxi' lies outside of the package" in said
    assert "secret" not in said


def test_debug_information_for_macos_names_no_folder_of_this_machine(small: Path) -> None:
    settings = small / "small" / "pyproject.toml"
    asked = '[tool.pypackpack.build.extension.int]\noptions = ["-g3"]\n'
    settings.write_text(SETTINGS.replace('"linux_x86_64", "linux_arm64"', '"macos_arm64"') + asked)
    done = ppp(small)
    assert done.returncode == 0, done.stderr
    (wheel,) = (small / "small" / "build").rglob("*.whl")
    (module,) = unpack([wheel], small / "unpacked").rglob("*.so")
    assert os.fsencode(filesystem.cache_folder().resolve()) not in module.read_bytes()


@pytest.mark.parametrize(
    ("option", "code", "words"),
    [
        ("-fno-such-thing", 2, "extension.int.options: the compiler for linux_x86_64 does not know -fno-such-thing"),
        ("-ffixed-x18", 2, "extension.int.options: the compiler for linux_x86_64 does not know -ffixed-x18"),
        ("-mneon", 2, "extension.int.options: the compiler for linux_x86_64 does not know -mneon"),
        ("-march=none", 2, "extension.int.options: the compiler for linux_x86_64 does not know -march=none"),
        ("-fplugin=evil.so", 2, "extension.int.options[1]: expected"),
    ],
)
def test_a_wrong_option_is_named_with_its_key(small: Path, option: str, code: int, words: str) -> None:
    settings = small / "small" / "pyproject.toml"
    settings.write_text(f'{SETTINGS}[tool.pypackpack.build.extension.int]\noptions = ["-mno-avx", "{option}", "-g"]\n')
    done = ppp(small, "--target", "linux_x86_64")
    assert done.returncode == code, done.stderr
    assert words in " ".join(done.stderr.split())


def test_the_sdist_holds_the_sources_and_builds_the_same_wheel(tmp_path: Path) -> None:
    project = copy_project(native_sources.PROJECT, tmp_path / "native")
    made = tmp_path / "made"
    made.mkdir()
    script = (
        "import os, sys, tarfile\nfrom pypackpack import build_api\nout = sys.argv[1]\n"
        "name = build_api.build_sdist(out)\nprint(build_api.build_wheel(out))\n"
        "tarfile.open(os.path.join(out, name)).extractall(out)\nos.chdir(os.path.join(out, name[:-7]))\n"
        "os.mkdir('again')\nprint(build_api.build_wheel('again'))\n"
    )
    env = {"PYTHONPATH": os.fspath(ROOT)}
    done = run([sys.executable, "-W", "ignore", "-c", script, made], cwd=project / "mixture", env=env)
    assert done.returncode == 0, done.stderr
    (wheel,) = made.glob("*.whl")
    (again,) = made.glob("*/again/*.whl")
    assert wheel.read_bytes() == again.read_bytes()
    asked = run(
        [sys.executable, native_sources.RUNNER, "mixture"],
        cwd=tmp_path,
        env={"PYTHONPATH": os.fspath(unpack([wheel], tmp_path / "u"))},
    )
    assert native_sources.parse(asked.stdout) == native_sources.MIXTURE
