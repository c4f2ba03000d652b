"""Rules: what a watch means."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from functools import wraps
from importlib import resources
from typing import TYPE_CHECKING, ParamSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidewatch.collect import Watch

P = ParamSpec("P")


class State(Enum):
    """How it stands; later members are worse."""

    QUIET = auto()
    SURGE = auto()
    FLOOD = auto()
    SILENT = auto()

    def __lt__(self, other: State) -> bool:
        return self.value < other.value

    @property
    def advice(self) -> str:
        """What to do, from the data file (of which Windows has its own)."""
        return _advice()[self.name.lower()]


def _advice() -> dict[str, str]:
    text = resources.files("tidewatch").joinpath("data/advice.txt").read_text(encoding="utf-8")
    return dict(line.split(": ", 1) for line in text.splitlines() if line)


@dataclass(frozen=True)
class Finding:
    """What a rule says about a watch."""

    station: str
    state: State
    text: str


Rule = "Callable[[Watch], Finding | None]"
RULES: dict[str, Rule] = {}


def rule(name: str) -> Callable[[Callable[P, Callable[[Watch], str | None]]], Callable[P, Callable[[Watch], Finding | None]]]:
    """Make a rule of a function that gives back a test: text when it strikes, else None."""

    def decorate(make: Callable[P, Callable[[Watch], str | None]]) -> Callable[P, Callable[[Watch], Finding | None]]:
        @wraps(make)
        def made(*args: P.args, **kwargs: P.kwargs) -> Callable[[Watch], Finding | None]:
            test = make(*args, **kwargs)

            def judge(watch: Watch) -> Finding | None:
                text = test(watch)
                return None if text is None else Finding(watch.station.key, State[name.upper()], text)

            judge.__name__ = judge.__qualname__ = f"{name}_rule"
            return judge

        RULES[name] = made
        return made

    return decorate


@rule("silent")
def silent() -> Callable[[Watch], str | None]:
    """Strike when a station said nothing."""
    return lambda watch: str(watch.problem.why) if watch.problem else (None if watch.series.levels() else "no readings")


@rule("flood")
def flood() -> Callable[[Watch], str | None]:
    """Strike when the water was over the station's mark."""

    def test(watch: Watch) -> str | None:
        if not watch.series.levels() or (top := watch.series.highest()).level <= watch.station.warn_above:
            return None
        return f"{top.level:.2f} m at {top.at:%H:%M}, mark is {watch.station.warn_above:.2f} m"

    return test


@rule("surge")
def surge(above: float = 0.35, *, in_a_row: int = 3) -> Callable[[Watch], str | None]:
    """Strike when several readings in a row were over the tide by more than ``above`` metres."""

    def test(watch: Watch) -> str | None:
        row = 0
        worst = 0.0
        struck = False

        def take(height: float) -> None:
            nonlocal row, worst, struck
            row = row + 1 if height > above else 0
            worst = max(worst, height)
            struck = struck or row >= in_a_row

        for _, height in watch.surges():
            take(height)
        return f"up to {worst:+.2f} m over the tide" if struck else None

    return test


def judge(watch: Watch, *, surge_metres: float = 0.35) -> Finding:
    """Return the worst finding of all rules."""
    tests = [silent(), flood(), surge(surge_metres)]
    findings = [finding for test in tests if (finding := test(watch)) is not None]
    return max(findings, key=lambda finding: finding.state.value, default=Finding(watch.station.key, State.QUIET, ""))
