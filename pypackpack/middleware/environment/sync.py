"""Making the environments of a package's targets exactly what its lock says.

Everything is prepared aside: the lock, then every environment, in parallel. Only when all of it is there, files and folders are
put in place, all of them or none; so a target for which something is missing leaves everything as it was.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.middleware.environment import lock as locks
from pypackpack.middleware.environment import settled
from pypackpack.middleware.environment.place import crossenv_folder, environment_folder, site_packages
from pypackpack.model.build import Silent
from pypackpack.model.environment import LockUse
from pypackpack.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pypackpack.middleware.environment.commit import Ready
    from pypackpack.model.build import Watcher
    from pypackpack.model.environment import SyncResult
    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import PythonVersion, Target

__all__ = ["dependencies_of", "environment_folder", "exclusive", "prepared", "site_packages", "sync"]


def sync(
    project: Project,
    packages: Sequence[Package],
    target_words: Sequence[str] = (),
    *,
    pythons: Sequence[PythonVersion] = (),
    offline: bool = False,
    uv_options: Sequence[str] = (),
    use: LockUse = LockUse.UPDATE,
    planning: bool = False,
    watcher: Watcher | None = None,
) -> SyncResult:
    """Make environments exactly what the locks say; a lock that does not fit the settings any more is brought up to date.

    Args:
        project: The project.
        packages: Whose environments.
        target_words: Which targets, as typed; empty means all of each package.
        pythons: For which Pythons; empty means the settings', else the project's own.
        offline: Never touch the network.
        uv_options: More options for uv, as typed: each goes to the calls of uv that know it.
        use: What to do where a lock does not fit the settings.
        planning: Only find out what would be done.
        watcher: Told of the progress.

    Raises:
        UsageError: One of ``uv_options`` is none that can be used here.
        OutOfSyncError: A lock does not fit, or is not there, and must not be made.
        PyPackPackError: Something cannot be resolved or installed; locks and environments are as before.
    """
    from pypackpack.middleware.environment.commit import commit, joined  # noqa: PLC0415 - keeps imports of the CLI light
    from pypackpack.middleware.target import table  # noqa: PLC0415 - keeps imports of the CLI light

    with contextlib.ExitStack() as held:
        ready = []
        for package in sorted(
            packages, key=lambda item: item.root
        ):  # one order everywhere: two callers never wait for each other
            targets = table.resolve(target_words, package.targets) if target_words else package.targets
            opened = prepared(
                project,
                package,
                targets,
                pythons=pythons,
                offline=offline,
                uv_options=uv_options,
                use=use,
                planning=planning,
                watcher=watcher or Silent(),
            )
            ready.append(held.enter_context(opened))
        results = [item.planned() for item in ready] if planning else commit(ready)
        if not target_words and not pythons and not planning:
            for item, result in zip(ready, results, strict=True):
                settled.remember(project, item.package, result.environments)
    return joined(results)


def dependencies_of(project: Project, package: Package, target: Target, python: PythonVersion) -> tuple[str, ...]:
    """Return the dependencies that a target's environment is made from, as PEP 508 strings without those of other targets.

    Those of local packages that it needs are among them; the local packages themselves are not.
    """
    from packaging.requirements import Requirement  # noqa: PLC0415 - import cost

    needs = locks.needs_of(project, package)
    facts = locks.marker_facts(target, python)
    return tuple(
        text
        for text in (*needs.lines, *needs.own.get(target.name, ()))
        if (marker := Requirement(text).marker) is None or marker.evaluate(facts)
    )


@contextlib.contextmanager
def exclusive(package: Package, watcher: Watcher) -> Iterator[None]:
    """Let nobody else work on a package's lock and environments; whoever does is waited for.

    Who plans a change of the settings inside of it reads them inside of it: then two changes at once follow each other.
    """

    def waiting() -> None:
        watcher.note(f"another pypackpack is at work on the environments of {package.name}; waiting")

    with filesystem.lock(_lock_file(crossenv_folder(package)), waiting=waiting):
        yield


@contextlib.contextmanager
def prepared(
    project: Project,
    package: Package,
    targets: Sequence[Target],
    *,
    pythons: Sequence[PythonVersion] = (),
    offline: bool = False,
    uv_options: Sequence[str] = (),
    use: LockUse = LockUse.UPDATE,
    planning: bool = False,
    held: bool = False,
    watcher: Watcher,
) -> Iterator[Ready]:
    """Prepare a package's lock and environments aside; nothing changes until ``commit`` of what this gives is called.

    Args:
        project: The project, with the package as it is to be.
        package: The package as it is to be.
        targets: Which environments.
        pythons: For which Pythons; empty means the settings', else the project's own.
        offline: Never touch the network.
        uv_options: More options for uv, as typed: each goes to the calls of uv that know it.
        use: What to do where the lock does not fit the settings.
        planning: Fetch and install nothing, only find out what would be done: what this gives says it by ``planned``.
        held: The caller has `exclusive` of the package.
        watcher: Told of the progress.

    Raises:
        UsageError: One of ``uv_options`` is none that can be used here.
        PyPackPackError: Something cannot be resolved or installed.
    """
    from pypackpack.backend.tools.resolver import step_options  # noqa: PLC0415 - keeps imports of the CLI light
    from pypackpack.middleware.environment.prepare import Preparation, no_empty_folders  # noqa: PLC0415 - keeps imports of the CLI light

    options = step_options(uv_options)
    if options.upgrades and use is not LockUse.UPDATE:
        msg = f"newer versions change the lock, and --{use.value} leaves it as it is"
        raise UsageError(msg, hint="Leave one of them out.")
    folder = crossenv_folder(package)
    with contextlib.nullcontext() if held else exclusive(package, watcher), no_empty_folders(folder, package.root):
        for leftover in folder.glob(".sync-*"):  # of one that was killed: nobody else is here now
            filesystem.remove_tree(leftover)
        with filesystem.scratch_folder(folder, ".sync-") as scratch:
            work = Preparation(
                project, package, scratch, offline=offline, options=options, watcher=watcher, use=use, planning=planning
            )
            yield work.run(targets, pythons)


def _lock_file(folder: Path) -> Path:
    """Return the lock of a package's environments; in the user's cache, so that a failure leaves the project as it was."""
    name = filesystem.sha256_bytes(os.path.normcase(os.path.realpath(folder)))[:32]
    return filesystem.cache_folder() / "locks" / f"{name}.lock"
