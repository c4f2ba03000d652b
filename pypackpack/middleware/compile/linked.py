"""Which code of others compiling brings into extension modules, and what they were made with: for the wheel's bill of materials.

Helper functions of compilers (compiler-rt, libgcc), which are linked one by one where code needs them, are not listed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pypackpack.backend import distributions
from pypackpack.middleware.compile.native.tasks import has_cplusplus
from pypackpack.model.inspection import EXTENSION, Tool
from pypackpack.model.sbom import LinkedPart, MakingTool

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pypackpack.middleware.compile.content import Contents
    from pypackpack.middleware.compile.native.find import NativeModule
    from pypackpack.model.inspection import ModuleForm
    from pypackpack.model.target import Target

ZIG_LLVM = "22.1.8"
"""The version of LLVM's C++ library in the pinned zig: ``_LIBCPP_VERSION`` of ``lib/libcxx/include/__config``."""

_LLVM = "Apache-2.0 WITH LLVM-exception"
_COMPILERS = {
    "cython": ("Cython", "cython", "Apache-2.0", "utility code in the C that it makes"),
    "nuitka": ("Nuitka", "nuitka", "", "its runtime, in C; AGPL-3.0 with an exception for programs that are compiled by it"),
    "mypyc": ("mypyc", "mypy", "MIT", "its runtime, in C"),
}
"""Compiler, as settings call it → its name, its distribution, and of its runtime the licence and what it is."""
_TOOLCHAINS = {
    "zig": ("zig", "ziglang"),
    "gcc": ("GCC", ""),
    "ndk": ("Android NDK", ""),
    "xcode": ("Xcode", ""),
    "emcc": ("Emscripten", ""),
}


def with_tools(contents: Contents, target: Target, own: Sequence[NativeModule], forms: Sequence[ModuleForm]) -> Contents:
    """Return contents together with what they were made with.

    Args:
        contents: The contents, with their compiler and toolchain.
        target: What they are for.
        own: The extension modules of the package's own native sources.
        forms: What every module became, these first.
    """
    used = [form.compiler or contents.compiler for form in forms[len(own) :] if form.form == EXTENSION]
    if any(module.is_cython for module in own):
        used.append(Tool("cython", distributions.version_of("cython")))
    compilers = tuple(dict.fromkeys(tool for tool in used if tool is not None))
    linked = linked_parts(target, compilers, contents.toolchain, cplusplus=any(map(has_cplusplus, own)))
    return replace(contents, linked=linked, made_with=making_tools(compilers, contents.toolchain))


def linked_parts(
    target: Target, compilers: Collection[Tool], toolchain: Tool | None, *, cplusplus: bool
) -> tuple[LinkedPart, ...]:
    """Return the code of others in the extension modules of a wheel.

    Args:
        target: What they are for.
        compilers: What made their C.
        toolchain: What compiled it.
        cplusplus: Whether one of them has C++ in it, and so a C++ library.
    """
    found = []
    for tool in compilers:
        name, distribution, licence, about = _COMPILERS.get(tool.name, (tool.name, "", "", "its runtime"))
        found.append(LinkedPart(name, tool.version, licence, about, _purl(distribution, tool.version)))
    if toolchain is not None and cplusplus:
        found += _cplusplus(target, toolchain)
    return tuple(found)


def _cplusplus(target: Target, toolchain: Tool) -> list[LinkedPart]:
    if toolchain.name == "zig":
        about = f"linked statically, as zig {toolchain.version} brings it"
        parts = [LinkedPart("libc++", ZIG_LLVM, _LLVM, about), LinkedPart("libc++abi", ZIG_LLVM, _LLVM, about)]
        if target.object_format == "coff":
            parts.append(LinkedPart("mingw-w64", "", "", f"start files and parts of its C runtime; {about}"))
        return parts
    if toolchain.name in ("gcc", "clang") and target.family == "linux":
        licence = "GPL-3.0-or-later WITH GCC-exception-3.1"
        version = toolchain.version if toolchain.name == "gcc" else ""  # clang's own says nothing of the library
        return [LinkedPart("libstdc++", version, licence, f"linked statically, as {toolchain.name} finds it")]
    return []


def making_tools(compilers: Collection[Tool], toolchain: Tool | None) -> tuple[MakingTool, ...]:
    """Return what extension modules were made with."""
    found = []
    for tool in compilers:
        name, distribution, _, _ = _COMPILERS.get(tool.name, (tool.name, "", "", ""))
        found.append(MakingTool(name, tool.version, "made C of Python", _purl(distribution, tool.version)))
    if toolchain is not None:
        name, distribution = _TOOLCHAINS.get(toolchain.name, (toolchain.name, ""))
        found.append(MakingTool(name, toolchain.version, "compiled and linked the C", _purl(distribution, toolchain.version)))
    return tuple(found)


def _purl(distribution: str, version: str) -> str:
    return f"pkg:pypi/{distribution}@{version}" if distribution else ""
