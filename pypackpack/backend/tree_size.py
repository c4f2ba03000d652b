"""How much lies in folders."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def tree_size(paths: Iterable[Path]) -> tuple[int, int]:
    """Return the number of files at and below some paths, and their bytes.

    Links are counted as what they are, not as what they lead to; a file with several names (installers link files) is counted
    as one. What goes away meanwhile, or cannot be read, is not counted.
    """
    files = size = 0
    seen: set[tuple[int, int]] = set()
    waiting = [os.fspath(path) for path in paths]
    while waiting:
        place = waiting.pop()
        try:
            facts = os.lstat(place)
            if os.path.isdir(place) and not os.path.islink(place):  # noqa: PTH112, PTH114 - as many strings as there are files
                waiting += [entry.path for entry in os.scandir(place)]
                continue
        except OSError:
            continue
        if facts.st_nlink > 1:
            if (facts.st_dev, facts.st_ino) in seen:
                continue
            seen.add((facts.st_dev, facts.st_ino))
        files += 1
        size += facts.st_size
    return files, size
