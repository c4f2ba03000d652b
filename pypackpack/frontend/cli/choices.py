"""Words that are one of a few: turned into the value, or into an error that names the nearest right word."""

from __future__ import annotations

from difflib import get_close_matches
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from pypackpack.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

Choice = TypeVar("Choice", bound=Enum)


def words_of(kind: type[Enum], later: Sequence[Enum] = ()) -> list[str]:
    """Return the choices as words, without those whose work is not there yet."""
    return [str(each.value) for each in kind if each not in later]


def metavar(kind: type[Enum], later: Sequence[Enum] = ()) -> str:
    """Return how help writes the choices: ``debug|release``."""
    return "|".join(words_of(kind, later))


def chosen(kind: type[Choice], word: str, name: str, later: Sequence[Enum] = (), hint: str = "") -> Choice:
    """Return the choice that a word names; one that comes later is a choice, but no error names it.

    ``hint`` is for a word that is near none of them.

    Raises:
        UsageError: It names none.
    """
    words = words_of(kind, later)
    for each in kind:
        if each.value == word:
            return each
    near = get_close_matches(word, words, n=1)
    msg = f"{name}: {word!r} is not one of {', '.join(words)}"
    raise UsageError(msg, hint=f"Did you mean {near[0]}?" if near else hint)


def whole_number(word: str | None, name: str, least: int = 1) -> int | None:
    """Return the number that a word says, None for no word.

    Raises:
        UsageError: It is not a whole number of at least ``least``.
    """
    if word is None:
        return None
    if word.isascii() and word.isdigit() and int(word) >= least:
        return int(word)
    msg = f"{name}: {word!r} is not a whole number of at least {least}"
    raise UsageError(msg)
