"""Nuitka: Python modules into C, on the Python that is compiled for.

Nuitka is a program of its own (AGPL with a run-time exception), and is only ever run as one: by the Python whose X.Y it compiles
for, which need not be ours. What it would do after the C, calling a C compiler for this machine, is ours to do for any target.
How that is done was read from its own build: ``Backend.scons``, ``SconsCompilerSettings.py`` and ``SconsInterface.py`` below
``nuitka/build``; none of it is an interface that it promises, so only what was tried is taken (`SERIES`).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.backend import distributions, filesystem, process
from pypackpack.backend.tools import nuitka_text
from pypackpack.backend.tools.compilers import pinned
from pypackpack.model.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.target import PythonVersion

SERIES = (4, 3)
"""The X.Y of Nuitka whose C this file knows how to compile."""

START = Path(__file__).parent / "workers" / "nuitka_start.py"
PLUGIN = START.with_name("nuitka_plugin.py")

BYTECODE = "nuitka-bytecode-v1"
"""The folder of the user's cache with the bytecode of Nuitka itself."""

CONSTANTS = "__constant.bin"
"""The file with a module's constants, as Nuitka's data composer writes it."""

_OPTIONS = (
    "--must-not-re-execute",
    "--mode=module",
    "--generate-c-only",
    "--nofollow-imports",
    "--no-pyi-file",
    "--no-progressbar",
    "--deployment",  # without it exceptions get hints for people who debug Nuitka
    "--reproducible=yes",
    "--update-check=never",
    "--disable-cache=all",
    "--jobs=1",
    "--lto=no",
    # It changes the code of packages that it knows by name.
    "--disable-plugins=anti-bloat",
    "--disable-plugins=options-nanny",  # it asks for the versions of packages that it knows by name, of which none is in sight
    # They change and add to modules of packages that they know by name, and know a module here by its last name only: cv2.py in a
    # package of one's own was taken for OpenCV. What is imported never goes along, so nothing of theirs is missing.
    "--disable-plugins=implicit-imports",
    "--disable-plugins=pkg-resources",
    "--disable-plugins=transformers",
    f"--user-plugin={PLUGIN}",
    "--output-dir=../out",
)

_DEFINITIONS = {
    # As createBuildDefinitionsFile of Backend.scons writes them without any --python-flag.
    "NO_PYTHON_WARNINGS": "0",
    "NUITKA_HAS_FROZEN_MODULES_BOOL": "0",
    "NUITKA_MAIN_IS_PACKAGE_BOOL": "0",
    "NUITKA_MAIN_MODULE_NAME": '"__main__"',
    "SYSFLAG_BYTES_WARNING": "0",
    "SYSFLAG_DONTWRITEBYTECODE": "0",
    "SYSFLAG_ISOLATED": "0",
    "SYSFLAG_NO_RANDOMIZATION": "0",
    "SYSFLAG_NO_SITE": "0",
    "SYSFLAG_OPTIMIZE": "0",
    "SYSFLAG_SAFE_PATH": "0",
    "SYSFLAG_UNBUFFERED": "0",
    "SYSFLAG_UTF8": "0",
    "SYSFLAG_VERBOSE": "0",
    "_NUITKA_NO_ANNOTATIONS": "0",
    "_NUITKA_NO_ASSERTS": "0",
    "_NUITKA_NO_DOCSTRINGS": "0",
}

_MACHINE_TROUBLE = re.compile(r"\b(MemoryError|OSError|PermissionError|No space left on device)\b")
_TOLD = re.compile(r"FATAL:|Nuitka:ERROR:|[A-Za-z_.]*(Error|Exception)\b")
_SHOWN_LINES = 3
_LONGEST_LINE = 300


@dataclass(frozen=True)
class Generated:
    """What Nuitka made of a module.

    Attributes:
        files: Relative path → bytes: C sources and headers; empty when it made none.
        sources: Those of them that are compiled.
        reason: Why it made none, in its own words.
        lasting: Whether it would say the same again.
        apart: Why it cannot be joined with others in one file; empty when it can: then `nuitka_text.MEMBER` is among the files.
    """

    files: Mapping[str, bytes]
    sources: tuple[str, ...] = ()
    reason: str = ""
    lasting: bool = True
    apart: str = ""


@cache
def find() -> distributions.Installed:
    """Return the installed Nuitka.

    Raises:
        MissingToolError: There is none, or one of a version that nobody tried.
    """
    wanted = f"{SERIES[0]}.{SERIES[1]}"
    return pinned("nuitka", SERIES, "Nuitka", f'Install one that fits: pip install "nuitka=={wanted}.*"')


@cache
def fingerprint() -> str:
    """Return what, besides a module's source and the Python, decides the C: Nuitka's version and our own files."""
    own = (START, PLUGIN, nuitka_text.ENTRY, Path(nuitka_text.__file__), Path(__file__))
    return " ".join(["nuitka", find().version, *(filesystem.sha256_file(path) for path in own)])


def folders() -> tuple[Path, ...]:
    """Return the folders of the installed Nuitka in which its C looks for headers, first ones first."""
    build = Path(find().place) / "nuitka" / "build"
    return (build / "include", build / "static_src", build / "inline_copy" / "zlib")


def generate(python: Interpreter, place: str, source: bytes, scratch: Path, cached: Path) -> Generated:
    """Turn one module into C.

    Args:
        python: The Python that it is compiled for; it runs Nuitka.
        place: Where the module lies below site-packages, with ``/``.
        source: The file's bytes.
        scratch: An empty folder.
        cached: The user's cache; the bytecode of Nuitka itself is kept there.

    Raises:
        ToolError: Nuitka took longer than the settings allow, or left something else than it should.
    """
    _stage(scratch / "source", place, source)
    words = place.removesuffix("/__init__.py") if place.endswith("/__init__.py") else place
    done = _run(python, "nuitka/__main__.py", [*_OPTIONS, words], scratch, cached)
    if done.code != 0:
        text = done.stderr + done.stdout
        return Generated({}, reason=_reason(done), lasting=done.code > 0 and not _MACHINE_TROUBLE.search(text))
    folder = scratch / "out" / _only(path.name for path in (scratch / "out").glob("*.build"))
    blobs = folder / "blobs"
    with filesystem.explained("make", blobs):
        blobs.mkdir(exist_ok=True)
    composed = [os.fspath(each) for each in (folder, blobs / CONSTANTS, blobs / "__constants.txt")]
    composer = _run(python, "nuitka/tools/data_composer/__main__.py", composed, scratch, cached)
    if composer.code != 0 or not (blobs / CONSTANTS).is_file():
        return Generated({}, reason=_reason(composer), lasting=False)
    files = {path.name: filesystem.read_bytes(path) for path in filesystem.files_below(folder) if path.suffix in {".c", ".h"}}
    blob = filesystem.read_bytes(blobs / CONSTANTS)
    # In the form of Nuitka's resource mode "code", which every C compiler takes.
    files["__constants_data.c"] = nuitka_text.array("const unsigned char constant_bin_data[]", blob).encode()
    files["build_definitions.h"] = "".join(f"#define {name} {value}\n" for name, value in _DEFINITIONS.items()).encode()
    module = _only(name for name in files if name.startswith("module.") and name.endswith(".c"))
    name = Path(words).stem
    files[module] = nuitka_text.unexported(files[module], find().version)
    files["__entry.c"] = nuitka_text.entry(module, name)
    sources = sorted(each for each in files if each.endswith(".c") and each != module)
    try:
        files[nuitka_text.MEMBER] = nuitka_text.member(files, module, name, blob)
    except nuitka_text.ApartError as error:
        return Generated(files, tuple(sources), apart=str(error))
    return Generated(files, tuple(sources))


def adapted_headers(python: Interpreter, scratch: Path, cached: Path) -> dict[str, str]:
    """Return Python's internal headers as Nuitka changes them for modules: path below the include folder → text.

    Raises:
        ToolError: Nuitka does not know this Python's headers.
    """
    _stage(scratch / "source", "empty.py", b"")
    folder = scratch / "headers"
    told = {"PYPACKPACK_NUITKA_HEADERS": os.fspath(folder)}
    done = _run(python, "nuitka/__main__.py", [*_OPTIONS, "empty.py"], scratch, cached, told)
    internal = folder / "internal"
    if done.code != 0 or not internal.is_dir():
        msg = f"Nuitka {find().version} cannot adapt the headers of Python {python.release} ({done.how})"
        raise ToolError(msg, hint='Use another Python, or set compiler = "cython".', details=_reason(done))
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in filesystem.files_below(internal)}


def macros(series: PythonVersion) -> tuple[tuple[str, str], ...]:
    """Return the macros that Nuitka's own build gives to the C of a module, on every platform."""
    found = [
        ("_NUITKA_MODULE_MODE", "1"),
        ("_NUITKA_DEPLOYMENT_MODE", "1"),
        ("_NUITKA_CONSTANTS_FROM_CODE", "1"),
        ("__NUITKA_NO_ASSERT__", "1"),
        ("__ZIG__", "1"),  # arrays of no elements get one
    ]
    if series >= (3, 13):
        found.append(("_NUITKA_FRAME_LOCALS_PROXY", "1"))  # its build leaves it out where no module of the program needs it
    return tuple(found)


def _stage(folder: Path, place: str, source: bytes) -> None:
    """Write a module as it lies in its package, with the packages around it."""
    filesystem.write_scratch(folder / place, source)
    for parent in Path(place).parents:
        marker = folder / parent / "__init__.py"
        if parent != Path() and not marker.exists():
            filesystem.write_scratch(marker, b"")


def _run(
    python: Interpreter, program: str, words: Sequence[str], scratch: Path, cached: Path, more: Mapping[str, str] | None = None
) -> process.Completed:
    """Run a program of Nuitka to its end."""
    installed = find()
    env = {name: value for name, value in process.python_environment().items() if not name.upper().startswith("NUITKA")}
    env |= {
        "NUITKA_CACHE_DIR": os.fspath(scratch / "cache"),
        # Else its five hundred modules are compiled again by each start, or written beside it, where we may not write.
        "PYTHONPYCACHEPREFIX": os.fspath(cached / BYTECODE),
        **(more or {}),
    }
    # It starts itself again where these are otherwise: without site, and without frozen modules.
    flags = ["-S", "-s", *(["-X", "frozen_modules=off"] if python.series >= (3, 11) else [])]
    return process.run([python.executable, *flags, START, installed.place, program, *words], cwd=scratch / "source", env=env)


def _only(found: Iterable[str]) -> str:
    """Return the one thing that Nuitka should have left.

    Raises:
        ToolError: It left none, or several.
    """
    names = tuple(found)
    if len(names) != 1:
        msg = f"Nuitka {find().version} ended well and left {len(names)} modules where one was expected"
        raise ToolError(msg, hint="It is damaged: install it again.", details="\n".join(names))
    return names[0]


def _reason(done: process.Completed) -> str:
    """Return Nuitka's last words, without the paths of this machine that a traceback has."""
    lines = [line.strip() for line in (done.stderr + "\n" + done.stdout).splitlines()]
    told = [line for line in lines if _TOLD.match(line)]
    chosen = told or [line for line in lines if line and not line.startswith(("Nuitka:", "Nuitka-", "File "))]
    said = "; ".join(line[:_LONGEST_LINE] for line in chosen[-_SHOWN_LINES:])
    return f"Nuitka refused it ({done.how})" + (f": {said}" if said else "")
