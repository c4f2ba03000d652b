"""A method under two names, which mypyc does not find when the class is made."""


class Vector:
    def __init__(self, x: int) -> None:
        self.x = x

    def __mul__(self, by: int) -> int:
        return self.x * by

    __rmul__ = __mul__


def answer_alias() -> object:
    return [Vector(3) * 2, 2 * Vector(3)]
