"""Where files of a person lie on Windows."""

from __future__ import annotations

import os
from pathlib import Path

SYSTEM = "windows"


def archive_folder(environment: dict[str, str] | None = None) -> Path:
    """Return the folder of the archive, in the person's local application data."""
    values = os.environ if environment is None else environment
    named = values.get("LOCALAPPDATA") or os.path.join(values.get("USERPROFILE", "."), "AppData", "Local")
    return Path(named) / "Tidewatch"
