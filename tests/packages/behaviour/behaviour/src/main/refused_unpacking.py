"""What Cython 3.3 refuses to compile: unpacking that cannot work. The build has to fall back by itself."""

from __future__ import annotations


def answer_unpacking_errors() -> object:
    def few():
        a, b, c = 1, 2

    def many():
        a, b = 1, 2, 3

    def none():
        a, b = None

    out = []
    for call in (few, many, none):
        try:
            call()
        except (ValueError, TypeError) as error:
            out.append(type(error).__name__)
    return out
