"""The command line."""

from __future__ import annotations

import argparse
import asyncio
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from tidegauge import Archive, UnknownStationError, station

from tidewatch import __version__
from tidewatch.alarms import judge
from tidewatch.collect import collect
from tidewatch.errors import TidewatchError
from tidewatch.report import FORMATS
from tidewatch.settings import Settings, load

if TYPE_CHECKING:
    from collections.abc import Sequence

START = "2026-05-01T06:00+00:00"


def parser() -> argparse.ArgumentParser:
    """Return what understands our words."""
    result = argparse.ArgumentParser(prog="tidewatch", description="Watches the water at several harbours.")
    result.add_argument("stations", nargs="*", help="keys of stations; default: all of the settings")
    result.add_argument("--hours", type=int, help="how long to watch")
    result.add_argument("--format", choices=Settings.allowed)
    result.add_argument("--start", type=datetime.fromisoformat, default=datetime.fromisoformat(START))
    result.add_argument("--settings", type=Path, help="a TOML file with settings of your own")
    result.add_argument("--archive", type=Path, help="folder to keep the readings in")
    result.add_argument("--version", action="version", version=f"tidewatch {__version__}")
    return result


async def run(settings: Settings, start: datetime, archive: Archive | None = None) -> str:
    """Watch, judge and return the report."""
    watches = await collect(
        [station(key) for key in settings.stations],
        start,
        settings.hours,
        settings.every_minutes,
        timeout=settings.timeout_seconds,
    )
    if archive is not None:
        for watch in watches:
            archive.save(watch.station.key, watch.series)
    findings = [judge(watch, surge_metres=settings.surge_metres) for watch in watches]
    return FORMATS[settings.format](watches, findings, start + timedelta(hours=settings.hours))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    words = parser().parse_args(arguments)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8")
    try:
        settings = load(words.settings, stations=words.stations or None, hours=words.hours, format=words.format)
        archive = Archive(words.archive) if words.archive else None
        start = words.start if words.start.tzinfo else words.start.replace(tzinfo=timezone.utc)
        sys.stdout.write(asyncio.run(run(settings, start, archive)))
    except TidewatchError as error:
        print(f"tidewatch: {error}", file=sys.stderr)
        return error.exit_code
    except UnknownStationError as error:
        print(f"tidewatch: {error}", file=sys.stderr)
        return 2
    return 0
