"""Dataclasses."""

from __future__ import annotations

import dataclasses
from dataclasses import KW_ONLY, InitVar, asdict, astuple, dataclass, field, fields, replace
from typing import Any, ClassVar


@dataclass
class Point:
    """A point."""

    x: int
    y: float = 0.0
    tags: list[str] = field(default_factory=list, repr=False)
    count: ClassVar[int] = 7


@dataclass(frozen=True, slots=True, order=True)
class Version:
    major: int
    minor: int = 0
    _: KW_ONLY
    label: str = field(default="", compare=False)


@dataclass(kw_only=True)
class Order:
    amount: int
    price: InitVar[float]
    factor: InitVar[float] = 2.0
    total: float = field(init=False)

    def __post_init__(self, price: float, factor: float) -> None:
        self.total = self.amount * price * factor


@dataclass
class Child(Point):
    z: "Point | None" = None

    def moved(self, dx: int) -> Child:
        return replace(self, x=self.x + dx)


@dataclass(eq=False, match_args=False)
class Identity:
    value: Any = None


def answer_basic() -> object:
    point = Point(1, tags=["a"])
    return [repr(point), point == Point(1, tags=["a"]), point != Point(2), asdict(point), astuple(point), Point.__doc__]


def answer_types_are_not_enforced() -> object:
    return [type(Point(1, 2).y).__name__, repr(Point("text", "more"))]  # type: ignore[arg-type]


def answer_defaults_are_not_shared() -> object:
    first, second = Point(1), Point(2)
    first.tags.append("x")
    return [first.tags, second.tags, Point.count, hasattr(Point, "tags"), Point.y]


def answer_slots() -> object:
    version = Version(1, 2, label="rc")
    result = [repr(version), list(Version.__slots__), hasattr(version, "__dict__"), hash(version) == hash(Version(1, 2))]
    try:
        version.major = 3  # type: ignore[misc]
    except dataclasses.FrozenInstanceError as error:
        result.append(str(error))
    return result


def answer_order() -> object:
    versions = sorted([Version(2), Version(1, 5), Version(1, 2, label="z")])
    return [[(each.major, each.minor) for each in versions], Version(1) < Version(2), Version(1) == Version(1, label="x")]


def answer_keyword_only() -> object:
    results = []
    for call in (lambda: Version(1, 2, "x"), lambda: Order(3, 4.0), lambda: Order(amount=3)):
        try:
            call()
        except TypeError:
            results.append("TypeError")
    return results


def answer_init_var() -> object:
    order = Order(amount=3, price=1.5)
    return [repr(order), order.total, [each.name for each in fields(Order)], hasattr(order, "price")]


def answer_inheritance() -> object:
    child = Child(1, 2.0, ["t"], Point(5))
    return [repr(child), repr(child.moved(10)), child == Point(1, 2.0, ["t"]), child.moved(1).tags is child.tags]


def answer_replace_refuses() -> object:
    try:
        replace(Order(amount=1, price=1.0), total=3.0)
    except (TypeError, ValueError) as error:
        return type(error).__name__
    return "no error"


def answer_field_types() -> object:
    return [[each.name, each.kw_only, each.init, each.repr] for each in fields(Version)]


def answer_match_args() -> object:
    return [Version.__match_args__, Point.__match_args__, Order.__match_args__, hasattr(Identity, "__match_args__")]


def answer_make_dataclass() -> object:
    made = dataclasses.make_dataclass("Made", [("x", int), ("y", int, field(default=3))], namespace={"sum": lambda self: self.x + self.y})
    return [repr(made(1)), made(1).sum(), dataclasses.is_dataclass(made)]


def answer_local_class() -> object:
    base = 10

    @dataclass
    class Local:
        a: int
        b: int = base

        def both(self) -> int:
            return self.a + self.b + base

    return [repr(Local(1)), Local(1).both(), Local.__qualname__]
