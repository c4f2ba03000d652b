"""pyconfig.h of any target, from a table of facts.

CPython's headers of one X.Y are the same for every platform but for ``pyconfig.h``: ``configure`` writes it on POSIX
systems (from ``pyconfig.h.in``), on Windows it is a file of its own (``PC/pyconfig.h``). What such a header says of a
target is known without the target, so it is kept as data, in ``pypackpack/data/pyconfig.toml``, with the source of each
group of facts. The table has what CPython's own headers look at and a little more; it is no full ``pyconfig.h``.

One thing more can differ: a target's builders may have changed a header. What is known of that stands in the same
table, as `Amendment`.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = [
    "Amendment",
    "Fact",
    "Group",
    "UnknownTargetError",
    "UnsupportedPythonError",
    "amended",
    "header_amendments",
    "headers_look_at",
    "is_described",
    "pyconfig_groups",
    "pyconfig_header",
    "pyconfig_targets",
    "supported_pythons",
    "table",
]

# A version between family and architecture, as in linux_2_28_x86_64, changes nothing that pyconfig.h says.
_VERSION_IN_TARGET: Final = re.compile(r"^((?:linux(?:_musl)?|macos|android|ios|emscripten))(?:_\d+)+_(?=[a-z])")


class UnknownTargetError(ValueError):
    """There are no facts for a target. `target` is its name, `nearest` the known names most like it."""

    def __init__(self, target: str, nearest: Sequence[str]) -> None:
        self.target = target
        self.nearest = tuple(nearest)
        hint = f"; did you mean {' or '.join(nearest)}?" if nearest else ""
        super().__init__(f"no pyconfig.h facts for the target {target!r}{hint}")


class UnsupportedPythonError(ValueError):
    """There are no facts for a Python. `python` is (major, minor), `supported` the ones that are known."""

    def __init__(self, python: tuple[int, int], supported: Sequence[tuple[int, int]]) -> None:
        self.python = python
        self.supported = tuple(supported)
        known = ", ".join(f"{major}.{minor}" for major, minor in supported)
        super().__init__(f"no pyconfig.h facts for Python {python[0]}.{python[1]}, only for {known}")


@dataclass(frozen=True, slots=True)
class Fact:
    """What pyconfig.h says of one macro: its text, or that it is not defined (`text` is None)."""

    name: str
    text: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """The facts of one origin, as they hold for one Python.

    `when` is the condition of an ``#if`` around the group, empty for none; `guard` puts ``#ifndef`` around each macro.
    `includes` are header names, `typedefs` pairs of name and type.
    """

    name: str
    about: str
    sources: tuple[str, ...]
    when: str
    guard: bool
    facts: tuple[Fact, ...]
    includes: tuple[str, ...]
    typedefs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Amendment:
    """A line that a target's own headers have and CPython's of the same X.Y lack.

    `file` is relative to the include folder; `add` goes after the line `after`, unless the file says `unless`.
    """

    file: str
    after: str
    add: str
    unless: str
    about: str
    sources: tuple[str, ...]


def pyconfig_header(target: str, python: tuple[int, int]) -> str:
    """Return the text of pyconfig.h for a target and a Python (major, minor). The same arguments give the same text.

    `target` is a name like ``linux_arm64``; versions in it (``linux_2_28_arm64``) are passed over.

    Raises UnknownTargetError and UnsupportedPythonError.
    """
    groups = pyconfig_groups(target, python)
    lines = [
        f"/* pyconfig.h of CPython {python[0]}.{python[1]} for {_base_name(target)}, from PyPackPack's table of facts. */",
        "#ifndef Py_PYCONFIG_H",
        "#define Py_PYCONFIG_H",
    ]
    for group in groups:
        lines += _lines(group)
    lines += ["", "#endif /* Py_PYCONFIG_H */", ""]
    return "\n".join(lines)


def pyconfig_groups(target: str, python: tuple[int, int]) -> tuple[Group, ...]:
    """Return the facts behind `pyconfig_header`, with the macros that have to stay undefined.

    Raises UnknownTargetError and UnsupportedPythonError.
    """
    data = table()
    name = _base_name(target)
    if name not in data["targets"]:
        import difflib  # noqa: PLC0415 - only a wrong name pays for it

        raise UnknownTargetError(target, difflib.get_close_matches(name, data["targets"], n=3))
    if python not in supported_pythons():
        raise UnsupportedPythonError(python, supported_pythons())
    return tuple(_group(each, data["groups"][each], python) for each in data["targets"][name])


@cache
def size_of_size_t(target: str, python: tuple[int, int]) -> int:
    """Return the bytes of a ``size_t`` on a target.

    Raises UnknownTargetError and UnsupportedPythonError.
    """
    facts = {fact.name: fact.text for group in pyconfig_groups(target, python) for fact in group.facts}
    return int(facts["SIZEOF_SIZE_T"] or 0)


def header_amendments(target: str, python: tuple[int, int]) -> tuple[Amendment, ...]:
    """Return what is to be changed in a copy of CPython's headers for code that includes the internal ones."""
    name, version = _base_name(target), f"{python[0]}.{python[1]}"
    return tuple(
        Amendment(
            file=raw["file"],
            after=raw["after"],
            add=raw["add"],
            unless=raw["unless"],
            about=raw["about"],
            sources=tuple(raw["source"]),
        )
        for raw in table()["amendments"]
        if raw["target"] == name and version in raw["pythons"]
    )


def amended(text: str, amendment: Amendment) -> str:
    """Return a header's text with one amendment made; unchanged where it is made already or has no place."""
    if amendment.unless in text:
        return text
    return text.replace(amendment.after, f"{amendment.after}\n    {amendment.add}", 1)


def pyconfig_targets() -> tuple[str, ...]:
    """Return the names of the targets that there are facts for."""
    return tuple(table()["targets"])


def is_described(target: str) -> bool:
    """Tell whether there are facts for a target; versions in its name are passed over."""
    return _base_name(target) in table()["targets"]


def supported_pythons() -> tuple[tuple[int, int], ...]:
    """Return the Pythons, as (major, minor), that there are facts for."""
    return tuple(_version(each) for each in table()["headers"]["pythons"])


def headers_look_at(*, abi_only: bool = False) -> frozenset[str]:
    """Return the macros of pyconfig.h that headers under CPython's Include/ look at, internal ones included.

    With `abi_only`, those of them that decide a structure's layout, a declaration's type or a symbol's binding.
    """
    headers = table()["headers"]
    return frozenset(headers["abi"]) if abi_only else frozenset(headers["abi"]) | frozenset(headers["other"])


@cache
def table() -> dict[str, Any]:
    """Return the table of facts as it stands in its file, for those who show it. Not to be changed."""
    from importlib import resources  # noqa: PLC0415 - read when first asked, so that importing this module is free

    if sys.version_info >= (3, 11):
        import tomllib  # noqa: PLC0415
    else:
        import tomli as tomllib  # noqa: PLC0415
    text = (resources.files("pypackpack") / "data" / "pyconfig.toml").read_text(encoding="utf-8")
    data: dict[str, Any] = tomllib.loads(text)
    return data


def _base_name(target: str) -> str:
    return _VERSION_IN_TARGET.sub(r"\1_", target)


def _version(text: str) -> tuple[int, int]:
    major, minor = text.split(".")
    return int(major), int(minor)


def _group(name: str, raw: Mapping[str, Any], python: tuple[int, int]) -> Group:
    facts = [Fact(macro, _text(said, python)) for macro, said in raw.get("define", {}).items()]
    facts += [Fact(macro, None) for macro in raw.get("absent", ())]
    return Group(
        name=name,
        about=raw["about"],
        sources=tuple(raw["source"]),
        when=raw.get("when", ""),
        guard=raw.get("guard", False),
        facts=tuple(sorted(facts, key=lambda fact: fact.name)),
        includes=tuple(raw.get("include", ())),
        typedefs=tuple(raw.get("typedef", {}).items()),
    )


def _text(said: Any, python: tuple[int, int]) -> str | None:  # noqa: ANN401 - a value as TOML has it
    """Return a macro's text for one Python, None where the fact does not hold for it."""
    if isinstance(said, (int, str)):
        return str(said)
    for each in said if isinstance(said, list) else [said]:
        since, until = each.get("since"), each.get("until")
        if (since is None or _version(since) <= python) and (until is None or python <= _version(until)):
            return str(each["is"])
    return None


def _lines(group: Group) -> Iterator[str]:
    body = [line for fact in group.facts for line in _define(fact, guard=group.guard)]
    body += [f"#include <{each}>" for each in group.includes]
    body += [f"typedef {meaning} {name};" for name, meaning in group.typedefs]
    if not body:
        return
    yield f"\n/* {group.name}: {group.about} */"
    if group.when:
        yield f"#if {group.when}"
    yield from body
    if group.when:
        yield "#endif"


def _define(fact: Fact, *, guard: bool) -> Iterator[str]:
    if fact.text is None:
        return
    define = f"#define {fact.name} {fact.text}".rstrip()
    yield from [f"#ifndef {fact.name}", define, "#endif"] if guard else [define]
