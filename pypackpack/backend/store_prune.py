"""How large the store is, and what goes when it is too large: results that were not used for longest, and their blobs.

A build adds what it wrote to ``store-v2/size.json`` at its end, which costs nothing; the store is walked only when that says
that it is too large, or when there is no such file, as after a build was killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.backend.store import VERSION, on_disk, parse_result
from pypackpack.backend.store_leases import leases, spared_since
from pypackpack.model.cache_use import Pruned
from pypackpack.model.errors import PyPackPackError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SIZE = "size.json"
SLACK = 0.9
"""A store that grew too large is pruned to this part of its limit, so that the next builds need not do it again."""
AGAIN_SECONDS = 3600.0
"""A store that stays too large, since builds need all of it, is walked again after this time at the earliest, or..."""
AGAIN_PART = 0.05
"""... when it has grown by this part of its limit."""
DAY = 86400.0

_DIGEST = re.compile(r"[0-9a-f]{64}")
_RESULT = re.compile(r"[0-9a-f]{64}\.json")
_OTHER = re.compile(r"\.new-[0-9a-f]{16}|[0-9a-f]{64}(\.json)?|[0-9a-f]{2}")
"""What is no entry and yet ours: what is being written, and what stands in an entry's or a folder's place."""
_ASIDE = re.compile(r"\..*[.-][0-9a-f]{12}")
_SCRATCH = re.compile(r"(\.work-|(vendor|import|tool)-)[0-9a-f]{12}")
_BUILD = re.compile(r"build-(\d+-[0-9a-f]{12})-[0-9a-f]{12}")
"""Names as `filesystem.unused_name` makes them. Nothing else is ever swept: it is somebody else's."""


@dataclass(frozen=True)
class Count:
    """What ``size.json`` says.

    Attributes:
        size: Bytes of the store, about.
        counted: Bytes that there were when it was walked.
        walked: When that was, in seconds since 1970.
    """

    size: int
    counted: int
    walked: float

    def is_due(self, limit: int, now: float) -> bool:
        """Tell whether the store has to be pruned."""
        if self.size <= limit:
            return False
        return self.size - self.counted > limit * AGAIN_PART or not 0 <= now - self.walked <= AGAIN_SECONDS


def add_size(root: Path, written: int) -> Count | None:
    """Note that so many bytes were written to the store at ``root``; return what it has now, None when nobody has counted.

    Raises:
        FilesystemError: It cannot be noted.
    """
    with filesystem.lock(root / f"{SIZE}.lock"):
        count = _read_count(root)
        if count is not None and written:
            count = Count(count.size + written, count.counted, count.walked)
            _write_count(root, count)
        return count


def note_size(root: Path, size: int) -> Count:
    """Note how large the store is, after a walk."""
    with filesystem.lock(root / f"{SIZE}.lock"):
        count = Count(size, size, time.time())
        _write_count(root, count)
        return count


def _read_count(root: Path) -> Count | None:
    try:
        raw = json.loads((root / SIZE).read_bytes())
        return Count(int(raw["size"]), int(raw["counted"]), float(raw["walked"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _write_count(root: Path, count: Count) -> None:
    text = json.dumps({"size": count.size, "counted": count.counted, "walked": count.walked})
    filesystem.write_atomic(root / SIZE, text, durable=False)


@dataclass
class Contents:
    """What lies in a store.

    Attributes:
        blobs: Digest → bytes on disk, time.
        results: Path → bytes on disk, time.
        others: What is neither, such as a file that is being written: path → bytes on disk, time.
    """

    blobs: dict[str, tuple[int, float]] = field(default_factory=dict)
    results: dict[str, tuple[int, float]] = field(default_factory=dict)
    others: dict[str, tuple[int, float]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of all of it."""
        return sum(size for kind in (self.blobs, self.results, self.others) for size, _ in kind.values())


def walk(root: Path) -> Contents:
    """Look at everything in the store at ``root``; what cannot be read is passed over."""
    found = Contents()
    for entry in _below(root / "cas"):
        with contextlib.suppress(OSError):
            facts = entry.stat(follow_symlinks=False)
            is_blob = _DIGEST.fullmatch(entry.name) and entry.is_file(follow_symlinks=False)
            kind, name = (found.blobs, entry.name) if is_blob else (found.others, entry.path)
            kind[name] = (on_disk(facts.st_size), facts.st_mtime)
    for folder in (root / "ac", *_signers(root)):
        for entry in _below(folder):
            with contextlib.suppress(OSError):
                facts = entry.stat(follow_symlinks=False)
                is_result = _RESULT.fullmatch(entry.name) and entry.is_file(follow_symlinks=False)
                kind = found.results if is_result else found.others
                kind[entry.path] = (on_disk(facts.st_size), facts.st_mtime)
    return found


def _signers(root: Path) -> list[Path]:
    return [Path(entry.path) for entry in _entries(root / "signed") if entry.is_dir(follow_symlinks=False)]


def _entries(folder: Path | str) -> list[os.DirEntry[str]]:
    """Return what lies in a folder; nothing of one that a link leads to, since what is found may be removed."""
    if filesystem.is_link(folder):
        return []
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _below(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield what lies in the folders of a folder, and what stands in a folder's place."""
    for entry in _entries(folder):
        if entry.is_dir(follow_symlinks=False):
            yield from _entries(entry.path)
        else:
            yield entry


def prune(root: Path, limit: int | None, *, slack: float = 1.0, before: float | None = None) -> Pruned:
    """Take away results by when they were last used, the oldest first, and the blobs that nothing names any more.

    Whoever calls this holds the gate, so no build begins; what the running ones may have seen is spared. A result goes before
    its blobs: killed in between, there are only blobs that nothing names.

    Args:
        root: The store's folder.
        limit: Most bytes; None takes nothing away for its size.
        slack: A store that has more is pruned to this part of the limit.
        before: Results that were not used since then (seconds since 1970) go in any case.
    """
    return _Pruning(root, spared_since(leases(root)), before).run(limit, slack)


class _Pruning:
    """One time that a store is pruned."""

    def __init__(self, root: Path, spared: float, before: float | None) -> None:
        self._cas = root / "cas"
        self._root = root
        self._spared = spared
        self._before = before if before is not None else float("-inf")
        self._there = walk(root)
        self._size = self._start = self._there.size
        self._results = self._blobs = self._leftovers = self._kept = 0

    def run(self, limit: int | None, slack: float) -> Pruned:
        """Do it."""
        goal = None if limit is None or self._size <= limit else int(limit * slack)
        self._sweep_others()
        names = {path: _named(path) for path in self._there.results}
        uses = Counter(digest for named in names.values() if named is not None for digest in named)
        for digest in self._there.blobs.keys() - uses.keys():
            self._drop_blob(digest)
        for path, (size, used) in sorted(self._there.results.items(), key=lambda item: item[1][1]):
            named = names[path]
            # Of what comes from afar the blobs may come when they are wanted; of our own they are gone.
            useless = named is None or any(digest not in self._there.blobs and not far for digest, far in named.items())
            if not (useless or used < self._before or (goal is not None and self._size > goal)):
                continue
            if used >= self._spared:
                self._kept += size
                continue
            if not self._unlinked(path):
                continue
            self._results += 1
            self._size -= size
            for digest in named or ():
                uses[digest] -= 1
                if uses[digest] == 0:
                    self._drop_blob(digest)
        note_size(self._root, self._size)
        spared = self._kept if goal is None or not self._kept else max(0, self._size - goal)
        return Pruned(self._results, self._blobs, self._leftovers, self._start - self._size, self._size, spared)

    def _drop_blob(self, digest: str) -> None:
        size, written = self._there.blobs.get(digest, (0, 0.0))
        if digest not in self._there.blobs:
            return
        if written >= self._spared:  # some build just put it there, and will name it
            self._kept += size
        elif self._unlinked(f"{self._cas}/{digest[:2]}/{digest}"):
            del self._there.blobs[digest]
            self._blobs += 1
            self._size -= size

    def _unlinked(self, path: str) -> bool:
        """Remove a file and tell whether it went: not one that was used since it was looked at, and on Windows not one in use."""
        try:
            if os.stat(path).st_mtime >= self._spared:  # noqa: PTH116 - many of them
                return False
            os.unlink(path)  # noqa: PTH108 - as above
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True

    def _sweep_others(self) -> None:
        for path, (size, written) in self._there.others.items():
            if written < self._spared and _OTHER.fullmatch(os.path.basename(path)) and _gone(path):  # noqa: PTH119 - many
                self._leftovers += 1
                self._size -= size
        for entry in _entries(self._root / "tmp"):
            with contextlib.suppress(OSError):
                is_ours = _SCRATCH.fullmatch(entry.name) and entry.stat(follow_symlinks=False).st_mtime < self._spared
                if is_ours and _gone(entry.path):
                    self._leftovers += 1


def _named(path: str) -> Mapping[str, bool] | None:
    """Return the digests that a result names, each with whether it may be had from afar; None when the result is damaged."""
    place = Path(path)
    try:
        result, sizes = parse_result(place.read_bytes(), place.stem)
    except (OSError, ValueError):
        return None
    return {digest: digest in sizes for digest in result.outputs.values()}


def _gone(path: str) -> bool:
    """Remove a file or a folder and tell whether it went."""
    try:
        filesystem.remove_tree(Path(path))
    except PyPackPackError:
        return False
    return True


def sweep(cache: Path, folders: Iterable[str]) -> int:
    """Remove from a cache folder what killed builds, and other killed commands, left there; return how many.

    Args:
        cache: The cache folder.
        folders: Names of folders in it where others than builds work aside: what they left has to be a day old.
    """
    alive = {each.name for each in leases(cache / VERSION)}
    swept = 0
    for entry in _entries(cache / "tmp"):
        match = _BUILD.fullmatch(entry.name)
        is_left = match[1] not in alive if match else _SCRATCH.fullmatch(entry.name) is not None and _is_old(entry)
        swept += is_left and _gone(entry.path)
    for name in folders:
        for entry in _entries(cache / name):
            swept += _ASIDE.fullmatch(entry.name) is not None and _is_old(entry) and _gone(entry.path)
    # zig too writes aside, in a folder of each version's cache.
    for version in _entries(cache / "zig-v1"):
        for entry in () if filesystem.is_link(version.path) else _entries(Path(version.path) / "tmp"):
            swept += _is_old(entry) and _gone(entry.path)
    return swept


def _is_old(entry: os.DirEntry[str]) -> bool:
    try:
        return time.time() - entry.stat(follow_symlinks=False).st_mtime > DAY
    except OSError:
        return False
