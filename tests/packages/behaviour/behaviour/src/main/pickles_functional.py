"""Classes made by a call take their module from the caller's frame, which compiled code does not have: nobody could
unpickle their instances, so this module has to fall back."""

from __future__ import annotations

import collections
import enum
import pickle
from typing import NamedTuple, TypedDict

Pair = collections.namedtuple("Pair", "left right")
Flavour = enum.Enum("Flavour", "SWEET SOUR")
Typed = NamedTuple("Typed", [("key", str)])
Options = TypedDict("Options", {"key": str})
Plain = type("Plain", (), {"key": 1})
Specification = type(__spec__)


def again(value: object) -> object:
    return pickle.loads(pickle.dumps(value))


def answer_functional_namedtuple() -> object:
    return [again(Pair(1, 2)) == Pair(1, 2), Pair.__module__]


def answer_functional_enum() -> object:
    return [again(Flavour.SWEET) is Flavour.SWEET, Flavour.__module__]


def answer_functional_typed() -> object:
    return [again(Typed("k")) == Typed("k"), Typed.__module__]


def answer_called_types() -> object:
    return [again(Plain()).key, Plain.__module__, Options.__module__, "importlib" in Specification.__module__]
