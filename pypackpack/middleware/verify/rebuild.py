"""`pypackpack verify --rebuild`: the same sources built again, in a clean place and with an empty cache, compared to the byte.

Wheels here; ``rebuild_patch`` and ``rebuild_resource`` have what is different for the others. Only what decides the artifact is
brought to the clean place: settings, the lock, sources, licence and readme. The tools stay, which are pinned by digest; what they
made does not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pypackpack import __version__
from pypackpack.backend import filesystem
from pypackpack.middleware.bundle.fat import fat_name
from pypackpack.middleware.inspect.wheel import inspect_wheel
from pypackpack.middleware.package.order import in_order
from pypackpack.middleware.verify.audit import tags_of
from pypackpack.middleware.verify.compare import first_difference, same_but_applied
from pypackpack.model.build import BuildRequest, BuildType, Bundle, Level
from pypackpack.model.cache import CacheSettings
from pypackpack.model.errors import UsageError, WorkError
from pypackpack.model.names import normalise
from pypackpack.model.verification import Check

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pypackpack.middleware.verify.modules import Tags
    from pypackpack.model.build import Watcher
    from pypackpack.model.inspection import Inspection
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import Target

_ROOT_FILES = ("pyproject.toml", ".python-version")
_PACKAGE_FILES = ("pyproject.toml", "pyproject.lock")


def rebuild(path: Path, project: Project, watcher: Watcher, *, offline: bool = False, base: Path | None = None) -> Check:
    """Build an artifact again and say where the result first differs.

    Args:
        path: The wheel, patch or archive of data files, or the folder of a binary.
        project: The project that it was built from, with the sources as they were.
        watcher: Told of the progress.
        offline: Never touch the network.
        base: Of a patch, its primary; None for the one that was released on this machine.

    Raises:
        UsageError: It is of no package of the project, of another version, or not made by pypackpack; or the primary is missing.
        PyPackPackError: It cannot be built.
    """
    name = path.name.lower()
    if path.is_dir():
        from pypackpack.middleware.verify.rebuild_binary import rebuild_binary  # noqa: PLC0415 - it takes this module

        return rebuild_binary(path, project, watcher, offline=offline)
    if name.endswith(".patch"):
        from pypackpack.middleware.verify.rebuild_patch import rebuild_patch  # noqa: PLC0415 - it takes this module

        return rebuild_patch(path, project, watcher, offline=offline, base=base)
    if name.endswith(".resource"):
        from pypackpack.middleware.verify.rebuild_resource import rebuild_resource  # noqa: PLC0415 - as above

        return rebuild_resource(path, project, watcher, offline=offline)
    seen = inspect_wheel(path)
    with filesystem.scratch_folder(filesystem.cache_folder() / "tmp", "rebuild-") as scratch:
        made = wheels_again(seen, scratch, project, watcher, offline=offline)
        if path.name not in made:
            return called_otherwise(made)
        difference = first_difference(path, made[path.name])
        applied = bool(difference) and same_but_applied(path, made[path.name])
    if not difference:
        return Check("rebuild", f"built again from {seen.name} with an empty cache: the same to the byte")
    if applied:
        files = f"built again from {seen.name} with an empty cache: each file in it is the same to the byte"
        return Check("rebuild", f"{files}; the archive is as `patch apply` writes it: its dates and compression are no build's")
    return Check("rebuild", "", (f"built again it is another file{made_by(seen)}: {difference}",))


def dependency_of(path: Path, project: Project) -> str:
    """Return the name of the package whose lock has what a wheel is of; empty where it is of the project, or of nobody there.

    Raises:
        DamagedLockError: A lock is damaged.
    """
    from pypackpack.middleware.environment.lock import FILE, read_lock  # noqa: PLC0415 - import cost

    name = normalise(path.name.partition("-")[0])
    own = {normalise(each) for package in project.packages for each in (package.name, fat_name(package))}
    if not path.name.lower().endswith(".whl") or name in own:
        return ""
    for package in project.packages:
        lock = read_lock(package.root / FILE)
        if lock is not None and name in {normalise(each) for each, _ in lock.versions()}:
            return package.name
    return ""


def called_otherwise(made: Iterable[str]) -> Check:
    """Return the answer where none of what was built again has the name that it should have."""
    return Check("rebuild", "", (f"built again it is called {', '.join(sorted(made))}",))


def made_by(seen: Inspection) -> str:
    """Return what may be the reason of a difference: that another pypackpack made the wheel."""
    mine = f"pypackpack {__version__}"
    return f", which is made by {seen.made_by} and not by {mine}" if seen.made_by != mine else ""


def wheels_again(seen: Inspection, scratch: Path, project: Project, watcher: Watcher, *, offline: bool) -> dict[str, Path]:
    """Build the package of a wheel again, as that wheel was built.

    Args:
        seen: The wheel.
        scratch: An empty folder.
        project: The project that it was built from.
        watcher: Told of the progress.
        offline: Never touch the network.

    Returns:
        File name → wheel.

    Raises:
        PyPackPackError: As `rebuild`.
    """
    tags = tags_of(seen.path.name)
    package = _package(seen, project)
    try:
        kind, level = BuildType(seen.type or "debug"), Level(seen.level)  # without machine code both types are the same
    except ValueError:
        msg = f"{seen.path.name} says that it was built as {seen.type[:40]!r} at level {seen.level[:40]!r}"
        raise UsageError(msg, hint="Only what pypackpack built can it build again.") from None
    python = _python(project, package, tags, offline=offline, watcher=watcher)
    request = BuildRequest(
        scratch,
        package.name,
        Bundle.SINGLE if normalise(seen.name) == normalise(package.name) else Bundle.FAT,
        kind,
        level,
        targets=(_target(package, tags, python).name,),
        interpreter=python.executable,
        offline=offline,
        version=seen.version if seen.version != package.version else "",
    )
    return built_again(request, project, package, watcher)


def built_again(request: BuildRequest, project: Project, package: Package, watcher: Watcher) -> dict[str, Path]:
    """Build in a clean place, which is the folder where the request starts, with an empty cache.

    Returns:
        File name → artifact.

    Raises:
        PyPackPackError: It cannot be built.
    """
    from pypackpack.middleware.build import build  # noqa: PLC0415 - import cost

    scratch = request.start
    members = in_order(project, (package,)) if request.bundle.carries else (package,)
    clean = _copied(project, members, scratch / "project")
    clean = replace(clean, cache=CacheSettings(), packages=tuple(map(_in_one_wheel, clean.packages)))
    made = build(replace(request, project=clean, cache=scratch / "cache", audit=False), watcher)
    return {artifact.path.name: artifact.path for artifact in made.artifacts}


def _in_one_wheel(package: Package) -> Package:
    """Return the package with the layout that the wheel has, whatever the settings say now."""
    return replace(package, bundle=replace(package.bundle, fat_layout="single"))


def _package(seen: Inspection, project: Project) -> Package:
    if whose := dependency_of(seen.path, project):
        msg = f"{seen.path.name} is of {seen.name}, a dependency of {whose}; it cannot be built again"
        raise UsageError(msg, hint="Without --rebuild it is looked at as any wheel is.")
    if not seen.made_by.startswith("pypackpack "):
        msg = f"{seen.path.name} was made by {seen.made_by or 'somebody who does not say'}, and not by pypackpack"
        raise UsageError(msg, hint="Only what pypackpack built can it build again; without --rebuild it looks at any wheel.")
    if not seen.level:
        msg = f"{seen.path.name} does not say at which level it was built"
        raise UsageError(msg, hint="Wheels of pypackpack 0.3 and newer say it.")
    fat = (each for each in project.packages if normalise(fat_name(each)) == normalise(seen.name))
    package = project.package(seen.name) or next(fat, None)
    if package is None:
        msg = f"{seen.path.name} is of {seen.name}, and the project {project.name} has no such package"
        raise UsageError(msg, hint="Stand in its project, or name that with --project.")
    base = seen.version.partition("+patch.")[0].partition(".patch.")[0]
    check_version(package, base, f"{seen.path.name} is version {seen.version}")
    return package


def check_version(package: Package, version: str, said: str) -> None:
    """See that the project's sources are those of a version.

    Args:
        package: The package.
        version: The version.
        said: What has it, for the error.

    Raises:
        UsageError: They are not.
    """
    if normalise(version) != normalise(package.version) and _version(version) != _version(package.version):
        msg = f"{said} of {package.name}, and the project has {package.version}"
        raise UsageError(msg, hint="Check out the sources that it was built from.")


def _version(text: str) -> str:
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - import cost

    try:
        return str(Version(text))
    except InvalidVersion:
        return text


def _python(project: Project, package: Package, tags: Tags, *, offline: bool, watcher: Watcher) -> Interpreter:
    from pypackpack.middleware.python.choose import pythons_for  # noqa: PLC0415 - import cost

    headers = tags.abis != ("none",)
    usual = pythons_for(project, package, headers=headers, offline=offline, watcher=watcher)
    if (own := next((each for each in usual if tags.lowest in (None, each.series)), None)) is not None:
        return own  # the very one that a build takes: its micro version is in bytecode
    said = "{}.{}".format(*(tags.lowest or usual[0].series))
    return pythons_for(project, package, (said,), headers=headers, offline=offline, watcher=watcher)[0]


def _target(package: Package, tags: Tags, python: Interpreter) -> Target:
    """Return a target whose wheels have these tags."""
    wanted = {tag.text for tag in tags.platforms}
    if wanted == {"any"} and package.targets:
        return package.targets[0]
    found = next((each for each in package.targets if set(each.tags.for_python(python.series)) == wanted), None)
    if found is None:
        msg = f"{package.name} has no target whose wheels are for {' and '.join(sorted(wanted))}"
        raise UsageError(msg, hint="Check out the sources that it was built from; `pypackpack target list` shows the targets.")
    return found


def _copied(project: Project, members: Sequence[Package], place: Path) -> Project:
    """Bring what decides the wheel to a folder, and read it there as a project."""
    from pypackpack.middleware.bundle.metadata import metadata_sources  # noqa: PLC0415 - import cost
    from pypackpack.middleware.project.read import load_project  # noqa: PLC0415 - import cost

    root = project.root.resolve()
    files = {root / name for name in _ROOT_FILES}
    for each in project.packages:
        files |= {each.root / name for name in _PACKAGE_FILES}
        files |= set(metadata_sources(each, project)[0])
    for each in members:
        files |= set(filesystem.source_files(each.source, (each.root, each.root.parent)))
    for file in sorted(files):
        if not file.is_file():
            continue
        if not file.is_relative_to(root):
            msg = f"{file} lies outside of the project {root}, and cannot be brought to a clean place"
            raise WorkError(msg, hint="Copy the file into the project.")
        filesystem.fill_file(place / file.relative_to(root), file, executable=filesystem.is_executable(file))
    return load_project(place)
