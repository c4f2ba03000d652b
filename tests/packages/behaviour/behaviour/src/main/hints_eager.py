"""Annotations without the future import: values in Python up to 3.13, text once compiled. Only get_type_hints is the same."""

from typing import NamedTuple, Optional, TypedDict, get_type_hints


class Thing:
    size: int
    parent: "Optional[Thing]" = None


def make(size: int, parent: Optional[Thing] = None) -> Thing:
    return Thing()


class Row(NamedTuple):
    key: str
    value: "int | None" = None


class Options(TypedDict, total=False):
    depth: int
    name: str


def text(hints):
    return {name: str(hint).replace(__name__, "hints") for name, hint in hints.items()}


def answer_hints() -> object:
    return [text(get_type_hints(each)) for each in (Thing, make, Row, Options)]


def answer_raw() -> object:
    return [str(value) for value in make.__annotations__.values()]


def answer_raw_class() -> object:
    return [str(value) for value in Thing.__annotations__.values()]
