"""The packages of a project in its ``.venv``: imported straight from their sources, with this machine's overlay in force."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pypackpack.backend.tools import venv
from pypackpack.middleware.editable.install import STATE, install_editable, is_current, remove_editable
from pypackpack.middleware.editable.scripts import commands
from pypackpack.middleware.environment.distributions import distributions
from pypackpack.middleware.target import table
from pypackpack.model.errors import PyPackPackError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pypackpack.model.build import Watcher
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.project import Project
    from pypackpack.model.target import Target


@dataclass(frozen=True)
class Standing:
    """What stands in an environment at one time, for a comparison with what stands there later.

    Attributes:
        distributions: Every one, as (normalised name, version).
        current: The project's packages that are there as their settings and sources are now.
        commands: The commands of the project's packages.
    """

    distributions: tuple[tuple[str, str], ...]
    current: frozenset[str]
    commands: frozenset[str]


def standing(project: Project, site: Path) -> Standing:
    """Return what stands in an environment now."""
    target = host()
    current = (package.name for package in project.packages if is_current(package, project, site, target))
    return Standing(distributions(site), frozenset(current), frozenset(_commands(site)))


def _commands(site: Path) -> Iterator[str]:
    """Yield the commands that `place_packages` has put into an environment."""
    for state in sorted(site.glob(f"*.dist-info/{STATE}")):
        # Damaged or gone: the package is not current then, and is put there anew.
        with contextlib.suppress(OSError, ValueError):
            yield from commands((state.parent / "entry_points.txt").read_text(encoding="utf-8"))


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


def build_extensions(project: Project, python: Path, *, offline: bool, watcher: Watcher) -> None:
    """Build the packages' own native sources for an environment's Python, as far as they are not as they were built.

    Args:
        project: The project.
        python: The environment's interpreter.
        offline: Never touch the network.
        watcher: Told of the progress.

    Raises:
        SourceError: A source has errors; the other packages' are built all the same.
        PyPackPackError: Something that is needed cannot be had.
    """
    from pypackpack.middleware.editable import extensions  # noqa: PLC0415 - the two know each other

    target, first = host(), None
    interpreter: Interpreter | None = None
    series = venv.version(python.parent.parent)
    for package in project.packages:
        if series is not None and extensions.are_current(package, target, series[:2]):
            continue
        from pypackpack.middleware.python.choose import the_python  # noqa: PLC0415 - import cost, rarely needed
        from pypackpack.model.build import Level  # noqa: PLC0415 - as above

        interpreter = interpreter or the_python(python, Level.NATIVE, watcher)
        try:
            made = extensions.build_extensions(package, project, target, interpreter, offline=offline, watcher=watcher)
        except PyPackPackError as error:
            first = first or error
            continue
        if made:
            watcher.note(f"built for .venv: {', '.join(made)}")
    if first is not None:
        raise first


def remove_gone(project: Project, site: Path) -> None:
    """Take out of an environment what `place_packages` put there for a package that the project has no more."""
    for name, _ in distributions(site):
        if project.package(name) is None and any(site.glob(f"{name.replace('-', '_')}-*.dist-info/{STATE}")):
            remove_editable(name, site)


def all_current(project: Project, site: Path) -> bool:
    """Tell whether every package of a project is there as it should be, its own native sources built."""
    from pypackpack.middleware.editable.extensions import are_current  # noqa: PLC0415 - the two know each other

    target, series = host(), venv.version(project.venv)
    return all(is_current(package, project, site, target) for package in project.packages) and all(
        are_current(package, target, series[:2]) for package in project.packages if series is not None
    )
