"""The Pythons that uv knows of, and which of them pypackpack takes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pypackpack.backend.tools import uv
from pypackpack.model.errors import ToolError
from pypackpack.model.interpreter import NEWEST, OLDEST
from pypackpack.model.python import ListedPython
from pypackpack.model.secrets import masked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

OPTION = "--output-format"


def listed(words: Sequence[str], cwd: Path) -> tuple[ListedPython, ...]:
    """Return what ``uv python list`` has, in its order.

    Args:
        words: What to say to uv besides ``python list``; not how to write it.
        cwd: Where the person stands.

    Raises:
        ToolError: uv failed, or writes its list in another form than it did.
    """
    return parsed(uv.run(["python", "list", OPTION, "json", *words], "`python list`", cwd=cwd).stdout)


def parsed(text: str) -> tuple[ListedPython, ...]:
    """Return what ``uv python list --output-format json`` prints.

    Raises:
        ToolError: It is of another form.
    """
    try:
        return tuple(_listed(entry) for entry in json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"uv {uv.version()} writes its list of Pythons in a form that pypackpack does not know"
        raise ToolError(msg, hint="`pypackpack python list --output-format text` shows it as uv writes it.") from error


def _listed(entry: Mapping[str, Any]) -> ListedPython:
    parts, url = entry["version_parts"], entry.get("url")
    series = (int(parts["major"]), int(parts["minor"]))
    return ListedPython(
        key=str(entry["key"]),
        version=str(entry["version"]),
        implementation=str(entry["implementation"]),
        variant=str(entry.get("variant") or "default"),
        os=str(entry["os"]),
        arch=str(entry["arch"]),
        libc=str(entry["libc"]),
        path=entry.get("path"),
        symlink=entry.get("symlink"),
        url=masked(url) if url else None,
        unsupported=_why_not(str(entry["implementation"]), str(entry.get("variant") or ""), series),
    )


def _why_not(implementation: str, variant: str, series: tuple[int, int]) -> str:
    """Return why packages are not built for a Python; empty when they are."""
    if implementation != "cpython":
        return "not CPython"
    if "freethreaded" in variant:
        return "free-threaded"
    if series < OLDEST:
        return "too old"
    return "too new" if series > NEWEST else ""
