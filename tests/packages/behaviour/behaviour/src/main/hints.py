"""Annotations."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Generic, Literal, Optional, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
limit: int = 3
later: Literal["a", "b"]


def simple(a: int, b: str = "x", *rest: float, c: list[int], **more: Optional[bytes]) -> dict[str, int]:
    return {}


def forward(a: Later, b: "list[Later]") -> Callable[[int], Later | None]:
    raise NotImplementedError


def rich(a: Annotated[int, "metres"], b: Union[int, str], c: T) -> T:
    return c


class Later:
    size: int
    name: Annotated[str, 5] = "n"

    def method(self, other: Later, /) -> Later:
        return other

    @property
    def area(self) -> float:
        return 1.0


class Box(Generic[T]):
    content: T


@dataclass
class Record:
    first: Later
    second: int | None = None


def text(hints: dict[str, object]) -> dict[str, str]:
    return {name: str(hint).replace(__name__, "hints") for name, hint in hints.items()}


def answer_functions() -> object:
    return [text(get_type_hints(each)) for each in (simple, forward, rich)]


def answer_extras() -> object:
    return text(get_type_hints(rich, include_extras=True))


def answer_classes() -> object:
    return [text(get_type_hints(each)) for each in (Later, Box, Record)]


def answer_methods() -> object:
    return [text(get_type_hints(Later.method)), text(get_type_hints(Later.area.fget))]


def answer_module() -> object:
    import sys

    return [sorted(__annotations__), text(get_type_hints(sys.modules[__name__]))]


def answer_raw_annotations() -> object:
    return [sorted(simple.__annotations__), Later.__annotations__, {k: str(v) for k, v in sorted(simple.__annotations__.items())}]


def answer_order_of_annotations() -> object:
    return list(simple.__annotations__)


def answer_inspect_get_annotations() -> object:
    return text(inspect.get_annotations(forward, eval_str=True))


def answer_origins() -> object:
    hint = get_type_hints(simple)["c"]
    return [get_origin(hint) is list, get_args(hint) == (int,), get_origin(get_type_hints(rich)["b"]) is typing.Union]


def float_stays(x: float, n: int = 1, s: str = "", d: dict | None = None) -> object:
    return [x, type(x).__name__, type(n).__name__, type(s).__name__, type(d).__name__]


def answer_annotations_do_nothing() -> object:
    value: int = "text"  # type: ignore[assignment]
    number: float = 3
    big: int = 2**70
    return [float_stays(1), float_stays(True, "x", 3, []), value, number, type(number).__name__, big]  # type: ignore[arg-type]


def answer_return_annotation_does_nothing() -> object:
    def wrong() -> int:
        return "text"  # type: ignore[return-value]

    return wrong()
