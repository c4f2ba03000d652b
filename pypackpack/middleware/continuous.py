"""`pypackpack build … --continuous`: build, and build again whenever something changes that the build depends on.

What is watched is found out anew after every round, since a changed setting may bring another package in. A change during a
round halts it: what runs is finished and remembered, nothing else begins, and the next round plans anew. So only what the
change touches is done again.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, Protocol

from pypackpack.backend import filesystem
from pypackpack.backend.watching import Place, links_below
from pypackpack.middleware.build import HaltedError
from pypackpack.middleware.bundle.licenses import DEFAULT_PATTERNS
from pypackpack.middleware.bundle.metadata import metadata_sources
from pypackpack.middleware.compile.layers import NOT_SHIPPED
from pypackpack.middleware.package.order import in_order
from pypackpack.middleware.project.read import FILE, find_root, load_project
from pypackpack.middleware.python.choose import VERSION_FILE
from pypackpack.model.errors import ConflictError, PyPackPackError, SettingsError, WorkError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pypackpack.backend.watching import Sight
    from pypackpack.model.build import BuildRequest, BuildResult

LOCK = "pyproject.lock"
TESTS = "test"
CONFLICT_SECONDS = 2.0
"""So long a round that met a file which changed under its hands waits to hear of the change, before it begins again."""
CONFLICTS = 5
"""So many rounds in a row may meet one before it is told as an error."""


class Eyes(Protocol):
    """Who hears of changes: `pypackpack.backend.watching.Eyes`, or a list in a test."""

    def look(self, sight: Sight) -> bool:
        """Watch this from now on; tells whether changes may have gone by that nobody heard of."""

    def pending(self) -> frozenset[str]:
        """Return what changed since it was last taken."""

    def take(self, seconds: float | None = None) -> Mapping[str, bool]:
        """Wait for changes; return each path that changed, and whether it is there to stay."""


class Work(Protocol):
    """Whoever builds once."""

    def __call__(self, halted: Callable[[], bool], begun: Round) -> BuildResult:
        """Build; ``halted`` tells whether to begin nothing more."""


@dataclass(frozen=True)
class Round:
    """One time that it was built.

    Attributes:
        number: 1, 2, 3 …
        changed: Why: paths from the project's folder on, with ``/``; empty the first time.
        seconds: How long it took.
        result: What was built; None when it failed, or was halted because more changed meanwhile.
        error: Why it failed.
    """

    number: int
    changed: tuple[str, ...]
    seconds: float
    result: BuildResult | None = None
    error: PyPackPackError | None = None

    @property
    def halted(self) -> bool:
        """Whether it came to no end: the next one has the same number."""
        return self.result is None and self.error is None

    @property
    def did_nothing(self) -> bool:
        """Whether everything was as it was."""
        return self.result is not None and not self.result.tasks_run and all(made.cached for made in self.result.artifacts)


@dataclass(frozen=True)
class View:
    """What a build depends on, as far as it lies in the project.

    Attributes:
        root: The project's folder; where there is none that can be read, the folder that the call stands in.
        deep: Folders of which everything matters but what editors and Python leave, and some names that lie in them directly.
        flat: Folders of which only the files that lie in them directly and have certain names matter.
        patterns: The names of these: what a package's metadata is made of.
        files: Files and folders that matter besides.
    """

    root: Path
    deep: Mapping[str, frozenset[str]] = field(default_factory=dict)
    flat: frozenset[str] = frozenset()
    patterns: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()

    @property
    def places(self) -> tuple[Place, ...]:
        """The folders to watch."""
        flat = {*self.flat, *(os.path.dirname(path) for path in self.files)} - set(self.deep)
        return (*(Place(path, deep=True) for path in sorted(self.deep)), *(Place(path, deep=False) for path in sorted(flat)))

    def matters(self, path: str) -> bool:
        """Tell whether a change of a path is a reason to build again."""
        if path in self.files or path in self.deep or path in self.flat:
            return True
        if any(_is_relevant(path[len(folder) + 1 :], skip) for folder, skip in self.deep.items() if _is_below(path, folder)):
            return True
        folder, _, name = path.rpartition(os.sep)
        return folder in self.flat and any(fnmatchcase(name, pattern) for pattern in self.patterns) and not os.path.isdir(path)

    def halts(self, path: str) -> bool:
        """Tell whether a change of a path is a reason to halt a build; a lock's is none, for builds write it themselves."""
        return not path.endswith(os.sep + LOCK)

    def told(self, changes: Mapping[str, bool]) -> tuple[str, ...]:
        """Return the changes that a person has made, as he reads them."""
        return tuple(sorted(self.shown(path) for path, stays in changes.items() if stays and self.halts(path)))

    def shown(self, path: str) -> str:
        """Return a path as a person reads it."""
        try:
            return os.path.relpath(path, self.root).replace(os.sep, "/")
        except ValueError:  # another drive
            return path


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(folder + os.sep)


def _is_relevant(rest: str, skip: frozenset[str]) -> bool:
    names = rest.split(os.sep)
    if names[0] in skip or names[-1] in NOT_SHIPPED:
        return False
    return not any(name == "__pycache__" or filesystem.is_leftover(name) for name in names)


def view_of(request: BuildRequest) -> View:
    """Return what a build depends on; where the settings are broken, what must change for them to be right.

    Raises:
        PyPackPackError: There is no project.
    """
    try:
        root = find_root(request.start)
    except SettingsError:  # a broken pyproject.toml on the way to the project
        here = request.start.resolve()
        return View(
            here, files=frozenset(os.fspath(folder / FILE) for folder in (here, *here.parents) if (folder / FILE).is_file())
        )
    deep: dict[str, frozenset[str]] = {}
    flat = {os.fspath(root)}
    venv = os.fspath(root / ".venv")
    files = {os.path.join(root, VERSION_FILE), venv, os.path.join(venv, "pyvenv.cfg")}
    for folder, whole in _folders(root, request).items():
        if not whole:
            files.add(os.path.join(folder, FILE))
            continue
        flat.add(folder)
        source = os.path.join(folder, "src")
        deep[source] = frozenset({TESTS})
        if request.bundle.carries:
            files.add(os.path.join(folder, LOCK))
        for real in links_below(source):
            if os.path.isdir(real):
                deep.setdefault(real, frozenset())
            else:
                files.add(real)
    named, patterns = _metadata(root, request)
    for place in _path_dependencies(root, request):
        deep.setdefault(place, frozenset({"build", "dist", ".git", ".venv"}))
    return View(root, deep, frozenset(flat), patterns, frozenset(files | named))


def _metadata(root: Path, request: BuildRequest) -> tuple[set[str], frozenset[str]]:
    """Return the files that the metadata of the packages is made of, and the names that more of them would have."""
    files: set[str] = set()
    patterns = {FILE, *DEFAULT_PATTERNS}
    with contextlib.suppress(PyPackPackError):  # whoever builds says what is wrong
        project = load_project(root)
        package = project.package(request.package)
        for member in in_order(project, (package,)) if package is not None else ():
            found, named = metadata_sources(member, project)
            files.update(place for path in found for place in (os.fspath(path), os.path.realpath(path)))
            patterns.update(pattern for pattern in named if "/" not in pattern)
    return files, frozenset(patterns)


def _path_dependencies(root: Path, request: BuildRequest) -> list[str]:
    """Return the folders that dependencies of a binary come from as sources."""
    if not request.bundle.carries:
        return []
    from pypackpack.middleware.environment.path_sources import source_folders  # noqa: PLC0415 - keeps imports of the CLI light

    with contextlib.suppress(PyPackPackError):  # whoever builds says what is wrong
        project = load_project(root)
        package = project.package(request.package)
        if package is not None:
            return [os.fspath(folder) for folder in source_folders(project, package)]
    return []


def _folders(root: Path, request: BuildRequest) -> dict[str, bool]:
    """Return the folders of the packages that a build looks at, and of each whether at more than its settings."""
    try:
        project = load_project(root)
        package = project.package(request.package)
        if package is not None:
            members = in_order(project, (package,))
            binary = request.bundle.carries
            return {os.fspath(member.root): binary or member is package for member in members}
    except PyPackPackError:
        pass  # whoever builds says what is wrong; any package's settings may be
    return {os.fspath(folder): True for name in filesystem.folders_in(root) if ((folder := root / name) / FILE).is_file()}


def keep_building(
    request: BuildRequest,
    eyes: Eyes,
    work: Work,
    told: Callable[[Round], None],
    *,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Build for ever: the person ends it by an interrupt.

    Args:
        request: What to build.
        eyes: Who hears of changes.
        work: Builds once; gets a function that tells whether to begin nothing more, and what is known of the round already.
        told: Called at the end of each round that had something to do, and of each that was halted.
        clock: Tells the seconds.

    Raises:
        PyPackPackError: In the first round, where no change of a file would help: wrong words, or a missing tool.
        FilesystemError: The system does not let us watch.
    """
    view = view_of(request)
    eyes.look(view)
    changes: dict[str, bool] = {}
    number, conflicts = 1, 0
    last: tuple[str, str] | None = None
    while True:
        start = clock()
        begun = Round(number, view.told(changes), 0.0)
        result, error, more = _attempt(partial(work, begun=begun), view, eyes, first=number == 1, patient=conflicts < CONFLICTS)
        ended = replace(begun, seconds=clock() - start, result=result, error=error)
        if more is not None:
            conflicts += not more
            changes.update(more)
            told(ended)
            continue
        said = None if error is None else (error.message, error.details)
        if number == 1 or ended.changed or (said != last if error is not None else not ended.did_nothing):
            told(ended)
            number += 1
        changes, conflicts, last = {}, 0, said
        view = _view_again(request, view)
        if not eyes.look(view):
            changes.update(eyes.take())


def _attempt(
    work: Callable[[Callable[[], bool]], BuildResult], view: View, eyes: Eyes, *, first: bool, patient: bool
) -> tuple[BuildResult | None, PyPackPackError | None, Mapping[str, bool] | None]:
    """Build once; return what came of it, or, where sources changed meanwhile, what did: then it is to be done again."""

    def halted() -> bool:
        return any(view.halts(path) for path in eyes.pending())

    try:
        return work(halted), None, None
    except HaltedError:
        return None, None, eyes.take(0.0)
    except PyPackPackError as error:
        if first and not isinstance(error, (WorkError, SettingsError)):
            raise
        if halted():  # what is wrong was looked at while it changed
            return None, None, eyes.take(0.0)
        if patient and isinstance(error, ConflictError):  # so did this, and nobody has heard of it yet
            return None, None, eyes.take(CONFLICT_SECONDS)
        return None, error, None


def _view_again(request: BuildRequest, before: View) -> View:
    try:
        return view_of(request)
    except PyPackPackError:  # the project is away for a moment, or for good
        return before
