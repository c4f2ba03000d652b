"""C++ for Emscripten by zig: a C++ library of the module's own, and the C++ runtime of the interpreter.

Pyodide's main module shows the runtime of C++ (``__cxa_throw``, ``_Unwind_CallPersonality``, ``operator new``, the standard
exceptions), whose ABI is Itanium's and stays. It also shows its own libc++, in the namespace ``std::__2``, of a version that
changes with Pyodide's and whose ABI does not stay. So a module brings what it needs of zig's libc++, in a namespace of its own,
and takes the runtime from the interpreter. Exceptions are WebAssembly's, in the form that Pyodide is linked with ("legacy", which
node 20 knows).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from pypackpack.backend import filesystem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

VERSION: Final = "1"
"""Part of every key: raise it when the words below change what comes out."""

TRIPLE: Final = "wasm32-emscripten"
CPU: Final = "generic-extended_const"
"""node 20 knows no extended constant expressions; "generic" without that feature loads everywhere."""

ARCHIVE: Final = "libc++.a"

_CPU_CPLUSPLUS: Final = f"{CPU}+exception_handling"

# What libc++'s `__config_site` says where CMake configures it; zig has none, and gives macros for its own targets only.
_SITE: Final = {
    "_LIBCPP_ABI_VERSION": "1",
    "_LIBCPP_ABI_NAMESPACE": "__ppp",  # neither zig's nor Pyodide's: no symbol of one is ever taken for the other's
    "_LIBCPP_HAS_THREADS": "0",
    "_LIBCPP_HAS_MONOTONIC_CLOCK": "1",
    "_LIBCPP_HAS_TERMINAL": "1",
    "_LIBCPP_HAS_MUSL_LIBC": "1",
    "_LIBCPP_HAS_VENDOR_AVAILABILITY_ANNOTATIONS": "0",
    "_LIBCPP_HAS_FILESYSTEM": "0",
    "_LIBCPP_HAS_RANDOM_DEVICE": "0",
    "_LIBCPP_HAS_LOCALIZATION": "1",
    "_LIBCPP_HAS_UNICODE": "1",
    "_LIBCPP_HAS_WIDE_CHARACTERS": "1",
    "_LIBCPP_HAS_TIME_ZONE_DATABASE": "0",
    "_LIBCPP_PSTL_BACKEND_SERIAL": "",
    "_LIBCPP_HARDENING_MODE_DEFAULT": "_LIBCPP_HARDENING_MODE_NONE",
    "_LIBCPP_ASSERTION_SEMANTIC_DEFAULT": "_LIBCPP_ASSERTION_SEMANTIC_IGNORE",
    "_LIBCPP_DISABLE_VISIBILITY_ANNOTATIONS": "",
    "_LIBCXXABI_DISABLE_VISIBILITY_ANNOTATIONS": "",
}
# libc++ without threads, files and the system's random numbers, which need more of the C library than there are headers of.
_SOURCES: Final = (
    *("algorithm", "any", "bind", "call_once", "charconv", "chrono", "error_category", "exception", "expected"),
    *("functional", "hash", "ios", "ios.instantiations", "iostream", "locale", "memory", "memory_resource"),
    *("new_helpers", "optional", "ostream", "regex", "stdexcept", "string", "strstream", "system_error"),
    *("typeinfo", "valarray", "variant", "vector", "verbose_abort", "ryu/d2fixed", "ryu/d2s", "ryu/f2s"),
)
_BUILDING: Final = (
    *("-std=c++23", "-Os", "-g0", "-w", "-fPIC", "-fwrapv", "-DNDEBUG", "-fno-sanitize=undefined", "-fno-stack-protector"),
    *("-ffunction-sections", "-fdata-sections", "-fvisibility=hidden", "-fvisibility-inlines-hidden", "-nostdlibinc"),
    *("-D_LIBCPP_BUILDING_LIBRARY", "-DLIBCXX_BUILDING_LIBCXXABI", "-DLIBC_NAMESPACE=__llvm_libc_common_utils"),
)


def cplusplus(flags: Sequence[str]) -> list[str]:
    """Return the words of a compile of C as they are for C++."""
    return [*(f"-mcpu={_CPU_CPLUSPLUS}" if word == f"-mcpu={CPU}" else word for word in flags), "-fwasm-exceptions", *_macros()]


def headers(library: Path) -> list[str]:
    """Return the words that let C++ find its library's headers, which come before those of C."""
    return [f"-I{library / name / 'include'}" for name in ("libcxx", "libcxxabi")]


def c_headers(library: Path) -> list[str]:
    """Return the words that let C find its library's headers.

    zig brings no C library headers for Emscripten. Its C library is a musl, and riscv32's headers are the nearest that zig has;
    what differs lies in data/emscripten.
    """
    return [f"-isystem{library / 'libc' / 'include' / name}" for name in ("riscv32-linux-musl", "generic-musl")]


def archive(library: Path, cache: Path, overlay: dict[str, str], run: Callable[[Sequence[str | Path], Path], None]) -> Path:
    """Return the C++ library that modules are linked with, made first if nobody has: 20 seconds of one core.

    Args:
        library: zig's folder ``lib``.
        cache: Where to keep it: a folder of this zig.
        overlay: Headers of C that differ from zig's (name → text).
        run: Runs zig in a folder.

    Raises:
        ToolError: zig failed.
    """
    words = json.dumps([VERSION, TRIPLE, _CPU_CPLUSPLUS, _macros(), _SOURCES, _BUILDING, sorted(overlay.items())])
    place = cache / f"libc++-{TRIPLE}-{filesystem.sha256_bytes(words)[:12]}.a"
    with filesystem.lock(place.with_suffix(".lock")):
        if not place.is_file():
            with filesystem.scratch_folder(cache, "libc++-") as scratch:
                _make(library, scratch.resolve(), overlay, run)
                filesystem.write_atomic(place, filesystem.read_bytes(scratch / ARCHIVE))
    return place


def _make(library: Path, scratch: Path, overlay: dict[str, str], run: Callable[[Sequence[str | Path], Path], None]) -> None:
    for name, text in overlay.items():
        filesystem.write_scratch(scratch / "overlay" / name, text.encode())
    source = library / "libcxx" / "src"
    folders = [*headers(library), f"-I{source}", f"-I{library / 'libcxx' / 'libc'}", "-Ioverlay", *c_headers(library)]
    words: list[str | Path] = ["build-lib", "-static", "-target", TRIPLE, "-mcpu", _CPU_CPLUSPLUS, "-fno-compiler-rt", "-fPIC"]
    words += ["-OReleaseSmall", "-fstrip", "-cflags", *_BUILDING, "-fwasm-exceptions", *_macros()]
    words += [f"-ffile-prefix-map={library}=zig", *folders, "--", *(source / f"{name}.cpp" for name in _SOURCES)]
    run([*words, f"-femit-bin={ARCHIVE}"], scratch)


def _macros() -> list[str]:
    return [f"-D{name}={value}" if value else f"-D{name}=" for name, value in _SITE.items()]
