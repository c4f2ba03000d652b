"""What a compiler is known to break, one question each: the guard keeps this module from being compiled."""

from __future__ import annotations

import contextlib
import inspect
import sys


class Base:
    def call(self) -> str:
        return "base"


class Child(Base):
    def call(self) -> str:
        return (lambda me: "child of " + super().call())(self)


def answer_super_in_a_lambda() -> object:
    return Child().call()


class Counting(Base):
    def call(self) -> list[str]:
        return [f"{__class__.__name__} of {name}" for name in [super().call()]]


def answer_class_in_a_comprehension() -> object:
    return Counting().call()


def rebuilt(slots: bool):
    """Make a class anew, as attrs does, with the cell that super() reads mended."""

    def make(cls):
        made = type(cls.__name__, cls.__bases__, {name: value for name, value in vars(cls).items() if name[:3] not in ("__d", "__w")})
        for value in vars(made).values():
            for cell in getattr(value, "__closure__", None) or ():
                cell.cell_contents = made
        return made

    return make


@rebuilt(slots=True)
class Rebuilt(Base):
    def call(self) -> str:
        return "rebuilt on " + super().call()


def answer_a_rebuilt_class() -> object:
    return Rebuilt().call()


def answer_frame() -> object:
    frame = sys._getframe()
    return [frame.f_code.co_name, frame.f_globals["__name__"]]


def answer_closure_cells() -> object:
    number = 3

    def inner():
        return number

    return [cell.cell_contents for cell in inner.__closure__]


def answer_source() -> object:
    return inspect.getsource(Base).splitlines()


def answer_exec_sees_names() -> object:
    found = []
    exec("found.append(1)")
    return found


def answer_replaced_code() -> object:
    def first():
        return 1

    def second():
        return 2

    first.__code__ = second.__code__
    return first()


def answer_recursion_without_end() -> object:
    def deeper():
        return deeper()

    with contextlib.suppress(RecursionError):
        deeper()
    try:
        deeper()
    except RecursionError:
        return "limited"
    return "not limited"


def answer_order_in_a_chained_comparison() -> object:
    log = []

    def note(x):
        log.append(x)
        return x

    note("a") < note("b") < note("c")  # noqa: B015 - for its side effects
    return log


def answer_value_of_a_lambda_that_yields() -> object:
    generator = (lambda: (yield 5))()
    log = [next(generator)]
    try:
        generator.send("answer")
    except StopIteration as end:
        log.append(end.value)
    return log


def answer_lambda_without_a_value() -> object:
    return [(lambda event: None)(1)]


class Reader:
    def read(self, data):
        match data:
            case [__first, *__rest]:
                return __first, __rest


def answer_private_names_that_case_binds() -> object:
    return Reader().read([1, 2, 3])


def answer_names_that_what_stands_behind_them_changes() -> object:
    number = 0

    def more():
        nonlocal number
        number += 1
        return number

    log = [number, more(), number + more(), [number, (number := 7)]]
    number += more()
    return [*log, number]
