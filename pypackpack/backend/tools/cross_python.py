"""Making the parts of a cross environment that lie on disk: its Pythons, the programs that compile, headers, import libraries.

What differs by the system that we run on stays here: how a small program is started, and where a virtual environment has its
interpreter.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pypackpack.backend import filesystem, process
from pypackpack.backend.tools import uv, venv
from pypackpack.model.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pypackpack.backend.tools.zig import Zig
    from pypackpack.model.target import Target

_WORKERS = Path(__file__).parent / "workers"
STARTUP = _WORKERS / "cross_startup.py"
COMPILER = _WORKERS / "cross_compiler.py"
PROGRAMS = {
    "CC": ("cc", "cc"),
    "CXX": ("c++", "c++"),
    "AR": ("ar", "ar"),
    "RANLIB": ("ranlib", "ranlib"),
    "STRIP": ("strip", "strip"),
}
"""Variable → (name of the program, name of zig's)."""

_DLLTOOL_MACHINES = {"amd64": "i386:x86-64", "arm64": "arm64", "x86": "i386"}
_API = re.compile(r"PyAPI_(?:FUNC|DATA)\s*\((?:[^()]|\([^()]*\))*\)\s*\*?\s*(\w+)")
_RENAMED = re.compile(r"^#\s*define\s+\w+\s+(_?Py[A-Z_]\w*)\s*$", re.MULTILINE)
_OFF = "PYPACKPACK_CROSS"


def tools_digest() -> str:
    """Return what the programs of an environment are, to know one that an older pypackpack made."""
    return filesystem.sha256_bytes(STARTUP.read_bytes() + COMPILER.read_bytes() + Path(__file__).read_bytes())


def tool_words(folder: Path) -> dict[str, tuple[str, ...]]:
    """Return how the compilers of an environment are called, as words: ``CC``, ``CXX``, ``AR`` and ``RANLIB``.

    On Windows a script cannot stand for a program, so there they are pypackpack's Python and its arguments.
    """
    if sys.platform == "win32":
        common = (sys.executable, "-I", "-S", os.fspath(COMPILER), os.fspath(folder / "compiler.json"))
        return {variable: (*common, zig) for variable, (_, zig) in PROGRAMS.items()}
    return {variable: (os.fspath(folder / "bin" / name),) for variable, (name, _) in PROGRAMS.items()}


def command_line(words: Sequence[str]) -> str:
    """Return words as one text that setuptools, make and the like take apart again."""
    return shlex.join(words)


def venv_python(folder: Path) -> Path:
    """Return the interpreter of an environment's virtual environment, whether or not it is there."""
    return venv.interpreter(folder / "venv")


def build_python(folder: Path) -> Path:
    """Return the program that starts the interpreter as this machine's, whether or not it is there."""
    return folder / "bin" / ("build-python.cmd" if sys.platform == "win32" else "build-python")


def make_venv(folder: Path, python: Path) -> None:
    """Make the virtual environment."""
    uv.make_venv(folder / "venv", python, prompt=folder.parent.name)


def add_pip(python: Path, *, offline: bool) -> str:
    """Install pip for an interpreter that reports this machine yet, and return why there is none, or an empty text."""
    words: list[str | Path] = ["pip", "install", "--python", python, "pip"]
    try:
        uv.run([*words, *(["--offline"] if offline else [])], "installing pip")
    except ToolError as error:
        return f"{error.message}: {error.details.splitlines()[-1] if error.details else ''}"
    return ""


def base_of(python: Path) -> tuple[str, str]:
    """Return ``sys.base_prefix`` of an interpreter, and the interpreter that lies there."""
    code = "import sys; print(sys.base_prefix); print(getattr(sys, '_base_executable', '') or sys.executable)"
    done = process.checked([python, "-I", "-S", "-c", code], f"asking {python}", timeout=60)
    prefix, executable = done.stdout.splitlines()
    return prefix.strip(), executable.strip()


def site_of(folder: Path) -> Path:
    """Return the site-packages of the virtual environment, where build tools lie."""
    found = venv.site_packages(folder / "venv")
    if found is None:
        msg = f"{folder / 'venv'} has no site-packages"
        raise ToolError(msg)
    return found


def write_startup(folder: Path, facts: Mapping[str, Any], site: Path, call: str) -> None:
    """Let the environment's Python report the target, and those that tools make from it.

    Args:
        folder: The environment.
        facts: What they report.
        site: The site-packages of the environment's Python.
        call: What it does at its start: a call of ``cross_startup.py``.
    """
    startup = folder / "startup"
    filesystem.fill_file(startup / "_pypackpack_cross.py", STARTUP)
    filesystem.fill_file(startup / "facts.json", json.dumps(facts, indent=1, sort_keys=True).encode())
    filesystem.fill_file(startup / "sitecustomize.py", _SITECUSTOMIZE.encode())
    begin = f"import sys; sys.path.insert(0, {os.fspath(startup)!r}); import _pypackpack_cross as x; sys.path.pop(0)"
    filesystem.fill_file(site / "_pypackpack_cross.pth", f"{begin}; x.{call}\n".encode())


_SITECUSTOMIZE = '''"""Written by pypackpack: reports the target, then lets the system's own sitecustomize have its turn."""

import importlib.machinery
import importlib.util
import os
import sys

_here = os.path.dirname(os.path.abspath(__file__))
import _pypackpack_cross

_pypackpack_cross.start(False)


def _others():
    path = [each for each in sys.path if os.path.abspath(each or ".") != _here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", path)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


_others()
'''


def write_programs(folder: Path, python: Path, build: Path | None) -> None:
    """Write the small programs of ``bin``.

    Args:
        folder: The environment.
        python: The interpreter that reports the target.
        build: The one that reports this machine; None: the same one, with a variable.
    """
    place = folder / "bin"
    plain = build or python
    off = {"build-python": [os.fspath(plain)], "build-pip": [os.fspath(plain), "-m", "pip"]}
    common = [sys.executable, "-I", "-S", os.fspath(COMPILER), os.fspath(folder / "compiler.json")]
    if sys.platform == "win32":
        for name, words in off.items():
            text = f"@set {_OFF}=off\r\n@{_quoted(words)} %*\r\n"
            filesystem.fill_file(place / f"{name}.cmd", text.encode())
        for name, program in PROGRAMS.values():
            filesystem.fill_file(place / f"{name}.cmd", f"@{_quoted([*common, program])} %*\r\n".encode())
        return
    for name, words in off.items():
        text = f'#!/bin/sh\n{_OFF}=off exec {shlex.join(words)} "$@"\n'
        filesystem.fill_file(place / name, text.encode(), executable=True)
    scripts = {name: [*common, program] for name, program in PROGRAMS.values()}
    if build is not None:
        # crossenv's own pip, when there is one, is build-python's.
        scripts |= {name: [os.fspath(python), "-m", "pip"] for name in ("pip", "pip3")}
        scripts |= {name: [os.fspath(python)] for name in ("python", "python3")}
    for name, words in scripts.items():
        filesystem.fill_file(place / name, f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n'.encode(), executable=True)


def real_headers(target_python: Path, series: str) -> tuple[Path, bytes] | None:
    """Return the header folder of an installed Python of the target, and its ``pyconfig.h``; None where it has none.

    Debian's ``pyconfig.h`` only names another one by the architecture; that one is returned.
    """
    root = target_python.parent.parent / "include"
    folder = root / f"python{series}"
    if not (folder / "Python.h").is_file() or not (folder / "pyconfig.h").is_file():
        return None
    text = filesystem.read_bytes(folder / "pyconfig.h")
    if b"SIZEOF_LONG" in text:
        return folder, text
    found = sorted(root.glob(f"*/python{series}/pyconfig.h"))
    return (folder, filesystem.read_bytes(found[0])) if len(found) == 1 else None


def _quoted(words: Sequence[str]) -> str:
    return " ".join(f'"{word}"' for word in words)


def write_compiler(folder: Path, target: Target, zig: Zig, include: Sequence[Path], python: str) -> None:
    """Write what the compiler programs read."""
    facts = {
        "zig": os.fspath(zig.program),
        "library": os.fspath(zig.library),
        "triple": target.triple,
        "format": target.object_format,
        "arch": target.arch,
        "include": [os.fspath(each) for each in include],
        "libs": os.fspath(folder / "libs"),
        "python": python,
        "refusal": "" if target.toolchain == "zig" else f"C for {target.name} needs the NDK, which pypackpack does not use yet",
        "variables": {
            "ZIG_GLOBAL_CACHE_DIR": os.fspath(zig.cache),
            "ZIG_LOCAL_CACHE_DIR": os.fspath(folder / "zig-cache"),
        },
    }
    filesystem.fill_file(folder / "compiler.json", json.dumps(facts, indent=1).encode())


def copy_headers(folders: Sequence[Path], into: Path) -> None:
    """Lay header folders into one, earlier ones over later ones: ``Python.h`` has to have its ``pyconfig.h`` beside it."""
    for folder in reversed(folders):
        for path in filesystem.files_below(folder):
            place = into / path.relative_to(folder)
            with filesystem.explained("write", place):
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, place)


def write_import_libraries(folder: Path, include: Path, target: Target, number: str, zig: Zig) -> None:
    """Write the import libraries of Python's DLLs: every name that its headers declare."""
    names: set[str] = set()
    for path in filesystem.files_below(include):
        if path.suffix == ".h":
            text = path.read_text(encoding="utf-8", errors="replace")
            names.update(_API.findall(text), _RENAMED.findall(text))
    libs = folder / "libs"
    for dll in (f"python{number}", "python3"):
        definition = "\n".join([f"LIBRARY {dll}.dll", "EXPORTS", *(f"    {name}" for name in sorted(names))])
        filesystem.fill_file(libs / f"{dll}.def", f"{definition}\n".encode())
        words: list[str | Path] = [
            zig.program,
            "dlltool",
            "-m",
            _DLLTOOL_MACHINES[target.arch],
            "-d",
            f"{dll}.def",
            "-l",
            f"{dll}.lib",
        ]
        env = process.environment(
            {"ZIG_GLOBAL_CACHE_DIR": os.fspath(zig.cache), "ZIG_LOCAL_CACHE_DIR": os.fspath(folder / "zig-cache")}
        )
        process.checked(words, f"making the import library of {dll}.dll", cwd=libs, env=env)
        filesystem.fill_file(libs / f"lib{dll}.a", libs / f"{dll}.lib")
