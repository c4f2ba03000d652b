"""Which words of a call of `run` are ours, and which belong to what is run."""

from __future__ import annotations

import pytest

from pypackpack.frontend.cli.argv import FLAGS, split_general
from pypackpack.frontend.cli.quick_run import run_words


@pytest.mark.parametrize("flag", FLAGS)
def test_every_flag_of_all_commands_may_stand_before(flag: str) -> None:
    found = run_words(["run", flag, "a.py"])
    assert found is not None
    assert (found.general, found.own) == ([flag], ["a.py"])
    assert split_general(found.whole())[1] == ["run", "--", "a.py"]


@pytest.mark.parametrize(
    ("words", "general", "project", "own"),
    [
        (["run", "a.py"], [], "", ["a.py"]),
        (["run", "a.py", "--help", "--json", "--project", "x"], [], "", ["a.py", "--help", "--json", "--project", "x"]),
        (["--quiet", "run", "--json", "a.py", "run"], ["--quiet", "--json"], "", ["a.py", "run"]),
        (["--project", "p", "run", "a.py"], ["--project", "p"], "p", ["a.py"]),
        (["run", "--project=p", "a.py"], ["--project=p"], "p", ["a.py"]),
        (["run", "--", "-x", "--", "y"], [], "", ["-x", "--", "y"]),
        (["run", "tool", "--", "--help"], [], "", ["tool", "--", "--help"]),
        (["run", "run"], [], "", ["run"]),
    ],
)
def test_words_are_told_apart(words: list[str], general: list[str], project: str, own: list[str]) -> None:
    found = run_words(words)
    assert found is not None
    assert (found.general, found.project, found.own) == (general, project, own)
    assert found.whole() == [*general, "run", "--", *own]


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["run"],
        ["run", "--help"],
        ["run", "-h", "a.py"],
        ["run", "-m", "x"],
        ["run", "--"],
        ["add", "run"],
        ["--", "run", "x"],
        ["--project", "run"],
    ],
)
def test_what_the_full_command_line_answers(words: list[str]) -> None:
    assert run_words(words) is None
