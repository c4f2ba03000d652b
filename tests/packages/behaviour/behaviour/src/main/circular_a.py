"""One half of a circle of imports."""

from __future__ import annotations

from behaviour import circular_b
from behaviour.circular_b import at_import_time

seen = at_import_time


class A:
    def partner(self) -> object:
        return circular_b.B()

    def name(self) -> str:
        return "A"


def answer_circle() -> object:
    return [seen, A().partner().name(), circular_b.B().partner().name(), circular_b.late()]
