"""Preparing a package's lock and environments aside; `environment.commit` puts them in place."""

from __future__ import annotations

import contextlib
import importlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.middleware.environment import lock as locks
from pypackpack.middleware.environment import path_sources
from pypackpack.middleware.environment.commit import PYLOCK, Made, Ready
from pypackpack.middleware.environment.place import listing, read_stamp
from pypackpack.model.build import Step
from pypackpack.model.environment import LockUse
from pypackpack.model.errors import DamagedLockError, PyPackPackError, ToolError
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pypackpack.backend.tools.resolver import StepOptions
    from pypackpack.middleware.environment.install import Room
    from pypackpack.model.build import Watcher
    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import PythonVersion, Target

_ROUNDS = 3
_LOOSE_FAMILIES = frozenset({"emscripten", "android", "ios"})
"""Families whose wheels uv's universal resolution does not recognise (measured with uv 0.13.8)."""


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


def as_it_is(room: Room, lock: locks.Lock, sources: str = "") -> Made | None:
    """Return the environment that is there, if it is what the lock says; no outside tool is asked.

    Args:
        room: Which environment.
        lock: The lock.
        sources: What the folders look like that dependencies come from (`path_sources.content_digest`).
    """
    stamp = read_stamp(room.stamp)
    if not (room.stamp.parent / PYLOCK).is_file():
        return None
    if stamp is None or stamp.lock != lock.digest or stamp.listing != listing(room.site) or not stamp.listing:
        return None
    if stamp.sources != sources:
        return None
    return Made(room, None, stamp.content, stamp.installed, stamp.installed, stamp.listing, sources)


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
        self,
        project: Project,
        package: Package,
        scratch: Path,
        *,
        offline: bool,
        options: StepOptions,
        watcher: Watcher,
        use: LockUse = LockUse.UPDATE,
        planning: bool = False,
    ) -> None:
        self.project = project
        self.package = package
        self.needs = locks.needs_of(project, package)
        self.scratch = scratch
        self.offline = offline
        self.options = options
        self.watcher = watcher
        self.use = use
        self.planning = planning
        self.notes: list[str] = []
        self.rooms: list[Room] = []
        self.exports: dict[tuple[str, ...], str] = {}
        self.sources = path_sources.content_digest(self.needs)

    def run(self, targets: Sequence[Target], pythons: Sequence[PythonVersion]) -> Ready:
        """Prepare everything for the environments of some targets and Pythons."""
        self.rooms = rooms_of(self.project, self.package, targets, pythons, offline=self.offline, watcher=self.watcher)
        old, (new, rebuilt) = self._locks()
        done = [None if self.options.reinstalls else as_it_is(room, new, self.sources) for room in self.rooms]
        missing = [room for room, item in zip(self.rooms, done, strict=True) if item is None]
        if not missing:
            ready = Ready(self.package, new, str(new) != str(old) if old else True)
            ready.made = [item for item in done if item is not None]
            return ready
        if self.needs.nothing and self.use is not LockUse.FROZEN:
            return self._without_uv(old, new, done)
        if not rebuilt:
            new = self._readable(new)
        return self._with_uv(old, new)

    def _locks(self) -> tuple[locks.Lock | None, tuple[locks.Lock, bool]]:
        """Return the lock on disk, and the one to work with as `current` returns it."""
        if self.use is LockUse.UPDATE:
            old = self._old_lock()
            return old, self.current(old)
        from pypackpack.middleware.environment.lock_use import as_locked, kept_lock  # noqa: PLC0415 - the rare case

        kept = kept_lock(self.package, self.needs, self.use)
        if self.use is LockUse.FROZEN:
            self.needs = as_locked(self.needs, kept)
        return kept, (kept, False)

    def _readable(self, lock: locks.Lock) -> locks.Lock:
        """Lay out the lock from disk; one that uv cannot read is made anew, and that is said."""
        from pypackpack.backend.tools import resolver  # noqa: PLC0415 - keeps imports of the CLI light

        lay_out(self.scratch, self.needs, lock)
        try:
            self.exports[()] = resolver.export_lock(self.scratch)
        except ToolError as error:
            if self.use is not LockUse.UPDATE:
                msg = f"{self.package.root / locks.FILE} is damaged: uv cannot read it"
                hint = f"`pypackpack {self.package.name} sync` makes it anew."
                raise DamagedLockError(msg, hint=hint, details=error.details) from error
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

        ready = Ready(self.package, lock, old is None or str(old) != str(lock))
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
                ready = Ready(self.package, lock, old is None or str(old) != str(lock))
                ready.made, ready.exports, ready.notes = made, pylocks, tuple(self.notes)
                return ready
            for room, error in failed:
                last = number == _ROUNDS - 1 or self.use is not LockUse.UPDATE
                if not explain.says_no_wheel(error) or last or not room.target.uv(room.python):
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
        content = install.content_digest(room, locked, self.sources)
        installed = tuple((item.name, item.version) for item in locked)
        stamp = read_stamp(room.stamp)
        known = stamp is not None and stamp.content == content and bool(stamp.listing)
        same = known and stamp is not None and stamp.listing == listing(room.site)
        if not same and (known or stamp is None):
            self._say_changed(room, installed, known=known)
        if same and not self.options.reinstalls:
            return Made(room, None, content, installed, installed, stamp.listing if stamp is not None else "", self.sources)
        options = (*self.options.install, *(["--dry-run"] if self.planning else []))
        fresh = install.install(room, pylock, self.needs, self.scratch, self._exists, options, offline=self.offline)
        return Made(room, fresh, content, installed, self._before(room), sources=self.sources)

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
        right = "`sync` puts it right" if self.planning else "it is put right"
        self.watcher.note(f"the environment of {self.package.name} for {where} was changed by hand; {right}{gone}")

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
