"""``sync --check``: whether environments are what a sync would make them. Nothing is written, fetched or resolved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.backend.tools import venv
from pypackpack.middleware.environment import lock as locks
from pypackpack.middleware.environment import path_sources
from pypackpack.middleware.environment.place import read_stamp
from pypackpack.model.build import Silent
from pypackpack.model.errors import OutOfSyncError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pypackpack.model.project import Package, Project


def check_development(project: Project) -> None:
    """Check that ``.venv`` is what the last plain sync made, and that nothing it was made from has changed since.

    Raises:
        OutOfSyncError: It is not; the message says what is different.
    """
    from pypackpack.middleware.environment.development import LOCK, Work  # noqa: PLC0415 - import cost

    work = Work(project, Silent())
    if work.up_to_date():
        return
    if not venv.works(project.venv):
        why = "there is no .venv that starts"
    elif not (project.root / LOCK).is_file():
        why = f"there is no {LOCK} yet"
    else:
        why = work.why_not()
    msg = f".venv is not in sync: {why}"
    raise OutOfSyncError(msg, hint="Run `pypackpack sync`.")


def check_package(project: Project, package: Package, target_words: Sequence[str] = ()) -> tuple[str, ...]:
    """Check that a package's lock fits its settings, and that its environments are what the lock says.

    Args:
        project: The project.
        package: The package.
        target_words: Which targets, as typed; empty means all of the package.

    Returns:
        The targets that were looked at.

    Raises:
        OutOfSyncError: Something is not; the message says what.
        DamagedLockError: The lock cannot be read.
    """
    from pypackpack.middleware.environment.prepare import as_it_is, rooms_of  # noqa: PLC0415 - import cost
    from pypackpack.middleware.target import table  # noqa: PLC0415 - import cost

    hint = f"Run `pypackpack {package.name} sync`."
    lock = locks.read_lock(package.root / locks.FILE)
    if lock is None:
        msg = f"{package.name} is not in sync: there is no {package.name}/{locks.FILE} yet"
        raise OutOfSyncError(msg, hint=hint)
    if lock.made_from != locks.made_from(locks.needs_of(project, package)):
        msg = f"{package.name} is not in sync: its settings have changed since {package.name}/{locks.FILE} was made"
        raise OutOfSyncError(msg, hint=hint)
    targets = table.resolve(target_words, package.targets) if target_words else package.targets
    rooms = rooms_of(project, package, targets, offline=True, watcher=Silent())
    needs = locks.needs_of(project, package)
    sources = path_sources.content_digest(needs)
    stamps = [stamp for room in rooms if (stamp := read_stamp(room.stamp)) is not None]
    if any(stamp.lock == lock.digest and stamp.sources != sources for stamp in stamps):
        names = ", ".join(folder.name for folder in path_sources.folders_of(needs))
        msg = f"{package.name} is not in sync: a folder that it depends on has changed since it was installed ({names})"
        raise OutOfSyncError(msg, hint=hint)
    wrong = [room for room in rooms if as_it_is(room, lock, sources) is None]
    if wrong:
        names = ", ".join(dict.fromkeys(room.target.name for room in wrong))
        msg = f"{package.name} is not in sync: not what the lock says, or not there, is the environment of {names}"
        raise OutOfSyncError(msg, hint=hint)
    return tuple(target.name for target in targets)
