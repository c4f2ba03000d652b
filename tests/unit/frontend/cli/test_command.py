"""The layer between our functions and typer."""

from __future__ import annotations

from typing import Annotated

import pytest
import typer

from pypackpack.frontend.cli import command
from pypackpack.frontend.cli.argv import General
from pypackpack.frontend.cli.console import Console
from pypackpack.frontend.cli.session import Answer, Session, session_of
from pypackpack.frontend.cli.table import ROWS
from pypackpack.model.errors import UsageError

ROW = ROWS[0]


def session() -> Session:
    general = General()
    return Session(general, Console(general))


def echo(
    ctx: typer.Context,
    first: Annotated[str, typer.Argument(metavar="<first>", help="One word.")],
    more: Annotated[list[str], typer.Argument(metavar="<more>", help="More words.")],
    flag: Annotated[bool, typer.Option("--flag", help="A flag.")] = False,
    many: Annotated[list[str] | None, typer.Option("--many", metavar="<m>", help="Several.")] = None,
) -> Answer:
    """Hand back what was typed."""
    return Answer((first, more, flag, many, session_of(ctx).general), lambda *_: [])


def call(*words: str) -> object:
    return command.call(command.as_command(echo), ROW, words, session()).data


def test_words_arrive_as_they_were_typed() -> None:
    assert call("a", "b", "c", "--flag", "--many=x", "--many=") == ("a", ["b", "c"], True, ["x", ""], General())


def test_words_after_two_dashes_are_no_options() -> None:
    assert call("--", "--flag", "--many") == ("--flag", ["--many"], False, None, General())


@pytest.mark.parametrize(
    ("words", "message"),
    [([], "`init` needs <first>"), (["a"], "`init` needs <more>"), (["a", "b", "--many"], "--many needs a value")],
)
def test_what_is_missing_is_named(words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        call(*words)
    assert caught.value.message == message


@pytest.mark.parametrize("error", [KeyboardInterrupt, BrokenPipeError, EOFError, RuntimeError])
def test_nothing_that_a_command_raises_is_changed_on_the_way(error: type[BaseException]) -> None:
    def fail() -> Answer:
        """Fail."""
        raise error

    with pytest.raises(error):
        command.call(command.as_command(fail), ROW, [], session())


def test_parameters_are_described() -> None:
    known = command.parameters(command.as_command(echo))
    assert [each.shown for each in known] == ["<first>", "<more>...", "--flag", "--many <m>..."]
    assert [each.required for each in known] == [True, True, False, False]


def test_a_command_without_a_session_is_our_own_mistake() -> None:
    with pytest.raises(TypeError, match="session"):
        command.call(command.as_command(echo), ROW, ["a", "b"], None)  # type: ignore[arg-type]
