"""One of two modules that import each other."""

from exact import rounds_b


def up(n: int) -> int:
    return n if n > 10 else int(rounds_b.down(n + 2))


def answer_round() -> object:
    return [up(1), rounds_b.NAME]
