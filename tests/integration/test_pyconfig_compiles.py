"""What pyconfig.h says of a target, held against that target's C headers by the compiler itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pypackpack.middleware.compile.pyconfig import header_amendments, pyconfig_header, pyconfig_targets
from tests.pyconfig_support import (
    TRIPLES,
    compile_c,
    host_includes,
    python_of,
    stage_headers,
    target_flags,
    zig_program,
)

if TYPE_CHECKING:
    from pathlib import Path

WITHOUT_C_HEADERS = {"android_arm64": "zig has no bionic", "android_x86_64": "zig has no bionic"}

NEWEST = (3, 14)
HOSTS = [pytest.param(folder, id="{}.{}".format(*python_of(folder))) for folder in host_includes()]
STRICT = ["-O1", "-Wall", "-Wextra", "-Werror=macro-redefined", "-Wno-unused-parameter"]

# One of each kind of system, pointer size and C library; the others differ in facts that internals do not look at.
KINDS = ("linux_x86_64", "linux_armv7", "linux_musl_arm64", "macos_arm64", "windows_amd64", "windows_x86", "emscripten_wasm32")

FACTS = """
#include "pyconfig.h"
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <wchar.h>
#include <sys/types.h>
#include <sys/stat.h>
#ifdef HAVE_PTHREAD_H
#include <pthread.h>
#endif
#ifdef HAVE_UNISTD_H
#include <unistd.h>
#endif
#ifdef HAVE_DLFCN_H
#include <dlfcn.h>
#endif
#ifdef HAVE_KQUEUE
#include <sys/event.h>
#endif
#ifdef HAVE_LANGINFO_H
#include <langinfo.h>
#endif
#ifdef HAVE_SYS_SELECT_H
#include <sys/select.h>
#endif
#ifdef HAVE_SYS_TIME_H
#include <sys/time.h>
#endif
#ifdef HAVE_IO_H
#include <io.h>
#endif
#include <signal.h>
#include <stdlib.h>
#if defined(HAVE_SEM_TIMEDWAIT)
#include <semaphore.h>
#endif
#if defined(HAVE_PROCESS_VM_READV)
#include <sys/uio.h>
#endif
#if defined(HAVE_TIMES)
#include <sys/times.h>
#endif
#define SAYS(what, macro) _Static_assert((what) == (macro), #macro)

SAYS(sizeof(short), SIZEOF_SHORT);
SAYS(sizeof(int), SIZEOF_INT);
SAYS(sizeof(long), SIZEOF_LONG);
SAYS(sizeof(long long), SIZEOF_LONG_LONG);
SAYS(sizeof(float), SIZEOF_FLOAT);
SAYS(sizeof(double), SIZEOF_DOUBLE);
SAYS(sizeof(_Bool), SIZEOF__BOOL);
SAYS(sizeof(void *), SIZEOF_VOID_P);
SAYS(sizeof(size_t), SIZEOF_SIZE_T);
SAYS(sizeof(wchar_t), SIZEOF_WCHAR_T);
SAYS(sizeof(time_t), SIZEOF_TIME_T);
SAYS(sizeof(off_t), SIZEOF_OFF_T);
SAYS(sizeof(fpos_t), SIZEOF_FPOS_T);
SAYS(_Alignof(long), ALIGNOF_LONG);
SAYS(_Alignof(size_t), ALIGNOF_SIZE_T);
#ifdef MS_WINDOWS
SAYS(sizeof(intptr_t), SIZEOF_VOID_P);
/* Not asked, since mingw-w64's headers differ there from the UCRT that CPython is built with, whose word counts:
   pid_t (8 in 64 bit mingw-w64; CPython only ever converts it) and max_align_t (16 by gcc's ABI, 8 by Microsoft's). */
#else
SAYS(sizeof(pid_t), SIZEOF_PID_T);
SAYS(sizeof(long double), SIZEOF_LONG_DOUBLE);
SAYS(sizeof(uintptr_t), SIZEOF_UINTPTR_T);
SAYS(sizeof(pthread_t), SIZEOF_PTHREAD_T);
SAYS(sizeof(pthread_key_t), SIZEOF_PTHREAD_KEY_T);
SAYS(sizeof(ssize_t), SIZEOF_SIZE_T);
#ifndef I386_ALIGNMENT
SAYS(_Alignof(max_align_t), ALIGNOF_MAX_ALIGN_T);
#endif
#ifdef HAVE_USABLE_WCHAR_T
_Static_assert((wchar_t)-1 > 0, "wchar_t is unsigned");
#else
_Static_assert((wchar_t)-1 < 0, "wchar_t is signed");
#endif
/* A header that pyconfig.h is silent about must not be there. */
#if __has_include(<langinfo.h>) != HAVE_LANGINFO_H || __has_include(<pthread.h>) != HAVE_PTHREAD_H
#error "langinfo.h or pthread.h"
#endif
#if __has_include(<ieeefp.h>) || __has_include(<io.h>) || __has_include(<sys/termio.h>)
#error "a header of another system"
#endif
#ifdef HAVE_KQUEUE
void *queue = kqueue;
#elif __has_include(<sys/event.h>)
#error "kqueue"
#endif
void *dl = dlopen;
int now = RTLD_NOW;
void *clock_ = clock_gettime;
void *link_ = readlink;
void *path = realpath;
void *fork_ = fork;
void *stack_ = sigaltstack;
void *times_ = times;
#endif
#ifdef HAVE_PTHREAD_CONDATTR_SETCLOCK
void *set_clock = pthread_condattr_setclock;
#endif
#ifdef HAVE_SEM_TIMEDWAIT
void *timed = sem_timedwait;
#endif
#ifdef HAVE_SIGACTION
void *action = sigaction;
#endif
#ifdef HAVE_PROCESS_VM_READV
void *peek = process_vm_readv;
#endif
#ifdef WORDS_BIGENDIAN
SAYS(__BYTE_ORDER__, __ORDER_BIG_ENDIAN__);
#else
SAYS(__BYTE_ORDER__, __ORDER_LITTLE_ENDIAN__);
#endif
#ifdef HAVE_GCC_ASM_FOR_X87
void x87(void) { unsigned short word; __asm__ __volatile__ ("fnstcw %0" : "=m" (word)); }
#endif
#ifdef HAVE_GCC_ASM_FOR_X64
unsigned long x64(unsigned long n) { __asm__ ("movq %0, %%rax" : : "r" (n) : "rax"); return n; }
#endif
"""

MODULE = """
#define PY_SSIZE_T_CLEAN
#include <Python.h>
_Static_assert(sizeof(Py_ssize_t) == sizeof(size_t), "Py_ssize_t");
_Static_assert(sizeof(Py_UCS4) == 4, "Py_UCS4");
static PyObject *length(PyObject *self, PyObject *arg) { return PyLong_FromSsize_t(PyObject_Size(arg)); }
static PyMethodDef methods[] = {{"length", length, METH_O, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "tiny", .m_size = 0, .m_methods = methods};
PyMODINIT_FUNC PyInit_tiny(void) { return PyModuleDef_Init(&module); }
"""

INTERNALS = """
#define Py_BUILD_CORE 1
#include <Python.h>
#include "internal/pycore_interp.h"
#include "internal/pycore_runtime.h"
#include "internal/pycore_object.h"
#include "internal/pycore_pystate.h"
#include "internal/pycore_ceval.h"
#include "internal/pycore_condvar.h"
#include "internal/pycore_fileutils.h"
#if PY_VERSION_HEX >= 0x030B0000
#include "internal/pycore_frame.h"
#include "internal/pycore_long.h"
#include "internal/pycore_dict.h"
#endif
#if PY_VERSION_HEX >= 0x030D0000
#include "internal/pycore_freelist.h"
#endif
/* What a Python of 3.13 and later was built with; the emulation is larger. */
#if defined(MS_WINDOWS) && PY_VERSION_HEX >= 0x030D0000
_Static_assert(sizeof(PyCOND_T) == sizeof(void *), "condition variables of Windows itself");
#endif
"""


@pytest.fixture(scope="module")
def zig() -> Path:
    return zig_program()


def test_every_target_is_compiled_for() -> None:
    assert set(pyconfig_targets()) - WITHOUT_C_HEADERS.keys() == set(TRIPLES)


@pytest.mark.parametrize("target", TRIPLES)
def test_facts_are_what_the_compiler_finds(target: str, zig: Path, tmp_path: Path) -> None:
    (tmp_path / "pyconfig.h").write_text(pyconfig_header(target, NEWEST), encoding="utf-8")
    flags = [*target_flags(target, zig), f"-I{tmp_path}", "-Wno-pedantic"]
    if target == "linux_x86":
        flags.append("-DI386_ALIGNMENT=1")  # gcc counts __float128 in max_align_t there and clang does not
    compile_c(zig, flags, FACTS, tmp_path / "facts.o")


@pytest.mark.parametrize("include", HOSTS)
@pytest.mark.parametrize("target", TRIPLES)
def test_a_module_compiles(target: str, include: Path, zig: Path, tmp_path: Path) -> None:
    staged = stage_headers(include, tmp_path / "include", pyconfig_header(target, python_of(include)))
    flags = [*target_flags(target, zig), *staged, *STRICT]
    compile_c(zig, flags, MODULE, tmp_path / "tiny.o")


@pytest.mark.parametrize("include", HOSTS)
@pytest.mark.parametrize("target", KINDS)
def test_internal_headers_compile(target: str, include: Path, zig: Path, tmp_path: Path) -> None:
    staged = stage_headers(include, tmp_path / "include", pyconfig_header(target, python_of(include)))
    flags = [*target_flags(target, zig), *staged, "-O0"]
    compile_c(zig, flags, INTERNALS, tmp_path / "internals.o")


@pytest.mark.parametrize("include", HOSTS)
@pytest.mark.parametrize("target", ["emscripten_wasm32"])
def test_amendments_have_their_place(target: str, include: Path) -> None:
    for amendment in header_amendments(target, python_of(include)):
        text = (include / amendment.file).read_text(encoding="utf-8")
        assert amendment.after in text or amendment.unless in text
