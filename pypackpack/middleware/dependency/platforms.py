"""Sets of platforms, and the PEP 508 markers that say them.

A set is kept as what a marker can say: for each ``sys_platform`` a finite or cofinite set of ``platform_machine``
values, and one more for every platform that is not named. Union, intersection and complement stay inside that form, so a
marker can grow and shrink and still be read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pypackpack.model.target import Target

# platform_system and os_name say the same as sys_platform, in other words (Python's documentation of `platform.system`).
_SYSTEMS = {
    "Windows": "win32",
    "Linux": "linux",
    "Darwin": "darwin",
    "Emscripten": "emscripten",
    "Android": "android",
    "iOS": "ios",
}


@dataclass(frozen=True)
class Machines:
    """A set of machines: those named, or (``rest``) all but those named. The order is the order of writing."""

    named: tuple[str, ...] = ()
    rest: bool = False

    def __eq__(self, other: object) -> bool:
        """Compare as sets: the order of writing does not matter."""
        return isinstance(other, Machines) and self.rest == other.rest and set(self.named) == set(other.named)

    def __hash__(self) -> int:
        """Hash as a set."""
        return hash((self.rest, frozenset(self.named)))

    def __contains__(self, machine: object) -> bool:
        """Tell whether a machine is in the set."""
        return (machine in self.named) != self.rest

    def __invert__(self) -> Machines:
        """Return the complement."""
        return Machines(self.named, not self.rest)

    def __or__(self, other: Machines) -> Machines:
        """Return the union."""
        if self.rest and other.rest:
            return Machines(tuple(name for name in self.named if name in other.named), rest=True)
        if self.rest:
            return Machines(tuple(name for name in self.named if name not in other.named), rest=True)
        if other.rest:
            return other | self
        return Machines(tuple(dict.fromkeys((*self.named, *other.named))))

    def __and__(self, other: Machines) -> Machines:
        """Return the intersection."""
        return ~(~self | ~other)


EVERY = Machines(rest=True)
NO = Machines()


@dataclass(frozen=True)
class Platforms:
    """A set of platforms: ``sys_platform`` → machines, and ``others`` for those that are not named."""

    named: Mapping[str, Machines] = field(default_factory=dict)
    others: Machines = NO

    def __eq__(self, other: object) -> bool:
        """Compare as sets."""
        if not isinstance(other, Platforms) or self.others != other.others:
            return False
        return all(self.machines(name) == other.machines(name) for name in {*self.named, *other.named})

    def __hash__(self) -> int:
        """Hash as a set."""
        return hash((self.others, frozenset((name, found) for name, found in self.named.items() if found != self.others)))

    def machines(self, sys_platform: str) -> Machines:
        """Return the machines of one platform that are in the set."""
        return self.named.get(sys_platform, self.others)

    def has(self, target: Target) -> bool:
        """Tell whether a marker for this set is true on a target; one that serves several machines is in when any is."""
        machines = self.machines(target.sys_platform)
        return target.platform_machine in machines if target.platform_machine else machines != NO

    def _with(self, other: Platforms, combine: Callable[[Machines, Machines], Machines]) -> Platforms:
        names = dict.fromkeys((*self.named, *other.named))
        others = combine(self.others, other.others)
        named = {name: combine(self.machines(name), other.machines(name)) for name in names}
        return Platforms({name: found for name, found in named.items() if found != others}, others)

    def __or__(self, other: Platforms) -> Platforms:
        """Return the union."""
        return self._with(other, lambda mine, theirs: mine | theirs)

    def __and__(self, other: Platforms) -> Platforms:
        """Return the intersection."""
        return self._with(other, lambda mine, theirs: mine & theirs)

    def __invert__(self) -> Platforms:
        """Return the complement."""
        return Platforms({name: ~found for name, found in self.named.items()}, ~self.others)

    def __sub__(self, other: Platforms) -> Platforms:
        """Return the difference."""
        return self & ~other


EVERYWHERE = Platforms({}, EVERY)
NOWHERE = Platforms()


def of_family(sys_platform: str) -> Platforms:
    """Return every machine of one platform."""
    return Platforms({sys_platform: EVERY})


def of_target(target: Target) -> Platforms:
    """Return the platforms that a target's own marker says."""
    machine = target.platform_machine
    return Platforms({target.sys_platform: Machines((machine,)) if machine else EVERY})


def union(sets: Iterable[Platforms]) -> Platforms:
    """Return the union of any number of sets."""
    result = NOWHERE
    for one in sets:
        result |= one
    return result


def marker(platforms: Platforms) -> str:
    """Return the PEP 508 marker of a set; empty when it is every platform.

    Raises:
        ValueError: The set is empty; no marker is needed where there is no dependency.
    """
    if platforms == EVERYWHERE:
        return ""
    if platforms == NOWHERE:
        msg = "there is no marker for no platform"
        raise ValueError(msg)
    named = {name: found for name, found in platforms.named.items() if found != platforms.others}
    if platforms.others == EVERY:
        return " and ".join(_unless(name, found) for name, found in named.items())
    clauses = [_clause(name, found) for name, found in named.items() if found != NO]
    if platforms.others != NO:
        words = [f"sys_platform != '{name}'" for name in named]
        clauses.append(" and ".join([*words, _machines(platforms.others, alone=not words)]))
    return " or ".join(clauses)


def _machines(machines: Machines, *, alone: bool) -> str:
    """Say a set of machines that is neither none nor all."""
    if machines.rest:
        return " and ".join(f"platform_machine != '{name}'" for name in machines.named)
    text = " or ".join(f"platform_machine == '{name}'" for name in machines.named)
    return text if alone or len(machines.named) == 1 else f"({text})"


def _clause(name: str, machines: Machines) -> str:
    head = f"sys_platform == '{name}'"
    return head if machines == EVERY else f"{head} and {_machines(machines, alone=False)}"


def _unless(name: str, machines: Machines) -> str:
    """Say that a platform is left out, wholly or but for some machines."""
    if machines == NO:
        return f"sys_platform != '{name}'"
    text = f"sys_platform != '{name}' or {_machines(machines, alone=False)}"
    return f"({text})"


def read_marker(text: str) -> tuple[Platforms, str]:
    """Split a marker into the platforms that it says and the rest of it.

    The marker is true where the platform is in the first and the second, itself a marker or empty, is true.

    Raises:
        packaging.markers.InvalidMarker: It is none.
    """
    from packaging.markers import Marker  # noqa: PLC0415 - import cost

    # There is no public way into a parsed marker; the shape (nested lists of triples, "and", "or") is as old as PEP 508.
    tree: list[Any] = Marker(text)._markers  # noqa: SLF001 - see above
    if "or" in tree:
        whole = _platforms(tree)
        return (EVERYWHERE, text) if whole is None else (whole, "")
    found, rest = EVERYWHERE, []
    for part in tree[::2]:
        platforms = _platforms(part)
        if platforms is None:
            rest.append(_text(part))
        else:
            found &= platforms
    return found, " and ".join(rest)


def _platforms(part: Any) -> Platforms | None:  # noqa: ANN401 - packaging's parsed markers have no public type
    """Return what an expression says of platforms, or None when it says anything else too."""
    if isinstance(part, tuple):
        return _atom(*(str(word.value) for word in part), reverse=type(part[0]).__name__ == "Value")
    result = NOWHERE
    conjunction: Platforms | None = EVERYWHERE
    for word in [*part, "or"]:
        if word == "or":
            if conjunction is None:
                return None
            result |= conjunction
            conjunction = EVERYWHERE
        elif word != "and":
            one = _platforms(word)
            conjunction = None if one is None or conjunction is None else conjunction & one
            if conjunction is None:
                return None
    return result


def _atom(left: str, operator: str, right: str, *, reverse: bool) -> Platforms | None:
    variable, value = (right, left) if reverse else (left, right)
    if operator not in {"==", "!="}:
        return None
    if variable == "sys_platform":
        found = of_family(value)
    elif variable == "platform_machine":
        found = Platforms({}, Machines((value,)))
    elif variable == "platform_system" and value in _SYSTEMS:
        found = of_family(_SYSTEMS[value])
    elif variable == "os_name" and value in {"nt", "posix"}:
        found = of_family("win32") if value == "nt" else ~of_family("win32")
    else:
        return None
    return found if operator == "==" else ~found


def _text(part: Any) -> str:  # noqa: ANN401 - packaging's parsed markers have no public type
    if isinstance(part, tuple):
        return " ".join(word.serialize().replace('"', "'") for word in part)
    inner = " ".join(word if isinstance(word, str) else _text(word) for word in part)
    return f"({inner})"
