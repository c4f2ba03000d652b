"""Readings in order of time, and what can be asked of them."""

from __future__ import annotations

import statistics
from bisect import bisect_left, insort
from collections import deque
from functools import singledispatchmethod
from typing import TYPE_CHECKING, overload

from tidegauge.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from datetime import datetime, timedelta


class Series:
    """Readings of one station, always in order of time; a second one for the same moment replaces the first."""

    def __init__(self, readings: Iterable[Reading] = ()) -> None:
        self._readings: list[Reading] = []
        for reading in readings:
            self.add(reading)

    def __len__(self) -> int:
        return len(self._readings)

    def __iter__(self) -> Iterator[Reading]:
        return iter(self._readings)

    @overload
    def __getitem__(self, index: int) -> Reading: ...
    @overload
    def __getitem__(self, index: slice) -> Series: ...
    def __getitem__(self, index: int | slice) -> Reading | Series:
        if isinstance(index, slice):
            return type(self)(self._readings[index])
        return self._readings[index]

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"<{name} of {len(self)} readings>" if self._readings else f"<empty {name}>"

    @singledispatchmethod
    def add(self, what: object) -> None:
        """Put in a reading, or every reading of a series."""
        msg = f"cannot add {type(what).__name__} to a series"
        raise TypeError(msg)

    @add.register
    def _(self, what: Reading) -> None:
        place = bisect_left(self._readings, what.at, key=lambda reading: reading.at)
        if place < len(self._readings) and self._readings[place].at == what.at:
            self._readings[place] = what
        else:
            insort(self._readings, what, key=lambda reading: reading.at)

    @add.register(list)
    @add.register(tuple)
    def _(self, what: Iterable[Reading]) -> None:
        for reading in what:
            self.add(reading)

    def between(self, start: datetime, end: datetime) -> Series:
        """Return the readings from ``start`` up to, and without, ``end``."""
        return type(self)(reading for reading in self._readings if start <= reading.at < end)

    def levels(self) -> list[float]:
        """Return the levels of what is usable."""
        return [reading.level for reading in self._readings if reading.usable]

    def highest(self) -> Reading:
        """Return the highest reading; the first, where several are equal."""
        return max((reading for reading in self._readings if reading.usable), key=lambda reading: reading.level)

    def smoothed(self, width: int = 5) -> Iterator[tuple[datetime, float]]:
        """Yield the running median over ``width`` readings, which single spikes do not move."""
        window: deque[float] = deque(maxlen=width)
        for reading in self._readings:
            if reading.usable:
                window.append(reading.level)
                yield reading.at, statistics.median(window)

    def gaps(self, longest: timedelta) -> Iterator[tuple[datetime, datetime]]:
        """Yield the times between which nothing usable came for longer than ``longest``."""
        last: datetime | None = None
        for reading in self._readings:
            if not reading.usable:
                continue
            if last is not None and reading.at - last > longest:
                yield last, reading.at
            last = reading.at

    def filled(self, guess: Callable[[Reading], float]) -> Series:
        """Return it with missing readings replaced by a guess."""
        return type(self)(
            reading if reading.usable else reading.estimated(guess(reading), "filled") for reading in self._readings
        )


def running_mean() -> Generator[float | None, float, None]:
    """Take in levels one after the other and give back the mean so far; an ArithmeticError thrown in starts anew."""
    total, count = 0.0, 0
    mean: float | None = None
    while True:
        try:
            level = yield mean
        except ArithmeticError:
            total, count, mean = 0.0, 0, None
            continue
        total, count = total + level, count + 1
        mean = total / count
