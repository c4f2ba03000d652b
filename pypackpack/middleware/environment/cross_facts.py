"""What a target's Python says of itself, known without it.

The names and their meaning are those of CPython's ``sysconfig``, ``platform``, ``sys`` and ``os``; the values come from the
target's row, and for what ``pyconfig.h`` decides from the same table that the header itself is made from.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pypackpack.middleware.compile.pyconfig import pyconfig_header

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pypackpack.model.target import PythonVersion, Target

_LINUX_LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
"""Older names of levels (PEP 600): minor version of glibc → name."""

FLAGS = "-O2 -fwrapv -DNDEBUG"
"""What C is compiled with unless somebody says otherwise, as CPython itself is."""

_WINDOWS_RELEASE = ("10", "10.0.19045")
_DEFINE = re.compile(r"#\s*define ([A-Z][A-Za-z0-9_]+) (.*)")


def machine_of(target: Target) -> str:
    """Return ``platform.machine()`` on a target; for one that serves several machines that of its first part."""
    return target.platform_machine or "arm64"


def sysconfig_platform(target: Target, python: PythonVersion) -> str:
    """Return ``sysconfig.get_platform()`` on a target.

    For Emscripten it is the platform of Pyodide's wheels, and not of the compiler that Pyodide was built with: wheels get their
    tag from it.
    """
    tag = (target.tags.for_python(python) or ("",))[0]
    if target.family == "linux":
        return f"linux-{machine_of(target)}"
    if target.family == "windows":
        return tag.replace("_", "-", 1)
    if target.family == "macos":
        return re.sub(r"macosx_(\d+)_(\d+)_(.*)", r"macosx-\1.\2-\3", tag)
    if target.family == "ios":
        return re.sub(r"ios_(\d+)_(\d+)_(.*)_(iphone\w+)", r"ios-\1.\2-\3-\4", tag)
    if target.family == "android":
        return re.sub(r"android_(\d+)_(.*)", r"android-\1-\2", tag)
    return re.sub(r"^([a-z]+)_(.*)_(\w+)$", r"\1-\2-\3", tag)


def platform_tags(target: Target, python: PythonVersion) -> tuple[str, ...]:
    """Return the platform tags of wheels that a target takes, best ones first (PEP 425, 600, 656, 730, 738, 783)."""
    own = target.tags.for_python(python)
    machine = machine_of(target)
    if target.family == "linux":
        tags = []
        kind, major, minor = re.fullmatch(r"(many|musl)linux_(\d+)_(\d+)_.*", own[0]).groups()  # type: ignore[union-attr] # the table's form
        lowest = 0 if kind == "musl" else 5 if machine in ("x86_64", "i686") else 17
        for each in range(int(minor), lowest - 1, -1):
            tags.append(f"{kind}linux_{major}_{each}_{machine}")
            if kind == "many" and each in _LINUX_LEGACY:
                tags.append(f"{_LINUX_LEGACY[each]}_{machine}")
        return (*tags, f"linux_{machine}")
    if target.family == "macos":
        from packaging.tags import mac_platforms  # noqa: PLC0415 - import cost

        found = re.fullmatch(r"macosx_(\d+)_(\d+)_(.*)", own[0])
        if found and target.arch == "universal2":
            return own
        return tuple(mac_platforms((int(found[1]), int(found[2])), found[3])) if found else own
    if target.family == "android":
        found = re.fullmatch(r"android_(\d+)_(.*)", own[0])
        return tuple(f"android_{level}_{found[2]}" for level in range(int(found[1]), 15, -1)) if found else own
    return own


def extension_suffixes(target: Target, python: PythonVersion) -> tuple[str, ...]:
    """Return ``importlib.machinery.EXTENSION_SUFFIXES`` on a target."""
    own = target.suffix(python)
    if target.family == "windows":
        return (own, ".pyd")
    return tuple(dict.fromkeys((own, ".abi3.so", ".so")))


def soabi(target: Target, python: PythonVersion) -> str:
    """Return the ``SOABI`` of a target."""
    inner = target.suffix(python).strip(".").rpartition(".")[0]
    return inner or f"cpython-{python[0]}{python[1]}"


def multiarch(target: Target, python: PythonVersion) -> str:
    """Return ``sys.implementation._multiarch`` of a target; empty on Windows, which has none."""
    if target.family == "windows":
        return ""
    return soabi(target, python).partition("-")[2].partition("-")[2]


def _release(target: Target) -> tuple[str, str, str]:
    """Return (system, release, version) as ``platform.uname()`` has them on the oldest system that is meant."""
    if target.family == "windows":
        return ("Windows", *_WINDOWS_RELEASE)
    if target.family == "macos":
        major, _, minor = platform_level(target).partition(".")
        darwin = int(major) + 9 if int(major) >= 11 else int(minor) + 4
        return ("Darwin", f"{darwin}.0.0", f"Darwin Kernel Version {darwin}.0.0")
    if target.family == "emscripten":
        return ("Emscripten", "4.0.9", "#1")
    if target.family in ("android", "ios"):
        return (target.platform_system, platform_level(target), "#1")
    return ("Linux", "3.10.0", "#1 SMP")


def platform_level(target: Target) -> str:
    """Return the version of the platform, with a dot."""
    found = re.match(r"[a-z]+_(\d+)(?:_(\d+))?_", (target.tags.default or ("",))[0])
    return ".".join(part for part in found.groups() if part) if found else ""


def pyconfig_values(target: Target, python: PythonVersion) -> dict[str, int | str]:
    """Return what ``sysconfig`` reads from ``pyconfig.h``: numbers as numbers, everything else as text."""
    values: dict[str, int | str] = {}
    for line in pyconfig_header(target.name, python).splitlines():
        found = _DEFINE.match(line)
        if found:
            text = found[2].strip()
            values[found[1]] = int(text) if re.fullmatch(r"-?\d+", text) else text
    return values


def config_vars(target: Target, python: PythonVersion, *, tools: Mapping[str, str], include: str, libs: str) -> dict[str, Any]:
    """Return ``sysconfig.get_config_vars()`` of a target, with our compiler in place of the one that its Python was built with.

    Paths of the installation are not among them: those are the environment's own.

    Args:
        target: The target.
        python: The X.Y.
        tools: ``CC``, ``CXX``, ``AR`` and ``RANLIB``.
        include: Folder of ``Python.h`` and the target's ``pyconfig.h``.
        libs: Folder of import libraries.
    """
    number, short = f"{python[0]}{python[1]}", f"{python[0]}.{python[1]}"
    windows = target.family == "windows"
    shared = "" if windows else "-fPIC"
    values: dict[str, Any] = {
        **pyconfig_values(target, python),
        "ABIFLAGS": "",
        "abiflags": "",
        "AR": tools["AR"],
        "ARFLAGS": "rcs",
        "CC": tools["CC"],
        "CCSHARED": shared,
        "CFLAGS": FLAGS,
        "BASECFLAGS": "-fwrapv",
        "OPT": "-O2 -DNDEBUG",
        "PY_CFLAGS": FLAGS,
        "CPPFLAGS": "",
        "CXX": tools["CXX"],
        "LDFLAGS": "",
        "LDSHARED": f"{tools['CC']} -shared",
        "LDCXXSHARED": f"{tools['CXX']} -shared",
        "BLDSHARED": f"{tools['CC']} -shared",
        "RANLIB": tools["RANLIB"],
        "EXE": {"windows": ".exe", "emscripten": ".js"}.get(target.family, ""),
        "EXT_SUFFIX": target.suffix(python),
        "SHLIB_SUFFIX": ".pyd" if windows else ".so",
        "SOABI": soabi(target, python),
        "INCLUDEPY": include,
        "CONFINCLUDEPY": include,
        "LIBDIR": libs,
        "LIBPL": libs,
        "VERSION": number if windows else short,
        "LDVERSION": number if windows else short,
        "LIBRARY": f"python{number}.dll" if windows else f"libpython{short}.a",
        "LDLIBRARY": f"python{number}.dll" if windows else f"libpython{short}.a",
        "LIBPYTHON": "",
        "Py_ENABLE_SHARED": 0,
        "Py_DEBUG": 0,
        "Py_GIL_DISABLED": 0,
        "WITH_PYMALLOC": 1,
    }
    if not windows:
        values["MULTIARCH"] = multiarch(target, python)
        values["MACHDEP"] = target.sys_platform
        values["HOST_GNU_TYPE"] = target.triple.partition(".")[0]
        values["BUILD_GNU_TYPE"] = "build"
    if target.family == "macos":
        values["MACOSX_DEPLOYMENT_TARGET"] = platform_level(target)
        values["CUSTOMIZED_OSX_COMPILER"] = "True"
    if target.family == "ios":
        values["IPHONEOS_DEPLOYMENT_TARGET"] = platform_level(target)
    return values


def cross_facts(target: Target, python: PythonVersion, *, tools: Mapping[str, str], include: str, libs: str) -> dict[str, Any]:
    """Return the content of an environment's ``facts.json``; arguments as in `config_vars`."""
    system, release, version = _release(target)
    machine = machine_of(target)
    wide = target.arch not in ("x86", "armv7", "wasm32")
    glibc = re.fullmatch(r"manylinux_(\d+)_(\d+)_.*", (target.tags.default or ("",))[0])
    return {
        "python": list(python),
        "sys_platform": target.sys_platform,
        "os_name": target.os_name,
        "multiarch": multiarch(target, python),
        "platform": sysconfig_platform(target, python),
        "uname": {
            "system": system,
            "release": release,
            "version": version,
            "machine": machine,
            "processor": "" if target.family in ("linux", "emscripten") else machine,
        },
        "mac_ver": platform_level(target) if target.family == "macos" else "",
        "libc_ver": ["glibc", f"{glibc[1]}.{glibc[2]}"] if glibc else ["", ""],
        "architecture": ["64bit" if wide else "32bit", {"elf": "ELF", "coff": "WindowsPE"}.get(target.object_format, "")],
        "platform_tags": list(platform_tags(target, python)),
        "extension_suffixes": list(extension_suffixes(target, python)),
        "config_vars": config_vars(target, python, tools=tools, include=include, libs=libs),
        "include": include,
    }
