"""One end of a circle."""

import pickle
from dataclasses import dataclass


@dataclass
class Point:
    x: int
    y: int = 0


def one():
    from whole.sub.first import two

    return "one", two()


def answer_circle():
    import whole.sub.first

    return one(), whole.sub.first.back()


def answer_pickle():
    return repr(pickle.loads(pickle.dumps(Point(1, 2)))), pickle.loads(pickle.dumps(one)) is one
