"""PEP 695: type parameters and type statements."""

from __future__ import annotations

import inspect
import pickle
import typing
from dataclasses import dataclass

type Number = int | float
type Tree[T] = T | list[Tree[T]]


class Stack[T]:
    def __init__(self) -> None:
        self.items: list[T] = []

    def push(self, item: T) -> T:
        self.items.append(item)
        return item


@dataclass
class Pair[A, B: (int, str)]:
    a: A
    b: B


def first[T: (int, str)](items: list[T], *rest: T) -> T:
    return items[0]


def passed[**P, R](function: typing.Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    return function(*args, **kwargs)


def answer_classes() -> object:
    stack = Stack[int]()
    return [stack.push(3), str(Stack[int]), [str(each) for each in Stack.__type_params__], repr(Pair(1, "x"))]


def answer_functions() -> object:
    return [first([5]), str(inspect.signature(first)), str(first.__type_params__[0].__constraints__), passed(divmod, 7, 2)]


def answer_aliases() -> object:
    return [Number.__name__, str(Number.__value__), str(Tree[int]), type(Number).__name__]


def answer_pickle() -> object:
    return [pickle.loads(pickle.dumps(Pair(1, 2))) == Pair(1, 2), pickle.loads(pickle.dumps(Number)) is Number]
