"""What is installed in a site-packages folder, as it may go to another machine.

An installer leaves notes about the machine beside the files: who installed it and from where, byte code with the path
of its source, scripts that name an interpreter, links to source folders. They stay here; ``RECORD`` is written anew
from what goes along, so that ``importlib.metadata`` still tells the truth.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.middleware.bundle.wheel import record, record_hash
from pypackpack.model.errors import WorkError
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

NOBODY = "the environment"
_INFO = ".dist-info"
# https://packaging.python.org/specifications/recording-installed-packages/; the uv_ files hold times.
_NOTES = frozenset(
    {"RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json"}
)
_LEFTOVERS = frozenset({".lock", ".gitignore", "CACHEDIR.TAG", "_virtualenv.py", "_virtualenv.pth"})
_EDITABLE = re.compile(r"__editable__|_editable_impl_|__editables_")
_SCRIPTS = ("bin", "Scripts")


@dataclass(frozen=True)
class InstalledFile:
    """A file that goes along.

    Attributes:
        path: Relative to site-packages, with ``/``.
        owner: The distribution, as ``numpy 2.1.0``.
        sha256: Hex digest.
        size: Bytes.
        content: Its bytes, or where they are.
        executable: Whether it is a program.
    """

    path: str
    owner: str
    sha256: str
    size: int
    content: bytes | Path
    executable: bool = False


@dataclass(frozen=True)
class Installed:
    """The files that go along, sorted by path, and name and version of each distribution."""

    files: tuple[InstalledFile, ...]
    distributions: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Distribution:
    """A distribution: what it calls itself, its metadata folder, and path → hash of the files it lists."""

    name: str
    version: str
    info: str
    listed: Mapping[str, str]

    @property
    def label(self) -> str:
        return f"{self.name} {self.version}".strip()


def installed_in(folder: Path, digest: Callable[[Path], str], *, leave_out: Collection[str] = ()) -> Installed:
    """Read a site-packages folder.

    Args:
        folder: The folder.
        digest: Hashes a file.
        leave_out: Normalised names of distributions that do not go along (the project's own, installed for development).

    Raises:
        WorkError: Two distributions list one path with different contents, so that the last one installed won; or a
            listed file is gone.
        FilesystemError: A file cannot be read.
    """
    every = [_distribution(path) for path in sorted(folder.glob(f"*{_INFO}")) if path.is_dir()]
    kept = [item for item in every if normalise(item.name) not in leave_out]
    unwanted = {path for item in every if item not in kept for path in item.listed} - {
        path for item in kept for path in item.listed
    }
    hidden = tuple(f"{item.info}/" for item in every if item not in kept)
    owners = _owners(kept)
    files: dict[str, InstalledFile] = {}
    for file in filesystem.files_below(folder, installed=True):
        path = file.relative_to(folder).as_posix()
        if path in unwanted or path.startswith(hidden) or _stays(path, file, folder):
            continue
        owner = owners.get(path) or next((item.label for item in kept if path.startswith(f"{item.info}/")), NOBODY)
        with filesystem.explained("read", file):
            size = file.stat().st_size
        files[path] = InstalledFile(path, owner, digest(file), size, file, filesystem.is_executable(file))
    _check_complete(folder, kept, files)
    for item in kept:
        if item.listed:
            note = _record(item, files)
            files[note.path] = note
    names = sorted((item.name, item.version) for item in kept)
    return Installed(tuple(files[path] for path in sorted(files)), tuple(names))


def _distribution(info: Path) -> _Distribution:
    name, _, version = info.name.removesuffix(_INFO).partition("-")
    listed: dict[str, str] = {}
    record_file = info / "RECORD"
    if record_file.is_file():
        for row in csv.reader(filesystem.read_bytes(record_file).decode(errors="replace").splitlines()):
            if not row:
                continue
            path = row[0].replace("\\", "/")
            if _inside(path):
                listed[path] = row[1] if len(row) > 1 else ""
    return _Distribution(name, version, info.name, listed)


def _inside(path: str) -> bool:
    """Tell whether a row of RECORD is about a file in site-packages that an importer looks at."""
    parts = path.split("/")
    return not (
        ".." in parts or "__pycache__" in parts or PurePosixPath(path).is_absolute() or PureWindowsPath(path).is_absolute()
    )


def _owners(distributions: list[_Distribution]) -> dict[str, str]:
    """Return path → label; the same file in two distributions (an empty ``__init__.py``) belongs to the first."""
    owners: dict[str, str] = {}
    hashes: dict[str, str] = {}
    for item in distributions:
        for path, value in item.listed.items():
            other = owners.setdefault(path, item.label)
            known = hashes.setdefault(path, value)
            if other != item.label and known and value and known != value:
                msg = f"{other} and {item.label} both install {path!r}, with different contents"
                raise WorkError(msg, hint="Only one of them can be there: remove one of the two, or use another version of it.")
    return owners


def _stays(path: str, file: Path, folder: Path) -> bool:
    """Tell whether a file is about this machine."""
    top, slash, rest = path.partition("/")
    if not slash:
        return top in _LEFTOVERS or _EDITABLE.match(top) is not None or (top.endswith(".pth") and _points_away(file))
    if top.endswith(_INFO):
        return rest in _NOTES
    return top in _SCRIPTS and not (folder / top / "__init__.py").is_file()


def _points_away(pth: Path) -> bool:
    """Tell whether a .pth names a folder of this machine, or starts the finder of an editable install."""
    for line in filesystem.read_bytes(pth).decode(errors="replace").splitlines():
        text = line.strip()
        if text.startswith(("import ", "import\t")):
            if _EDITABLE.search(text):
                return True
        elif PurePosixPath(text).is_absolute() or PureWindowsPath(text).is_absolute() or text.startswith(".."):
            return True
    return False


def _check_complete(folder: Path, distributions: list[_Distribution], files: Mapping[str, InstalledFile]) -> None:
    for item in distributions:
        for path in item.listed:
            if path not in files and not (folder / path).exists():
                msg = f"{item.label} is not whole in {folder}: {path} is gone"
                raise WorkError(msg, hint="Bring the environment up to date with the package's sync command and build again.")


def _record(item: _Distribution, files: Mapping[str, InstalledFile]) -> InstalledFile:
    place = f"{item.info}/RECORD"
    mine = sorted(path for path in files if path in item.listed or path.startswith(f"{item.info}/"))
    rows = [(path, record_hash(bytes.fromhex(files[path].sha256)), str(files[path].size)) for path in mine]
    data = record([*rows, (place, "", "")])
    return InstalledFile(place, item.label, filesystem.sha256_bytes(data), len(data), data)
