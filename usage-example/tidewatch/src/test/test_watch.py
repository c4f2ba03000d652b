"""Collecting, judging, reporting."""

from __future__ import annotations

import asyncio
import inspect
import json
import subprocess
import sys
from datetime import datetime, timedelta, timezone

import pytest
from tidegauge import Archive, station

from tidewatch import alarms, cli
from tidewatch.alarms import State, judge
from tidewatch.collect import collect
from tidewatch.errors import FeedError, SettingsError
from tidewatch.feed import Feed, Noise, feed
from tidewatch.settings import Settings, load

START = datetime(2026, 5, 1, 6, tzinfo=timezone.utc)


def watched(*keys: str, timeout: float = 5.0, **kinds: str):
    return asyncio.run(collect([station(key) for key in keys], START, 6, 10, timeout=timeout, kinds=kinds))


def test_all_at_once() -> None:
    seen: list[str] = []
    watches = asyncio.run(
        collect([station("northhaven"), station("greywick")], START, 6, 10, timeout=5.0, progress=seen.append)
    )
    assert sorted(seen) == ["greywick", "northhaven"]
    assert [len(watch.series) for watch in watches] == [36, 36]
    assert sum(bool(reading.notes) for reading in watches[0].series) == 3


def test_judgement() -> None:
    states = [judge(watch).state for watch in watched("northhaven", "greywick", "saltmouth")]
    assert states == [State.QUIET, State.SURGE, State.FLOOD]


def test_a_gauge_that_does_not_answer() -> None:
    quiet, dead = watched("northhaven", "greywick", timeout=0.2, greywick="silent")
    assert judge(quiet).state is State.QUIET
    finding = judge(dead)
    assert finding.state is State.SILENT
    assert finding.text == "no answer within 0.2 s"


def test_a_feed_that_does_not_exist() -> None:
    with pytest.raises(FeedError, match="greywick: no feed of kind 'radio', only silent, simulated"):
        watched("northhaven", "greywick", greywick="radio")


def test_a_closed_feed() -> None:
    async def first() -> object:
        return await anext(feed(station("greywick")).readings(START, 1, timedelta(minutes=1)))

    with pytest.raises(FeedError, match="not open"):
        asyncio.run(first())


def test_feeds_are_abstract() -> None:
    assert inspect.isasyncgenfunction(Feed.kinds["simulated"].readings)
    with pytest.raises(TypeError, match="abstract"):
        Feed(station("greywick"))


def test_noise_is_the_same_everywhere() -> None:
    noise = Noise("greywick")
    assert [round(next(noise), 6) for _ in range(3)] == [round(value, 6) for _, value in zip(range(3), Noise("greywick"))]
    assert all(-1 <= value <= 1 for _, value in zip(range(1000), noise))


def test_rules_keep_their_signature() -> None:
    assert list(inspect.signature(alarms.surge).parameters) == ["above", "in_a_row"]
    assert alarms.surge.__doc__.startswith("Strike when several")
    assert alarms.surge(0.1).__name__ == "surge_rule"
    assert set(alarms.RULES) == {"silent", "flood", "surge"}


def test_settings(tmp_path) -> None:
    assert load(hours=3).hours == 3
    mine = tmp_path / "mine.toml"
    mine.write_text("hours = 0\nformat = 'pdf'\n")
    with pytest.raises(SettingsError, match="hours: must be more than 0, is 0; format: must be one of text, json, html"):
        load(mine)
    mine.write_text("hors = 1\n")
    with pytest.raises(SettingsError, match="unknown settings: hors"):
        load(mine)
    mine.write_text("hours = 'six'\n")
    with pytest.raises(SettingsError, match="hours: must be int"):
        load(mine)
    with pytest.raises(TypeError):
        Settings(3)


def test_program(capsys, tmp_path) -> None:
    assert cli.main(["--format", "json", "--archive", str(tmp_path), "saltmouth"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["findings"][0]["state"] == "flood"
    assert len(said["readings"]["saltmouth"]) == 36
    assert len(Archive(tmp_path).load("saltmouth")) == 36
    assert cli.main(["--format", "html"]) == 0
    assert "<td>Northhaven, Øster pier</td>" in capsys.readouterr().out
    assert cli.main(["atlantis"]) == 2
    assert "unknown station 'atlantis'" in capsys.readouterr().err


def test_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "tidewatch"], capture_output=True, encoding="utf-8", check=True)
    assert "Northhaven, Øster pier" in done.stdout
    assert "Move the boats." in done.stdout
