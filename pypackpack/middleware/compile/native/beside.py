"""What Cython sees beside a Python module: the ``.pxd`` file of its place, and what that or the module itself cimports.

"Augmenting .pxd" in Cython's manual ("Pure Python Mode"): declarations of C types for what the module defines; Python without
Cython never looks at them.
"""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING

from pypackpack.middleware.compile.native import cimports, text
from pypackpack.middleware.compile.native.find import CYTHON, by_place
from pypackpack.middleware.compile.native.packages import Foreign, foreign_files
from pypackpack.middleware.compile.native.tasks import NEVER_INCLUDED, declarations, included, used, variant
from pypackpack.middleware.compile.source import Beside

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pypackpack.middleware.compile.layers import SourceFile
    from pypackpack.middleware.compile.source import Source
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.project import Package
    from pypackpack.model.target import PythonVersion, Target

CYTHON_COMPILER = "cython"
"""The compiler, by its name in the settings, that looks at ``.pxd`` files."""


class Neighbours:
    """What lies beside a package's modules: in itself, and in the packages that it includes from."""

    def __init__(self, package: Package, shop: Workshop) -> None:
        self._package = package
        self._shop = shop
        self._foreign: dict[tuple[str, PythonVersion], Foreign] = {}

    def foreign(self, target: Target, python: Interpreter) -> Foreign:
        """Return what the package's code may use of installed packages on a target.

        Raises:
            SettingsError: One that the settings name is not installed there.
        """
        names, key = self._package.settings(target).include_packages, (target.name, python.series)
        if key not in self._foreign:
            self._foreign[key] = foreign_files(self._package, target, python.series, names) if names else Foreign()
        return self._foreign[key]

    def declared(
        self, source: Source, files: Sequence[SourceFile], target: Target, python: Interpreter, compiler: str
    ) -> Source:
        """Return a module with what Cython may look at beside it; other compilers look at nothing."""
        if compiler != CYTHON_COMPILER:
            return source
        found = beside(source.file, self._package, files, self.foreign(target, python), self._shop)
        return replace(source, beside=found) if found.declarations else source


def beside(file: SourceFile, package: Package, files: Sequence[SourceFile], foreign: Foreign, shop: Workshop) -> Beside:
    """Return what Cython sees beside a Python module.

    Args:
        file: The module.
        package: Its package.
        files: The package's files on the target.
        foreign: What it may use of installed packages.
        shop: The tools of the build.

    Raises:
        SourceError: A header is included by a path that leads out of the package.
    """
    if not foreign.files and not by_place(files, CYTHON):
        return Beside()  # nothing is read for it
    top = package.import_name
    place = f"{top}/{file.place}"
    seen, packages = declarations(place, file, package, files, foreign, shop)
    del seen[place]
    if not seen:
        return Beside()
    headers, folders = _headers(place, seen, package, files, foreign, shop)
    both = {**seen, **headers}
    return Beside(
        tuple(sorted(seen.items())),
        tuple(sorted(headers.items())),
        folders,
        tuple(packages),
        (*((path, shop.digests.planned(each.path)[0]) for path, each in sorted(both.items())), ("packages", "\n".join(packages))),
        variant(both, foreign, shop),
    )


def _headers(
    place: str,
    seen: Mapping[str, SourceFile],
    package: Package,
    files: Sequence[SourceFile],
    foreign: Foreign,
    shop: Workshop,
) -> tuple[dict[str, SourceFile], tuple[str, ...]]:
    """Return the headers that the C of a module will include, since declarations say so, and the folders that they lie in."""
    top = package.import_name
    there = {f"{top}/{each.place}": each for each in files if not each.place.endswith(NEVER_INCLUDED)} | foreign.headers
    names = [name for each in seen.values() for name in cimports.headers(text.decoded(shop.read(each)))]
    lines = "".join("#include MACRO\n" if name is None else f'#include "{name}"\n' for name in names)
    c_file = f"{posixpath.splitext(place)[0]}.c"
    found = included({c_file: lines}, there, foreign.include, shop)
    return {each: there[each] for each in found}, used(foreign.include, found)
