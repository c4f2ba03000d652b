"""Relative paths in dependencies and in what is said to uv: they begin at the file that they stand in.

uv resolves in a folder aside, and a package's settings come from two files. So relative paths are kept as seen from the package,
and written for uv as seen from the folder aside: with absolute ones a lock would change with the folder that a project lies in.
"""

from __future__ import annotations

import os
import posixpath
import re
import sys
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_DIRECT = re.compile(r"^(?P<head>[^@;]+@\s*)(?P<place>[^\s;]+)(?P<rest>.*)$", re.DOTALL)


def is_relative(text: object) -> bool:
    """Tell whether a value is a path relative to the file that it stands in: no url, nothing absolute, no variable."""
    return (
        isinstance(text, str)
        and not _URL.match(text)
        and not text.startswith(("~", "$"))
        and "${" not in text
        and not PurePosixPath(text).is_absolute()
        and not PureWindowsPath(text).is_absolute()
    )


def slashes(path: str) -> str:
    """Return a path of this system with ``/`` between its parts."""
    return path.replace("\\", "/") if sys.platform == "win32" else path


def place_of(line: str) -> str:
    """Return the relative path that a PEP 508 string names; empty when it names none."""
    found = _DIRECT.match(line)
    return found["place"] if found and is_relative(found["place"]) else ""


def folder_key(root: Path, place: str) -> str:
    """Return the absolute path, with ``/``, of what a requirement in ``root`` names by a relative path."""
    return Path(os.path.abspath(root / place)).as_posix()  # noqa: PTH100 - a link stays what the person named


def moved(settings: Mapping[str, Any], source: Callable[[str], str], index: Callable[[str], str] | None = None) -> dict[str, Any]:
    """Return uv's settings with every path in another form.

    Args:
        settings: The table ``[tool.uv]``, or a part of it.
        source: Gets each path and url of ``sources``, and returns what is to stand there.
        index: The same for indexes and lists of links; None takes ``source``.
    """
    index = index or source
    result = dict(settings)
    for key in ("find-links", "extra-index-url"):
        if isinstance(result.get(key), list):
            result[key] = [index(text) if isinstance(text, str) else text for text in result[key]]
    for key in ("index-url", "default-index"):
        if isinstance(result.get(key), str):
            result[key] = index(result[key])
    if isinstance(result.get("index"), list):
        result["index"] = [_with(item, "url", index) for item in result["index"]]
    if isinstance(result.get("sources"), dict):
        result["sources"] = {name: moved_source(said, source) for name, said in result["sources"].items()}
    return result


def moved_source(said: Any, change: Callable[[str], str]) -> Any:  # noqa: ANN401 - a TOML value: a table, or a list of them
    """Return an entry of ``[tool.uv.sources]`` with its path in another form."""
    return [_with(each, "path", change) for each in said] if isinstance(said, list) else _with(said, "path", change)


def rebased(settings: Mapping[str, Any], origin: Path, root: Path) -> dict[str, Any]:
    """Return uv's settings with their relative paths, which begin at ``origin``, as seen from ``root``."""
    return moved(settings, lambda text: _seen_from(text, origin, root))


def rebased_line(text: str, origin: Path, root: Path) -> str:
    """Return a PEP 508 string whose relative path, if it has one, begins at ``root`` instead of ``origin``."""
    return _in_line(text, lambda place: _seen_from(place, origin, root))


def below(settings: Mapping[str, Any], up: str) -> dict[str, Any]:
    """Return uv's settings for a folder below the one that their relative paths begin at; ``up`` leads back (``../..``)."""
    return moved(settings, lambda text: _joined(up, text))


def absolute(settings: Mapping[str, Any], root: Path) -> dict[str, Any]:
    """Return uv's settings with absolute paths instead of those that begin at ``root``."""
    return moved(settings, lambda text: (root / text).resolve().as_posix() if is_relative(text) else text)


def absolute_line(text: str, root: Path) -> str:
    """Return a PEP 508 string with a url instead of a relative path, if it has one."""
    return _in_line(text, lambda place: (root / place).resolve().as_uri() if is_relative(place) else place)


def sources_of(lines: Iterable[str], up: str) -> tuple[list[str], dict[str, list[dict[str, str]]]]:
    """Part PEP 508 strings with relative paths into strings without, and entries for ``tool.uv.sources``, as uv wants these.

    An absolute path would go into the lock, and that would be another one in each folder that a project is cloned into.
    """
    plain: list[str] = []
    sources: dict[str, list[dict[str, str]]] = {}
    for text in lines:
        found = _DIRECT.match(text)
        if found is None or not is_relative(found["place"]):
            plain.append(text)
            continue
        from packaging.requirements import Requirement  # noqa: PLC0415 - import cost

        requirement = Requirement(text)
        entry = {"path": _joined(up, found["place"])}
        if requirement.marker is not None:
            entry["marker"] = str(requirement.marker)
        sources.setdefault(normalise(requirement.name), []).append(entry)
        requirement.url = None
        plain.append(str(requirement))
    return plain, sources


def _joined(up: str, text: str) -> str:
    return posixpath.normpath(f"{up}/{slashes(text)}") if is_relative(text) else text


def _seen_from(text: str, origin: Path, root: Path) -> str:
    if origin == root or not is_relative(text):
        return text
    return os.path.relpath(origin / text, root).replace(os.sep, "/")


def _in_line(text: str, change: Callable[[str], str]) -> str:
    found = _DIRECT.match(text)
    return f"{found['head']}{change(found['place'])}{found['rest']}" if found else text


def _with(item: Any, key: str, change: Callable[[str], str]) -> Any:  # noqa: ANN401 - a person's table, whatever is in it
    return {**item, key: change(item[key])} if isinstance(item, dict) and isinstance(item.get(key), str) else item
