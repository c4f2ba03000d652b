"""Which modules of a package are to be native: the person's patterns, and what can never be."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pypackpack.model.project import NativePattern

NEVER_NATIVE = frozenset({"__main__"})
"""``python -m`` runs a module's code object, which an extension module does not have."""


@lru_cache(maxsize=256)
def pattern(glob: str) -> re.Pattern[str]:
    """Return the expression of a glob over module paths: ``*`` within a folder, ``**`` across, ``?`` one character."""
    out = []
    position = 0
    while position < len(glob):
        if glob.startswith("**/", position):
            out.append("(?:.*/)?")
            position += 3
        elif glob.startswith("**", position):
            out.append(".*")
            position += 2
        elif glob[position] == "*":
            out.append("[^/]*")
            position += 1
        elif glob[position] == "?":
            out.append("[^/]")
            position += 1
        else:
            out.append(re.escape(glob[position]))
            position += 1
    return re.compile("".join(out))


def is_among(place: str, patterns: NativePattern) -> bool:
    """Tell whether patterns mean the module at a place (``plugins/one.py``).

    They meet the path with and without its suffix, so ``plugins/one`` and ``plugins/one.py`` mean the same.
    """
    stem = place.removesuffix(".py")

    def among(globs: tuple[str, ...]) -> bool:
        return any(pattern(glob).fullmatch(place) or pattern(glob).fullmatch(stem) for glob in globs)

    return among(patterns.include) and not among(patterns.exclude)


def wants_native(place: str, patterns: NativePattern) -> bool:
    """Tell whether the module at a place (``plugins/one.py``) is to be compiled."""
    if place.removesuffix(".py").rpartition("/")[2] in NEVER_NATIVE:
        return False
    return is_among(place, patterns)
