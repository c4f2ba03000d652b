"""Shell completion: the words that may stand next, from the same declarations as help.

The scripts of ``pypackpack completion`` ask for them by the hidden first word ``__complete``. Nothing here may fail
aloud or take long: first words are answered from the table, and nothing of a project is read but the list of its packages.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pypackpack.frontend.cli.style import emit
from pypackpack.frontend.cli.table import BUILT_IN, GENERAL, PACKAGE_VERBS, ROWS, row_of, rows_below

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pypackpack.frontend.cli.command import Parameter

PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")

# Placeholders of options.py, which this module does not import: it brings typer with it. A test holds them together.
PACKAGE = "<package>"
TARGET = "<target>"
VERSION = "<version>"

Found = tuple[str, str]  # a word and what it means


class World(Protocol):
    """What completion may look at besides the declarations."""

    def packages(self) -> Iterable[str]:
        """Return the names of the project's packages."""

    def targets(self) -> Iterable[Found]:
        """Return target names and families with what they are."""

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
    parameters = world.parameters(row.words)
    return [*_values(plain[skipped:], typed, parameters, world), *general]


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


def _values(given: list[str], typed: str, parameters: Sequence[Parameter], world: World) -> list[Found]:
    options = {name: each for each in parameters for name in each.names}
    name, equals, value = typed.partition("=")
    if equals and name in options:
        head = f"{name}=" + value[: value.rfind(",") + 1]
        return [(head + word, text) for word, text in _of_kind(options[name].metavar, world)]
    if typed.startswith("-"):
        return [(name, each.help) for name, each in options.items()]
    waiting, taken, position = _state(given, options)
    if waiting is not None and taken == 0:
        return _of_kind(waiting.metavar, world)
    found = _of_kind(waiting.metavar, world) if waiting is not None else []
    arguments = [each for each in parameters if not each.names]
    if position < len(arguments):
        return [*found, *_of_kind(arguments[position].metavar, world)]
    if arguments and arguments[-1].several:  # the last of several words may be a package: `target add windows billing`
        found += [*_of_kind(arguments[-1].metavar, world), *_of_kind(PACKAGE, world)]
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


def _of_kind(metavar: str, world: World) -> list[Found]:
    """Return the words that a placeholder stands for."""
    if metavar == PACKAGE:
        return [(name, "package") for name in world.packages()]
    if metavar == TARGET:
        return list(world.targets())
    if metavar == VERSION:
        return [(version, "") for version in PYTHONS]
    if metavar.startswith("<"):
        return []
    return [(word, "") for word in metavar.split("|")]


class _RealWorld:
    """The project that we stand in."""

    def __init__(self, start: Path) -> None:
        self._start = start

    def packages(self) -> list[str]:
        from pypackpack.frontend.cli.session import recorded_packages  # noqa: PLC0415 - import cost

        return recorded_packages(self._start)

    def targets(self) -> list[Found]:
        from pypackpack.middleware.target.table import families, targets  # noqa: PLC0415 - import cost

        named = [(target.name, target.summary) for target in targets().values()]
        return [*((family, "family") for family in families()), *named, ("host", "this machine")]

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
        Parameter((name,), "<value>" if typed else "", f"uv {command}", required=False, several=False)
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

    def targets(self) -> Iterable[Found]:
        try:
            return self._world.targets()
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
