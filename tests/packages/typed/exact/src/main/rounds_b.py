"""The other one."""

from exact import rounds_a

NAME = "b"


def down(n: int) -> int:
    return int(rounds_a.up(n - 1))
