"""One process at a time at a place: a lock that the system takes back when its process ends. Standard library only."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING, Final

from pypackpack.client.patch_format import PatchError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PATIENCE: Final = 600.0
"""Seconds to wait for another process."""


class BusyPatchError(PatchError):
    """Another process works at the same place, for very long."""

    hint = "Wait for the other process, or end it; nothing was changed."


@contextlib.contextmanager
def locked(path: Path, patience: float = _PATIENCE) -> Iterator[None]:
    """Hold a lock file, which is gone afterwards; what a killed process left of one is taken over.

    Raises:
        BusyPatchError: Somebody else has had it for longer than ``patience``, in seconds.
        OSError: It cannot be made.
    """
    end = time.monotonic() + patience
    while (handle := _taken(path)) is None:
        if time.monotonic() > end:
            msg = f"another process has been working at {path.parent} for a long time"
            raise BusyPatchError(msg)
        time.sleep(0.05)
    try:
        yield
    finally:
        try:
            if sys.platform != "win32":  # before it is let go: who waits for it sees that it is another one
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)
        finally:
            os.close(handle)
        if sys.platform == "win32":
            with contextlib.suppress(OSError):  # who waits has it open
                path.unlink(missing_ok=True)


def _taken(path: Path) -> int | None:
    """Return the open lock file, or None where somebody has it."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except PermissionError:
        if sys.platform == "win32" and path.exists():  # it is being removed
            return None
        raise
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 - of one system

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            try:
                import fcntl  # noqa: PLC0415 - as above
            except ImportError:  # WebAssembly has one process
                return handle
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(handle), path.stat()):
                    return handle
            os.close(handle)  # who had it has removed it
            return None
    except OSError as error:
        if sys.platform == "emscripten":
            return handle
        os.close(handle)
        if isinstance(error, (BlockingIOError, PermissionError)) or sys.platform == "win32":
            return None
        raise
    return handle
