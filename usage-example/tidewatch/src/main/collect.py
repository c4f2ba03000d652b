"""Asks all gauges at the same time."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from tidegauge import Series, predict

from tidewatch.errors import FeedError
from tidewatch.feed import feed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from tidegauge import Reading, Station

    from tidewatch.feed import Feed

_log = logging.getLogger(__name__)


@dataclass
class Watch:
    """What came from one station."""

    station: Station
    series: Series = field(default_factory=Series)
    problem: FeedError | None = None

    def surges(self) -> list[tuple[Reading, float]]:
        """Return each usable reading with what it has over the tide alone, in metres."""
        return [(reading, reading.level - predict(self.station, reading.at)) for reading in self.series if reading.usable]


async def watch(source: Feed, start: datetime, count: int, every: timedelta, progress: Callable[[str], None]) -> Watch:
    """Take in everything one gauge says; missing readings are filled from the tide."""
    result = Watch(source.station)
    async with source as opened:
        async for reading in opened.readings(start, count, every):
            result.series.add(reading)
    result.series = result.series.filled(lambda reading: predict(result.station, reading.at))
    progress(result.station.key)
    return result


async def collect(
    stations: Iterable[Station],
    start: datetime,
    hours: int,
    every_minutes: int,
    *,
    timeout: float,
    kinds: dict[str, str] | None = None,
    progress: Callable[[str], None] = lambda key: None,
) -> list[Watch]:
    """Ask every station at the same time; one that does not answer in time has a problem instead of readings."""
    every = timedelta(minutes=every_minutes)
    count = hours * 60 // every_minutes

    async def one(station: Station) -> Watch:
        try:
            async with asyncio.timeout(timeout):
                return await watch(feed(station, (kinds or {}).get(station.key, "simulated")), start, count, every, progress)
        except TimeoutError:
            _log.warning("%s did not answer within %g s", station.key, timeout)
            return Watch(station, problem=FeedError(station.key, f"no answer within {timeout:g} s"))

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(station), name=station.key) for station in stations]
    except ExceptionGroup as several:
        feeds, others = several.split(FeedError)
        if feeds is None or others is not None:
            raise
        raise feeds.exceptions[0] from None
    return [task.result() for task in tasks]
