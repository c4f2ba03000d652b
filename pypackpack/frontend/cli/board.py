"""The state of long work, as events tell it: package by target by step. Knows nothing of terminals."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pypackpack.model.build import Step


@dataclass(frozen=True)
class Cell:
    """How far one step of one row is."""

    step: str
    done: int
    total: int
    cached: int
    detail: str

    @property
    def finished(self) -> bool:
        """Whether nothing of it is left to do."""
        return self.total > 0 and self.done >= self.total


@dataclass(frozen=True)
class BoardRow:
    """One row: a package on a target, or work that all targets share.

    Attributes:
        package: Empty for preparations.
        target: Empty for work that all targets share.
        cells: Its steps in the order in which they began.
        current: The step to look at now: the unfinished one that moved last, else the last.
    """

    package: str
    target: str
    cells: tuple[Cell, ...]
    current: Cell

    @property
    def label(self) -> str:
        """What the row is called."""
        return self.target or ("all targets" if self.package else "preparation")

    @property
    def finished(self) -> bool:
        """Whether all of its steps are."""
        return all(cell.finished for cell in self.cells)


def sums(rows: Iterable[BoardRow]) -> tuple[int, int, int]:
    """Return of all rows the tasks that are done, all as far as known, and how many came from the store."""
    cells = [cell for row in rows for cell in row.cells]
    done, cached = sum(cell.done for cell in cells), sum(cell.cached for cell in cells)
    return done, sum(max(cell.total, cell.done) for cell in cells), cached


class Board:
    """Takes events from any thread and hands out snapshots."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cells: dict[tuple[str, str], dict[str, Cell]] = {}
        self._last: dict[tuple[str, str], str] = {}
        self.began = time.monotonic()

    def record(self, event: Step) -> bool:
        """Take note of an event; return whether a step began or ended with it (what a plain log shows)."""
        key = (event.package, event.target)
        fresh = Cell(event.step, event.done, event.total, event.cached, event.detail)
        with self._lock:
            cells = self._cells.setdefault(key, {})
            before = cells.get(event.step)
            if before is not None and before.total == fresh.total and before.done > fresh.done:
                return False  # two threads told at the same time, and the later word came first
            cells[event.step] = fresh
            self._last[key] = event.step
        return before is None or (fresh.finished and not before.finished)

    def rows(self) -> list[BoardRow]:
        """Return every row in the order in which they began."""
        with self._lock:
            found = []
            for key, cells in self._cells.items():
                last = cells[self._last[key]]
                current = last
                if last.finished:
                    current = next((cell for cell in reversed(cells.values()) if not cell.finished), last)
                found.append(BoardRow(*key, tuple(cells.values()), current))
            return found

    def clock(self) -> str:
        """Return how long it has been, as minutes and seconds."""
        whole = int(time.monotonic() - self.began)
        return f"{whole // 60}:{whole % 60:02d}"

    def steps(self) -> list[str]:
        """Return the names of all steps that rows with a package have, in the order in which they began."""
        return list(dict.fromkeys(cell.step for row in self.rows() if row.package for cell in row.cells))
