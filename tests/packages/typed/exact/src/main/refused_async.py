"""What mypyc has not got."""

from collections.abc import AsyncIterator


async def ticks(upto: int) -> AsyncIterator[int]:
    for n in range(upto):
        yield n


async def answer_ticks() -> object:
    return [n async for n in ticks(3)]
