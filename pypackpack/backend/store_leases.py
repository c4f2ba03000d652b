"""Who is using a store: so that nothing is taken away from a build, and what a killed one left behind can be told apart.

``store-v2/leases/<name>`` is a file that a build holds locked as long as it lives; the system ends the lock with the process,
however that ends. A file that nobody holds is what a killed build left. ``store-v2/gate`` is held for a moment by whoever
begins, and for all of its work by whoever takes things away: a build that begins meanwhile waits.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.backend.store import FRESH_SECONDS, VERSION
from pypackpack.model.errors import FilesystemError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LEASES = "leases"
GATE = "gate"
PATIENCE_SECONDS = 1.0
"""Builds that begin at one moment wait for each other too, but nobody notices."""
_NAME = re.compile(r"\d+-[0-9a-f]{12}")
_OWN = ("tmp", VERSION, *(f"{VERSION}/{name}" for name in ("cas", "ac", "signed", "tmp", LEASES)))
"""Folders of a cache in which we remove whatever has a name of ours."""


def check_no_links(cache: Path) -> None:
    """Look that what is removed from a cache folder is removed there, and not where a link leads.

    The cache folder itself may be a link, and so may what is in it beside these folders.

    Raises:
        FilesystemError: One of the folders that are swept is a link.
    """
    for name in _OWN:
        if filesystem.is_link(cache / name):
            msg = f"{cache / name} is a link; pypackpack removes files in its cache, and removes none through a link"
            raise FilesystemError(msg, hint="Remove the link; PYPACKPACK_CACHE_DIR moves the whole cache.")


@dataclass(frozen=True)
class Lease:
    """One build that is using the store.

    Attributes:
        name: Unique; what it keeps in shared folders begins with it.
        start: When it began, by the clock of the disk that the store lies on (seconds since 1970).
        who: What it says of itself.
    """

    name: str
    start: float
    who: str


@dataclass(frozen=True)
class Held:
    """Our own lease.

    Attributes:
        name: As above.
        others_died: Whether a build was killed since somebody last looked.
    """

    name: str
    others_died: bool


@contextlib.contextmanager
def lease(root: Path, who: str, waiting: Callable[[], None] | None = None) -> Iterator[Held]:
    """Hold a lease of the store at ``root``.

    Args:
        root: The store's folder.
        who: What to say to those who ask.
        waiting: Called once when somebody is taking things away and we wait for that.

    Raises:
        FilesystemError: The folder cannot be written.
    """
    with contextlib.ExitStack() as stack:
        with gate(root, waiting=waiting):
            died = _bury(root)
            place = filesystem.unused_name(root / LEASES, f"{os.getpid()}-")
            stack.callback(_remove, place)  # once more when the lock has ended: Windows removes nothing that is open
            stack.enter_context(filesystem.lock(place))
            stack.callback(_remove, place)
            with contextlib.suppress(OSError), place.open("r+b") as stream:
                stream.seek(1)  # on Windows nobody can read the byte that is locked
                stream.write(json.dumps(who).encode())
        yield Held(place.name, died)


@contextlib.contextmanager
def gate(root: Path, *, waiting: Callable[[], None] | None = None, wait: bool = True) -> Iterator[None]:
    """Keep builds from beginning.

    Raises:
        ConflictError: Somebody else does, and ``wait`` is False.
    """
    with filesystem.lock(root / GATE, wait=wait, waiting=waiting, patience=PATIENCE_SECONDS):
        yield


def leases(root: Path) -> list[Lease]:
    """Return who is using the store now, the oldest first."""
    found = []
    for place in _files(root):
        with contextlib.suppress(OSError, FilesystemError):
            if filesystem.is_held(place):
                found.append(Lease(place.name, place.stat().st_mtime, _said(place)))
    return sorted(found, key=lambda each: each.start)


def spared_since(alive: list[Lease]) -> float:
    """Return the time from which on whatever was used is spared; with nobody alive nothing is.

    A build may have found an entry when it began, and an entry says only to the hour when it was used.
    """
    return min((each.start for each in alive), default=float("inf")) - FRESH_SECONDS - PATIENCE_SECONDS


def _bury(root: Path) -> bool:
    """Remove the leases of killed builds, and tell whether there were any; the gate is ours."""
    died = False
    for place in _files(root):
        with contextlib.suppress(OSError, FilesystemError):
            if not filesystem.is_held(place):
                died = True
                # Before the lease: should we be killed here, the next one finds it again.
                (root / "size.json").unlink(missing_ok=True)
                place.unlink()
    return died


def _files(root: Path) -> list[Path]:
    if filesystem.is_link(root) or filesystem.is_link(root / LEASES):
        return []
    try:
        with os.scandir(root / LEASES) as entries:
            return [Path(each.path) for each in entries if _NAME.fullmatch(each.name) and each.is_file(follow_symlinks=False)]
    except FileNotFoundError:
        return []


def _said(place: Path) -> str:
    try:
        with place.open("rb", buffering=0) as stream:
            stream.seek(1)
            return str(json.loads(stream.read()))
    except (OSError, ValueError):
        return f"process {place.name.partition('-')[0]}"


def _remove(place: Path) -> None:
    with contextlib.suppress(OSError):
        place.unlink()
