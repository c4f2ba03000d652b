"""``sync --locked``, ``--frozen`` and ``--dry-run`` for the development environment."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.backend.tools import uv_json, venv
from pypackpack.backend.tools import uv_options as known
from pypackpack.middleware.environment import development_project as works
from pypackpack.middleware.environment.distributions import damaged
from pypackpack.model.environment import DevelopmentSync, LockUse
from pypackpack.model.errors import DamagedLockError, OutOfSyncError
from pypackpack.model.names import normalise

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pypackpack.middleware.environment.development import Work
    from pypackpack.middleware.environment.development_project import WorkProject

PLANNING = "--dry-run"
_DOES_NOT_FIT = "needs to be updated, but `--locked`"


def lock_use(options: Sequence[str]) -> LockUse:
    """Return what some options of ``uv sync`` say of the lock; that both exclude each other is uv's to say."""
    if known.has(options, "sync", ("--frozen",)):
        return LockUse.FROZEN
    return LockUse.LOCKED if known.has(options, "sync", ("--locked",)) else LockUse.UPDATE


def changes_the_rest(options: Sequence[str]) -> bool:
    """Tell whether options ask for another environment than a plain sync makes."""
    return any(option not in ("--locked", "--frozen") for option, *_ in known.grouped(options, "sync"))


def check_lock(path: Path, use: LockUse) -> None:
    """See that there is a lock that can be taken as it is.

    Raises:
        OutOfSyncError: There is none.
        DamagedLockError: It cannot be read.
    """
    if use is LockUse.UPDATE:
        return
    if not path.is_file():
        msg = f"there is no {path.name} yet, and --{use.value} makes none"
        raise OutOfSyncError(msg, hint="`pypackpack sync` makes it.")
    if not works.lock_is_sound(filesystem.read_bytes(path).decode(errors="replace")):
        raise DamagedLockError(f"{path} is damaged", hint="`pypackpack sync` makes it anew.")


@contextlib.contextmanager
def said_in_our_words(lock: str) -> Iterator[None]:
    """Turn uv's error about a lock that does not fit into ours.

    Raises:
        OutOfSyncError: It does not.
    """
    from pypackpack.model.errors import PyPackPackError  # noqa: PLC0415 - beside its only use

    try:
        yield
    except PyPackPackError as error:
        if _DOES_NOT_FIT not in error.details:
            raise
        msg = f"{lock} does not fit the settings any more, and --locked leaves it as it is"
        raise OutOfSyncError(msg, hint="`pypackpack sync` brings it up to date; nothing was changed.") from error


def locked_groups(groups: Sequence[str], lock: str) -> tuple[str, ...]:
    """Return those of some dependency groups that a lock knows; uv takes no other one without resolving."""
    there = {name for item in tomllib.loads(lock).get("package", []) for name in item.get("dev-dependencies", {})}
    return tuple(name for name in groups if name in there)


def plan(work: Work, options: tuple[str, ...], *, offline: bool) -> DevelopmentSync:
    """Return what a sync with these options would do; what is there stays as it is.

    Raises:
        PyPackPackError: Something cannot be resolved, or the lock does not fit and should.
    """
    project = work.project
    made = works.work_project(project)
    if venv.works(project.venv):
        standing = work.standing()
        there, current = standing.distributions, standing.current
        python = venv.version(project.venv) or (0, 0, 0)
        found = _asked(work, made, options, damaged(work.site), offline=offline)
    else:
        # uv works in a folder aside, as deep as the one in .venv: so relative paths mean the same.
        there, current = (), frozenset()
        interpreter = work.interpreter(offline=True)  # fetching one is no plan any more
        python = interpreter.version
        with filesystem.scratch_folder(project.root, ".venv-") as scratch:
            work.folder, work.python, work.place = scratch / works.FOLDER, interpreter.executable, scratch / "venv"
            found = _asked(work, made, options, (), offline=offline)
    local = {normalise(package.name): package.name for package in project.packages}
    added = tuple(entry for entry in found.added if normalise(entry[0]) not in local)
    removed = tuple(entry for entry in found.removed if normalise(entry[0]) not in local)
    kept = {entry for entry in there if entry[0] not in local and entry not in removed}
    editable = tuple(package.name for package in project.packages)
    renewed = tuple(name for name in editable if name not in current)
    return DevelopmentSync(
        folder=project.venv,
        python=python,
        installed=tuple(sorted(kept | set(added))),
        added=added,
        removed=removed,
        editable=editable,
        locked=found.locks,
        unchanged=not (added or removed or found.locks or renewed),
        planned=True,
        renewed=renewed,
    )


def _asked(work: Work, made: WorkProject, options: tuple[str, ...], broken: Sequence[str], *, offline: bool) -> uv_json.Plan:
    work.lay_out(made)
    groups = made.groups
    if lock_use(options) is LockUse.FROZEN:
        groups = locked_groups(groups, work.lock_text() or "")
    words = [*(f"--group={name}" for name in groups), *(f"--reinstall-package={name}" for name in broken)]
    rest = [word for pair in known.grouped(options, "sync") if pair[0].partition("=")[0] != "--output-format" for word in pair]
    with said_in_our_words("pyproject.lock"):
        found = uv_json.plan(work.uv("sync", ["sync", *words, *rest, *uv_json.SYNC], offline=offline).stdout)
    return replace(found, added=tuple(dict.fromkeys(found.added)), removed=tuple(dict.fromkeys(found.removed)))
