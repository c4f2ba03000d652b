"""Files of an installed package change places: all of them or none, whenever the process ends. Standard library only.

In a folder of its own beside the package, ``new/`` has what comes and ``old/`` what goes. From the moment that the file
``forward`` stands there, with the list of moves, the new version is what there will be; renamed to ``back``, the old one. Each
move can be repeated: what is still in ``new/`` has not been placed, what is in ``old/`` has been taken away.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pypackpack.client.paths import problem_with

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER: Final = ".pypackpack-patch-"
"""What names of folders begin with, in which packages are patched."""

_KEPT: Final = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT)
"""A folder is not empty, or was never made."""


@dataclass(frozen=True)
class Move:
    """A file that comes or goes.

    Attributes:
        path: Where it stands, below site-packages.
        new: The name in ``new/`` of what comes there; empty where nothing does.
        there: Whether something stood there before.
        old: The name in ``old/`` of that.
    """

    path: str
    new: str = ""
    there: bool = True
    old: str = ""


def stage_of(site: Path, name: str) -> Path:
    """Return the folder in which a distribution is patched."""
    return site / f"{FOLDER}{re.sub('[-_.]+', '-', name).lower()}"


def sync(files: Sequence[Path]) -> None:
    """Wait until files are on the disk."""
    try:
        with ThreadPoolExecutor(min(8, (os.cpu_count() or 1) + 1)) as pool:
            list(pool.map(_sync, files))
    except RuntimeError:  # no thread, as in browsers and where Python is about to end
        for path in files:
            _sync(path)


def _sync(path: Path) -> None:
    """Wait until a file is on the disk; a read-only one, which was linked and not written, is there already on Windows."""
    writing = os.O_RDWR if sys.platform == "win32" else os.O_RDONLY  # where the other one does, it may be read-only
    try:
        handle = os.open(path, writing | getattr(os, "O_BINARY", 0))
    except PermissionError:
        if sys.platform == "win32" and not os.access(path, os.W_OK):
            return
        raise
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Journal:
    """The moves of one patch.

    Args:
        stage: The folder beside the package.
        site: The site-packages folder.
    """

    def __init__(self, stage: Path, site: Path) -> None:
        self._stage = stage
        self._site = site

    @classmethod
    def finish(cls, stage: Path, site: Path) -> bool:
        """Go on where a killed process stopped; return whether there was anything.

        Raises:
            OSError: A file cannot be moved; what is left to do stays in the journal.
        """
        for name, run in (("back", cls._back), ("forward", cls._forward)):
            journal = stage / name
            if journal.is_file():
                self = cls(stage, site)
                run(self, _read(journal))
                self._end(name)
                return True
        return False

    @staticmethod
    def stands(stage: Path) -> bool:
        """Tell whether something is left to do."""
        return (stage / "back").exists() or (stage / "forward").exists()

    def run(self, moves: Sequence[Move]) -> None:
        """Move everything, or nothing.

        Raises:
            OSError: A file cannot be moved; all are back in their places.
        """
        journal, aside, kept = self._stage / "forward", self._stage / "forward.part", self._stage / "old"
        kept.mkdir(exist_ok=True)
        # On Windows, modules that are loaded lie there since an earlier patch, and are not what is to be put back.
        first = 1 + max((int(name) for name in os.listdir(kept) if name.isdecimal()), default=-1)  # noqa: PTH208 - names
        moves = [
            replace(each, there=os.path.lexists(self._site / each.path), old=str(number))
            for number, each in enumerate(moves, first)
        ]
        with aside.open("w", encoding="ascii") as file:
            json.dump([[each.path, each.new, each.there, each.old] for each in moves], file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(journal)
        _sync_folder(self._stage)
        try:
            self._forward(moves)
        except BaseException:
            journal.rename(self._stage / "back")  # takes no space: the disk may be full
            self._back(moves)
            self._end("back")
            raise
        self._end("forward")

    def _end(self, name: str) -> None:
        for folder in {each.parent for each in self._touched}:
            _sync_folder(folder)
        (self._stage / name).unlink()
        _sync_folder(self._stage)
        shutil.rmtree(self._stage, ignore_errors=True)  # on Windows, a module that is loaded stays until the next call

    def _forward(self, moves: Sequence[Move]) -> None:
        self._touched = [self._site / each.path for each in moves]
        for move in moves:
            place, old = self._site / move.path, self._stage / "old" / move.old
            new = self._stage / "new" / move.new if move.new else None
            if new is None:
                if os.path.lexists(place) and not os.path.lexists(old):
                    place.rename(old)
            elif os.path.lexists(new):
                if move.there and not os.path.lexists(old):
                    _keep(place, old)
                place.parent.mkdir(parents=True, exist_ok=True)
                new.replace(place)
        self._tidy(moves)

    def _back(self, moves: Sequence[Move]) -> None:
        self._touched = [self._site / each.path for each in moves]
        for move in reversed(moves):
            place, old = self._site / move.path, self._stage / "old" / move.old
            if move.there and os.path.lexists(old):
                place.parent.mkdir(parents=True, exist_ok=True)
                old.replace(place)
            elif not move.there and move.new and not os.path.lexists(self._stage / "new" / move.new):
                place.unlink(missing_ok=True)
        self._tidy(moves)

    def _tidy(self, moves: Sequence[Move]) -> None:
        """Remove folders that have become empty."""
        folders = {parent for each in moves for parent in Path(each.path).parents if parent.parts}
        for folder in sorted(folders, key=lambda each: len(each.parts), reverse=True):
            _remove_empty(self._site / folder)


def _remove_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError as error:
        if folder.suffix == ".dist-info" and error.errno not in _KEPT:  # an empty one would be taken for a package
            raise


def _keep(place: Path, old: Path) -> None:
    """Keep what stands at a place; it goes on standing there where the file system can."""
    if not os.path.lexists(place):
        return
    if os.name != "nt":  # there, a module that is loaded cannot be replaced, but renamed
        with contextlib.suppress(OSError):
            os.link(place, old, follow_symlinks=False)
            return
    place.rename(old)


def _sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where that can be asked for."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _read(journal: Path) -> list[Move]:
    try:
        rows = json.loads(journal.read_text(encoding="ascii"))
        moves = [Move(str(path), str(new), there is True, str(old)) for path, new, there, old in rows]
    except (ValueError, TypeError, RecursionError) as error:
        msg = f"{journal} cannot be read; without it, nothing says which files belong together: install the package again"
        raise OSError(msg) from error
    for each in moves:
        if problem_with(each.path) or (each.new and problem_with(each.new)) or problem_with(each.old):
            msg = f"{journal} says what no journal says"
            raise OSError(msg)
    return moves
