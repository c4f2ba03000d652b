"""Bytecode of a wheel against its tags, or of a binary against its Python: each Python reads its own only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pypackpack.middleware.verify.reading import few
from pypackpack.model.verification import Check

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pypackpack.middleware.verify.modules import Tags

_MAGICS: Final = (
    (3420, (3, 9)),
    (3430, (3, 10)),
    (3450, (3, 11)),
    (3500, (3, 12)),
    (3550, (3, 13)),
    (3600, (3, 14)),
    (3650, (3, 15)),
)
"""From which magic number on bytecode is of which Python (CPython's ``pycore_magic_number.h``: fifty for each)."""
_END: Final = 3700
_CACHED: Final = re.compile(r"__pycache__/[^/]+\.cpython-(\d)(\d+)(?:\.opt-\d)?\.pyc$")


def check(heads: Mapping[str, bytes], tags: Tags) -> tuple[Check, ...]:
    """Return what is wrong with the bytecode of an artifact; nothing where it has none.

    Args:
        heads: By path the first bytes of each file.
        tags: What it says that it is for.
    """
    found = {path: head for path, head in heads.items() if path.endswith(".pyc")}
    if not found:
        return ()
    count = len(found)
    problems = [problem for path, head in found.items() for problem in _problems(path, head, tags)]
    return (Check("bytecode", f"{count} {'file' if count == 1 else 'files'} of bytecode", few(problems)),)


def _problems(path: str, head: bytes, tags: Tags) -> Iterator[str]:
    series = _series(head)
    if series is None:
        yield f"{path} is no bytecode of a CPython that is known"
        return
    named = _CACHED.search(path)
    said = f"{series[0]}.{series[1]}"
    if named:
        if (int(named[1]), int(named[2])) != series:
            yield f"{path} is bytecode of Python {said}"
    elif f"cp{series[0]}{series[1]}" not in tags.pythons:  # without source beside it, no other Python has the module at all
        yield f"{path} is bytecode of Python {said}, and {tags.when} says {'.'.join(tags.pythons)}"


def _series(head: bytes) -> tuple[int, int] | None:
    number = int.from_bytes(head[:2], "little")
    if head[2:4] != b"\r\n" or number >= _END:
        return None
    return next((series for first, series in reversed(_MAGICS) if number >= first), None)
