"""A module in a namespace package: no __init__.py above it."""

from __future__ import annotations

from ...inner.leaf import VALUE


class Deep:
    pass


def value() -> list[str]:
    return [VALUE, __name__, __package__, Deep.__module__]
