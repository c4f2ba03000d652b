"""For the tests of pyconfig.h: read real ones, find the headers of this machine's Pythons, and compile with zig."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pypackpack
from pypackpack.backend import filesystem
from pypackpack.backend.tools import zig
from pypackpack.model.build import Silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*(\w+)[ \t]*([^\n]*?)[ \t]*$", re.MULTILINE)
_UNDEFINED_BY_CONFIGURE = re.compile(r"/\*\s*#\s*undef\s+(\w+)\s*\*/")
_DEFINED = re.compile(r"\bdefined\s*\(?\s*(\w+)\s*\)?")
_WORD = re.compile(r"\b[A-Za-z_]\w*\b")


def macros_of(text: str, given: Mapping[str, str]) -> dict[str, str]:
    """Return the macros that a header defines, with their text, where the macros `given` are defined before it.

    A small preprocessor: what pyconfig.h files need. A name with an argument list stands for itself with the list,
    so that ``given`` can say what ``WINAPI_FAMILY_PARTITION(…)`` is.
    """
    macros: dict[str, str] = dict(given)
    active = [True]  # one entry for each open #if: is this branch read?
    taken = [True]  # and: was one of its branches read?
    for directive, rest in _DIRECTIVE.findall(_COMMENT.sub(" ", text).replace("\\\n", " ")):
        if directive in {"if", "ifdef", "ifndef"}:
            holds = active[-1] and _holds(directive, rest, macros)
            active.append(holds)
            taken.append(holds or not active[-2])
        elif directive in {"elif", "else"}:
            active[-1] = not taken[-1] and (directive == "else" or _holds("if", rest, macros))
            taken[-1] = taken[-1] or active[-1]
        elif directive == "endif":
            active.pop()
            taken.pop()
        elif active[-1] and directive == "define":
            name, _, value = rest.partition(" ")
            macros[name] = value.strip()
        elif active[-1] and directive == "undef":
            macros.pop(rest, None)
    return {name: value for name, value in macros.items() if name not in given}


def _holds(directive: str, condition: str, macros: Mapping[str, str]) -> bool:
    if directive != "if":
        return (condition.split(maxsplit=1)[0] in macros) == (directive == "ifdef")
    expression = _DEFINED.sub(lambda match: str(int(match[1] in macros)), condition)
    expression = re.sub(r"(\w+)\(\w+\)", lambda match: macros.get(match[0], match[0]), expression)
    expression = _WORD.sub(lambda match: macros.get(match[0], "0") or "0", expression)
    expression = re.sub(r"!(?!=)", " not ", expression.replace("&&", " and ").replace("||", " or "))
    return bool(eval(expression, {"__builtins__": {}}))  # noqa: S307 - conditions of CPython's own headers


def names_in(text: str) -> set[str]:
    """Return every macro that a pyconfig.h knows of, those that configure left undefined included."""
    defined = {rest.split(maxsplit=1)[0] for directive, rest in _DIRECTIVE.findall(text) if directive == "define"}
    return defined | set(_UNDEFINED_BY_CONFIGURE.findall(text))


@cache
def words_in_headers(include: Path) -> frozenset[str]:
    """Return every word that the headers of an include folder say outside comments, pyconfig.h left out."""
    words: set[str] = set()
    for header in include.rglob("*.h"):
        if header.name != "pyconfig.h":
            words.update(_WORD.findall(_COMMENT.sub(" ", header.read_text(encoding="utf-8", errors="replace"))))
    return frozenset(words)


def host_includes() -> Iterator[Path]:
    """Yield the include folders, with a pyconfig.h, of the Pythons of this machine: this one's and pyenv's."""
    here = Path(sysconfig.get_path("include"))
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    folders = {here.resolve(), *(folder.resolve() for folder in pyenv.glob("*/include/python3.*"))}
    for folder in sorted(folders):
        if (folder / "pyconfig.h").is_file() and (folder / "Python.h").is_file() and (3, 10) <= python_of(folder) <= (3, 14):
            yield folder


def pyconfig_of(include: Path) -> Path:
    """Return the pyconfig.h of an include folder; Debian's only includes that of the machine's architecture."""
    own = include.parent / (sysconfig.get_config_var("MULTIARCH") or "none") / include.name / "pyconfig.h"
    return own if own.is_file() else include / "pyconfig.h"


def python_of(include: Path) -> tuple[int, int]:
    """Return the (major, minor) of the Python that an include folder belongs to."""
    text = (include / "patchlevel.h").read_text(encoding="utf-8")
    major, minor = (re.search(rf"PY_{part}_VERSION\s+(\d+)", text) for part in ("MAJOR", "MINOR"))
    if not major or not minor:
        raise ValueError(include)
    return int(major[1]), int(minor[1])


def is_linux_x86_64() -> bool:
    return sys.platform == "linux" and sysconfig.get_platform() == "linux-x86_64"


TRIPLES: Final = {
    "linux_x86_64": "x86_64-linux-gnu.2.17",
    "linux_arm64": "aarch64-linux-gnu.2.17",
    "linux_armv7": "arm-linux-gnueabihf.2.17",
    "linux_x86": "x86-linux-gnu.2.17",
    "linux_ppc64le": "powerpc64le-linux-gnu.2.19",
    "linux_s390x": "s390x-linux-gnu.2.17",
    "linux_riscv64": "riscv64-linux-gnu.2.27",
    "linux_musl_x86_64": "x86_64-linux-musl",
    "linux_musl_arm64": "aarch64-linux-musl",
    "macos_arm64": "aarch64-macos.11.0",
    "macos_x86_64": "x86_64-macos.10.13",
    "windows_amd64": "x86_64-windows-gnu",
    "windows_arm64": "aarch64-windows-gnu",
    "windows_x86": "x86-windows-gnu",
    "emscripten_wasm32": "wasm32-emscripten",
}
"""What zig calls the targets that it has C headers for."""


def zig_program() -> Path:
    """Return zig: $PYPACKPACK_ZIG, else the one that pypackpack itself uses, fetched if it is not in the cache."""
    if named := os.environ.get("PYPACKPACK_ZIG"):
        return Path(named)
    return zig.ensure(filesystem.cache_folder(), offline=False, watcher=Silent()).program


def target_flags(target: str, program: Path) -> list[str]:
    """Return what `zig cc` needs to be told to compile for a target."""
    flags = ["-target", TRIPLES[target]]
    if target == "emscripten_wasm32":
        data = Path(pypackpack.__file__).parent / "data" / "emscripten"
        musl = program.parent / "lib" / "libc" / "include"
        flags += ["-mcpu=generic-extended_const", "-fPIC"]
        for folder in (data, musl / "riscv32-linux-musl", musl / "generic-musl"):
            flags += ["-isystem", str(folder)]
    return flags


def stage_headers(include: Path, folder: Path, pyconfig: str) -> list[str]:
    """Make an include folder of a Python's headers and another pyconfig.h, given as text; return the flags for it."""
    folder.mkdir(parents=True)
    for entry in include.iterdir():
        if entry.name != "pyconfig.h":
            (folder / entry.name).symlink_to(entry)
    (folder / "pyconfig.h").write_text(pyconfig, encoding="utf-8")
    return [f"-I{folder}", f"-I{folder / 'internal'}", f"-I{folder / 'internal' / 'mimalloc'}"]


def compile_c(zig: Path, arguments: list[str], source: str, output: Path, *, stage: str = "-c") -> None:
    """Compile a C source text, and fail with the compiler's words when it does not."""
    file = output.with_suffix(".c")
    file.write_text(source, encoding="utf-8")
    command = [str(zig), "cc", *arguments, "-std=c11", "-g0", stage, str(file), "-o", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "warning:" not in done.stderr, done.stderr
