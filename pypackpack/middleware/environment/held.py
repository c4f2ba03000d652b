"""Constraints on what only other dependencies need: whether a lock of uv's keeps to them.

uv looks at constraints only when it resolves; a lock that fits the requirements it takes as it is, whatever they say. Pure.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pypackpack.model.names import normalise

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.requirements import Requirement


def locked(lock: str) -> dict[str, list[dict[str, Any]]]:
    """Return name → its entries in a lock; several where environments differ."""
    found: dict[str, list[dict[str, Any]]] = {}
    for item in tomllib.loads(lock).get("package", []):
        found.setdefault(normalise(item["name"]), []).append(item)
    return found


def name_of(constraint: str) -> str:
    """Return the distribution that a constraint is about."""
    return normalise(_read(constraint).name)


def to_resolve_again(constraints: Iterable[str], lock: str) -> tuple[str, ...]:
    """Return the names that a lock has in another version than a constraint allows, perhaps for another environment only."""
    there = locked(lock)
    asked = [_read(text) for text in constraints]
    return tuple(
        dict.fromkeys(
            normalise(one.name) for one in asked if any(not _fits(one, item) for item in there.get(normalise(one.name), ()))
        )
    )


def broken(constraints: Iterable[str], lock: str, python: Sequence[int]) -> tuple[str, ...]:
    """Return what a lock has against constraints, for a person: ``urllib3==1.26.0, and not ==1.26.18``.

    Args:
        constraints: PEP 508 strings. One with a marker counts where that is true on this machine.
        lock: uv's lock.
        python: Version of the Python of the environment.
    """
    there = locked(lock)
    facts = {"python_version": ".".join(map(str, python[:2])), "python_full_version": ".".join(map(str, python))}
    found = []
    for one in map(_read, constraints):
        items = there.get(normalise(one.name), [])
        good = [item for item in items if _fits(one, item)]
        here = one.marker is None or (one.marker.evaluate(facts) and not good)
        if here and len(good) < len(items):
            versions = ", ".join(f"{one.name}=={item.get('version', '?')}" for item in items if item not in good)
            found.append(f"{versions}, and not {one.specifier or one.url}")
    return tuple(found)


def _read(text: str) -> Requirement:
    from packaging.requirements import Requirement  # noqa: PLC0415 - import cost

    return Requirement(text)


def _fits(one: Requirement, item: dict[str, Any]) -> bool:
    if one.url is not None:  # of version control, the lock writes the url in a form of its own
        return one.url.startswith("git+") or item.get("source", {}).get("url") == one.url.partition("#")[0]
    version = item.get("version")
    return version is None or one.specifier.contains(version, prereleases=True)
