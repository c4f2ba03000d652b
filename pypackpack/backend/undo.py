"""The way back: what was changed on disk is put back when the work fails, or is interrupted, before all of it is done.

Nothing that is put back is looked at by anybody meanwhile but under a lock of the caller's; this module takes none. (Ctrl-C may
have come while one was being given back, and then we would wait for ourselves.)
"""

from __future__ import annotations

import contextlib
import os
from functools import partial
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.model.errors import FilesystemError, add_note

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self


class Undo:
    """Takes changes back, the last one first, if the block that makes them fails; Ctrl-C is a failure too.

    What cannot be taken back keeps nothing else from being taken back. It is said in a note (PEP 678) on the error that brought
    us here, and after it what the person can do about it.

    A change is remembered before it is made, so that there is no line between the two at which Ctrl-C would do harm.
    """

    def __init__(self, way_out: str = "") -> None:
        """Begin with nothing to take back.

        Args:
            way_out: One sentence on what to do when something cannot be taken back.
        """
        self._way_out = way_out
        self._steps: list[tuple[str, Callable[[], object]]] = []

    def __enter__(self) -> Self:
        """Begin the block."""
        return self

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None) -> None:
        """Take everything back if there is an error, and forget it all."""
        if error is None:
            self._steps.clear()
        else:
            self._take_back(error)

    def _take_back(self, error: BaseException) -> None:
        said: list[str] = []
        interrupt: BaseException | None = None
        while self._steps:
            what, step = self._steps[-1]
            try:
                step()
            except Exception as failed:  # noqa: BLE001 - whatever it is, the other steps have to be taken, and it is said
                said.append(f"{what}: {failed}")
            except BaseException as stop:  # noqa: BLE001 - as above; it goes on at the end
                if interrupt is None:
                    interrupt = stop
                    continue  # it was in the middle of it
                said.append(f"{what}: interrupted")  # or it would need a child, and none is started after Ctrl-C
            self._steps.pop()
        for line in [*said, self._way_out] if said and self._way_out else said:
            add_note(interrupt or error, line)
        if interrupt is not None:
            raise interrupt from error

    def step(self, what: str, step: Callable[[], object]) -> None:
        """Remember a step of one's own.

        Args:
            what: What is to be said, before the reason, when the step fails.
            step: The step. It is taken a second time if Ctrl-C comes in the middle of it.
        """
        self._steps.append((what, step))

    def file(self, path: Path) -> None:
        """Remember a file as it is, or that there is none, whoever changes it meanwhile.

        Raises:
            FilesystemError: It cannot be read.
        """
        before = _content(path)

        def restore() -> None:
            if _content(path) != before:
                _fill(path, before)

        self.step(f"{path} could not be put back", restore)

    def write(self, path: Path, data: bytes) -> None:
        """Write a whole file. It is put back only if it still is what was written here: nobody else's change is lost.

        Raises:
            FilesystemError: It cannot be read or written.
        """
        before = _content(path)

        def restore() -> None:
            if before != data and _content(path) == data:
                _fill(path, before)

        self.step(f"{path} could not be put back", restore)
        filesystem.write_atomic(path, data)

    def move(self, path: Path, to: Path) -> None:
        """Move a file or folder to where nothing is, on the same file system; folders on the way are made.

        Raises:
            FilesystemError: It cannot be moved.
        """
        with filesystem.explained("move", path):
            self.step(f"{path} could not be put back", partial(_move_back, path, to, path.lstat()))
            to.parent.mkdir(parents=True, exist_ok=True)
            filesystem.replace(path, to)

    def swap(self, fresh: Path, place: Path) -> None:
        """Put a folder in the place of what may be there.

        Args:
            fresh: The folder, in a `scratch_folder` on the same file system; what was there is kept in that until it goes.
            place: Where it belongs.

        Raises:
            FilesystemError: It cannot be put there.
        """
        old = filesystem.unused_name(fresh.parent, "old-")
        with filesystem.explained("replace", place):
            moves = [(fresh, place, fresh.lstat())]
            if os.path.lexists(place):
                moves.append((place, old, place.lstat()))

            def restore() -> None:
                for move in moves:
                    _move_back(*move)

            self.step(f"{place} could not be put back", restore)
            place.parent.mkdir(parents=True, exist_ok=True)
            for path, to, _ in reversed(moves):
                filesystem.replace(path, to)

    def made(self, path: Path) -> None:
        """Remember that a file or folder, which is about to be made, is to be taken away again with all that is in it."""
        self.step(f"{path} could not be removed", lambda: filesystem.remove_tree(path))

    def make_folder(self, folder: Path) -> None:
        """Make a folder that is not there. Folders made on the way are taken away again unless somebody has put something in.

        Raises:
            FilesystemError: It cannot be made; a file may stand in its place, which stays.
        """
        fresh = [parent for parent in folder.parents if not parent.exists()]

        def remove_empty() -> None:
            with contextlib.suppress(OSError):  # not empty, or not made: both are right
                for parent in fresh:
                    parent.rmdir()

        self.step("", remove_empty)
        if not os.path.lexists(folder):
            self.made(folder)
        with filesystem.explained("make", folder):
            folder.mkdir(parents=True)


def _move_back(path: Path, to: Path, moved: os.stat_result) -> None:
    """Move ``to`` to ``path`` again, if ``path`` is not there any more."""
    with filesystem.explained("move", to):
        if os.path.lexists(path):
            if not os.path.samestat(path.lstat(), moved):
                msg = f"something else is in its place; it is {to}"
                raise FilesystemError(msg)
        elif os.path.lexists(to):
            filesystem.replace(to, path)


def _content(path: Path) -> bytes | None:
    return filesystem.read_bytes(path) if path.is_file() else None


def _fill(path: Path, data: bytes | None) -> None:
    if data is None:
        filesystem.remove_tree(path)
    else:
        filesystem.write_atomic(path, data)
