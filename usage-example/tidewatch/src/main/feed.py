"""What the gauges say: a simulated feed that is the same every time, on every platform."""

from __future__ import annotations

import asyncio
import zlib
from abc import ABC, abstractmethod
from datetime import timedelta
from typing import TYPE_CHECKING

from tidegauge import Quality, Reading
from tidegauge.harmonics import curve

from tidewatch.errors import FeedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime
    from types import TracebackType
    from typing import Self

    from tidegauge import Station


class Feed(ABC):
    """Whoever can be asked for readings; use it with ``async with``."""

    kinds: dict[str, type[Feed]] = {}

    def __init_subclass__(cls, *, kind: str, **rest: object) -> None:
        super().__init_subclass__(**rest)
        Feed.kinds[kind] = cls

    def __init__(self, station: Station) -> None:
        self.station = station
        self.open = False

    async def __aenter__(self) -> Self:
        await asyncio.sleep(0)
        self.open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.open = False

    @abstractmethod
    def readings(self, start: datetime, count: int, every: timedelta) -> AsyncIterator[Reading]:
        """Yield readings in order of time."""


class Noise:
    """A small generator of our own: numbers between -1 and 1, the same on every platform."""

    def __init__(self, seed: str) -> None:
        self._state = zlib.crc32(seed.encode()) or 1

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> float:
        # xorshift32: shifts and a mask, in whole numbers of any size
        state = self._state
        state ^= (state << 13) & 0xFFFFFFFF
        state ^= state >> 17
        state ^= (state << 5) & 0xFFFFFFFF
        self._state = state
        return state / 0x7FFFFFFF - 1.0


class SimulatedFeed(Feed, kind="simulated"):
    """The tide, a swell on top, and a storm for those who have one."""

    storm = {"saltmouth": 0.9, "greywick": 0.45}

    async def readings(self, start: datetime, count: int, every: timedelta) -> AsyncIterator[Reading]:
        """Yield ``count`` readings, one of them missing now and then."""
        if not self.open:
            raise FeedError(self.station.key, "the feed is not open")
        noise = Noise(self.station.key)
        surge = self.storm.get(self.station.key, 0.0)
        for index, (at, level) in enumerate(curve(self.station, start, count, every)):
            await asyncio.sleep(0)
            swell = next(noise) * 0.06
            grown = surge * min(1.0, (index + 1) / max(1, count // 2))
            if index % 11 == 7:
                yield Reading(at, self.station.key, 0.0, quality=Quality.MISSING, notes=("no echo",))
            else:
                yield Reading(at, self.station.key, round(level + swell + grown, 3))


class SilentFeed(Feed, kind="silent"):
    """A gauge whose line is down."""

    async def readings(self, start: datetime, count: int, every: timedelta) -> AsyncIterator[Reading]:
        """Never answer."""
        await asyncio.sleep(3600)
        yield Reading(start, self.station.key, 0.0)


def feed(station: Station, kind: str = "simulated") -> Feed:
    """Return the feed of a station.

    Raises:
        FeedError: There is no such kind of feed.
    """
    try:
        return Feed.kinds[kind](station)
    except KeyError:
        raise FeedError(station.key, f"no feed of kind {kind!r}, only {', '.join(sorted(Feed.kinds))}") from None
