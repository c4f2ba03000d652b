"""The files by which meson and CMake learn what they compile for.

Formats: Meson's "Cross and Native File reference", CMake's manual "cmake-toolchains".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.middleware.environment import cross_facts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pypackpack.model.target import PythonVersion, Target

_CPU = {
    "x86_64": "x86_64",
    "amd64": "x86_64",
    "arm64": "aarch64",
    "x86": "x86",
    "armv7": "arm",
    "ppc64le": "ppc64",
    "s390x": "s390x",
    "riscv64": "riscv64",
    "wasm32": "wasm32",
}
"""Our architectures in Meson's words ("CPU families")."""

_MESON_SYSTEM = {"linux": "linux", "windows": "windows", "macos": "darwin", "android": "android", "ios": "darwin"}
_CMAKE_SYSTEM = {
    "linux": "Linux",
    "windows": "Windows",
    "macos": "Darwin",
    "android": "Linux",
    "ios": "iOS",
    "emscripten": "Emscripten",
}


_SUFFIX = "print(__import__('sysconfig').get_config_var('EXT_SUFFIX') if '--extension-suffix' in __import__('sys').argv else '')"
"""What answers as ``python-config --extension-suffix``; without a semicolon, which parts words in CMake."""

CMAKE_PLATFORM = (
    "Platform/Emscripten.cmake",
    """# Written by pypackpack. CMake's own module of this name (from 4.2 on) is about Emscripten's compiler.
set_property(GLOBAL PROPERTY TARGET_SUPPORTS_SHARED_LIBS TRUE)
set(UNIX TRUE)
set(EMSCRIPTEN TRUE)
set(CMAKE_SHARED_LIBRARY_PREFIX "lib")
set(CMAKE_SHARED_LIBRARY_SUFFIX ".so")
set(CMAKE_SHARED_MODULE_PREFIX "lib")
set(CMAKE_SHARED_MODULE_SUFFIX ".so")
foreach(language C CXX)
  set(CMAKE_SHARED_LIBRARY_CREATE_${language}_FLAGS "-shared")
  set(CMAKE_SHARED_MODULE_CREATE_${language}_FLAGS "-shared")
endforeach()
""",
)
"""Name and text of the file that tells CMake of a system that can load modules and that it has no compiler of."""


def meson_cross_file(target: Target, *, tools: Mapping[str, Sequence[str]], python: Path) -> str:
    """Return a Meson cross file.

    Args:
        target: What is compiled for.
        tools: ``CC``, ``CXX``, ``AR`` and ``RANLIB`` as words.
        python: The interpreter that reports the target.
    """
    cpu = next((_CPU[part] for part in (target.arch, *target.name.split("_")) if part in _CPU), "x86_64")
    lines = ["[binaries]"]
    for name, tool in (("c", "CC"), ("cpp", "CXX"), ("ar", "AR"), ("ranlib", "RANLIB"), ("strip", "STRIP")):
        lines.append(f"{name} = [{', '.join(_meson_text(word) for word in tools[tool])}]")
    lines += [f"python = {_meson_text(str(python))}", f"python3 = {_meson_text(str(python))}"]
    # What is on this machine is not on the target: without this, Meson would take this machine's libraries.
    lines += ["pkg-config = 'false'", "", "[properties]", "needs_exe_wrapper = true", "skip_sanity_check = true"]
    system = _MESON_SYSTEM.get(target.family, target.family)
    lines += ["", "[host_machine]", f"system = '{system}'", f"cpu_family = '{cpu}'"]
    lines += [
        f"cpu = '{cross_facts.machine_of(target).lower()}'",
        f"endian = '{'big' if target.arch == 's390x' else 'little'}'",
        "",
    ]
    return "\n".join(lines)


def _meson_text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def cmake_toolchain(
    target: Target,
    series: PythonVersion,
    *,
    tools: Mapping[str, Sequence[str]],
    python: Path,
    include: Path,
    libs: Path,
    modules: Path,
) -> str:
    """Return a CMake toolchain file.

    Args:
        target: What is compiled for.
        series: The X.Y.
        tools: ``CC``, ``CXX``, ``AR`` and ``RANLIB`` as words.
        python: The interpreter that reports the target.
        include: Folder of ``Python.h`` and the target's ``pyconfig.h``.
        libs: Folder of import libraries (Windows).
        modules: Folder of `CMAKE_PLATFORM`, for a system that CMake does not know.
    """
    suffix = target.suffix(series)
    facts: list[tuple[str, str]] = [
        ("CMAKE_SYSTEM_NAME", _CMAKE_SYSTEM.get(target.family, "Generic")),
        ("CMAKE_SYSTEM_PROCESSOR", cross_facts.machine_of(target)),
        ("CMAKE_SYSTEM_VERSION", "10.0" if target.family == "windows" else "1"),
        *(
            (f"CMAKE_{name}_COMPILER", ";".join(_cmake_path(word) for word in tools[tool]))
            for name, tool in (("C", "CC"), ("CXX", "CXX"))
        ),
        *((f"CMAKE_{name}", _cmake_path(tools[name][-1])) for name in ("AR", "RANLIB", "STRIP") if len(tools[name]) == 1),
        *((f"CMAKE_{lang}_COMPILER_AR", _cmake_path(tools["AR"][-1])) for lang in ("C", "CXX") if len(tools["AR"]) == 1),
        *(
            (f"CMAKE_{lang}_COMPILER_RANLIB", _cmake_path(tools["RANLIB"][-1]))
            for lang in ("C", "CXX")
            if len(tools["RANLIB"]) == 1
        ),
        # A program could be linked and not be run; and its C runtime would have to be built for it.
        ("CMAKE_TRY_COMPILE_TARGET_TYPE", "STATIC_LIBRARY"),
        ("CMAKE_POSITION_INDEPENDENT_CODE", "ON"),
        ("CMAKE_FIND_ROOT_PATH_MODE_PACKAGE", "BOTH"),
        ("CMAKE_SKIP_RPATH", "ON"),
    ]
    if target.family == "macos":
        facts += [
            ("CMAKE_OSX_DEPLOYMENT_TARGET", ""),
            ("CMAKE_OSX_ARCHITECTURES", ""),
            ("CMAKE_OSX_SYSROOT", ""),
            ("CMAKE_SHARED_MODULE_CREATE_C_FLAGS", "-shared"),
            ("CMAKE_SHARED_MODULE_CREATE_CXX_FLAGS", "-shared"),
        ]
    for name in ("Python", "Python3"):
        facts += [
            (f"{name}_EXECUTABLE", _cmake_path(str(python))),
            (f"{name}_INCLUDE_DIR", _cmake_path(str(include))),
            (f"{name}_SOABI", suffix.strip(".").rpartition(".")[0]),
        ]
        if target.family == "windows":
            library = f"python{series[0]}{series[1]}.lib"
            facts += [
                (f"{name}_LIBRARY", _cmake_path(str(libs / library))),
                (f"{name}_SABI_LIBRARY", _cmake_path(str(libs / "python3.lib"))),
            ]
    for name in ("Python", "Python3"):
        # From 4.4.5 on FindPython asks no interpreter when it compiles for another system, and forgets what is set above. It does
        # ask the program `python-config`, under this private name, for the suffix.
        words = [_cmake_path(str(python)), "-c", _SUFFIX]
        facts += [(f"_{name}_CONFIG", words[0]), (f"_{name}_CONFIG_LAUNCHER", ";".join(words))]
    lines = ["# Written by pypackpack; made anew when the environment is."]
    for name, value in facts:
        cached = ' CACHE STRING "" FORCE' if name.startswith("Python") else ""
        lines.append(f'set({name} "{value}"{cached})')
    if target.family == "emscripten":
        lines.append(f'list(PREPEND CMAKE_MODULE_PATH "{_cmake_path(str(modules))}")')
    return "\n".join([*lines, ""])


def _cmake_path(text: str) -> str:
    return text.replace("\\", "/").replace('"', '\\"')
