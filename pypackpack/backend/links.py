"""Links in the file system: one more thing that differs between systems."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

from pypackpack.backend.filesystem import explained

if TYPE_CHECKING:
    from pathlib import Path


def link(place: Path, to: Path) -> None:
    """Make ``place`` stand for the file or folder ``to`` (absolute); parents are made.

    Windows lets only some accounts make symbolic links: there a folder's link is a junction and a file's a hard link, on
    another drive a copy.

    Raises:
        FilesystemError: It cannot be made.
    """
    with explained("link", place):
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            place.symlink_to(to, target_is_directory=to.is_dir())
        except OSError:
            if sys.platform != "win32":
                raise
            if to.is_dir():
                import _winapi  # noqa: PLC0415 - Windows only

                _winapi.CreateJunction(os.fspath(to), os.fspath(place))
                return
            try:
                place.hardlink_to(to)
            except OSError:
                shutil.copyfile(to, place)
