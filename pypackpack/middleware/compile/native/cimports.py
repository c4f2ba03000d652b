"""Which other Cython sources a source looks at, found without Cython: what it ``cimport``s, includes, and is declared in.

Every word that could be such a statement counts, in comments and texts too. What is found so is all that Cython gets to see and
all that is in its key: a word too much costs nothing, and one too little could only end in Cython's own error.

Where Cython looks: `Cython.Compiler.Main.search_include_directories`, and in its manual "Sharing Declarations Between Cython
Modules".
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pypackpack.middleware.compile.native import text as c_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_NAMES = r"(?P<{}>\([^()]*|[^\n;#]*)"
_CIMPORT = re.compile(
    r"(?:\bfrom ?(?P<dots>\.*) ?(?P<module>(?:\w[\w.]*)?) )?\bcimport\b ?" + _NAMES.format("names")
    + r"|\bcython\.cimports(?P<pure>[\w.]*)(?: import\b ?" + _NAMES.format("imported") + ")?"
)  # fmt: skip
_INCLUDE = re.compile(r"""\binclude ?(?:'([^'\n]+)'|"([^"\n]+)")""")
_EXTERN = re.compile(r"""\bextern from ?(?:'([^'\n]+)'|"([^"\n]+)")""")
_BLANKS = re.compile(r"[ \t\f]+")
_WORD = re.compile(r"[\w.]+")


def _joined(source: str) -> str:
    """Return a source with its lines joined as Python joins them, and with single blanks: no text is slow to search then."""
    return _BLANKS.sub(" ", source.replace("\\\n", " "))


def cimported(source: str, name: str, *, package: bool) -> Iterator[str]:
    """Yield the full names of modules that a source may ``cimport``; some may be names of what is in a module.

    Args:
        source: Its text.
        name: Full name of the module that it is of.
        package: Whether it is a package's ``__init__``.
    """
    home = name if package else name.rpartition(".")[0]
    for found in _CIMPORT.finditer(_joined(source)):
        if found["pure"] is not None:
            yield from _with_names(found["pure"].strip("."), found["imported"] or "")
        elif found["module"] is not None and (found["module"] or found["dots"]):
            for module in _absolute(found["module"], len(found["dots"]), home):
                yield from _with_names(module, found["names"])
        else:
            for part in found["names"].split(","):
                if word := _WORD.search(part):
                    yield from _absolute(word[0], 0, home)


def _with_names(module: str, names: str) -> Iterator[str]:
    """Yield a module, and what is taken from it: each may be a module of its own."""
    if module:
        yield module
    for word in _WORD.findall(names):
        yield f"{module}.{word}".strip(".")


def _absolute(module: str, dots: int, home: str) -> Iterator[str]:
    """Yield what a module may be called in full; without dots it may also be one beside the module that asks (Python 2)."""
    if not dots:
        yield module
    parts = home.split(".")[: max(0, len(home.split(".")) - max(0, dots - 1))]
    if parts and parts != [""]:
        yield ".".join([*parts, *([module] if module else [])])


def places(name: str, known: Mapping[str, object]) -> Iterator[str]:
    """Yield a module's declarations among known places: ``a/b.pxd``, ``a/b/__init__.pxd``, those for one Cython."""
    path = name.replace(".", "/")
    for stem in (path, f"{path}/__init__"):
        if f"{stem}.pxd" in known:
            yield f"{stem}.pxd"
        folder, prefix = posixpath.dirname(stem), f"{stem}.cython-"
        yield from (each for each in known if each.startswith(prefix) and posixpath.dirname(each) == folder)


def module_of(place: str) -> tuple[str, bool]:
    """Return the full name of the module at a place, and whether it is a package's ``__init__``."""
    stem = re.sub(r"(\.cython-\d+)?\.\w+$", "", place)
    package = posixpath.basename(stem) == "__init__"
    return (posixpath.dirname(stem) if package else stem).replace("/", "."), package


@dataclass(frozen=True)
class Reached:
    """What Cython may look at for a source.

    Attributes:
        places: Places of sources, the source's own first.
        names: Full names that were looked for, those of packages without declarations among them.
    """

    places: tuple[str, ...]
    names: frozenset[str]

    def packages(self, folders: Iterable[str]) -> list[str]:
        """Return those of some folders that Cython has to know as packages."""
        return sorted(
            folder
            for folder in folders
            if folder.replace("/", ".") in self.names or any(place.startswith(f"{folder}/") for place in self.places)
        )


def reached(place: str, known: Mapping[str, object], read: Callable[[str], str]) -> Reached:
    """Return what Cython may look at for a source.

    Args:
        place: The source's: ``pkg/sub/mod.pyx``.
        known: Everything that there is, by place.
        read: Gives the text at one of these places.
    """
    found: dict[str, None] = {place: None}
    names: set[str] = set()
    waiting = [(place, module_of(place))]
    while waiting:
        here, (name, package) = waiting.pop()
        source = read(here)
        near = list(places(name, known)) if here == place else []
        for each in dict.fromkeys(cimported(source, name, package=package)):
            names.add(each)
            near += places(each, known)
        included = [] if here.endswith(".py") else _included(source, here, known)
        for each in [*near, *included]:
            if each not in found:
                found[each] = None
                # What is included stands in the module that includes it, as if it were written there.
                waiting.append((each, (name, package) if each in included else module_of(each)))
    return Reached(tuple(found), frozenset(names))


def _included(source: str, place: str, known: Mapping[str, object]) -> list[str]:
    """Return the places of files that a source includes: from its own folder on, or from the top."""
    names = [found[1] or found[2] for found in _INCLUDE.finditer(_joined(source))]
    starts = (posixpath.dirname(place), "")
    return [each for name in names for start in starts if (each := posixpath.normpath(posixpath.join(start, name))) in known]


def headers(source: str) -> Iterator[str | None]:
    """Yield the C headers that the C of a Cython source will include, as far as it says; None where a macro says it."""
    for found in _EXTERN.finditer(_joined(source)):
        yield (found[1] or found[2]).strip("<>")
    yield from c_text.includes(source)
