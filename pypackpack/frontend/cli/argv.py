"""From the words of a call to the words that typer reads. Pure: nothing here looks at the disk by itself.

Three things typer cannot say: general options stand anywhere, ``<package> add …`` begins with a name, and
``--target`` takes as many words as are target names.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pypackpack.frontend.cli.table import OTHERS, PACKAGE_VERBS, STREAMING
from pypackpack.model.errors import UsageError
from pypackpack.model.names import normalise
from pypackpack.model.steps import STEPS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

# These commands take a package's verbs themselves: `package add` never means a package of the name "package".
COMMANDS_WITH_VERBS = ("package", "target")

NEAR = 0.75
"""How like (0 to 1, as difflib counts) a word has to be to be taken for a slip of the hand: a wrong guess is worse than none."""

FLAGS = {"--quiet": "--quiet", "-q": "--quiet", "--verbose": "--verbose", "--json": "--json"}
"""What is written, and which option it is."""
HELP_WORDS = ("--help", "-h")


@dataclass(frozen=True)
class General:
    """What the options of every command say."""

    project: str | None = None
    quiet: bool = False
    verbose: bool = False
    json: bool = False
    help: bool = False


def split_general(words: Sequence[str]) -> tuple[General, list[str]]:
    """Take the general options out of a call, wherever they stand before ``--``.

    Raises:
        UsageError: ``--project`` without a folder, or a flag with a value.
    """
    words, after = _at_dashes(words)
    project: str | None = None
    flags: set[str] = set()
    rest: list[str] = []
    index = 0
    while index < len(words):
        word = words[index]
        index += 1
        name, equals, value = word.partition("=")
        if name == "--project":
            if not equals:
                value = words[index] if index < len(words) else ""
                index += 1
            if not value or (not equals and value.startswith("--")):
                msg = "--project needs a folder"
                raise UsageError(msg, hint="Write --project FOLDER.")
            project = value
        elif name in FLAGS:
            if equals:
                msg = f"{name} takes no value, and {word} gives it one"
                raise UsageError(msg, hint=f"Write {name} alone.")
            flags.add(FLAGS[name])
        elif word in HELP_WORDS:
            flags.add("--help")
        else:
            rest.append(word)
    rest += after
    general = General(project, "--quiet" in flags, "--verbose" in flags, "--json" in flags, "--help" in flags)
    return general, rest


def wants_json(words: Sequence[str]) -> bool:
    """Tell whether a call asks for JSON, also when it cannot be read otherwise."""
    return "--json" in _at_dashes(words)[0]


def wants_events(words: Sequence[str]) -> bool:
    """Tell whether a call asks for a stream of events: ``build --json``, but for its help."""
    before = _at_dashes(words)[0]
    if "--json" not in before or any(word in before for word in HELP_WORDS):
        return False
    folders = {index + 1 for index, word in enumerate(before) if word == "--project"}
    first = next((word for index, word in enumerate(before) if not word.startswith("-") and index not in folders), "")
    return first == STREAMING


def _at_dashes(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the words before ``--``, and those from it on, which are never options of ours."""
    place = words.index("--") if "--" in words else len(words)
    return list(words[:place]), list(words[place:])


def name_package(words: Sequence[str], commands: Collection[str], packages: Callable[[], Iterable[str]]) -> list[str]:
    """Turn ``<package> add …`` into ``add --package <package> …``; every other call stays as it is.

    A first word that is both a command and a package of the project means the package: a command that is added
    later never takes a package's name away. Only the commands that take these verbs themselves always win, and
    ``--package NAME`` always says which is meant.

    Args:
        words: The call without general options.
        commands: Every first word that is a command.
        packages: Names of the project's packages; asked only when it matters.

    Raises:
        UsageError: The first word is neither a command nor a package.
    """
    if len(words) < 2 or words[1] not in PACKAGE_VERBS or words[0].startswith("-"):
        return list(words)
    first, verb, *rest = words
    if first in COMMANDS_WITH_VERBS:
        return list(words)
    known = list(packages())
    if normalise(first) not in {normalise(name) for name in known}:
        if first in commands:
            return list(words)
        raise unknown_word(first, commands, known)
    return [verb, "--package", first, *rest]


def name_built(words: Sequence[str], packages: Callable[[], Sequence[str]], here: Callable[[], str | None]) -> list[str]:
    """Turn ``build source …`` into ``build <package> source …``; every other call stays as it is.

    The package is the one that we stand in, else the only one. A package of the name "source" is built as
    ``build source source``.

    Args:
        words: The call without general options.
        packages: Names of the project's packages; asked only when it matters.
        here: The package that we stand in.

    Raises:
        UsageError: We stand in none, and the project has several or none.
    """
    kinds = ("source", "resource")
    if len(words) < 2 or words[0] != "build" or words[1] not in kinds or (len(words) > 2 and words[2] in kinds):
        return list(words)
    known = packages()
    package = here() or (known[0] if len(known) == 1 else None)
    if package is not None:
        return [words[0], package, *words[1:]]
    msg = f"`pypackpack build {words[1]}` does not say which package"
    names = ", ".join(sorted(known))
    hint = f"Name one of {names}: `pypackpack build {min(known)} {words[1]}`; or stand in its folder." if known else ""
    raise UsageError(msg, hint=hint or "The project has none yet; `pypackpack package add <name>` adds one.")


def unknown_word(word: str, commands: Collection[str], packages: Iterable[str] = ()) -> UsageError:
    """Return the error for a first word that means nothing, with the nearest word that does."""
    names = list(packages)
    what = "is neither a command nor a package of this project" if names else "is not a command"
    near = get_close_matches(word, names, n=1, cutoff=NEAR)
    hint = OTHERS.get(word, "") if not near else ""
    near = near or get_close_matches(word, commands, n=1, cutoff=NEAR)
    hint = hint or (f"Did you mean {near[0]}?" if near else "pypackpack --help shows the commands.")
    if not near and names and word not in OTHERS:
        hint = f"The packages are {', '.join(sorted(names))}; pypackpack --help shows the commands."
    return UsageError(f"{word!r} {what}", hint=hint)


def spread_lists(words: Sequence[str], lists: Mapping[str, Callable[[str], bool]]) -> list[str]:
    """Turn ``--target a b`` and ``--target=a,b`` into ``--target=a --target=b``, the form that typer reads.

    The first word after such an option is its value whatever it is, so that a wrong name is called wrong; more
    words are its values while they belong to it. The next option or ``--`` ends them.

    Args:
        words: The call.
        lists: Option → tells whether a word can be one of its values.
    """
    words, after = _at_dashes(words)
    spread: list[str] = []
    index = 0
    while index < len(words):
        word = words[index]
        index += 1
        name, equals, value = word.partition("=")
        if name not in lists:
            spread.append(word)
            continue
        if equals:
            spread.extend(f"{name}={part}" for part in _parts(value))
            continue
        if index == len(words) or words[index].startswith("-"):
            spread.append(word)  # typer says that it needs a value
            continue
        belongs = lists[name]
        taken = _parts(words[index])
        index += 1
        while index < len(words) and not words[index].startswith("-") and all(belongs(part) for part in _parts(words[index])):
            taken += _parts(words[index])
            index += 1
        spread.extend(f"{name}={part}" for part in taken)
    return [*spread, *after]


def spread_optional(words: Sequence[str], optional: Mapping[str, tuple[Callable[[str], bool], bool]]) -> list[str]:
    """Turn options whose value may be left out into the form that typer reads: ``--rerun a b`` into ``--rerun=a --rerun=b``.

    Without a value they get the empty one: ``--profile`` becomes ``--profile=``. Unlike with `spread_lists`, the first word after
    the option is its value only if it can be one.

    Args:
        words: The call.
        optional: Option → tells whether a word can be its value, and whether it takes several.
    """
    words, after = _at_dashes(words)
    spread: list[str] = []
    index = 0
    while index < len(words):
        word = words[index]
        index += 1
        if word not in optional:
            spread.append(word)
            continue
        belongs, several = optional[word]
        taken: list[str] = []
        while index < len(words) and not words[index].startswith("-") and belongs(words[index]) and (several or not taken):
            taken.append(words[index])
            index += 1
        spread.extend(f"{word}={value}" for value in taken or [""])
    return [*spread, *after]


def is_page(word: str) -> bool:
    """Tell whether a word is the name of an HTML file."""
    return word.lower().endswith((".html", ".htm"))


def is_task_word(word: str) -> bool:
    """Tell whether a word names tasks: a step of a build (or a slip of the hand for one), or a task as it is called."""
    if word in STEPS or bool(get_close_matches(word, STEPS, n=1, cutoff=NEAR)):
        return True
    return " " in word or word.endswith(".py")


def _parts(value: str) -> list[str]:
    return [part for part in value.split(",") if part] or [value]


def is_python_version(word: str) -> bool:
    """Tell whether a word looks like a Python version: ``3.13``, ``3.12.4``, ``3.14t``, ``3``."""
    numbers = word.removesuffix("t").split(".")
    return 1 <= len(numbers) <= 3 and all(number.isascii() and number.isdigit() for number in numbers)
