"""Which licence files go into a wheel (PEP 639)."""

from __future__ import annotations

import os
import re
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.middleware.bundle.paths import problem_with

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY = "project.license-files"
DEFAULT_PATTERNS = ("LICEN[CS]E*", "COPYING*", "NOTICE*", "AUTHORS*")
_PATTERN = re.compile(r"[\w.*?/\[\] -]+")
# Folders that a pattern with ** must not find its way into: what was built and what was installed.
_NEVER = frozenset({"build", "__pycache__", "node_modules"})


def license_files(
    patterns: object, package: Path, project: Path, problem: Callable[[str, str], None]
) -> tuple[tuple[str, bytes], ...]:
    """Return path and bytes of each licence file, sorted by path.

    PEP 639 forbids ``..`` in patterns, so that a package could not name the licence of the project that it lies in.
    Therefore each pattern is looked for in the package's folder first and, when nothing is there, in the project's.
    Without ``license-files`` the usual names are: those of the package, or if it has none, those of the project. An
    empty list means none.

    Args:
        patterns: The value of ``license-files``; None when it is not set.
        package: The package's folder.
        project: The project's folder.
        problem: Told the key and what is wrong.
    """
    found = _usual(package, project) if patterns is None else _named(patterns, package, project, problem)
    inside = project.resolve()
    result: list[tuple[str, bytes]] = []
    for path, file in sorted(found.items()):
        if wrong := problem_with(path):
            problem(KEY, f"{path} cannot be in a wheel: its path {wrong}; rename the file")
        elif file.resolve().is_relative_to(inside):
            result.append((path, filesystem.read_bytes(file)))
        else:
            problem(KEY, f"{path} is a link to a file outside of the project; copy the file into it")
    return tuple(result)


def license_sources(patterns: object, package: Path, project: Path) -> dict[str, Path]:
    """Return what `license_files` finds, as far as the patterns are right, without reading it: path → file."""
    return _usual(package, project) if patterns is None else _named(patterns, package, project, lambda _key, _what: None)


def _usual(package: Path, project: Path) -> dict[str, Path]:
    for folder in (package, project):
        if found := {path: file for pattern in DEFAULT_PATTERNS for path, file in _matches(folder, pattern).items()}:
            return found
    return {}


def _named(patterns: object, package: Path, project: Path, problem: Callable[[str, str], None]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    if not isinstance(patterns, list):
        problem(KEY, "expected a list of patterns")
        return found
    for number, pattern in enumerate(patterns):
        key = f"{KEY}[{number}]"
        if not isinstance(pattern, str):
            problem(key, "expected text")
        elif wrong := _wrong(pattern):
            problem(key, f"{pattern!r} {wrong}")
        elif files := _matches(package, pattern) or _matches(project, pattern):
            found = {**files, **found}
        else:
            problem(key, f"{pattern!r} matches no file in {package} nor in {project}")
    return found


def _wrong(pattern: str) -> str:
    if "\\" in pattern:
        return "has a backslash; the separator is /"
    if PurePosixPath(pattern).is_absolute() or re.match(r"[A-Za-z]:", pattern):
        return "is absolute; patterns are relative to the package's or the project's folder"
    if ".." in pattern.split("/"):
        return "leads out through '..', which PEP 639 forbids; a file of the project's folder is found by its plain name"
    return "" if _PATTERN.fullmatch(pattern) else "has a character that patterns do not have"


def _matches(folder: Path, pattern: str) -> dict[str, Path]:
    """Return path and file of each match, with case told apart on every system."""
    return dict(_walk(folder, "", [part for part in pattern.split("/") if part not in ("", ".")]))


def _walk(folder: Path, prefix: str, parts: list[str]) -> Iterator[tuple[str, Path]]:
    if not parts:
        return
    head, rest = parts[0], parts[1:]
    if head == "**":
        yield from _walk(folder, prefix, rest)
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        path = f"{prefix}{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            if head == "**":
                if entry.name not in _NEVER and not entry.name.startswith("."):
                    yield from _walk(Path(entry.path), f"{path}/", parts)
            elif fnmatchcase(entry.name, head):
                yield from _walk(Path(entry.path), f"{path}/", rest)
        elif not rest and entry.is_file() and fnmatchcase(entry.name, "*" if head == "**" else head):
            yield path, Path(entry.path)
