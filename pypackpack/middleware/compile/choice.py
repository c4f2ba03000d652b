"""Which modules of a package are to be native: the person's patterns, and what can never be."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pypackpack.model.project import BuildSettings, NativePattern

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


def _first_of(place: str, globs: tuple[str, ...]) -> str | None:
    """Return the first glob that means the module at a place.

    They meet the path with and without its suffix, so ``plugins/one`` and ``plugins/one.py`` mean the same.
    """
    stem = place.removesuffix(".py")
    return next((glob for glob in globs if pattern(glob).fullmatch(place) or pattern(glob).fullmatch(stem)), None)


def is_among(place: str, patterns: NativePattern) -> bool:
    """Tell whether patterns mean the module at a place (``plugins/one.py``)."""
    return _first_of(place, patterns.include) is not None and _first_of(place, patterns.exclude) is None


def why_not_native(place: str, patterns: NativePattern) -> str:
    """Say why the module at a place is not to be compiled; empty when it is."""
    if place.removesuffix(".py").rpartition("/")[2] in NEVER_NATIVE:
        return "__main__ is never compiled: python -m runs a module's code object"
    if _first_of(place, patterns.include) is None:
        return "native.include does not name it"
    excluding = _first_of(place, patterns.exclude)
    return "" if excluding is None else f"native.exclude names it: {excluding}"


def wants_native(place: str, patterns: NativePattern) -> bool:
    """Tell whether the module at a place is to be compiled."""
    return not why_not_native(place, patterns)


def compiler_of(place: str, settings: BuildSettings) -> str:
    """Return the name of the compiler that the module at a place gets."""
    if settings.compiler == "mypyc" and not is_among(place, settings.mypyc):
        return "cython"
    return settings.compiler


def idle(places: Iterable[str], patterns: NativePattern) -> tuple[str, ...]:
    """Return the globs of include and exclude that mean none of some modules: ``include: "plugin/**"``."""
    known = tuple(places)
    globs = [("include", glob) for glob in patterns.include if glob != "**"] + [("exclude", glob) for glob in patterns.exclude]
    return tuple(f'{key}: "{glob}"' for key, glob in globs if not any(_first_of(place, (glob,)) for place in known))
