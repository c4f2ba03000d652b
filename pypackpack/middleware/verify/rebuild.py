"""`pypackpack verify --rebuild`: the same sources built again, in a clean place and with an empty cache, compared to the byte.

Only what decides the wheel is brought to the clean place: settings, the lock, sources, licence and readme. The tools stay, which
are pinned by digest; what they made does not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pypackpack import __version__
from pypackpack.backend import filesystem
from pypackpack.middleware.inspect.wheel import inspect_wheel
from pypackpack.middleware.verify.audit import tags_of
from pypackpack.middleware.verify.compare import first_difference
from pypackpack.model.build import BuildRequest, BuildType, Bundle, Level
from pypackpack.model.cache import CacheSettings
from pypackpack.model.errors import UsageError, WorkError
from pypackpack.model.names import normalise
from pypackpack.model.verification import Check

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.middleware.verify.modules import Tags
    from pypackpack.model.build import Watcher
    from pypackpack.model.inspection import Inspection
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import Target

_ROOT_FILES = ("pyproject.toml", ".python-version")
_PACKAGE_FILES = ("pyproject.toml", "pyproject.lock")


def rebuild(path: Path, project: Project, watcher: Watcher, *, offline: bool = False) -> Check:
    """Build a wheel's package again and say where the result first differs.

    Args:
        path: The wheel.
        project: The project that it was built from, with the sources as they were.
        watcher: Told of the progress.
        offline: Never touch the network.

    Raises:
        UsageError: The wheel is of no package of the project, of another version, or not made by pypackpack.
        PyPackPackError: It cannot be built.
    """
    seen, tags = inspect_wheel(path), tags_of(path.name)
    package = _package(seen, project)
    python = _python(project, package, tags, offline=offline, watcher=watcher)
    with filesystem.scratch_folder(filesystem.cache_folder() / "tmp", "rebuild-") as scratch:
        clean = _copied(project, package, scratch / "project")
        request = BuildRequest(
            scratch,
            package.name,
            Bundle.SINGLE,
            BuildType(seen.type or "debug"),  # without bytecode and machine code both types are the same
            Level(seen.level),
            targets=(_target(package, tags, python).name,),
            interpreter=python.executable,
            project=replace(clean, cache=CacheSettings()),
            offline=offline,
            version=seen.version if seen.version != package.version else "",
            cache=scratch / "cache",
            audit=False,
        )
        from pypackpack.middleware.build import build  # noqa: PLC0415 - import cost

        made = [artifact.path for artifact in build(request, watcher).artifacts]
        if path.name not in [each.name for each in made]:
            words = ", ".join(each.name for each in made)
            return Check("rebuild", "", (f"built again it is called {words}",))
        (again,) = [each for each in made if each.name == path.name]
        difference = first_difference(path, again)
    if not difference:
        return Check("rebuild", f"built again from {package.name} with an empty cache: the same to the byte")
    mine = f"pypackpack {__version__}"
    others = f", which is made by {seen.made_by} and not by {mine}" if seen.made_by != mine else ""
    return Check("rebuild", "", (f"built again it is another file{others}: {difference}",))


def _package(seen: Inspection, project: Project) -> Package:
    if not seen.made_by.startswith("pypackpack "):
        msg = f"{seen.path.name} was made by {seen.made_by or 'somebody who does not say'}, and not by pypackpack"
        raise UsageError(msg, hint="Only what pypackpack built can it build again; without --rebuild it looks at any wheel.")
    if not seen.level:
        msg = f"{seen.path.name} does not say at which level it was built"
        raise UsageError(msg, hint="Wheels of pypackpack 0.3 and newer say it.")
    package = project.package(seen.name)
    if package is None:
        msg = f"{seen.path.name} is of {seen.name}, and the project {project.name} has no such package"
        raise UsageError(msg, hint="Stand in its project, or name that with --project.")
    base = seen.version.partition("+patch.")[0].partition(".patch.")[0]
    if normalise(base) != normalise(package.version) and _version(base) != _version(package.version):
        msg = f"{seen.path.name} is version {seen.version} of {package.name}, and the project has {package.version}"
        raise UsageError(msg, hint="Check out the sources that it was built from.")
    return package


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


def _copied(project: Project, package: Package, place: Path) -> Project:
    """Bring what decides the wheel to a folder, and read it there as a project."""
    from pypackpack.middleware.bundle.metadata import metadata_sources  # noqa: PLC0415 - import cost
    from pypackpack.middleware.project.read import load_project  # noqa: PLC0415 - import cost

    root = project.root.resolve()
    files = {root / name for name in _ROOT_FILES}
    for each in project.packages:
        files |= {each.root / name for name in _PACKAGE_FILES}
        files |= set(metadata_sources(each, project)[0])
    files |= set(filesystem.source_files(package.source, (package.root, package.root.parent)))
    for file in sorted(files):
        if not file.is_file():
            continue
        if not file.is_relative_to(root):
            msg = f"{file} lies outside of the project {root}, and cannot be brought to a clean place"
            raise WorkError(msg, hint="Copy the file into the project.")
        filesystem.fill_file(place / file.relative_to(root), file, executable=filesystem.is_executable(file))
    return load_project(place)
