"""The programs of ``[project.scripts]``, as files of an environment (the entry points specification)."""

from __future__ import annotations

import configparser
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_BODY = """\
import sys

from {module} import {first}

if __name__ == "__main__":
    sys.exit({attribute}())
"""

# The kernel cuts a first line off after 127 bytes and takes a space for the end of the path; a shell does neither.
_LONGEST = 127


def scripts(entry_points: str, site_packages: Path) -> dict[str, bytes]:
    """Return path, relative to site-packages, and bytes of each program; none outside of a virtual environment.

    On Windows a program is a ``.cmd`` file that starts a script beside it.

    Args:
        entry_points: Text of ``entry_points.txt``.
        site_packages: The environment's site-packages.
    """
    home = next((folder for folder in site_packages.parents if (folder / "pyvenv.cfg").is_file()), None)
    if home is None or not entry_points:
        return {}
    windows = sys.platform == "win32"
    folder = home / ("Scripts" if windows else "bin")
    python = os.fspath(folder / ("python.exe" if windows else "python"))
    result: dict[str, bytes] = {}
    for name, value in commands(entry_points).items():
        module, _, attribute = value.partition("[")[0].strip().partition(":")
        body = _BODY.format(module=module.strip(), first=attribute.partition(".")[0], attribute=attribute)
        place = os.path.relpath(folder / name, site_packages).replace(os.sep, "/")
        if windows:
            result[f"{place}-script.py"] = body.encode()
            result[f"{place}.cmd"] = f'@"%~dp0python.exe" "%~dp0{name}-script.py" %*\r\n'.encode()
        else:
            result[place] = (_first_line(python) + body).encode()
    return result


def commands(entry_points: str) -> dict[str, str]:
    """Return name and entry point of each program.

    Args:
        entry_points: Text of ``entry_points.txt``, as we wrote it.

    Raises:
        ValueError: It is something else.
    """
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[method-assign,assignment] # names keep their case
    try:
        parser.read_string(entry_points)
    except configparser.Error as error:
        raise ValueError(str(error)) from error
    groups = (group for group in ("console_scripts", "gui_scripts") if parser.has_section(group))
    return {name: value for group in groups for name, value in parser.items(group)}


def _first_line(python: str) -> str:
    if " " not in python and len(python.encode()) + 2 <= _LONGEST:
        return f"#!{python}\n"
    quoted = python.replace("'", "'\"'\"'")
    return f"#!/bin/sh\n'''exec' '{quoted}' \"$0\" \"$@\"\n' '''\n"
