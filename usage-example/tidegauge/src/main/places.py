"""Where files of a person lie on this system. `src/windows/places.py` takes this one's place on Windows."""

from __future__ import annotations

import os
from pathlib import Path

SYSTEM = "unix"


def archive_folder(environment: dict[str, str] | None = None) -> Path:
    """Return the folder of the archive, by the XDG base directories."""
    values = os.environ if environment is None else environment
    named = values.get("XDG_DATA_HOME") or os.path.join(values.get("HOME", "."), ".local", "share")
    return Path(named) / "tidewatch"
