"""The cache on this machine: opened for a build, looked at, pruned, verified, cleared.

What it holds can be made or fetched again, all of it; nothing here ever touches anything else in its folder.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, NamedTuple

from pypackpack.backend import filesystem
from pypackpack.backend.store import VERSION as STORE
from pypackpack.backend.store_leases import check_no_links, gate, lease, leases
from pypackpack.model.build import Step
from pypackpack.model.cache import CacheSettings
from pypackpack.model.cache_use import Bucket, CacheInfo, Cleared
from pypackpack.model.errors import ConflictError, NoProjectError, PyPackPackError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pypackpack.backend.store import Store
    from pypackpack.model.build import Watcher
    from pypackpack.model.cache_use import Pruned, Verified

BUSY = "somebody is pruning or clearing the cache; waiting for that"
TOOLS, WORK, OLDER, RELEASES = "tools", "scratch", "older", "releases"
SCRATCH = "tmp"


class Use(NamedTuple):
    """What a build that uses a cache gets.

    Attributes:
        scratch: A folder in the cache that goes with the build.
        others_died: Whether a build was killed since somebody last looked.
    """

    scratch: Path
    others_died: bool


@contextlib.contextmanager
def in_use(cache: Path, who: str, watcher: Watcher) -> Iterator[Use]:
    """Hold a lease of a cache for a build.

    Args:
        cache: The cache folder.
        who: What to say to others who ask which builds are running.
        watcher: Told when we have to wait.

    Raises:
        FilesystemError: The cache cannot be written, or a folder that is swept is a link.
    """
    check_no_links(cache)
    with (
        lease(cache / STORE, who, waiting=lambda: watcher.note(BUSY)) as held,
        filesystem.scratch_folder(cache / SCRATCH, prefix=f"build-{held.name}-") as scratch,
    ):
        yield Use(scratch, held.others_died)


def settle(store: Store, cache: Path, limit: int, watcher: Watcher, *, sweep: bool = False, hurry: bool = False) -> None:
    """Note what a build wrote, and prune the store if it is larger than its limit now; after the build's lease has ended.

    The build is done: whatever goes wrong here is no error of its.

    Args:
        store: The store that it used.
        cache: The cache folder.
        limit: Most bytes of the store.
        watcher: Told of what was taken away.
        sweep: Whether a killed build left something behind.
        hurry: Take nothing away now: somebody wants us to end.
    """
    if not (store.written or sweep):
        return
    with contextlib.suppress(PyPackPackError, OSError):
        from pypackpack.backend import store_prune  # noqa: PLC0415 - not in a build with nothing to do

        count = store_prune.add_size(store.root, store.written)
        if hurry:
            return
        if count is None or sweep:
            count = store_prune.note_size(store.root, store_prune.walk(store.root).size)
            if sweep:
                store_prune.sweep(cache, _shared())
            due = count.size > limit or sweep
        else:
            due = count.is_due(limit, time.time())
        if not due:
            return
        with gate(store.root, wait=False):  # whoever holds it is doing this work, or just begins a build: the next one will
            pruned = store_prune.prune(store.root, limit, slack=store_prune.SLACK)
        if pruned.results or pruned.size > limit:
            watcher.note(_told(pruned, limit))


def _told(pruned: Pruned, limit: int) -> str:
    if pruned.size > limit:
        return f"the cache holds {_gigabytes(pruned.size)}, more than its {_gigabytes(limit)}: builds need all that is in it"
    freed = _gigabytes(pruned.freed)
    return f"the cache had grown larger than its {_gigabytes(limit)}: {freed} that were not used for longest are gone"


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 10**8 else f"{size / 1e6:.1f} MB"


def settings_at(start: Path, *, named: bool = False) -> CacheSettings:
    """Return the cache settings of the project around a folder; outside of a project those that nobody has set.

    Args:
        start: The folder.
        named: A person said that the project is there.

    Raises:
        NoProjectError: There is none, although it was named.
        SettingsError: The project's settings are wrong.
    """
    from pypackpack.middleware.project.read import find_project  # noqa: PLC0415 - import cost

    try:
        return find_project(start).cache
    except NoProjectError:
        if named:
            raise
        return CacheSettings()


def _folders() -> Mapping[str, tuple[str, tuple[str, ...]]]:
    """Return the parts of a cache folder: what a person calls one → what lies in it, and its folders below the cache folder."""
    from pypackpack.backend.digests import VERSION as DIGESTS  # noqa: PLC0415 - only for the commands about the cache
    from pypackpack.backend.tools import cython, headers, nuitka, pinned, uv_options  # noqa: PLC0415 - as above
    from pypackpack.backend.tools import python as interpreters  # noqa: PLC0415 - as above
    from pypackpack.middleware.build_history import VERSION as HISTORY  # noqa: PLC0415 - as above
    from pypackpack.middleware.patch.releases import KEPT  # noqa: PLC0415 - as above
    from pypackpack.middleware.project.read import CHECKED  # noqa: PLC0415 - as above
    from pypackpack.middleware.python import foreign  # noqa: PLC0415 - as above

    return {
        "blobs": ("what tasks made", (f"{STORE}/cas",)),
        "results": ("which task made what", (f"{STORE}/ac",)),
        "signed": ("which task made what, as a remote cache says", (f"{STORE}/signed",)),
        "zig": ("C runtimes, built once for each target", ("zig-v1",)),
        "headers": ("headers of Pythons", (headers.FOLDER,)),
        "cython": ("tables of Cython's lexer", (cython.TABLES,)),
        "nuitka": ("bytecode of Nuitka itself", (nuitka.BYTECODE,)),
        "notes": (
            "what was learnt of files, Pythons and settings that have not changed since",
            (DIGESTS, interpreters.CACHE, CHECKED, uv_options.CACHE),
        ),
        "history": ("what tasks were made of: for --explain", (HISTORY,)),
        RELEASES: ("released wheels, which patches are made against", (KEPT,)),
        TOOLS: (
            "the C compiler and other tools, and Pythons of other platforms, as they were fetched",
            (pinned.CACHE, foreign.FOLDER),
        ),
        WORK: ("what is being worked on", (SCRATCH, f"{STORE}/{SCRATCH}")),
    }


def _shared() -> list[str]:
    """Return the folders that others than builds work in too."""
    return [folder for _, folders in _folders().values() for folder in folders if "/" not in folder and folder != SCRATCH]


def _older(cache: Path) -> tuple[str, ...]:
    """Return the folders that older versions of pypackpack used."""
    numbers = {}
    for _, folders in _folders().values():
        for folder in folders:
            match = re.fullmatch(r"(.+)-v(\d+)", folder.partition("/")[0])
            if match is not None:
                numbers[match[1]] = int(match[2])
    found = []
    with contextlib.suppress(OSError), os.scandir(cache) as entries:
        for entry in entries:
            match = re.fullmatch(r"(.+)-v(\d+)", entry.name)
            if match is not None and int(match[2]) < numbers.get(match[1], 0):
                found.append(entry.name)
    return tuple(sorted(found))


def _buckets(cache: Path) -> tuple[Bucket, ...]:
    """Measure the parts of a cache folder that are not empty."""
    parts = {**_folders(), OLDER: ("what older versions of pypackpack left", _older(cache))}
    found = []
    for name, (what, folders) in parts.items():
        sizes = [_measured(cache / folder) for folder in folders]
        if any(files for _, files in sizes):
            found.append(Bucket(name, what, cache / folders[0], sum(size for size, _ in sizes), sum(files for _, files in sizes)))
    return tuple(found)


def _measured(folder: Path) -> tuple[int, int]:
    """Return the bytes on disk and the number of files below a folder; links are not followed, what cannot be read is no part."""
    from pypackpack.backend.store import on_disk  # noqa: PLC0415 - beside its only use

    size = files = 0
    todo = [os.fspath(folder)]
    while todo:
        with contextlib.suppress(OSError), os.scandir(todo.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(entry.path)
                    else:
                        size += on_disk(entry.stat(follow_symlinks=False).st_size)
                        files += 1
    return size, files


def info(cache: Path, limit: int) -> CacheInfo:
    """Say what a cache folder holds.

    Args:
        cache: The folder.
        limit: Most bytes of its store.
    """
    from pypackpack.backend.store_prune import walk  # noqa: PLC0415 - import cost, not in a build

    there = walk(cache / STORE)
    buckets = _buckets(cache)
    used = min((time_ for _, time_ in there.results.values()), default=None)
    oldest = None if used is None else datetime.fromtimestamp(used, timezone.utc).strftime("%Y-%m-%dT%H:00:00Z")
    return CacheInfo(
        folder=cache,
        buckets=buckets,
        size=sum(bucket.size for bucket in buckets),
        store=there.size,
        limit=limit,
        entries=len(there.blobs) + len(there.results),
        oldest=oldest,
        builds=tuple(each.who for each in leases(cache / STORE)),
    )


def prune(cache: Path, limit: int, watcher: Watcher, *, older_than: float | None = None) -> Pruned:
    """Take away what the store of a cache folder holds above its limit, what was not used for long, and leftovers.

    Builds may be running: what they may have seen is spared.

    Args:
        cache: The cache folder.
        limit: Bytes that the store may keep.
        watcher: Told when we have to wait.
        older_than: Results that were not used for so many seconds go in any case.

    Raises:
        FilesystemError: The cache cannot be written.
    """
    from dataclasses import replace  # noqa: PLC0415 - import cost, not in a build

    from pypackpack.backend import store_prune  # noqa: PLC0415 - as above

    check_no_links(cache)
    if not (cache / STORE).is_dir():
        return _without_store(cache)
    with gate(cache / STORE, waiting=lambda: watcher.note(BUSY)):
        before = None if older_than is None else time.time() - older_than
        pruned = store_prune.prune(cache / STORE, limit, before=before)
        swept = store_prune.sweep(cache, _shared())
        old = _without_store(cache)
    return replace(pruned, leftovers=pruned.leftovers + swept + old.leftovers, freed=pruned.freed + old.freed)


def _without_store(cache: Path) -> Pruned:
    from pypackpack.model.cache_use import Pruned as Result  # noqa: PLC0415 - beside its only use

    freed = number = 0
    for folder in _older(cache):
        size, _ = _measured(cache / folder)
        filesystem.remove_tree(cache / folder)
        freed += size
        number += 1
    return Result(0, 0, number, freed, 0)


def verify(cache: Path, watcher: Watcher) -> Verified:
    """Read all of the store of a cache folder, and throw away what is damaged: builds make it again.

    Raises:
        FilesystemError: Something damaged cannot be removed.
    """
    from pypackpack.backend.store_verify import verify as read_all  # noqa: PLC0415 - import cost, not in a build

    check_no_links(cache)
    return read_all(cache / STORE, lambda done, total: watcher.step(Step("", "", "verify", done, total)))


def clear(cache: Path, watcher: Watcher, *, tools: bool = False) -> Cleared:
    """Remove what a cache folder holds.

    Args:
        cache: The folder.
        watcher: Told when we have to wait for somebody who prunes.
        tools: Also what can only be fetched again, over the network.

    Raises:
        ConflictError: Builds are using it.
        FilesystemError: Something cannot be removed.
    """
    from pypackpack.backend import store_prune  # noqa: PLC0415 - import cost, not in a build

    check_no_links(cache)
    with contextlib.ExitStack() as stack:
        if (cache / STORE).is_dir():
            stack.enter_context(gate(cache / STORE, waiting=lambda: watcher.note(BUSY)))
            running = leases(cache / STORE)
            if running:
                msg = f"{len(running)} {'build is' if len(running) == 1 else 'builds are'} using the cache in {cache}"
                raise ConflictError(msg, hint="Run it again when they are done.", details="\n".join(each.who for each in running))
        chosen = clearable(cache, tools=tools)
        parts = {**_folders(), OLDER: ("", _older(cache))}
        for bucket in chosen:
            for folder in parts[bucket.name][1]:
                filesystem.remove_tree(cache / folder)
        filesystem.remove_tree(cache / STORE / SCRATCH)
        filesystem.remove_tree(cache / STORE / store_prune.SIZE)
        store_prune.sweep(cache, _shared())
    freed = sum(bucket.size for bucket in chosen)
    return Cleared(cache, removed=True, buckets=chosen, freed=freed)


def clearable(cache: Path, *, tools: bool = False) -> tuple[Bucket, ...]:
    """Return the parts of a cache folder that `clear` would remove."""
    # Other commands than builds work in `tmp` too, and nothing makes a released wheel again.
    return tuple(bucket for bucket in _buckets(cache) if bucket.name not in (WORK, RELEASES) and (tools or bucket.name != TOOLS))
