"""The content-addressed store in the user's cache: blobs by digest, action results by key.

Layout, versioned by the folder's name::

    store-v2/cas/<2 hex>/<sha256>                    a blob
    store-v2/ac/<2 hex>/<key>.json                   an action result: outputs (name → digest) and facts
    store-v2/signed/<signer>/<2 hex>/<key>.json      one that came from a remote cache

Every write is a rename of a finished file, so any number of builds may use one store at once. A blob is checked
against its digest whenever it is read: a damaged one is thrown away and counts as missing.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pypackpack.backend import filesystem
from pypackpack.model.action import ActionResult
from pypackpack.model.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

VERSION = "store-v2"
RACY_NANOSECONDS = 2_000_000_000
"""A file changed more recently than this is hashed again: within the clock's resolution a second change would not show."""
FRESH_SECONDS = 3600.0
READINGS = 5
"""So many times a file is read that changes while it is."""


class _DamagedError(Exception):
    """A blob is not what its name says."""


def _expect(digest: str, found: str) -> None:
    if found != digest:
        raise _DamagedError


class Far(Protocol):
    """Where blobs may be had that are not on this machine: a remote cache."""

    @property
    def reachable(self) -> bool:
        """Whether it answers at all."""

    def expect(self, sizes: Mapping[str, int]) -> bool:
        """Take note of blobs that a signed result named, with their sizes: only these are ever asked for.

        Returns:
            False when one of them could not be had before.
        """

    def fetch(self, digest: str) -> bytes | None:
        """Return a blob that has this digest, or None."""


class Store:
    """Blobs and action results below one folder.

    Results that were signed elsewhere lie apart, by who signed them: a project that trusts somebody must not make other
    projects on this machine believe him.
    """

    def __init__(self, cache: Path | None = None, *, signers: Sequence[str] = (), far: Far | None = None) -> None:
        """Open the store of a cache folder.

        Args:
            cache: The user's cache folder.
            signers: Whose results are believed besides our own (names of their keys).
            far: Where blobs of such results may be had.
        """
        self.root = (cache or filesystem.cache_folder()) / VERSION
        self._cas = str(self.root / "cas")
        self._ac = str(self.root / "ac")
        self._signed = [(signer, f"{self.root}/signed/{signer}") for signer in signers]
        self._far = far

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
        """Return a blob, or None when it cannot be had; a damaged one is removed, so that whatever made it makes it again."""
        place = self._blob(digest)
        try:
            with open(place, "rb") as stream:  # noqa: PTH123 - hot path
                data = stream.read()
        except FileNotFoundError:
            return self._from_far(digest)
        if filesystem.sha256_bytes(data) != digest:
            self._throw_away(digest)
            return self._from_far(digest)
        return data

    def _from_far(self, digest: str) -> bytes | None:
        data = self._far.fetch(digest) if self._far is not None else None
        if data is not None:
            self._write(self._blob(digest), data)
        return data

    def _throw_away(self, digest: str) -> None:
        with contextlib.suppress(OSError):
            os.unlink(self._blob(digest))  # noqa: PTH108 - strings on purpose

    def copy(self, digest: str, place: Path) -> bool:
        """Put a copy of a blob at a place, never all of it in memory; False when the blob cannot be had (as `read`).

        Raises:
            FilesystemError: The place cannot be written; what was there is untouched.
        """
        if not self.has(digest) and self._from_far(digest) is None:
            return False
        try:
            source = open(self._blob(digest), "rb")  # noqa: PTH123, SIM115 - as above; closed below
        except FileNotFoundError:
            return False
        try:
            with source, filesystem.atomic_stream(place) as stream:
                _expect(digest, filesystem.copy_stream(source, stream))
        except _DamagedError:
            self._throw_away(digest)
            return False
        return True

    def drop_damaged(self, digests: Iterable[str]) -> int:
        """Throw away those of some blobs that are damaged and return how many: what damaged one (a power cut) damaged more."""
        damaged = 0
        for digest in digests:
            with contextlib.suppress(FileNotFoundError):
                if filesystem.sha256_bytes(Path(self._blob(digest)).read_bytes()) != digest:
                    self._throw_away(digest)
                    damaged += 1
        return damaged

    def result(self, key: str) -> ActionResult | None:
        """Return the result recorded for a key if all its blobs can be had."""
        found = self._load(f"{self._ac}/{key[:2]}/{key}.json")
        if found is not None and all(self.has(digest) for digest in found[0].outputs.values()):
            return found[0]
        for _, folder in self._signed:
            found = self._load(f"{folder}/{key[:2]}/{key}.json")
            if found is not None and self._can_have(*found):
                return found[0]
        return None

    def _can_have(self, result: ActionResult, sizes: Mapping[str, int]) -> bool:
        """Tell whether each output of a signed result is here, or can be fetched."""
        missing = [digest for digest in result.outputs.values() if not self.has(digest)]
        if missing:
            if self._far is None or not self._far.reachable or not all(digest in sizes for digest in missing):
                return False
            return self._far.expect({digest: sizes[digest] for digest in missing})
        return True

    @staticmethod
    def _load(place: str) -> tuple[ActionResult, dict[str, int]] | None:
        try:
            with open(place, "rb") as stream:  # noqa: PTH123 - hot path
                raw = json.loads(stream.read())
                _keep_fresh(stream.fileno(), place)
            outputs = {str(name): str(digest) for name, digest in raw["outputs"].items()}
            facts = {str(name): str(value) for name, value in raw["facts"].items()}
            sizes = {str(digest): int(size) for digest, size in raw.get("sizes", {}).items()}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            return None  # a damaged entry is as good as none: the task runs again and writes it anew
        return ActionResult(outputs, facts), sizes

    def record(self, key: str, result: ActionResult, *, signer: str = "", sizes: Mapping[str, int] | None = None) -> None:
        """Remember what a key's task left behind.

        Args:
            key: The key.
            result: What it left behind.
            signer: Who signed it; empty for what was made on this machine.
            sizes: Bytes of each output by digest, for outputs that are not here yet.
        """
        document: dict[str, object] = {"outputs": dict(result.outputs), "facts": dict(result.facts)}
        if sizes:
            document["sizes"] = dict(sizes)
        folder = next((folder for name, folder in self._signed if name == signer), self._ac)
        if folder == self._ac and signer:
            msg = f"nobody trusts {signer}"
            raise ValueError(msg)
        self._write(f"{folder}/{key[:2]}/{key}.json", json.dumps(document, sort_keys=True).encode())


def _keep_fresh(handle: int, place: str) -> None:
    """Let the time of an entry say when it was last used, to the hour: what was not used for long is pruned first."""
    if time.time() - os.fstat(handle).st_mtime > FRESH_SECONDS:
        with contextlib.suppress(OSError):
            os.utime(place)


class FileDigests:
    """Digests of source files, remembered by path, size, times and inode.

    One JSON file per project in the user's cache; losing it costs time, never a wrong result. What cannot be told apart by
    these marks is not remembered: a file that changed within the clock's resolution, or has a time that is still to come; and
    nothing is believed that was remembered at a time that is still to come, for then the clock was set back.
    """

    def __init__(self, cache: Path, project: Path, *, clock: Callable[[], int] = time.time_ns) -> None:
        """Read what is remembered of a project.

        Args:
            cache: The user's cache folder.
            project: The project's folder.
            clock: Tells the time in nanoseconds since 1970.
        """
        self._place = cache / "digests-v2" / f"{filesystem.sha256_bytes(os.fspath(project))[:32]}.json"
        self._clock = clock
        self._known: dict[str, list[int | str]] = {}
        self._planned: dict[str, tuple[str, int]] = {}
        self._changed = False
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            loaded = json.loads(self._place.read_bytes())
            if int(loaded["written"]) <= clock() and isinstance(loaded["files"], dict):
                self._known = loaded["files"]

    def digest(self, path: str | os.PathLike[str]) -> str:
        """Return the SHA-256 of a file's content, without reading it when nothing about it changed.

        Raises:
            FilesystemError: It cannot be read.
            ConflictError: It changes again and again while it is read.
        """
        name = os.fspath(path)
        with filesystem.explained("read", Path(name)):
            mark = _mark(name)
        known = self._known.get(name)
        if known is not None and known[:-1] == mark:
            return str(known[-1])
        for _ in range(READINGS):
            digest = filesystem.sha256_file(Path(name))
            before = mark
            with filesystem.explained("read", Path(name)):
                mark = _mark(name)
            if mark == before:
                break
        else:
            msg = f"{name} changes while it is read"
            raise ConflictError(msg, hint="Run the same command again when whoever writes it is done.")
        self._changed = self._known.pop(name, None) is not None or self._changed
        if self._clock() - mark[1] > RACY_NANOSECONDS:
            self._known[name] = [*mark, digest]
            self._changed = True
        return digest

    def planned(self, path: str | os.PathLike[str]) -> tuple[str, int]:
        """Return the SHA-256 and the size of a source as they were when this was first asked: what a build goes by to its end.

        Raises:
            FilesystemError: It cannot be read.
            ConflictError: It changes again and again while it is read.
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
                filesystem.write_atomic(self._place, json.dumps({"written": self._clock(), "files": self._known}), durable=False)


def _mark(name: str) -> list[int]:
    """Return what tells a file apart from what it was: size, times of its content and of its entry, and inode."""
    facts = os.stat(name)  # noqa: PTH116 - hot path
    return [facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino]
