"""A leaf."""

from __future__ import annotations

VALUE = "leaf"
other = "not exported"
_hidden = "hidden"
__all__ = ["VALUE", "leaf_function"]


def leaf_function() -> str:
    return __name__
