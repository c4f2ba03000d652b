"""Flow of control: generators, coroutines, closures, exceptions, matching."""

import asyncio
import contextlib
import inspect
import traceback
from collections.abc import Callable, Iterator


def count(upto: int) -> Iterator[int]:
    try:
        yield from range(upto)
    finally:
        EVENTS.append("closed")


EVENTS: list[str] = []


def echo() -> Iterator[int]:
    received = 0
    while True:
        received = (yield received) or received + 1


async def delayed(value: int) -> int:
    await asyncio.sleep(0)
    return value * 2


@contextlib.contextmanager
def within(name: str) -> Iterator[str]:
    EVENTS.append(f"into {name}")
    try:
        yield name.upper()
    finally:
        EVENTS.append(f"out of {name}")


def adder(by: int) -> Callable[[int], int]:
    def add(value: int) -> int:
        return value + by

    return add


def logged(function: Callable[[int], int]) -> Callable[[int], int]:
    def call(value: int) -> int:
        EVENTS.append(f"call {value}")
        return function(value)

    return call


@logged
def doubled(value: int) -> int:
    return value * 2


def told(value: object) -> str:
    match value:
        case [first, *rest]:
            return f"list of {first} and {len(rest)}"
        case {"key": inner}:
            return f"key {inner}"
        case int() | float():
            return "number"
        case str(text) if text:
            return text
    return "else"


def signature(a: int, b: str = "b", *rest: float, c: bool = True, **others: int) -> str:
    return f"{a} {b} {rest} {c} {sorted(others.items())}"


def fail(depth: int) -> None:
    if depth == 0:
        raise ValueError("deep")
    fail(depth - 1)


def answer_generators() -> object:
    EVENTS.clear()
    numbers = count(5)
    found = [next(numbers), next(numbers)]
    numbers.close()  # type: ignore[attr-defined]
    other = echo()
    return [found, EVENTS, list(count(3)), [next(other), next(other)], sum(n * n for n in range(5))]


async def answer_coroutines() -> object:
    gathered = await asyncio.gather(*[delayed(n) for n in range(3)])
    return [list(gathered), inspect.iscoroutinefunction(delayed)]


def answer_context() -> object:
    EVENTS.clear()
    with within("room") as name:
        EVENTS.append(name)
    with contextlib.suppress(KeyError), within("trouble"):
        raise KeyError
    return EVENTS


def answer_closures() -> object:
    EVENTS.clear()
    return [adder(3)(4), doubled(5), EVENTS, [f(1) for f in [adder(n) for n in range(3)]], (lambda x: x + 1)(1)]


def answer_match() -> object:
    return [told(each) for each in ([1, 2, 3], {"key": 4}, 1.5, "text", "", None)]


def answer_arguments() -> object:
    return [signature(1), signature(1, "x", 1.0, 2.0, c=False, d=4), signature(b="y", a=2)]


def answer_wrong_arguments() -> object:
    found = []
    call: Callable[..., object] = signature
    for words in ((), ("text",)):
        try:
            found.append(call(*words))
        except TypeError as error:
            found.append(type(error).__name__)
    return found[0]


def answer_traceback() -> object:
    try:
        fail(2)
    except ValueError as error:
        entries = traceback.extract_tb(error.__traceback__)
        return [[entry.filename.rpartition("exact")[2].replace("\\", "/"), entry.lineno, entry.name] for entry in entries]
    return []


def answer_unpacking() -> object:
    first, *middle, last = range(6)
    a, (b, c) = 1, (2, 3)
    return [first, middle, last, [a, b, c], {**{"x": 1}, "y": 2}, [*range(2), 5], "%s-%d" % ("a", 3), f"{a:>3}|{b!r}"]
