"""The development environment: ``.venv`` with the development group, every package of the project, and what these need here.

uv does the work, in one resolution, on a project that is made for it inside ``.venv`` (`development_project`). The person's
``pyproject.lock`` is put there before and taken back after. A change of dependencies is written by uv there too, as uv writes it,
and what differs is then carried over into the person's file (`development_change`).
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.backend.tools import uv, venv
from pypackpack.backend.tools import uv_options as known
from pypackpack.middleware.environment import development_project as works
from pypackpack.middleware.environment.distributions import damaged
from pypackpack.middleware.environment.place import listing
from pypackpack.middleware.project.edit import lock_file
from pypackpack.middleware.project.read import FILE
from pypackpack.middleware.project.toml import content_digest, read_toml
from pypackpack.model.build import Silent
from pypackpack.model.environment import DevelopmentSync, LockUse
from pypackpack.model.errors import OutOfSyncError, PyPackPackError, ToolError, UsageError, add_note
from pypackpack.model.names import normalise
from pypackpack.model.secrets import masked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pypackpack.middleware.environment.development_editable import Standing
    from pypackpack.middleware.environment.development_project import WorkProject
    from pypackpack.model.build import Watcher
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.project import Project

LOCK = "pyproject.lock"
STAMP = ".pypackpack.json"
"""The file in ``.venv`` that says what it was made from, and what it looked like then."""
ASIDE = ".venv.before"
"""Where ``python use`` keeps the old environment meanwhile; found there later, it is what a killed one left."""
_REVISION = 1
"""Raised when the same files make another environment."""

_ELSEWHERE = {
    "--active": "uv works on the project's own .venv.",
    "--all-packages": "Packages are in .venv anyway; a uv workspace's member is after `pypackpack add --editable ./<folder>`.",
    "--directory": "`--project DIR` names the project.",
    "--isolated": "uv works on the project's own .venv.",
    "--no-active": "uv works on the project's own .venv.",
    "--no-workspace": "A project is no uv workspace.",
    "--python": "`pypackpack python use <version>` changes the Python of .venv.",
    "-p": "`pypackpack python use <version>` changes the Python of .venv.",
    "--script": "Write the requirements into the script with `uv add --script`.",
    "--workspace": "A project is no uv workspace.",
}
"""uv's options that say which project, environment or Python to work on, and what to do instead."""

_ONLY_SAID = ("--dry-run",)


@dataclass(frozen=True)
class _Stamp:
    """What ``.venv`` was made from, and what it looked like then."""

    made_from: str
    listing: str


def sync(
    project: Project, *, uv_options: Sequence[str] = (), offline: bool = False, watcher: Watcher | None = None
) -> DevelopmentSync:
    """Make ``.venv`` exactly what the project's lock says; a lock that does not fit the settings any more is brought up to date.

    An environment that is not there, or does not start any more, is made; one that was changed by hand is put right.

    Args:
        project: The project.
        uv_options: More options for ``uv sync``, as typed.
        offline: Never touch the network.
        watcher: Gets notes.

    Raises:
        UsageError: One of ``uv_options`` cannot be used here.
        PyPackPackError: Something cannot be resolved or installed; the lock is as before.
    """
    refuse_elsewhere(uv_options, "sync")
    with _completed_by_sync(), working(project, watcher or Silent()) as work:
        return work.sync(tuple(uv_options), offline=offline)


def refresh(
    project: Project, watcher: Watcher, *, uv_options: Sequence[str] = (), offline: bool = False
) -> DevelopmentSync | None:
    """Bring ``.venv`` up to date after something else was done; what goes wrong is a note and no error.

    Args:
        project: The project, as it is now.
        watcher: Gets notes.
        uv_options: More options for ``uv sync``, such as the index that has just been named.
        offline: Never touch the network.

    Returns:
        None where there is no ``.venv``, or it could not be done.
    """
    if not venv.works(project.venv):
        return None
    try:
        if not (project.root / LOCK).exists() and works.needs_nothing(project):
            # No resolution, no lock and no uv, for what has nothing but sources of its own.
            with _completed_by_sync(), working(project, watcher) as work:
                return work.only_packages()
        return sync(project, uv_options=uv_options, offline=offline, watcher=watcher)
    except PyPackPackError as error:
        watcher.note(f".venv is not up to date: {error.message}; `pypackpack sync` tries again")
        return None


@contextlib.contextmanager
def _completed_by_sync() -> Iterator[None]:
    """Say after Ctrl-C what brings ``.venv`` to an end, whatever it is by then."""
    try:
        yield
    except KeyboardInterrupt as error:
        add_note(error, ".venv may not be up to date: `pypackpack sync` completes it.")
        raise


def refuse_elsewhere(words: Sequence[str], command: str) -> None:
    """Refuse options of uv that would make it work on something else.

    Raises:
        UsageError: There is one.
    """
    for option, *_ in known.grouped(words, command):
        name = option.partition("=")[0]
        if name in _ELSEWHERE:
            msg = f"{name} cannot be used here"
            raise UsageError(msg, hint=_ELSEWHERE[name])


@contextlib.contextmanager
def working(project: Project, watcher: Watcher) -> Iterator[Work]:
    """Hold the development environment of a project; of two who want it, one waits."""

    def waiting() -> None:
        watcher.note("another pypackpack is at work on .venv; waiting")

    with filesystem.lock(lock_file(project.venv, "development"), waiting=waiting):
        work = Work(project, watcher)
        there = os.path.lexists(project.venv) or os.path.lexists(project.root / ASIDE)
        try:
            yield work
        except BaseException:
            if not there:  # a new one that is not complete is of no use
                with contextlib.suppress(PyPackPackError):
                    filesystem.remove_tree(project.venv)
            raise
        finally:
            work.tidy()


class Work:
    """uv at work on one project's ``.venv``; see `working`."""

    def __init__(self, project: Project, watcher: Watcher) -> None:
        self.project = project
        self.watcher = watcher
        self.folder = works.work_folder(project)
        self.place = project.venv
        self.python = venv.interpreter(project.venv)
        self.made = works.WorkProject({}, {}, (), {})
        self._said_damaged = False

    # The state -------------------------------------------------------------------------------------------------------------

    @property
    def site(self) -> Path:
        """The folder of ``.venv``'s distributions.

        Raises:
            ToolError: ``.venv`` does not say which Python it has.
        """
        found = venv.site_packages(self.project.venv)
        if found is None:
            msg = f"{self.project.venv} is damaged: it does not say which Python it has"
            raise ToolError(msg, hint="Remove that folder, and run `pypackpack sync`.")
        return found

    def lock_text(self) -> str | None:
        """Return the project's lock, or None when there is none that can be read."""
        path = self.project.root / LOCK
        if not path.is_file():
            return None
        text = filesystem.read_bytes(path).decode(errors="replace").replace("\r\n", "\n")
        if works.lock_is_sound(text):
            return text
        if not self._said_damaged:
            self.watcher.note(f"{path} is damaged; it is made anew")
        self._said_damaged = True
        return None

    def _made_from(self) -> str:
        """Return the digest of everything that ``.venv`` is made from."""
        root = self.project.root
        files = [root / FILE, root / LOCK, root / "uv.toml", self.project.venv / venv.CONFIGURATION]
        digests = [filesystem.sha256_bytes(filesystem.read_bytes(path)) if path.is_file() else "" for path in files]
        packages = [package.root / FILE for package in self.project.packages]
        digests += [content_digest(path) if path.is_file() else "" for path in packages]
        return filesystem.sha256_bytes(json.dumps([_REVISION, uv.version(), str(self.project.root), *digests]))

    def _stamp(self) -> _Stamp | None:
        try:
            data = json.loads((self.project.venv / STAMP).read_bytes())
            return _Stamp(str(data["made_from"]), str(data["listing"]))
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def up_to_date(self) -> bool:
        """Tell whether ``.venv`` is what it was made to be and nothing has changed since; no outside tool is asked."""
        if not venv.works(self.project.venv):
            return False
        stamp = self._stamp()
        if stamp is None or stamp.made_from != self._made_from() or stamp.listing != listing(self.site):
            return False
        from pypackpack.middleware.environment.development_editable import all_current  # noqa: PLC0415 - import cost

        return all_current(self.project, self.site)

    def why_not(self) -> str:
        """Return what is different where `up_to_date` says no although there are an environment and a lock."""
        stamp = self._stamp()
        if stamp is None:
            return "the last sync of .venv was interrupted, or was one with options for that time only"
        if stamp.made_from != self._made_from():
            return f"{FILE} of the project or of a package, {LOCK}, uv.toml or uv has changed since the last sync"
        if stamp.listing != listing(self.site):
            return "something in .venv was changed since the last sync"
        return "a package of the project is not in .venv as its sources are now"

    # The work --------------------------------------------------------------------------------------------------------------

    def ensure(self, *, offline: bool = False) -> None:
        """Make ``.venv`` if it is not there or does not start.

        Raises:
            PyPackPackError: The Python for it cannot be had.
        """
        place = self.project.venv
        if venv.works(place):
            return
        self.recover()
        if venv.works(place):
            return
        damaged_one = os.path.lexists(place)
        if damaged_one and not place.is_dir():
            msg = f"{place} is {'a link to what is not there' if place.is_symlink() else 'no folder'}"
            raise UsageError(msg, hint="Move it away, and run the same command again.")
        if damaged_one and not venv.is_venv(place) and any(place.iterdir()):
            msg = f"{place} is there and is no virtual environment"
            raise UsageError(msg, hint="Move it away, and run the same command again.")
        if damaged_one:
            self.watcher.note(".venv does not start any more; it is made anew")
        python = self.interpreter(offline=offline)
        self.make_venv(python, clear=damaged_one)

    def interpreter(self, *, offline: bool) -> Interpreter:
        """Return the Python that ``.venv`` is made with, fetched if need be.

        Raises:
            PyPackPackError: It cannot be had.
        """
        from pypackpack.middleware.python import choose  # noqa: PLC0415 - import cost

        wanted = choose.pinned_version(self.project.root) or self.project.requires_python or choose.SUPPORTED
        return choose.accepted(uv.find_python(wanted, offline=offline, watcher=self.watcher))

    def recover(self) -> None:
        """Put the environment back that a ``python use`` had set aside when it was killed."""
        place, aside = self.project.venv, self.project.root / ASIDE
        if not venv.is_venv(aside):
            return
        if venv.works(place):
            filesystem.remove_tree(aside)
            return
        filesystem.remove_tree(place)
        with filesystem.explained("rename", aside):
            aside.rename(place)
        self.watcher.note("the .venv that an interrupted `python use` had set aside is back")

    def make_venv(self, python: Interpreter, *, clear: bool = False) -> None:
        """Make ``.venv`` of a Python."""
        uv.make_venv(self.project.venv, python.executable, prompt=self.project.name, clear=clear)

    def lay_out(self, work: WorkProject, lock: str | None = None) -> None:
        """Write what uv works on; with the project's own lock unless another one is given."""
        text = self.lock_text() if lock is None else lock
        works.write_work_project(self.folder, work, text)
        own = self.project.root / "uv.toml"
        if own.is_file():  # uv reads the one that is nearest, and this is where it works
            filesystem.fill_file(self.folder / "uv.toml", works.settings_text(read_toml(own), self.project.root).encode())
        self.made = work

    def tidy(self) -> None:
        """Take away what uv worked on; it may have what a person wrote into pyproject.toml only for their own eyes."""
        with contextlib.suppress(PyPackPackError):
            filesystem.remove_tree(self.folder)

    def uv(self, what: str, words: Sequence[str | Path], *, offline: bool = False) -> Said:
        """Run a uv command on what was laid out.

        Raises:
            PyPackPackError: It failed; uv's words are in ``details``.
        """
        command, *rest = words
        fixed: list[str | Path] = ["--project", self.folder, "--python", self.python]
        fixed += ["--no-python-downloads", *(["--offline"] if offline else [])]
        changes = {"UV_PROJECT_ENVIRONMENT": str(self.place), "UV_DEV": None, "UV_NO_DEV": None}
        try:
            done = uv.run([command, *fixed, *rest], f"`{what}` of {self.project.name}", changes=changes)
        except ToolError as error:
            error.details = self._as_here(error.details)
            raise explained(error, self.project.name, offline=offline) from error
        return Said(self._as_here(done.stdout), self._as_here(done.stderr))

    def _as_here(self, text: str) -> str:
        """Return uv's words with the person's files in the place of those that it worked on."""
        inside = os.path.join(self.project.venv.name, works.FOLDER, "")  # noqa: PTH118 - uv shows paths as text
        text = text.replace(os.fspath(self.folder), os.fspath(self.project.root)).replace(inside, "")
        return text.replace("uv.lock", LOCK)

    def locked(self) -> str:
        """Return the lock that uv has made, in the project's form."""
        return works.lock_outward(filesystem.read_bytes(self.folder / "uv.lock").decode(), self.made)

    def install(self, options: Sequence[str], work: WorkProject, *, offline: bool, frozen: bool = False) -> Said:
        """Let uv make ``.venv`` what the lock says, and put the project's packages back into it."""
        broken = damaged(self.site)
        words = ["sync", *(["--frozen"] if frozen else []), *(f"--group={name}" for name in work.groups)]
        words += [f"--reinstall-package={name}" for name in broken]
        if broken:
            self.watcher.note(f"damaged in .venv{'' if only_said(options) else ', and installed again'}: {', '.join(broken)}")
        if not only_said(options):
            filesystem.remove_tree(self.project.venv / STAMP)  # from here on it may be anything, until it is complete again
        said = None
        if offline and not only_said(options):
            said = self._from_vendor(work.groups, options, reinstall=broken, frozen=frozen)
        if said is None:
            said = self.uv("sync", [*words, *options], offline=offline)
        if not only_said(options):
            self.place_packages()
        return said

    def _from_vendor(
        self, groups: Sequence[str], options: Sequence[str], *, reinstall: Sequence[str], frozen: bool
    ) -> Said | None:
        """Do it with the project's vendored wheels, or return None where it has none."""
        from pypackpack.middleware.environment import development_vendored as vendored  # noqa: PLC0415 - import cost

        if not vendored.usable(self.project):
            return None
        return vendored.install(self, groups, options, reinstall=reinstall, frozen=frozen)

    def place_packages(self) -> None:
        """Let ``.venv`` import every package of the project straight from its sources."""
        from pypackpack.middleware.environment.development_editable import place_packages  # noqa: PLC0415 - import cost

        place_packages(self.project, self.site)

    def build_extensions(self, *, offline: bool) -> None:
        """Build the packages' own native sources for ``.venv``; what is wrong with them leaves everything else in it right.

        Raises:
            SourceError: A source has errors.
            PyPackPackError: Something that is needed cannot be had.
        """
        from pypackpack.middleware.environment.development_editable import build_extensions  # noqa: PLC0415 - import cost

        build_extensions(self.project, self.python, offline=offline, watcher=self.watcher)

    def only_packages(self) -> DevelopmentSync:
        """Let ``.venv`` have the project's packages as they are now, and leave everything else in it alone."""
        from pypackpack.middleware.environment.development_editable import remove_gone  # noqa: PLC0415 - import cost

        before = self.standing()
        remove_gone(self.project, self.site)
        self.place_packages()
        self.build_extensions(offline=True)
        return self.result(before)

    def sync(self, options: tuple[str, ...] = (), *, offline: bool = False) -> DevelopmentSync:
        """Make ``.venv`` what the settings and the lock say."""
        from pypackpack.middleware.environment import development_plan as plans  # noqa: PLC0415 - the two know each other

        use, other = (plans.lock_use(options), plans.changes_the_rest(options)) if options else (LockUse.UPDATE, False)
        plans.check_lock(self.project.root / LOCK, use)
        if not other and self.up_to_date():
            return replace(self.result(self.standing()), unchanged=True)
        if only_said(options):
            return plans.plan(self, options, offline=offline)
        self.ensure(offline=offline)
        work = works.work_project(self.project)
        before = self.standing()
        old = self.lock_text()
        self.lay_out(work)
        if use is LockUse.FROZEN:
            work = replace(work, groups=plans.locked_groups(work.groups, old or ""))
            options = tuple(word for word in options if word != "--frozen")  # said below
        stamp = self._stamp()
        try:
            with plans.said_in_our_words(LOCK):
                self.install(options, work, offline=offline, frozen=use is LockUse.FROZEN)
        except OutOfSyncError:  # nothing was installed
            if stamp is not None:
                self._write(stamp)
            raise
        new = self.locked() if use is LockUse.UPDATE else old
        if new is not None and new != old:
            filesystem.write_atomic(self.project.root / LOCK, new)
        if not other and use is not LockUse.FROZEN:  # what was asked for just this once is not what the next sync makes
            self.write_stamp()
        self.build_extensions(offline=offline)
        return replace(self.result(before), locked=new != old)

    def write_stamp(self) -> None:
        """Note that ``.venv`` is complete."""
        self._write(_Stamp(self._made_from(), listing(self.site)))

    def _write(self, stamp: _Stamp) -> None:
        filesystem.write_atomic(self.project.venv / STAMP, json.dumps(asdict(stamp), indent=1))

    def standing(self) -> Standing:
        """Return what stands in ``.venv`` now."""
        from pypackpack.middleware.environment.development_editable import standing  # noqa: PLC0415 - import cost

        return standing(self.project, self.site)

    def result(self, before: Standing) -> DevelopmentSync:
        """Return what is there now, compared with what was there before."""
        now = self.standing()
        local = {normalise(package.name) for package in self.project.packages}
        names = {name for name, _ in now.distributions}
        editable = tuple(package.name for package in self.project.packages if normalise(package.name) in names)
        outside = [entry for entry in now.distributions if entry[0] not in local]
        return DevelopmentSync(
            folder=self.project.venv,
            python=venv.version(self.project.venv) or (0, 0, 0),
            installed=tuple(outside),
            added=tuple(entry for entry in outside if entry not in before.distributions),
            removed=tuple(entry for entry in before.distributions if entry not in now.distributions),
            editable=editable,
            renewed=tuple(name for name in editable if name not in before.current),
            new_commands=tuple(sorted(now.commands - before.commands)),
            gone_commands=tuple(sorted(before.commands - now.commands)),
        )


@dataclass(frozen=True)
class Said:
    """What uv said."""

    stdout: str
    stderr: str

    @property
    def out(self) -> str:
        """Its result."""
        return masked(self.stdout)

    @property
    def err(self) -> str:
        """What it told the person meanwhile."""
        return masked(self.stderr)


def only_said(options: Sequence[str]) -> bool:
    """Tell whether uv is only to say what it would do."""
    return known.has(options, "sync", _ONLY_SAID)


def explained(error: ToolError, name: str, *, offline: bool = False) -> PyPackPackError:
    """Return the error that a person should see instead of uv's."""
    from pypackpack.middleware.dependency import explain  # noqa: PLC0415 - import cost
    from pypackpack.middleware.environment.lock import Needs  # noqa: PLC0415 - import cost

    found = explain.explained(error, Needs(name, (), {}, (), "", {}), offline=offline)
    if type(found) is ToolError:
        return ToolError(error.message, hint="uv's words say why; nothing was changed.", details=found.details)
    found.message = found.message.replace(" on any platform", "").replace(" (any platform)", "")
    return found
