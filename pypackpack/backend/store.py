"""The content-addressed store in the user's cache: blobs by digest, action results by key.

Layout, versioned by the folder's name::

    store-v1/cas/<2 hex>/<sha256>        a blob
    store-v1/ac/<2 hex>/<key>.json       an action result: outputs (name → digest) and facts

Every write is a rename of a finished file, so any number of builds may use one store at once. A blob is checked
against its digest whenever it is read: a damaged one is thrown away and counts as missing.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.model.action import ActionResult

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = "store-v1"
RACY_NANOSECONDS = 2_000_000_000
"""A file changed more recently than this is hashed again: within the clock's resolution a second change would not show."""


class _DamagedError(Exception):
    """A blob is not what its name says."""


def _expect(digest: str, found: str) -> None:
    if found != digest:
        raise _DamagedError


class Store:
    """Blobs and action results below one folder."""

    def __init__(self, cache: Path | None = None) -> None:
        self.root = (cache or filesystem.cache_folder()) / VERSION
        self._cas = str(self.root / "cas")
        self._ac = str(self.root / "ac")

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """Give a folder on the store's own file system, removed at the end."""
        with filesystem.scratch_folder(self.root / "tmp") as folder:
            yield folder

    def _blob(self, digest: str) -> str:
        return f"{self._cas}/{digest[:2]}/{digest}"

    def put(self, data: bytes) -> str:
        """Keep bytes and return their digest."""
        digest = filesystem.sha256_bytes(data)
        self._write(self._blob(digest), data)
        return digest

    def put_file(self, path: Path) -> str:
        """Keep a copy of a file's content and return its digest."""
        return self.put(filesystem.read_bytes(path))

    def adopt(self, path: Path, digest: str) -> None:
        """Take a finished file out of a folder of `scratch` as the blob of that digest, which its writer knows already."""
        place = Path(self._blob(digest))
        with filesystem.explained("write to the cache", place):
            place.parent.mkdir(parents=True, exist_ok=True)
            filesystem.replace(path, place)

    def _write(self, place: str, data: bytes) -> None:
        """Write without waiting for the disk: what a power cut damages is noticed at reading."""
        folder = os.path.dirname(place)  # noqa: PTH120 - hot path, strings on purpose
        with filesystem.explained("write to the cache", Path(place)):
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - hot path
            aside = f"{folder}/.new-{os.urandom(8).hex()}"
            try:
                with open(aside, "xb") as stream:  # noqa: PTH123 - hot path
                    stream.write(data)
                filesystem.replace(aside, place)
            except BaseException:
                Path(aside).unlink(missing_ok=True)
                raise

    def has(self, digest: str) -> bool:
        """Tell whether a blob of that digest lies there (its content is checked when it is read)."""
        return os.path.exists(self._blob(digest))  # noqa: PTH110 - hot path

    def read(self, digest: str) -> bytes | None:
        """Return a blob, or None when it is not there or damaged (then it is removed, and so is every other damaged blob)."""
        place = self._blob(digest)
        try:
            with open(place, "rb") as stream:  # noqa: PTH123 - hot path
                data = stream.read()
        except FileNotFoundError:
            return None
        if filesystem.sha256_bytes(data) != digest:
            self._sweep()
            return None
        return data

    def copy(self, digest: str, place: Path) -> bool:
        """Put a copy of a blob at a place, never all of it in memory; False when the blob is not there or damaged (as `read`).

        Raises:
            FilesystemError: The place cannot be written; what was there is untouched.
        """
        try:
            source = open(self._blob(digest), "rb")  # noqa: PTH123, SIM115 - as above; closed below
        except FileNotFoundError:
            return False
        try:
            with source, filesystem.atomic_stream(place) as stream:
                _expect(digest, filesystem.copy_stream(source, stream))
        except _DamagedError:
            self._sweep()
            return False
        return True

    def _sweep(self) -> None:
        """Remove every damaged blob: what damaged one (a power cut) has damaged more, and the next build needs them whole."""
        for path in Path(self._cas).glob("*/*"):
            with contextlib.suppress(OSError):
                if not path.name.startswith(".") and filesystem.sha256_bytes(path.read_bytes()) != path.name:
                    path.unlink()

    def result(self, key: str) -> ActionResult | None:
        """Return the result recorded for a key if all its blobs are there."""
        try:
            with open(f"{self._ac}/{key[:2]}/{key}.json", "rb") as stream:  # noqa: PTH123 - hot path
                raw = json.loads(stream.read())
            outputs = {str(name): str(digest) for name, digest in raw["outputs"].items()}
            facts = {str(name): str(value) for name, value in raw["facts"].items()}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            return None  # a damaged entry is as good as none: the task runs again and writes it anew
        if not all(self.has(digest) for digest in outputs.values()):
            return None
        return ActionResult(outputs, facts)

    def record(self, key: str, result: ActionResult) -> None:
        """Remember what a key's task left behind."""
        text = json.dumps({"outputs": dict(result.outputs), "facts": dict(result.facts)}, sort_keys=True)
        self._write(f"{self._ac}/{key[:2]}/{key}.json", text.encode())


class FileDigests:
    """Digests of source files, remembered by path, size, modification time and inode.

    One JSON file per project in the user's cache; losing it costs time, never a wrong result.
    """

    def __init__(self, cache: Path, project: Path) -> None:
        self._place = cache / "digests-v1" / f"{filesystem.sha256_bytes(os.fspath(project))[:32]}.json"
        self._known: dict[str, list[int | str]] = {}
        self._planned: dict[str, tuple[str, int]] = {}
        self._changed = False
        with contextlib.suppress(OSError, ValueError):
            loaded = json.loads(self._place.read_bytes())
            if isinstance(loaded, dict):
                self._known = loaded

    def digest(self, path: str | os.PathLike[str]) -> str:
        """Return the SHA-256 of a file's content, without reading it when nothing about it changed.

        Raises:
            FilesystemError: It cannot be read, or changes while it is read.
        """
        name = os.fspath(path)
        with filesystem.explained("read", Path(name)):
            facts = os.stat(name)  # noqa: PTH116 - hot path
        mark: list[int | str] = [facts.st_size, facts.st_mtime_ns, facts.st_ino]
        known = self._known.get(name)
        if known is not None and known[:3] == mark:
            return str(known[3])
        digest = filesystem.sha256_file(Path(name))
        self._known.pop(name, None)
        self._changed = True
        if time.time_ns() - facts.st_mtime_ns > RACY_NANOSECONDS:
            self._known[name] = [*mark, digest]
        return digest

    def planned(self, path: str | os.PathLike[str]) -> tuple[str, int]:
        """Return the SHA-256 and the size of a source as they were when this was first asked: what a build goes by to its end.

        Raises:
            FilesystemError: It cannot be read, or changes while it is read.
        """
        name = os.fspath(path)
        found = self._planned.get(name)
        if found is None:
            digest = self.digest(name)
            with filesystem.explained("read", Path(name)):
                found = self._planned[name] = (digest, os.path.getsize(name))  # noqa: PTH202 - hot path
        return found

    def save(self) -> None:
        """Write what was learnt; a cache, so that an unwritable one is no error."""
        if self._changed:
            with contextlib.suppress(Exception):
                filesystem.write_atomic(self._place, json.dumps(self._known))
