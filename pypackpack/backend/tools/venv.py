"""Virtual environments as they lie on disk (PEP 405): read without starting them."""

from __future__ import annotations

import sys
from pathlib import Path

CONFIGURATION = "pyvenv.cfg"


def is_venv(folder: Path) -> bool:
    """Tell whether a folder is a virtual environment."""
    return (folder / CONFIGURATION).is_file()


def base_python(folder: Path) -> Path | None:
    """Return the interpreter that a virtual environment was made from, or None when it is not there (any more)."""
    try:
        text = (folder / CONFIGURATION).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    facts = {key.strip().lower(): value.strip() for key, _, value in (line.partition("=") for line in text.splitlines())}
    home = facts.get("home")
    if not home:
        return None
    version = ".".join((facts.get("version_info") or facts.get("version") or "").split(".")[:2])
    if sys.platform == "win32":
        names = ("python.exe",)
    else:
        names = (f"python{version}", "python3", "python") if version else ("python3", "python")
    return next((path for name in names if (path := Path(home) / name).is_file()), None)
