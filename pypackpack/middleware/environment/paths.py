"""Relative paths in dependencies and in what is said to uv: they begin at the file that they stand in.

uv resolves in a folder aside, and a package's settings come from two files. So relative paths are kept as seen from the package,
and written for uv as seen from the folder aside: with absolute ones a lock would change with the folder that a project lies in.
"""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_DIRECT = re.compile(r"^(?P<head>[^@;]+@\s*)(?P<place>[^\s;]+)(?P<rest>.*)$", re.DOTALL)


def rebased(settings: Mapping[str, Any], origin: Path, root: Path) -> dict[str, Any]:
    """Return uv's settings with their relative paths, which begin at ``origin``, as seen from ``root``."""
    return _mapped(settings, lambda text: _seen_from(text, origin, root))


def rebased_line(text: str, origin: Path, root: Path) -> str:
    """Return a PEP 508 string whose relative path, if it has one, begins at ``root`` instead of ``origin``."""
    return _in_line(text, lambda place: _seen_from(place, origin, root))


def below(settings: Mapping[str, Any], up: str) -> dict[str, Any]:
    """Return uv's settings for a folder below the one that their relative paths begin at; ``up`` leads back (``../..``)."""
    return _mapped(settings, lambda text: _joined(up, text))


def absolute(settings: Mapping[str, Any], root: Path) -> dict[str, Any]:
    """Return uv's settings with absolute paths instead of those that begin at ``root``."""
    return _mapped(settings, lambda text: (root / text).resolve().as_posix() if _is_relative(text) else text)


def absolute_line(text: str, root: Path) -> str:
    """Return a PEP 508 string with a url instead of a relative path, if it has one."""
    return _in_line(text, lambda place: (root / place).resolve().as_uri() if _is_relative(place) else place)


def sources_of(lines: Iterable[str], up: str) -> tuple[list[str], dict[str, list[dict[str, str]]]]:
    """Part PEP 508 strings with relative paths into strings without, and entries for ``tool.uv.sources``, as uv wants these.

    An absolute path would go into the lock, and that would be another one in each folder that a project is cloned into.
    """
    plain: list[str] = []
    sources: dict[str, list[dict[str, str]]] = {}
    for text in lines:
        found = _DIRECT.match(text)
        if found is None or not _is_relative(found["place"]):
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
    return posixpath.normpath(f"{up}/{text}") if _is_relative(text) else text


def _is_relative(text: str) -> bool:
    return not _URL.match(text) and not Path(text).is_absolute() and "${" not in text


def _seen_from(text: str, origin: Path, root: Path) -> str:
    if origin == root or not _is_relative(text):
        return text
    return os.path.relpath(origin / text, root).replace(os.sep, "/")


def _in_line(text: str, change: Callable[[str], str]) -> str:
    found = _DIRECT.match(text)
    return f"{found['head']}{change(found['place'])}{found['rest']}" if found else text


def _mapped(settings: Mapping[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """Apply a change to every place in uv's settings where a path may stand."""
    result = dict(settings)
    for key in ("find-links", "extra-index-url"):
        if key in result:
            result[key] = [change(str(text)) for text in result[key]]
    for key in ("index-url", "default-index"):
        if isinstance(result.get(key), str):
            result[key] = change(result[key])
    if "index" in result:
        result["index"] = [_with(item, "url", change) for item in result["index"]]
    if "sources" in result:
        result["sources"] = {
            name: [_with(each, "path", change) for each in said] if isinstance(said, list) else _with(said, "path", change)
            for name, said in result["sources"].items()
        }
    return result


def _with(item: Any, key: str, change: Callable[[str], str]) -> Any:  # noqa: ANN401 - a person's table, whatever is in it
    return {**item, key: change(item[key])} if isinstance(item, dict) and isinstance(item.get(key), str) else item
