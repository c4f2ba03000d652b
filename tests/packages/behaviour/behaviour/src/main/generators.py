"""Generators."""

from __future__ import annotations

import collections.abc
import inspect
import itertools


def count(n):
    for index in range(n):
        yield index
    return "done"


def echo():
    received = None
    log = []
    try:
        while True:
            try:
                received = yield [received, *log]
                log.append("sent")
            except KeyError as error:
                log.append(f"caught {error}")
    finally:
        log.append("finally")


def delegating():
    result = yield from count(2)
    yield result
    value = yield from inner_with_throw()
    yield ["inner returned", value]


def inner_with_throw():
    try:
        yield "waiting"
    except ValueError as error:
        return f"inner caught {error}"
    return "inner nothing"


class Tree:
    def __init__(self, value, *children):
        self.value, self.children = value, children

    def __iter__(self):
        yield self.value
        for child in self.children:
            yield from child


def answer_return_value() -> object:
    generator = count(1)
    first = next(generator)
    try:
        next(generator)
    except StopIteration as stop:
        return [first, stop.value, next(generator, "default")]
    return "did not stop"


def answer_send_throw_close() -> object:
    generator = echo()
    out = [next(generator), generator.send("a"), generator.throw(KeyError("k")), generator.send("b")]
    generator.close()
    try:
        generator.send("c")
    except StopIteration:
        out.append("stopped")
    return out


def answer_throw_not_caught() -> object:
    generator = echo()
    next(generator)
    try:
        generator.throw(ValueError("v"))
    except ValueError as error:
        return [str(error), next(generator, "ended")]
    return "swallowed"


def answer_yield_from() -> object:
    generator = delegating()
    return [next(generator), next(generator), next(generator), next(generator), generator.throw(ValueError("x")), next(generator, "ended")]


def answer_recursion() -> object:
    tree = Tree(1, Tree(2, Tree(3)), Tree(4))
    return [list(tree), max(tree), 3 in tree, sum(x for x in tree if x % 2)]


def answer_lazy() -> object:
    log = []

    def noisy(n):
        for index in range(n):
            log.append(index)
            yield index

    first = next(x for x in noisy(10) if x > 2)
    chained = list(itertools.islice(itertools.chain(noisy(2), noisy(2)), 3))
    return [first, chained, log]


def answer_close_runs_finally() -> object:
    log = []

    def guarded():
        try:
            yield 1
            yield 2
        finally:
            log.append("finally")

    for _ in guarded():
        break
    import gc

    gc.collect()
    with_close = guarded()
    next(with_close)
    with_close.close()
    return log


def answer_return_on_close() -> object:
    def measured():
        seen = 0
        try:
            while True:
                yield seen
                seen += 1
        except GeneratorExit:
            return

    generator = measured()
    next(generator)
    generator.close()
    return "closed"


def answer_ignores_exit() -> object:
    def stubborn():
        try:
            yield 1
        except GeneratorExit:
            yield 2

    generator = stubborn()
    next(generator)
    try:
        generator.close()
    except RuntimeError as error:
        return str(error)
    return "closed"


def answer_stop_iteration_inside() -> object:
    def leaking():
        yield next(iter(()))

    try:
        list(leaking())
    except RuntimeError as error:
        return [str(error), type(error.__cause__).__name__]
    return "swallowed"


def answer_running() -> object:
    def selfish():
        try:
            next(generator)
        except ValueError as error:
            yield str(error)

    generator = selfish()
    return next(generator)


def answer_states() -> object:
    generator = count(1)
    states = [generator.gi_running, generator.__name__, generator.__qualname__]
    return [*states, list(generator), inspect.isgeneratorfunction(count)]


def answer_state_names() -> object:
    generator = count(1)
    states = [inspect.getgeneratorstate(generator)]
    list(generator)
    return [*states, inspect.getgeneratorstate(generator)]


def answer_types() -> object:
    return [isinstance(count(1), collections.abc.Generator), isinstance(count(1), collections.abc.Iterator), iter(g := count(1)) is g]


def answer_exact_types() -> object:
    return [inspect.isgenerator(count(1)), type(count(1)).__name__]


def answer_expressions() -> object:
    n = 10
    squares = (x * x for x in range(n) if x % 2)
    n = 3
    return [list(squares), dict((x, y) for x, y in zip("ab", (z for z in itertools.count()))), sum(x for row in ((1, 2), (3,)) for x in row)]


def answer_exception_context() -> object:
    import sys

    def inside():
        try:
            raise KeyError("inner")
        except KeyError:
            yield type(sys.exc_info()[1]).__name__
            yield type(sys.exc_info()[1]).__name__

    generator = inside()
    out = [next(generator), sys.exc_info()[0]]
    try:
        raise ValueError("outer")
    except ValueError:
        out += [next(generator), type(sys.exc_info()[1]).__name__]
    return out
