"""Which paths may stand in a wheel or a patch: the rules, for those who write archives and for those who unpack them.

A path here is relative, with ``/`` between its parts.
"""

from __future__ import annotations

import re

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
