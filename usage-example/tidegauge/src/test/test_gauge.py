"""Readings, prediction, archive."""

from __future__ import annotations

import pickle
import sys
from datetime import datetime, timedelta, timezone

import pytest

from tidegauge import Archive, Quality, Reading, Series, UnknownStationError, next_extremes, places, predict, station, stations
from tidegauge.codec import CODECS, CodecError, best, decode, encode
from tidegauge.harmonics import curve
from tidegauge.series import running_mean
from tidegauge.units import Unit, metres, written

START = datetime(2026, 5, 1, tzinfo=timezone.utc)


def readings(*levels: float) -> list[Reading]:
    return [Reading(START + timedelta(minutes=10 * index), "greywick", level) for index, level in enumerate(levels)]


def test_lengths() -> None:
    assert metres("-12 cm") == pytest.approx(-0.12)
    assert metres("2 fathoms") == pytest.approx(3.6576)
    assert written(1.5, Unit.FOOT, sign=True) == "+4.92"
    with pytest.raises(ValueError, match="furlong"):
        metres("1 furlong")
    with pytest.raises(ValueError, match="not a length"):
        metres("high")


def test_a_reading_wants_a_time_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Reading(datetime(2026, 5, 1), "greywick", 1.0)  # noqa: DTZ001 - that is the point


def test_readings_survive() -> None:
    reading = Reading(START, "greywick", 1.234, notes=("ice",)).estimated(1.3, "guessed")
    assert reading.quality is Quality.ESTIMATED
    assert Reading.unpacked(reading.packed()) == reading
    assert pickle.loads(pickle.dumps(reading)) == reading
    with pytest.raises(ValueError, match="not a reading"):
        Reading.unpacked({"at": "noon"})


def test_series_stays_in_order() -> None:
    first, second, third = readings(1.0, 3.0, 2.0)
    series = Series([third, first])
    series.add(second)
    series.add((first,))
    assert [reading.level for reading in series] == [1.0, 3.0, 2.0]
    assert series.highest() is second
    assert repr(series[:0]) == "<empty Series>"
    with pytest.raises(TypeError, match="cannot add int"):
        series.add(3)


def test_smoothing_and_gaps() -> None:
    series = Series(readings(1.0, 1.1, 9.0, 1.2, 1.3))
    assert [level for _, level in series.smoothed(3)][2:] == [1.1, 1.2, 1.3]
    missing = Series([*readings(1.0), Reading(START + timedelta(hours=3), "greywick", 1.0)])
    assert list(missing.gaps(timedelta(hours=1))) == [(START, START + timedelta(hours=3))]


def test_running_mean() -> None:
    mean = running_mean()
    next(mean)
    assert [mean.send(level) for level in (1.0, 2.0, 3.0)] == [1.0, 1.5, 2.0]
    assert mean.throw(ArithmeticError) is None
    assert mean.send(4.0) == 4.0
    mean.close()


def test_prediction() -> None:
    there = station("Northhaven")
    levels = [level for _, level in curve(there, START, 300, timedelta(minutes=6))]
    assert levels[50] == pytest.approx(predict(there, START + timedelta(minutes=300)))
    assert all(abs(level - there.mean) <= there.range / 2 for level in levels)
    extremes = next_extremes(there, START)
    assert [extreme.kind for extreme in extremes] in (["high", "low"] * 2, ["low", "high"] * 2)
    assert extremes[2].at - extremes[0].at > timedelta(hours=11)


def test_stations() -> None:
    assert "Øster" in stations()["northhaven"].name
    with pytest.raises(UnknownStationError, match="there are: northhaven"):
        station("atlantis")


@pytest.mark.parametrize("codec", CODECS.values(), ids=lambda codec: codec.name)
def test_archive(tmp_path, codec) -> None:
    archive = Archive(tmp_path / "tides", codec)
    series = Series(readings(1.0, 2.0))
    assert list(archive.load("greywick")) == []
    assert archive.save("greywick", series) > 0
    assert archive.stations() == ["greywick"]
    assert list(archive.load("greywick")) == list(series)


def test_damaged_archive() -> None:
    assert decode(encode({"a": [1, 2]})) == {"a": [1, 2]}
    assert best().name == "msgpack"
    with pytest.raises(CodecError, match="unknown format"):
        decode(b"?")
    with pytest.raises(CodecError, match="damaged archive"):
        decode(b"J{")


def test_places() -> None:
    if sys.platform == "win32":
        assert places.SYSTEM == "windows"
        assert places.archive_folder({"LOCALAPPDATA": "D:\\x"}).name == "Tidewatch"
    else:
        assert places.SYSTEM == "unix"
        assert places.archive_folder({"XDG_DATA_HOME": "/x"}).as_posix() == "/x/tidewatch"
