"""Finds the modules of a package that is one extension module, and loads them out of it.

This text is compiled into the extension module (``data/unit.c``), which runs it before the package's own code, and calls
`register`. It has no ``from __future__``, and imports nothing that a bare Python has not loaded: it is part of the first import
of the package. Files on disk (data, modules that are not native) are left to whatever else finds them.

What fills ``MODULES`` is put after it.
"""

import os
import sys
from importlib.machinery import ExtensionFileLoader, ModuleSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType
    from typing import Any

MODULES: "dict[str, tuple[int, bool]]" = {}
"""Name → the number that the extension module knows it by, and whether it is a package."""


class UnitLoader(ExtensionFileLoader):
    """Loads one module of the unit; its path is the one that it would have as an extension module of its own."""

    def __init__(self, name: str, path: str, unit: "Unit", known: str) -> None:
        super().__init__(name, path)
        self.unit = unit
        self.known = known
        """Its name in ``MODULES``; another than the one it is imported by where somebody changed a package's ``__path__``."""

    def create_module(self, spec: "ModuleSpec") -> "ModuleType":
        """Make the module; `exec_module`, inherited, runs it as that of any extension module."""
        module: ModuleType = self.unit.create(MODULES[self.known][0], spec)
        return module

    def is_package(self, name: str) -> bool:  # noqa: ARG002 - as importlib asks; a loader has one module
        """Tell whether it is a package."""
        return MODULES[self.known][1]


class UnitFinder:
    """A path entry finder of one folder of the package (see PathFinder)."""

    def __init__(self, unit: "Unit", path: str, package: str) -> None:
        self.path = path
        self.unit = unit
        self.package = package
        self.files = unit.others(path)

    def find_spec(self, name: str, target: "ModuleType | None" = None) -> "ModuleSpec | None":
        """Return the spec of a module of the unit, or of what lies on disk."""
        ours = name.rpartition(".")[0] == self.package
        known = f"{self.package}.{name.rpartition('.')[2]}"
        # A package that adds a folder to its __path__ has the modules in it as its own; the folder on sys.path gives nothing.
        if known in MODULES and (ours or name.startswith(f"{self.unit.name}.")):
            return self.unit.spec(name, self.path, known)
        found: ModuleSpec | None = self.files.find_spec(name, target) if self.files is not None else None
        if (found is None or found.loader is None) and ours and name in self.unit.packages:
            # A folder without a module __init__: a portion of a namespace package.
            found = ModuleSpec(name, None, is_package=True)
            found.submodule_search_locations = [self.unit.folder(name)]
        return found

    def invalidate_caches(self) -> None:
        """Forget what was on disk."""
        if hasattr(self.files, "invalidate_caches"):
            self.files.invalidate_caches()

    def iter_modules(self, prefix: str = "") -> "Iterator[tuple[str, bool]]":
        """Yield names and whether they are packages (``pkgutil.iter_modules``)."""
        found: dict[str, bool] = {}
        if self.files is not None:
            import pkgutil  # noqa: PLC0415 - who asks has loaded it

            found.update(pkgutil.iter_importer_modules(self.files, prefix))  # type: ignore[attr-defined] # typeshed lacks it
        for name, (_, package) in MODULES.items():
            parent, _, last = name.rpartition(".")
            if parent == self.package:
                found[prefix + last] = package
        yield from sorted(found.items())


class Unit:
    """The extension module, as it lies on this machine."""

    def __init__(self, spec: "ModuleSpec", create: "Callable[[int, ModuleSpec], Any]") -> None:
        self.create = create
        self.name = spec.name
        self.suffix = os.path.basename(spec.origin or "").partition("__init__")[2]  # noqa: PTH119 - pathlib is not loaded here
        folders = spec.submodule_search_locations or [os.path.dirname(spec.origin or "")]  # noqa: PTH120 - as above
        self.root = folders[0]
        self.packages = {self.name}
        for name in MODULES:
            parent = name.rpartition(".")[0]
            while len(parent) > len(self.name):
                self.packages.add(parent)
                parent = parent.rpartition(".")[0]
        self.packages.update(name for name, (_, package) in MODULES.items() if package)
        self.folders = {os.path.normcase(self.folder(name)): name for name in self.packages}

    def folder(self, package: str) -> str:
        """Return the folder of a package of the unit, whether it is there or not."""
        parts = package.split(".")[len(self.name.split(".")) :]
        return os.path.join(self.root, *parts)  # noqa: PTH118 - as above

    def others(self, path: str) -> "Any":  # noqa: ANN401 - whatever a path hook gives
        """Return what finds the files of a folder; None where it is not there."""
        for hook in sys.path_hooks:
            if hook != self.hook:
                try:
                    return hook(path)
                except ImportError:
                    continue
        return None

    def hook(self, path: str) -> "Any":  # noqa: ANN401 - typeshed knows finders of its own kinds only
        """Return the finder of a folder of the package (``sys.path_hooks``).

        Raises:
            ImportError: It is another folder.
        """
        package = self.folders.get(os.path.normcase(path)) if isinstance(path, str) else None
        if package is None:
            msg = "not a folder of this package"
            raise ImportError(msg, path=path)
        return UnitFinder(self, path, package)

    def spec(self, name: str, path: str, known: str) -> "ModuleSpec":
        """Return the spec of a module of the unit, which a finder of a folder found, for the name that it is imported by."""
        package = MODULES[known][1]
        file = os.path.join(path, name.rpartition(".")[2])  # noqa: PTH118 - as above
        folder = file
        if package:
            file = os.path.join(file, "__init__")  # noqa: PTH118 - as above
        file += self.suffix
        spec = ModuleSpec(name, UnitLoader(name, file, self, known), origin=file, is_package=package)
        spec.has_location = True
        if package:
            spec.submodule_search_locations = [folder]
        return spec


def register(spec: "ModuleSpec", create: "Callable[[int, ModuleSpec], Any]") -> None:
    """Make Python find the modules of the unit; called before the package's own code runs.

    Args:
        spec: The package's own, by which it is imported.
        create: Makes the module of a number for a spec.
    """
    unit = Unit(spec, create)
    for hook in sys.path_hooks:
        known = getattr(hook, "__self__", None)
        if getattr(known, "root", None) == unit.root and getattr(known, "name", None) == unit.name:
            return  # imported again
    sys.path_hooks.insert(0, unit.hook)
    for path in [*sys.path_importer_cache]:
        if os.path.normcase(path) in unit.folders:
            del sys.path_importer_cache[path]
