"""Decorators, functools, contextlib."""

from __future__ import annotations

import contextlib
import functools
import inspect
import operator

LOG: list[str] = []


def traced(label: str, /, *, upper: bool = False):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            LOG.append(label.upper() if upper else label)
            return function(*args, **kwargs)

        return wrapper

    return decorate


class Registry:
    def __init__(self) -> None:
        self.names: dict[str, object] = {}

    def __call__(self, thing):
        self.names[thing.__name__] = thing
        return thing


registry = Registry()


@traced("outer", upper=True)
@traced("inner")
def work(a: int, b: int = 2) -> int:
    """Work."""
    return a * b


@registry
class Registered:
    @registry
    def method(self) -> str:
        return "method"


class Area:
    calls = 0

    def __init__(self, width: float) -> None:
        self.width = width

    @functools.cached_property
    def size(self) -> float:
        """Size."""
        Area.calls += 1
        return self.width**2

    @functools.lru_cache(maxsize=2)  # noqa: B019
    def scaled(self, by: int) -> float:
        Area.calls += 1
        return self.width * by

    @functools.singledispatchmethod
    def show(self, value):
        return f"object {value!r}"

    @show.register
    def _(self, value: int):
        return f"int {value}"

    @show.register(list)
    def _(self, value):
        return f"list {len(value)}"

    triple = functools.partialmethod(scaled, 3)


@functools.singledispatch
def show(value) -> str:
    """Show."""
    return f"object {type(value).__name__}"


@show.register
def _(value: int) -> str:
    return f"int {value}"


@show.register
def show_text(value: str | bytes) -> str:
    return f"text {len(value)}"


@show.register(dict)
def _(value) -> str:
    return f"dict {len(value)}"


@functools.total_ordering
class Ranked:
    def __init__(self, rank: int) -> None:
        self.rank = rank

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ranked) and self.rank == other.rank

    def __lt__(self, other: Ranked) -> bool:
        return self.rank < other.rank

    __hash__ = None


@functools.lru_cache
def fibonacci(n: int) -> int:
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


@functools.cache
def squared(n: int) -> int:
    return n * n


def answer_wraps() -> object:
    LOG.clear()
    return [work(3), LOG, work.__name__, work.__doc__, work.__wrapped__.__wrapped__(2, 5), str(inspect.signature(work))]


def answer_registry() -> object:
    return [sorted(registry.names), Registered().method(), registry.names["Registered"] is Registered]


def answer_cached() -> object:
    Area.calls = 0
    area = Area(3)
    return [area.size, area.size, Area.calls, area.scaled(2), area.scaled(2), Area.calls, area.triple(), "size" in vars(area), Area.size.__doc__]


def answer_cached_overwritten() -> object:
    area = Area(3)
    area.size = 5
    del area.size
    return area.size


def answer_single_dispatch() -> object:
    area = Area(1)
    return [[show(each) for each in (1, "ab", b"abc", {}, 1.5, True)], [area.show(each) for each in (1, [1], "x")], show.__doc__, show.__name__]


class Counted:
    @functools.singledispatchmethod
    @classmethod
    def made(cls, value):
        return [cls.__name__, "anything"]

    @made.register
    @classmethod
    def _(cls, value: int):
        return [cls.__name__, "a number"]

    @classmethod
    def named(cls, value: int) -> str:
        """Named."""


def answer_class_methods_by_type() -> object:
    method = vars(Counted)["named"]
    return [Counted.made("x"), Counted.made(1), method.__name__, method.__doc__, sorted(vars(method))]


def answer_caches() -> object:
    fibonacci.cache_clear()
    return [fibonacci(80), list(fibonacci.cache_info()), squared(12), fibonacci.__name__, squared.__wrapped__(3)]


def answer_ordering() -> object:
    return [Ranked(1) <= Ranked(1), Ranked(2) > Ranked(1), Ranked(1) >= Ranked(2), Ranked.__hash__ is None]


def answer_reduce() -> object:
    return [functools.reduce(operator.mul, range(1, 6)), functools.reduce(lambda a, b: a + [b], "abc", []), sorted("bAc", key=functools.cmp_to_key(lambda a, b: (a.lower() > b.lower()) - (a.lower() < b.lower())))]


def answer_partial() -> object:
    half = functools.partial(work, b=10)
    return [half(3), half.func is work, half.keywords, functools.partial(pow, exp=2)(5)]


@contextlib.contextmanager
def managed(log: list[str], swallow: type[BaseException] | None = None):
    """Manage."""
    log.append("in")
    try:
        yield "value"
    except BaseException as error:
        log.append(type(error).__name__)
        if swallow is None or not isinstance(error, swallow):
            raise
    finally:
        log.append("out")


class Manager:
    def __init__(self, log: list[str]) -> None:
        self.log = log

    def __enter__(self) -> Manager:
        self.log.append("enter")
        return self

    def __exit__(self, *what: object) -> bool:
        self.log.append(f"exit {what[0].__name__ if what[0] else None}")
        return False


def answer_context_managers() -> object:
    log: list[str] = []
    with managed(log) as value:
        log.append(value)
    with managed(log, KeyError):
        raise KeyError
    try:
        with managed(log, KeyError), Manager(log) as manager:
            raise ValueError
    except ValueError:
        log.append("passed")
    return [log, manager.log is log, managed.__doc__]


def answer_parenthesised_with() -> object:
    log: list[str] = []
    with (
        managed(log) as first,
        Manager(log) as second,
    ):
        log.append(first)
    return [log, second.log is log]


def answer_manager_as_decorator() -> object:
    log: list[str] = []

    @managed(log)
    def inside() -> str:
        log.append("inside")
        return "returned"

    return [inside(), inside(), log]


def answer_exit_stack() -> object:
    log: list[str] = []
    with contextlib.ExitStack() as stack:
        stack.callback(log.append, "callback")
        for _ in range(2):
            stack.enter_context(managed(log))
        stack.push(lambda *what: True)
        raise ZeroDivisionError
    with contextlib.suppress(KeyError):
        {}["x"]
    with contextlib.nullcontext(5) as five:
        pass
    return [log, five]


def answer_return_in_with() -> object:
    log: list[str] = []

    def inside():
        with managed(log):
            for index in range(5):
                with managed(log):
                    if index == 1:
                        return index

    return [inside(), log]


def answer_order_of_decorators_of_a_static_method() -> object:
    def noted(function):
        return ("noted", isinstance(function, staticmethod))

    class Some:
        @staticmethod
        @noted
        def inside(x):
            return x

        @noted
        @staticmethod
        def outside(x):
            return x

    return [type(Some.__dict__["inside"]).__name__, Some.inside, Some.outside]
