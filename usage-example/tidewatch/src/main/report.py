"""What a person or a program gets to see."""

from __future__ import annotations

import html
import json
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from tabulate import tabulate
from tidegauge import next_extremes
from tidegauge.units import written

from tidewatch.alarms import Finding, State

if TYPE_CHECKING:
    from datetime import datetime

    from tidewatch.collect import Watch

HEADERS = ("station", "readings", "highest m", "next", "state", "")


def rows(watches: list[Watch], findings: list[Finding], at: datetime) -> list[tuple[str, ...]]:
    """Return one row per station."""
    result = []
    for watch, finding in zip(watches, findings, strict=True):
        coming = next_extremes(watch.station, at, 1)[0]
        highest = written(watch.series.highest().level) if watch.series.levels() else "-"
        result.append(
            (
                watch.station.name,
                str(len(watch.series)),
                highest,
                f"{coming.kind} {coming.at:%H:%M}",
                finding.state.name.lower(),
                finding.text,
            )
        )
    return result


def as_text(watches: list[Watch], findings: list[Finding], at: datetime) -> str:
    """Return a table and what to do."""
    worst = max((finding.state for finding in findings), key=lambda state: state.value, default=State.QUIET)
    table = tabulate(rows(watches, findings, at), headers=HEADERS, tablefmt="simple", disable_numparse=True)
    return f"{table}\n\n{worst.advice}\n"


def as_html(watches: list[Watch], findings: list[Finding], at: datetime) -> str:
    """Return a table for the harbour office."""
    cells = "\n".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows(watches, findings, at)
    )
    head = "".join(f"<th>{html.escape(name)}</th>" for name in HEADERS)
    return f"<!doctype html>\n<title>Water at {at:%Y-%m-%d %H:%M}</title>\n<table>\n<tr>{head}</tr>\n{cells}\n</table>\n"


@singledispatch
def plain(value: object) -> Any:
    """Turn our values into those of JSON."""
    msg = f"{type(value).__name__} has no JSON form"
    raise TypeError(msg)


@plain.register
def _(value: Finding) -> dict[str, Any]:
    return {"station": value.station, "state": plain(value.state), "text": value.text}


@plain.register
def _(value: State) -> str:
    return value.name.lower()


def as_json(watches: list[Watch], findings: list[Finding], at: datetime) -> str:
    """Return everything, for programs."""
    value = {
        "at": at.isoformat(),
        "findings": findings,
        "readings": {watch.station.key: [reading.packed() for reading in watch.series] for watch in watches},
    }
    return json.dumps(value, indent=2, ensure_ascii=False, default=plain) + "\n"


FORMATS = {"text": as_text, "json": as_json, "html": as_html}
