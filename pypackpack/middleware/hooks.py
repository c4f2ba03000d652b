"""What the build hooks of PEP 517 and PEP 660 do, for a package and for the project itself.

The project has no code of its own: its distribution is metadata alone, with an extra for each package, so that
``pip install "<project>[<package>] @ git+https://…"`` installs that package from the same commit.
"""

from __future__ import annotations

import difflib
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.middleware.project.finish import ours
from pypackpack.middleware.project.read import FILE, find_project, load_alone, load_project
from pypackpack.middleware.project.repository import folder_references, has_folders, repository_references
from pypackpack.middleware.project.toml import read_toml
from pypackpack.model.build import BuildRequest, BuildType, Bundle, Level, Silent
from pypackpack.model.errors import NoProjectError, PyPackPackError, UsageError
from pypackpack.model.names import import_name, normalise
from pypackpack.model.project import BundleSettings, Package

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pypackpack.middleware.bundle.metadata import CoreFiles
    from pypackpack.model.build import BuildResult, Watcher
    from pypackpack.model.project import Project
    from pypackpack.model.target import Target

SETTINGS: dict[str, tuple[str, ...]] = {
    "level": ("instant", "bytecode", "native"),
    "type": ("debug", "release"),
    "target": (),
    "siblings": ("repository", "version"),
}
"""Keys of ``config_settings`` → the values that they take; none: any that the table of targets knows."""

SDIST_MARK = "PKG-INFO"


@dataclass(frozen=True)
class Place:
    """What a hook was called for.

    Attributes:
        project: The project; of an unpacked sdist, a project of one package.
        package: The package, or the project itself as one.
        extras: Name → requirement of each extra of the project; None for a package.
        references: Normalised name → URL of the packages that others may require.
    """

    project: Project
    package: Package
    extras: Mapping[str, str] | None
    references: Mapping[str, str]


def checked_settings(given: Mapping[str, object] | None, watcher: Watcher) -> dict[str, str]:
    """Return the ``config_settings`` of a frontend that are ours, with one value each; the last one of several counts.

    A key that we do not know is noted only: a frontend may hand the same settings to every package that it builds.

    Raises:
        UsageError: A value is none of those that its key takes.
    """
    result: dict[str, str] = {}
    for key, said in (given or {}).items():
        value = said[-1] if isinstance(said, list) and said else said
        if key not in SETTINGS:
            near = difflib.get_close_matches(key, SETTINGS, n=1)
            watcher.note(f'the config setting "{key}" is not ours and was ignored' + (f'; "{near[0]}" is' if near else ""))
        elif not isinstance(value, str) or (SETTINGS[key] and value not in SETTINGS[key]):
            msg = f"config setting {key}={value}: expected {' or '.join(SETTINGS[key]) or 'a target'}"
            raise UsageError(msg, hint="See the reference of the build hooks in the documentation.")
        else:
            result[key] = value
    return result


def wheel(folder: Path, directory: Path, settings: Mapping[str, str], watcher: Watcher) -> str:
    """Build the wheel of a package, or of a project, into a directory; returns its file name (PEP 517, ``build_wheel``).

    Args:
        folder: The package's or the project's folder.
        directory: Where the wheel goes.
        settings: See `checked_settings`.
        watcher: Gets notes.

    Raises:
        PyPackPackError: It cannot be built.
    """
    place = _place(folder, _references(settings))
    _tell_local(place, watcher)
    if place.extras is not None:
        return _bare_wheel(place, directory)
    project, package = _for_this_machine(place, settings)
    request = BuildRequest(
        start=folder,
        package=package.name,
        bundle=Bundle.SINGLE,
        type=BuildType(settings.get("type", package.hooks.type)),
        level=Level(settings.get("level", package.hooks.level)),
        targets=(_target(package, settings),),
        interpreter=Path(sys.executable),
        references=tuple(sorted(place.references.items())),
        project=project,
        audit=False,  # who installs on this machine may use what is on it
    )
    from pypackpack.middleware.build import build  # noqa: PLC0415 - import cost, not for the other hooks

    result = build(request, watcher)
    _tell(result, watcher)
    made = result.artifacts[0].path
    filesystem.write_atomic(directory / made.name, filesystem.read_bytes(made))
    return made.name


def sdist(folder: Path, directory: Path, settings: Mapping[str, str]) -> str:
    """Write the sdist of a package, or of a project, into a directory; returns its file name (PEP 517, ``build_sdist``).

    Requirements of other packages are the same as in the wheel, but never a path of this machine: where there is no git, the
    version stands instead.

    Raises:
        PyPackPackError: It cannot be written.
    """
    from pypackpack.middleware.bundle.sdist import write_sdist  # noqa: PLC0415 - import cost

    place = _place(folder, "version" if settings.get("siblings") == "version" else "commit")
    return write_sdist(directory, place.package, place.project, place.references, place.extras).name


def editable(folder: Path, directory: Path, settings: Mapping[str, str], watcher: Watcher | None = None) -> str:
    """Write the wheel of an editable installation into a directory; returns its file name (PEP 660, ``build_editable``).

    Other packages of the project are named by their folders: what a person works on, and not what was committed. The package's
    own native sources are built for the Python that runs this.

    Raises:
        PyPackPackError: It cannot be written.
    """
    from pypackpack.middleware.editable.wheel import editable_wheel  # noqa: PLC0415 - import cost

    place = _place(folder, _references(settings, for_editable=True))
    if place.extras is not None:
        return _bare_wheel(place, directory)
    _build_extensions(place, settings, watcher or Silent())
    return editable_wheel(place.package, place.project, directory, _host(), place.references).name


def _build_extensions(place: Place, settings: Mapping[str, str], watcher: Watcher) -> None:
    from pypackpack.middleware.editable.extensions import are_current, build_extensions  # noqa: PLC0415 - import cost
    from pypackpack.middleware.python.choose import the_python  # noqa: PLC0415 - as above

    target, package = _host(), place.package
    if "type" in settings:
        package = replace(package, hooks=replace(package.hooks, type=settings["type"]))
    if are_current(package, target, sys.version_info[:2]):
        return
    python = the_python(Path(sys.executable), Level.NATIVE, watcher)
    made = build_extensions(package, place.project, target, python, offline=False, watcher=watcher)
    if made:
        watcher.note(f"built: {', '.join(made)}")


def metadata(folder: Path, directory: Path, settings: Mapping[str, str], *, for_editable: bool) -> str:
    """Write the ``.dist-info`` folder of the wheel that would be built; returns its name (``prepare_metadata_for_build_*``).

    Raises:
        PyPackPackError: The metadata is wrong.
    """
    place = _place(folder, _references(settings, for_editable=for_editable))
    target = None
    if place.extras is None and not for_editable:
        project, package = _for_this_machine(place, settings)
        place = replace(place, project=project, package=package)
        from pypackpack.middleware.target import table  # noqa: PLC0415 - import cost

        (target, *_) = table.resolve((_target(package, settings),), package.targets)
    elif for_editable:
        target = _host()
    core = _core(place, target)
    for name, data in core.files():
        filesystem.write_atomic(directory / core.dist_info / name, data)
    return core.dist_info


def _core(place: Place, target: Target | None) -> CoreFiles:
    from pypackpack.middleware.bundle.metadata import core_metadata  # noqa: PLC0415 - import cost

    return core_metadata(place.package, place.project, target, place.references, place.extras)


def _bare_wheel(place: Place, directory: Path) -> str:
    """Write the wheel of the project itself, which has no files."""
    from pypackpack.middleware.bundle.tags import WheelTag  # noqa: PLC0415 - import cost
    from pypackpack.middleware.bundle.wheel import write_wheel  # noqa: PLC0415 - import cost

    tags = WheelTag("py3", "none", ("any",))
    return write_wheel(directory, core=_core(place, None), tags=tags, pure=True, members=()).path.name


def _references(settings: Mapping[str, str], *, for_editable: bool = False) -> str:
    said = settings.get("siblings", "repository")
    return "folder" if for_editable and said == "repository" else said


def _place(folder: Path, references: str) -> Place:
    """Find out what a hook was called for.

    Args:
        folder: The folder that the frontend called it in.
        references: ``repository``: packages are named in git, else by folder; ``commit``: in git only; ``folder``; ``version``.
    """
    folder = folder.resolve()
    content = read_toml(folder / FILE) if (folder / FILE).is_file() else {}
    is_root = "packages" in ours(content)
    if is_root:
        project = load_project(folder)
    elif (folder / SDIST_MARK).is_file() and not _is_recorded(folder):
        project = load_alone(folder)
    else:
        project = find_project(folder)
    urls: dict[str, str] = {}
    if references == "folder":
        urls = folder_references(project)
    elif references != "version" and (is_root or len(project.packages) > 1 or has_folders(project)):
        urls = repository_references(project, paths=references == "repository")
    if is_root:
        extras = {}
        for package in project.packages:
            url = urls.get(normalise(package.name))
            extras[normalise(package.name)] = f"{package.name} @ {url}" if url else f"{package.name}=={package.version}"
        return Place(project, root_package(project), extras, urls)
    mine = next((package for package in project.packages if package.root == folder), None)
    if mine is None:
        msg = f"{folder} is not among the packages of the project {project.root}"
        raise NoProjectError(msg, hint="Add its name to tool.pypackpack.packages in the project's pyproject.toml.")
    return Place(project, mine, None, urls)


def _is_recorded(folder: Path) -> bool:
    """Tell whether the folder above is a project that has this one among its packages."""
    above = folder.parent / FILE
    packages = ours(read_toml(above)).get("packages") if above.is_file() else None
    return isinstance(packages, list) and folder.name in packages


def root_package(project: Project) -> Package:
    """Return the project itself as a package without code."""
    return Package(project.name, import_name(project.name), project.root, "", (), (), (), {}, {}, BundleSettings())


def _host() -> Target | None:
    from pypackpack.middleware.target import table  # noqa: PLC0415 - import cost

    try:
        return table.host_target()
    except PyPackPackError:
        return None


def _for_this_machine(place: Place, settings: Mapping[str, str]) -> tuple[Project, Package]:
    """Return project and package; one that is the same on all platforms gets this machine's target if it has none here.

    Such a wheel says ``any``: it makes no difference which target it is built for, and an installer may run anywhere.
    """
    from pypackpack.middleware.compile.layers import Layers  # noqa: PLC0415 - import cost
    from pypackpack.middleware.target import table  # noqa: PLC0415 - import cost

    project, package = place.project, place.package
    if settings.get("level", package.hooks.level) == "native" or "target" in settings:
        return project, package
    host = _host()
    if host is not None and table.matching(host.name, package.targets):
        return project, package
    if Layers(package).has_overlays or any(package.target_dependencies.values()):
        return project, package
    added = replace(package, targets=(*package.targets, host or table.find("linux_x86_64")))
    return replace(project, packages=tuple(added if each is package else each for each in project.packages)), added


def _target(package: Package, settings: Mapping[str, str]) -> str:
    """Return the name of the target to build for: the one that was asked for, this machine's, or any that will do."""
    if "target" in settings:
        return settings["target"]
    host = _host()
    return host.name if host is not None else package.targets[-1].name if package.targets else "host"


def _tell_local(place: Place, watcher: Watcher) -> None:
    """Say of a wheel that its requirements name places of this machine, where nobody has said another one."""
    if place.project.repository:
        return
    name = place.package.name
    names = place.package.local_dependencies if place.extras is None else [package.name for package in place.project.packages]
    local = [name for name in names if place.references.get(normalise(name), "").startswith(("git+file:", "file:"))]
    if local:
        watcher.note(
            f"the wheel of {name} names {', '.join(local)} by a path of this machine: before it goes to another one, "
            "give the checkout a remote, or the project a [tool.pypackpack] repository"
        )


def _tell(result: BuildResult, watcher: Watcher) -> None:
    for fallback in result.fallbacks:
        watcher.note(f"{fallback.module} is {fallback.form}: {fallback.reason}")
    for text in result.warnings:
        watcher.note(text)
