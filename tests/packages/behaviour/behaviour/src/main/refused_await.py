"""What Cython 3.3 refuses to compile: await in the default of a parameter. The build has to fall back by itself."""

from __future__ import annotations


import asyncio


async def eight():
    await asyncio.sleep(0)
    return 8


async def answer_await_in_default() -> object:
    return (lambda x=await eight(): x)()
