"""JSON of which every value is looked at: manifests that anybody may have written.

What is wrong is a ``ValueError`` with the reason; who reads a format makes an error of its own of it. Standard library only.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_DIGEST: Final = 64
_HEX: Final = frozenset("0123456789abcdef")
_MOST_TEXT: Final = 1000


def load(data: bytes) -> object:
    """Return what JSON (RFC 8259) says; a key that stands twice, and ``NaN`` and its like, are errors.

    Raises:
        ValueError: It is no JSON, or says such a thing.
        RecursionError: It is nested too deeply.
    """
    return json.loads(data, parse_constant=_no_number, object_pairs_hook=_single)


def _no_number(word: str) -> object:
    msg = f"{word} is no number"
    raise ValueError(msg)


def _single(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        msg = "a key stands there twice"
        raise ValueError(msg)
    return found


def table(data: object, keys: tuple[str, ...]) -> Mapping[str, object]:
    """Return an object that has these keys and no others."""
    if not isinstance(data, dict) or set(data) != set(keys):
        msg = f"a table of it should have {', '.join(keys)}, and nothing else"
        raise ValueError(msg)
    return data


def array(data: object) -> list[object]:
    """Return an array of any length."""
    if not isinstance(data, list):
        msg = "there is no list where one should be"
        raise ValueError(msg)  # noqa: TRY004 - what is wrong is the file, not a call
    return data


def fields(data: object, count: int) -> list[object]:
    """Return an array of so many values."""
    found = array(data)
    if len(found) != count:
        msg = f"an entry has {len(found)} fields and not {count}"
        raise ValueError(msg)
    return found


def text(data: object) -> str:
    """Return a text of one line that is not empty."""
    if not isinstance(data, str) or not data or len(data) > _MOST_TEXT or not data.isprintable():
        msg = "there is no text where one should be"
        raise ValueError(msg)
    return data


def sha256(data: object) -> str:
    """Return a SHA-256 digest in hexadecimal, lower case."""
    if not isinstance(data, str) or len(data) != _DIGEST or not _HEX.issuperset(data):
        msg = "there is no digest where one should be"
        raise ValueError(msg)
    return data


def number(data: object, most: int, least: int = 0) -> int:
    """Return a whole number between two others."""
    if not isinstance(data, int) or isinstance(data, bool) or not least <= data <= most:
        msg = f"{str(data)[:40]} is not between {least} and {most}"
        raise ValueError(msg)
    return data


def identity(said: object) -> str:
    """Return the identity that a caller expects, 64 hexadecimal digits of any case, in lower case; it is no JSON.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(said, str) or len(said) != _DIGEST or not _HEX.issuperset(said.lower()):
        msg = f"{str(said)[:80]!r} is no identity: these are {_DIGEST} hexadecimal digits"
        raise ValueError(msg)
    return said.lower()
