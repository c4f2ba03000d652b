"""match."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Colour(Enum):
    RED = 1
    BLUE = 2


@dataclass
class Point:
    x: int
    y: int


class Ranged:
    __match_args__ = ("low", "high")

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high


def kind(value: object) -> object:
    match value:
        case None | True | False:
            return ["constant", value]
        case 0 | 1:
            return "bit"
        case -1 | 1.5 | "text" | b"bytes":
            return "literal"
        case int(n) | float(n) if n > 100:
            return ["big", n]
        case int() | float():
            return "number"
        case str(text) if text.startswith("a"):
            return ["a", text]
        case "":
            return "empty text"
        case str():
            return "text"
        case []:
            return "empty"
        case [x]:
            return ["one", x]
        case [1, [2, *inner], *rest]:
            return ["nested", inner, rest]
        case [first, *_, last] if first == last:
            return ["ring", first]
        case (x, y):
            return ["pair", x, y]
        case [x, y, *rest]:
            return ["more", x, y, rest]
        case {"type": "circle", "radius": (int() | float()) as r, **rest}:
            return ["circle", r, rest]
        case {"type": str(name)}:
            return ["named", name]
        case {}:
            return "mapping"
        case Point(0, 0):
            return "origin"
        case Point(x=0, y=y) | Point(x=y, y=0):
            return ["axis", y]
        case Point(x, y) as whole:
            return ["point", x, y, whole is value]
        case Ranged(low, high) if low < high:
            return ["range", low, high]
        case Colour.RED:
            return "red"
        case Colour():
            return "colour"
        case _:
            return "other"


def answer_kinds() -> object:
    values = [
        None, True, 0, 1, -1, 1.5, 7, 101, 2.5e9, "text", "abc", "", "zzz", b"bytes", [], [5], (1, [2, 3, 4], 5, 6), [1, 2, 1],
        (1, 2), [1, 2, 3], {"type": "circle", "radius": 2, "id": 7}, {"type": "circle", "radius": "x"}, {"type": "square"}, {},
        {"other": 1}, Point(0, 0), Point(0, 3), Point(3, 0), Point(1, 2), Ranged(1, 2), Ranged(2, 1), Colour.RED, Colour.BLUE,
        {1, 2}, object, bytearray(b"x"), range(2),
    ]  # fmt: skip
    return [kind(value) for value in values]


def answer_binding_survives() -> object:
    match (1, 2):
        case (a, 3):
            pass
        case (1, b):
            pass
    return ["a" in locals() or True, b]


def answer_evaluated_once() -> object:
    calls = []

    def subject():
        calls.append(1)
        return 3

    match subject():
        case 1:
            pass
        case 2:
            pass
        case 3:
            calls.append(3)
    return calls


def answer_soft_keywords() -> object:
    match = {"case": 1}
    case = match["case"]
    type = "free"
    return [match, case, type]


def answer_bad_class_pattern() -> object:
    class NoArgs:
        pass

    try:
        match NoArgs():
            case NoArgs(1):
                return "matched"
    except TypeError as error:
        return type(error).__name__
    return "fell through"


def answer_a_plain_case_after_one_of_another_kind() -> object:
    def after_a_class(value):
        match value:
            case str():
                out = value
            case None:
                out = ""
            case _:
                out = [value]
        return out

    def after_a_sequence(value):
        match value:
            case [first, *rest]:
                return rest
            case int() as number:
                out = number
            case _:
                first = 2
                out = first
        return out

    values = ["a", None, 3, [1, 2], {}]
    return [[after_a_class(value) for value in values], [after_a_sequence(value) for value in values]]
