"""A function inside except*, and return in a nested function there, which Cython 3.3.1 may refuse."""

from __future__ import annotations


def first_value(group):
    found = []
    try:
        raise group
    except* ValueError as errors:

        def take(error):
            return str(error)

        found = [take(error) for error in errors.exceptions]
    return found


def answer_nested_function() -> object:
    return first_value(ExceptionGroup("g", [ValueError("a"), ValueError("b")]))
