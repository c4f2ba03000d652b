"""``RECORD`` of a wheel against its files (the standard on recording installed projects; PEP 427)."""

from __future__ import annotations

import csv
import io
import itertools
from typing import TYPE_CHECKING, Final

from pypackpack.middleware.verify.reading import ALGORITHMS, few
from pypackpack.model.verification import Check

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pypackpack.backend.zip_reader import Entry
    from pypackpack.middleware.verify.reading import Seen

_SPARE: Final = 100
"""Lines of RECORD that are read though there are no files for them."""
_UNHASHED: Final = ("RECORD", "RECORD.jws", "RECORD.p7s")
"""Files of the metadata folder that have no hash; the signatures need not be listed at all."""


def record(seen: Seen) -> Check:
    """Return what is wrong with RECORD: each file once, with its hash and size, and nothing else."""
    if "RECORD" not in seen.texts:
        large = f"{seen.info}/RECORD" in seen.entries
        return Check("record", "", ("RECORD could not be read",) if large else ("it has no RECORD",))
    problems: list[str] = []
    listed: dict[str, tuple[str, str]] = {}
    try:
        rows = csv.reader(io.StringIO(seen.texts["RECORD"].decode(), newline=""))
        read = list(itertools.islice(rows, 2 * len(seen.entries) + _SPARE))
    except (UnicodeDecodeError, csv.Error) as error:
        return Check("record", "", (f"RECORD cannot be read: {error}",))
    if len(read) == 2 * len(seen.entries) + _SPARE:
        problems.append(f"RECORD has {len(read)} lines or more, for {len(seen.entries)} files")
    for number, row in enumerate(read, 1):
        if len(row) != 3:
            problems.append(f"line {number} of RECORD has {len(row)} parts and not 3")
        elif row[0] in listed:
            problems.append(f"RECORD lists {row[0]!r} twice")
        else:
            listed[row[0]] = (row[1], row[2])
    for place, entry in seen.entries.items():
        if place not in listed:
            problems += [] if place in {f"{seen.info}/{name}" for name in _UNHASHED[1:]} else [f"RECORD does not list {place!r}"]
            continue
        problems += _compared(place, entry, *listed[place], seen)
    problems += [f"RECORD lists {place!r}, which is not in it" for place in listed if place not in seen.entries]
    return Check("record", f"{len(listed)} files listed, by {' and '.join(sorted(_used(listed)))}", few(problems))


def _used(listed: Mapping[str, tuple[str, str]]) -> set[str]:
    return {said.partition("=")[0] for said, _ in listed.values() if said} or {"nothing"}


def _compared(place: str, entry: Entry, said: str, size: str, seen: Seen) -> list[str]:
    if place in {f"{seen.info}/{name}" for name in _UNHASHED}:
        return [f"RECORD gives a hash of {place!r}, which cannot be"] if said and place.endswith("/RECORD") else []
    algorithm, _, value = said.partition("=")
    if algorithm not in ALGORITHMS:
        weak = f"RECORD hashes {place!r} by {algorithm[:20]}, which is too weak"
        return [weak if said else f"RECORD has no hash of {place!r}"]
    problems = []
    if size and size != str(entry.size):
        problems.append(f"{place!r} has {entry.size} bytes, and RECORD says {size[:20]}")
    made = seen.hashes.get(place)
    if made is not None and made[algorithm] != value.rstrip("="):
        problems.append(f"{place!r} is not what RECORD says: its {algorithm} is {made[algorithm]}, and RECORD has {value[:90]}")
    return problems
