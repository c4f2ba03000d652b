"""Header folders: CPython's own without pyconfig.h, and a pyconfig.h of a target.

``Python.h`` includes ``"pyconfig.h"``, and a compiler looks beside ``Python.h`` first. So the headers of a Python on this
machine are copied without theirs, once, and the target's lies in a folder of its own.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.model.errors import MissingToolError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pypackpack.model.interpreter import Interpreter

FOLDER = "headers-v1"


@dataclass(frozen=True)
class HeaderFolder:
    """A folder of headers in the user's cache, and the digest of all that it holds."""

    path: Path
    digest: str


def python_headers(python: Interpreter, cache: Path) -> HeaderFolder:
    """Return the headers of an interpreter without its ``pyconfig.h``, copied into the cache on first use.

    Raises:
        MissingToolError: The interpreter came without headers.
    """
    if not python.has_headers:
        series = f"{python.version[0]}.{python.version[1]}"
        msg = f"the Python {series} at {python.executable} has no C headers, which compiling needs"
        hint = f"Install its development package (Debian: python{series}-dev), or take uv's own: uv python install {series}"
        raise MissingToolError(msg, hint=hint)
    marks = [python.include, *(python.include / name for name in ("Python.h", "patchlevel.h", "pyconfig.h"))]
    stamp = filesystem.sha256_bytes(
        json.dumps([str(python.include), python.version, [_mark(path) for path in marks]], default=str)
    )
    note = cache / FOLDER / "known" / stamp
    if note.is_file():
        digest = note.read_text().strip()
        place = cache / FOLDER / digest
        if place.is_dir():
            return HeaderFolder(place, digest)
    files = [path for path in filesystem.files_below(python.include) if path.name != "pyconfig.h"]
    relative = [path.relative_to(python.include).as_posix() for path in files]
    listing = [[name, filesystem.sha256_file(path)] for name, path in zip(relative, files, strict=True)]
    digest = filesystem.sha256_bytes(json.dumps(listing))
    place = cache / FOLDER / digest
    if not place.is_dir():
        with filesystem.scratch_folder(cache / FOLDER) as scratch:
            for name, path in zip(relative, files, strict=True):
                (scratch / "new" / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, scratch / "new" / name)
            filesystem.make_once(place, scratch / "new")
    filesystem.write_atomic(note, digest)
    return HeaderFolder(place, digest)


def _mark(path: Path) -> list[int]:
    try:
        facts = path.stat()
    except OSError:
        return []
    return [facts.st_size, facts.st_mtime_ns, facts.st_ino]


def text_folder(files: dict[str, str], cache: Path) -> HeaderFolder:
    """Return a folder that holds just these files (name → text), made in the cache on first use."""
    digest = filesystem.sha256_bytes(json.dumps(sorted(files.items())))
    place = cache / FOLDER / digest
    if not place.is_dir():
        with filesystem.scratch_folder(cache / FOLDER) as scratch:
            for name, text in files.items():
                filesystem.write_scratch(scratch / "new" / name, text.encode())
            filesystem.make_once(place, scratch / "new")
    return HeaderFolder(place, digest)


def noted_folder(facts: str, sources: tuple[Path, ...], make: Callable[[], dict[str, str]], cache: Path) -> HeaderFolder:
    """Return the folder of the header files that ``make`` gives; while nothing changed, without calling it.

    Args:
        facts: What decides the files besides the content of ``sources``.
        sources: The code and the data that make them, known by size and time of change.
        make: Gives the files (name → text); costs more than all else that a build with nothing to do does.
        cache: The user's cache.
    """
    stamp = filesystem.sha256_bytes(json.dumps([facts, *([str(path), _mark(path)] for path in sources)]))
    note = cache / FOLDER / "known" / stamp
    with contextlib.suppress(OSError):
        digest = note.read_text().strip()
        place = cache / FOLDER / digest
        if digest and place.is_dir():
            return HeaderFolder(place, digest)
    folder = text_folder(make(), cache)
    filesystem.write_atomic(note, folder.digest)
    return folder


def emscripten_overlay() -> dict[str, str]:
    """Return the header files in which Emscripten's C library differs from the musl headers that zig has (path → text)."""
    root = Path(__file__).parent.parent.parent / "data" / "emscripten"
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in filesystem.files_below(root)}
