"""From the words of a call to the words that typer reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypackpack.frontend.cli import argv
from pypackpack.frontend.cli.argv import General, is_python_version, name_package, split_general, spread_lists
from pypackpack.frontend.cli.table import PACKAGE_VERBS, command_words
from pypackpack.model.errors import UsageError

COMMANDS = command_words()
TARGETS = {"windows", "linux", "linux_x86_64", "host"}
LISTS = {"--target": TARGETS.__contains__, "--python": is_python_version}

# Words that mean nothing to us: they have to come out as they went in.
plain_words = st.text("abcxyz019._/", min_size=1, max_size=8)
any_words = st.one_of(
    plain_words,
    st.sampled_from(
        ["--target", "--target=a,b", "--python", "--", "--json", "--project", "--quiet", "-x", "windows", "3.13", "add", ""]
    ),
)


def test_general_options_stand_anywhere() -> None:
    general, rest = split_general(["--json", "build", "billing", "--project", "shop", "source", "--quiet", "--verbose"])
    assert general == General(project="shop", quiet=True, verbose=True, json=True)
    assert split_general(["-q", "build"]) == (General(quiet=True), ["build"])
    assert rest == ["build", "billing", "source"]


def test_project_takes_its_folder_after_an_equals_sign_too() -> None:
    assert split_general(["--project=a b", "init"]) == (General(project="a b"), ["init"])


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help_is_seen_anywhere(word: str) -> None:
    assert split_general(["build", word]) == (General(help=True), ["build"])


def test_nothing_after_two_dashes_is_ours() -> None:
    assert split_general(["add", "--", "--json"]) == (General(), ["add", "--", "--json"])


@pytest.mark.parametrize(
    "words", [["--project"], ["--project="], ["--project", "--json"], ["--json=yes"], ["--quiet=1", "build"]]
)
def test_wrong_general_options_name_themselves(words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        split_general(words)
    assert words[0].split("=")[0] in caught.value.message
    assert caught.value.hint


@given(st.lists(any_words))
def test_splitting_keeps_every_other_word_in_order(words: list[str]) -> None:
    try:
        _, rest = split_general(words)
    except UsageError:
        return
    remaining = iter(words)
    assert all(word in remaining for word in rest)
    assert split_general(rest) == (General(), rest)


@given(st.lists(any_words))
def test_json_is_seen_where_splitting_sees_it(words: list[str]) -> None:
    try:
        general, _ = split_general(words)
    except UsageError:
        return
    if general.json:
        assert argv.wants_json(words)


@pytest.mark.parametrize("verb", PACKAGE_VERBS)
def test_a_package_before_its_verb_is_named(verb: str) -> None:
    assert name_package(["billing", verb, "numpy"], COMMANDS, lambda: ["billing"]) == [verb, "--package", "billing", "numpy"]


def test_spelling_of_a_package_does_not_matter() -> None:
    assert name_package(["My_Pkg", "sync"], COMMANDS, lambda: ["my-pkg"]) == ["sync", "--package", "My_Pkg"]


def test_a_package_wins_over_a_command_that_came_later() -> None:
    assert name_package(["deploy", "add", "x"], COMMANDS, lambda: ["deploy"]) == ["add", "--package", "deploy", "x"]


def test_a_command_stays_one_when_no_package_has_its_name() -> None:
    assert name_package(["build", "add", "source"], COMMANDS, lambda: ["billing"]) == ["build", "add", "source"]


@pytest.mark.parametrize("first", ["package", "target"])
def test_commands_with_the_same_verbs_always_win(first: str) -> None:
    assert name_package([first, "add", "x"], COMMANDS, lambda: [first]) == [first, "add", "x"]


def test_the_project_is_not_looked_at_without_need() -> None:
    def never() -> list[str]:
        raise AssertionError

    for words in (["build", "billing", "source"], ["init"], ["package", "add", "x"], [], ["--x", "add"], ["add", "numpy"]):
        assert name_package(words, COMMANDS, never) == words


def test_an_unknown_package_is_told_from_the_known_ones() -> None:
    with pytest.raises(UsageError, match="'bilng' is neither a command nor a package") as caught:
        name_package(["bilng", "add", "x"], COMMANDS, lambda: ["billing", "web"])
    assert caught.value.hint == "Did you mean billing?"


def test_an_unknown_word_far_from_all_lists_the_packages() -> None:
    assert "billing, web" in argv.unknown_word("qqqq", COMMANDS, ["web", "billing"]).hint


@given(st.lists(any_words), st.lists(plain_words))
def test_naming_a_package_loses_no_word(words: list[str], packages: list[str]) -> None:
    try:
        named = name_package(words, COMMANDS, lambda: packages)
    except UsageError:
        return
    assert sorted(word for word in named if word != "--package") == sorted(words)


@pytest.mark.parametrize(
    ("packages", "here", "expected"),
    [(["billing", "web"], "web", "web"), (["billing"], None, "billing"), (["source"], None, "source")],
)
def test_a_build_takes_the_package_we_stand_in_or_the_only_one(packages: list[str], here: str | None, expected: str) -> None:
    words = ["build", "source", "single", "--level", "native"]
    assert argv.name_built(words, lambda: packages, lambda: here) == ["build", expected, *words[1:]]


@pytest.mark.parametrize(("packages", "words"), [(["web", "billing"], "billing, web"), ([], "package add")])
def test_a_build_that_does_not_say_of_what_is_refused(packages: list[str], words: str) -> None:
    with pytest.raises(UsageError, match="does not say which package") as caught:
        argv.name_built(["build", "source"], lambda: packages, lambda: None)
    assert words in caught.value.hint


def test_a_build_that_names_its_package_does_not_look_at_the_project() -> None:
    def never() -> list[str]:
        raise AssertionError

    for words in (
        ["build", "billing", "source"],
        ["build", "source", "source"],
        ["build", "source", "resource"],
        ["build"],
        [],
        ["x"],
    ):
        assert argv.name_built(words, never, never) == words


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--target", "windows", "linux"], ["--target=windows", "--target=linux"]),
        (["--target=windows,linux", "x"], ["--target=windows", "--target=linux", "x"]),
        (["--target=windows", "linux"], ["--target=windows", "linux"]),
        (["--target", "windows,linux", "host", "x"], ["--target=windows", "--target=linux", "--target=host", "x"]),
        (["--target", "windows", "numpy", "linux"], ["--target=windows", "numpy", "linux"]),
        (["--target", "windws", "linux"], ["--target=windws", "--target=linux"]),
        (["--target", "windows", "--", "linux"], ["--target=windows", "--", "linux"]),
        (["--target", "windows", "--level", "native"], ["--target=windows", "--level", "native"]),
        (["--target"], ["--target"]),
        (["--target", "--level"], ["--target", "--level"]),
        (["--target="], ["--target="]),
        (["--python", "3.11", "3.13.1", "3.14t", "single"], ["--python=3.11", "--python=3.13.1", "--python=3.14t", "single"]),
        (["--", "--target", "windows", "linux"], ["--", "--target", "windows", "linux"]),
    ],
)
def test_lists_take_the_words_that_belong_to_them(words: list[str], expected: list[str]) -> None:
    assert spread_lists(words, LISTS) == expected


@given(st.lists(any_words))
def test_spreading_twice_is_spreading_once(words: list[str]) -> None:
    once = spread_lists(words, LISTS)
    assert spread_lists([word for word in once if word not in LISTS], LISTS) == [word for word in once if word not in LISTS]


@given(st.lists(plain_words))
def test_without_lists_nothing_changes(words: list[str]) -> None:
    assert spread_lists(words, LISTS) == words


@pytest.mark.parametrize("word", ["3", "3.11", "3.13.1", "3.14t", "3.9"])
def test_versions(word: str) -> None:
    assert is_python_version(word)


@pytest.mark.parametrize("word", ["", "t", "3.", ".3", "3.x", "v3.11", "single", "3.1.2.3", "\uff13.11", "-3"])
def test_not_versions(word: str) -> None:
    assert not is_python_version(word)


@pytest.mark.parametrize(
    ("words", "spread"),
    [
        ("build x source --rerun", "build x source --rerun="),
        ("build x source --rerun single --jobs 2", "build x source --rerun= single --jobs 2"),
        ("build x source --rerun compile bundle single", "build x source --rerun=compile --rerun=bundle single"),
        ("build x source --rerun transpile", "build x source --rerun=transpile"),
        ("build x source --rerun x/mod.py --explain", "build x source --rerun=x/mod.py --explain"),
        ("build x source --rerun=x.mod single", "build x source --rerun=x.mod single"),
        ("build --profile x source", "build --profile= x source"),
        ("build x source --profile a.html b.html", "build x source --profile=a.html b.html"),
        ("build x source --profile=a b", "build x source --profile=a b"),
        ("build x source -- --rerun compile", "build x source -- --rerun compile"),
    ],
)
def test_a_value_that_may_be_left_out_is_taken_only_if_it_can_be_one(words: str, spread: str) -> None:
    optional = {"--rerun": (argv.is_task_word, True), "--profile": (argv.is_page, False)}
    assert argv.spread_optional(words.split(), optional) == spread.split()


def test_a_task_is_named_by_one_word_with_blanks() -> None:
    name = "compile x/src/main/mod.py linux_arm64 3.11"
    assert argv.spread_optional(["--rerun", name, "single"], {"--rerun": (argv.is_task_word, True)}) == [
        f"--rerun={name}",
        "single",
    ]


@pytest.mark.parametrize(
    ("words", "events"),
    [
        ("build x source --json", True),
        ("--json --project build build x source", True),
        ("--project build --json sync", False),
        ("build x source", False),
        ("build x source -- --json", False),
        ("build --help --json", False),
        ("tasks x --json", False),
        ("--json", False),
    ],
)
def test_only_a_build_tells_events(words: str, events: bool) -> None:
    assert argv.wants_events(words.split()) is events
