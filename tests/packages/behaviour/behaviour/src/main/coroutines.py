"""async: functions, generators, contexts, tasks."""

from __future__ import annotations

import asyncio
import collections.abc
import contextlib
import inspect
import types


async def add(a: int, b: int) -> int:
    await asyncio.sleep(0)
    return a + b


async def numbers(n: int):
    for index in range(n):
        await asyncio.sleep(0)
        yield index


class Session:
    def __init__(self) -> None:
        self.log: list[str] = []

    async def __aenter__(self) -> Session:
        self.log.append("enter")
        return self

    async def __aexit__(self, kind, error, trace) -> bool:
        self.log.append(f"exit {kind.__name__ if kind else None}")
        return kind is KeyError

    def __aiter__(self) -> Session:
        self.left = 3
        return self

    async def __anext__(self) -> int:
        if not self.left:
            raise StopAsyncIteration
        self.left -= 1
        await asyncio.sleep(0)
        return self.left

    async def method(self) -> str:
        return "method"

    @classmethod
    async def class_method(cls) -> str:
        return cls.__name__

    @staticmethod
    async def static_method() -> str:
        return "static"


class Custom:
    def __await__(self):
        got = yield from asyncio.sleep(0, "slept").__await__()
        return got


def answer_kinds() -> object:
    functions = (add, numbers, Session.method, Session().method, Session.class_method, Session.static_method, answer_kinds)
    return [[inspect.iscoroutinefunction(each), inspect.isasyncgenfunction(each), inspect.isgeneratorfunction(each)] for each in functions]


def answer_asyncio_kinds() -> object:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return [asyncio.iscoroutinefunction(each) for each in (add, numbers, Session.method, answer_kinds)]


def answer_objects() -> object:
    coroutine, generator = add(1, 2), numbers(1)
    try:
        return [
            coroutine.cr_running,
            asyncio.iscoroutine(coroutine),
            inspect.isawaitable(coroutine),
            isinstance(coroutine, collections.abc.Coroutine),
            isinstance(generator, collections.abc.AsyncGenerator),
            isinstance(generator, collections.abc.AsyncIterator),
            inspect.isawaitable(Custom()),
        ]
    finally:
        coroutine.close()


def answer_exact_objects() -> object:
    coroutine, generator = add(1, 2), numbers(1)
    try:
        return [inspect.iscoroutine(coroutine), inspect.isasyncgen(generator), isinstance(coroutine, types.CoroutineType)]
    finally:
        coroutine.close()


def answer_names() -> object:
    coroutine, generator = add(1, 2), numbers(1)
    try:
        return [coroutine.__name__, coroutine.__qualname__, generator.__name__, generator.__qualname__]
    finally:
        coroutine.close()


def answer_state_names() -> object:
    coroutine = add(1, 2)
    try:
        return inspect.getcoroutinestate(coroutine)
    finally:
        coroutine.close()


async def answer_comprehensions() -> object:
    squares = [x * x async for x in numbers(4)]
    table = {x: await add(x, 1) async for x in numbers(3) if x}
    kept = {x async for x in numbers(3)}
    lazily = (x async for x in numbers(3))
    nested = [[y async for y in numbers(x)] async for x in numbers(3)]
    return [squares, table, sorted(kept), [x async for x in lazily], nested]


async def answer_async_for_else() -> object:
    seen = []
    async for x in Session():
        seen.append(x)
        if x == 1:
            break
    else:
        seen.append("else")
    async for x in numbers(2):
        seen.append(x)
    else:
        seen.append("else")
    return seen


async def answer_async_with() -> object:
    session = Session()
    async with session as same:
        pass
    async with session:
        raise KeyError
    try:
        async with session:
            raise ValueError("out")
    except ValueError as error:
        session.log.append(str(error))
    return [same is session, session.log]


async def answer_context_manager() -> object:
    log = []

    @contextlib.asynccontextmanager
    async def opened(name):
        log.append(f"open {name}")
        try:
            yield name.upper()
        except LookupError as error:
            log.append(f"caught {error!r}")
        finally:
            log.append(f"close {name}")

    async with opened("a") as a, opened("b") as b:
        log.append(a + b)
        raise KeyError("k")
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(opened("c"))
    return log


async def answer_generator_protocol() -> object:
    log = []

    async def echo():
        received = "first"
        try:
            while True:
                try:
                    received = yield received
                except ValueError as error:
                    received = f"caught {error}"
        finally:
            await asyncio.sleep(0)
            log.append("closed")

    generator = echo()
    log.append(await generator.asend(None))
    log.append(await generator.asend("sent"))
    log.append(await generator.athrow(ValueError("thrown")))
    await generator.aclose()
    log.append(await anext(generator, "default"))
    return log


async def answer_generator_ends() -> object:
    generator = numbers(1)
    first = await anext(generator)
    try:
        await anext(generator)
    except StopAsyncIteration as error:
        return [first, repr(error.args)]
    return "did not end"


async def answer_gather() -> object:
    async def fail():
        await asyncio.sleep(0)
        raise RuntimeError("no")

    return [repr(each) for each in await asyncio.gather(add(1, 2), fail(), add(3, 4), return_exceptions=True)]


async def answer_task_group() -> object:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(add(index, 1), name=f"t{index}") for index in range(3)]
    return [[task.result(), task.get_name()] for task in tasks]



async def answer_cancel() -> object:
    log = []

    async def long():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            log.append("cancelled")
            raise
        finally:
            log.append("finally")

    task = asyncio.create_task(long())
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        log.append("seen")
    return [log, task.cancelled()]


async def answer_timeout() -> object:
    try:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(60)
    except TimeoutError:
        return "timeout"
    return "none"


async def answer_custom_awaitable() -> object:
    return await Custom()


async def answer_queue() -> object:
    queue: asyncio.Queue[int | None] = asyncio.Queue(2)
    out = []

    async def produce():
        for index in range(5):
            await queue.put(index)
        await queue.put(None)

    async def consume():
        while (item := await queue.get()) is not None:
            out.append(item)

    await asyncio.gather(produce(), consume())
    return out


async def answer_await_in_places() -> object:
    async def value(x):
        return x

    a = [await value(1), (await value(2)) + 1, f"{await value(3)!r:>3}", {await value("k"): await value(4)}]
    b = (await value(5)) if await value(True) else await value(6)
    c = await value(0) or await value(7)
    return [a, b, c, [await value(i) for i in range(3)]]


def answer_old_style() -> object:
    @types.coroutine
    def old():
        got = yield "asked"
        return got

    async def new():
        return await old()

    coroutine = new()
    first = coroutine.send(None)
    try:
        coroutine.send("answered")
    except StopIteration as stop:
        return [first, stop.value]
    return "did not stop"


def answer_never_awaited_twice() -> object:
    coroutine = add(1, 2)
    asyncio.run(_drain(coroutine))
    try:
        coroutine.send(None)
    except RuntimeError as error:
        return str(error)
    return "no error"


async def _drain(coroutine):
    return await coroutine


def answer_context_variables() -> object:
    import contextvars

    variable = contextvars.ContextVar("variable", default="none")

    async def inner(value):
        variable.set(value)
        await asyncio.sleep(0)
        return variable.get()

    async def outer():
        return [*await asyncio.gather(inner("a"), inner("b")), variable.get()]

    return asyncio.run(outer())
