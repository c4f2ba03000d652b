"""Hears of changes on disk, by what the system tells (inotify, FSEvents, ReadDirectoryChangesW) or by looking again and again.

Paths are strings here, as watchfiles tells them; this is the one place that knows it. Network file systems and some shared
folders of virtual machines tell nothing: there ``WATCHFILES_FORCE_POLLING=1`` makes it look instead (:mod:`.polling`).
"""

from __future__ import annotations

import os
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pypackpack.backend import polling
from pypackpack.model.errors import FilesystemError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

STEP_MILLISECONDS = 50
"""Changes that follow each other faster than this are told together."""
BURST_MILLISECONDS = 1_600
"""But no change waits longer than this to be told."""
QUIET_SECONDS = 0.1
"""Nothing has changed for so long: whoever writes is done."""
LOOK_UP_SECONDS = 0.2
"""How often a waiting thread looks up: on Windows a wait without end cannot be interrupted by Ctrl-C."""
_POLLING = "Set WATCHFILES_FORCE_POLLING=1: then folders are looked at again and again instead."


@dataclass(frozen=True)
class Place:
    """A folder to watch.

    Attributes:
        folder: Its path.
        deep: Whether everything below it matters; otherwise only what lies in it directly.
    """

    folder: str
    deep: bool


class Sight(Protocol):
    """What is to be watched."""

    @property
    def places(self) -> Sequence[Place]:
        """The folders; what is not there, or no folder, is not watched."""

    def matters(self, path: str) -> bool:
        """Tell whether a change of a path matters; called from other threads."""


class Eyes:
    """Watches what it is told to, until it is closed."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._seen: dict[str, set[str]] = {}
        self._last = 0.0
        self._error: Exception | None = None
        self._watched: tuple[tuple[Place, object], ...] = ()
        self._stale = False
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []

    def look(self, sight: Sight) -> bool:
        """Watch this from now on; when it returns, no change goes by unheard.

        Returns:
            Whether anything of it was not watched before, so that changes in it may have gone by.

        Raises:
            FilesystemError: The system watches no more folders, or a folder cannot be watched.
        """
        there = tuple((place, state) for place in sight.places if (state := _identity(place.folder)) is not None)
        with self._changed:
            if there == self._watched and not self._stale:
                return False
            self._stale, self._error = False, None
        threads, closing = self._threads, self._closing
        self._threads, self._closing = [], threading.Event()
        try:
            for deep in (True, False):
                folders = sorted({place.folder for place, _ in there if place.deep is deep})
                if folders:
                    self._start(folders, sight, deep=deep)
        finally:
            _end(threads, closing)
        self._watched = there
        return True

    def _start(self, folders: list[str], sight: Sight, *, deep: bool) -> None:
        bell = _Bell(self._closing)
        heart = frozenset(folders)

        def wanted(kind: str, path: str) -> bool:
            # That something in a folder came or went is told besides.
            return sight.matters(path) and not (kind == polling.MODIFIED and os.path.isdir(path))

        def listen() -> None:
            try:
                for changes in _changes(folders, deep=deep, wanted=wanted, stop=bell):
                    self._note(changes, heart)
            except Exception as error:  # noqa: BLE001 - told by whoever waits; watchfiles has errors of several families
                with self._changed:
                    self._error = error
                    self._changed.notify_all()
            finally:
                bell.heard.set()

        thread = threading.Thread(target=listen, name=f"watching-{len(self._threads)}", daemon=True)
        thread.start()
        self._threads.append(thread)
        while not bell.heard.wait(LOOK_UP_SECONDS):
            pass
        self._check()

    def _note(self, changes: Iterable[tuple[str, str]], heart: frozenset[str]) -> None:
        with self._changed:
            for kind, path in changes:
                self._seen.setdefault(path, set()).add(kind)
                # inotify forgets a folder that was removed, and its number may be given to the one that takes its place.
                self._stale = self._stale or (sys.platform == "linux" and path in heart)
            self._last = time.monotonic()
            self._changed.notify_all()

    def _check(self) -> None:
        if self._error is not None:
            msg = f"cannot watch for changes: {self._error}"
            raise FilesystemError(msg, hint=_POLLING) from self._error

    def pending(self) -> frozenset[str]:
        """Return the paths that changed since they were last taken; they are not taken by this."""
        with self._changed:
            return frozenset(self._seen)

    def take(self, seconds: float | None = None) -> dict[str, bool]:
        """Wait until something has changed, and until nothing does for a moment.

        Args:
            seconds: Wait no longer than this for the first change; None waits for ever.

        Returns:
            Each path that changed, and whether it is there to stay: editors write files that come and go.

        Raises:
            FilesystemError: The watching has ended.
        """
        end = None if seconds is None else time.monotonic() + seconds
        with self._changed:
            while not self._seen:
                self._check()
                left = LOOK_UP_SECONDS if end is None else min(LOOK_UP_SECONDS, end - time.monotonic())
                if left <= 0:
                    return {}
                self._changed.wait(left)
            patience = time.monotonic() + BURST_MILLISECONDS / 1000
            while (left := min(self._last + QUIET_SECONDS, patience) - time.monotonic()) > 0:
                self._changed.wait(left)
            seen, self._seen = self._seen, {}
        return {path: "added" not in kinds or os.path.lexists(path) for path, kinds in seen.items()}

    def close(self) -> None:
        """Stop watching."""
        _end(self._threads, self._closing)


def _end(threads: Iterable[threading.Thread], closing: threading.Event) -> None:
    closing.set()
    for thread in threads:
        thread.join(timeout=2)


def _identity(folder: str) -> tuple[int, ...] | None:
    """Return what tells a folder from another one that takes its place; None when there is none."""
    try:
        state = os.stat(folder)
    except OSError:
        return None
    born = getattr(state, "st_birthtime", 0)
    return (state.st_dev, state.st_ino, int(born * 1e6)) if os.path.isdir(folder) else None


def _changes(
    folders: list[str], *, deep: bool, wanted: Callable[[str, str], bool], stop: _Bell
) -> Iterator[Iterable[tuple[str, str]]]:
    """Yield kinds and paths of changes, as they are told or seen."""
    if polling.is_wanted():
        yield from polling.poll(folders, deep=deep, wanted=wanted, stop=stop)
        return
    from watchfiles import watch  # noqa: PLC0415 - only here, and only when something is watched

    for told in watch(
        *folders,
        watch_filter=lambda kind, path: wanted(kind.name, path),
        debounce=BURST_MILLISECONDS,
        step=STEP_MILLISECONDS,
        stop_event=stop,
        raise_interrupt=False,
        recursive=deep,
        force_polling=False,
        ignore_permission_denied=True,
    ):
        yield [(kind.name, path) for kind, path in told]


class _Bell:
    """What watchfiles asks whether to stop, again and again, once it watches: the first time tells that it does."""

    def __init__(self, closing: threading.Event) -> None:
        self._closing = closing
        self.heard = threading.Event()

    def is_set(self) -> bool:
        self.heard.set()
        return self._closing.is_set()

    def wait(self, timeout: float) -> bool:
        return self._closing.wait(timeout)


def links_below(folder: str) -> Iterator[str]:
    """Yield where the links in a folder of sources, and those in folders that they lead to, lead: paths without links.

    Links that lead nowhere, or to what is not readable, are left out: whoever builds says what is wrong with them.
    """
    waiting, known = [folder], {os.path.realpath(folder)}
    while waiting:
        here = waiting.pop()
        try:
            with os.scandir(here) as found:
                entries = list(found)
        except OSError:
            continue
        for entry in entries:
            real = entry.path
            if _is_link(entry.path):
                real = os.path.realpath(entry.path)
                if not os.path.exists(real):
                    continue
                yield real
            if os.path.isdir(real) and real not in known and entry.name != "__pycache__":
                known.add(real)
                waiting.append(real)


def _is_link(path: str) -> bool:
    return os.path.islink(path) or (sys.version_info >= (3, 12) and os.path.isjunction(path))
