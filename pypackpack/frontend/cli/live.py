"""The live table: package by target by step, drawn by rich. Loaded only when work takes a while on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from rich.console import Console as RichConsole
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pypackpack.frontend.cli.board import sums

if TYPE_CHECKING:
    from rich.console import RenderableType

    from pypackpack.frontend.cli.board import Board, BoardRow, Cell

WIDE = 100  # columns from which every step has a column of its own
BAR = 16


class Screen:
    """Draws a board in place on a terminal."""

    def __init__(self, board: Board, stream: TextIO) -> None:
        self._board = board
        self._console = RichConsole(file=stream, highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)

    def start(self) -> None:
        """Begin to draw."""
        self._live.start()

    def refresh(self) -> None:
        """Draw the present state."""
        self._live.update(render(self._board, self._console), refresh=True)

    def note(self, text: str) -> None:
        """Write a line above the table."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def stop(self) -> None:
        """Take the table away and give the cursor back."""
        self._live.update(Text(""), refresh=True)
        self._live.stop()


def render(board: Board, console: RichConsole) -> RenderableType:
    """Return the board as a table that fits the console."""
    rows = board.rows()
    marks = _Marks(unicode=not console.options.ascii_only)
    space = max(console.height - 4, 3)
    shown, hidden = _most_wanted(rows, space)
    wide = console.width >= WIDE
    table = _wide(shown, board.steps(), marks) if wide else _narrow(shown, marks, console.width)
    done, total, cached = sums(rows)
    words = [board.clock(), f"{done}/{total} tasks"]
    if cached:
        words.append(f"{cached} from the cache")
    if hidden:
        words.append(f"{hidden} more {'row' if hidden == 1 else 'rows'}")
    table.caption = Text("  ".join(words), style="dim")
    table.caption_justify = "left"
    return table


class _Marks:
    """Characters that the console's encoding has."""

    def __init__(self, *, unicode: bool) -> None:
        self.done = "✓" if unicode else "ok"
        self.full = "━" if unicode else "#"
        self.rest = "─" if unicode else "-"

    def bar(self, cell: Cell, width: int) -> Text:
        filled = width * min(cell.done, cell.total) // cell.total if cell.total > 0 else 0
        text = Text(self.full * filled, style="green" if cell.finished else "cyan")
        return text.append(self.rest * (width - filled), style="dim")


def _most_wanted(rows: list[BoardRow], space: int) -> tuple[list[BoardRow], int]:
    """Choose the rows that fit: the unfinished first, in their old order."""
    if len(rows) <= space:
        return rows, 0
    wanted = {id(row) for row in sorted(rows, key=lambda row: row.finished)[:space]}
    return [row for row in rows if id(row) in wanted], len(rows) - space


def _count(cell: Cell) -> str:
    return f"{cell.done}/{cell.total}" if cell.total > 0 else str(cell.done or "")


def _narrow(rows: list[BoardRow], marks: _Marks, width: int) -> Table:
    """One line per row with the step that it is at."""
    several = len({row.package for row in rows if row.package}) > 1
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0), expand=False)
    label = max((len(row.label) + (len(row.package) + 1 if several else 0) for row in rows), default=0)
    bar = BAR if width - label > 46 else 8 if width - label > 36 else 0
    table.add_column(no_wrap=True, overflow="ellipsis", style="bold")
    table.add_column(no_wrap=True, overflow="ellipsis")
    if bar:
        table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(style="dim")  # may wrap: so it is the one that gives way; its texts do not wrap
    for row in rows:
        cell = row.current
        name = f"{row.package} {row.label}" if several and row.package else row.label
        step = f"{marks.done} {cell.step}" if row.finished else cell.step
        last = f"{cell.cached} cached" if cell.cached else "" if row.finished else cell.detail
        cells: list[RenderableType] = [
            Text(name),
            Text(step, style="green" if row.finished else ""),
            *([marks.bar(cell, bar)] if bar else []),
        ]
        table.add_row(*cells, _count(cell), _now(last))
    return table


def _now(text: str) -> Text:
    return Text(text, no_wrap=True, overflow="ellipsis")


def _wide(rows: list[BoardRow], steps: list[str], marks: _Marks) -> Table:
    """One line per row with a column for each step, and what it is doing."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", expand=False)
    table.add_column("package", no_wrap=True)
    table.add_column("target", no_wrap=True, style="bold")
    for step in steps:
        table.add_column(step, no_wrap=True, justify="right")
    table.add_column("", no_wrap=True)
    table.add_column("now", style="dim")  # may wrap: so it is the one that gives way; its texts do not wrap
    for row in rows:
        by_step = {cell.step: cell for cell in row.cells}
        counts = []
        for step in steps:
            cell = by_step.get(step)
            if cell is None:
                counts.append(Text(""))
            else:
                mark = f"{marks.done} " if cell.finished else ""
                cached = f" ({cell.cached} cached)" if cell.cached else ""
                counts.append(Text(f"{mark}{_count(cell)}{cached}", style="green" if cell.finished else ""))
        words = () if row.finished else ("" if row.package else row.current.step, row.current.detail)
        now = " ".join(word for word in words if word)
        table.add_row(row.package, row.label, *counts, marks.bar(row.current, BAR), _now(now))
    return table
