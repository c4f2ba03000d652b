"""Targets by name: canonical names, versioned ones, families, aliases, and the machine's own.

The table is read when it is first asked for and kept; nothing here starts a process.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pypackpack.data
from pypackpack.middleware.target.rows import TABLE_NAME, collapse, dotted, numbers, read_table
from pypackpack.model.errors import MissingToolError, UnknownTargetError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pypackpack.middleware.target.rows import Row, Table
    from pypackpack.model.host import Host
    from pypackpack.model.target import Target

HOST = "host"
"""The word that stands for the target of the machine we run on."""

_VERSION = re.compile(r"\d+(?:_\d+)*")
_NEAR = 3


@functools.cache
def table() -> Table:
    """Return the checked table."""
    return read_table((Path(pypackpack.data.__path__[0]) / TABLE_NAME).read_text(encoding="utf-8"))


@functools.cache
def targets() -> Mapping[str, Target]:
    """Return every row's target by canonical name, in the table's order; versioned ones come from `find`."""
    return {name: row.target() for name, row in table().rows.items()}


def families() -> tuple[str, ...]:
    """Return the families' names."""
    return tuple(table().families)


def row_of(target: Target) -> Row:
    """Return the row that a target comes from."""
    return table().rows[target.row]


# -------------------------------------------------------------------------------------------------------------- names


@functools.cache
def _index() -> tuple[dict[str, str], list[tuple[str, str, str, bool]]]:
    """Return plain names → row, and patterns as (start, end, row, whether it is the canonical one)."""
    plain: dict[str, str] = dict(table().families.items())
    patterns: list[tuple[str, str, str, bool]] = []
    for row in table().rows.values():
        plain[row.name] = row.name
        names = [(alias, False) for alias in row.aliases]
        if row.versions:
            names.append((row.versions.name, True))
            if row.versions.unsaid:
                plain.setdefault(collapse(row.versions.name.replace("_{version}", "")), row.name)
        for name, canonical in names:
            key = collapse(name.replace("{dotted}", "{version}"))
            start, hole, end = key.partition("{version}")
            if hole:
                patterns.append((start, end, row.name, canonical))
            else:
                plain[key] = row.name
    return plain, patterns


def _version_in(row: Row, said: str, *, canonical: bool) -> str | None:
    """Return the version of a row that a name's version means, or None when there is no such version.

    An alias may say a version that only other tools know (macOS 12.3, glibc 2.5): it is raised to the lowest, and its
    last part taken as 0 where the platform has no such versions. A canonical name must be right as it is.
    """
    versions = row.versions
    if versions is None:
        return None
    said = versions.same.get(said, said)
    tries = [said, f"{said}_0"] if canonical else [said, f"{said}_0", f"{said.partition('_')[0]}_0"]
    if versions.unsaid and not canonical and numbers(said) < numbers(versions.lowest):
        return versions.lowest
    for version in tries:
        if re.fullmatch(versions.form, version) is None:
            continue
        if versions.unsaid:
            if numbers(version) < numbers(versions.lowest):
                return None
            return None if versions.newest and numbers(version) > numbers(versions.newest) else version
        if any(f"_{version}_" in tag for tags in row.tags_by_python.values() for tag in tags):
            return version
    return None


def _look_up(word: str) -> tuple[Target, bool] | Row | None:
    """Return the target that a word means and whether the word says a version.

    A row: the word is a versioned name of it, with a version that does not exist. None: the word means nothing.
    """
    plain, patterns = _index()
    name = collapse(word)
    if name in plain:
        row = table().rows[plain[name]]
        return row.target(), False
    wrong: Row | None = None
    for start, end, row_name, canonical in patterns:
        if len(name) > len(start) + len(end) and name.startswith(start) and name.endswith(end):
            said = name[len(start) : len(name) - len(end)]
            if _VERSION.fullmatch(said):
                row = table().rows[row_name]
                version = _version_in(row, said, canonical=canonical)
                if version is not None:
                    return row.target(version), True
                wrong = row
    if wrong is None and "." in word:  # a compressed set of wheel tags
        found = [_look_up(each) for each in word.split(".")]
        if all(isinstance(each, tuple) and each[0] == found[0][0] for each in found if isinstance(found[0], tuple)):
            return found[0]
    return wrong


def find(name: str) -> Target:
    """Return the one target that a name means: canonical, versioned, a family (its default), an alias.

    Aliases are ``{os}-{arch}`` keys, Rust and zig triples, uv's ``--python-platform`` names, wheel platform tags and
    values of ``sysconfig.get_platform()``; case and the kind of separators do not matter.

    Raises:
        UnknownTargetError: No target has this name; the nearest right ones are named.
    """
    found = _look_up(name) if name else None
    if isinstance(found, tuple):
        return found[0]
    if found is not None and found.versions is not None:
        raise _no_version(name, found)
    raise _unknown(name)


def _no_version(name: str, row: Row) -> UnknownTargetError:
    msg = f"unknown target {name!r}: there is no such version of {row.name}"
    versions = row.versions
    if versions is None or not versions.unsaid:
        known = [row.target(version).name for version in versions_in_tags(row)]
        return UnknownTargetError(msg, hint="The versions are: " + ", ".join([*known, row.name]) + ".")
    upper = f", the newest is {dotted(versions.newest)}" if versions.newest else ""
    hint = f"The lowest version is {dotted(versions.lowest)}{upper}; {row.name} itself means {dotted(versions.unsaid)}."
    return UnknownTargetError(msg, hint=hint)


def versions_in_tags(row: Row) -> list[str]:
    """Return the versions that stand in the tags of a row that has no version of its own."""
    found = re.findall(r"(?<=_)\d+(?:_\d+)+(?=_)", " ".join(tag for tags in row.tags_by_python.values() for tag in tags))
    return sorted(found, key=numbers)


def _unknown(name: str) -> UnknownTargetError:
    import difflib  # noqa: PLC0415 - import cost, only for the error

    means: dict[str, str] = {}
    for row in table().rows.values():
        means.update({collapse(alias): row.name for alias in row.aliases if "{" not in alias})
    means.update({word: word for word in (*table().rows, *families())})
    # An alias may be nearer to what was typed than any name: it is found by it, and said in the name that everything else says.
    found = [means[each] for each in difflib.get_close_matches(collapse(name), means, n=4 * _NEAR)]
    within = [each for each in table().rows if f"_{collapse(name)}_" in f"_{each}_"]
    near = list(dict.fromkeys([*within, *found]))[:_NEAR]
    if near:
        hint = "Did you mean " + " or ".join((", ".join(near[:-1]), near[-1]) if len(near) > 1 else near) + "?"
    else:
        hint = "The families are " + ", ".join(families()) + "; `pypackpack target list` shows every target."
    msg = f"unknown target {name!r}"
    return UnknownTargetError(msg, hint=hint)


def is_target_word(word: str) -> bool:
    """Tell whether a word names a target: a name that `find` takes, a family, or ``host``."""
    return word.lower() == HOST or isinstance(_look_up(word) if word else None, tuple)


@functools.cache
def reserved_names() -> frozenset[str]:
    """Return the words that no package may be called: targets, families, aliases, ``host``.

    Each stands there as it is spelled in the table, and as an import package would be (lower case, underscores).
    Versioned names are too many to list: ask `is_target_word` as well.
    """
    plain, _ = _index()
    spelled = {alias.lower() for row in table().rows.values() for alias in row.aliases if "{" not in alias}
    return frozenset({HOST, *plain, *spelled})


# --------------------------------------------------------------------------------------------------- words of --target


def resolve(words: Iterable[str], enabled: Sequence[Target], *, what: str = "--target") -> tuple[Target, ...]:
    """Return which of a package's targets the words after ``--target`` mean, in the order of the words, each once.

    A family means all enabled targets of it, ``host`` the one for this machine. A name without a version means that
    target, or, when it is not enabled, the enabled versioned ones of the same row.

    Args:
        words: As typed.
        enabled: The package's targets.
        what: Names the argument in an error.

    Raises:
        UnknownTargetError: A word names no target.
        UsageError: A word names a target that is not among ``enabled``.
    """
    chosen: dict[Target, None] = {}
    for word in words:
        found = matching(word, enabled)
        if not found:
            raise _not_enabled(word, what, enabled)
        chosen.update(dict.fromkeys(found))
    return tuple(chosen)


def matching(word: str, enabled: Sequence[Target]) -> tuple[Target, ...]:
    """Return which of a package's targets one word means, as `resolve` does; empty when none of them.

    Raises:
        UnknownTargetError: The word names no target.
    """
    lowered = word.lower()
    if lowered in table().families:
        return tuple(target for target in enabled if target.family == lowered)
    if lowered == HOST:
        wanted, said = host_target(), False
    else:
        wanted = find(word)
        looked = _look_up(word)
        said = isinstance(looked, tuple) and looked[1]
    if wanted in enabled:
        return (wanted,)
    return () if said else tuple(target for target in enabled if target.row == wanted.row)


def _not_enabled(word: str, what: str, enabled: Sequence[Target]) -> UsageError:
    lowered = word.lower()
    name = host_target().name if lowered == HOST else find(word).name
    if lowered in table().families:
        msg = f"{what} {word}: the package has no target of the family {lowered}"
    else:
        msg = f"{what} {word}: {name} is not a target of the package"
    have = "It has " + ", ".join(target.name for target in enabled) if enabled else "It has none yet"
    return UsageError(msg, hint=f"{have}." if what == "remove" else f"{have}; `pypackpack target add {name}` adds it.")


def parts_of(target: Target) -> tuple[Target, ...]:
    """Return the targets that one is put together from, of its own version where they have such; else the target itself.

    A part that begins later than the whole has its own lowest version: of macOS 10.13 on Apple silicon there is none.
    """
    if not target.parts:
        return (target,)
    found = []
    for name in target.parts:
        row, wanted = table().rows[name], target.version.replace(".", "_")
        versions = row.versions
        fits = versions is not None and re.fullmatch(versions.form, wanted) and numbers(wanted) >= numbers(versions.lowest)
        found.append(row.target(wanted if fits else ""))
    return tuple(found)


# --------------------------------------------------------------------------------------------------------------- host


def target_of_host(host: Host) -> Target | None:
    """Return the target that describes a machine, or None when the table has none for it."""
    for row in table().rows.values():
        if row.sys_platform == host.system and row.libc in ("", host.libc) and host.machine in row.machines:
            return row.target()
    return None


def host_target() -> Target:
    """Return the target that describes the machine we run on.

    Raises:
        MissingToolError: The table has none for it.
    """
    from pypackpack.backend.host import this_host  # noqa: PLC0415 - import cost

    host = this_host()
    found = target_of_host(host)
    if found is None:
        msg = f"this machine ({host.system} on {host.machine}) is no target that pypackpack knows"
        raise MissingToolError(msg, hint="Name the targets to build for; `pypackpack target list` shows them.")
    return found
