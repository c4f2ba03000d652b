"""`pypackpack verify --rebuild` of an archive of data files: packed again, and where it first differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.middleware.resource.read import opened
from pypackpack.middleware.verify.compare import first_offset
from pypackpack.middleware.verify.rebuild import built_again, called_otherwise, check_version
from pypackpack.model.build import BuildRequest, BuildType, Bundle, Level
from pypackpack.model.errors import UsageError
from pypackpack.model.verification import Check

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.model.build import Watcher
    from pypackpack.model.project import Project


def rebuild_resource(path: Path, project: Project, watcher: Watcher, *, offline: bool) -> Check:
    """Pack an archive again and say where the result first differs. Arguments and errors as `rebuild`."""
    with opened(path) as resource:
        manifest = resource.index.manifest
    package = project.package(manifest.name)
    if package is None:
        msg = f"{path.name} is of {manifest.name}, and the project {project.name} has no such package"
        raise UsageError(msg, hint="Stand in its project, or name that with --project.")
    check_version(package, manifest.version, f"{path.name} is version {manifest.version}")
    with filesystem.scratch_folder(filesystem.cache_folder() / "tmp", "rebuild-") as scratch:
        request = BuildRequest(scratch, package.name, Bundle.RESOURCE, BuildType.DEBUG, Level.INSTANT, offline=offline)
        made = built_again(request, project, package, watcher)
        if path.name not in made:
            return called_otherwise(made)
        difference = _difference(path, made[path.name])
    if not difference:
        return Check("rebuild", f"packed again from {package.name} with an empty cache: the same to the byte")
    return Check("rebuild", "", (f"packed again it is another file: {difference}",))


def _difference(mine: Path, again: Path) -> str:
    with opened(mine) as one, opened(again) as other:
        files = {each.path: (each.size, each.sha256) for each in one}
        theirs = {each.path: (each.size, each.sha256) for each in other}
        for place in sorted(files.keys() | theirs.keys()):
            if place not in theirs:
                return f"{place!r} is in the artifact only"
            if place not in files:
                return f"{place!r} is in the rebuild only"
            if files[place] != theirs[place]:
                (size, _), (new, _) = files[place], theirs[place]
                return f"{place!r} differs (it has {size} bytes, in the rebuild {new})"
    with filesystem.explained("read", again):
        offset = first_offset(mine, again.read_bytes())
    return "" if offset is None else f"the files in both are the same, and byte {offset} of the archives is not"
