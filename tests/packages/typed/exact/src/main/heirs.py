"""Classes that inherit from those of another module, which was compiled by itself."""

import copy
import pickle
from typing import ClassVar

from .shapes import Box, Point, Shape, Trouble


class Triangle(Shape):
    sides: ClassVar[int] = 3

    def __init__(self, base: float, height: float) -> None:
        super().__init__("triangle")
        self.base = base
        self.height = height

    def area(self) -> float:
        return self.base * self.height / 2


class Labelled(Point):
    def label(self) -> str:
        return f"{self.x}/{self.y}"


class Deep(Triangle):
    def area(self) -> float:
        return super().area() + 1


class Worse(Trouble):
    def __init__(self) -> None:
        super().__init__(99)
        self.extra = "worse"


class Named(Box[int]):
    name: str = "named"


def answer_heirs() -> object:
    triangle, deep = Triangle(3.0, 4.0), Deep(3.0, 4.0)
    return [triangle.area(), deep.area(), deep.title, deep.base, deep.height, repr(triangle), isinstance(deep, Shape)]


def answer_labelled() -> object:
    return [Labelled(5, 6).label(), Labelled(5, 6) == Labelled(5, 6), Named(4).get(), Named(4).name]


def answer_copies() -> object:
    """What is native in a base, and what is in the ``__dict__`` of the heir."""
    named, other = Named(4), Deep(3.0, 4.0)
    named.name = "own"
    found = []
    for each in (copy.copy(named), copy.deepcopy(named), pickle.loads(pickle.dumps(named)), pickle.loads(pickle.dumps(other, 2))):
        found.append([type(each).__name__, getattr(each, "value", 0), getattr(each, "base", 0), each.name])
    return [found, copy.copy(named).__dict__ is not named.__dict__]


def answer_exception() -> object:
    try:
        raise Worse
    except Trouble as trouble:
        return [trouble.code, type(trouble).__name__, str(trouble)]
