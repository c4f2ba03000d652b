"""Classes: native ones, ones that others inherit from, and ones that mypyc leaves to Python."""

from __future__ import annotations

import copy
import pickle
from abc import ABC, abstractmethod
from collections import OrderedDict
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from enum import Enum
import typing
from typing import ClassVar, Final, Generic, NamedTuple, Protocol, TypeVar, final

T = TypeVar("T")


class Shape(ABC):
    sides: ClassVar[int] = 0

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def area(self) -> float: ...

    @property
    def title(self) -> str:
        return f"{self.name} of {self.sides} sides"

    def __repr__(self) -> str:
        return f"<{self.name}>"


class Square(Shape):
    sides: ClassVar[int] = 4

    def __init__(self, width: float) -> None:
        super().__init__("square")
        self.width = width

    def area(self) -> float:
        return self.width * self.width

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Square) and self.width == other.width

    def __hash__(self) -> int:
        return hash(self.width)

    def __add__(self, other: Square) -> Square:
        return Square(self.width + other.width)

    @classmethod
    def unit(cls) -> Square:
        return cls(1.0)

    @staticmethod
    def corners() -> int:
        return 4


@final
class Circle(Shape):
    PI: Final = 3.0

    def __init__(self, radius: float) -> None:
        super().__init__("circle")
        self.radius = radius

    def area(self) -> float:
        return self.PI * self.radius**2


@dataclass
class Point:
    x: int
    y: int = 0
    tags: list[str] = field(default_factory=list)

    def moved(self, by: int) -> Point:
        return replace(self, x=self.x + by)


@dataclass(frozen=True, order=True)
class Version:
    major: int
    minor: int


@dataclass(frozen=True)
class Fixed:
    kinds: ClassVar[dict[str, int]] = {"a": 1}
    count: typing.ClassVar[int] = 0
    größe: ClassVar[int] = 3
    later: ClassVar[str]
    values: list[int]
    name: str = "fixed"

    @classmethod
    def counted(cls) -> int:
        cls.count += 1
        return cls.count


@final
@dataclass(frozen=True, slots=True)
class Slotted:
    left: int
    right: int = 2


@dataclass
class Failure(ValueError):
    code: int
    prefix: ClassVar[str] = "E"


class Worst(Failure):
    def word(self) -> str:
        return f"{self.prefix}{self.code}"


class Colour(Enum):
    RED = 1
    GREEN = 2

    def opposite(self) -> Colour:
        return Colour.GREEN if self is Colour.RED else Colour.RED


class Pair(NamedTuple):
    left: int
    right: str = "right"


class Box(Generic[T]):
    def __init__(self, value: T) -> None:
        self.value = value

    def get(self) -> T:
        return self.value


class Sized(Protocol):
    def size(self) -> int: ...


class Thing:
    def size(self) -> int:
        return 3


class Trouble(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(f"trouble {code}")
        self.code = code


class Kept(OrderedDict[str, int]):
    """Its base is written in C: objects would overlap if it were native."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def put(self, key: str, value: int) -> None:
        self[key] = value
        while len(self) > self.most:
            self.popitem(last=False)


class Loose:
    def __getattr__(self, name: str) -> object:
        return f"no {name}"


class Words(str):
    def count_of(self) -> int:
        return len(self.split())


def total(shapes: list[Shape]) -> float:
    return sum([shape.area() for shape in shapes])


def size_of(thing: Sized) -> int:
    return thing.size()


def answer_shapes() -> object:
    square, circle = Square(2.0), Circle(2.0)
    return [total([square, circle]), square.title, circle.title, repr(square), Square.unit() + square == Square(3.0), Square.corners()]


def answer_isinstance() -> object:
    square: object = Square(1.0)
    return [isinstance(square, Shape), isinstance(square, Circle), issubclass(Circle, Shape), len({Square(1.0), Square(1.0)})]


def answer_dataclass() -> object:
    point = Point(1)
    point.tags.append("a")
    return [repr(point.moved(2)), point == Point(1, 0, ["a"]), Version(1, 2) < Version(1, 3), hash(Version(1, 2)) == hash(Version(1, 2))]


def answer_enum() -> object:
    return [Colour.RED.opposite().name, Colour(2).value, [colour.name for colour in Colour]]


def answer_named_tuple() -> object:
    return [Pair(1), Pair(1, "x")._replace(left=5), Pair(2).right]


def answer_generic() -> object:
    return [Box(3).get() + 1, Box("a").get() + "b", size_of(Thing())]


def answer_exception() -> object:
    try:
        raise Trouble(7)
    except Trouble as trouble:
        return [trouble.code, str(trouble), isinstance(trouble, Exception)]


def answer_base_in_c() -> object:
    kept = Kept(2)
    for number, word in enumerate("abc"):
        kept.put(word, number)
    return [list(kept.items()), kept.most, Words("a b c").count_of(), Words("x") + "y", Loose().anything]


def answer_copies() -> object:
    point = copy.copy(Point(1, 2))
    return [repr(pickle.loads(pickle.dumps(Colour.RED))), repr(pickle.loads(pickle.dumps(Pair(4)))), repr(point)]


def answer_copies_of_all() -> object:
    made: list[object] = [Fixed([1]), Slotted(1), Circle(2.0), Box(3), Failure(4)]
    copies = [[copy.copy(each), copy.deepcopy(each), *(pickle.loads(pickle.dumps(each, form)) for form in (2, 5))] for each in made]
    return [[[type(each).__name__, str(each).partition(" object")[0]] for each in some] for some in copies]


def answer_frozen() -> object:
    first = Fixed([1])
    shared, own = copy.copy(first), copy.deepcopy(first)
    first.values.append(2)
    try:
        setattr(own, "name", "other")
    except FrozenInstanceError as error:
        return [shared.values, own.values, own.name, str(error)]
    return "it is not frozen"


def answer_class_variables() -> object:
    names = [[each.name for each in fields(kind)] for kind in (Fixed, Failure)]
    return [names, Fixed.counted(), Fixed.counted(), Fixed.kinds, Fixed.größe, hasattr(Fixed, "later"), Failure.prefix]


def answer_dataclass_that_is_an_exception() -> object:
    try:
        raise Worst(5)
    except ValueError as error:
        return [repr(error), error.word() if isinstance(error, Worst) else "", repr(Failure(1))]
    return "nothing was raised"
