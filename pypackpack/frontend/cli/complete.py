"""Shell completion: the words that may stand next, from the same declarations as help.

The scripts of ``pypackpack completion`` ask for them by the hidden first word ``__complete``. Nothing here may fail
aloud or take long: first words are answered from the table, and of a project the pyproject.toml files are read, only where they
matter.
"""

from __future__ import annotations

import itertools
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pypackpack.frontend.cli.style import emit
from pypackpack.frontend.cli.table import BUILT_IN, GENERAL, PACKAGE_VERBS, ROWS, row_of, rows_below
from pypackpack.model.steps import STEPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pypackpack.frontend.cli.command import Parameter

PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")

# Placeholders of options.py, which this module does not import: it brings typer with it. A test holds them together.
PACKAGE = "<package>"
TARGET = "<target>"
VERSION = "<version>"
TASK = "[<task>]"
DEPENDENCY = "<name>"
_OF_UV = "uv "

Found = tuple[str, str]  # a word and what it means


class World(Protocol):
    """What completion may look at besides the declarations."""

    def packages(self) -> Iterable[str]:
        """Return the names of the project's packages."""

    def targets(self, packages: Sequence[str] | None) -> Iterable[Found]:
        """Return target names and families with what they are: those of some packages, of all (empty), or every one (None)."""

    def dependencies(self, package: str) -> Iterable[Found]:
        """Return the names that a package asks for, or the project for its development (empty), and where."""

    def parameters(self, words: str) -> Sequence[Parameter]:
        """Return a command's arguments and options."""


def completions(words: Sequence[str], world: World) -> list[Found]:
    """Return what may stand in the place of the last word, each beginning with what is typed of it.

    Args:
        words: The call without the program's name; the last word is the one being typed, possibly empty.
        world: The project and the declarations.
    """
    *before, typed = words or [""]
    if typed == '""':
        typed = ""  # how PowerShell has to write an empty word
    plain = _without_general(before)
    if plain is None:
        return []  # the value of --project: the shell completes folders
    found = _candidates(plain, typed, world)
    return [(word, text) for word, text in dict(found).items() if word.startswith(typed)]


def _without_general(before: Sequence[str]) -> list[str] | None:
    """Take general options out; None when the word being typed is the value of one."""
    plain: list[str] = []
    skip = False
    for word in before:
        if skip:
            skip = False
        elif word == "--project":
            skip = True
        elif word.split("=", 1)[0] not in {"-q", *(name for name, _, _ in GENERAL)}:
            plain.append(word)
    return None if skip else plain


def _candidates(plain: list[str], typed: str, world: World) -> list[Found]:
    general = [(name, text) for name, _, text in GENERAL] if typed.startswith("-") else []
    if not plain:
        return [*_first_words(world), *general]
    row = row_of(plain)
    skipped = len(row.words.split(" ")) if row else 0
    if len(plain) > 1 and plain[1] in PACKAGE_VERBS and row_of(plain[1:2]) and not list(rows_below(plain[0]))[1:]:
        row, skipped = row_of(plain[1:2]), 2
    if row is None:
        return [*_second_words(plain, world), *general]
    given = plain[skipped:]
    parameters = world.parameters(row.words)
    place = _Place(world, _packages_of(row.words, plain[0] if skipped > len(row.words.split(" ")) else "", given, parameters))
    return [*_values(given, typed, parameters, place), *general]


class _Place:
    """What may stand in the place of one call's words."""

    def __init__(self, world: World, packages: Sequence[str] | None) -> None:
        self._world = world
        self._packages = packages

    def of_kind(self, metavar: str) -> list[Found]:
        """Return the words that a placeholder stands for; one in square brackets may be left out."""
        if metavar == TASK:
            return [(step, text.summary) for step, text in STEPS.items()]
        if metavar.startswith("["):
            return []
        if metavar == PACKAGE:
            return [(name, "package") for name in self._world.packages()]
        if metavar == TARGET:
            return list(self._world.targets(self._packages))
        if metavar == VERSION:
            return [(version, "") for version in PYTHONS]
        if metavar == DEPENDENCY:
            return list(self._world.dependencies(self._packages[0] if self._packages else ""))
        if metavar.startswith("<"):
            return []
        return [(word, "") for word in metavar.split("|")]


def _packages_of(command: str, named: str, given: Sequence[str], parameters: Sequence[Parameter]) -> Sequence[str] | None:
    """Return the packages that a call is about as far as it says it: their targets fit; None where every target does."""
    if command == "target add":
        return None
    if named:
        return (named,)
    for word, value in itertools.pairwise(given):
        if word == "--package":
            return (value,)
    joined = [word.partition("=")[2] for word in given if word.startswith("--package=")]
    arguments = [each for each in parameters if not each.names]
    if not joined and arguments and arguments[0].metavar == PACKAGE and given and not given[0].startswith("-"):
        return (given[0],)
    return tuple(joined[:1])


def _first_words(world: World) -> list[Found]:
    rows: dict[str, str] = {}
    for row in ROWS:
        if not row.shown.startswith("<"):
            first, _, second = row.words.partition(" ")
            rows.setdefault(first, row.section if second else row.summary)
    built_in = [(shown.split(" ", 1)[0], text) for shown, _, text in BUILT_IN]
    return [*rows.items(), *built_in, *((name, "package") for name in world.packages())]


def _second_words(plain: list[str], world: World) -> list[Found]:
    if len(plain) > 1:
        return []
    if plain[0] == "help":
        return [(word, text) for word, text in _first_words(world) if text != "package"]
    below = [(row.words.split(" ", 1)[1], row.summary) for row in rows_below(plain[0]) if " " in row.words]
    if below:
        return below
    return [(row.words, row.summary) for row in ROWS if row.words in PACKAGE_VERBS]


def _values(given: list[str], typed: str, parameters: Sequence[Parameter], place: _Place) -> list[Found]:
    options = {name: each for each in parameters for name in each.names}
    name, equals, value = typed.partition("=")
    if equals and name in options:
        head = f"{name}=" + value[: value.rfind(",") + 1]
        return [(head + word, text) for word, text in place.of_kind(options[name].metavar)]
    if typed.startswith("-"):
        return [(name, each.help) for name, each in options.items()]
    waiting, taken, position = _state(given, options)
    if waiting is not None and taken == 0 and not waiting.metavar.startswith("["):
        return place.of_kind(waiting.metavar)
    found = place.of_kind(waiting.metavar) if waiting is not None else []
    arguments = [each for each in parameters if not each.names]
    if position < len(arguments):
        return [*found, *place.of_kind(arguments[position].metavar)]
    if arguments and arguments[-1].several:  # the last of several words may be a package: `target add windows billing`
        of_a_package = arguments[-1].metavar != DEPENDENCY
        found += [*place.of_kind(arguments[-1].metavar), *(place.of_kind(PACKAGE) if of_a_package else [])]
    if not (found or typed or arguments):  # nothing but options: a shell that gets no word offers files
        return [(name, each.help) for name, each in options.items() if name not in given and not each.help.startswith(_OF_UV)]
    return found


def _state(given: list[str], options: Mapping[str, Parameter]) -> tuple[Parameter | None, int, int]:
    """Walk over what is given: the option that still takes words, how many it has taken, and how many arguments there were."""
    waiting: Parameter | None = None
    taken = position = 0
    for word in given:
        if word.startswith("-"):
            option = options.get(word.split("=", 1)[0])
            waiting = option if option is not None and option.metavar and "=" not in word else None
            taken = 0
        elif waiting is not None and (taken == 0 or waiting.several):
            taken += 1
            if not waiting.several:
                waiting = None
        else:
            position += 1
    return waiting, taken, position


class _RealWorld:
    """The project that we stand in."""

    def __init__(self, start: Path) -> None:
        self._start = start

    def packages(self) -> list[str]:
        from pypackpack.frontend.cli.session import recorded_packages  # noqa: PLC0415 - import cost

        return recorded_packages(self._start)

    def targets(self, packages: Sequence[str] | None) -> list[Found]:
        from pypackpack.middleware.target.table import families, host_target, targets  # noqa: PLC0415 - import cost

        there = targets()
        if packages is not None:
            own = self._targets_of(packages or self.packages())
            there = {name: target for name, target in there.items() if name in own} or there
        named = [(target.name, target.summary) for target in there.values()]
        has = {target.family for target in there.values()}
        host = [("host", "this machine")] if host_target().name in there else []
        return [*((family, "family") for family in families() if family in has), *named, *host]

    def _targets_of(self, packages: Sequence[str]) -> set[str]:
        from pypackpack.middleware.target.table import find  # noqa: PLC0415 - import cost

        said = [
            word for name in packages for word in self._settings(name).get("tool", {}).get("pypackpack", {}).get("targets", [])
        ]
        return {find(word).name for word in said}

    def _settings(self, package: str) -> dict[str, Any]:
        from pypackpack.middleware.project.read import FILE, find_root  # noqa: PLC0415 - import cost
        from pypackpack.middleware.project.toml import read_toml  # noqa: PLC0415 - import cost

        return read_toml(find_root(self._start) / package / FILE)

    def dependencies(self, package: str) -> list[Found]:
        content = self._settings(package)
        project = content.get("project", {})
        own = content.get("tool", {}).get("pypackpack", {}).get("target", {})
        lists = {
            **({package: project.get("dependencies", [])} if package else {}),
            **{target: table.get("dependencies", []) for target, table in own.items()},
            **({} if package else {**content.get("dependency-groups", {}), **project.get("optional-dependencies", {})}),
        }
        lines = [
            (re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line), place)
            for place in lists
            for line in lists[place]
            if isinstance(line, str)
        ]
        return [(name[0], place) for name, place in lines if name]

    def parameters(self, words: str) -> Sequence[Parameter]:
        from pypackpack.frontend.cli.command import load, parameters  # noqa: PLC0415 - import cost of typer

        row = row_of(words.split(" "))
        own = parameters(load(row)) if row else []
        return [*own, *_of_uv(row.uv, own)] if row and row.uv else own


def _of_uv(command: str, own: Sequence[Parameter]) -> list[Parameter]:
    """Return the long options of a uv command that are not ours."""
    from pypackpack.backend.tools import uv_options  # noqa: PLC0415 - import cost
    from pypackpack.frontend.cli.command import Parameter  # noqa: PLC0415 - import cost of typer
    from pypackpack.model.errors import PyPackPackError  # noqa: PLC0415 - import cost

    try:
        known = uv_options.options(command)
    except PyPackPackError:
        return []
    ours = {name for each in own for name in each.names} | {name for name, _, _ in GENERAL}
    return [
        Parameter((name,), "<value>" if typed else "", f"{_OF_UV}{command}", required=False, several=False)
        for name, typed in known.items()
        if name.startswith("--") and name not in ours
    ]


class _Quiet:
    """A world in which whatever goes wrong is nothing: a shell has no place for an error."""

    def __init__(self, world: World) -> None:
        self._world = world

    def packages(self) -> Iterable[str]:
        try:
            return self._world.packages()
        except Exception:  # noqa: BLE001 - see the class
            return ()

    def targets(self, packages: Sequence[str] | None) -> Iterable[Found]:
        try:
            return self._world.targets(packages)
        except Exception:  # noqa: BLE001 - see the class
            return ()

    def dependencies(self, package: str) -> Iterable[Found]:
        try:
            return self._world.dependencies(package)
        except Exception:  # noqa: BLE001 - see the class
            return ()

    def parameters(self, words: str) -> Sequence[Parameter]:
        return self._world.parameters(words)


def complete(words: Sequence[str]) -> int:
    """Print completions, one per line: the word, and after a tab what it is."""
    start = "."
    if "--project" in words[:-1]:
        start = words[words.index("--project") + 1]
    found = completions(words, _Quiet(_RealWorld(Path(start))))
    text = "".join(f"{word}\t{' '.join(meaning.split())}\n" for word, meaning in found)
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(newline="\n")  # bash on Windows would take a carriage return for a part of the word
    return emit(text)
