"""typing: classes that it makes, generics."""

from __future__ import annotations

import typing
from typing import Any, ClassVar, Generic, NamedTuple, Protocol, TypedDict, TypeVar, runtime_checkable

T = TypeVar("T")
K = TypeVar("K", bound="Comparable")
N = TypeVar("N", int, float)


class Comparable(Protocol):
    def __lt__(self, other: Any) -> bool: ...


@runtime_checkable
class Closable(Protocol):
    name: str

    def close(self) -> None: ...


class File:
    name = "f"

    def close(self) -> None:
        return None


class Row(NamedTuple):
    """A row."""

    key: str
    value: int = 3

    def doubled(self) -> int:
        return self.value * 2


class Options(TypedDict, total=False):
    depth: int
    name: str


class Required(Options):
    must: bool


class Stack(Generic[T]):
    kinds: ClassVar[int] = 0

    def __init__(self) -> None:
        self.items: list[T] = []

    def push(self, item: T) -> Stack[T]:
        self.items.append(item)
        return self


class IntStack(Stack[int]):
    pass


class Pair(Generic[K, N]):
    pass


def answer_named_tuple() -> object:
    row = Row("k")
    return [repr(row), row.doubled(), row._replace(value=1), row._asdict(), Row._fields, Row.__doc__, row == ("k", 3), Row._field_defaults, Row.__module__]


def answer_typed_dict() -> object:
    return [Options(depth=1), Options.__total__, sorted(Required.__required_keys__), sorted(Required.__optional_keys__), sorted(typing.get_type_hints(Required))]


def answer_protocols() -> object:
    return [isinstance(File(), Closable), isinstance(5, Closable)]


def answer_generics() -> object:
    stack = Stack[int]().push(1).push("x")
    return [stack.items, str(Stack[int]).replace(__name__, "typed"), Stack.__parameters__ == (T,), [str(each).replace(__name__, "typed") for each in IntStack.__orig_bases__], typing.get_args(Stack[str])[0].__name__, str(Pair[str, int]).replace(__name__, "typed")]


def answer_type_variables() -> object:
    return [repr(T), N.__constraints__ == (int, float), T.__name__]


def answer_cast_and_overload() -> object:
    @typing.overload
    def f(a: int) -> int: ...
    @typing.overload
    def f(a: str) -> str: ...
    def f(a):
        return a

    @typing.final
    class Last:
        pass

    return [typing.cast(int, "x"), f("y"), Last.__final__, typing.TYPE_CHECKING]


def answer_union_types() -> object:
    alias = int | None
    return [str(alias), isinstance(None, alias), str(list[int] | str), str(dict[str, list[int]])]
