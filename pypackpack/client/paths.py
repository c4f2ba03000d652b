"""Which paths may stand in a wheel or a patch: the rules, for those who write archives and for those who unpack them.

A path here is relative, with ``/`` between its parts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_FOLDERS = 16 << 20
"""Letters of all folders in an archive, each with those above it: one path of 30,000 folders would take a gigabyte."""

_DRIVE = re.compile(r"[A-Za-z]:")
_WINDOWS_CHARACTERS = frozenset('<>:"|?*')
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST = 0xFFFF

WINDOWS_DEVICES: frozenset[str] = frozenset(
    {"aux", "con", "nul", "prn", *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10))}
)
"""Names that no file or folder can have on Windows (Microsoft: "Naming Files, Paths, and Namespaces")."""


def problem_with(path: str) -> str:
    """Say what is wrong with a path wherever it goes; empty when nothing is."""
    if not path:
        return "is empty"
    if "\\" in path:
        return "has a backslash; the separator is /"
    if path.startswith("/") or _DRIVE.match(path):
        return "is absolute"
    parts = path.split("/")
    if ".." in parts:
        return "leads out through '..'"
    if "" in parts or "." in parts:
        return "has an empty part or '.'"
    if _CONTROL.search(path):
        return "has a control character"
    try:
        length = len(path.encode())
    except UnicodeEncodeError:
        return "has a letter that is not Unicode text"
    return "is too long" if length > _LONGEST else ""


def windows_problem_with(path: str) -> str:
    """Say why Windows cannot have a file of that path; empty when it can."""
    for part in path.split("/"):
        if part.partition(".")[0].rstrip().lower() in WINDOWS_DEVICES:
            return f"has the part {part!r}, which is a device on Windows"
        if part.endswith((".", " ")):
            return f"has the part {part!r}, which ends in a dot or a space: Windows drops it"
        if wrong := sorted(_WINDOWS_CHARACTERS.intersection(part)):
            return f"has {wrong[0]!r}, which Windows does not allow in names"
    return ""


def caseless(path: str) -> str:
    """Return what is equal for paths that Windows or macOS take for the same."""
    if path.isascii():
        return path.lower()
    import unicodedata  # noqa: PLC0415 - rarely needed, and this module is part of every start of the command line

    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", path).casefold())


def check_together(paths: Iterable[str]) -> None:
    """Refuse paths that cannot stand beside each other: one twice, a file where a folder is, on any system.

    Raises:
        ValueError: With the path and the reason.
    """
    files: set[str] = set()
    folders: dict[str, str] = {}
    letters = 0
    for path in paths:
        key = caseless(path)
        if key in files or key in folders:
            msg = f"the path {path[:200]!r} stands there twice, or is the same as another one on Windows and macOS"
            raise ValueError(msg)
        files.add(key)
        folder = path.rpartition("/")[0]
        while folder:
            key = caseless(folder)
            if folders.get(key) == folder:  # and so are those above it
                break
            letters += len(folder)
            if letters > MOST_FOLDERS:
                msg = "the folders of its paths are more than any archive has"
                raise ValueError(msg)
            if key in files or folders.setdefault(key, folder) != folder:
                msg = f"the folder {folder[:200]!r} is the same as another path on Windows and macOS"
                raise ValueError(msg)
            folder = folder.rpartition("/")[0]
