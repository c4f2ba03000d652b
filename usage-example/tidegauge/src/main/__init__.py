"""Water levels: readings, the tide to expect, and an archive of both."""

from __future__ import annotations

from tidegauge.archive import Archive
from tidegauge.catalogue import Station, UnknownStationError, station, stations
from tidegauge.harmonics import next_extremes, predict
from tidegauge.reading import Quality, Reading
from tidegauge.series import Series

__all__ = [
    "Archive",
    "Quality",
    "Reading",
    "Series",
    "Station",
    "UnknownStationError",
    "next_extremes",
    "predict",
    "station",
    "stations",
]
__version__ = "1.2.0"
