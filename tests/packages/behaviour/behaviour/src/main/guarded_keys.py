"""Keys of a TypedDict that are marked one by one are found when the class is made: the guard keeps this module from being compiled."""

from typing import NotRequired, TypedDict


class Options(TypedDict):
    name: str
    size: NotRequired[int]


def answer_required_keys() -> object:
    return sorted(Options.__required_keys__), sorted(Options.__optional_keys__)
