"""Making the environments of a package's targets exactly what its lock says.

Everything is prepared aside: the lock, then every environment, in parallel. Only when all of it is there, files and folders are
put in place, all of them or none; so a target for which something is missing leaves everything as it was.
"""

from __future__ import annotations

import contextlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.middleware.environment import lock as locks
from pypackpack.middleware.environment.place import (
    Stamp,
    crossenv_folder,
    environment_folder,
    listing,
    read_stamp,
    site_packages,
    stamp_text,
)
from pypackpack.model.build import Silent, Step
from pypackpack.model.environment import SyncResult, TargetEnvironment
from pypackpack.model.errors import DamagedLockError, ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pypackpack.middleware.environment.install import Room
    from pypackpack.middleware.project.edit import Edit
    from pypackpack.model.build import Watcher
    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import PythonVersion, Target

__all__ = ["dependencies_of", "environment_folder", "prepared", "site_packages", "sync"]

_ROUNDS = 3
_LOOSE_FAMILIES = frozenset({"emscripten", "android", "ios"})
"""Families whose wheels uv's universal resolution does not recognise (measured with uv 0.13.8)."""


def sync(
    project: Project,
    packages: Sequence[Package],
    target_words: Sequence[str] = (),
    *,
    pythons: Sequence[PythonVersion] = (),
    offline: bool = False,
    watcher: Watcher | None = None,
) -> SyncResult:
    """Make environments exactly what the locks say; a lock that does not fit the settings any more is brought up to date.

    Args:
        project: The project.
        packages: Whose environments.
        target_words: Which targets, as typed; empty means all of each package.
        pythons: For which Pythons; empty means the settings', else the project's own.
        offline: Never touch the network.
        watcher: Told of the progress.

    Raises:
        PyPackPackError: Something cannot be resolved or installed; locks and environments are as before.
    """
    from pypackpack.middleware.target import table  # noqa: PLC0415 - keeps imports of the CLI light

    with contextlib.ExitStack() as held:
        ready = []
        for package in sorted(
            packages, key=lambda item: item.root
        ):  # one order everywhere: two callers never wait for each other
            targets = table.resolve(target_words, package.targets) if target_words else package.targets
            opened = prepared(project, package, targets, pythons=pythons, offline=offline, watcher=watcher or Silent())
            ready.append(held.enter_context(opened))
        results = [item.commit() for item in ready]
    return SyncResult(
        tuple(item for result in results for item in result.environments),
        tuple(name for result in results for name in result.locked),
        tuple(note for result in results for note in result.notes),
    )


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


@dataclass(frozen=True)
class _Made:
    """One environment, ready to be put in place; ``fresh`` is None when the one that is there will do."""

    room: Room
    fresh: Path | None
    content: str
    installed: tuple[tuple[str, str], ...]
    before: tuple[tuple[str, str], ...]


@dataclass
class _Ready:
    """Everything of one package that is prepared and not yet in place."""

    package: Package
    lock: locks.Lock
    lock_changes: bool
    scratch: Path
    made: list[_Made] = field(default_factory=list)
    exports: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def commit(self, edits: Sequence[Edit] = ()) -> SyncResult:
        """Put everything in place, and write planned changes of files with it, all or nothing.

        Raises:
            PyPackPackError: It could not be; everything is as it was.
        """
        from pypackpack.middleware.project.edit import commit_edits  # noqa: PLC0415 - keeps imports of the CLI light

        pairs = [(item.fresh, item.room.site) for item in self.made if item.fresh is not None]
        path = self.package.root / locks.FILE
        with filesystem.swapped(pairs, self.scratch), contextlib.ExitStack() as undo:
            if self.lock_changes:
                old = path.read_bytes() if path.exists() else None
                undo.callback(_put_back, path, old)
                filesystem.write_atomic(path, str(self.lock))
            if edits:
                commit_edits(edits)
            undo.pop_all()
        self._write_stamps()
        return SyncResult(
            environments=tuple(self._outcome(item) for item in self.made),
            locked=(self.package.name,) if self.lock_changes else (),
            notes=self.notes,
        )

    def _write_stamps(self) -> None:
        """Write what only saves time next time: a crash before this costs another sync, nothing else."""
        for item in self.made:
            room = item.room
            stamp = Stamp(self.lock.digest, item.content, listing(room.site), item.installed)
            if read_stamp(room.stamp) != stamp:
                filesystem.write_atomic(room.stamp, stamp_text(stamp))
        for target, text in self.exports.items():
            path = crossenv_folder(self.package) / target / "pylock.toml"
            if not path.is_file() or path.read_bytes() != text.encode():
                filesystem.write_atomic(path, text)

    @staticmethod
    def _outcome(item: _Made) -> TargetEnvironment:
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


def _put_back(path: Path, old: bytes | None) -> None:
    with contextlib.suppress(Exception):
        if old is None:
            filesystem.remove_tree(path)
        else:
            filesystem.write_atomic(path, old)


@contextlib.contextmanager
def prepared(
    project: Project,
    package: Package,
    targets: Sequence[Target],
    *,
    pythons: Sequence[PythonVersion] = (),
    offline: bool = False,
    watcher: Watcher,
) -> Iterator[_Ready]:
    """Prepare a package's lock and environments aside; nothing changes until ``commit`` of what this gives is called.

    Args:
        project: The project, with the package as it is to be.
        package: The package as it is to be.
        targets: Which environments.
        pythons: For which Pythons; empty means the settings', else the project's own.
        offline: Never touch the network.
        watcher: Told of the progress.

    Raises:
        PyPackPackError: Something cannot be resolved or installed.
    """
    folder = crossenv_folder(package)

    def waiting() -> None:
        watcher.note(f"another pypackpack is at work on the environments of {package.name}; waiting")

    with filesystem.lock(_lock_file(folder), waiting=waiting), _no_empty_folders(folder, package.root):
        for leftover in folder.glob(".sync-*"):  # of one that was killed: nobody else is here now
            filesystem.remove_tree(leftover)
        with filesystem.scratch_folder(folder, ".sync-") as scratch:
            yield _Preparation(project, package, tuple(targets), tuple(pythons), scratch, offline, watcher).run()


def _lock_file(folder: Path) -> Path:
    """Return the lock of a package's environments; in the user's cache, so that a failure leaves the project as it was."""
    name = filesystem.sha256_bytes(os.path.normcase(os.path.realpath(folder)))[:32]
    return filesystem.cache_folder() / "locks" / f"{name}.lock"


@contextlib.contextmanager
def _no_empty_folders(folder: Path, root: Path) -> Iterator[None]:
    """Take away at the end what was made on the way to ``folder`` and stayed empty."""
    fresh = [path for path in (folder, *folder.parents) if root in path.parents and not path.exists()]
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            for path in fresh:
                path.rmdir()


class _Preparation:
    """The work of `prepared`."""

    def __init__(
        self,
        project: Project,
        package: Package,
        targets: tuple[Target, ...],
        pythons: tuple[PythonVersion, ...],
        scratch: Path,
        offline: bool,
        watcher: Watcher,
    ) -> None:
        from pypackpack.middleware.environment.install import Room  # noqa: PLC0415 - keeps imports of the CLI light

        self.package = package
        self.needs = locks.needs_of(project, package)
        self.scratch = scratch
        self.offline = offline
        self.watcher = watcher
        self.notes: list[str] = []
        series = pythons or package.pythons or self._own_python(project, targets)
        self.rooms = [Room(package, target, python) for target in targets for python in series]

    def _own_python(self, project: Project, targets: Sequence[Target]) -> tuple[PythonVersion, ...]:
        if not targets:
            return ()
        from pypackpack.middleware.python.choose import project_python  # noqa: PLC0415 - keeps imports of the CLI light

        return (project_python(project, offline=self.offline, watcher=self.watcher).series,)

    def run(self) -> _Ready:
        """Prepare everything."""
        old = self._old_lock()
        new, rebuilt = self._current(old)
        done = [self._as_it_is(room, new) for room in self.rooms]
        missing = [room for room, item in zip(self.rooms, done, strict=True) if item is None]
        if not missing:
            ready = _Ready(self.package, new, str(new) != str(old) if old else True, self.scratch)
            ready.made = [item for item in done if item is not None]
            return ready
        if self.needs.nothing:
            return self._without_uv(old, new, done)
        if not rebuilt:
            self._lay_out(new)
        return self._with_uv(old, new)

    def _old_lock(self) -> locks.Lock | None:
        path = self.package.root / locks.FILE
        try:
            return locks.read_lock(path)
        except DamagedLockError as error:
            self.watcher.note(f"{error.message}; it is made anew")
            return None

    def _current(self, old: locks.Lock | None) -> tuple[locks.Lock, bool]:
        """Return the lock that fits the settings, and whether it was made just now (and lies in the scratch folder)."""
        if self.needs.nothing:
            return locks.empty_lock(self.needs), False
        digest = locks.made_from(self.needs)
        if old is not None and old.made_from == digest:
            return old, False
        if old is not None and old.fits:
            with contextlib.suppress(ToolError):  # what was right for the old settings may exclude the new ones
                return self._resolve(old.text, old.fits), True
        return self._resolved(old.text if old else None, ()), True

    def _resolved(self, text: str | None, fits: tuple[str, ...]) -> locks.Lock:
        """Resolve, with uv's errors explained."""
        from pypackpack.middleware.dependency import explain  # noqa: PLC0415 - keeps imports of the CLI light

        try:
            return self._resolve(text, fits)
        except ToolError as error:
            raise explain.explained(error, self.needs) from error

    def _lay_out(self, lock: locks.Lock) -> None:
        """Write the project that uv works on into the scratch folder."""
        from pypackpack.backend.tools import resolver  # noqa: PLC0415 - keeps imports of the CLI light

        filesystem.fill_file(self.scratch / "pyproject.toml", locks.project_text(self.needs, lock.fits).encode())
        if lock.text:
            filesystem.fill_file(self.scratch / resolver.LOCK, lock.text.encode())

    def _resolve(self, text: str | None, fits: tuple[str, ...]) -> locks.Lock:
        from pypackpack.backend.tools import resolver  # noqa: PLC0415 - keeps imports of the CLI light
        from pypackpack.middleware.dependency import explain  # noqa: PLC0415 - keeps imports of the CLI light

        self._say("resolve", 0, 1)
        self._lay_out(locks.Lock(text or "", "", fits))
        try:
            made = resolver.lock_project(self.scratch, offline=self.offline)
        except ToolError as error:
            loose = any(target.family in _LOOSE_FAMILIES for target in self.needs.targets)
            if not loose or not explain.says_no_wheel(error):
                raise
            # uv does not see the wheels of these platforms in a resolution for all, but does in one for them alone; so the
            # wheels are left to the installation, which refuses what has none.
            try:
                made = resolver.lock_project(self.scratch, offline=self.offline, build=True)
            except ToolError:
                raise error from None
        self._say("resolve", 1, 1)
        return locks.Lock(made, locks.made_from(self.needs), fits)

    def _say(self, step: str, done: int, total: int, target: str = "") -> None:
        self.watcher.step(Step(self.package.name, target, step, done, total))

    def _as_it_is(self, room: Room, lock: locks.Lock) -> _Made | None:
        """Return the environment that is there, if it is what the lock says; no outside tool is asked."""
        stamp = read_stamp(room.stamp)
        if stamp is None or stamp.lock != lock.digest or stamp.listing != listing(room.site) or not stamp.listing:
            return None
        return _Made(room, None, stamp.content, stamp.installed, stamp.installed)

    def _without_uv(self, old: locks.Lock | None, lock: locks.Lock, done: Sequence[_Made | None]) -> _Ready:
        """No dependency at all: the environments are empty folders."""
        from pypackpack.middleware.environment.install import content_digest  # noqa: PLC0415 - keeps imports of the CLI light

        ready = _Ready(self.package, lock, old is None or str(old) != str(lock), self.scratch)
        for room, item in zip(self.rooms, done, strict=True):
            if item is not None:
                ready.made.append(item)
                continue
            fresh = self.scratch / room.label
            with filesystem.explained("make", fresh):
                fresh.mkdir()
            ready.made.append(_Made(room, fresh, content_digest(room, ()), (), self._before(room)))
        ready.exports = {room.target.name: locks.EMPTY_PYLOCK for room in self.rooms}
        return ready

    @staticmethod
    def _before(room: Room) -> tuple[tuple[str, str], ...]:
        stamp = read_stamp(room.stamp)
        return stamp.installed if stamp is not None and room.site.is_dir() else ()

    def _with_uv(self, old: locks.Lock | None, lock: locks.Lock) -> _Ready:
        """Install what differs; where a version has no wheel for a target, one that has is found and locked."""
        from pypackpack.middleware.dependency import explain  # noqa: PLC0415 - keeps imports of the CLI light
        from pypackpack.middleware.environment import install  # noqa: PLC0415 - keeps imports of the CLI light

        for number in range(_ROUNDS):
            scratch = self.scratch / f"round-{number}"
            exports: dict[tuple[str, ...], str] = {}
            pylocks = {room.target.name: install.export(self.scratch, self.needs, room.target, exports) for room in self.rooms}
            made, failed = self._install_all(pylocks, scratch)
            if not failed:
                ready = _Ready(self.package, lock, old is None or str(old) != str(lock), self.scratch)
                ready.made, ready.exports, ready.notes = made, pylocks, tuple(self.notes)
                return ready
            for room, error in failed:
                if not explain.says_no_wheel(error) or number == _ROUNDS - 1 or not room.target.uv(room.python):
                    raise self._explained(room, error, pylocks[room.target.name])
            fits = [fit for room, error in failed for fit in self._fits(room, error, pylocks[room.target.name])]
            lock = self._resolved(lock.text, tuple(dict.fromkeys([*lock.fits, *fits])))
        msg = "unreachable"
        raise AssertionError(msg)

    def _install_all(self, pylocks: dict[str, str], scratch: Path) -> tuple[list[_Made], list[tuple[Room, ToolError]]]:
        made: list[_Made] = []
        failed: list[tuple[Room, ToolError]] = []
        finished = 0
        guard = threading.Lock()

        def work(room: Room) -> _Made | ToolError:
            nonlocal finished
            try:
                return self._install(room, pylocks[room.target.name], scratch)
            except ToolError as error:
                return error
            finally:
                with guard:
                    finished += 1
                    self._say("dependencies", finished, len(self.rooms), room.target.name)

        with filesystem.explained("make", scratch):
            scratch.mkdir()
        filesystem.fill_file(scratch / "pyproject.toml", filesystem.read_bytes(self.scratch / "pyproject.toml"))
        with ThreadPoolExecutor(max_workers=max(1, min(len(self.rooms), os.cpu_count() or 1))) as pool:
            for room, result in zip(self.rooms, pool.map(work, self.rooms), strict=True):
                if isinstance(result, ToolError):
                    failed.append((room, result))
                else:
                    made.append(result)
        return made, failed

    def _install(self, room: Room, pylock: str, scratch: Path) -> _Made:
        from pypackpack.middleware.environment import install  # noqa: PLC0415 - keeps imports of the CLI light

        locked = locks.applicable(pylock, room.target, room.python)
        content = install.content_digest(room, locked)
        installed = tuple((item.name, item.version) for item in locked)
        stamp = read_stamp(room.stamp)
        if stamp is not None and stamp.content == content and stamp.listing and stamp.listing == listing(room.site):
            return _Made(room, None, content, installed, installed)
        fresh = install.install(room, pylock, self.needs, scratch, offline=self.offline)
        return _Made(room, fresh, content, installed, self._before(room))

    def _fits(self, room: Room, error: ToolError, pylock: str) -> tuple[str, ...]:
        """Return the versions that one target can have, as constraints.

        Raises:
            PyPackPackError: It can have none.
        """
        from pypackpack.backend.tools import resolver  # noqa: PLC0415 - keeps imports of the CLI light

        locked = locks.applicable(pylock, room.target, room.python)
        lines = [*self.needs.lines, *self.needs.own.get(room.target.name, ())]
        path = self.scratch / f"requirements-{room.label}.in"
        filesystem.fill_file(path, "".join(f"{line}\n" for line in lines).encode())
        try:
            chosen = resolver.resolve_for_platform(
                path,
                {item.name: item.version for item in locked},
                platform=room.target.uv(room.python),
                python=room.python,
                settings=dict(room.target.uv_environment),
                offline=self.offline,
            )
        except ToolError as again:
            raise self._explained(room, again, pylock) from error
        there = {item.name: item.version for item in locked}
        for name, version in chosen.items():
            if there.get(name, version) != version:
                where = f"{room.target.name} with Python {room.python[0]}.{room.python[1]}"
                note = f"{name} {version} is taken for {where}, because {there[name]} has no wheel for it"
                self.notes.append(note)
                self.watcher.note(note)
        fits = locks.fits_for(chosen, locked, room.target, room.python)
        if not fits:
            raise self._explained(room, error, pylock)
        return fits

    def _explained(self, room: Room, error: ToolError, pylock: str) -> Exception:
        from pypackpack.middleware.dependency import explain  # noqa: PLC0415 - keeps imports of the CLI light
        from pypackpack.middleware.environment import install  # noqa: PLC0415 - keeps imports of the CLI light

        exists = install.wheel_platforms(pylock, explain.wheelless(error.details), room.python)
        return explain.explained(error, self.needs, targets=(room.target,), python=room.python, exists=exists)
