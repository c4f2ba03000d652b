"""Dependency lines of a package, and how they change when a dependency is added to or taken from some of its targets.

Pure: from lists of PEP 508 strings to lists of PEP 508 strings. Each line keeps where it came from, so that whoever writes the
file touches only what changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pypackpack.middleware.dependency.platforms import (
    EVERYWHERE,
    NOWHERE,
    Platforms,
    marker,
    of_family,
    of_target,
    read_marker,
    union,
)
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pypackpack.model.target import Target


@dataclass(frozen=True)
class Line:
    """One dependency.

    Attributes:
        head: The text before the marker, as written.
        name: Normalised name.
        terms: What is asked besides the name (extras, versions, url), in one spelling; empty when nothing is.
        platforms: Where its marker is true.
        rest: What the marker says of other things, such as ``python_version``; empty when nothing.
        text: The line as written; empty when it has to be put together again.
        origin: Its index in the list it came from; None when it is new.
    """

    head: str
    name: str
    terms: str
    platforms: Platforms = EVERYWHERE
    rest: str = ""
    text: str = ""
    origin: int | None = None

    def __str__(self) -> str:
        """Return the PEP 508 string."""
        if self.text:
            return self.text
        said = marker(self.platforms)
        if self.rest and said:
            said = f"{_closed(self.rest)} and {_closed(said)}"
        elif self.rest:
            said = self.rest
        if not said:
            return self.head
        # After a url the semicolon needs a space, or it would be part of the url (PEP 508).
        return f"{self.head}{' ' if '@' in self.head else ''}; {said}"

    def on(self, platforms: Platforms) -> Line:
        """Return the line for another set of platforms."""
        return self if platforms == self.platforms else replace(self, platforms=platforms, text="")


def _closed(text: str) -> str:
    return f"({text})" if " or " in text and not (text.startswith("(") and text.endswith(")") and text.count("(") == 1) else text


def read_line(text: str, origin: int | None = None) -> Line:
    """Parse a PEP 508 string.

    Raises:
        packaging.requirements.InvalidRequirement: It is none.
    """
    from packaging.requirements import Requirement  # noqa: PLC0415 - import cost

    requirement = Requirement(text)
    extras = ",".join(sorted(normalise(extra) for extra in requirement.extras))
    terms = f"[{extras}]" * bool(extras) + str(requirement.specifier) + f"@{requirement.url}" * bool(requirement.url)
    platforms, rest = EVERYWHERE, ""
    head = text.strip()
    if requirement.marker is not None:
        said = str(requirement.marker)
        platforms, rest = read_marker(said)
        head = text[: _semicolon(text)].strip()
    return Line(head, normalise(requirement.name), terms, platforms, rest.replace('"', "'"), text.strip(), origin)


def _semicolon(text: str) -> int:
    """Return the index of the semicolon that begins the marker: the last one outside of quotes."""
    quote = ""
    found = len(text)
    for index, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter == ";":
            found = index
    return found


@dataclass(frozen=True)
class Choice:
    """The targets that a command is about.

    Attributes:
        targets: Which; all of the package when nothing was said.
        said: What a marker says of them.
        unsaid: Those that no marker tells apart from a target that is not chosen.
        everywhere: Whether nothing was said.
    """

    targets: tuple[Target, ...]
    said: Platforms
    unsaid: tuple[Target, ...] = ()
    everywhere: bool = False


def choose(families: Mapping[str, Sequence[Target]], targets: Iterable[Target], enabled: Sequence[Target]) -> Choice:
    """Return the choice that words mean.

    Args:
        families: The families that were named → the package's targets in them.
        targets: The targets that were named.
        enabled: All targets of the package.
    """
    named = tuple(targets)
    chosen = tuple(dict.fromkeys([*(target for members in families.values() for target in members), *named]))
    said = [of_family(members[0].sys_platform) for members in families.values() if members]
    unsaid = []
    for target in named:
        group = alike(target, enabled)
        if all(other in chosen for other in group):
            said.append(platforms_of(group))
        else:
            unsaid.append(target)
    return Choice(chosen, union(said), tuple(unsaid))


def everywhere(enabled: Sequence[Target]) -> Choice:
    """Return the choice of every target."""
    return Choice(tuple(enabled), EVERYWHERE, everywhere=True)


def alike(target: Target, enabled: Sequence[Target]) -> tuple[Target, ...]:
    """Return the enabled targets that no marker tells apart from ``target``, itself included."""
    group = {target}
    while True:
        more = {other for other in enabled for member in group if _same_marker(other, member)} | group
        if more == group:
            return tuple(other for other in dict.fromkeys((*enabled, target)) if other in group)
        group = more


def _same_marker(one: Target, other: Target) -> bool:
    if one.sys_platform != other.sys_platform:
        return False
    return one.platform_machine == other.platform_machine or not one.platform_machine or not other.platform_machine


def platforms_of(group: Iterable[Target]) -> Platforms:
    """Return the platforms that the markers of targets say together."""
    return union(of_target(target) for target in group)


@dataclass(frozen=True)
class Dependencies:
    """A package's dependencies: its lines, and those of single targets that a marker cannot say."""

    lines: tuple[Line, ...]
    own: Mapping[str, tuple[Line, ...]]

    def of(self, name: str) -> tuple[Line, ...]:
        """Return the lines for one distribution (normalised name)."""
        return tuple(line for line in self.lines if line.name == name)

    def own_of(self, name: str) -> dict[str, tuple[str, ...]]:
        """Return target → that target's own lines for one distribution, as text; only where there are any."""
        found = {target: tuple(str(line) for line in lines if line.name == name) for target, lines in self.own.items()}
        return {target: lines for target, lines in found.items() if lines}


def read(lines: Iterable[str], own: Mapping[str, Iterable[str]]) -> Dependencies:
    """Parse a package's dependencies.

    Raises:
        packaging.requirements.InvalidRequirement: A line is none.
    """
    return Dependencies(
        tuple(read_line(text, index) for index, text in enumerate(lines)),
        {target: tuple(read_line(text) for text in texts) for target, texts in own.items()},
    )


def added(before: Dependencies, wanted: Line, choice: Choice, enabled: Sequence[Target]) -> Dependencies:
    """Return the dependencies with one more, on the chosen targets."""
    after = before
    for target in choice.unsaid:
        after = _added_own(after, wanted, target, choice, enabled)
    where = wanted.platforms & choice.said
    if where == NOWHERE:
        return after
    mine = after.of(wanted.name)
    if mine and not wanted.terms and not wanted.rest:
        lines = _extended(after.lines, wanted, mine, where)
    else:
        lines = _replaced(after.lines, wanted, where)
    own = {
        target.name: tuple(line for line in after.own.get(target.name, ()) if not _superseded(line, wanted, target, choice))
        for target in enabled
    }
    return Dependencies(tuple(lines), {**after.own, **own})


def narrowed(before: Dependencies, wanted: Sequence[Line]) -> tuple[Dependencies, tuple[Line, ...]]:
    """Return the dependencies with the markers that a person wrote, and those of ``wanted`` that are still to be added.

    Whoever writes a marker for what is there already, with the same versions or none, and on more platforms, wants it on fewer:
    adding alone would leave the line as it is, and drop the marker unsaid.

    Args:
        before: What there is.
        wanted: The lines of one command; those that differ in their platforms only are taken together.
    """
    groups: dict[tuple[str, str, str], list[Line]] = {}
    for line in wanted:
        groups.setdefault((line.name, line.terms, line.rest), []).append(line)
    after, left = before, []
    for (name, terms, rest), group in groups.items():
        where = union(line.platforms for line in group)
        mine = [line for line in after.of(name) if not terms or line.terms == terms]
        said = bool(rest) or where != EVERYWHERE
        if not said or not mine or where - union(line.platforms for line in mine) != NOWHERE or (rest and len(mine) > 1):
            left += group
            continue
        lines: list[Line] = []
        for line in after.lines:
            if not any(line is each for each in mine):
                lines.append(line)
            elif (on := line.platforms & where) != NOWHERE:
                # Several lines may differ in what they say besides platforms; then that is theirs.
                kept = replace(line, rest=rest, text="") if len(mine) == 1 and line.rest != rest else line
                lines.append(kept.on(on))
        after = replace(after, lines=tuple(lines))
    return after, tuple(left)


def _superseded(line: Line, wanted: Line, target: Target, choice: Choice) -> bool:
    """Tell whether a target's own line is now said by a marker."""
    covered = target in choice.targets and target not in choice.unsaid and not wanted.rest
    return covered and line.name == wanted.name and (bool(wanted.terms) or str(line) == wanted.head)


def _extended(lines: Iterable[Line], wanted: Line, mine: Sequence[Line], where: Platforms) -> list[Line]:
    """Only the name was given: what is there already keeps its versions, and reaches further."""
    missing = where - union(line.platforms for line in mine)
    if missing == NOWHERE:
        return list(lines)
    if len(mine) == 1:
        return [line.on(line.platforms | where) if line is mine[0] else line for line in lines]
    return [*lines, replace(wanted, platforms=missing, text="")]


def _replaced(lines: Iterable[Line], wanted: Line, where: Platforms) -> list[Line]:
    """Versions were given: they hold on the chosen platforms, and what was there before holds on the others."""
    result: list[Line] = []
    merged = False
    for line in lines:
        if line.name != wanted.name or (wanted.rest and line.rest != wanted.rest):
            result.append(line)
        elif line.terms == wanted.terms and line.rest == wanted.rest and not merged:
            result.append(line.on(line.platforms | where))
            merged = True
        elif (left := line.platforms - where) != NOWHERE:
            result.append(line.on(left))
    if not merged:
        result.append(replace(wanted, platforms=where, text="" if where != wanted.platforms else wanted.text))
    return result


def _added_own(before: Dependencies, wanted: Line, target: Target, choice: Choice, enabled: Sequence[Target]) -> Dependencies:
    mine = [line for line in before.lines if line.name == wanted.name and line.platforms.has(target)]
    there = [line for line in before.own.get(target.name, ()) if line.name == wanted.name]
    if not wanted.terms and not wanted.rest and (mine or there):
        return before
    after = _moved_to_siblings(before, wanted.name, target, choice, enabled)
    kept = tuple(line for line in after.own.get(target.name, ()) if line.name != wanted.name)
    line = replace(wanted, platforms=EVERYWHERE, text="", origin=None)
    return Dependencies(after.lines, {**after.own, target.name: (*kept, line)})


def _moved_to_siblings(
    before: Dependencies, name: str, target: Target, choice: Choice, enabled: Sequence[Target]
) -> Dependencies:
    """Take a dependency away from all targets that share a marker, and give it back to those that were not chosen."""
    group = alike(target, enabled)
    siblings = [other for other in group if other not in choice.targets]
    where = platforms_of(group)
    lines: list[Line] = []
    own = dict(before.own)
    for line in before.lines:
        if line.name != name or line.platforms & where == NOWHERE:
            lines.append(line)
            continue
        for sibling in siblings:
            if line.platforms.has(sibling):
                own[sibling.name] = (*own.get(sibling.name, ()), replace(line, platforms=EVERYWHERE, text="", origin=None))
        if (left := line.platforms - where) != NOWHERE and _used(left, enabled):
            lines.append(line.on(left))
    return Dependencies(tuple(lines), own)


def removed(before: Dependencies, name: str, choice: Choice, enabled: Sequence[Target]) -> Dependencies:
    """Return the dependencies without one, on the chosen targets; the last target takes the line with it."""
    after = before
    for target in choice.unsaid:
        after = _moved_to_siblings(after, name, target, choice, enabled)
    lines: list[Line] = []
    for line in after.lines:
        left = line.platforms - choice.said if line.name == name else line.platforms
        if left == line.platforms or (left != NOWHERE and _used(left, enabled)):
            lines.append(line.on(left))
    chosen = {target.name for target in choice.targets}
    own = {
        target: tuple(line for line in own_lines if line.name != name or not (choice.everywhere or target in chosen))
        for target, own_lines in after.own.items()
    }
    return Dependencies(tuple(lines), own)


def _used(platforms: Platforms, enabled: Sequence[Target]) -> bool:
    """Tell whether any target of the package is left; a package without targets keeps what its markers say."""
    return not enabled or any(platforms.has(target) for target in enabled)
