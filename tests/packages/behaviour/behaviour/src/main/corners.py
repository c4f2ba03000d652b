"""Corners where somebody stood already: reloading, mocks, doctest, names of Python 2, states of generators."""

from __future__ import annotations

import doctest
import importlib
import sys
from unittest import mock

from . import reloaded


def double(number: int) -> int:
    """Say it twice.

    >>> double(2)
    4
    """
    return 2 * number


def hexed(number: int) -> str:
    return hex(number)


def said(call) -> object:
    try:
        return call()
    except Exception as error:
        return type(error).__name__


def answer_doctest() -> object:
    done = doctest.testmod(sys.modules[__name__])
    return done.failed, done.attempted, "__test__" in globals()


def answer_names_of_python_2() -> object:
    # Lists and not tuples: pyflakes-like tools ask the same way.
    return [said(name) for name in (lambda: unicode, lambda: basestring, lambda: xrange, lambda: unichr, lambda: long)]


def answer_reload() -> object:
    return importlib.reload(reloaded) is reloaded, reloaded.COUNT


def answer_patched_names() -> object:
    with mock.patch(f"{__name__}.double", lambda number: "patched"), mock.patch.dict(globals(), {"sorted": list, "open": list}):
        return double(1), sorted([2, 1]), open("ab")


def answer_patched_hex() -> object:
    with mock.patch(f"{__name__}.hex", lambda number: "patched", create=True):
        return hexed(3)


def answer_autospec() -> object:
    made = mock.create_autospec(double, return_value=5)
    return said(lambda: made(1)), said(lambda: made(1, 2, 3))


def answer_locals_with_names_of_the_function_around() -> object:
    around = 1

    def inner(own):
        return sorted(locals()), around

    return inner(2)


def answer_no_context_manager() -> object:
    def enter():
        with object():
            pass

    return said(enter)


def answer_when_a_generator_expression_asks() -> object:
    def make(source):
        (each for each in source)
        return "later"

    return said(lambda: make(None))


def answer_names_of_an_ended_generator() -> object:
    def numbers():
        yield 1

    made = numbers()
    list(made)
    return made.__name__


def answer_handled_exception_in_a_generator() -> object:
    def told():
        try:
            raise KeyError
        except KeyError:
            yield sys.exc_info()[0].__name__
        yield sys.exc_info()[0]

    made = told()
    try:
        raise ValueError
    except ValueError:
        found = [next(made)]
    return [*found, next(made) is None]
