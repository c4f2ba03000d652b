"""Reads the ``manifest.json`` of a binary, which anybody may have written; ``binary`` writes it.

Nothing of the folder but that one file is looked at here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from pypackpack.backend import filesystem
from pypackpack.client import strict_json
from pypackpack.middleware.bundle.binary import MANIFEST, MANIFEST_FORMAT
from pypackpack.model.build import BuildType, Level
from pypackpack.model.errors import DamagedArtifactError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MOST: Final = 32 << 20
"""Bytes that a manifest may have; that of 10,000 files has 2 MB."""
HINT: Final = "Build it again; what is in such a folder is not to be changed by hand."

_MOST_FILE: Final = 1 << 50
_MOST_PATH: Final = 4096
"""Letters of a path: Linux opens none that is longer, macOS and Windows not even that."""
_SHOWN: Final = 20
_MOST_PROBLEMS: Final = 1000
_PYTHON: Final = re.compile(r"\d{1,2}\.\d{1,3}\.\d{1,3}", re.ASCII)
_Made = TypeVar("_Made")


@dataclass(frozen=True)
class ListedFile:
    """A file as the manifest has it: its path in the folder, its bytes, and their SHA-256 in hexadecimal."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class ListedDependency:
    """A dependency as the manifest has it: its name, its version, and how far its code is compiled."""

    name: str
    version: str
    level: str


@dataclass(frozen=True)
class BinaryManifest:
    """What a binary says of itself.

    Attributes:
        place: The manifest.
        size: Its bytes.
        sha256: Their SHA-256, in hexadecimal.
        package: Name of the package.
        version: Its version.
        target: Name of the target.
        python: The exact Python, ``3.13.1``.
        level: How far the package is compiled.
        type: Debug or release.
        pypackpack: The version that built it.
        dependencies: What else is in it.
        files: All files but the manifest, in its order; one path may stand there twice.
    """

    place: Path
    size: int
    sha256: str
    package: str
    version: str
    target: str
    python: str
    level: str
    type: str
    pypackpack: str
    dependencies: tuple[ListedDependency, ...]
    files: tuple[ListedFile, ...]

    @property
    def series(self) -> tuple[int, int]:
        """The X.Y of its Python."""
        major, minor, _ = self.python.split(".")
        return int(major), int(minor)


def is_binary(folder: Path) -> bool:
    """Tell whether a folder is that of a binary, by its having a manifest; the folder may be a link, the manifest not."""
    place = folder / MANIFEST
    return folder.is_dir() and place.is_file() and not filesystem.is_link(place)


def read_manifest(folder: Path) -> BinaryManifest:
    """Return what the manifest in a folder says.

    Its paths are texts that nobody has looked at.

    Raises:
        DamagedArtifactError: It cannot be used; ``details`` has what else is wrong, a line each.
        FilesystemError: It cannot be read.
    """
    found, problems = tried_manifest(folder)
    if found is None:
        first, *others = problems
        msg = f"{folder / MANIFEST} is no manifest of a binary: {first}"
        raise DamagedArtifactError(msg, hint=HINT, details="\n".join(others[:_SHOWN]))
    return found


def tried_manifest(folder: Path) -> tuple[BinaryManifest | None, list[str]]:
    """Return what the manifest in a folder says, else all that is wrong with its entries, a sentence each.

    Its paths are texts that nobody has looked at.

    Raises:
        DamagedArtifactError: It has no entries at all, or is of another format.
        FilesystemError: It cannot be read.
    """
    place = folder / MANIFEST
    with filesystem.explained("read", place), place.open("rb") as stream:
        data = stream.read(MOST + 1)
    if len(data) > MOST:
        msg = f"{place} is larger than {MOST >> 20} MB"
        raise DamagedArtifactError(msg, hint=HINT)
    try:
        content = strict_json.load(data)
        written = content.get("format") if isinstance(content, dict) else None
        if isinstance(written, int) and written != MANIFEST_FORMAT:
            msg = f"{place} has the format {str(written)[:40]}, and this version of pypackpack knows {MANIFEST_FORMAT}"
            raise DamagedArtifactError(msg, hint="Use the version of pypackpack that built it, or build it again.")
        facts = strict_json.table(content, _KEYS)
        if type(written) is not int:
            raise ValueError("its format is no number")  # noqa: TRY301 - explained below, as its like are
        listed, needed = strict_json.array(facts["files"]), strict_json.array(facts["dependencies"])
    except (ValueError, RecursionError) as error:
        msg = f"{place} is no manifest of a binary: {error}"
        raise DamagedArtifactError(msg, hint=HINT) from error
    problems: list[str] = []
    words = {key: _tried(read, facts[key], key, problems) or "" for key, read in _FACTS.items()}
    files = _read_all(_file, listed, "file", problems)
    others = _read_all(_dependency, needed, "dependency", problems)
    if problems:
        return None, problems
    found = BinaryManifest(
        place,
        len(data),
        filesystem.sha256_bytes(data),
        dependencies=tuple(others),
        files=tuple(files),
        **words,
    )
    return found, []


def _read_all(read: Callable[[object], _Made], data: list[object], what: str, problems: list[str]) -> list[_Made]:
    """Return what entries say, up to where too many have said nothing: a hostile manifest has millions."""
    found: list[_Made] = []
    for number, each in enumerate(data, 1):
        made = _tried(read, each, f"{what} {number}", problems)
        if made is not None:
            found.append(made)
        elif len(problems) > _MOST_PROBLEMS:
            break
    return found


def _tried(read: Callable[[object], _Made], data: object, what: str, problems: list[str]) -> _Made | None:
    """Return what an entry says; what is wrong with it is told, and there is nothing."""
    try:
        return read(data)
    except ValueError as error:
        problems.append(f"{what}: {error}")
        return None


def _one_of(kind: type[Level | BuildType]) -> Callable[[object], str]:
    names = tuple(each.value for each in kind)

    def read(data: object) -> str:
        if data not in names:
            msg = f"it is none of {', '.join(names)}"
            raise ValueError(msg)
        return str(data)

    return read


def _python(data: object) -> str:
    if not isinstance(data, str) or not _PYTHON.fullmatch(data):
        msg = "it is no version of Python such as 3.13.1"
        raise ValueError(msg)
    return data


def _path(data: object) -> str:
    if not isinstance(data, str) or len(data) > _MOST_PATH:
        msg = f"there is no path of at most {_MOST_PATH} letters where one should be"
        raise ValueError(msg)
    return data


def _file(data: object) -> ListedFile:
    found = strict_json.table(data, ("path", "sha256", "size"))
    return ListedFile(_path(found["path"]), strict_json.number(found["size"], _MOST_FILE), strict_json.sha256(found["sha256"]))


def _dependency(data: object) -> ListedDependency:
    found = strict_json.table(data, ("name", "version", "level"))
    return ListedDependency(strict_json.text(found["name"]), strict_json.text(found["version"]), _LEVEL(found["level"]))


_LEVEL: Final = _one_of(Level)
_FACTS: Final[dict[str, Callable[[object], str]]] = {
    "package": strict_json.text,
    "version": strict_json.text,
    "target": strict_json.text,
    "python": _python,
    "level": _LEVEL,
    "type": _one_of(BuildType),
    "pypackpack": strict_json.text,
}
"""What stands there besides the lists, as in `BinaryManifest`, with how it is read."""
_KEYS: Final = ("format", *_FACTS, "dependencies", "files")
