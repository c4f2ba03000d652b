"""What a wheel needs at run time, as its package's lock has it: for its bill of materials.

The lock is read as it is, whatever may be newer. Of each dependency the files count that an installer takes on the platforms and
Pythons that the wheel is for, so that a wheel of one platform names one file, and one for all of them a few.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pypackpack.backend.urls import file_name
from pypackpack.middleware.bundle.sbom import pypi_purl
from pypackpack.middleware.dependency.wheels import best_wheel, platforms
from pypackpack.middleware.environment import lock as locks
from pypackpack.model.errors import DamagedLockError
from pypackpack.model.names import normalise
from pypackpack.model.sbom import Dependencies, DependencyFile, LockedDependency
from pypackpack.model.secrets import masked

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.requirements import Requirement

    from pypackpack.middleware.bundle.bill import Place
    from pypackpack.middleware.bundle.metadata import CoreFiles

_REQUIRES = "Requires-Dist: "
_PYTHON = "Requires-Python: "
_LATEST_MICRO = 99


def dependencies_of(metadata: str, lock: bytes | None, name: str, where: Sequence[Place]) -> Dependencies:
    """Return what a wheel needs, itself and through others.

    Args:
        metadata: Its METADATA.
        lock: The package's ``pyproject.lock``; None where there is none.
        name: The package's name.
        where: Where the wheel may be installed.

    Raises:
        DamagedLockError: The lock is damaged.
    """
    head, _, _ = metadata.partition("\n\n")
    where = _possible(head, where)
    asked = _requirements(head, where)
    read = _Lock(_items(lock, name) if lock is not None and asked else [], normalise(name), where)
    direct: list[str] = []
    complete = True
    for requirement in asked:
        found = read.named(requirement)
        complete = complete and all(purl in read.every for purl in found) and bool(found)
        direct += found or [read.add_unlocked(requirement)]
    return Dependencies(tuple(dict.fromkeys(direct)), tuple(read.every.values()), complete)


def carried_by(cores: Sequence[CoreFiles], lock: bytes | None, name: str, where: Sequence[Place]) -> Dependencies:
    """Return what a wheel carries: what its packages need, and those of the project among them.

    Args:
        cores: Metadata of the package, and of the project's packages that it needs.
        lock: The package's ``pyproject.lock``, which has what all of them need; None where there is none.
        name: The package's name.
        where: Where the wheel may be installed.

    Raises:
        DamagedLockError: The lock is damaged.
    """
    from packaging.requirements import Requirement  # noqa: PLC0415 - import cost

    own = {normalise(core.name): core for core in cores}
    lines = [line for core in cores for line in core.metadata.partition("\n\n")[0].splitlines() if line.startswith(_REQUIRES)]
    others = [line for line in dict.fromkeys(lines) if normalise(Requirement(line[len(_REQUIRES) :]).name) not in own]
    found = dependencies_of("\n".join(others), lock, name, where)
    siblings = [
        LockedDependency(other, core.version, pypi_purl(other, core.version))
        for other, core in own.items()
        if other != normalise(name)
    ]
    direct = (*found.direct, *(each.purl for each in siblings))
    return Dependencies(direct, (*found.every, *siblings), found.complete)


def needed_by(
    item: tuple[str, str], lock: bytes | None, name: str, where: Sequence[Place]
) -> tuple[LockedDependency, Dependencies]:
    """Return a dependency as the lock has it, and what it needs in turn; not what extras of it add, which others ask for.

    Args:
        item: Its name and version.
        lock: The package's ``pyproject.lock``; None where there is none.
        name: The package's name.
        where: Where it is to be installed.

    Raises:
        DamagedLockError: The lock is damaged.
    """
    own, version = normalise(item[0]), item[1]
    read = _Lock(_items(lock, name) if lock is not None else [], normalise(name), where)
    purl = read.installed(own)
    if not purl:
        return LockedDependency(own, version, pypi_purl(own, version)), Dependencies((), (), complete=False)
    # It may be needed by what it needs; in the file it is the wheel itself.
    others = [each for each in read.every.values() if each.purl != purl]
    every = tuple(replace(each, needs=tuple(need for need in each.needs if need != purl)) for each in others)
    return read.every[purl], Dependencies(tuple(need for need in read.every[purl].needs if need != purl), every)


def _items(lock: bytes, name: str) -> list[dict[str, Any]]:
    try:
        items = tomllib.loads(lock.decode()).get("package", [])
        if not isinstance(items, list) or not all(isinstance(each, dict) and isinstance(each.get("name"), str) for each in items):
            msg = "an entry of it has no name"
            raise ValueError(msg)  # noqa: TRY301 - what is wrong is the file, and said as the rest that is
    except (ValueError, RecursionError) as error:  # the first is TOML's error, too, and that of an encoding
        msg = f"the {locks.FILE} of {name} is damaged: {error}"
        raise DamagedLockError(msg, hint=f"`pypackpack {name} sync` makes it anew.") from error
    return items


def _possible(head: str, where: Sequence[Place]) -> Sequence[Place]:
    """Return the places whose Python the metadata takes."""
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - import cost

    said = next((line[len(_PYTHON) :] for line in head.splitlines() if line.startswith(_PYTHON)), "")
    taken = SpecifierSet(said)
    return [place for place in where if taken.contains("{}.{}.{}".format(*place.python, _LATEST_MICRO))] or where


def _requirements(head: str, where: Sequence[Place]) -> list[Requirement]:
    """Return the requirements that are in force somewhere, without those of extras."""
    from packaging.requirements import Requirement  # noqa: PLC0415 - import cost

    parsed = [Requirement(line[len(_REQUIRES) :]) for line in head.splitlines() if line.startswith(_REQUIRES)]
    return [each for each in parsed if each.marker is None or any(_true(str(each.marker), place) for place in where)]


def _true(marker: str, place: Place, extra: str = "") -> bool:
    from packaging.markers import Marker  # noqa: PLC0415 - import cost

    return Marker(marker).evaluate({**locks.marker_facts(place.target, place.python), "extra": extra})


@dataclass
class _Lock:
    """uv's lock, read for some places at once."""

    items: Sequence[Mapping[str, Any]]
    own: str
    where: Sequence[Place]
    every: dict[str, LockedDependency] = field(default_factory=dict)
    read: set[tuple[str, str, Place]] = field(default_factory=set)

    def named(self, requirement: Requirement) -> list[str]:
        """Return what a line of the metadata means, and read all that it needs; nothing where the lock does not know it."""
        name = normalise(requirement.name)
        marker = str(requirement.marker or "")
        here = [place for place in self.where if not marker or _true(marker, place)]
        found = []
        for item in self._fitting(name, None, here):
            version = str(item.get("version", ""))
            if requirement.url or not version or requirement.specifier.contains(version, prereleases=True):
                found.append(self._read(item, tuple(sorted(requirement.extras)), here))
        return found

    def installed(self, name: str) -> str:
        """Read what is installed of a normalised name and return its package URL; empty where the lock has nothing."""
        found = self._fitting(name, None, self.where)
        return self._read(found[0], (), self.where) if found else ""

    def add_unlocked(self, requirement: Requirement) -> str:
        """Take in what the lock does not know: by its name, and its version where the metadata says exactly one."""
        pins = [each.version for each in requirement.specifier if each.operator == "==" and not each.version.endswith(".*")]
        version = pins[0] if len(pins) == 1 else ""
        purl = pypi_purl(requirement.name, version)
        self.every.setdefault(purl, LockedDependency(normalise(requirement.name), version, purl))
        return purl

    def _fitting(self, name: str, edge: Mapping[str, Any] | None, here: Sequence[Place]) -> list[Mapping[str, Any]]:
        """Return the locked distributions of a name; where there are several, those that some place takes."""
        found = [each for each in self.items if each.get("name") == name and name != self.own]
        if edge is not None:
            found = [each for each in found if edge.get("version") in (None, each.get("version"))]
            found = [each for each in found if edge.get("source") in (None, each.get("source"))]
        if len(found) > 1:
            found = [
                each
                for each in found
                if any(_true(marker, place) for marker in each.get("resolution-markers", ()) for place in here)
            ] or found
        return found

    def _read(self, item: Mapping[str, Any], extras: tuple[str, ...], here: Sequence[Place]) -> str:
        """Take in a locked distribution and what it needs; return its package URL."""
        name, version = str(item["name"]), str(item.get("version", ""))
        purl = pypi_purl(name, version, **_origin(item.get("source", {})))
        known = self.every.get(purl, LockedDependency(name, version, purl))
        fresh = self._fresh(purl, "", here)
        files = (*known.files, *(file for file in _files(item, fresh) if file not in known.files))
        self.every[purl] = replace(known, files=files)  # before what it needs: there may be a circle
        asked = [(edge, fresh) for edge in item.get("dependencies", ())]
        for extra in extras:
            also = self._fresh(purl, extra, here)
            asked += [(edge, also) for edge in item.get("optional-dependencies", {}).get(extra, ())]
        needs = {purl for edge, places in asked for purl in self._needed(edge, places)}
        self.every[purl] = replace(self.every[purl], needs=tuple(sorted({*self.every[purl].needs, *needs})))
        return purl

    def _fresh(self, purl: str, extra: str, here: Iterable[Place]) -> list[Place]:
        """Return the places that a distribution, or an extra of it, was not read for yet."""
        fresh = [place for place in here if (purl, extra, place) not in self.read]
        self.read.update((purl, extra, place) for place in fresh)
        return fresh

    def _needed(self, edge: Mapping[str, Any], here: Sequence[Place]) -> list[str]:
        """Read what a distribution needs, where it does."""
        marker = edge.get("marker", "")
        places = [place for place in here if not marker or _true(marker, place)]
        found = self._fitting(edge["name"], edge, places) if places else []
        return [self._read(each, tuple(edge.get("extra", ())), places) for each in found]


def _origin(source: Mapping[str, Any]) -> dict[str, str]:
    """Return what a package URL says of a distribution that comes from elsewhere than an index; never a path of a machine."""
    if "git" in source:
        return {"vcs_url": f"git+{masked(str(source['git']))}"}
    if "url" in source:
        return {"download_url": masked(str(source["url"]))}
    return {}


def _files(item: Mapping[str, Any], here: Sequence[Place]) -> tuple[DependencyFile, ...]:
    """Return the wheels that are installed of a distribution, and its source where some place has no wheel."""
    found: dict[str, DependencyFile] = {}
    for place in here:
        names = platforms(place.target, place.python)
        file = best_wheel(item.get("wheels", ()), names, place.python) or item.get("sdist") or {}
        kind, _, digest = str(file.get("hash", "")).partition(":")
        if kind == "sha256":
            name = file_name(str(file.get("url") or file.get("path") or file.get("filename") or "")) or str(item["name"])
            found[name] = DependencyFile(name, digest)
    return tuple(found.values())
