"""A package's release wheels, to a package index."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem, simple_index
from pypackpack.backend.tools import uv_publish
from pypackpack.backend.tools.index_login import IndexLogin
from pypackpack.middleware.deploy.place import place_of
from pypackpack.middleware.project.read import FILE, find_project
from pypackpack.middleware.project.toml import read_toml
from pypackpack.model.build import Bundle, Step
from pypackpack.model.deploy import NOT_RUN, RUN, THERE, TO_RUN, UPLOAD, UPLOADED, DeployedFile, DeployResult
from pypackpack.model.errors import (
    ConflictError,
    NoProjectError,
    NotYetError,
    PackageIndexError,
    PyPackPackError,
    UsageError,
    WorkError,
)
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pypackpack.middleware.deploy.place import Place
    from pypackpack.model.build import Watcher
    from pypackpack.model.deploy import DeployRequest, Release
    from pypackpack.model.project import Package, Project

AT_ONCE = 4
"""Uploads at one time unless said: an index is somebody's server, and more do not make a line faster."""


def deploy(request: DeployRequest, watcher: Watcher) -> DeployResult:
    """Upload the release wheels that the index does not have; nothing is sent before all of them were looked at.

    Raises:
        UsageError: The request is wrong, or an index must not have what it means.
        ConflictError: The index has another file of one of the names, or `release` has recorded another.
        PackageIndexError: It is out of reach, does not let us in, or does not take a file.
        WorkError: A wheel is not what it says, or does not work on this machine.
    """
    _check_bundle(request.bundle)
    place = place_of(request.to, request.check_url)
    project = find_project(request.start)
    package = project.package(request.package)
    if package is None:
        known = ", ".join(each.name for each in project.packages) or "none"
        raise NoProjectError(f"{project.name} has no package {request.package!r}", hint=f"Its packages: {known}.")
    folder = package.build_folder
    waiting = partial(watcher.note, f"a build of {package.name} is running; waiting for it")
    # What was looked at is what is sent. Where nothing was built there is nothing to lock, and nothing is made to say so.
    with filesystem.lock(folder / ".lock", waiting=waiting) if folder.is_dir() else nullcontext():
        return _deploy(project, package, place, request, watcher)


def _deploy(project: Project, package: Package, place: Place, request: DeployRequest, watcher: Watcher) -> DeployResult:
    from pypackpack.middleware.deploy.wheels import releases  # noqa: PLC0415 - import cost
    from pypackpack.middleware.patch.releases import check_as_released  # noqa: PLC0415 - import cost

    every = releases(package, level=request.level, words=request.targets)
    found = every.wheels
    there = _listed(place, package.name)
    new = [release for release in found if not _stands(release, there, place)]
    _check(new)  # first: what is damaged is another content, too
    check_as_released(project, package, [release.path for release in new])
    if new:
        _say_if_undescribed(package, watcher)
    ran = _tried(project, package, new, request, watcher)
    states = {release.path: UPLOAD for release in new}
    if new and not request.dry_run:
        states = _send(project, package, new, place, request.jobs or AT_ONCE, watcher)
    files = tuple(
        DeployedFile(
            each.path, each.size, each.sha256, states.get(each.path, THERE), ran.get(each.path.name, ""), verified=each in new
        )
        for each in found
    )
    return DeployResult(package.name, found[0].version, place.upload, place.index, request.dry_run, files, every.left_out)


def _say_if_undescribed(package: Package, watcher: Watcher) -> None:
    """Tell of a package without a description, whose page at an index has no line below its name."""
    file = package.root / FILE
    table = read_toml(file).get("project")
    if not (isinstance(table, dict) and table.get("description")):
        watcher.note(
            f"{package.name} has no description, so its wheels have no Summary, and the index shows none; "
            f'`description = "…"` in [project] of {file} gives it one, after a build'
        )


def _check_bundle(bundle: str) -> None:
    if bundle == Bundle.SINGLE.value:
        return
    if bundle == Bundle.PATCH.value:
        msg = "a patch (.whl.patch) is not for a package index: installers know nothing of patches"
        raise UsageError(msg, hint="Deploy the whole wheel under a new version: `deploy … source --to …`.")
    if bundle == Bundle.FAT.value:
        msg = "deploy: fat wheels are not there yet"
        raise NotYetError(msg, hint="A fat wheel is of a distribution of its own: `uv publish <file>` uploads it.")
    msg = f"deploy: a package index takes wheels (single), not {bundle!r}"
    raise UsageError(msg, hint="Leave the word out.")


def _listed(place: Place, name: str) -> Mapping[str, str]:
    """Return what the index has of the package."""
    plain, header = IndexLogin().split(place.index)
    try:
        return simple_index.listed(plain, normalise(name), header or uv_publish.authorization(place.index, place.upload))
    except PackageIndexError as error:
        if not error.hint:
            error.hint = f"Its list of files is needed to skip what is there. {uv_publish.LOGIN}"
        raise


def _stands(release: Release, there: Mapping[str, str], place: Place) -> bool:
    """Tell whether the index has the very file.

    Raises:
        ConflictError: It has another one of that name, or does not say which.
    """
    name = release.path.name
    if name not in there:
        return False
    if there[name] == release.sha256:
        return True
    if there[name]:
        what = f"with other bytes (sha256 {there[name][:12]}… there, {release.sha256[:12]}… here)"
    else:
        what = "and does not say its sha256, so nobody can tell whether it is the same"
    msg = f"{place.index} has {name} already, {what}"
    raise ConflictError(msg, hint="What was published stays as it is: raise the version, build and deploy that.")


def _check(new: Sequence[Release]) -> None:
    """Look whether the new wheels are what they say: archive, ``RECORD``, names, tags against what is in them, attestations.

    Raises:
        WorkError: One is not; all that is wrong with any of them is in the details.
    """
    from pypackpack.middleware.verify.signatures import attestation_checks  # noqa: PLC0415 - import cost
    from pypackpack.middleware.verify.wheel import verify_wheel  # noqa: PLC0415 - import cost

    looked = [verify_wheel(release.path) for release in new]
    found = [replace(each, checks=(*each.checks, *attestation_checks(each.path, each.sha256))) for each in looked]
    wrong = [each for each in found if each.problems]
    if wrong:
        first, details = wrong[0], "\n".join(f"{each.path.name}: {problem}" for each in wrong for problem in each.problems)
        msg = f"{first.path.name} is not what it says it is, so nothing was uploaded: {first.problems[0]}"
        raise WorkError(msg, hint="Build it again; `pypackpack verify <file>` shows what was looked at.", details=details)


def _tried(
    project: Project, package: Package, new: Sequence[Release], request: DeployRequest, watcher: Watcher
) -> Mapping[str, str]:
    """Run the new wheels that this machine can run; return by name which were, or with ``dry_run`` would be.

    Raises:
        UsageError: There are others, and nobody has allowed that.
        WorkError: One does not work.
    """
    from pypackpack.middleware.deploy import trial  # noqa: PLC0415 - import cost

    here = [release for release in new if trial.runs_here(release)]
    others = [release for release in new if release not in here]
    if others and not request.allow_unverified:
        names = ", ".join(release.path.name for release in others[:3]) + (f" and {len(others) - 3} more" if others[3:] else "")
        msg = f"built, not run: {names}; this machine cannot run {'it' if len(others) == 1 else 'them'}"
        hint = "Deploy each on a machine of its platform (`--target host`), or let them go as they are: --allow-unverified."
        raise UsageError(msg, hint=hint)
    if not request.dry_run:
        for number, release in enumerate(here):
            watcher.step(Step(package.name, "", "run", number, len(here), detail=release.path.name))
            trial.run(project, package, release, watcher)
            watcher.step(Step(package.name, "", "run", number + 1, len(here)))
    word = TO_RUN if request.dry_run else RUN
    return {release.path.name: word if release in here else NOT_RUN for release in new}


def _send(
    project: Project, package: Package, new: Sequence[Release], place: Place, jobs: int, watcher: Watcher
) -> dict[Path, str]:
    """Upload files in parallel; return what became of each.

    Raises:
        WorkError: One or more did not arrive; those that did are named.
    """
    counting, done = threading.Lock(), 0
    states: dict[Path, str] = {}
    errors: list[PyPackPackError] = []

    def send(release: Release) -> None:
        nonlocal done
        if errors:  # what a server says to one file, it says to the next
            return
        watcher.step(Step(package.name, "", "upload", done, len(new), detail=release.path.name))
        try:
            states[release.path] = _uploaded(project, release, place)
        except PyPackPackError as error:
            errors.append(error)
            return
        with counting:
            done += 1
            watcher.step(Step(package.name, "", "upload", done, len(new)))

    with ThreadPoolExecutor(max_workers=min(jobs, len(new))) as pool:
        list(pool.map(send, new))
    if errors:
        raise _incomplete(errors[0], [release for release in new if release.path in states], len(new))
    return states


def _uploaded(project: Project, release: Release, place: Place) -> str:
    try:
        uv_publish.publish(release.path, place.upload, project.root)
    except PackageIndexError as error:
        # Somebody else was quicker, or the answer to an upload was lost: the list says which.
        try:
            there = _listed(place, release.name)
        except PackageIndexError:
            raise error from None
        if _stands(release, there, place):
            return THERE
        raise
    return UPLOADED


def _incomplete(error: PyPackPackError, sent: Sequence[Release], total: int) -> PyPackPackError:
    if not sent:
        return error
    names = ", ".join(release.path.name for release in sent)
    msg = f"{error.message}; {len(sent)} of {total} files were uploaded ({names})"
    kind = type(error) if type(error) in (PackageIndexError, ConflictError) else WorkError
    return kind(msg, hint=f"{error.hint} The same command goes on with the others.".strip(), details=error.details)
