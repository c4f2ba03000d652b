"""A package in a package."""

import exact.inner
from exact.inner import leaf as own

from .leaf import LEAF

NAME: str = __name__ + LEAF


def answer_names() -> object:
    return [NAME, __name__, __package__, __spec__ is not None and __spec__.name, exact.inner.own is own]
