"""Many requirements files become one list; what excludes each other is said with the files and lines that cause it. Pure."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from pypackpack.model.interpreter import NEWEST, OLDEST
from pypackpack.model.names import normalise
from pypackpack.model.requirement import MergedLine

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.specifiers import SpecifierSet

    from pypackpack.model.requirement import Asked, Place

_PLATFORMS = (
    ("linux", "posix", "Linux", ("x86_64", "aarch64")),
    ("darwin", "posix", "Darwin", ("x86_64", "arm64")),
    ("win32", "nt", "Windows", ("AMD64", "ARM64")),
)


@dataclass(frozen=True)
class Conflict:
    """Lines that exclude each other.

    Attributes:
        name: The distribution.
        why: What about them does.
        lines: The lines, in the order in which they were read.
    """

    name: str
    why: str
    lines: tuple[Asked, ...]

    def text(self) -> str:
        """Return it for a person: one line for the name, one for each line of a file."""
        width = max(len(wanted(line)) for line in self.lines)
        shown = [
            f"  {wanted(line).ljust(width)}  {line.place}{' (constraint)' if line.constraint else ''}" for line in self.lines
        ]
        return "\n".join([f"{self.name}: {self.why}", *shown])


def _at(line: Asked) -> str:
    return f"{line.place} (constraint)" if line.constraint else str(line.place)


def wanted(line: Asked) -> str:
    """Return what a line asks for, without its name: ``==1.2 ; python_version < "3.12"``."""
    what = f"@ {line.url}" if line.url else os.fspath(line.path) if line.path else line.specifier or "any version"
    return f"{what} ; {line.marker}" if line.marker else what


def conflicts(asked: Sequence[Asked]) -> tuple[Conflict, ...]:
    """Return the lines that no one version can satisfy, by themselves: pins, ranges, urls and hashes.

    What only shows in the dependencies of dependencies is for uv to find.
    """
    found: list[Conflict] = []
    for name, lines in _by_name(asked).items():
        blamed: dict[str, dict[Asked, None]] = {}
        for one, other in combinations(lines, 2):
            why = _exclude(one, other)
            if why and _meet(one.marker, other.marker):
                blamed.setdefault(why, {}).update({one: None, other: None})
        found += [Conflict(name, why, tuple(line for line in lines if line in pair)) for why, pair in blamed.items()]
    return tuple(found)


def merged(asked: Sequence[Asked]) -> tuple[tuple[MergedLine, ...], tuple[MergedLine, ...]]:
    """Return the one list, and the constraints on what is not in it.

    Lines of one name and marker become one: extras together, version limits together (a pin stands for all that it fits). A
    constraint on something that is in the list becomes part of its lines.
    """
    lines: list[MergedLine] = []
    held: list[MergedLine] = []
    for name, group in _by_name(asked).items():
        own = [line for line in group if not line.constraint]
        limits = [line for line in group if line.constraint]
        if not own:
            held += [_one(name, marker, same, ()) for marker, same in _by_marker(limits).items()]
            continue
        for marker, same in _by_marker(own).items():
            lines.append(_one(own[0].name, marker, same, [line for line in limits if _always(line.marker, marker)]))
        held += [
            _one(name, marker, same, ())
            for marker, same in _by_marker(limits).items()
            if not all(_always(marker, there) for there in _by_marker(own))
        ]
    return tuple(sorted(lines, key=_sorting)), tuple(sorted(held, key=_sorting))


def _sorting(line: MergedLine) -> tuple[str, str]:
    return normalise(line.text.partition("[")[0].partition(";")[0].partition("@")[0].strip()), line.text


def lines_for(names: Iterable[str], asked: Sequence[Asked]) -> str:
    """Return every line that asks for one of some distributions, for a person."""
    groups = _by_name(asked)
    shown: list[str] = []
    for name in dict.fromkeys(map(normalise, names)):
        if name in groups:
            shown += [f"{name} {wanted(line)}  {_at(line)}" for line in groups[name]]
    return "\n".join(shown)


def _by_name(asked: Sequence[Asked]) -> dict[str, list[Asked]]:
    groups: dict[str, list[Asked]] = {}
    for line in asked:
        groups.setdefault(normalise(line.name), []).append(line)
    return groups


def _by_marker(lines: Sequence[Asked]) -> dict[str, list[Asked]]:
    groups: dict[str, list[Asked]] = {}
    for line in lines:
        groups.setdefault(line.marker, []).append(line)
    return groups


def _one(name: str, marker: str, lines: Sequence[Asked], limits: Sequence[Asked]) -> MergedLine:
    """Return one line for lines of one name and marker."""
    places: tuple[Place, ...] = tuple(dict.fromkeys(line.place for line in (*lines, *limits)))
    extras = sorted({extra for line in lines for extra in line.extras})
    shown = f"{name}[{','.join(extras)}]" if extras else name
    path = next((line.path for line in lines if line.path is not None), None)
    url = next((line.url for line in lines if line.url), "")
    if path is not None:
        what = ""
    elif url:
        what = f" @ {url}"
    else:
        what = _versions([line.specifier for line in (*lines, *limits)])
    text = f"{shown}{what}{' ; ' if url else '; '}{marker}" if marker else f"{shown}{what}"
    return MergedLine(text, places, path, editable=any(line.editable for line in lines))


def _versions(specifiers: Iterable[str]) -> str:
    """Return version limits together; a pin stands for all limits that it is within."""
    pieces = dict.fromkeys(str(piece) for text in specifiers for piece in _set(text))
    pins = [piece for piece in pieces if piece.startswith("===") or (piece.startswith("==") and not piece.endswith(".*"))]
    if pins:
        version = pins[0].lstrip("=")
        if all(_set(piece).contains(version, prereleases=True) for piece in pieces):
            return pins[0]
    return ",".join(sorted(pieces, key=lambda piece: (piece.lstrip("<>=!~"), piece)))


@functools.lru_cache(maxsize=1024)
def _set(text: str) -> SpecifierSet:
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - import cost

    return SpecifierSet(text)


def _exclude(one: Asked, other: Asked) -> str:
    """Tell why two lines of one name exclude each other; empty when they do not, as far as they say themselves."""
    if (one.url or one.path) and (other.url or other.path):
        same = (one.url, one.path) == (other.url, other.path)
        return "" if same else "comes from different places"
    if one.url or one.path or other.url or other.path:
        return ""  # which version lies there is for uv to find out
    if not _overlap(_set(one.specifier), _set(other.specifier)):
        return "no version is within these limits"
    if one.hashes and other.hashes and one.specifier == other.specifier and not set(one.hashes) & set(other.hashes):
        return "the hashes allow different files"
    return ""


def _overlap(one: SpecifierSet, other: SpecifierSet) -> bool:
    """Tell whether a version can be within both sets.

    Looked at are the versions that the limits name and their neighbours: between two named ones nothing changes.
    """
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - import cost

    tried: list[Version] = [Version("0"), Version("99999")]
    for piece in (*one, *other):
        try:
            version = Version(piece.version.removesuffix(".*"))
        except InvalidVersion:
            return True  # `===` and something that is no version
        release = version.release
        below = [*release[:-1], release[-1] - 1, 99999] if release[-1] else [*(release[:-1] or (0,)), 0]
        tried += [version, Version(".".join(map(str, [*release, 1]))), Version(".".join(map(str, below)))]
        tried.append(Version(f"{version.public}.post99999") if version.post is None else version)
        tried.append(Version(f"{'.'.join(map(str, release))}.dev0"))
        tried.append(Version(".".join(map(str, [*release[:-1], release[-1] + 1]))))
    return any(one.contains(version, prereleases=True) and other.contains(version, prereleases=True) for version in tried)


@functools.lru_cache(maxsize=1)
def _environments() -> tuple[dict[str, str], ...]:
    """Return what markers are asked about: each system and machine with each Python."""
    found = []
    for system, os_name, platform, machines in _PLATFORMS:
        for machine in machines:
            for minor in range(OLDEST[1], NEWEST[1] + 1):
                version = f"{NEWEST[0]}.{minor}"
                found.append(
                    {
                        "sys_platform": system,
                        "os_name": os_name,
                        "platform_system": platform,
                        "platform_machine": machine,
                        "platform_release": "",
                        "platform_version": "",
                        "python_version": version,
                        "python_full_version": f"{version}.1",
                        "implementation_name": "cpython",
                        "implementation_version": f"{version}.1",
                        "platform_python_implementation": "CPython",
                        "extra": "",
                    }
                )
    return tuple(found)


@functools.lru_cache(maxsize=1024)
def _where(marker: str) -> frozenset[int]:
    """Return the environments that a marker is true in."""
    from packaging.markers import Marker  # noqa: PLC0415 - import cost

    if not marker:
        return frozenset(range(len(_environments())))
    parsed = Marker(marker)
    return frozenset(number for number, facts in enumerate(_environments()) if parsed.evaluate(dict(facts)))


def _meet(one: str, other: str) -> bool:
    """Tell whether two markers can be true at once."""
    return one == other or bool(_where(one) & _where(other))


def _always(one: str, other: str) -> bool:
    """Tell whether a marker is true wherever another one is."""
    return _where(other) <= _where(one)
