"""pyconfig.h made from facts, held against the real ones of other platforms' Pythons."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from pythons import ForeignPython, Headers, available, real_headers

from pypackpack.middleware.compile.pyconfig import (
    amended,
    header_amendments,
    headers_look_at,
    pyconfig_header,
    pyconfig_targets,
)
from tests.pyconfig_support import (
    TRIPLES,
    compile_c,
    host_includes,
    macros_of,
    python_of,
    stage_headers,
    target_flags,
    words_in_headers,
    zig_program,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

WORLDS: Mapping[str, Mapping[str, str]] = {
    "unix": {"__GNUC__": "4"},
    "gnu": {"__GNUC__": "4", "_WIN32": "1", "_WIN64": "1", "__MINGW32__": "1"},
    "gnu core": {"__GNUC__": "4", "_WIN32": "1", "_WIN64": "1", "__MINGW32__": "1", "Py_BUILD_CORE": "1"},
    "msvc": {"_MSC_VER": "1940", "_WIN32": "1", "_WIN64": "1"},
    "msvc core": {"_MSC_VER": "1940", "_WIN32": "1", "_WIN64": "1", "Py_BUILD_CORE": "1"},
}
"""Macros of the compilers that the headers are read for."""

PROCESSORS: Mapping[str, Mapping[str, str]] = {
    "windows_amd64": {"_M_X64": "100", "_M_AMD64": "100"},
    "windows_arm64": {"_M_ARM64": "1"},
    "windows_x86": {"_M_IX86": "600"},
    "linux_s390x": {"__BIG_ENDIAN__": "1"},
}

# What winapifamily.h answers for a desktop program.
WINDOWS_FAMILY = {
    "WINAPI_FAMILY_PARTITION(WINAPI_PARTITION_DESKTOP)": "1",
    "WINAPI_FAMILY_PARTITION(WINAPI_PARTITION_APP)": "1",
    "WINAPI_FAMILY_PARTITION(WINAPI_PARTITION_SYSTEM)": "0",
    "WINAPI_FAMILY_PARTITION(WINAPI_PARTITION_GAMES)": "1",
}

CURSES = "whether curses was there when this Python was built"
CROSS = "this Python was compiled for another system, so configure had to guess"

# (targets, worlds, macro): why the real one says otherwise. Each pattern is a regular expression for the whole text.
DIFFERENCES: Mapping[tuple[str, str, str], str] = {
    (".*", ".*", "HAVE_(N?CURSES.*)|MVWDELCH_IS_EXPRESSION|WINDOW_HAS_FLAGS"): CURSES,
    ("(linux|macos|android)_.*", ".*", "Py_ENABLE_SHARED"): "whether there is a libpython; looked at on Windows only",
    ("linux_.*", ".*", "WITH_DTRACE"): "Debian's have probes; the header for them is not installed",
    ("linux_(arm64|armv7|ppc64le)", ".*", "HAVE_ALIGNED_REQUIRED"): CROSS,
    ("linux_(arm64|armv7)", ".*", "HAVE_USABLE_WCHAR_T"): CROSS,
    ("windows_.*", "gnu.*", "HAVE_BUILTIN_ATOMIC"): "gcc and clang have them, and the same structures with them",
    ("windows_.*", "gnu.*", "PYD_PLATFORM_TAG"): "set for Microsoft's compiler only; the interpreter is built with that",
    ("windows_.*", "gnu.*", "Py_(WINVER|NTDDI)"): "set for Microsoft's compiler only; the interpreter is built with that",
    ("windows_.*", "gnu core", "NTDDI_VERSION|WINVER|_WIN32_WINNT"): "the same, and structures depend on it",
    ("windows_.*", "msvc.*", "HAVE_PY_SSIZE_T"): "a typedef of its own for the type that pyport.h takes without",
}

LAYOUTS = """
#define Py_BUILD_CORE 1
#include <Python.h>
#include <datetime.h>
#include "internal/pycore_interp.h"
#include "internal/pycore_runtime.h"
#include "internal/pycore_condvar.h"
#define SIZE(type, name) const unsigned long long size_##name = sizeof(type);
SIZE(PyInterpreterState, interpreter) SIZE(_PyRuntimeState, runtime) SIZE(PyThreadState, thread)
SIZE(struct _ceval_state, ceval) SIZE(struct _gil_runtime_state, gil) SIZE(struct _gc_runtime_state, gc)
SIZE(PyObject, object) SIZE(PyTypeObject, type) SIZE(PyLongObject, long) SIZE(PyUnicodeObject, unicode)
SIZE(PyCodeObject, code) SIZE(PyModuleDef, module) SIZE(PyDateTime_DateTime, datetime)
SIZE(PyConfig, config) SIZE(PyPreConfig, preconfig) SIZE(Py_ssize_t, ssize) SIZE(Py_tss_t, tss)
SIZE(PyCOND_T, condition) SIZE(PyMUTEX_T, mutex)
#if PY_VERSION_HEX >= 0x030B0000
const unsigned long long offset_main = offsetof(_PyRuntimeState, _main_interpreter);
#endif
#if PY_VERSION_HEX >= 0x030C0000
const unsigned long long offset_objects = offsetof(_PyRuntimeState, static_objects);
#endif
"""

# A module that holds what the interpreter says of itself against what it was compiled with.
INSIDE = """
#define PY_SSIZE_T_CLEAN
#define Py_BUILD_CORE 1
#include <Python.h>
#include <errno.h>
#include <signal.h>
#include "internal/pycore_runtime.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_frame.h"
#define SAY(name, real, here) do { \\
    PyObject *pair = Py_BuildValue("(KK)", (unsigned long long)(real), (unsigned long long)(here)); \\
    if (!pair || PyDict_SetItemString(found, name, pair)) return NULL; \\
    Py_DECREF(pair); } while (0)
#define ERRNO(name) SAY(#name, PyLong_AsLong(PyObject_GetAttrString(codes, #name)), name)
static PyObject *compare(PyObject *self, PyObject *codes) {
    PyObject *found = PyDict_New();
    if (!found) return NULL;
    SAY("NSIG", PyLong_AsLong(PyObject_GetAttrString(PyImport_ImportModule("signal"), "NSIG")), NSIG);
    ERRNOS
#if PY_VERSION_HEX >= 0x030C0000
    PyObject *five = PyLong_FromLong(5);
    SAY("small int", (Py_uintptr_t)five, (Py_uintptr_t)&_PyRuntime.static_objects.singletons.small_ints[10]);
#endif
#if PY_VERSION_HEX >= 0x030D0000
    const _Py_DebugOffsets *real = &_PyRuntime.debug_offsets;
    SAY("finalizing", real->runtime_state.finalizing, offsetof(_PyRuntimeState, _finalizing));
    SAY("interpreters", real->runtime_state.interpreters_head, offsetof(_PyRuntimeState, interpreters.head));
    SAY("interpreter", real->interpreter_state.size, sizeof(PyInterpreterState));
    SAY("gc", real->interpreter_state.gc, offsetof(PyInterpreterState, gc));
    SAY("modules", real->interpreter_state.imports_modules, offsetof(PyInterpreterState, imports.modules));
    SAY("builtins", real->interpreter_state.builtins, offsetof(PyInterpreterState, builtins));
    SAY("gil", real->interpreter_state.ceval_gil, offsetof(PyInterpreterState, ceval.gil));
    SAY("thread", real->thread_state.size, sizeof(PyThreadState));
    SAY("frame", real->interpreter_frame.size, sizeof(_PyInterpreterFrame));
    SAY("code", real->code_object.size, sizeof(PyCodeObject));
    SAY("object", real->pyobject.size, sizeof(PyObject));
    SAY("type", real->type_object.size, sizeof(PyTypeObject));
    SAY("gc state", real->gc.size, sizeof(struct _gc_runtime_state));
#endif
    return found;
}
static PyMethodDef methods[] = {{"compare", compare, METH_O, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "inside", .m_size = 0, .m_methods = methods};
PyMODINIT_FUNC PyInit_inside(void) { return PyModuleDef_Init(&module); }
"""


def reals() -> list[object]:
    return [pytest.param(headers, id=headers.name) for headers in real_headers() if headers.target in pyconfig_targets()]


def pyodides() -> list[object]:
    return [pytest.param(python, id=python.name) for python in available() if python.kind == "pyodide"]


def why(target: str, world: str, macro: str) -> str:
    """Why the real header is allowed to differ; empty when it is not."""
    for patterns, reason in DIFFERENCES.items():
        if all(re.fullmatch(pattern, text) for pattern, text in zip(patterns, (target, world, macro), strict=True)):
            return reason
    return ""


@pytest.fixture(scope="module")
def zig() -> Path:
    return zig_program()


@pytest.mark.skipif("CI" not in os.environ, reason="only CI has to have every foreign Python")
def test_there_are_real_headers() -> None:
    there = {headers.target for headers in real_headers()}
    assert {"linux_arm64", "windows_amd64", "macos_arm64", "macos_x86_64"} <= there
    assert any(header_folder(one.values[0]) for one in pyodides())  # type: ignore[attr-defined]


def compiled_in(headers: Headers, world: str) -> bool:
    """Whether that compiler's world is one for these headers; CPython 3.10 and 3.11 take mingw-w64 for 32 bit."""
    if headers.target.startswith("windows_") == (world == "unix"):
        return False
    return not (world.startswith("gnu") and headers.version < (3, 12))


@pytest.mark.parametrize(
    ("headers", "world"),
    [
        pytest.param(headers, world, id=f"{headers.name}-{world}")
        for headers in real_headers()
        if headers.target in pyconfig_targets()
        for world in WORLDS
        if compiled_in(headers, world)
    ],
)
def test_same_as_the_real_one(headers: Headers, world: str) -> None:
    given = {**WORLDS[world], **PROCESSORS.get(headers.target, {}), **WINDOWS_FAMILY}
    if headers.target == "windows_x86":
        del given["_WIN64"]
    real = macros_of(headers.pyconfig.read_text(encoding="utf-8"), given)
    made = macros_of(pyconfig_header(headers.target, headers.version[:2]), given)
    looked_at = headers_look_at() & frozenset().union(*map(words_in_headers, headers.include))
    names = (looked_at | made.keys()) - {"Py_PYCONFIG_H"}
    differing = {name for name in names if _text(real, name) != _text(made, name)}
    assert {name: (real.get(name), made.get(name)) for name in sorted(differing) if not why(headers.target, world, name)} == {}


def _text(macros: Mapping[str, str], name: str) -> str | None:
    """A macro's text, followed one step: PC/pyconfig.h says that SIZEOF_PID_T is SIZEOF_INT."""
    text = macros.get(name)
    return macros.get(text, text) if text and text.startswith("SIZEOF_") else text


@pytest.mark.parametrize("python", pyodides())
def test_same_as_pyodide_says(python: ForeignPython) -> None:
    real = python.read_config_vars()
    made = macros_of(pyconfig_header(python.target, python.version[:2]), WORLDS["unix"])
    # sysconfig has 0 for what is not defined, numbers as int, and leaves out names that begin with an underscore.
    names = {name for name in headers_look_at() | made.keys() if name in real}
    assert {name: (real[name], made.get(name)) for name in sorted(names) if str(real[name]) != made.get(name, "0")} == {}
    assert len(names) > 60
    assert "-DPY_CALL_TRAMPOLINE" in real["CONFIG_ARGS"]
    assert "PY_CALL_TRAMPOLINE" in made


@pytest.mark.parametrize("headers", [one for one in reals() if one.values[0].target in TRIPLES])  # type: ignore[attr-defined]
def test_structures_are_laid_out_the_same(headers: Headers, zig: Path, tmp_path: Path) -> None:
    include = next(folder for folder in headers.include if (folder / "Python.h").is_file())
    texts = {
        "made": pyconfig_header(headers.target, headers.version[:2]),
        "real": headers.pyconfig.read_text(encoding="utf-8"),
    }
    made, real = (
        _layouts(zig, headers.target, stage_headers(include, tmp_path / name, text), tmp_path / f"{name}.ll")
        for name, text in texts.items()
    )
    assert made == real


def _layouts(zig: Path, target: str, include: list[str], output: Path) -> dict[str, str]:
    compile_c(zig, [*target_flags(target, zig), *include, "-O0", "-w", "-emit-llvm"], LAYOUTS, output, stage="-S")
    text = output.read_text(encoding="utf-8")
    found = dict(re.findall(r"^@((?:size|offset)_\w+) = .*?constant i64 (\d+)", text, re.MULTILINE))
    assert len(found) > 15
    return found


def header_folder(python: ForeignPython) -> Path | None:
    """CPython's headers of the same X.Y, if a Python on this machine has them."""
    folders = [*(folder for headers in real_headers() for folder in headers.include), *host_includes()]
    return next((one for one in folders if (one / "Python.h").is_file() and python_of(one) == python.version[:2]), None)


@pytest.mark.parametrize("python", [one for one in pyodides() if header_folder(one.values[0])])  # type: ignore[attr-defined]
def test_pyodide_is_as_its_headers_say(python: ForeignPython, zig: Path, tmp_path: Path) -> None:
    """Offsets in the running interpreter, error numbers and signals, as a module compiled from facts has them."""
    include = header_folder(python)
    assert include is not None
    staged = stage_headers(include, tmp_path / "include", pyconfig_header(python.target, python.version[:2]))
    for amendment in header_amendments(python.target, python.version[:2]):
        file = tmp_path / "include" / amendment.file
        _own_copy(file.parent)
        file.write_text(amended(file.read_text(encoding="utf-8"), amendment), encoding="utf-8")
    codes = _errno_names(python)
    source = INSIDE.replace("ERRNOS", " ".join(f"ERRNO({name});" for name in codes))
    compile_c(zig, [*target_flags(python.target, zig), *staged, "-O1", "-w"], source, tmp_path / "inside.o")
    site = tmp_path / "site"
    site.mkdir()
    link = [
        *(str(zig), "wasm-ld", "-shared", "--experimental-pic", "--export=PyInit_inside"),
        *("--unresolved-symbols=import-dynamic", "-o", str(site / "inside.so"), str(tmp_path / "inside.o")),
    ]
    subprocess.run(link, check=True)
    code = "import errno, inside, json; print(json.dumps(inside.compare(errno)))"
    done = python.run(code, paths=[site])
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {name: pair for name, pair in found.items() if pair[0] != pair[1]} == {}
    assert len(codes) > 120


def _own_copy(folder: Path) -> None:
    """Put a copy in place of a staged folder that is a link."""
    if folder.is_symlink():
        original = folder.resolve()
        folder.unlink()
        shutil.copytree(original, folder)


def _errno_names(python: ForeignPython) -> list[str]:
    done = python.run("import errno; print(*sorted(name for name in dir(errno) if name.startswith('E')))")
    return [name for name in done.stdout.split() if name != "ENOTCAPABLE"]
