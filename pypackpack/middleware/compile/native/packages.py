"""Headers and Cython declarations of installed packages, as a package's native sources may use them (`include-packages`).

They are read in the environment of the target, which is as the lock says: nothing of these packages is run, and a wheel for
Windows is compiled with what numpy is on Windows. What a package calls its folder of headers (``numpy.get_include()``) is found
by its files: by its ``RECORD`` (the specification "Recording installed projects"), and by the name ``include``, as numpy,
pybind11 and others have it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.backend.records import record_rows
from pypackpack.middleware.compile.layers import SourceFile
from pypackpack.middleware.compile.native.find import INCLUDED
from pypackpack.model.errors import SettingsError, WorkError
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pypackpack.model.project import Package
    from pypackpack.model.target import PythonVersion, Target

DECLARATIONS = (".pxd", ".pxi")
ROOT = ".packages"
"""Where their files stand for a C compiler: no import package can be called so."""

_INFO = ".dist-info"


@dataclass(frozen=True)
class Foreign:
    """What native sources may use of installed packages.

    Attributes:
        files: Path below site-packages → file, of declarations and headers.
        folders: Folders below site-packages in which ``#include`` looks; ``.`` is site-packages itself.
        packages: Folders below site-packages that are packages.
        labels: Top folder → distribution and version: ``numpy 2.1.0``.
    """

    files: Mapping[str, SourceFile] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    packages: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def declarations(self) -> dict[str, SourceFile]:
        """Cython's sources, by their path below site-packages."""
        return {path: file for path, file in self.files.items() if path.endswith(DECLARATIONS)}

    @property
    def headers(self) -> dict[str, SourceFile]:
        """Headers, by the path that they have for a C compiler."""
        return {f"{ROOT}/{path}": file for path, file in self.files.items() if path.endswith(INCLUDED)}

    @property
    def include(self) -> tuple[str, ...]:
        """The folders as a C compiler is told of them."""
        return tuple(ROOT if folder == "." else f"{ROOT}/{folder}" for folder in self.folders)

    def label_of(self, paths: Iterable[str]) -> str:
        """Return which distributions some of the files are of: ``numpy 2.1.0``."""
        return ", ".join(sorted(self.owners(paths)))

    def owners(self, paths: Iterable[str]) -> set[str]:
        """Return which distributions some of the files are of, where they are any's: ``numpy 2.1.0``."""
        own = (path.removeprefix(f"{ROOT}/") for path in paths)
        return {self.labels[path.partition("/")[0]] for path in own if path in self.files}


def foreign_files(package: Package, target: Target, python: PythonVersion, names: Iterable[str]) -> Foreign:
    """Return what native sources may use of some of the packages that are installed for a target.

    Args:
        package: Whose environment is looked into.
        target: The target.
        python: X.Y.
        names: Distributions, in any spelling.

    Raises:
        SettingsError: One of them is not installed there.
        WorkError: What is installed is not whole.
    """
    from pypackpack.middleware.environment.place import site_packages  # noqa: PLC0415 - most packages want none

    site = site_packages(package, target, python)
    files: dict[str, SourceFile] = {}
    folders: list[str] = []
    packages: set[str] = set()
    labels: dict[str, str] = {}
    for name in names:
        info = _info(site, name)
        if info is None:
            msg = (
                f"{package.root / 'pyproject.toml'}: tool.pypackpack.build.include-packages names {name}, which is not installed "
                f"in the environment of {target.name}"
            )
            words = f"pypackpack {package.name}"
            raise SettingsError(msg, hint=f"Make it a dependency: `{words} add {name}`; what is one, `{words} sync` installs.")
        listed = list(_recorded(info))
        found = {path: SourceFile(path, site / path, "") for path in listed if path.endswith((*DECLARATIONS, *INCLUDED))}
        for path, file in found.items():
            if file.path.is_symlink() or not file.path.is_file():
                msg = f"{info.name} is not whole in {site}: {path} is gone"
                raise WorkError(msg, hint="Bring the environment up to date with the package's sync command and build again.")
        files |= found
        folders += _folders(path for path in found if path.endswith(INCLUDED))
        packages |= {path.rpartition("/")[0] for path in listed if path.endswith("/__init__.py")}
        label = " ".join(info.name.removesuffix(_INFO).split("-")[:2])
        labels |= {path.partition("/")[0]: label for path in found}
    return Foreign(files, tuple(dict.fromkeys(folders)), frozenset(packages), labels)


def _info(site: Path, name: str) -> Path | None:
    """Return the metadata folder of a distribution."""
    wanted = normalise(name)
    for path in sorted(site.glob(f"*{_INFO}")):
        if normalise(path.name.removesuffix(_INFO).partition("-")[0]) == wanted:
            return path
    return None


def _recorded(info: Path) -> Iterator[str]:
    """Yield the paths below site-packages that a distribution says are its own."""
    record = info / "RECORD"
    if not record.is_file():
        return
    for row in record_rows(filesystem.read_bytes(record), record):
        path = row[0].replace("\\", "/")
        outside = ".." in path.split("/") or PurePosixPath(path).is_absolute() or PureWindowsPath(path).drive
        if path and not outside:
            yield path


def _folders(headers: Iterable[str]) -> list[str]:
    """Return the folders in which ``#include`` is to look for the headers of one distribution.

    That is each folder called ``include``; for headers that lie in none, the package's own folder and that above it
    (``#include "gmpy2.h"``, ``#include "gmpy2/gmpy2.h"``).
    """
    found: dict[str, None] = {}
    bare: dict[str, None] = {}
    for path in headers:
        parts = path.split("/")[:-1]
        if "include" in parts:
            found["/".join(parts[: parts.index("include") + 1])] = None
        else:
            bare.update(dict.fromkeys([*parts[:1], "."]))
    return [*found, *bare]
