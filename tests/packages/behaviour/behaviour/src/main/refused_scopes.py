"""What Cython 3.3 refuses to compile: deleting a variable that an inner function uses. The build has to fall back by itself."""

from __future__ import annotations


def answer_unbound() -> object:
    results = []

    def early():
        return value

    try:
        early()
    except NameError as error:
        results.append(type(error).__name__)
    value = 1
    results.append(early())
    try:
        del value
        early()
    except NameError as error:
        results.append(type(error).__name__)
    return results
