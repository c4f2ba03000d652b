"""Pickling and copying."""

from __future__ import annotations

import collections
import copy
import enum
import functools
import pickle
from dataclasses import dataclass
from typing import NamedTuple, NewType, TypeVar

T = TypeVar("T")
UserId = NewType("UserId", int)


def function(x: int) -> int:
    return x + 1


class Plain:
    def __init__(self, value: object) -> None:
        self.value = value

    def method(self) -> object:
        return self.value

    @classmethod
    def make(cls) -> Plain:
        return cls("made")

    @staticmethod
    def static() -> str:
        return "static"

    class Nested:
        depth = 1

        class Deeper:
            depth = 2

            def __eq__(self, other: object) -> bool:
                return type(self) is type(other)

            __hash__ = object.__hash__


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self) -> None:
        self.a, self.b = 1, [2]


class Reduced:
    def __init__(self, text: str) -> None:
        self.text = text

    def __reduce__(self) -> object:
        return type(self), (self.text + "!",)


class Stateful:
    def __init__(self) -> None:
        self.kept, self.dropped = "kept", "dropped"

    def __getstate__(self) -> dict[str, str]:
        return {"kept": self.kept}

    def __setstate__(self, state: dict[str, str]) -> None:
        self.__dict__ = {**state, "restored": True}


@dataclass(frozen=True, slots=True)
class Frozen:
    x: int
    y: tuple[int, ...] = ()


class Row(NamedTuple):
    key: str
    value: int = 0


class Tripled(collections.namedtuple("Tripled", "a b c")):
    __slots__ = ()


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Problem(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)
        self.code = code


class Mapping(dict):
    extra = None


def again(value: object) -> object:
    return pickle.loads(pickle.dumps(value))


def answer_functions() -> object:
    return [again(function) is function, again(Plain.static)(), again(Plain.make)().value, again(Plain("m").method)()]


def answer_partial() -> object:
    return again(functools.partial(function, 4))()


def answer_classes() -> object:
    return [again(each) is each for each in (Plain, Plain.Nested, Plain.Nested.Deeper, Frozen, Row, Colour, Problem)]


def answer_instances() -> object:
    slotted, stateful = again(Slotted()), again(Stateful())
    return [again(Plain([1])).value, [slotted.a, slotted.b], again(Reduced("r")).text, vars(stateful), again(Frozen(1, (2,))) == Frozen(1, (2,))]


def answer_nested() -> object:
    return [again(Plain.Nested()).depth, again(Plain.Nested.Deeper()) == Plain.Nested.Deeper()]


def answer_tuples() -> object:
    return [again(Row("k", 2)) == Row("k", 2), type(again(Row("k"))).__name__, again(Tripled(1, 2, 3)).b]



def answer_enums() -> object:
    return [again(Colour.RED) is Colour.RED]



def answer_type_variables() -> object:
    return [T.__module__, again(T) is T]


def answer_new_type() -> object:
    return [UserId.__module__, again(UserId) is UserId]


def answer_exceptions() -> object:
    error = again(Problem(3, "three"))
    return [repr(error), error.code, error.args]


def answer_protocols() -> object:
    value = {"f": function, "c": Plain.Nested, "i": Frozen(1), "m": Mapping(a=1)}
    return [sorted(pickle.loads(pickle.dumps(value, protocol))) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]


def answer_same_bytes() -> object:
    return [pickle.dumps(each, 4).hex() for each in (function, Plain("x"), Frozen(1), Plain.Nested, Problem(1, "x"))]


def answer_unpicklable() -> object:
    results = []
    for each in (lambda: 0, (x for x in ()), answer_unpicklable.__get__(1)):
        try:
            again(each)
            results.append("pickled")
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            results.append(True)
    return results


def answer_copies() -> object:
    plain = Plain([1, {"a": [2]}])
    shallow, deep = copy.copy(plain), copy.deepcopy(plain)
    plain.value[1]["a"].append(3)
    circular: list[object] = []
    circular.append(circular)
    twice = copy.deepcopy(circular)
    return [shallow.value, deep.value, twice[0] is twice, copy.deepcopy(function) is function, copy.copy(Slotted()).b]


def answer_deepcopy_hook() -> object:
    class Counted:
        def __init__(self) -> None:
            self.copies = 0

        def __deepcopy__(self, memo: dict) -> Counted:
            fresh = Counted()
            fresh.copies = self.copies + 1
            return fresh

    return copy.deepcopy(copy.deepcopy(Counted())).copies
