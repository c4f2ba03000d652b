"""What is installed in a site-packages folder, as it may go to another machine.

An installer leaves notes about the machine beside the files: who installed it and from where, byte code with the path
of its source, scripts that name an interpreter, links to source folders. They stay here, and so does ``RECORD``: whoever
bundles writes it anew from what goes along, so that ``importlib.metadata`` still tells the truth.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.backend.records import record_rows
from pypackpack.client import strict_json
from pypackpack.model.errors import WorkError
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

NOBODY = "the environment"
SCRIPTS = "pypackpack_scripts.json"
"""In the metadata folders of an environment of a target: names of the commands that were taken out of it."""
_INFO = ".dist-info"
# https://packaging.python.org/specifications/recording-installed-packages/; the uv_ files hold times.
_NOTES = frozenset(
    {"RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json", SCRIPTS}
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
        place: Where it is.
        executable: Whether it is a program.
        rewritten: Its bytes, where they are not those on disk.
    """

    path: str
    owner: str
    sha256: str
    size: int
    place: Path
    executable: bool = False
    rewritten: bytes | None = None


@dataclass(frozen=True)
class Distribution:
    """A distribution that goes along.

    Attributes:
        name: As its metadata folder has it.
        version: As well.
        info: The name of its metadata folder.
        files: Its files but for ``RECORD``, sorted by path.
        recorded: Whether it has a ``RECORD`` that lists them.
        shared: Those of the paths that other distributions have, too.
        made: What was made of its modules: path → SHA-256; these are not among ``files``.
        level: How far its code is compiled.
        scripts: File names of its commands, which no environment of a target has.
        left: Its ``.pth`` files that lead out of the environment: they do not go along.
    """

    name: str
    version: str
    info: str
    files: tuple[InstalledFile, ...]
    recorded: bool = True
    shared: frozenset[str] = frozenset()
    made: Mapping[str, str] = field(default_factory=dict)
    level: str = "instant"
    scripts: tuple[str, ...] = ()
    left: tuple[InstalledFile, ...] = ()

    @property
    def label(self) -> str:
        """Name and version, for people."""
        return f"{self.name} {self.version}".strip()


@dataclass(frozen=True)
class Installed:
    """What goes along: distributions, sorted by name, and files that belong to none."""

    distributions: tuple[Distribution, ...] = ()
    loose: tuple[InstalledFile, ...] = ()

    @property
    def files(self) -> dict[str, InstalledFile]:
        """Every file that is copied, by its path; ``RECORD`` is not among them."""
        found = {file.path: file for item in self.distributions for file in item.files} | {file.path: file for file in self.loose}
        return {path: found[path] for path in sorted(found)}


@dataclass(frozen=True)
class _Listed:
    """A distribution as it is installed: what it calls itself, its metadata folder, and path → hash of the files it lists."""

    name: str
    version: str
    info: str
    listed: Mapping[str, str]

    @property
    def label(self) -> str:
        return f"{self.name} {self.version}".strip()

    def has(self, path: str) -> bool:
        return path in self.listed or path.startswith(f"{self.info}/")


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
    left: dict[str, InstalledFile] = {}
    for file in filesystem.files_below(folder, installed=True):
        path = file.relative_to(folder).as_posix()
        if path in unwanted or path.startswith(hidden) or _stays(path, folder):
            continue
        owner = owners.get(path) or next((item.label for item in kept if path.startswith(f"{item.info}/")), NOBODY)
        away = path.endswith(".pth") and "/" not in path and _points_away(file)
        if away and (owner == NOBODY or _starts_editable(file)):
            continue
        with filesystem.explained("read", file):
            size = file.stat().st_size
        found = InstalledFile(path, owner, digest(file), size, file, filesystem.is_executable(file))
        (left if away else files)[path] = found
    _check_complete(folder, kept, files)
    count = Counter(path for item in kept for path in item.listed)
    shared = frozenset(path for path, times in count.items() if times > 1)
    every_one = [
        Distribution(
            item.name,
            item.version,
            item.info,
            tuple(files[path] for path in sorted(files) if item.has(path)),
            recorded=bool(item.listed),
            shared=frozenset(item.listed.keys() & shared),
            scripts=scripts_of(folder / item.info),
            left=tuple(left[path] for path in sorted(left) if item.has(path)),
        )
        for item in sorted(kept, key=lambda item: (item.name, item.version))
    ]
    loose = tuple(files[path] for path in sorted(files) if not any(item.has(path) for item in kept))
    return Installed(tuple(every_one), loose)


def note_scripts(info: Path, names: Collection[str]) -> None:
    """Note in a distribution's metadata folder which commands were taken out of the environment."""
    filesystem.fill_file(info / SCRIPTS, json.dumps(sorted(names)).encode())


def scripts_of(info: Path) -> tuple[str, ...]:
    """Return which commands were taken out of the environment, by the note in a distribution's metadata folder.

    Raises:
        WorkError: The note is damaged.
    """
    if not (info / SCRIPTS).is_file():
        return ()
    try:
        return tuple(map(str, strict_json.array(strict_json.load(filesystem.read_bytes(info / SCRIPTS)))))
    except ValueError as error:
        msg = f"{info / SCRIPTS} is damaged: {error}"
        raise WorkError(msg, hint="Remove the environment's folder, and synchronise the package again.") from error


def _distribution(info: Path) -> _Listed:
    name, _, version = info.name.removesuffix(_INFO).partition("-")
    listed: dict[str, str] = {}
    record_file = info / "RECORD"
    if record_file.is_file():
        for row in record_rows(filesystem.read_bytes(record_file), record_file):
            path = row[0].replace("\\", "/")
            if _inside(path):
                listed[path] = row[1] if len(row) > 1 else ""
    return _Listed(name, version, info.name, listed)


def _inside(path: str) -> bool:
    """Tell whether a row of RECORD is about a file in site-packages that an importer looks at."""
    parts = path.split("/")
    return not (
        ".." in parts or "__pycache__" in parts or PurePosixPath(path).is_absolute() or PureWindowsPath(path).is_absolute()
    )


def _owners(distributions: list[_Listed]) -> dict[str, str]:
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


def _stays(path: str, folder: Path) -> bool:
    """Tell whether a file is about this machine."""
    top, slash, rest = path.partition("/")
    if not slash:
        return top in _LEFTOVERS or _EDITABLE.match(top) is not None
    if top.endswith(_INFO):
        return rest in _NOTES
    return top in _SCRIPTS and not (folder / top / "__init__.py").is_file()


def _starts_editable(pth: Path) -> bool:
    """Tell whether a .pth starts the finder of an editable install."""
    lines = filesystem.read_bytes(pth).decode(errors="replace").splitlines()
    return any(line.strip().startswith(("import ", "import\t")) and _EDITABLE.search(line) for line in lines)


def _points_away(pth: Path) -> bool:
    """Tell whether a .pth leads out of the folder, or starts the finder of an editable install."""
    if _starts_editable(pth):
        return True
    for line in filesystem.read_bytes(pth).decode(errors="replace").splitlines():
        text = line.strip()
        if text.startswith(("import ", "import\t")):
            continue
        if PurePosixPath(text).is_absolute() or PureWindowsPath(text).is_absolute() or text.startswith(".."):
            return True
    return False


def _check_complete(folder: Path, distributions: list[_Listed], files: Mapping[str, InstalledFile]) -> None:
    for item in distributions:
        for path in item.listed:
            if path not in files and not (folder / path).exists():
                msg = f"{item.label} is not whole in {folder}: {path} is gone"
                raise WorkError(msg, hint="Bring the environment up to date with the package's sync command and build again.")
