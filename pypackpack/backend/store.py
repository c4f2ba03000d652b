"""The content-addressed store in the user's cache: blobs by digest, action results by key.

Layout, versioned by the folder's name::

    store-v2/cas/<2 hex>/<sha256>                    a blob
    store-v2/ac/<2 hex>/<key>.json                   an action result: outputs (name → digest) and facts
    store-v2/signed/<signer>/<2 hex>/<key>.json      one that came from a remote cache
    store-v2/leases, gate                            who is using it (`store_leases`)
    store-v2/size.json                               how large it is, about (`store_prune`)

Every write is a rename of a finished file, so any number of builds may use one store at once. A blob is checked
against its digest whenever it is read: a damaged one is thrown away and counts as missing. The time of a result says when
it was last used, and a blob lives as long as a result names it.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pypackpack.backend import filesystem
from pypackpack.model.action import ActionResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import BinaryIO

VERSION = "store-v2"
FRESH_SECONDS = 3600.0
"""The time of a result says to this many seconds when it was last used."""
NEW = ".new-"
"""What the name of a file begins with that is being written."""
_BUSY_WAITS = (0.01, 0.05, 0.2) if sys.platform == "win32" else ()


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
        self.written = 0  # bytes, for whoever keeps count of the store's size; two threads may lose a few

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
        place = self._blob(digest)
        with filesystem.explained("write to the cache", Path(place)):
            size = path.stat().st_size
            _put_in_place(path, place)
        self.written += on_disk(size)

    def _write(self, place: str, data: bytes) -> None:
        """Write without waiting for the disk: what a power cut damages is noticed at reading."""
        folder = os.path.dirname(place)  # noqa: PTH120 - hot path, strings on purpose
        with filesystem.explained("write to the cache", Path(place)):
            aside = f"{folder}/{NEW}{os.urandom(8).hex()}"
            try:
                try:
                    stream = open(aside, "xb")  # noqa: PTH123, SIM115 - hot path; closed below
                except (FileNotFoundError, NotADirectoryError):
                    _make_folder(folder)
                    stream = open(aside, "xb")  # noqa: PTH123, SIM115 - as above
                with stream:
                    stream.write(data)
                _put_in_place(aside, place)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(aside)  # noqa: PTH108 - as above
                raise
        self.written += on_disk(len(data))

    def has(self, digest: str) -> bool:
        """Tell whether a blob of that digest lies there (its content is checked when it is read)."""
        try:
            return stat.S_ISREG(os.stat(self._blob(digest)).st_mode)  # noqa: PTH116 - hot path
        except OSError:
            return False

    def read(self, digest: str) -> bytes | None:
        """Return a blob, or None when it cannot be had; a damaged one is removed, so that whatever made it makes it again.

        Raises:
            FilesystemError: A damaged one cannot be removed.
        """
        data = self._load_blob(digest)
        return self._from_far(digest) if data is None else data

    def _load_blob(self, digest: str) -> bytes | None:
        """Return a blob that is here and whole; one that is here and not whole is removed."""
        place = self._blob(digest)
        try:
            with _opened(place) as stream:
                data = stream.read()
        except FileNotFoundError:
            return None
        except OSError:  # a folder, no permission, a disk that cannot read it any more
            self._throw_away(digest)
            return None
        if filesystem.sha256_bytes(data) != digest:
            self._throw_away(digest)
            return None
        return data

    def _from_far(self, digest: str) -> bytes | None:
        data = self._far.fetch(digest) if self._far is not None else None
        if data is not None:
            self._write(self._blob(digest), data)
        return data

    def _throw_away(self, digest: str) -> None:
        throw_away(self._blob(digest))

    def copy(self, digest: str, place: Path, *, fresh: bool = False) -> bool:
        """Put a copy of a blob at a place, never all of it in memory; False when the blob cannot be had (as `read`).

        Where the file system can, the copy is a clone: it shares its blocks with the blob until one of the two is written.

        Args:
            digest: The blob's.
            place: Where the copy goes.
            fresh: Whether this process wrote the blob just now: then it is not hashed once more.

        Raises:
            FilesystemError: The place cannot be written; what was there is untouched. Or as `read`.
        """
        for _ in range(2):  # what is here may turn out to be damaged, and be had from afar
            if not self.has(digest) and self._from_far(digest) is None:
                return False
            try:
                if filesystem.place_copy(self._blob(digest), place, None if fresh else digest):
                    return True
            except OSError:
                pass  # the blob cannot be opened; trouble with the place is no OSError
            self._throw_away(digest)
        return False

    def drop_damaged(self, digests: Iterable[str]) -> int:
        """Throw away those of some blobs that are damaged and return how many: what damaged one (a power cut) damaged more."""
        damaged = 0
        for digest in digests:
            there = os.path.lexists(self._blob(digest))
            damaged += there and self._load_blob(digest) is None
        return damaged

    def result(self, key: str) -> ActionResult | None:
        """Return the result recorded for a key if all its blobs can be had."""
        found = self._load(f"{self._ac}/{key[:2]}/{key}.json", key)
        if found is not None and all(self.has(digest) for digest in found[0].outputs.values()):
            return found[0]
        for _, folder in self._signed:
            found = self._load(f"{folder}/{key[:2]}/{key}.json", key)
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
    def _load(place: str, key: str) -> tuple[ActionResult, dict[str, int]] | None:
        try:
            with open(place, "rb") as stream:  # noqa: PTH123 - hot path
                found = parse_result(stream.read(), key)
                _keep_fresh(stream.fileno(), place)
        except (OSError, ValueError):
            return None  # a damaged entry is as good as none: the task runs again and writes it anew
        return found

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
        self._write(f"{folder}/{key[:2]}/{key}.json", sealed(json.dumps(document, sort_keys=True).encode(), key))


def sealed(body: bytes, purpose: str) -> bytes:
    """Return bytes with a digest before them, of them and of what they are for: a flipped bit is noticed at reading."""
    return f"{filesystem.sha256_bytes(purpose.encode() + body)}\n".encode() + body


def unsealed(data: bytes, purpose: str) -> bytes:
    """Return what was sealed.

    Raises:
        ValueError: It is damaged, or was sealed for something else.
    """
    body = data[65:]
    if data[:65] != f"{filesystem.sha256_bytes(purpose.encode() + body)}\n".encode():
        msg = "damaged"
        raise ValueError(msg)
    return body


def parse_result(data: bytes, key: str) -> tuple[ActionResult, dict[str, int]]:
    """Return the result that a file holds, and the sizes of those of its blobs that may be had from afar.

    Raises:
        ValueError: It is damaged.
    """
    try:
        raw = json.loads(unsealed(data, key))
        outputs = {str(name): str(digest) for name, digest in raw["outputs"].items()}
        facts = {str(name): str(value) for name, value in raw["facts"].items()}
        sizes = {str(digest): int(size) for digest, size in raw.get("sizes", {}).items()}
    except (KeyError, AttributeError, TypeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    return ActionResult(outputs, facts), sizes


def _keep_fresh(handle: int, place: str) -> None:
    """Let the time of an entry say when it was last used, to the hour: what was not used for long is pruned first.

    A time to come, of before the clock was set back, would keep the entry for ever.
    """
    if not 0 <= time.time() - os.fstat(handle).st_mtime <= FRESH_SECONDS:
        with contextlib.suppress(OSError):
            os.utime(place)


def on_disk(size: int) -> int:
    """Return the bytes that a file of so many takes on a disk, about: disks give whole blocks."""
    return (size + 4095) // 4096 * 4096


def throw_away(place: str) -> None:
    """Remove a damaged entry, whatever it is.

    Raises:
        FilesystemError: It cannot be removed; it would be found damaged for ever.
    """
    with filesystem.explained("remove the damaged entry of the cache", Path(place)):
        try:
            os.unlink(place)  # noqa: PTH108 - strings on purpose
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError:
            if not os.path.isdir(place):  # noqa: PTH112 - as above
                raise
            filesystem.remove_tree(Path(place))


def _opened(place: str) -> BinaryIO:
    """Open a blob; on Windows somebody who just replaces it makes it unreadable for a moment."""
    for wait in _BUSY_WAITS:
        try:
            return open(place, "rb")  # noqa: PTH123 - hot path
        except PermissionError:  # noqa: PERF203 - the point of the loop
            time.sleep(wait)
    return open(place, "rb")  # noqa: PTH123 - hot path


def _put_in_place(fresh: str | Path, place: str) -> None:
    """Rename a finished file to its place; what has no business there is removed."""
    try:
        filesystem.replace(fresh, place)
    except OSError:
        if os.path.isdir(place):  # noqa: PTH112 - strings on purpose
            filesystem.remove_tree(Path(place))
        else:
            _make_folder(os.path.dirname(place))  # noqa: PTH120 - as above
        filesystem.replace(fresh, place)


def _make_folder(folder: str) -> None:
    """Make a folder for entries, also where a file stands in its place: that is damage, and what follows makes it whole."""
    try:
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - strings on purpose
    except FileExistsError:
        os.unlink(folder)  # noqa: PTH108 - as above
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - as above
