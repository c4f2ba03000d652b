"""What moves: closures, generators, coroutines, exceptions, context managers."""

import asyncio
import contextlib
import functools


class Trouble(Exception):
    def __init__(self, message, code=7):
        super().__init__(message)
        self.code = code


def counter(start=0, *, step=1):
    count = start

    def more(times=1):
        nonlocal count
        count += step * times
        return count

    return more


def answer_closures():
    first, second = counter(), counter(10, step=5)
    handlers = [lambda n=n, /, *more: (n, more) for n in range(3)]
    return [first(), first(2), second(), second(3), [one() for one in handlers], handlers[1](9, 8), functools.reduce(lambda a, b: a * b, range(1, 9))]


def pipe(values):
    total = 0
    try:
        for value in values:
            got = yield total
            total += value * (got or 1)
    except ValueError as error:
        yield f"caught {error}"
    finally:
        values.clear()
    return total


def outer(values):
    result = yield from pipe(values)
    yield ("result", result)


def answer_generators():
    values = [1, 2, 3]
    flow = outer(values)
    seen = [next(flow), flow.send(5), flow.send(None), flow.send(2)]
    thrown = pipe([1])
    next(thrown)
    seen.append(thrown.throw(ValueError("this")))
    return [seen, values, [a * b for a in range(3) for b in range(a)], {k: v for v, k in enumerate("abc")}, sum(x for x in range(5))]


async def slow(name, turns):
    for _ in range(turns):
        await asyncio.sleep(0)
    if turns > 3:
        raise Trouble(name, turns)
    return name, turns


async def numbers(upto):
    for number in range(upto):
        await asyncio.sleep(0)
        yield number


@contextlib.asynccontextmanager
async def held(log):
    log.append("in")
    try:
        yield log
    finally:
        log.append("out")


async def answer_coroutines():
    log = []
    async with held(log):
        log.append([n * n async for n in numbers(4) if n % 2])
    done = await asyncio.gather(slow("a", 1), slow("b", 5), slow("c", 0), return_exceptions=True)
    task = asyncio.ensure_future(asyncio.sleep(60))
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        log.append("cancelled")
    try:
        await asyncio.wait_for(asyncio.sleep(60), 0.001)
    except (asyncio.TimeoutError, TimeoutError):
        log.append("timed out")
    return [log, [str(one) for one in done]]


def chain(log):
    try:
        try:
            log.append("try")
            {}["missing"]
        except KeyError as error:
            raise Trouble("not there") from error
        else:
            log.append("never")
        finally:
            log.append("finally")
    except Trouble as trouble:
        return [str(trouble), trouble.code, repr(trouble.__cause__), trouble.__suppress_context__]


def answer_exceptions():
    log = []
    chained = chain(log)
    told = []
    for call in (lambda: 1 // int("0"), lambda: [][1], lambda: None.nothing, lambda: int("x"), lambda: undeclared, lambda: (_ for _ in ()).throw(Trouble("thrown"))):
        try:
            call()
        except Exception as error:
            told.append([type(error).__name__, str(error), error.__traceback__.tb_next is not None])
    with contextlib.suppress(Trouble), contextlib.ExitStack() as stack:
        stack.callback(log.append, "unwound")
        raise Trouble("suppressed")
    return [chained, log, told]


def answer_text_and_numbers():
    value = 1234.5678
    seven, three = -7, 3
    return [f"{value:>12,.2f}|{value!r}|{'x' * 3:^7}", 2**100, seven // 2, seven % three, divmod(seven, three), "%05d" % 42, round(2.5), "é".encode().hex()]
