"""The order in which packages that need each other are built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.model.errors import SettingsError
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pypackpack.model.project import Package, Project


def in_order(project: Project, packages: Iterable[Package]) -> tuple[Package, ...]:
    """Return the packages and every local package that they need, the needed ones first.

    Raises:
        SettingsError: Packages need each other in a circle; the message names it.
    """
    done: dict[str, Package] = {}
    for package in packages:
        _visit(project, package, (), done)
    return tuple(done.values())


def _visit(project: Project, package: Package, path: tuple[str, ...], done: dict[str, Package]) -> None:
    key = normalise(package.name)
    if key in done:
        return
    if key in path:
        circle = " → ".join((*path[path.index(key) :], key))
        msg = f"packages of this project need each other in a circle: {circle}"
        raise SettingsError(msg, hint="Take one of these dependencies out, or move what both need into a package of its own.")
    for name in package.local_dependencies:
        needed = project.package(name)
        if needed is not None:
            _visit(project, needed, (*path, key), done)
    done[key] = package
