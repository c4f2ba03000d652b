"""The table of commands against the functions, the reserved names and the plan."""

from __future__ import annotations

import pytest

from pypackpack.frontend.cli import command
from pypackpack.frontend.cli.overview import overview
from pypackpack.frontend.cli.table import GENERAL, LATER, PACKAGE_VERBS, ROWS, Row, command_words, row_of
from pypackpack.model.names import COMMANDS


def test_no_package_can_have_the_name_of_a_command() -> None:
    assert command_words() == COMMANDS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.words)
def test_every_row_has_its_function_and_one_example(row: Row) -> None:
    found = command.load(row)
    assert row.example.startswith("pypackpack ")
    assert (found.callback.__doc__ or "").strip() == row.summary
    for parameter in command.parameters(found):
        assert parameter.help, parameter.shown


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.words)
def test_no_option_takes_a_general_ones_name(row: Row) -> None:
    own = {name for parameter in command.parameters(command.load(row)) for name in parameter.names}
    assert not own & {name for name, _, _ in GENERAL}


def test_what_comes_later_is_not_in_help() -> None:
    first_words = {line.split()[0] for line in overview(100) if line.startswith("  ")}
    assert not first_words & LATER


def test_rows_are_found_by_their_words() -> None:
    assert row_of(["package", "add", "x"]).words == "package add"  # type: ignore[union-attr]
    assert row_of(["package"]) is None
    assert row_of(["add", "x"]).words == "add"  # type: ignore[union-attr]


def test_package_verbs_are_commands() -> None:
    assert set(PACKAGE_VERBS) <= command_words()
