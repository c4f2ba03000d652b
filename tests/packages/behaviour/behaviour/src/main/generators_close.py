"""A generator that answers close() with a value: Cython 3.3 raises RuntimeError there, so this module has to fall back."""

from __future__ import annotations


def average():
    total = count = 0
    try:
        while True:
            total += yield
            count += 1
    except GeneratorExit:
        return total / count


def in_finally():
    try:
        yield 1
    finally:
        return "finally"  # noqa: B012


class Waiting:
    def __await__(self):
        yield "waiting"


async def coroutine():
    try:
        await Waiting()
    except BaseException:
        return "caught"


def answer_close() -> object:
    out = []
    for make in (average, in_finally, coroutine):
        generator = make()
        generator.send(None)
        if make is average:
            generator.send(4)
        generator.close()
        out.append("closed")
    return out


def answer_delegated_close() -> object:
    def outer():
        yield from average()

    generator = outer()
    next(generator)
    generator.send(2)
    generator.close()
    return "closed"
