"""What is installed in an environment, read from its metadata (the recording of installed projects, PEP 376 and PEP 627)."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from pathlib import Path

_FOLDER = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+)\.dist-info")


def distributions(site: Path) -> tuple[tuple[str, str], ...]:
    """Return every distribution in a folder as (normalised name, version), sorted; nothing when the folder is not there."""
    found = (_FOLDER.fullmatch(name) for name in _dist_infos(site))
    return tuple(sorted((normalise(match["name"]), match["version"]) for match in found if match))


def _dist_infos(site: Path) -> list[str]:
    if not site.is_dir():
        return []
    return [name for name in filesystem.folders_in(site) if name.endswith(".dist-info")]


def damaged(site: Path) -> tuple[str, ...]:
    """Return the distributions of which a file is missing or has another size than when it was installed.

    An installer that finds a distribution's metadata takes it for installed, whatever else somebody did to it.
    """
    found = []
    for folder in _dist_infos(site):
        match = _FOLDER.fullmatch(folder)
        if match is not None and not _whole(site, folder):
            found.append(normalise(match["name"]))
    return tuple(sorted(found))


def _whole(site: Path, folder: str) -> bool:
    record = site / folder / "RECORD"
    try:
        rows = csv.reader(io.StringIO(record.read_text(encoding="utf-8")))
        for row in rows:
            if not row or row[0].endswith(".pyc"):  # bytecode comes and goes
                continue
            size = (site / row[0]).stat().st_size
            if row[2:] and row[2] and size != int(row[2]):
                return False
    except (OSError, ValueError, csv.Error):
        return False
    return True
