"""Sees changes on disks that tell nothing, by looking again and again: network file systems, shared folders, WSL's ``/mnt``.

watchfiles can do that too, but compares times of change by the second, and only whether they grew: what is saved twice within
a second, or put back with its old time, goes by unseen there. Here a file is another one when its time of change in
nanoseconds, its size or its number on the disk differs.

Its two variables are taken as they are, since people know them: ``WATCHFILES_FORCE_POLLING`` and ``WATCHFILES_POLL_DELAY_MS``.
"""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ADDED, MODIFIED, DELETED = "added", "modified", "deleted"
"""What is said of a path, in watchfiles' words."""
DELAY_MILLISECONDS = 300
"""From one look to the next, unless the variable says otherwise."""
_OFF = frozenset({"false", "disable", "disabled"})
_FOLDER = (0, 0, 0)
"""The state of every folder: what comes and goes in it is told by itself."""

_State = tuple[int, int, int]


class Stop(Protocol):
    """What ends the looking; ``threading.Event`` is one."""

    def is_set(self) -> bool:
        """Tell whether to end; asked for the first time once changes are seen."""

    def wait(self, timeout: float) -> bool:
        """Wait so many seconds, or until it is time to end; return whether it is."""


def is_wanted() -> bool:
    """Tell whether to look instead of listening: where the variable says so, and, as watchfiles does, on WSL."""
    said = os.environ.get("WATCHFILES_FORCE_POLLING", "")
    if said:
        return said.lower() not in _OFF
    return sys.platform == "linux" and "microsoft-standard" in os.uname().release.lower()


def _delay() -> float:
    said = os.environ.get("WATCHFILES_POLL_DELAY_MS", "")
    return (int(said) if said.isdecimal() else DELAY_MILLISECONDS) / 1000


def poll(
    folders: Iterable[str], *, deep: bool, wanted: Callable[[str, str], bool], stop: Stop
) -> Iterator[frozenset[tuple[str, str]]]:
    """Yield what changed between one look at folders and the next, whenever something did.

    Args:
        folders: Their paths; the folders themselves are looked at as well.
        deep: Whether to look at everything below them, or only at what lies in them directly. Links are not followed.
        wanted: Tells of a kind of change (:data:`ADDED`, :data:`MODIFIED`, :data:`DELETED`) and a path whether to yield it.
        stop: When to end. It is asked for the first time after the first look: no change after that goes by unseen.
    """
    roots, delay = tuple(folders), _delay()
    before = _look(roots, deep=deep)
    while not stop.is_set():
        if stop.wait(delay):
            return
        after = _look(roots, deep=deep)
        changes = {
            *((ADDED, path) for path in after.keys() - before.keys()),
            *((DELETED, path) for path in before.keys() - after.keys()),
            *((MODIFIED, path) for path, state in after.items() if before.get(path, state) != state),
        }
        before = after
        if found := frozenset(each for each in changes if wanted(*each)):
            yield found


def _look(roots: Iterable[str], *, deep: bool) -> dict[str, _State]:
    found: dict[str, _State] = {}
    waiting = [root for root in roots if _note(root, found)]
    while waiting:
        here = waiting.pop()
        try:
            with os.scandir(here) as entries:
                paths = [entry.path for entry in entries]
        except OSError:  # it went meanwhile, or may not be read: whoever builds says so
            continue
        waiting.extend(path for path in paths if _note(path, found) and deep)
    return found


def _note(path: str, found: dict[str, _State]) -> bool:
    """Note a path's state, where there is one; return whether it is a folder that was not seen yet."""
    if path in found:
        return False
    try:
        state = os.lstat(path)
    except OSError:
        return False
    folder = stat.S_ISDIR(state.st_mode)
    found[path] = _FOLDER if folder else (state.st_mtime_ns, state.st_size, state.st_ino)
    return folder
