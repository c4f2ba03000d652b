"""Copies that share their blocks with the original until one of the two is written: what a file system with reflinks offers.

Linux: ``FICLONE`` (btrfs, xfs, bcachefs, some overlays; ioctl_ficlone(2)). macOS: ``clonefile`` (APFS; clonefile(2)). Windows:
copying a file clones by itself on ReFS and Dev Drives, when the system does it instead of a loop in Python.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import BinaryIO

FICLONE = 0x40049409
"""``_IOW(0x94, 9, int)`` of linux/fs.h, the same on all processors that Linux has this number scheme on; others refuse it."""


def clone(source: str, place: str) -> bool:
    """Make ``place``, which must not exist, a clone of the file ``source``.

    Nothing is promised of its mode and its times, nor that it is what ``source`` was when the caller last looked at it.

    Returns:
        False, and nothing is at ``place``, where the file systems cannot do it, or for whatever other reason: then copy.
    """
    try:
        if sys.platform == "linux":
            _ficlone(source, place)
        elif sys.platform == "darwin":
            _clonefile(source, place)
        elif sys.platform == "win32":
            _copy_file(source, place)
        else:
            return False
    except (OSError, AttributeError):  # AttributeError: a system that has no such function
        with contextlib.suppress(OSError):
            os.unlink(place)  # noqa: PTH108 - strings on purpose
        return False
    return True


def copy_bytes(source: BinaryIO, out: BinaryIO) -> None:
    """Copy all of a file into a new one, where the system can without bringing its bytes here (Linux: copy_file_range(2))."""
    if hasattr(os, "copy_file_range"):
        try:
            while os.copy_file_range(source.fileno(), out.fileno(), 1 << 30):
                pass
        except OSError as error:  # between two file systems, or on one that cannot
            if error.errno not in (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM):
                raise
        else:
            return
    source.seek(0)
    out.seek(0)
    out.truncate()
    shutil.copyfileobj(source, out, 1 << 20)


def _ficlone(source: str, place: str) -> None:
    import fcntl  # noqa: PLC0415 - POSIX only

    original = os.open(source, os.O_RDONLY)
    try:
        made = os.open(place, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.ioctl(made, FICLONE, original)
        finally:
            os.close(made)
    finally:
        os.close(original)


def _clonefile(source: str, place: str) -> None:
    import ctypes  # noqa: PLC0415 - macOS and Windows only

    library = ctypes.CDLL(None, use_errno=True)
    if library.clonefile(os.fsencode(source), os.fsencode(place), ctypes.c_uint32(0)) != 0:
        raise OSError(ctypes.get_errno(), "clonefile", source)
    os.utime(place)  # a clone has the times of its original


def _copy_file(source: str, place: str) -> None:
    import ctypes  # noqa: PLC0415 - as above

    kernel = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
    if not kernel.CopyFileW(ctypes.c_wchar_p(source), ctypes.c_wchar_p(place), 1):
        raise OSError(ctypes.get_last_error(), "CopyFileW", source)  # type: ignore[attr-defined,unused-ignore]
    os.utime(place)
