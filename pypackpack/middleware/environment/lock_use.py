"""A package's lock as it is: what ``--locked`` and ``--frozen`` take, and what is shown without writing anything."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.middleware.environment import lock as locks
from pypackpack.middleware.environment.place import crossenv_folder
from pypackpack.model.environment import LockUse
from pypackpack.model.errors import DamagedLockError, OutOfSyncError
from pypackpack.model.names import normalise

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pypackpack.model.build import Watcher
    from pypackpack.model.project import Package, Project


def kept_lock(package: Package, needs: locks.Needs, use: LockUse) -> locks.Lock:
    """Return a package's lock as it stands on disk.

    Args:
        package: The package.
        needs: What its lock is to be made from.
        use: ``LOCKED`` wants it to fit, ``FROZEN`` takes any.

    Raises:
        OutOfSyncError: There is none, or it does not fit and should.
        DamagedLockError: It cannot be read.
    """
    option = f"--{use.value}"
    lock = locks.read_lock(package.root / locks.FILE)
    if lock is None:
        msg = f"there is no {package.name}/{locks.FILE} yet, and {option} makes none"
        raise OutOfSyncError(msg, hint=f"`pypackpack {package.name} sync` makes it.")
    if use is LockUse.LOCKED and lock.made_from != locks.made_from(needs):
        msg = f"{package.name}/{locks.FILE} does not fit the settings any more, and --locked leaves it as it is"
        raise OutOfSyncError(msg, hint=f"`pypackpack {package.name} sync` brings it up to date; nothing was changed.")
    return lock


def as_locked(needs: locks.Needs, lock: locks.Lock) -> locks.Needs:
    """Return what a package needs with the lines of single targets that its lock has, whatever the settings say by now."""
    name = normalise(needs.name)
    items = tomllib.loads(lock.text).get("package", [])
    groups: dict[str, list[dict[str, str]]] = next(
        (item.get("dev-dependencies", {}) for item in items if item.get("name") == name), {}
    )
    own = {
        target.name: needs.own.get(target.name) or tuple(edge["name"] for edge in groups[locks.group_of(target)])
        for target in needs.targets
        if groups.get(locks.group_of(target))
    }
    return dataclasses.replace(needs, own=own)


def current_lock(
    project: Project, package: Package, *, use: LockUse = LockUse.UPDATE, offline: bool, watcher: Watcher
) -> tuple[locks.Lock, bool]:
    """Return the lock that fits a package's settings, and whether it is the one on disk; nothing is written.

    Args:
        project: The project.
        package: The package.
        use: What to do where the lock on disk does not fit; ``UPDATE`` resolves aside what it would say.
        offline: Never touch the network.
        watcher: Told of the progress.

    Raises:
        PyPackPackError: None fits, and what it would say cannot be resolved or is not wanted.
    """
    from pypackpack.backend.tools.resolver import StepOptions  # noqa: PLC0415 - keeps imports of the CLI light
    from pypackpack.middleware.environment.prepare import Preparation, no_empty_folders  # noqa: PLC0415 - import cost

    needs = locks.needs_of(project, package)
    if use is not LockUse.UPDATE:
        return kept_lock(package, needs, use), True
    try:
        old = locks.read_lock(package.root / locks.FILE)
    except DamagedLockError:
        old = None
    if old is not None and old.made_from == locks.made_from(needs):
        return old, True
    if needs.nothing:
        return locks.empty_lock(needs), old is None
    folder = crossenv_folder(package)
    with no_empty_folders(folder, package.root), filesystem.scratch_folder(folder, ".sync-") as scratch:
        work = Preparation(project, package, scratch, offline=offline, options=StepOptions(), watcher=watcher)
        return work.current(old)[0], False
