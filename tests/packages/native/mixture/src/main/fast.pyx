# cython: cdivision=True
"""Cython of one's own: what a user of Cython expects of it."""

include "shared.pxi"

cdef class Counter:
    def __init__(self, long start):
        self.count = start

    def next(self):
        self.count += STEP
        return self.count


def total(int number):
    cdef long each, found = 0
    for each in range(number):
        found += each
    return found


def half(x: float):
    """Annotations are types to Cython: an int comes in as a float."""
    return x / 2


def refuse(int number):
    raise ValueError(f"not {number}")
