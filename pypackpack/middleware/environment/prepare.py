"""Preparing a package's lock and environments aside, and putting them in place together."""

from __future__ import annotations

import contextlib
import importlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.middleware.environment import lock as locks
from pypackpack.middleware.environment.place import Stamp, crossenv_folder, listing, read_stamp, stamp_text
from pypackpack.model.build import Step
from pypackpack.model.environment import SyncResult, TargetEnvironment
from pypackpack.model.errors import DamagedLockError, PyPackPackError, ToolError
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pypackpack.backend.tools.resolver import StepOptions
    from pypackpack.middleware.environment.install import Room
    from pypackpack.middleware.project.edit import Edit
    from pypackpack.model.build import Watcher
    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import PythonVersion, Target

PYLOCK = "pylock.toml"
_ROUNDS = 3
_LOOSE_FAMILIES = frozenset({"emscripten", "android", "ios"})
"""Families whose wheels uv's universal resolution does not recognise (measured with uv 0.13.8)."""


@dataclass(frozen=True)
class Made:
    """One environment, ready to be put in place; ``fresh`` is None when the one that is there will do (``listing`` is its)."""

    room: Room
    fresh: Path | None
    content: str
    installed: tuple[tuple[str, str], ...]
    before: tuple[tuple[str, str], ...]
    listing: str = ""


@dataclass
class Ready:
    """Everything of one package that is prepared and not yet in place."""

    package: Package
    lock: locks.Lock
    lock_changes: bool
    scratch: Path
    made: list[Made] = field(default_factory=list)
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
            stamp = Stamp(self.lock.digest, item.content, item.listing or listing(room.site), item.installed)
            if read_stamp(room.stamp) != stamp:
                filesystem.write_atomic(room.stamp, stamp_text(stamp), durable=False)
        for target, text in self.exports.items():
            path = crossenv_folder(self.package) / target / PYLOCK
            if not path.is_file() or path.read_bytes() != text.encode():
                filesystem.write_atomic(path, text, durable=False)

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


def _put_back(path: Path, old: bytes | None) -> None:
    with contextlib.suppress(Exception):
        if old is None:
            filesystem.remove_tree(path)
        else:
            filesystem.write_atomic(path, old)


@contextlib.contextmanager
def no_empty_folders(folder: Path, root: Path) -> Iterator[None]:
    """Take away at the end what was made on the way to ``folder`` and stayed empty."""
    fresh = [path for path in (folder, *folder.parents) if root in path.parents and not path.exists()]
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            for path in fresh:
                path.rmdir()


def rooms_of(
    project: Project,
    package: Package,
    targets: Sequence[Target],
    pythons: Sequence[PythonVersion] = (),
    *,
    offline: bool,
    watcher: Watcher,
) -> list[Room]:
    """Return a package's environments for some targets: for the Pythons given, else the settings', else the project's own."""
    from pypackpack.middleware.environment.install import Room  # noqa: PLC0415 - keeps imports of the CLI light

    series = tuple(pythons) or package.pythons
    if not series and targets:
        from pypackpack.middleware.python.choose import project_python  # noqa: PLC0415 - keeps imports of the CLI light

        series = (project_python(project, offline=offline, watcher=watcher).series,)
    return [Room(package, target, python) for target in targets for python in series]


def current_lock(project: Project, package: Package, *, offline: bool, watcher: Watcher) -> tuple[locks.Lock, bool]:
    """Return the lock that fits a package's settings, and whether it is the one on disk; nothing is written.

    Raises:
        PyPackPackError: None fits, and what it would say cannot be resolved.
    """
    from pypackpack.backend.tools.resolver import StepOptions  # noqa: PLC0415 - keeps imports of the CLI light

    needs = locks.needs_of(project, package)
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


def as_it_is(room: Room, lock: locks.Lock) -> Made | None:
    """Return the environment that is there, if it is what the lock says; no outside tool is asked."""
    stamp = read_stamp(room.stamp)
    if not (room.stamp.parent / PYLOCK).is_file():
        return None
    if stamp is None or stamp.lock != lock.digest or stamp.listing != listing(room.site) or not stamp.listing:
        return None
    return Made(room, None, stamp.content, stamp.installed, stamp.installed, stamp.listing)


def lay_out(scratch: Path, needs: locks.Needs, lock: locks.Lock) -> None:
    """Write the project that uv works on, and its lock if there is one, into a scratch folder."""
    from pypackpack.backend.tools import resolver  # noqa: PLC0415 - keeps imports of the CLI light

    filesystem.fill_file(scratch / "pyproject.toml", locks.project_text(needs, lock.fits).encode())
    filesystem.remove_tree(scratch / resolver.LOCK)
    if lock.text:
        filesystem.fill_file(scratch / resolver.LOCK, lock.text.encode())


def _import_ahead() -> None:
    importlib.import_module("packaging.markers")
    importlib.import_module("pypackpack.middleware.environment.install")


class Preparation:
    """The work of `prepared`."""

    def __init__(
        self, project: Project, package: Package, scratch: Path, *, offline: bool, options: StepOptions, watcher: Watcher
    ) -> None:
        self.project = project
        self.package = package
        self.needs = locks.needs_of(project, package)
        self.scratch = scratch
        self.offline = offline
        self.options = options
        self.watcher = watcher
        self.notes: list[str] = []
        self.rooms: list[Room] = []
        self.exports: dict[tuple[str, ...], str] = {}

    def run(self, targets: Sequence[Target], pythons: Sequence[PythonVersion]) -> Ready:
        """Prepare everything for the environments of some targets and Pythons."""
        self.rooms = rooms_of(self.project, self.package, targets, pythons, offline=self.offline, watcher=self.watcher)
        old = self._old_lock()
        new, rebuilt = self.current(old)
        done = [None if self.options.reinstalls else as_it_is(room, new) for room in self.rooms]
        missing = [room for room, item in zip(self.rooms, done, strict=True) if item is None]
        if not missing:
            ready = Ready(self.package, new, str(new) != str(old) if old else True, self.scratch)
            ready.made = [item for item in done if item is not None]
            return ready
        if self.needs.nothing:
            return self._without_uv(old, new, done)
        if not rebuilt:
            new = self._readable(new)
        return self._with_uv(old, new)

    def _readable(self, lock: locks.Lock) -> locks.Lock:
        """Lay out the lock from disk; one that uv cannot read is made anew, and that is said."""
        from pypackpack.backend.tools import resolver  # noqa: PLC0415 - keeps imports of the CLI light

        lay_out(self.scratch, self.needs, lock)
        try:
            self.exports[()] = resolver.export_lock(self.scratch)
        except ToolError as error:
            self._say_damaged(error.details)
            return self._resolved(None, ())
        return lock

    def _old_lock(self) -> locks.Lock | None:
        path = self.package.root / locks.FILE
        try:
            return locks.read_lock(path)
        except DamagedLockError as error:
            self.watcher.note(f"{error.message}; it is made anew")
            return None

    def current(self, old: locks.Lock | None) -> tuple[locks.Lock, bool]:
        """Return the lock that fits the settings, and whether it was made just now (and lies in the scratch folder)."""
        if self.needs.nothing:
            return locks.empty_lock(self.needs), False
        digest = locks.made_from(self.needs)
        if old is not None and old.made_from == digest and not self.options.lock:
            return old, False
        if old is None:
            return self._resolved(None, ()), True
        try:
            if old.fits and not self.options.upgrades:
                with contextlib.suppress(ToolError):  # what was right for the old settings may exclude the new ones
                    return self._resolve(old.text, old.fits), True
            return self._resolved(old.text, ()), True
        except PyPackPackError as error:
            if "Failed to parse `uv.lock`" not in error.details:
                raise
            self._say_damaged(error.details)
            return self._resolved(None, ()), True

    def _say_damaged(self, words: str) -> None:
        why = ": ".join(line.strip() for line in words.splitlines()[1:2]).removeprefix("cause: ")
        self.watcher.note(f"{self.package.root / locks.FILE} is damaged ({why or 'uv cannot read it'}); it is made anew")

    def _resolved(self, text: str | None, fits: tuple[str, ...]) -> locks.Lock:
        """Resolve, with uv's errors explained."""
        try:
            return self._resolve(text, fits)
        except ToolError as error:
            from pypackpack.middleware.dependency import explain  # noqa: PLC0415 - keeps imports of the CLI light

            exists = self._exists(explain.wheelless(error.details)) if explain.says_no_wheel(error) else ""
            raise explain.explained(error, self.needs, exists=exists, offline=self.offline) from error

    def _resolve(self, text: str | None, fits: tuple[str, ...]) -> locks.Lock:
        from pypackpack.backend.tools import resolver  # noqa: PLC0415 - keeps imports of the CLI light

        self._say("resolve", 0, 1)
        # What comes next needs these; while uv works there is time to import them.
        threading.Thread(target=_import_ahead, name="import", daemon=True).start()
        lay_out(self.scratch, self.needs, locks.Lock(text or "", "", fits))
        try:
            made = resolver.lock_project(self.scratch, self.options.lock, offline=self.offline)
        except ToolError as error:
            from pypackpack.middleware.dependency import explain  # noqa: PLC0415 - keeps imports of the CLI light

            loose = any(target.family in _LOOSE_FAMILIES for target in self.needs.targets)
            if not (loose or self.needs.direct) or not explain.says_no_wheel(error):
                raise
            # uv does not see the wheels of these platforms in a resolution for all, but does in one for them alone; and what
            # comes as source (git, a folder) may have to be built to know what it needs. So the wheels are left to the
            # installation, which refuses what has none.
            try:
                made = resolver.lock_project(self.scratch, self.options.lock, offline=self.offline, build=True)
            except ToolError:
                raise error from None
        self._say("resolve", 1, 1)
        return locks.Lock(made, locks.made_from(self.needs), fits)

    def _say(self, step: str, done: int, total: int, target: str = "") -> None:
        self.watcher.step(Step(self.package.name, target, step, done, total))

    def _without_uv(self, old: locks.Lock | None, lock: locks.Lock, done: Sequence[Made | None]) -> Ready:
        """No dependency at all: the environments are empty folders."""
        from pypackpack.middleware.environment.install import content_digest  # noqa: PLC0415 - keeps imports of the CLI light

        ready = Ready(self.package, lock, old is None or str(old) != str(lock), self.scratch)
        for room, item in zip(self.rooms, done, strict=True):
            if item is not None:
                ready.made.append(item)
                continue
            fresh = self.scratch / room.label
            with filesystem.explained("make", fresh):
                fresh.mkdir()
            stamp = read_stamp(room.stamp)
            known = stamp is not None and not stamp.installed and bool(stamp.listing)
            if stamp is None or (known and stamp.listing != listing(room.site)):
                self._say_changed(room, (), known=known)
            ready.made.append(Made(room, fresh, content_digest(room, ()), (), self._before(room)))
        ready.exports = {room.target.name: locks.EMPTY_PYLOCK for room in self.rooms}
        return ready

    @staticmethod
    def _before(room: Room) -> tuple[tuple[str, str], ...]:
        stamp = read_stamp(room.stamp)
        return stamp.installed if stamp is not None and room.site.is_dir() else ()

    def _with_uv(self, old: locks.Lock | None, lock: locks.Lock) -> Ready:
        """Install what differs; where a version has no wheel for a target, one that has is found and locked."""
        from pypackpack.middleware.dependency import explain  # noqa: PLC0415 - keeps imports of the CLI light
        from pypackpack.middleware.environment import install  # noqa: PLC0415 - keeps imports of the CLI light

        for number in range(_ROUNDS):
            pylocks = {
                room.target.name: install.export(self.scratch, self.needs, room.target, self.exports) for room in self.rooms
            }
            made, failed = self._install_all(pylocks)
            if not failed:
                ready = Ready(self.package, lock, old is None or str(old) != str(lock), self.scratch)
                ready.made, ready.exports, ready.notes = made, pylocks, tuple(self.notes)
                return ready
            for room, error in failed:
                if not explain.says_no_wheel(error) or number == _ROUNDS - 1 or not room.target.uv(room.python):
                    raise self._explained(room, error, pylocks[room.target.name])
            fits = [fit for room, error in failed for fit in self._fits(room, error, pylocks[room.target.name])]
            self.exports.clear()
            lock = self._resolved(lock.text, tuple(dict.fromkeys([*lock.fits, *fits])))
        msg = "unreachable"
        raise AssertionError(msg)

    def _install_all(self, pylocks: dict[str, str]) -> tuple[list[Made], list[tuple[Room, ToolError]]]:
        made: list[Made] = []
        failed: list[tuple[Room, ToolError]] = []
        finished = 0
        guard = threading.Lock()

        def work(room: Room) -> Made | ToolError:
            nonlocal finished
            try:
                return self._install(room, pylocks[room.target.name])
            except ToolError as error:
                return error
            finally:
                with guard:
                    finished += 1
                    self._say("dependencies", finished, len(self.rooms), room.target.name)

        with ThreadPoolExecutor(max_workers=max(1, min(len(self.rooms), os.cpu_count() or 1))) as pool:
            for room, result in zip(self.rooms, pool.map(work, self.rooms), strict=True):
                if isinstance(result, ToolError):
                    failed.append((room, result))
                else:
                    made.append(result)
        return made, failed

    def _install(self, room: Room, pylock: str) -> Made:
        from pypackpack.middleware.environment import install  # noqa: PLC0415 - keeps imports of the CLI light

        locked = locks.applicable(pylock, room.target, room.python)
        content = install.content_digest(room, locked)
        installed = tuple((item.name, item.version) for item in locked)
        stamp = read_stamp(room.stamp)
        known = stamp is not None and stamp.content == content and bool(stamp.listing)
        same = known and stamp is not None and stamp.listing == listing(room.site)
        if not same and (known or stamp is None):
            self._say_changed(room, installed, known=known)
        if same and not self.options.reinstalls:
            return Made(room, None, content, installed, installed, stamp.listing if stamp is not None else "")
        fresh = install.install(room, pylock, self.needs, self.scratch, self._exists, self.options.install, offline=self.offline)
        return Made(room, fresh, content, installed, self._before(room))

    def _say_changed(self, room: Room, installed: Sequence[tuple[str, str]], *, known: bool) -> None:
        """Say that an environment is not as it was left, and what it has besides what it is to have.

        Of one that is not ``known`` (never made by `sync`) only the latter can be told.
        """
        from pypackpack.middleware.environment.distributions import distributions  # noqa: PLC0415 - import cost

        if not room.site.is_dir():
            return
        where = f"{room.target.name} with Python {room.python[0]}.{room.python[1]}"
        names = {normalise(name) for name, _ in installed}
        extra = [f"{name} {version}" for name, version in distributions(room.site) if name not in names]
        if not known and not extra:
            return
        gone = f", without {', '.join(extra)}" if extra else ""
        self.watcher.note(f"the environment of {self.package.name} for {where} was changed by hand; it is put right{gone}")

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
                options=self.options.choose,
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

        name = explain.wheelless(error.details)
        locked = {normalise(item.name): item.version for item in locks.applicable(pylock, room.target, room.python)}
        exists = self._exists(name, locked.get(normalise(name), ""), room.python) if explain.says_no_wheel(error) else ""
        return explain.explained(
            error, self.needs, targets=(room.target,), python=room.python, exists=exists, offline=self.offline
        )

    def _exists(self, name: str, version: str = "", python: PythonVersion | None = None) -> str:
        """Return what the index has of a dependency, for a person; only asked when something is missing."""
        from pypackpack.backend.tools import resolver  # noqa: PLC0415 - keeps imports of the CLI light
        from pypackpack.middleware.dependency import explain  # noqa: PLC0415 - keeps imports of the CLI light

        python = python or (self.rooms[0].python if self.rooms else None)
        if not name or python is None:
            return ""
        wanted = [f"{name}=={version}"] if version else locks.asking_for(self.needs, name) or [name]
        folder = filesystem.unused_name(self.scratch, "offered-")  # several targets may ask at the same time
        found = resolver.offered(folder, locks.question_text(self.needs, wanted, python), normalise(name), offline=self.offline)
        return explain.offer(found.version, found.wheels, python, source=found.source) if found else ""
