"""Numbers: where the size of a machine's words shows. Zahlen: \"größer\"\\."""

from typing import Final

SMALL: Final = 2**29
WORD: Final = 2**31
LARGE: Final = 2**61
HUGE: Final = 2**62 + 2**40
OVER: Final = 12345678901234567890123


def fibonacci(n: int) -> int:
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


def answer_literals() -> object:
    values = [0, 1073741823, 1073741824, 2147483648, 4294967296, 1152921504606846976, 4611686018427387904, 9223372036854775808]
    return [[value, -value, value + 1, -value - 1] for value in values] + [[SMALL, WORD, LARGE, HUGE, OVER]]


def answer_growth() -> object:
    value = 1
    found: list[int] = []
    for step in range(70):
        value = value * 2 + step
        found.append(value)
    return [str(each) for each in found]


def answer_arithmetic() -> object:
    found: list[object] = []
    for a in (7, -7, 2**30, -(2**30), 2**63):
        for b in (2, -2, 3, 2**31):
            found.append([a + b, a - b, str(a * b), a // b, a % b, a & b, a | b, a ^ b, a < b, a == b])
    return found


def answer_shifts() -> object:
    return [str(1 << n) for n in range(0, 70, 7)] + [2**65 >> n for n in range(0, 70, 7)] + [-1 >> 3, ~5]


def answer_floats() -> object:
    total = 0.0
    for n in range(1, 50):
        total += 1.0 / n
    return [repr(total), repr(10.5 // 3.0), repr(-10.5 % 3.0), repr(2.0**0.5), int(1e18), float(2**53 + 1)]


def divide(a: int, b: int) -> int:
    return a // b


def answer_zero() -> object:
    try:
        divide(1, 0)
    except ZeroDivisionError as error:
        return type(error).__name__
    return "nothing"


def answer_fibonacci() -> object:
    return [fibonacci(n) for n in range(0, 100, 9)]


def answer_docs() -> object:
    return __doc__
