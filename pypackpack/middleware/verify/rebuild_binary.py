"""`pypackpack verify --rebuild` of the folder of a binary: built again, and the first file and byte that differ."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pypackpack import __version__
from pypackpack.backend import filesystem
from pypackpack.middleware.bundle.binary import MANIFEST
from pypackpack.middleware.bundle.binary_manifest import read_manifest
from pypackpack.middleware.verify.compare import file_difference, names_difference
from pypackpack.middleware.verify.rebuild import built_again, check_version
from pypackpack.model.build import BuildRequest, BuildType, Bundle, Level
from pypackpack.model.errors import UsageError
from pypackpack.model.verification import Check

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.middleware.bundle.binary_manifest import BinaryManifest
    from pypackpack.model.build import Watcher
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.project import Package, Project


def rebuild_binary(path: Path, project: Project, watcher: Watcher, *, offline: bool) -> Check:
    """Build the folder of a binary again and say where the result first differs. Arguments and errors as `rebuild`."""
    manifest = read_manifest(path)
    package = _package(path, manifest, project)
    with filesystem.scratch_folder(filesystem.cache_folder() / "tmp", "rebuild-") as scratch:
        request = BuildRequest(
            scratch,
            package.name,
            Bundle.BINARY,
            BuildType(manifest.type),
            Level(manifest.level),
            targets=(manifest.target,),
            offline=offline,
        )
        python = _python(request, project, package, manifest, watcher)
        request = replace(request, interpreter=python.executable)
        (again,) = built_again(request, project, package, watcher).values()
        difference = _difference(path, manifest, again)
    if not difference:
        return Check("rebuild", f"built again from {package.name} with an empty cache: each file is the same to the byte")
    return Check("rebuild", "", (f"built again it is another one: {difference}",))


def _package(path: Path, manifest: BinaryManifest, project: Project) -> Package:
    package = project.package(manifest.package)
    if package is None:
        msg = f"{path} is of {manifest.package}, and the project {project.name} has no such package"
        raise UsageError(msg, hint="Stand in its project, or name that with --project.")
    check_version(package, manifest.version, f"{path} is version {manifest.version}")
    if manifest.pypackpack != __version__:
        msg = f"{path} was built by pypackpack {manifest.pypackpack}, and this is {__version__}"
        raise UsageError(msg, hint="Use that version to build it again; without --rebuild any version looks at it.")
    if manifest.target not in {each.name for each in package.targets}:
        msg = f"{path} is for {manifest.target}, and {package.name} has no such target"
        raise UsageError(msg, hint="Check out the sources that it was built from; `pypackpack target list` shows the targets.")
    return package


def _python(request: BuildRequest, project: Project, package: Package, manifest: BinaryManifest, watcher: Watcher) -> Interpreter:
    """Return the exact Python that it was built for: its version is in the manifest, whatever else is in the folder."""
    from pypackpack.middleware.python.choose import pythons_for  # noqa: PLC0415 - import cost

    offline, headers = request.offline, request.compiles
    for words in ((), (manifest.python,)):
        for each in pythons_for(project, package, words, headers=headers, offline=offline, watcher=watcher):
            if ".".join(map(str, each.version)) == manifest.python:
                return each
    msg = f"it was built for Python {manifest.python}, which is not here"
    raise UsageError(msg, hint=f"`pypackpack python install {manifest.python}` brings it.")


def _difference(mine: Path, manifest: BinaryManifest, again: Path) -> str:
    files = {each.path: each.sha256 for each in manifest.files}
    others = {each.path: each.sha256 for each in read_manifest(again).files}
    if said := names_difference(sorted(files), sorted(others)):
        return said
    # The metadata has digests of the code: where both differ, it is the code that is of interest.
    for path in sorted(files, key=lambda path: (path.partition("/")[0].endswith(".dist-info"), path)):
        if files[path] != others[path]:
            return file_difference(path, mine / path, again / path)
    return file_difference(MANIFEST, mine / MANIFEST, again / MANIFEST)
