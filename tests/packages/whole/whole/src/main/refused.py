"""Cython would make another generator of it."""


def average():
    try:
        yield 1
    finally:
        return 2
