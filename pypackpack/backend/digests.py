"""Digests of source files, remembered as long as nothing about the files changes."""

from __future__ import annotations

import contextlib
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.backend.store import sealed, unsealed
from pypackpack.model.errors import ConflictError, FilesystemError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

VERSION = "digests-v2"
RACY_NANOSECONDS = 2_000_000_000
"""A file changed more recently than this is hashed again: within the clock's resolution a second change would not show."""
READINGS = 5
"""So many times a file is read that changes while it is."""


class FileDigests:
    """Digests of source files, remembered by path, size, times and inode.

    One JSON file per project in the user's cache; losing it costs time, never a wrong result. What cannot be told apart by
    these marks is not remembered: a file that changed within the clock's resolution, or has a time that is still to come; and
    nothing is believed that was remembered at a time that is still to come, for then the clock was set back.
    """

    def __init__(self, cache: Path, project: Path, *, clock: Callable[[], int] = time.time_ns) -> None:
        """Read what is remembered of a project.

        Args:
            cache: The user's cache folder.
            project: The project's folder.
            clock: Tells the time in nanoseconds since 1970.
        """
        self._place = cache / VERSION / f"{filesystem.sha256_bytes(os.fspath(project))[:32]}.json"
        self._clock = clock
        self._known: dict[str, list[int | str]] = {}
        self._planned: dict[str, tuple[str, int]] = {}
        self._changed = False
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            loaded = json.loads(unsealed(self._place.read_bytes(), VERSION))
            if int(loaded["written"]) <= clock() and isinstance(loaded["files"], dict):
                self._known = loaded["files"]

    def digest(self, path: str | os.PathLike[str]) -> str:
        """Return the SHA-256 of a file's content, without reading it when nothing about it changed.

        Raises:
            FilesystemError: It cannot be read.
            ConflictError: It changes again and again while it is read.
        """
        name = os.fspath(path)
        with filesystem.explained("read", Path(name)):
            mark = _mark(name)
        known = self._known.get(name)
        if known is not None and known[:-1] == mark:
            return str(known[-1])
        for _ in range(READINGS):
            digest = filesystem.sha256_file(Path(name))
            before = mark
            with filesystem.explained("read", Path(name)):
                mark = _mark(name)
            if mark == before:
                break
        else:
            msg = f"{name} changes while it is read"
            raise ConflictError(msg, hint="Run the same command again when whoever writes it is done.")
        self._changed = self._known.pop(name, None) is not None or self._changed
        if self._clock() - max(mark[1], mark[2]) > RACY_NANOSECONDS:
            self._known[name] = [*mark, digest]
            self._changed = True
        return digest

    def planned(self, path: str | os.PathLike[str]) -> tuple[str, int]:
        """Return the SHA-256 and the size of a source as they were when this was first asked: what a build goes by to its end.

        Raises:
            FilesystemError: It cannot be read.
            ConflictError: It changes again and again while it is read.
        """
        name = os.fspath(path)
        found = self._planned.get(name)
        if found is None:
            digest = self.digest(name)
            with filesystem.explained("read", Path(name)):
                found = self._planned[name] = (digest, os.path.getsize(name))  # noqa: PTH202 - hot path
        return found

    def changed(self, among: Iterable[Path] | None = None) -> str | None:
        """Return a source that is not any more what it was when it was planned, or None.

        Args:
            among: Planned ones to look at; None looks at all of them.
        """
        for name in self._planned if among is None else [os.fspath(path) for path in among]:
            digest = self._planned[name][0]
            try:
                now = self.digest(name)
            except (FilesystemError, ConflictError):
                return name
            if now != digest:
                return name
        return None

    def save(self) -> None:
        """Write what was learnt; a cache, so that an unwritable one is no error."""
        if self._changed:
            with contextlib.suppress(Exception):
                body = json.dumps({"written": self._clock(), "files": self._known}).encode()
                filesystem.write_atomic(self._place, sealed(body, VERSION), durable=False)


def _mark(name: str) -> list[int]:
    """Return what tells a file apart from what it was: size, times of its content and of its entry, and inode.

    On Windows the time of the entry is that of its creation: there, only the time of the content tells of a change.
    """
    facts = os.stat(name)  # noqa: PTH116 - hot path
    return [facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino]
