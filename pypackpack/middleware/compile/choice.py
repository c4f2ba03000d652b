"""Which modules of a package are to be native: the person's patterns, and what can never be."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pypackpack.model.project import BuildSettings, NativePattern

NEVER_NATIVE = frozenset({"__main__"})
"""``python -m`` runs a module's code object, which an extension module does not have."""


_WILDCARDS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_PARTS = re.compile(r"\*\*/|\*\*|.", re.DOTALL)
_FEW = 3
"""An expression with so many wildcards is matched in no time, whatever the path is."""


class _Steps:
    """A glob with many wildcards, matched in steps: never more of them than its length times the path's.

    An expression would try all ways to share a path out among the wildcards, which one line of the settings can make so many that
    a build never ends.
    """

    def __init__(self, parts: Sequence[str]) -> None:
        self._parts = parts

    def fullmatch(self, path: str) -> bool:
        """Tell whether a path as a whole is meant."""
        places = self._reached({0})
        for letter in path:
            places = self._reached({after for place in places for after in self._after(place, letter)})
        return 2 * len(self._parts) in places

    def _after(self, place: int, letter: str) -> tuple[int, ...]:
        """Return where a letter leads to: 2n is before part n, and 2n + 1 inside of it where that is ``**/``."""
        part = self._parts[place // 2] if place < 2 * len(self._parts) else ""
        if part == "**/":
            return (place | 1, place // 2 * 2 + 2) if letter == "/" else (place | 1,)
        if part in ("**", "*"):
            return (place,) if part == "**" or letter != "/" else ()
        return (place + 2,) if part == letter or (part == "?" and letter != "/") else ()

    def _reached(self, places: set[int]) -> set[int]:
        """Return these places and those behind wildcards that may mean nothing."""
        found = set(places)
        for place in places:
            after = place
            while after % 2 == 0 and after // 2 < len(self._parts) and self._parts[after // 2] in ("**/", "**", "*"):
                after += 2
                found.add(after)
        return found


@lru_cache(maxsize=256)
def pattern(glob: str) -> re.Pattern[str] | _Steps:
    """Return what matches a glob over module paths: ``*`` within a folder, ``**`` across, ``?`` one character."""
    parts = _PARTS.findall(glob)
    if sum(part in _WILDCARDS for part in parts) > _FEW:
        return _Steps(parts)
    return re.compile("".join(_WILDCARDS.get(part) or re.escape(part) for part in parts), re.DOTALL)


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
