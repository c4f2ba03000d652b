"""A plugin of Nuitka (``--user-plugin``) that makes its C one for every platform.

Loaded by Nuitka in a process of its own; it must not import anything of pypackpack.

Nuitka compiles for the machine that it runs on, and works out what it knows of it: ``sys.platform``, ``os.sep``, the micro
version, which module ``os.path`` is, whether there is an ``os.uname``. In code for other platforms that is wrong, so it has to
forget it.

With ``PYPACKPACK_NUITKA_HEADERS`` in the environment nothing is compiled: Python's internal headers, as Nuitka changes them for
modules, are written into that folder.
"""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Any, ClassVar

from nuitka.plugins.PluginBase import NuitkaPluginBase

if TYPE_CHECKING:
    from collections.abc import Callable

# What is the same on every platform of one X.Y, and nobody replaces in a module that imported it: of `from io import StringIO`
# Nuitka would go on to use io's, whatever a test puts under that name.
KNOWN = frozenset({"builtins", "__future__"})


class EveryPlatform(NuitkaPluginBase):  # type: ignore[misc]  # Nuitka has no types
    """Makes Nuitka forget which machine it runs on."""

    plugin_name = "pypackpack"
    plugin_desc = "C for every platform"
    constants: ClassVar[tuple[str, ...]] = ("fileno",)

    def onCompilationStartChecks(self) -> None:  # noqa: N802 - Nuitka's name
        """Forget what is true of this machine only; called before the first module is looked at."""
        from nuitka import HardImportRegistry  # noqa: PLC0415 - it reads the options, which are not there earlier
        from nuitka.nodes import ImportNodes  # noqa: PLC0415 - as above
        from nuitka.nodes.ModuleNodes import CompiledPythonPackage, PythonModuleBase  # noqa: PLC0415 - as above

        HardImportRegistry.hard_modules_aliases.clear()  # os.path is ntpath elsewhere
        for module, trust in HardImportRegistry.hard_modules_trust.items():
            if module not in KNOWN:
                trust.clear()
        # A module does not know here which package it will lie in, and crashes on a look at what is above it.
        ImportNodes.locateModule = not_above(ImportNodes.locateModule)
        # A package's module lies in the package's folder, as __init__.<suffix>: Nuitka would have it beside that folder.
        PythonModuleBase.getRunTimeFilename = below_root(PythonModuleBase.getRunTimeFilename)
        CompiledPythonPackage.canHaveExternalImports = lambda _package: False  # nothing but that folder on __path__
        if folder := os.environ.get("PYPACKPACK_NUITKA_HEADERS"):
            write_headers(folder)
            sys.exit(0)

    def getExtraConstantDefaultPopulation(self) -> tuple[Any, ...]:  # noqa: N802 - Nuitka's name
        """Return the constant that it has on Windows only: with it the C is the same wherever it is made."""
        return self.constants


def below_root(name_of: Callable[[Any], str]) -> Callable[[Any], str]:
    """Wrap the method that gives a module's file at run time, relative to the folder of the extension module."""

    def file_of(module: Any) -> str:
        parts = name_of(module).replace(os.sep, "/").split("/")
        return "/".join(parts[1:] or parts)

    return file_of


def not_above(locate: Callable[..., tuple[Any, ...]]) -> Callable[..., tuple[Any, ...]]:
    """Wrap the function that looks for imported modules: what lies above the module's own name is left to run time."""
    from nuitka.utils.ModuleNames import ModuleName  # noqa: PLC0415 - as above

    def locate_below(module_name: Any, parent_package: Any, level: int, logger: Any = None) -> tuple[Any, ...]:
        known = parent_package.asString().count(".") + 1 if parent_package else 0
        if level > max(known, 1):
            return ModuleName(""), None, None, "not-found"
        return locate(module_name=module_name, parent_package=parent_package, level=level, logger=logger)

    return locate_below


def write_headers(folder: str) -> None:
    """Write the changed headers, whichever system this is."""
    from nuitka.build import AdaptPythonHeaderFiles  # noqa: PLC0415 - as above

    # Whether a target wants them is known where it is known; here they are only made.
    AdaptPythonHeaderFiles._shallCreateAdaptedPythonHeaderFiles = lambda: True  # noqa: SLF001 - there is no other way
    AdaptPythonHeaderFiles.ensurePythonInternalsOffsets = lambda cache_dir: None  # noqa: ARG005 - Nuitka calls it by name
    os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - with the paths that Nuitka uses
    made = AdaptPythonHeaderFiles.createAdaptedPythonHeaderFiles(folder)
    shutil.copytree(os.path.join(made, "internal"), os.path.join(folder, "internal"))  # noqa: PTH118 - as above
