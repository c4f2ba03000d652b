"""Reading everything that lies in a store, and throwing away what is not what it should be."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem, host
from pypackpack.backend.store import parse_result, throw_away
from pypackpack.backend.store_prune import walk
from pypackpack.model.cache_use import Verified
from pypackpack.model.errors import FilesystemError

if TYPE_CHECKING:
    from collections.abc import Callable


def verify(root: Path, told: Callable[[int, int], None]) -> Verified:
    """Compare every blob and every result of the store at ``root`` with its digest; what is damaged is thrown away.

    Builds may go on meanwhile: what they miss they make again.

    Args:
        root: The store's folder.
        told: Called now and then with the number of entries that were looked at, and of all.

    Raises:
        FilesystemError: Something damaged cannot be removed.
    """
    there = walk(root)
    total = len(there.blobs) + len(there.results)
    places = {f"{root}/cas/{digest[:2]}/{digest}": digest for digest in there.blobs}
    damaged: list[str] = []
    with ThreadPoolExecutor(max_workers=host.cores()) as pool:
        try:
            for number, (place, is_whole) in enumerate(zip(places, pool.map(_is_blob, places, places.values()), strict=True), 1):
                if not is_whole:
                    throw_away(place)
                    damaged.append(place)
                told(number, total)
            # Then the results, which may name a blob that has just gone.
            useless = 0
            for number, (place, state) in enumerate(
                zip(there.results, pool.map(partial(_is_result, root), there.results), strict=True), len(places) + 1
            ):
                if state is not None:
                    throw_away(place)
                    damaged += [place] if state else []
                    useless += not state
                told(number, total)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    # What builds write aside are files in the folders of these folders.
    odd = [path for path in there.others if not Path(path).is_file() or len(Path(path).relative_to(root).parts) == 2]
    for path in odd:
        throw_away(path)
    return Verified(total, there.size, tuple(os.path.relpath(place, root.parent) for place in (*damaged, *odd)), useless)


def _is_blob(place: str, digest: str) -> bool:
    try:
        return filesystem.sha256_file(Path(place)) == digest
    except FilesystemError as error:
        return isinstance(error.__cause__, FileNotFoundError)  # somebody was faster


def _is_result(root: Path, place: str) -> bool | None:
    """Return None when all is well with a result; else whether it is damaged, or only names what is gone."""
    try:
        result, sizes = parse_result(Path(place).read_bytes(), Path(place).stem)
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return True
    gone = (digest for digest in result.outputs.values() if digest not in sizes)
    return None if all((root / "cas" / digest[:2] / digest).is_file() for digest in gone) else False
