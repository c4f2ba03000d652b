"""The tide to expect: a sum of waves, each with the speed of one motion of moon or sun.

The arithmetic is the reason why this package is worth compiling.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidegauge.catalogue import Station

EPOCH = datetime(2020, 1, 1, tzinfo=timezone.utc)
# Degrees per hour.
SPEEDS = {"M2": 28.9841042, "S2": 30.0, "N2": 28.4397295, "K1": 15.0410686, "O1": 13.9430356}


class Extreme(NamedTuple):
    """High or low water."""

    at: datetime
    level: float
    kind: Literal["high", "low"]


def _hours(at: datetime) -> float:
    return (at - EPOCH).total_seconds() / 3600.0


def _waves(station: Station) -> list[tuple[float, float, float]]:
    """Return amplitude, radians per hour and phase in radians of each wave."""
    return [(wave.amplitude, math.radians(SPEEDS[wave.name]), math.radians(wave.phase)) for wave in station.constituents]


def predict(station: Station, at: datetime) -> float:
    """Return the level in metres above chart datum that the tide alone would give."""
    hours = _hours(at)
    return station.mean + math.fsum(amplitude * math.cos(speed * hours - phase) for amplitude, speed, phase in _waves(station))


def curve(station: Station, start: datetime, count: int, step: timedelta) -> Iterator[tuple[datetime, float]]:
    """Yield the predicted level at each of ``count`` moments."""
    waves = _waves(station)
    hours, width = _hours(start), step.total_seconds() / 3600.0
    for index in range(count):
        level = station.mean
        moment = hours + index * width
        for amplitude, speed, phase in waves:
            level += amplitude * math.cos(speed * moment - phase)
        yield start + index * step, level


def next_extremes(station: Station, start: datetime, count: int = 4) -> list[Extreme]:
    """Return the next high and low waters, to the minute."""
    found: list[Extreme] = []
    step = timedelta(minutes=6)
    before, here = predict(station, start - step), predict(station, start)
    at = start
    while len(found) < count:
        after = predict(station, at + step)
        if (here - before) * (after - here) < 0:
            found.append(_refined(station, at - step, at + step, "high" if here > before else "low"))
        before, here, at = here, after, at + step
    return found


def _refined(station: Station, low: datetime, high: datetime, kind: Literal["high", "low"]) -> Extreme:
    """Narrow an extreme down by golden section."""
    sign = 1.0 if kind == "high" else -1.0
    ratio = (math.sqrt(5.0) - 1.0) / 2.0
    while high - low > timedelta(seconds=30):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if sign * predict(station, left) > sign * predict(station, right):
            high = right
        else:
            low = left
    middle = low + (high - low) / 2
    rounded = (middle + timedelta(seconds=30)).replace(second=0, microsecond=0)
    return Extreme(rounded, round(predict(station, rounded), 3), kind)
