"""The other half."""

from __future__ import annotations

import sys

import behaviour.circular_a as half

at_import_time = ["A" in vars(half), "behaviour.circular_a" in sys.modules]


class B:
    def partner(self) -> half.A:
        return half.A()

    def name(self) -> str:
        return "B"


def late() -> str:
    from behaviour.circular_a import A

    return A.__module__


def answer_circle() -> object:
    return [at_import_time, B().partner().partner().name()]
