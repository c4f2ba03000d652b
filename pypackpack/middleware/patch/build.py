"""``pypackpack build <package> source patch``: wheels of a newer version, and what turns the released ones into them."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pypackpack.backend import distributions, filesystem
from pypackpack.middleware.build import build
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
    from collections.abc import Sequence

    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.task import Needs
    from pypackpack.model.build import Artifact, BuildRequest, Watcher
    from pypackpack.model.patch import Primary, Releases
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
    result = build(replace(request, version=_next_version(package, version, number)), watcher)
    pairs, left_out = _pairs(result.artifacts, primaries)
    if not pairs:
        there = ", ".join(sorted({each.tag for each in primaries}))
        msg = f"none of the wheels of {package.name} that were built has the tags of a primary (these are: {there})"
        raise UsageError(msg, hint="Build for the targets and Pythons that were released.")
    with (
        filesystem.lock(package.build_folder / ".lock", waiting=lambda: watcher.note("another build is running; waiting for it")),
        open_workshop(project, offline=request.offline, watcher=watcher) as shop,
    ):
        for artifact, _ in pairs:
            if filesystem.sha256_file(artifact.path) != artifact.sha256:
                msg = f"{artifact.path} changed while its patch was being made"
                raise ConflictError(msg, hint="Run the same command again.")
        made = _made(shop, package, pairs, files, number, watcher)
    return PatchBuild(made, result, left_out)


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
        msg = f"{package.name} has no primary at level {request.level.value}: nothing was released yet"
        raise UsageError(msg, hint=f"Build it, then: pypackpack release {package.name}. Or name a wheel with --base.")
    versions = {each.version: version_of(package, each.version.replace("_", "-")) for each in there}
    wanted = version_of(package, base) if base else max(versions.values())
    found = [each for each in there if versions[each.version] == wanted]
    if not found:
        msg = f"--base: {base} was not released at level {request.level.value} (there are: {', '.join(versions)})"
        raise UsageError(msg)
    return found, {each.sha256: kept_wheel(project, each) for each in found}


def _pairs(
    artifacts: Sequence[Artifact], primaries: Sequence[Primary]
) -> tuple[list[tuple[Artifact, Primary]], tuple[str, ...]]:
    pairs, left_out = [], []
    for artifact in artifacts:
        tag = name_of(artifact.path.name)[2]
        primary = next((each for each in primaries if same_tags(each.tag, tag)), None)
        if primary is None:
            left_out.append(artifact.path.name)
        else:
            pairs.append((artifact, primary))
    return pairs, tuple(left_out)


def _made(
    shop: Workshop,
    package: Package,
    pairs: Sequence[tuple[Artifact, Primary]],
    files: dict[str, Path],
    number: int,
    watcher: Watcher,
) -> tuple[MadePatch, ...]:
    tasks = [_task(shop, package, *pair, files[pair[1].sha256], number) for pair in pairs]
    finished = run_tasks(tasks, shop.store, Rules(), watcher=watcher, distant=shop.distant)
    finished.check()
    made = []
    for (artifact, primary), task in zip(pairs, tasks, strict=True):
        outcome = finished.outcomes[task.name]
        place, digest = Path(task.writes[0]), outcome.result.outputs["patch"]
        filesystem.drop_asides(place)
        if not shop.store.copy(digest, place):
            msg = f"the cache lost {place.name} while it was being placed"
            raise LostError(msg, digest=digest)
        size = int(outcome.result.facts["size"])
        made.append(
            MadePatch(
                place, size, digest, number, primary.file, artifact.path, artifact.size, artifact.targets, outcome.cached
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
