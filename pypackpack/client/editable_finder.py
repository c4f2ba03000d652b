"""Imports a package from its layers of sources: what stands behind an editable installation (PEP 660).

This file is copied into the environments of people. There it is not loaded before the first import of the package; the few lines
that Python runs at every start are ``data/templates/editable.template``. It has no ``from __future__``, and imports nothing
heavy at the top: it is part of the first import of every package.
"""

import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType
    from typing import Any


def find(
    package: str, layers: "tuple[str, ...]", name: str, path: "Sequence[str] | None", built: str = ""
) -> "ModuleSpec | None":
    """Return the spec of a package in layers, or of what is below it: of each name, the uppermost layer that has it.

    Args:
        package: The import package.
        layers: Folders of its sources, the uppermost first; they need not be there.
        name: The package's name, or one below it.
        path: The parent's ``__path__`` (see importlib.abc.MetaPathFinder).
        built: The folder of what was built of native sources.

    Raises:
        ModuleNotFoundError: No layer is there any more, or the module is made of a native source that was not built.
    """
    if name == package:
        spec = _package(name, list(layers))
        if spec is None:
            msg = f"{name} is installed as editable from {layers[-1]}, which is not there any more; install it again"
            raise ModuleNotFoundError(msg, name=name)
        return spec
    if path is None:
        return None
    tail = name.rpartition(".")[2]
    folders = [os.path.join(folder, tail) for folder in path]  # noqa: PTH118 - pathlib is not loaded for an import
    spec = _package(name, folders, regular=True)
    if spec is None:
        spec = PathFinder.find_spec(name, path)
        if spec is None or spec.loader is None:
            spec = _built(name, built, layers[-1]) or _package(name, folders)
    if spec is None and (source := _native_source(folders)):
        series = "{}.{}".format(*sys.version_info)
        msg = f"{name} is compiled from {source}, and has not been built for Python {series} yet. {_how(layers[-1])}"
        raise ModuleNotFoundError(msg, name=name)
    return spec


_checked: "set[str]" = set()


def _how(layer: str) -> str:
    """Return what to do for native sources to be built; ``layer`` is the package's ``src/main``."""
    folder = os.path.dirname(os.path.dirname(layer))  # noqa: PTH120 - see _package
    return f'Run `pypackpack sync` for the .venv of its project; for another environment, `pip install -e "{folder}"` there.'


def _built(name: str, built: str, layer: str) -> "ModuleSpec | None":
    """Return the spec of an extension module that was built of a native source, or None; say so if it is older than these."""
    folder = os.path.join(built, *name.split(".")[:-1])  # noqa: PTH118 - see _package
    if not built or not os.path.isdir(folder):  # noqa: PTH112 - see _package
        return None
    spec = PathFinder.find_spec(name, [folder])
    if spec is None or spec.loader is None or not spec.has_location:
        return None
    if built not in _checked:
        _checked.add(built)
        if source := _changed(built):
            import warnings  # noqa: PLC0415 - rare

            top = name.partition(".")[0]
            msg = f"{source} has changed since {top}'s extension modules were built; the old ones are imported. {_how(layer)}"
            warnings.warn(msg, RuntimeWarning, stacklevel=2)
    return spec


def _changed(built: str) -> str:
    """Return a source that is not as it was when the extension modules for this Python were built; empty if all are."""
    place = os.path.join(built, f"sources{EXTENSION_SUFFIXES[0]}.txt")  # noqa: PTH118 - see _package
    try:
        with open(place, encoding="utf-8", errors="surrogateescape") as lines:  # noqa: PTH123 - see _package
            for line in lines:
                if line.startswith("#"):
                    continue
                size, changed, source = line.rstrip("\n").split(" ", 2)
                try:
                    state = os.stat(source)  # noqa: PTH116 - see _package
                except OSError:
                    return source
                if (state.st_size, state.st_mtime_ns) != (int(size), int(changed)):
                    return source
    except (OSError, ValueError):
        return "what they are made of"  # a build that was cut off
    return ""


def _native_source(places: "list[str]") -> str:
    """Return a native source of that place, without suffix, in one of the layers; empty if there is none."""
    names = (place + suffix for place in places for suffix in (".pyx", ".c", ".cc", ".cpp", ".cxx", ".c++"))
    return next((name for name in names if os.path.isfile(name)), "")  # noqa: PTH113 - see _package


def _package(name: str, folders: "list[str]", *, regular: bool = False) -> "ModuleSpec | None":
    """Return the spec of a package that lies in some of the folders, or None; ``regular``: only one with an ``__init__``."""
    there = [folder for folder in folders if os.path.isdir(folder)]  # noqa: PTH112 - pathlib is not loaded for an import
    if not there:
        return None
    for folder in there:
        init = os.path.join(folder, "__init__.py")  # noqa: PTH118 - see above
        if os.path.isfile(init):  # noqa: PTH113 - see above
            return spec_from_file_location(name, init, loader=_loader(name, init, folders), submodule_search_locations=folders)
    if regular:
        return None
    spec = ModuleSpec(name, _NamespaceLoader(folders), is_package=True)  # type: ignore[arg-type] # a loader by its methods
    spec.submodule_search_locations = folders
    return spec


def _loader(name: str, init: str, folders: "list[str]") -> "SourceFileLoader":
    """Return what loads an ``__init__.py`` and knows the resources of all layers."""

    class Loader(SourceFileLoader):
        def get_data(self, path: "str | bytes") -> bytes:
            """Return the bytes of a file: of the uppermost layer that has it (``pkgutil.get_data``)."""
            place = os.fsdecode(path)
            home = os.path.dirname(init) + os.sep  # noqa: PTH120 - see _package
            inside = place[len(home) :] if place.startswith(home) else ""
            if inside and not inside.startswith("__pycache__"):
                for folder in folders:
                    upper = os.path.join(folder, inside)  # noqa: PTH118 - see _package
                    if os.path.isfile(upper):  # noqa: PTH113 - see _package
                        return super().get_data(upper)
            return super().get_data(place)

        def get_resource_reader(self, name: "str | None" = None) -> "Any":  # noqa: ANN401 - the protocol moves between versions
            """Return what ``importlib.resources`` reads with."""
            del name
            return _Reader(folders)

    return Loader(name, init)


class _NamespaceLoader:
    """Loads a package without ``__init__``; importlib's own knows no resources in several given folders."""

    def __init__(self, folders: "list[str]") -> None:
        self._folders = folders

    def create_module(self, spec: "ModuleSpec") -> None:
        """Leave it to importlib."""

    def exec_module(self, module: "ModuleType") -> None:
        """There is nothing to run."""

    def is_package(self, _name: str) -> bool:
        """It always is."""
        return True

    def get_source(self, _name: str) -> str:
        """Return an empty text, as importlib does for such packages."""
        return ""

    def get_code(self, _name: str) -> "Any":  # noqa: ANN401 - a code object
        """Return the code of an empty text."""
        return compile("", "<namespace>", "exec", dont_inherit=True)

    def get_resource_reader(self, _name: str) -> "_Reader":
        """Return what ``importlib.resources`` reads with."""
        return _Reader(self._folders)


class _Reader:
    """Resources of a package in layers (importlib.resources.abc.TraversableResources, by its methods)."""

    def __init__(self, folders: "list[str]") -> None:
        self._folders = folders

    def files(self) -> "Any":  # noqa: ANN401 - a Path, or what acts like one
        """Return the package's folder: its own where there is one layer, else all of them as one."""
        from pathlib import Path  # noqa: PLC0415 - import cost, only for who reads resources

        return _merged([folder for folder in map(Path, self._folders) if folder.is_dir()])

    def open_resource(self, resource: str) -> "Any":  # noqa: ANN401 - a binary stream
        """Open a file of the package."""
        return self.files().joinpath(resource).open("rb")

    def resource_path(self, resource: str) -> str:
        """Return the path of a file of the package."""
        return str(self.files().joinpath(resource))

    def is_resource(self, path: str) -> bool:
        """Tell whether the package has a file of that name."""
        return bool(self.files().joinpath(path).is_file())

    def contents(self) -> "Iterator[str]":
        """Yield the names in the package's folder."""
        return (entry.name for entry in self.files().iterdir())


def _merged(folders: "list[Any]") -> "Any":  # noqa: ANN401 - a Path, or what acts like one
    return folders[0] if len(folders) == 1 else _Folder(folders)


class _Folder:
    """A folder that several layers have, as importlib.resources.abc.Traversable."""

    def __init__(self, folders: "list[Any]") -> None:
        self._folders = folders

    @property
    def name(self) -> str:
        """The name of the folder."""
        return str(self._folders[-1].name)

    def __repr__(self) -> str:
        return f"<{' over '.join(map(str, self._folders))}>"

    def is_dir(self) -> bool:
        """It is."""
        return True

    def is_file(self) -> bool:
        """It is not."""
        return False

    def iterdir(self) -> "Iterator[Any]":
        """Yield what is in it, each name once."""
        for name in sorted({entry.name for folder in self._folders for entry in folder.iterdir()}):
            yield self._child(name)

    def _child(self, name: str) -> "Any":  # noqa: ANN401 - see _merged
        there = [path for folder in self._folders if (path := folder / name).exists()]
        if not there:
            return self._folders[-1] / name
        return there[0] if there[0].is_file() else _merged([path for path in there if path.is_dir()])

    def joinpath(self, *parts: str) -> "Any":  # noqa: ANN401 - see _merged
        """Return a file or folder in it."""
        here: Any = self
        for word in "/".join(map(os.fspath, parts)).replace(os.sep, "/").split("/"):
            if word not in {"", "."}:
                here = here._child(word) if isinstance(here, _Folder) else here / word  # noqa: SLF001 - of the same class
        return here

    __truediv__ = joinpath

    def open(self, *_words: "Any", **_named: "Any") -> "Any":  # noqa: ANN401 - as Path.open
        """Fail as a folder does."""
        raise IsADirectoryError(str(self._folders[0]))

    def read_bytes(self) -> bytes:
        """Fail as a folder does."""
        return bytes(self.open())

    def read_text(self, encoding: "str | None" = None) -> str:
        """Fail as a folder does."""
        return str(self.open(encoding))
