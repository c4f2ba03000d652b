"""The indexes that requirements files name: into ``[[tool.uv.index]]`` of the project, when a person wants that.

An index is a matter of trust, so nothing is written unasked. Credentials are never written.
"""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pypackpack.backend.undo import Undo
from pypackpack.backend.urls import urlsplit
from pypackpack.middleware.project import paths
from pypackpack.middleware.project.edit import commit_edits, plan_edit, table_at
from pypackpack.middleware.project.read import FILE
from pypackpack.middleware.project.toml import read_toml
from pypackpack.model.requirement import NotTaken, TakenIndex

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tomlkit import TOMLDocument

    from pypackpack.model.project import Project
    from pypackpack.model.requirement import AskedIndex, Place

_PUBLIC = frozenset({"https://pypi.org/simple", "https://pypi.python.org/simple"})
_KEYS = ("default-index", "extra-index-url", "find-links", "index", "index-strategy", "index-url", "keyring-provider", "no-index")
_EXTRA = "--take-indexes writes it into [[tool.uv.index]] of pyproject.toml, without credentials."
_WHY = {
    "default": "--take-indexes writes it into [[tool.uv.index]] of pyproject.toml as the default index, without credentials.",
    "extra": _EXTRA,
    "explicit": _EXTRA,
    "flat": '--take-indexes writes it into [[tool.uv.index]] of pyproject.toml, with `format = "flat"`.',
}


@dataclass(frozen=True)
class Where:
    """What became of the indexes.

    Attributes:
        taken: What stands in ``[[tool.uv.index]]`` now.
        not_taken: The others.
    """

    taken: tuple[TakenIndex, ...] = ()
    not_taken: tuple[NotTaken, ...] = ()


def uv_toml(project: Project) -> str:
    """Return what a ``uv.toml`` has to say for the project's indexes to count outside of it."""
    import tomlkit  # noqa: PLC0415 - import cost

    table = read_toml(project.root / FILE).get("tool", {}).get("uv", {})
    said = {key: table[key] for key in _KEYS if key in table} if isinstance(table, dict) else {}
    return tomlkit.dumps(paths.absolute(said, project.root))


@contextlib.contextmanager
def taken_for(project: Project, asked: Sequence[AskedIndex], *, take: bool) -> Iterator[Where]:
    """Have the indexes in the project's pyproject.toml for what is done inside, and keep them there if that succeeds.

    Args:
        project: The project.
        asked: What the files name.
        take: Whether to write them; else all of them are `Where.not_taken`.

    Raises:
        ConflictError: The project's pyproject.toml was changed meanwhile.
    """
    rest = [index for index in asked if index.url.rstrip("/") not in _PUBLIC]
    public = tuple(
        NotTaken(index.place, index.shown, "It is the index that uv asks anyway.", matters=False)
        for index in asked
        if index not in rest
    )
    if not take or not rest:
        yield Where((), (*public, *(NotTaken(index.place, index.shown, _WHY[index.kind]) for index in rest)))
        return
    there = read_toml(project.root / FILE).get("tool", {}).get("uv", {})
    known = [entry for entry in there.get("index", []) if isinstance(entry, dict)] if isinstance(there, dict) else []
    taken, refused = planned(rest, known, project.root)
    edit = plan_edit(project.root / FILE, lambda document: _write(document, taken, known))
    with Undo() as undo:
        commit_edits([edit], undo)
        yield Where(taken, (*public, *refused))


def planned(
    asked: Sequence[AskedIndex], known: Sequence[Mapping[str, Any]], root: Path
) -> tuple[tuple[TakenIndex, ...], tuple[NotTaken, ...]]:
    """Return what is to stand in ``[[tool.uv.index]]``, each url once, and what cannot. Pure.

    Args:
        asked: What the files name, none of it the public index.
        known: The entries that are there.
        root: The project's folder, which folders are written relative to.
    """
    found: dict[str, TakenIndex] = {}
    refused: list[NotTaken] = []
    names = {str(entry["name"]): _key(str(entry.get("url", ""))) for entry in known if "name" in entry}
    default = next((_key(str(entry.get("url", ""))) for entry in known if entry.get("default") is True), "")
    for index in asked:
        url = _written(index.url, root)
        key = _key(url)
        if index.kind == "default":
            if default and default != key:
                why = "The project has another default index, and can have one only; write it into [[tool.uv.index]] by hand."
                refused.append(NotTaken(index.place, index.shown, why))
                continue
            default = key
        if key in found:
            found[key] = _both(found[key], index)
            continue
        name = next((name for name, other in names.items() if other == key), "") or _free(_name_for(index, url), names)
        names[name] = key
        found[key] = TakenIndex(name, url, index.kind, (index.place,), index.secret)
    return tuple(found.values()), tuple(refused)


def _both(one: TakenIndex, index: AskedIndex) -> TakenIndex:
    places: tuple[Place, ...] = tuple(dict.fromkeys((*one.places, index.place)))
    kind = "default" if "default" in (one.kind, index.kind) else one.kind
    return TakenIndex(one.name, one.url, kind, places, one.secret or index.secret)


def _written(url: str, root: Path) -> str:
    """Return a url as it is, and a folder relative to the project where it lies in it."""
    if "://" in url:
        return url
    with contextlib.suppress(ValueError):  # another drive, on Windows
        place = Path(os.path.relpath(url, root)).as_posix()
        return place if place.startswith(".") else f"./{place}"
    return url


def _key(url: str) -> str:
    return url.rstrip("/")


def _name_for(index: AskedIndex, url: str) -> str:
    """Return a name that says whose index it is: the file's own, else the server's or the folder's."""
    said = index.name or (urlsplit(url).hostname or "" if "://" in url else Path(url).name)
    return re.sub(r"[^a-z0-9]+", "-", said.lower()).strip("-") or "index"


def _free(name: str, taken: Mapping[str, str]) -> str:
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}-{number}"
    return found


def _write(document: TOMLDocument, taken: Sequence[TakenIndex], known: Sequence[Mapping[str, Any]]) -> None:
    import tomlkit  # noqa: PLC0415 - import cost

    there = {_key(str(entry.get("url", ""))) for entry in known}
    fresh = [index for index in taken if _key(index.url) not in there]
    if not fresh:
        return
    tool = table_at(document, "tool")
    if "uv" not in tool:
        tool["uv"] = tomlkit.table(is_super_table=True)
    uv = tool["uv"]
    if "index" not in uv:
        if "sources" in uv:
            uv["sources"].add(tomlkit.nl())
        uv["index"] = tomlkit.aot()
    for index in fresh:
        entry = tomlkit.table()
        entry.update({"name": index.name, "url": index.url})
        if index.kind == "default":
            entry["default"] = True
        if index.kind == "explicit":
            entry["explicit"] = True
        if index.kind == "flat":
            entry["format"] = "flat"
        if index is fresh[-1] and list(document)[-1] != "tool":  # something stands after the tables of [tool]
            entry.add(tomlkit.nl())
        uv["index"].append(entry)
