"""Putting in place what was prepared of one package or several: locks, environments and settings, all of it or nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.backend.undo import Undo
from pypackpack.middleware.environment import lock as locks
from pypackpack.middleware.environment.place import Stamp, crossenv_folder, listing, read_stamp, stamp_text
from pypackpack.model.environment import SyncResult, TargetEnvironment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pypackpack.middleware.environment.install import Room
    from pypackpack.middleware.project.edit import Edit
    from pypackpack.model.project import Package

PYLOCK = "pylock.toml"
WAY_OUT = "`pypackpack <package> sync` makes a lock and environments fit the settings again."


@dataclass(frozen=True)
class Made:
    """One environment, ready to be put in place; ``fresh`` is None when the one that is there will do (``listing`` is its).

    ``sources`` is the digest of the folders that its dependencies come from.
    """

    room: Room
    fresh: Path | None
    content: str
    installed: tuple[tuple[str, str], ...]
    before: tuple[tuple[str, str], ...]
    listing: str = ""
    sources: str = ""


@dataclass
class Ready:
    """Everything of one package that is prepared and not yet in place; `commit` puts it there."""

    package: Package
    lock: locks.Lock
    lock_changes: bool
    made: list[Made] = field(default_factory=list)
    exports: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def place(self, undo: Undo) -> None:
        """Put environments and lock in place, with a way back."""
        for item in self.made:
            if item.fresh is not None:
                undo.swap(item.fresh, item.room.site)
        if self.lock_changes:
            undo.write(self.package.root / locks.FILE, str(self.lock).encode())

    def planned(self) -> SyncResult:
        """Say what `commit` would do; nothing is changed."""
        outcomes = tuple(self._outcome(item) for item in self.made)
        return SyncResult(outcomes, (self.package.name,) if self.lock_changes else (), self.notes, planned=True)

    def finish(self) -> SyncResult:
        """Write what only saves time next time (a crash before this costs another sync, nothing else); say what was done."""
        for item in self.made:
            room = item.room
            stamp = Stamp(self.lock.digest, item.content, item.listing or listing(room.site), item.installed, item.sources)
            if read_stamp(room.stamp) != stamp:
                filesystem.write_atomic(room.stamp, stamp_text(stamp), durable=False)
        for target, text in self.exports.items():
            path = crossenv_folder(self.package) / target / PYLOCK
            if not path.is_file() or path.read_bytes() != text.encode():
                filesystem.write_atomic(path, text, durable=False)
        return SyncResult(
            environments=tuple(self._outcome(item) for item in self.made),
            locked=(self.package.name,) if self.lock_changes else (),
            notes=self.notes,
        )

    @staticmethod
    def _outcome(item: Made) -> TargetEnvironment:
        return TargetEnvironment(
            package=item.room.package.name,
            target=item.room.target.name,
            python=item.room.python,
            site_packages=item.room.site,
            installed=item.installed,
            added=tuple(entry for entry in item.installed if entry not in item.before),
            removed=tuple(entry for entry in item.before if entry not in item.installed),
            unchanged=item.fresh is None,
        )


def commit(ready: Sequence[Ready], edits: Sequence[Edit] = (), undo: Undo | None = None) -> list[SyncResult]:
    """Put everything of several packages in place, and write planned changes of files with it, all or nothing.

    Args:
        ready: What was prepared of each package.
        edits: The changes, such as those of the settings that all of this was prepared for; they are made last.
        undo: What else is to be taken back if this fails. Once everything is in place, it has nothing to take back any more.

    Returns:
        What became of each package.

    Raises:
        PyPackPackError: Something could not be put in place; everything is as it was.
    """
    from pypackpack.middleware.project.edit import commit_edits  # noqa: PLC0415 - keeps imports of the CLI light

    with undo if undo is not None else Undo(WAY_OUT) as undoing:
        for item in ready:
            item.place(undoing)
        if edits:
            commit_edits(edits, undoing)
    return [item.finish() for item in ready]


def joined(results: Iterable[SyncResult]) -> SyncResult:
    """Return what became of several packages as one."""
    every = tuple(results)
    return SyncResult(
        tuple(item for result in every for item in result.environments),
        tuple(name for result in every for name in result.locked),
        tuple(note for result in every for note in result.notes),
        planned=any(result.planned for result in every),
    )
