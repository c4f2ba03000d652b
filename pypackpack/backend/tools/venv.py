"""Virtual environments as they lie on disk (PEP 405): read without starting them."""

from __future__ import annotations

import re
import sys
from pathlib import Path

CONFIGURATION = "pyvenv.cfg"


def is_venv(folder: Path) -> bool:
    """Tell whether a folder is a virtual environment."""
    return (folder / CONFIGURATION).is_file()


def _facts(folder: Path) -> dict[str, str]:
    """Return what ``pyvenv.cfg`` says; empty when it is not there."""
    try:
        text = (folder / CONFIGURATION).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    return {key.strip().lower(): value.strip() for key, _, value in (line.partition("=") for line in text.splitlines())}


def version(folder: Path) -> tuple[int, int, int] | None:
    """Return the version of a virtual environment's Python as its configuration says it, or None when it says nothing."""
    facts = _facts(folder)
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", facts.get("version_info") or facts.get("version") or "")
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def interpreter(folder: Path) -> Path:
    """Return the interpreter's path in a virtual environment, whether or not it is there."""
    return folder / "Scripts" / "python.exe" if sys.platform == "win32" else folder / "bin" / "python"


def works(folder: Path) -> bool:
    """Tell whether everything is there that a virtual environment needs to start: its own Python, and the one behind it."""
    return base_python(folder) is not None and interpreter(folder).is_file() and site_packages(folder) is not None


def site_packages(folder: Path) -> Path | None:
    """Return the folder that a virtual environment's distributions lie in (sysconfig's scheme ``venv``), or None without one."""
    if sys.platform == "win32":
        return folder / "Lib" / "site-packages"
    number = version(folder)
    return folder / "lib" / f"python{number[0]}.{number[1]}" / "site-packages" if number else None


def base_python(folder: Path) -> Path | None:
    """Return the interpreter that a virtual environment was made from, or None when it is not there (any more)."""
    facts = _facts(folder)
    home = facts.get("home")
    if not home:
        return None
    version = ".".join((facts.get("version_info") or facts.get("version") or "").split(".")[:2])
    if sys.platform == "win32":
        names = ("python.exe",)
    else:
        names = (f"python{version}", "python3", "python") if version else ("python3", "python")
    return next((path for name in names if (path := Path(home) / name).is_file()), None)
