"""Closures and scopes."""

from __future__ import annotations

counter = 0


def answer_late_binding() -> object:
    return [[f() for f in [lambda: i for i in range(3)]], [f() for f in [lambda i=i: i for i in range(3)]]]


def answer_nonlocal() -> object:
    total = 0

    def add(n):
        nonlocal total
        total += n
        return total

    def deeper():
        def deepest():
            nonlocal total
            total *= 2

        deepest()

    add(1)
    add(2)
    deeper()
    return total


def answer_global() -> object:
    def bump():
        global counter
        counter += 1

    before = counter
    bump()
    bump()
    return [counter - before, globals()["counter"] == counter]


def make_counter(start):
    count = start

    def step(by=1):
        nonlocal count
        count += by
        return count

    def reset():
        nonlocal count
        count = start

    return step, reset


def answer_shared_cells() -> object:
    step, reset = make_counter(10)
    other, _ = make_counter(0)
    result = [step(), step(5), other()]
    reset()
    return [*result, step()]





def answer_comprehension_scope() -> object:
    x = "outer"
    made = [x for x in range(3)]
    nested = [(x, y) for x in range(2) for y in range(x + 1) if x >= y]
    return [x, made, nested, [[y for y in range(x)] for x in range(3)]]


def answer_class_scope() -> object:
    x = "function"

    class Scope:
        x = "class"
        items = [1, 2]
        doubled = [i * 2 for i in items]

        def method(self):
            return x

    return [Scope().method(), Scope.x, Scope.doubled]


def answer_class_scope_reads_global() -> object:
    results = []

    class Scope:
        results.append(counter >= 0)
        counter = "own"
        results.append(counter)

    return [results, Scope.counter]


def answer_recursion() -> object:
    def factorial(n):
        return 1 if n < 2 else n * factorial(n - 1)

    compose = lambda *fs: (lambda x: compose(*fs[:-1])(fs[-1](x))) if fs else (lambda x: x)  # noqa: E731
    return [factorial(25), compose(str, abs, int)("-5")]


def answer_generator_closure() -> object:
    base = 1

    def numbers():
        nonlocal base
        while base < 20:
            yield base
            base *= 2

    return [list(numbers()), base]


def answer_default_evaluated_once() -> object:
    log = []

    def default():
        log.append("made")
        return []

    def append(x, to=default()):  # noqa: B008
        to.append(x)
        return list(to)

    return [append(1), append(2), log]


def answer_perhaps_unbound() -> object:
    def whole(flag):
        if flag:
            x = 1
        return x

    def real(flag):
        for _ in range(flag):
            x = 1.5
        return x

    def loop(n):
        for k in range(n):
            pass
        return k

    results = []
    for function in (whole, real, loop):
        try:
            results.append([function(3), function(0)])
        except UnboundLocalError as error:
            results.append(type(error).__name__)
    return results
