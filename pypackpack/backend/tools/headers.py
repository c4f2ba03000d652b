"""Header folders: CPython's own without pyconfig.h, and a pyconfig.h of a target.

``Python.h`` includes ``"pyconfig.h"``, and a compiler looks beside ``Python.h`` first. So the headers of a Python on this
machine are copied without theirs, once, and the target's lies in a folder of its own.
"""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.model.errors import FilesystemError, MissingToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pypackpack.model.interpreter import Interpreter

FOLDER = "headers-v2"
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class HeaderFolder:
    """A folder of headers in the user's cache, and the digest of all that it holds."""

    path: Path
    digest: str


def python_headers(python: Interpreter, cache: Path, *, look: bool = False) -> HeaderFolder:
    """Return the headers of an interpreter without its ``pyconfig.h``, copied into the cache on first use.

    Args:
        python: The interpreter.
        cache: The user's cache.
        look: Write nothing: the folder may not be there then.

    Raises:
        MissingToolError: The interpreter came without headers.
    """
    # What an interpreter said is remembered; its headers may have been uninstalled since.
    if not python.has_headers or not (python.include / "Python.h").is_file():
        series = f"{python.version[0]}.{python.version[1]}"
        msg = f"the Python {series} at {python.executable} has no C headers, which compiling needs"
        hint = f"Install its development package (Debian: python{series}-dev), or take uv's own: uv python install {series}"
        raise MissingToolError(msg, hint=hint)
    marks = [python.include, *(python.include / name for name in ("Python.h", "patchlevel.h", "pyconfig.h"))]
    stamp = filesystem.sha256_bytes(
        json.dumps([str(python.include), python.version, [_mark(path) for path in marks]], default=str)
    )
    return _noted(stamp, lambda: _copied(python.include, cache, look=look), cache, look=look)


def installed_folder(folder: Path, record: Path, cache: Path, *, look: bool = False) -> HeaderFolder:
    """Return the copy of a folder of C files that an installed distribution brought, made in the cache on first use.

    Args:
        folder: The folder.
        record: The file that changes when another version is installed (`distributions.Installed.record`).
        cache: The user's cache.
        look: Write nothing.
    """
    stamp = filesystem.sha256_bytes(json.dumps([str(folder), _mark(folder), _mark(record)]))
    return _noted(stamp, lambda: _copied(folder, cache, look=look), cache, look=look)


def internal_headers(python: Interpreter) -> dict[str, str]:
    """Return an interpreter's internal headers: path below the include folder, with ``/`` → text."""
    found = filesystem.files_below(python.include / "internal")
    return {path.relative_to(python.include).as_posix(): path.read_text(encoding="utf-8") for path in found}


def _copied(include: Path, cache: Path, *, look: bool) -> HeaderFolder:
    """Return the copy of a folder of headers, all but ``pyconfig.h``."""
    files = [path for path in filesystem.files_below(include) if path.name != "pyconfig.h"]
    relative = {path.relative_to(include).as_posix(): path for path in files}
    digest = _digest({name: filesystem.sha256_file(path) for name, path in relative.items()})

    def fill(folder: Path) -> None:
        for name, path in relative.items():
            filesystem.fill_file(folder / name, path)

    return _made(digest, fill, cache, look=look)


def _digest(listing: Mapping[str, str]) -> str:
    """Return the digest of a folder by the digests of its files."""
    return filesystem.sha256_bytes(json.dumps(sorted(listing.items())))


def is_whole(folder: HeaderFolder) -> bool:
    """Tell whether a folder holds what its digest says; to be asked before a compiler believes in it.

    A power cut leaves empty files behind, and to a compiler a missing header is the fault of the source.
    """
    try:
        files = {path.relative_to(folder.path).as_posix(): path for path in filesystem.files_below(folder.path)}
        return folder.digest == _digest({name: filesystem.sha256_file(path) for name, path in files.items()})
    except FilesystemError:
        return False


def throw_away(folder: HeaderFolder) -> None:
    """Remove a damaged folder, so that the next call for it makes it again."""
    filesystem.remove_tree(folder.path)


def _made(digest: str, fill: Callable[[Path], None], cache: Path, *, look: bool) -> HeaderFolder:
    """Return the folder of that digest, filled if it is not there."""
    place = cache / FOLDER / digest
    if not look and not place.is_dir():
        with filesystem.scratch_folder(cache / FOLDER) as scratch:
            fill(scratch / "new")
            filesystem.remove_tree(place)  # what is there and no folder is damage
            filesystem.make_once(place, scratch / "new")
    return HeaderFolder(place, digest)


def _noted(stamp: str, make: Callable[[], HeaderFolder], cache: Path, *, look: bool) -> HeaderFolder:
    """Return the folder that a note has for a stamp; without a note that can be believed, make folder and note."""
    note = cache / FOLDER / "known" / stamp
    with contextlib.suppress(OSError, ValueError):
        digest = note.read_text().strip()
        place = cache / FOLDER / digest
        if _SHA256.fullmatch(digest) and place.is_dir():
            return HeaderFolder(place, digest)
    folder = make()
    if look:
        return folder
    if note.is_dir():
        filesystem.remove_tree(note)
    filesystem.write_atomic(note, folder.digest)
    return folder


def _mark(path: Path) -> list[int]:
    try:
        facts = path.stat()
    except OSError:
        return []
    return [facts.st_size, facts.st_mtime_ns, facts.st_ino]


def text_folder(files: dict[str, str], cache: Path, *, look: bool = False) -> HeaderFolder:
    """Return a folder that holds just these files (name → text), made in the cache on first use (never, with ``look``)."""

    def fill(folder: Path) -> None:
        for name, text in files.items():
            filesystem.write_scratch(folder / name, text.encode())

    return _made(_digest({name: filesystem.sha256_bytes(text) for name, text in files.items()}), fill, cache, look=look)


def noted_folder(
    facts: str, sources: tuple[Path, ...], make: Callable[[], dict[str, str]], cache: Path, *, look: bool = False
) -> HeaderFolder:
    """Return the folder of the header files that ``make`` gives; while nothing changed, without calling it.

    Args:
        facts: What decides the files besides the content of ``sources``.
        sources: The code and the data that make them, known by size and time of change.
        make: Gives the files (name → text); costs more than all else that a build with nothing to do does.
        cache: The user's cache.
        look: Write nothing.
    """
    stamp = filesystem.sha256_bytes(json.dumps([facts, *([str(path), _mark(path)] for path in sources)]))
    return _noted(stamp, lambda: text_folder(make(), cache, look=look), cache, look=look)


def emscripten_overlay() -> dict[str, str]:
    """Return the header files in which Emscripten's C library differs from the musl headers that zig has (path → text)."""
    root = Path(__file__).parent.parent.parent / "data" / "emscripten"
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in filesystem.files_below(root)}
