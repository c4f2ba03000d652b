"""The state of long work, and the live table that shows it."""

from __future__ import annotations

import io
from functools import partial

import pytest
from rich.console import Console as RichConsole

from pypackpack.frontend.cli import live
from pypackpack.frontend.cli.board import Board
from pypackpack.model.build import Step
from tests.together import at_once


def board_of(*events: Step) -> Board:
    board = Board()
    for event in events:
        board.record(event)
    return board


def shown(board: Board, width: int, height: int = 40, encoding: str = "utf-8") -> list[str]:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")
    console = RichConsole(file=stream, width=width, height=height, force_terminal=True, color_system=None, legacy_windows=False)
    console.print(live.render(board, console))
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return [line.rstrip() for line in buffer.getvalue().decode(encoding).splitlines()]


WORK = (
    Step("", "", "fetch zig", 10, 10),
    Step("billing", "", "transcompile", 7, 12, 2, "billing.core"),
    Step("billing", "linux_x86_64", "compile", 3, 12, 1, "core.c"),
    Step("billing", "windows_amd64", "compile", 12, 12),
    Step("billing", "windows_amd64", "bundle", 1, 1),
)


def test_rows_stand_in_the_order_in_which_they_began() -> None:
    assert [row.label for row in board_of(*WORK).rows()] == ["preparation", "all targets", "linux_x86_64", "windows_amd64"]


def test_the_unfinished_step_is_the_one_to_look_at() -> None:
    board = board_of(Step("p", "t", "compile", 1, 3), Step("p", "t", "bundle", 1, 1))
    assert board.rows()[0].current.step == "compile"
    assert not board.rows()[0].finished


def test_a_row_is_finished_when_all_of_its_steps_are() -> None:
    assert board_of(*WORK).rows()[3].finished


def test_a_log_shows_beginnings_and_ends() -> None:
    board = Board()
    events = [Step("p", "t", "compile", done, 3) for done in (0, 1, 2, 3, 3)]
    assert [board.record(event) for event in events] == [True, False, False, True, False]


def test_a_word_that_comes_late_takes_nothing_back() -> None:
    board = board_of(Step("p", "t", "compile", 2, 3), Step("p", "t", "compile", 1, 3))
    assert board.rows()[0].current.done == 2


def test_events_may_come_from_any_thread() -> None:
    board = Board()

    def work(number: int) -> None:
        for done in range(200):
            board.record(Step("p", f"t{number}", "compile", done + 1, 200))
            board.rows()

    at_once(partial(work, number) for number in range(4))
    assert len(board.rows()) == 4
    assert all(row.finished for row in board.rows())


@pytest.mark.parametrize("width", [40, 60, 99, 100, 160])
def test_the_table_fits_its_width(width: int) -> None:
    lines = shown(board_of(*WORK), width)
    assert all(len(line) <= width for line in lines)
    assert any("linux_x86_64" in line and "3/12" in line for line in lines)
    assert any("23 from" not in line and "3 from the cache" in line for line in lines)


def test_a_wide_table_has_a_column_for_each_step() -> None:
    header = shown(board_of(*WORK), 160)[0].split()
    assert header == ["package", "target", "transcompile", "compile", "bundle", "now"]


def test_two_packages_are_told_apart_on_a_narrow_terminal() -> None:
    lines = shown(board_of(Step("billing", "host", "compile", 0, 1), Step("web", "host", "compile", 0, 1)), 60)
    assert lines[0].startswith("billing host")
    assert lines[1].startswith("web host")


def test_a_low_terminal_shows_what_is_being_done() -> None:
    events = [Step("p", f"done{number}", "compile", 1, 1) for number in range(20)] + [Step("p", "busy", "compile", 0, 1)]
    lines = shown(board_of(*events), 60, height=10)
    assert len(lines) <= 10
    assert any(line.startswith("busy") for line in lines)
    assert "15 more rows" in lines[-1]


@pytest.mark.parametrize("width", [60, 120])
def test_a_long_detail_gives_way_to_all_else(width: int) -> None:
    lines = shown(board_of(Step("p", "linux_musl_x86_64", "transcompile", 10, 120, 0, "a/very/long/" * 20)), width)
    assert all(len(line) <= width for line in lines)
    assert any("linux_musl_x86_64" in line and "10/120" in line and ("transcompile" in line or width > 100) for line in lines)


def test_a_console_without_the_characters_gets_others() -> None:
    text = "\n".join(shown(board_of(*WORK), 60, encoding="cp1252"))
    assert "ok bundle" in text
    assert "#" in text


def test_names_are_not_markup() -> None:
    lines = shown(board_of(Step("p", "t", "compile", 0, 2, 0, "[red]file[/red].c")), 160)
    assert any("[red]file[/red].c" in line for line in lines)
