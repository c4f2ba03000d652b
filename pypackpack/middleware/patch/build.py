"""``pypackpack build <package> source patch``: wheels of a newer version, and what turns the released ones into them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pypackpack.backend import distributions, filesystem
from pypackpack.middleware.build import build
from pypackpack.middleware.build_checks import is_to_rerun
from pypackpack.middleware.compile.workshop import open_workshop
from pypackpack.middleware.graph.schedule import Rules, run_tasks
from pypackpack.middleware.graph.task import Task
from pypackpack.middleware.patch.make import PATCH_VERSION, make_patch, name_of, same_tags
from pypackpack.middleware.patch.releases import FILE, kept_wheel, package_of, primary_of, read_releases, version_of
from pypackpack.model.action import ActionResult
from pypackpack.model.build import BuildType
from pypackpack.model.errors import ConflictError, LostError, UsageError, WorkError
from pypackpack.model.patch import MadePatch, PatchBuild

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.task import Needs
    from pypackpack.model.build import Artifact, BuildRequest, Watcher
    from pypackpack.model.patch import Primary, Releases
    from pypackpack.model.preview import Preview
    from pypackpack.model.project import Package, Project

CODECS: Final = ("lzma",)
LEAN_CODECS: Final = ("bz2", "deflate")
"""For Pyodide, whose lzma is a package of its own that has to be loaded first."""


def build_patches(request: BuildRequest, base: str, watcher: Watcher) -> PatchBuild:
    """Build the wheels of a package, and for each a patch that turns a released wheel with the same tags into it.

    Where the package still has its primary's version, the wheels get the version ``<version>+patch.<number>``.

    Args:
        request: What to build; its bundle is ``patch``.
        base: A released version or a wheel file; empty means the newest version that was released at this level.
        watcher: Told of the progress.

    Raises:
        UsageError: It is no release build, or there is no such primary.
        PyPackPackError: As `pypackpack.middleware.build.build`; earlier artifacts are as they were.
    """
    order = _resolved(request, base)
    package, primaries = order.package, order.primaries
    result = build(replace(request, version=order.next_version), watcher)
    wheels = [artifact for artifact in result.artifacts if order.primary(name_of(artifact.path.name)[2]) is not None]
    left_out = tuple(artifact.path.name for artifact in result.artifacts if artifact not in wheels)
    if not wheels:
        there = ", ".join(sorted({each.tag for each in primaries}))
        msg = f"none of the wheels of {package.name} that were built has the tags of a primary (these are: {there})"
        raise UsageError(msg, hint="Build for the targets and Pythons that were released.")
    with (
        filesystem.lock(package.build_folder / ".lock", waiting=lambda: watcher.note("another build is running; waiting for it")),
        open_workshop(order.project, offline=request.offline, watcher=watcher) as shop,
    ):
        for artifact in wheels:
            if filesystem.sha256_file(artifact.path) != artifact.sha256:
                msg = f"{artifact.path} changed while its patch was being made"
                raise ConflictError(msg, hint="Run the same command again.")
        made = _made(shop, order, wheels, request, watcher)
    return PatchBuild(made, result, left_out, order.recordable)


def preview_patches(request: BuildRequest, base: str, watcher: Watcher) -> Preview:
    """Return what `build_patches` would do. Arguments and errors are the same."""
    from pypackpack.middleware.preview import preview  # noqa: PLC0415 - not in a build

    order = _resolved(request, base)
    return preview(replace(request, version=order.next_version), watcher, order)


@dataclass(frozen=True)
class _PatchOrder:
    """What a request for patches means.

    Attributes:
        project: The project.
        package: The package.
        primaries: What patches begin with, all of one version.
        files: Where the bytes of each lie, by digest.
        number: The number of the patches.
        recordable: Whether the version of the primaries is recorded.
    """

    project: Project
    package: Package
    primaries: Sequence[Primary]
    files: Mapping[str, Path]
    number: int
    recordable: bool

    @property
    def next_version(self) -> str:
        """The version of the wheels, empty where it is the package's own."""
        return _next_version(self.package, self.primaries[0].version, self.number)

    def primary(self, tag: str) -> Primary | None:
        """Return what a patch to a wheel with these tags begins with."""
        return next((each for each in self.primaries if same_tags(each.tag, tag)), None)

    def name(self, tag: str) -> str:
        """Return the name of the task that makes it; empty where there is none."""
        found = self.primary(tag)
        return f"patch {self.package.name} {found.tag}" if found is not None else ""

    def task(self, shop: Workshop, wheel: Artifact) -> Task | None:
        """Return the task that makes the patch to a wheel; None where there is none."""
        primary = self.primary(name_of(wheel.path.name)[2])
        if primary is None:
            return None
        return _task(shop, self.package, wheel, primary, self.files[primary.sha256], self.number)


def _resolved(request: BuildRequest, base: str) -> _PatchOrder:
    from pypackpack.middleware.project.read import find_project  # noqa: PLC0415 - keeps imports of the CLI light

    if request.type is not BuildType.RELEASE:
        msg = f"a patch leads from a release to a release, and this build is of the type {request.type.value}"
        raise UsageError(msg, hint="Add --type release.")
    project = request.project or find_project(request.start)
    package = package_of(project, request.package)
    releases = read_releases(package)
    primaries, files = _primaries(project, package, releases, base, request)
    version = primaries[0].version
    number = 1 + max((each.number for each in releases.patches if each.version == version), default=0)
    recordable = any(each.version == version for each in releases.primaries)
    return _PatchOrder(project, package, primaries, files, number, recordable)


def _next_version(package: Package, base: str, number: int) -> str:
    """Return the version of the wheels, empty where it is the package's own."""
    old, new = version_of(package, base.replace("_", "-")), version_of(package, package.version)
    if new < old:
        msg = f"{package.name} has the version {new}, which is older than the primary's, {old}"
        raise UsageError(msg, hint="Name another primary with --base, or raise the version.")
    if new > old:
        return ""
    return f"{new}.patch.{number}" if new.local else f"{new}+patch.{number}"


def _primaries(
    project: Project, package: Package, releases: Releases, base: str, request: BuildRequest
) -> tuple[list[Primary], dict[str, Path]]:
    """Return the primaries to patch, all of one version, and where the bytes of each lie."""
    from pypackpack.model.names import normalise  # noqa: PLC0415 - used here only

    if base.endswith(".whl"):
        path = Path(base).absolute()
        if not path.is_file():
            msg = f"--base: {path} is not there"
            raise UsageError(msg, hint="Name a wheel file, or a version that was released.")
        if normalise(name_of(path.name)[0]) != normalise(package.name):
            msg = f"--base: {path.name} is no wheel of {package.name}"
            raise UsageError(msg)
        primary = primary_of(path)
        return [primary], {primary.sha256: path}
    there = [each for each in releases.primaries if each.level == request.level.value]
    if not there:
        levels = sorted({each.level for each in releases.primaries})
        where = f"it was released at {' and '.join(levels)}" if levels else "nothing was released yet"
        msg = f"{package.name} has no primary at level {request.level.value}: {where}"
        hint = f"Build it, then: pypackpack release {package.name}. Or name a wheel with --base."
        raise UsageError(msg, hint=f"Add `--level {levels[0]}`. Or name a wheel with --base." if levels else hint)
    versions = {each.version: version_of(package, each.version.replace("_", "-")) for each in there}
    wanted = version_of(package, base) if base else max(versions.values())
    found = [each for each in there if versions[each.version] == wanted]
    if not found:
        msg = f"--base: {base} was not released at level {request.level.value} (there are: {', '.join(versions)})"
        raise UsageError(msg)
    return found, {each.sha256: kept_wheel(project, each) for each in found}


def _made(
    shop: Workshop, order: _PatchOrder, wheels: Sequence[Artifact], request: BuildRequest, watcher: Watcher
) -> tuple[MadePatch, ...]:
    tasks = [task for wheel in wheels if (task := order.task(shop, wheel)) is not None]
    finished = run_tasks(tasks, shop.store, Rules(rerun=partial(is_to_rerun, request)), watcher=watcher, distant=shop.distant)
    finished.check()
    made = []
    for artifact, task in zip(wheels, tasks, strict=True):
        outcome = finished.outcomes[task.name]
        place, digest = Path(task.writes[0]), outcome.result.outputs["patch"]
        filesystem.drop_asides(place)
        if not shop.store.copy(digest, place):
            msg = f"the cache lost {place.name} while it was being placed"
            raise LostError(msg, digest=digest)
        size = int(outcome.result.facts["size"])
        made.append(
            MadePatch(
                place, size, digest, order.number, task.label, artifact.path, artifact.size, artifact.targets, outcome.cached
            )
        )
    return tuple(made)


def _task(shop: Workshop, package: Package, artifact: Artifact, primary: Primary, file: Path, number: int) -> Task:
    """Return the task that makes a patch."""
    name, version, tag = name_of(primary.file)
    lean = any(target.startswith("emscripten") for target in artifact.targets)
    codecs = LEAN_CODECS if lean else CODECS
    return Task(
        name=f"patch {package.name} {tag}",
        package=package.name,
        target=artifact.targets[0] if len(artifact.targets) == 1 else "",
        step="patch",
        kind=PATCH_VERSION,
        inputs=(
            ("bsdiff4", distributions.version_of("bsdiff4")),
            ("primary", primary.sha256),
            ("wheel", artifact.sha256),
            ("names", json.dumps([primary.file, artifact.path.name])),
            ("number", str(number)),
            ("codecs", json.dumps(codecs)),
        ),
        run=partial(_make, shop, file, primary, artifact.path, number, codecs),
        cost=max(1.0, artifact.size / 100_000),
        label=primary.file,
        writes=(str(artifact.path.parent / f"{name}-{version}-p{number}-{tag}.whl.patch"),),
    )


def _make(
    shop: Workshop, file: Path, primary: Primary, wheel: Path, number: int, codecs: Sequence[str], _needs: Needs
) -> ActionResult:
    if not file.is_file() or filesystem.sha256_file(file) != primary.sha256:
        msg = f"{primary.file}, which {FILE} records, is not on this machine, or is another one (looked at {file})"
        raise WorkError(msg, hint=f"Get the released wheel and name it: --base <folder>/{primary.file}.")
    data = make_patch(file, wheel, number=number, codecs=codecs)
    return ActionResult({"patch": shop.store.put(data)}, {"size": str(len(data))})
