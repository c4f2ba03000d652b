"""Which options uv has, and which of them take a value, as uv itself says it.

uv writes a completion script for nushell, whose declarations are the plainest of all it writes: one line for each option of each
command, ``--index(-i): string  # what it is``, hidden ones too; an option without a type is a flag. What is read of it is kept in
the user's cache under uv's version, so a newer uv is asked anew and nothing here has to follow it.
"""

from __future__ import annotations

import functools
import json
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.backend.tools import uv
from pypackpack.model.errors import FilesystemError, PyPackPackError, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

CACHE = "uv-options-v1"
_NEAR = 0.75  # how like a slip of the hand is to what was meant, as difflib counts
_OF_PIP = {"-e": "--editable"}  # short ones that pip has and uv does not
_COMMAND = re.compile(r'^\s*export extern "?uv(?: (?P<words>[a-z -]+?))?"? \[\s*$')
_OPTION = re.compile(
    r"^\s+(?P<name>--[A-Za-z0-9][A-Za-z0-9-]*|-[A-Za-z0-9])(?:\((?P<short>-[A-Za-z0-9])\))?(?P<typed>\??: ?\S+)?"
)


def takes_value(command: str, option: str) -> bool | None:
    """Tell whether an option of a uv command takes a value; None when the command has no such option.

    Args:
        command: uv's words: ``add``, ``python install``.
        option: ``--index`` or ``-i``, without a value.

    Raises:
        MissingToolError: There is no uv, or it does not run here.
    """
    return options(command).get(option)


def options(command: str) -> Mapping[str, bool]:
    """Return the options of a uv command and whether each takes a value; empty when uv says nothing of the command.

    Raises:
        MissingToolError: There is no uv, or it does not run here.
    """
    return _all().get(command, {})


@functools.lru_cache(maxsize=1)
def _all() -> dict[str, dict[str, bool]]:
    place = filesystem.cache_folder() / CACHE / f"{uv.version()}.json"
    try:
        kept = json.loads(place.read_bytes())
        return {str(command): {str(name): bool(typed) for name, typed in found.items()} for command, found in kept.items()}
    except (OSError, ValueError, AttributeError, RecursionError):
        pass
    found = parsed(uv.run(["generate-shell-completion", "nushell"], "asking uv for its options").stdout)
    if found:
        try:
            filesystem.write_atomic(place, json.dumps(found, sort_keys=True))
        except FilesystemError:
            return found  # the cache only saves time
    return found


def parsed(script: str) -> dict[str, dict[str, bool]]:
    """Return command → option → whether it takes a value, of uv's completion script for nushell."""
    result: dict[str, dict[str, bool]] = {}
    here: dict[str, bool] | None = None
    for line in script.splitlines():
        begin = _COMMAND.match(line)
        if begin:
            here = result.setdefault(begin["words"] or "", {})
        elif line.strip() == "]":
            here = None
        elif here is not None and (option := _OPTION.match(line)):
            for name in filter(None, (option["name"], option["short"])):
                here[name] = option["typed"] is not None
    return result


def split(command: str, words: Sequence[str], own: Mapping[str, bool], shown: str = "") -> tuple[list[str], tuple[str, ...]]:
    """Part the words of a call into those for us and those for uv: an option that we do not have, and uv has, with its value.

    Words that are no option stay ours, and so does everything after ``--``.

    Args:
        command: uv's words: ``add``, ``python install``.
        words: What stands after the command's own words.
        own: Our options, and whether each takes a value.
        shown: How the person calls the command, for errors.

    Raises:
        UsageError: An option that neither of us has, or one of uv's without its value.
        MissingToolError: There is no uv, or it does not run here.
    """
    ours: list[str] = []
    theirs: list[str] = []
    index = 0
    while index < len(words):
        word = words[index]
        index += 1
        if word == "--":
            ours.extend(words[index - 1 :])
            break
        if len(word) < 2 or not word.startswith("-"):
            ours.append(word)
            continue
        name, equals, _ = word.partition("=")
        if name in own:
            ours.append(word)
            if own[name] and not equals and index < len(words):
                ours.append(words[index])
                index += 1
            continue
        theirs.append(word)
        if _waits(command, word, own, shown or command):
            if index == len(words) or words[index] == "--":
                msg = f"{name} needs a value"
                raise UsageError(msg, hint=f"`uv help {command}` says what it is.")
            theirs.append(words[index])
            index += 1
    return ours, tuple(theirs)


def _waits(command: str, word: str, own: Collection[str], shown: str) -> bool:
    """Tell whether the next word is the value of this one.

    Raises:
        UsageError: uv has no such option.
    """
    known = options(command)
    name, equals, _ = word.partition("=")
    if not known:
        return False  # a uv that says nothing of its options: a value has to stand behind `=`, and uv judges the rest
    if word.startswith("--"):
        if name not in known:
            raise _unknown(name, own, known, shown)
        return known[name] and not equals
    for place, letter in enumerate(word[1:], start=1):  # short ones can stand together, and their value right behind them
        short = f"-{letter}"
        if short not in known:
            raise _unknown(short, own, known, shown)
        if known[short]:
            return place == len(word) - 1
    return False


def _unknown(name: str, own: Collection[str], known: Collection[str], shown: str) -> UsageError:
    near = [_OF_PIP[name]] if _OF_PIP.get(name) in known else get_close_matches(name, [*own, *known], n=1, cutoff=_NEAR)
    hint = f"Did you mean {near[0]}?" if near else f"`pypackpack {shown} --help` shows its options; those of uv work too."
    return UsageError(f"neither `pypackpack {shown}` nor uv has an option {name}", hint=hint)


def carried(words: Sequence[str], command: str, other: str, left_out: Collection[str] = ()) -> tuple[str, ...]:
    """Return those options, with their values, that another uv command has too.

    Args:
        words: Options as `split` returned them.
        command: The command that they were given to.
        other: The command that they are to be given to.
        left_out: Options to leave out, long and short, since they would mean something else there.
    """
    there = options(other) if words else {}
    kept: list[str] = []
    for option, *value in grouped(words, command):
        name = option.partition("=")[0]
        if name not in left_out and (name in there or not there):
            kept += [option, *value]
    return tuple(kept)


def grouped(words: Sequence[str], command: str) -> list[tuple[str, ...]]:
    """Return options as pairs: each with its value, if it has one as a word of its own."""
    known = options(command) if words else {}
    result: list[tuple[str, ...]] = []
    index = 0
    while index < len(words):
        word = words[index]
        index += 1
        try:
            waits = _waits(command, word, (), command) if known else False
        except PyPackPackError:
            waits = False
        result.append((word, words[index]) if waits and index < len(words) else (word,))
        index += 1 if waits else 0
    return result


def has(words: Sequence[str], command: str, names: Collection[str]) -> bool:
    """Tell whether one of some options is among those that `split` returned."""
    return any(option.partition("=")[0] in names for option, *_ in grouped(words, command))


def value_of(words: Sequence[str], command: str, names: Collection[str]) -> str | None:
    """Return the value of the last of some options, or None when none of them is there."""
    found: str | None = None
    for option, *value in grouped(words, command):
        name, equals, joined = option.partition("=")
        if name in names:
            found = joined if equals else (value[0] if value else "")
    return found
