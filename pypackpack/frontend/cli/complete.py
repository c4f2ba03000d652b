"""Shell completion: the words that may stand next, from the same declarations as help.

The scripts of ``pypackpack completion`` ask for them by the hidden first word ``__complete``. Nothing here may fail
aloud or take long: first words are answered from the table, and nothing of a project is read but the list of its packages.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pypackpack.frontend.cli.table import BUILT_IN, GENERAL, PACKAGE_VERBS, ROWS, row_of, rows_below

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pypackpack.frontend.cli.command import Parameter

PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")

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
        elif word.split("=", 1)[0] not in {name for name, _, _ in GENERAL}:
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
    # Walk over what is given: which option is open, and how many arguments have been given.
    open_option: Parameter | None = None
    taken = 0
    position = 0
    for word in given:
        if word.startswith("-"):
            open_option, taken = options.get(word.split("=", 1)[0]), 0
            if open_option is not None and (not open_option.metavar or "=" in word):
                open_option = None
        elif open_option is not None and (taken == 0 or open_option.several):
            taken += 1
            if not open_option.several:
                open_option = None
        else:
            position += 1
    found: list[Found] = []
    if typed.startswith("-"):
        found += [(name, each.help) for name, each in options.items()]
    elif open_option is not None:
        found += _of_kind(open_option.metavar, world)
        if taken == 0:
            return found
    arguments = [each for each in parameters if not each.names]
    if arguments and not typed.startswith("-"):
        argument = arguments[min(position, len(arguments) - 1)]
        if position < len(arguments) or argument.several:
            found += _of_kind(argument.metavar, world)
            if argument.several and position > 0:
                found += _of_kind("<package>", world)
    return found


def _of_kind(metavar: str, world: World) -> list[Found]:
    """Return the words that a placeholder stands for."""
    if metavar == "<package>":
        return [(name, "package") for name in world.packages()]
    if metavar == "<target>":
        return list(world.targets())
    if metavar == "<version>":
        return [(version, "") for version in PYTHONS]
    if metavar.startswith("<"):
        return []
    return [(word, "") for word in metavar.split("|")]


class _RealWorld:
    """The project that we stand in."""

    def __init__(self, start: Path) -> None:
        self._start = start

    def packages(self) -> list[str]:
        from pypackpack.frontend.cli.argv import General  # noqa: PLC0415 - import cost
        from pypackpack.frontend.cli.console import Console  # noqa: PLC0415 - import cost
        from pypackpack.frontend.cli.session import Session  # noqa: PLC0415 - import cost

        general = General(project=str(self._start))
        return Session(general, Console(general)).package_names()

    def targets(self) -> list[Found]:
        from pypackpack.middleware.target.table import families, targets  # noqa: PLC0415 - import cost

        named = [(target.name, target.summary) for target in targets().values()]
        return [*((family, "family") for family in families()), *named, ("host", "this machine")]

    def parameters(self, words: str) -> Sequence[Parameter]:
        from pypackpack.frontend.cli.command import load, parameters  # noqa: PLC0415 - import cost of typer

        row = row_of(words.split(" "))
        return parameters(load(row)) if row else []


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


def answer(words: Sequence[str]) -> int:
    """Print completions, one per line: the word, and after a tab what it is."""
    start = "."
    for before, word in zip(words, words[1:], strict=False):
        if before == "--project":
            start = word
    found = completions(words, _Quiet(_RealWorld(Path(start))))
    text = "".join(f"{word}\t{' '.join(meaning.split())}\n" for word, meaning in found)
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace", newline="\n")
    sys.stdout.write(text)
    return 0
