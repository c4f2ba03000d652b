"""The page about a run: one HTML file that loads nothing, made from reports. Pure but for reading its own template.

Names of packages, modules and files are foreign text. They are in the page as JSON inside a ``script`` element that is no script,
with the characters escaped that could end it, and the script makes text nodes of them and nothing else. A content security
policy lets no other script run and nothing be fetched.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pypackpack
from pypackpack.middleware.graph.explain import chain, reason_text
from pypackpack.middleware.graph.profile import SOURCES, WORKED, profile
from pypackpack.model.secrets import masked
from pypackpack.model.steps import STEPS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pypackpack.model.journal import TaskReport

COLUMNS = ("name", "step", "target", "source", "start", "end", "worker", "reason", "asked", "unstable")
"""Of the row that each task is in the page's data; the script takes them by these places."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
OUTPUT_SHOWN = 8_000
OUTPUTS_SHOWN = 4_000_000
"""So many characters of what one task's tools said are in the page, and of all: a browser has to read it whole."""


@dataclass(frozen=True)
class Run:
    """What the reports do not tell of a run.

    Attributes:
        command: What was called.
        seconds: How long it took.
        cpu: Processor seconds of it all; None where the system does not tell.
        error: What it failed with, if it did.
        delivered: What is built of it all, such as ``the wheel``.
    """

    command: str
    seconds: float
    cpu: float | None = None
    error: str = ""
    delivered: str = ""


def profile_page(reports: Sequence[TaskReport], run: Run) -> str:
    """Return the page as HTML.

    Args:
        reports: What became of each task; each name once.
        run: What else is to be said.
    """
    folder = Path(pypackpack.__file__).parent / "data" / "profile"
    parts = {name: (folder / f"profile.{name}").read_text(encoding="utf-8") for name in ("html", "css", "js")}
    digest = base64.b64encode(hashlib.sha256(parts["js"].encode()).digest()).decode()
    words = {
        "policy": f"{POLICY}; script-src 'sha256-{digest}'",
        "title": html.escape(masked(run.command)),
        "style": parts["css"],
        "data": embedded(page_data(reports, run)),
        "script": parts["js"],
    }
    pieces = parts["html"].split("{{")
    return pieces[0] + "".join(words[name] + rest for name, _, rest in (piece.partition("}}") for piece in pieces[1:]))


def embedded(value: object) -> str:
    """Return JSON that may stand inside a ``script`` element: nothing in it can end that or begin a comment."""
    text = json.dumps(value, separators=(",", ":"))  # only ASCII: nothing depends on the page's encoding
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def page_data(reports: Sequence[TaskReport], run: Run) -> dict[str, object]:
    """Return what the page's script draws."""
    found = profile(reports, run.seconds)
    ordered = sorted(reports, key=lambda report: (report.start, report.end, report.name))
    places = {report.name: place for place, report in enumerate(ordered)}
    steps = [step.step for step in found.steps]
    strings = _Strings()
    by_name = {report.name: report for report in reports}
    rows = []
    for report in ordered:
        reason = "\n".join(reason_text(report.reason)) if report.reason else ""
        rows.append(
            [
                strings.place(report.name),
                steps.index(report.step),
                strings.place(report.target),
                SOURCES.index(report.source),
                round(report.start, 4),
                round(report.end, 4),
                report.worker,
                strings.place(reason) if reason else -1,
                strings.place(", for ".join(chain(report, by_name, run.delivered))) if report.reason else -1,
                int(report.unstable),
            ]
        )
    return {
        "command": masked(run.command),
        "about": f"pypackpack {pypackpack.__version__}",
        "error": masked(run.error),
        "wall": round(found.wall, 4),
        "cpu": None if run.cpu is None else round(run.cpu, 4),
        "busy": round(found.busy, 4),
        "longest": round(found.longest, 4),
        "workers": found.workers,
        "counts": found.counts,
        "sources": SOURCES,
        "worked": sorted(WORKED),
        "steps": [
            {
                "step": step.step,
                "summary": STEPS[step.step].summary if step.step in STEPS else "",
                "counts": step.counts,
                "seconds": round(step.seconds, 4),
            }
            for step in found.steps
        ],
        "path": [[places[link.name], link.how, round(link.waited, 4)] for link in found.path],
        "columns": COLUMNS,
        "strings": strings.texts,
        "tasks": rows,
        "outputs": _texts(ordered, [report.output for report in ordered]),
        "errors": _texts(ordered, [report.error for report in ordered]),
    }


class _Strings:
    """Texts that are in the page once, however many tasks have them."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._places: dict[str, int] = {}

    def place(self, text: str) -> int:
        """Return where a text stands, and put it there if it is new."""
        if text not in self._places:
            self._places[text] = len(self.texts)
            self.texts.append(masked(text))
        return self._places[text]


def _texts(reports: Sequence[TaskReport], texts: Sequence[str]) -> dict[str, str]:
    """Return the texts of tasks by their place, cut where they are long; those of failed tasks come first."""
    order = sorted(range(len(reports)), key=lambda place: reports[place].source != "failed")
    room = OUTPUTS_SHOWN
    found: dict[str, str] = {}
    for place in order:
        text = masked(texts[place])
        if not text.strip():
            continue
        if len(text) > OUTPUT_SHOWN:
            half = OUTPUT_SHOWN // 2
            text = f"{text[:half]}\n… {len(text) - OUTPUT_SHOWN} characters are left out; `--json` has them …\n{text[-half:]}"
        if len(text) > room:
            text = "left out, since the page would become too large; `--json` has it"
        room -= len(text)
        found[str(place)] = text
    return found
