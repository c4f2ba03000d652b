"""The packages of a project in its ``.venv``: imported straight from their sources, with this machine's overlay in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.middleware.editable.install import STATE, install_editable, is_current, remove_editable
from pypackpack.middleware.environment.distributions import distributions
from pypackpack.middleware.target import table
from pypackpack.model.errors import PyPackPackError

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.model.project import Project
    from pypackpack.model.target import Target


def host() -> Target | None:
    """Return the target that this machine is, or None on a system that is none."""
    try:
        return table.host_target()
    except PyPackPackError:
        return None


def place_packages(project: Project, site: Path) -> None:
    """Let an environment import every package of a project; one that is there as it should be is left alone.

    Raises:
        SettingsError: The metadata of a package is wrong.
        SourceError: It has no ``src/main``.
        FilesystemError: Something cannot be written; placing again completes it.
    """
    target = host()
    for package in project.packages:
        if not is_current(package, project, site, target):
            install_editable(package, project, site, target)


def remove_gone(project: Project, site: Path) -> None:
    """Take out of an environment what `place_packages` put there for a package that the project has no more."""
    for name, _ in distributions(site):
        if project.package(name) is None and any(site.glob(f"{name.replace('-', '_')}-*.dist-info/{STATE}")):
            remove_editable(name, site)


def all_current(project: Project, site: Path) -> bool:
    """Tell whether every package of a project is there as it should be."""
    target = host()
    return all(is_current(package, project, site, target) for package in project.packages)
