"""Enums."""

from __future__ import annotations

import enum
from enum import Enum, Flag, IntEnum, IntFlag, StrEnum, auto, unique


class Planet(Enum):
    EARTH = (5.97, 6371)
    MARS = (0.64, 3389)

    def __init__(self, mass: float, radius: int) -> None:
        self.mass, self.radius = mass, radius

    @property
    def density(self) -> float:
        return round(self.mass / self.radius * 1e6)

    @classmethod
    def heaviest(cls) -> Planet:
        return max(cls, key=lambda planet: planet.mass)


class Auto(Enum):
    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last: list[object]) -> str:
        return name.lower() + str(count)

    FIRST = auto()
    SECOND = auto()
    ALIAS = FIRST


class Permission(Flag):
    READ = auto()
    WRITE = auto()
    BOTH = READ | WRITE


class Level(IntEnum):
    LOW = 1
    HIGH = 10

    @classmethod
    def _missing_(cls, value: object) -> Level | None:
        return cls.HIGH if isinstance(value, int) and value > 10 else None


class Word(StrEnum):
    HELLO = auto()
    OTHER = "else"


class Bits(IntFlag):
    A = 1
    B = 2


def answer_members() -> object:
    return [[each.name for each in Planet], Planet.EARTH.density, Planet.heaviest().name, Planet["MARS"].radius, Planet((0.64, 3389)).name, repr(Planet.MARS), str(Planet.MARS)]


def answer_auto() -> object:
    return [Auto.FIRST.value, Auto.SECOND.value, Auto.ALIAS is Auto.FIRST, list(Auto.__members__)]


def answer_flags() -> object:
    both = Permission.READ | Permission.WRITE
    return [both is Permission.BOTH, Permission.READ in both, (both & ~Permission.READ).name, repr(Bits.A | Bits.B), (Bits.A | 8) == 9]


def answer_int_and_text() -> object:
    return [Level.LOW + 1, Level(11).name, sorted(Level), Word.HELLO.value, f"{Word.OTHER}", Level.LOW < Level.HIGH, isinstance(Word.HELLO, str)]


def answer_errors() -> object:
    results = []
    for call in (lambda: Level(5), lambda: Planet["PLUTO"], lambda: setattr(Planet, "EARTH", 1), lambda: Planet.EARTH()):
        try:
            call()
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            results.append(type(error).__name__)
    try:

        @unique
        class Twice(Enum):
            A = 1
            B = 1
    except ValueError as error:
        results.append(str(error)[:9])
    return results


def answer_nested_and_methods() -> object:
    class Holder:
        class Kind(Enum):
            X = "x"

            def __str__(self) -> str:
                return f"<{self.value}>"

    @enum.verify(enum.CONTINUOUS)
    class Row(IntEnum):
        A = 1
        B = 2

    return [str(Holder.Kind.X), Holder.Kind.__qualname__, list(Row)]


def answer_members_by_loop() -> object:
    class Loop(Enum):
        _ignore_ = ("letter",)
        for letter in ("a", "b"):
            locals()[letter] = letter * 2

    return [[each.name, each.value] for each in Loop]


def answer_functional() -> object:
    made = Enum("Made", {"X": 1, "Y": 2})
    return [[each.name for each in made], made.__name__, made.X.value]
