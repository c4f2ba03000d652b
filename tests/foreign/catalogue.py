"""What foreign Pythons there are to be had: ``pins.json`` read into frozen values.

``pins.json`` is the one place that names versions and hashes. Each entry of its ``pythons`` table says which
recipe (a function of :mod:`recipes`) makes it and which files are downloaded for it. What apt brings is checked by
apt's own signatures and has no pin; every other file has its size and sha256 here.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).resolve().parent
PINS = HERE / "pins.json"
ROOT_VARIABLE = "PYPACKPACK_FOREIGN"
"""Environment variable that names the folder of the foreign Pythons when it is not the user's cache."""

FOLDER_NAME = "pypackpack-foreign-v1"
MANIFEST = "foreign.json"
"""Name of the file in each finished folder that says what it holds; its ``stamp`` says of which pins."""

# To be raised when a recipe makes something else of the same downloads: its folders are then built anew.
_REVISIONS = {"debian": 2, "headers": 1, "linux": 1, "musl": 1, "pyodide": 1, "windows": 2, "wine": 1}


@dataclass(frozen=True)
class Download:
    """One pinned file.

    ``client`` is the package client that brings it (``maven``, ``npm`` or ``pip``), ``spec`` what that client is
    asked for, ``tags`` for pip the interpreter, ABI and platform of the wheel, ``size`` in bytes.
    """

    client: str
    spec: str
    file: str
    size: int
    sha256: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One folder that can be provided. ``target`` is empty for a part that only serves others."""

    name: str
    recipe: str
    target: str
    default: bool
    architecture: str
    emulator: str
    requires: tuple[str, ...]
    downloads: tuple[Download, ...]
    stamp: str


@dataclass(frozen=True)
class Catalogue:
    """All entries by name, and the Maven plugin that brings what is on Maven Central."""

    maven_plugin: str
    entries: Mapping[str, Entry]


def default_root() -> Path:
    """The folder that holds the foreign Pythons: ``$PYPACKPACK_FOREIGN``, else one in the user's cache."""
    if named := os.environ.get(ROOT_VARIABLE):
        return Path(named).absolute()
    cache = os.environ.get("XDG_CACHE_HOME")
    # The XDG base directory specification: a relative path there is to be ignored.
    folder = Path(cache) if cache and Path(cache).is_absolute() else Path.home() / ".cache"
    return folder / FOLDER_NAME


def _stamp(name: str, raw: Mapping[str, Any]) -> str:
    # Whether an entry is provided by default changes nothing in what it holds.
    facts = {key: value for key, value in raw.items() if key != "default"}
    text = json.dumps([name, facts, _REVISIONS[raw["recipe"]]], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _download(raw: Mapping[str, Any]) -> Download:
    return Download(raw["client"], raw["spec"], raw["file"], raw["size"], raw["sha256"], tuple(raw.get("tags", ())))


def _entry(name: str, raw: Mapping[str, Any]) -> Entry:
    return Entry(
        name=name,
        recipe=raw["recipe"],
        target=raw["target"],
        default=raw["default"],
        architecture=raw.get("architecture", ""),
        emulator=raw.get("emulator", ""),
        requires=tuple(raw.get("requires", ())),
        downloads=tuple(_download(one) for one in raw["downloads"]),
        stamp=_stamp(name, raw),
    )


def load(path: Path = PINS) -> Catalogue:
    """Read ``pins.json``. Raises ``KeyError`` or ``ValueError`` when it is not in order."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    if raw["format"] != 1:
        message = f"{path.name} has format {raw['format']}; this code reads format 1"
        raise ValueError(message)
    entries = {name: _entry(name, value) for name, value in raw["pythons"].items()}
    return Catalogue(raw["maven_plugin"], entries)
