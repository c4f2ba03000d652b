"""Which code of others compiling brings into extension modules, and what they were made with: for the wheel's bill of materials.

Helper functions of compilers (compiler-rt, libgcc), which are linked one by one where code needs them, are not listed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pypackpack.backend import distributions
from pypackpack.middleware.compile.extension import STARTUP
from pypackpack.middleware.compile.native.tasks import has_cplusplus
from pypackpack.model.inspection import EXTENSION, Tool
from pypackpack.model.names import normalise
from pypackpack.model.sbom import LinkedPart, MakingTool

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from pypackpack.middleware.compile.content import Contents
    from pypackpack.middleware.compile.native.find import NativeModule
    from pypackpack.middleware.compile.native.packages import Foreign
    from pypackpack.middleware.graph.schedule import Outcome
    from pypackpack.model.action import ActionResult
    from pypackpack.model.inspection import ModuleForm
    from pypackpack.model.target import Target

ZIG_LLVM = "22.1.8"
"""The version of LLVM's C++ library in the pinned zig: ``_LIBCPP_VERSION`` of ``lib/libcxx/include/__config``."""

_LLVM = "Apache-2.0 WITH LLVM-exception"
_COMPILERS = {
    "cython": ("Cython", "cython", "Apache-2.0", "utility code in the C that it makes"),
    "nuitka": ("Nuitka", "nuitka", "", "its runtime, in C; AGPL-3.0 with an exception for programs that are compiled by it"),
    "mypyc": ("mypyc", "mypy", "MIT AND PSF-2.0", "its runtime, lib-rt, in C"),
}
"""Compiler, as settings call it → its name, its distribution, and of its runtime the licence and what it is."""
_TOOLCHAINS = {
    "zig": ("zig", "ziglang"),
    "gcc": ("GCC", ""),
    "ndk": ("Android NDK", ""),
    "xcode": ("Xcode", ""),
    "emcc": ("Emscripten", ""),
}


class Brought:
    """Whose headers and declarations go into which extension module, as far as that is known while it is planned."""

    def __init__(self) -> None:
        """Know nothing."""
        self._known: dict[str, tuple[Foreign, tuple[str, ...], str]] = {}

    def note(self, task: str, foreign: Foreign, places: Iterable[str], gathered: str = "") -> None:
        """Take note of a module.

        Args:
            task: What makes it, or its C.
            foreign: What it may use of installed packages.
            places: What its C is made of.
            gathered: The task whose result names what the C includes; empty where ``places`` has that, too.
        """
        if foreign.files:
            self._known[task] = (foreign, tuple(places), gathered)

    def labels(self, tasks: Iterable[str], outcomes: Mapping[str, Outcome]) -> tuple[str, ...]:
        """Return the distributions that went into some modules: ``numpy 2.1.0``."""
        found: set[str] = set()
        for task in tasks:
            if task in self._known:
                foreign, places, gathered = self._known[task]
                included = outcomes[gathered].result.outputs if gathered else ()
                found |= foreign.owners((*places, *included))
        return tuple(sorted(found))


def own_tool(module: NativeModule, compiler: str) -> Tool | None:
    """Return what turned a native source into C, where the compiler of the package's modules did not; of C and C++, nothing.

    Args:
        module: The extension module.
        compiler: Name of the compiler of the package's modules; empty where none are compiled.
    """
    other = module.is_cython and compiler not in {"", "cython"}
    return Tool("cython", distributions.version_of("cython")) if other else None


def with_tools(
    contents: Contents,
    target: Target,
    own: Sequence[NativeModule],
    forms: Sequence[ModuleForm],
    linked: tuple[Iterable[ActionResult], Iterable[str]],
) -> Contents:
    """Return contents together with what they were made with.

    Below level native there are extension modules of own native sources only: then the wheel's compiler is that of these.

    Args:
        contents: The contents, with their compiler and toolchain.
        target: What they are for.
        own: The extension modules of the package's own native sources.
        forms: What every module became, these first.
        linked: What linking the extension modules gave, and the distributions whose headers and declarations are compiled in:
            ``numpy 2.1.0``.
    """
    used = [form.compiler or contents.compiler for form in forms[len(own) :] if form.form == EXTENSION]
    if any(module.is_cython for module in own):
        used.append(Tool("cython", distributions.version_of("cython")))
    compilers = tuple(dict.fromkeys(tool for tool in used if tool is not None))
    startup = any(STARTUP in each.facts for each in linked[0])
    cplusplus = any(map(has_cplusplus, own))
    parts = linked_parts(target, compilers, contents.toolchain, cplusplus=cplusplus, startup=startup)
    return replace(
        contents,
        compiler=contents.compiler or next(iter(compilers), None),
        linked=(*parts, *map(header_part, linked[1])),
        made_with=making_tools(compilers, contents.toolchain),
    )


def with_parts(
    contents: Contents, target: Target, compiler: Tool, toolchain: Tool | None, results: Iterable[ActionResult]
) -> Contents:
    """Return the contents of a dependency, some modules of which were compiled, together with what that brought into them.

    Args:
        contents: The contents.
        target: What they are for.
        compiler: What made C of the modules.
        toolchain: What compiled that.
        results: What linking the extension modules gave.
    """
    startup = any(STARTUP in each.facts for each in results)
    linked = linked_parts(target, (compiler,), toolchain, cplusplus=False, startup=startup)
    return replace(contents, linked=linked, made_with=making_tools((compiler,), toolchain))


def linked_parts(
    target: Target, compilers: Collection[Tool], toolchain: Tool | None, *, cplusplus: bool, startup: bool = False
) -> tuple[LinkedPart, ...]:
    """Return the code of others in the extension modules of a wheel.

    Args:
        target: What they are for.
        compilers: What made their C.
        toolchain: What compiled it.
        cplusplus: Whether one of them has C++ in it, and so a C++ library.
        startup: Whether one of them has start-up code of the C library.
    """
    found = []
    for tool in compilers:
        name, distribution, licence, about = _COMPILERS.get(tool.name, (tool.name, "", "", "its runtime"))
        found.append(LinkedPart(name, tool.version, licence, about, _purl(distribution, tool.version)))
    if toolchain is not None and cplusplus:
        found += _cplusplus(target, toolchain)
    if toolchain is not None and toolchain.name == "zig" and startup:
        about = f"start-up code and parts of its C runtime; linked statically, as zig {toolchain.version} brings it"
        found.append(LinkedPart("mingw-w64", "", "ZPL-2.1", about))
    return tuple(found)


def header_part(label: str) -> LinkedPart:
    """Return what a distribution is whose headers were compiled in; the label is the beginning of its metadata's folder."""
    name, _, version = label.partition(" ")
    about = "declarations, and code in its headers, which modules that were compiled with them have"
    return LinkedPart(normalise(name), version, "", about, _purl(normalise(name), version))


def _cplusplus(target: Target, toolchain: Tool) -> list[LinkedPart]:
    if toolchain.name == "zig":
        about = f"linked statically, as zig {toolchain.version} brings it"
        return [LinkedPart("libc++", ZIG_LLVM, _LLVM, about), LinkedPart("libc++abi", ZIG_LLVM, _LLVM, about)]
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
