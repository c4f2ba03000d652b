"""Source layers: which file of which layer makes up a package on a target.

``src/main`` is laid under ``src/<family>``, which is laid under ``src/<target>``; a file replaces the one of the same
path below it. ``src/test`` is never looked at.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.middleware.bundle.paths import caseless, problem_with, windows_problem_with
from pypackpack.model.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
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
        layer: Name of the folder below ``src`` that it comes from; empty for a file of a dependency, whose place is that
            below site-packages.
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
            for path in filesystem.source_files(root, (self._package.root, self._package.root.parent)):
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
            SourceError: A name cannot stand in an artifact, or not on Windows where that is the target; two files make one
                module, or two names differ in case only; a link leads out of the project, to nothing, or round in a circle.
        """
        files = {file.place: file for file in self.unchecked(target)}
        check_names(files, target)
        return tuple(files.values())

    def unchecked(self, target: Target) -> tuple[SourceFile, ...]:
        """Return the files of the package on a target, sorted by place, whatever their names are."""
        files: dict[str, SourceFile] = {}
        for layer in ("main", target.family, target.name):
            files.update({file.place: file for file in self._layer(layer)})
        return tuple(files[place] for place in sorted(files))


def check_names(files: Mapping[str, SourceFile], target: Target) -> None:
    """Refuse what Python or a file system would resolve by chance, or could not store.

    Raises:
        SourceError: Naming the file, or both files.
    """
    modules: dict[str, SourceFile] = {}
    written: dict[str, tuple[str, SourceFile]] = {}
    windows = target.family == "windows"
    for file in files.values():
        # Below the import package's folder, where "c:x" is no drive.
        if problem := problem_with(f"package/{file.place}") or (windows_problem_with(file.place) if windows else ""):
            hint = "Rename the file, or keep it out of this target with an overlay folder of another family."
            msg = f"{_shown(file)} cannot be built for {target.name}: its path {problem}"
            raise SourceError(msg, hint=hint if windows else "Rename the file.")
        _check_case(file, written)
        stem, _, suffix = file.place.rpartition(".")
        if suffix not in ("py", "pyx"):
            continue
        name = stem.removesuffix("/__init__")
        other = modules.setdefault(name, file)
        if other is not file:
            msg = f"{_shown(other)} and {_shown(file)} are the same module {name.replace('/', '.')} on {target.name}"
            raise SourceError(msg, hint="Keep one of them: Python would import only one.")


def _check_case(file: SourceFile, written: dict[str, tuple[str, SourceFile]]) -> None:
    """Compare the path of a file, and of each folder on the way to it, with how the others before it wrote the same."""
    path = file.place
    while path:
        known, other = written.setdefault(caseless(path), (path, file))
        if known != path:
            msg = f"{_shown(other)} and {_shown(file)} differ in case only, which Windows and macOS cannot tell apart"
            if known != other.place or path != file.place:
                both = f"{_shown(other)} and {_shown(file)}"
                msg = f"{both} lie in {known} and {path}, which Windows and macOS cannot tell apart"
            raise SourceError(msg, hint="Rename one of them.")
        if other is not file:
            return  # so were the folders above
        path = path.rpartition("/")[0]


def windows_problems(files: Iterable[SourceFile]) -> tuple[str, ...]:
    """Say of each file that Windows cannot have why."""
    found = ((file, windows_problem_with(file.place)) for file in files)
    return tuple(f"{_shown(file)}: its path {problem}" for file, problem in found if problem)


def _shown(file: SourceFile) -> str:
    return f"src/{file.layer}/{file.place}"
