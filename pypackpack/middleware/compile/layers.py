"""Source layers: which file of which layer makes up a package on a target.

``src/main`` is laid under ``src/<family>``, which is laid under ``src/<target>``; a file replaces the one of the same
path below it. ``src/test`` is never looked at.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.model.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pypackpack.model.project import Package
    from pypackpack.model.target import Target

NOT_SHIPPED = frozenset({".gitkeep", ".gitignore", ".gitattributes"})


@dataclass(frozen=True)
class SourceFile:
    """One file of a package on a target.

    Attributes:
        place: Where it lies in the import package, with ``/``: ``sub/mod.py``.
        path: Where it lies on disk.
        layer: Name of the folder below ``src`` that it comes from.
    """

    place: str
    path: Path
    layer: str

    @property
    def is_module(self) -> bool:
        """Whether it is a Python module that can be imported by its name."""
        if not self.place.endswith(".py"):
            return False
        return all(part.isidentifier() for part in self.place[: -len(".py")].split("/"))


def module_name(package: str, place: str) -> str:
    """Return the full name of a module, of ``__init__.py`` the package's own."""
    parts = [package, *place[: -len(".py")].split("/")]
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts)


class Layers:
    """The layers of one package, each read from disk once."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._read: dict[str, tuple[SourceFile, ...]] = {}
        if not package.source.joinpath("main").is_dir():
            msg = f"{package.name} has no sources: {package.source / 'main'} is not there"
            raise SourceError(msg, hint="Put the package's code into src/main, its __init__.py first.")

    def _layer(self, name: str) -> tuple[SourceFile, ...]:
        if name not in self._read:
            root = self._package.source / name
            prefix = len(os.fspath(root)) + 1
            found = []
            for path in filesystem.files_below(root):
                place = os.fspath(path)[prefix:].replace(os.sep, "/")
                if path.name not in NOT_SHIPPED:
                    found.append(SourceFile(place, path, name))
            self._read[name] = tuple(found)
        return self._read[name]

    @property
    def has_overlays(self) -> bool:
        """Whether any platform, enabled or not, has files of its own: then no wheel fits all platforms."""
        folders = filesystem.folders_in(self._package.source)
        return any(self._layer(name) for name in folders if name not in ("main", "test"))

    def on(self, target: Target) -> tuple[SourceFile, ...]:
        """Return the files of the package on a target, sorted by place.

        Raises:
            SourceError: Two files make one module, or two names differ in case only.
        """
        files: dict[str, SourceFile] = {}
        for layer in ("main", target.family, target.name):
            files.update({file.place: file for file in self._layer(layer)})
        check_names(files, target)
        return tuple(files[place] for place in sorted(files))


def check_names(files: Mapping[str, SourceFile], target: Target) -> None:
    """Refuse what Python or a file system would resolve by chance.

    Raises:
        SourceError: Naming both files.
    """
    modules: dict[str, SourceFile] = {}
    folded: dict[str, SourceFile] = {}
    for file in files.values():
        other = folded.setdefault(file.place.casefold(), file)
        if other is not file:
            msg = f"{_shown(other)} and {_shown(file)} differ in case only, which Windows and macOS cannot tell apart"
            raise SourceError(msg, hint="Rename one of them.")
        stem, _, suffix = file.place.rpartition(".")
        if suffix not in ("py", "pyx"):
            continue
        name = stem.removesuffix("/__init__")
        other = modules.setdefault(name, file)
        if other is not file:
            msg = f"{_shown(other)} and {_shown(file)} are the same module {name.replace('/', '.')} on {target.name}"
            raise SourceError(msg, hint="Keep one of them: Python would import only one.")


def _shown(file: SourceFile) -> str:
    return f"src/{file.layer}/{file.place}"
