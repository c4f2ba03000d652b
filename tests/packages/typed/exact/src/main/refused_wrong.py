"""A wrong type: it falls back, and runs."""


def double(value: int) -> str:
    return value * 2


def answer_double() -> object:
    return double(2)
