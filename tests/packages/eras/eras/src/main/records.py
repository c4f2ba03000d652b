"""Classes: dataclasses, match, enums, typing, pickling."""

from __future__ import annotations

import copy
import dataclasses
import enum
import inspect
import pickle
import typing
from typing import Generic, NamedTuple, Protocol, TypeVar

T = TypeVar("T")


class State(enum.Enum):
    LOW = 1
    HIGH = 2

    @property
    def other(self):
        return State.HIGH if self is State.LOW else State.LOW


@dataclasses.dataclass(frozen=True, order=True)
class Tide:
    place: str
    level: float = 0.0
    notes: tuple[str, ...] = ()
    state: State = dataclasses.field(default=State.LOW, compare=False)


@dataclasses.dataclass(slots=True, kw_only=True)
class Slotted:
    first: int
    rest: list[int] = dataclasses.field(default_factory=list)


class Point(NamedTuple):
    x: int
    y: int = 0


class Sized(Protocol):
    def size(self) -> int: ...


class Box(Generic[T]):
    made = 0

    def __init_subclass__(cls, **words):
        cls.words = sorted(words)

    def __class_getitem__(cls, item):
        return super().__class_getitem__(item)

    def __init__(self, value: T) -> None:
        self.value = value
        Box.made += 1

    def size(self) -> int:
        return len(self.value)


class Named(Box, label="x"):
    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner):
        return self if instance is None else (self.name, self.value)


class Owner:
    box = Named("in the box")


def kind(value):
    match value:
        case Tide(place, level) if level > 1:
            return ["high", place]
        case Tide(place="nowhere") | None:
            return ["nothing"]
        case Tide(notes=(first, *rest)):
            return ["noted", first, rest]
        case {"x": x, **more}:
            return ["mapping", x, more]
        case Point(x=0, y=y):
            return ["on the axis", y]
        case [Point(), Point() as second, *_]:
            return ["points", second]
        case State.LOW | State.HIGH as state:
            return ["state", state.name]
        case int(number) | float(number):
            return ["number", number]
        case _:
            return ["other", type(value).__name__]


def answer_match():
    values = (
        Tide("a", 2.0), Tide("nowhere"), None, Tide("b", notes=("n", "m", "o")), {"x": 1, "y": 2}, Point(0, 5),
        [Point(1), Point(2)], State.LOW, 4, 4.5, "text", Tide("plain"),
    )  # fmt: skip
    return [kind(value) for value in values]


def answer_dataclass():
    tide = Tide("a", 1.5, ("x",))
    try:
        tide.level = 2.0
    except dataclasses.FrozenInstanceError as error:
        refused = str(error)
    changed = dataclasses.replace(tide, state=State.HIGH)
    return [repr(changed), changed == tide, hash(changed) == hash(tide), sorted([tide, Tide("a")])[0].level, refused, dataclasses.asdict(tide)["notes"]]


def answer_slots():
    slotted = Slotted(first=1)
    slotted.rest.append(2)
    try:
        slotted.more = 3
    except AttributeError as error:
        refused = type(error).__name__
    return [repr(slotted), list(Slotted.__slots__), refused, [field.name for field in dataclasses.fields(slotted)]]


def answer_pickle():
    tide = Tide("a", 1.5, ("x",), State.HIGH)
    return [pickle.loads(pickle.dumps(tide, protocol)) == tide for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)] + [copy.deepcopy(tide).state.other.name]


def answer_classes():
    return [Owner().box, Owner.box.name, Named.words, Box[int].__origin__ is Box, Box([1, 2]).size(), Point(3)._asdict(), [one.name for one in State]]


def answer_signatures():
    return [str(inspect.signature(kind)), str(inspect.signature(Tide)), sorted(typing.get_type_hints(Slotted)), str(typing.get_type_hints(Box.size)["return"])]
