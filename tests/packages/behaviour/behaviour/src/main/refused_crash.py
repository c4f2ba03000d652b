"""A module on which Cython 3.3.1 itself crashes: decoding the result of formatting bytes. The build has to fall back."""

from __future__ import annotations


def answer_decoded() -> object:
    return (b"%d-%s" % (5, b"x")).decode()
