"""Top-level help, help of commands, and the reference page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypackpack.frontend.cli import command, overview
from pypackpack.frontend.cli.reference import cli_page, errors_page
from pypackpack.frontend.cli.style import Style
from pypackpack.frontend.cli.table import GENERAL, LATER, ROWS, Row

if TYPE_CHECKING:
    from collections.abc import Callable

PAGES = Path(__file__).parents[4] / "docs" / "reference"


def plain(lines: list[str]) -> list[str]:
    return [re.sub("\033\\[[0-9;]*m", "", line) for line in lines]


@pytest.mark.parametrize("width", [40, 60, 80, 110])
def test_the_overview_fits_and_names_everything(width: int) -> None:
    lines = overview.overview(width)
    assert all(len(line) <= width for line in lines)
    text = "\n".join(lines)
    assert all(row.shown in text for row in ROWS)
    assert all(name in text for name, _, _ in GENERAL)


def test_colour_changes_no_character_of_the_overview() -> None:
    coloured = overview.overview(80, Style(on=True))
    assert plain(coloured) == overview.overview(80)
    assert coloured != plain(coloured)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.words)
@pytest.mark.parametrize("width", [60, 110])
def test_help_of_a_command_fits_and_has_one_example(row: Row, width: int) -> None:
    found = command.load(row)
    lines = command.command_help(row, found, width)
    assert sum(line == "Example" for line in lines) == 1
    assert plain(command.command_help(row, found, width, Style(on=True))) == lines
    for line in lines:
        assert len(line) <= width or row.example in line or line.startswith("Usage:")


@given(st.text(), st.integers(1, 60))
def test_wrapping_keeps_every_word_and_the_width(text: str, width: int) -> None:
    lines = overview.wrapped(text, width)
    assert " ".join(lines).split() == text.split()
    assert all(len(line) <= width or len(line.split()) == 1 for line in lines)


def test_columns_that_do_not_fit_beside_stand_below() -> None:
    lines = overview.two_columns([("x" * 30, "what it is")], 40, Style(on=False))
    assert lines == ["  " + "x" * 30, "      what it is"]


@pytest.mark.parametrize(("columns", "width"), [("60", 60), ("500", 110), ("10", 40), ("", 80), ("no", 80)])
def test_the_width_is_one_that_can_be_read(columns: str, width: int, monkeypatch: pytest.MonkeyPatch, capfd: object) -> None:
    assert capfd is not None  # stdout is a file while this runs, so that only the variable speaks
    monkeypatch.setenv("COLUMNS", columns)
    assert overview.terminal_width() == width


@pytest.mark.parametrize(("name", "page"), [("cli.md", cli_page), ("errors.md", errors_page)])
def test_the_committed_pages_are_those_that_the_declarations_make(name: str, page: Callable[[], str]) -> None:
    assert (PAGES / name).read_text(encoding="utf-8") == page(), "run python -m pypackpack.frontend.cli.reference"


def test_every_code_means_one_thing() -> None:
    codes = [line.split("`")[1] for line in errors_page().splitlines() if line.startswith("| `")]
    assert len(codes) == len(set(codes))
    assert {"usage", "defect", "interrupted", "not-yet"} <= set(codes)


def test_the_page_names_no_command_that_is_not_there() -> None:
    headings = {line.strip("# `").split()[1] for line in cli_page().splitlines() if line.startswith("### ")}
    assert not headings & LATER
