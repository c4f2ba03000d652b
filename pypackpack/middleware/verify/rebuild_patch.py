"""`pypackpack verify --rebuild` of a patch: the wheel that it leads to is built again, and the patch made again of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.backend import distributions, filesystem
from pypackpack.middleware.inspect.wheel import inspect_wheel
from pypackpack.middleware.patch.build import CODECS, LEAN_CODECS
from pypackpack.middleware.patch.make import make_patch, name_of, read_identity
from pypackpack.middleware.patch.releases import kept_wheel, read_releases
from pypackpack.middleware.patch.use import apply, show
from pypackpack.middleware.verify.compare import first_difference, first_offset
from pypackpack.middleware.verify.rebuild import called_otherwise, made_by, wheels_again
from pypackpack.model.errors import UsageError
from pypackpack.model.verification import Check

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.model.build import Watcher
    from pypackpack.model.patch import PatchFacts
    from pypackpack.model.project import Project


def rebuild_patch(path: Path, project: Project, watcher: Watcher, *, offline: bool, base: Path | None) -> Check:
    """Make a patch again and say where the result first differs. Arguments and errors as `rebuild`."""
    facts = show(path)
    primary = base if base is not None else _primary(facts, project)
    with filesystem.scratch_folder(filesystem.cache_folder() / "tmp", "rebuild-") as scratch:
        old = scratch / "primary" / facts.primary.file  # its name is in the patch; who keeps it may call it otherwise
        filesystem.fill_file(old, primary)
        result = apply(path, old, scratch / "result", facts.identity).path
        assert result is not None  # noqa: S101 - a wheel was applied to, and not a folder
        seen = inspect_wheel(result)
        made = wheels_again(seen, scratch, project, watcher, offline=offline)
        if result.name not in made:
            return called_otherwise(made)
        new = made[result.name]
        if read_identity(new) != facts.result.identity:
            difference = first_difference(result, new)
            words = f"built again, the wheel that it leads to is another one{made_by(seen)}: {difference}"
            return Check("rebuild", "", (words,))
        codecs = CODECS if facts.codec in CODECS else LEAN_CODECS
        data = make_patch(old, new, number=facts.number, codecs=codecs)
        place = first_offset(path, data)
    if place is None:
        return Check("rebuild", f"built again from {seen.name} with an empty cache, and made again: the same to the byte")
    said = f"bsdiff4 {distributions.version_of('bsdiff4')}, and this Python's liblzma, may be others than those that made it"
    words = f"the wheel that it leads to is built again as it was, and the patch differs from byte {place} on: {said}"
    return Check("rebuild", "", (words,))


def _primary(facts: PatchFacts, project: Project) -> Path:
    """Return where the primary's bytes lie, by what the package has released.

    Raises:
        UsageError: It was not released here.
    """
    package = project.package(name_of(facts.result.file)[0])
    released = read_releases(package).primaries if package is not None else ()
    for each in released:
        if each.identity == facts.primary.identity and (place := kept_wheel(project, each)).is_file():
            return place
    msg = f"{facts.primary.file}, which {facts.path.name} is made against, is not on this machine"
    raise UsageError(msg, hint=f"Get the released wheel and name it: --base <folder>/{facts.primary.file}.")
