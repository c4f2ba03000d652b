from __future__ import annotations

import pytest

from pypackpack.backend.tools import uv_options
from pypackpack.model.errors import UsageError

SCRIPT = """\
module completions {

  # An extremely fast Python package manager.
  export extern uv [
    --help(-h)                # Display the help
  ]

  def "nu-complete uv add bounds" [] {
    [ "lower" "major" ]
  }

  # Add dependencies to the project
  export extern "uv add" [
    --requirements(-r): path  # Add the packages listed in the given files
    --dev                     # Add to the development group: really
    --index: string           # The indexes to use
    --bounds: string@"nu-complete uv add bounds" # The kind of specifier
    --upgrade(-U)
    --upgrade-package(-P): string # Allow upgrades for a package
    -x                        # A short one alone
    ...packages: string
  ]

  export extern "uv python install" [
    --mirror: string          # A mirror
    --index                   # Nothing of the kind
  ]
}
"""


@pytest.fixture(autouse=True)
def _script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uv_options, "_all", lambda: uv_options.parsed(SCRIPT))


def test_what_uv_says_of_its_options() -> None:
    assert uv_options.options("add") == {
        "--requirements": True,
        "-r": True,
        "--dev": False,
        "--index": True,
        "--bounds": True,
        "--upgrade": False,
        "-U": False,
        "--upgrade-package": True,
        "-P": True,
        "-x": False,
    }
    assert uv_options.options("") == {"--help": False, "-h": False}
    assert uv_options.takes_value("python install", "--index") is False
    assert uv_options.takes_value("python install", "--dev") is None
    assert uv_options.takes_value("nothing", "--dev") is None


@pytest.mark.parametrize(
    ("words", "ours", "theirs"),
    [
        (["numpy", "--index", "a=http://x", "six"], ["numpy", "six"], ["--index", "a=http://x"]),
        (["--index=a=http://x", "numpy"], ["numpy"], ["--index=a=http://x"]),
        (["--dev", "numpy", "-U"], ["numpy"], ["--dev", "-U"]),
        (["-P", "six", "numpy"], ["numpy"], ["-P", "six"]),
        (["-Psix", "numpy"], ["numpy"], ["-Psix"]),
        (["-UP", "six", "numpy"], ["numpy"], ["-UP", "six"]),
        (["--target", "linux", "--offline", "numpy"], ["--target", "linux", "--offline", "numpy"], []),
        (["--target=linux", "numpy"], ["--target=linux", "numpy"], []),
        (["--dev", "--", "--index", "-x"], ["--", "--index", "-x"], ["--dev"]),
        (["-r", "-", "-"], ["-"], ["-r", "-"]),  # a dash alone is a file or a word
        ([], [], []),
    ],
)
def test_options_that_are_not_ours_go_to_uv_with_their_values(words: list[str], ours: list[str], theirs: list[str]) -> None:
    assert uv_options.split("add", words, {"--target": True, "--offline": False}) == (ours, tuple(theirs))


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["--indx", "x"], "neither `pypackpack add` nor uv has an option --indx", "Did you mean --index?"),
        (["--taget", "x"], "has an option --taget", "Did you mean --target?"),
        (["--qqqqqqq"], "has an option --qqqqqqq", "those of uv work too"),
        (["-Uz"], "has an option -z", ""),
        (["--index"], "--index needs a value", "uv help add"),
        (["--index", "--", "x"], "--index needs a value", ""),
    ],
)
def test_what_nobody_knows_is_wrong_use(words: list[str], message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        uv_options.split("add", words, {"--target": True})
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_a_uv_that_says_nothing_of_its_options_gets_them_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uv_options, "_all", dict)
    assert uv_options.split("add", ["x", "--new=1", "--flag"], {}) == (["x"], ("--new=1", "--flag"))


def test_options_are_carried_to_another_command_with_their_values() -> None:
    words = ("--index", "a", "--dev", "-P", "six", "--index=b")
    assert uv_options.grouped(words, "add") == [("--index", "a"), ("--dev",), ("-P", "six"), ("--index=b",)]
    assert uv_options.carried(words, "add", "python install") == ("--index", "a", "--index=b")
    assert uv_options.carried(words, "add", "python install", {"--index"}) == ()
    assert uv_options.value_of(words, "add", ("--index",)) == "b"
    assert uv_options.value_of(words, "add", ("--bounds",)) is None
    assert uv_options.has(words, "add", ("-P",))
    assert not uv_options.has(words, "add", ("six", "a"))
