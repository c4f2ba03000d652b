"""Errors as lines and as an object."""

from __future__ import annotations

from pypackpack.frontend.cli.errors import error_lines, error_object, is_shortened
from pypackpack.frontend.cli.style import Style
from pypackpack.model.errors import SettingsError, TasksFailedError, ToolError, UsageError, add_note


def test_message_details_and_hint_have_their_places() -> None:
    error = SettingsError("2 settings are wrong", details="a.b: wrong\nc.d: wrong too", hint="Mend them.")
    assert error_lines(error) == [
        "error[bad-settings]: 2 settings are wrong",
        "  a.b: wrong",
        "  c.d: wrong too",
        "hint: Mend them.",
    ]


def test_nothing_is_said_where_there_is_nothing() -> None:
    assert error_lines(UsageError("no")) == ["error[usage]: no"]
    assert error_lines(UsageError("")) == ["error[usage]: "]


def test_further_lines_of_a_message_are_indented() -> None:
    assert error_lines(UsageError("one\ntwo")) == ["error[usage]: one", "  two"]


def test_colour_only_adds_escape_codes() -> None:
    lines = error_lines(UsageError("no", hint="yes"), Style(on=True))
    assert lines[0] == "\033[1;31merror[usage]:\033[0m no"
    assert lines[1].endswith("\033[0m yes")


def test_programs_get_every_field() -> None:
    error = UsageError("no", hint="yes", details="why")
    assert error_object(error) == {"error": {"code": "usage", "message": "no", "hint": "yes", "details": "why"}}


def test_credentials_are_shown_nowhere() -> None:
    url = "https://me:se@cret@example.org/simple"
    error = UsageError(f"no {url}", hint=f"not {url}", details=f"{url}\nhttps:/me:se@cret@example.org/x")
    shown = "\n".join([*error_lines(error), *error_object(error)["error"].values()])
    assert "cret" not in shown
    assert shown.count("https://****@example.org/simple") == 6
    assert shown.count("https:/****@example.org/x") == 2


def test_what_only_looks_like_credentials_is_shown() -> None:
    text = "C:/me@work/file a@b file:///x@y/z git+https://example.org/x.git@v1 C:/a:b"
    assert error_lines(UsageError(text)) == [f"error[usage]: {text}"]


def test_what_others_wrote_does_not_steer_the_terminal() -> None:
    error = UsageError("a\x1b]0;x\x07b", hint="c\rd", details="e\x85f\u202eg\tü")
    assert error_lines(error) == ["error[usage]: a\\x1b]0;x\\x07b", "  e\\x85f\\u202eg\tü", "hint: c\\rd"]


def test_on_a_terminal_message_and_hint_are_broken_at_blanks() -> None:
    error = UsageError(
        "one two three four five six seven", hint="do this and that and more of it", details="a tool's own words stay"
    )
    lines = error_lines(error, width=30)
    assert lines[0] == "error[usage]: one two three"
    assert lines[1] == "  four five six seven"
    assert "  a tool's own words stay" in lines
    assert lines[-2:] == ["hint: do this and that and", "  more of it"]


def failing(count: int, lines: int) -> TasksFailedError:
    failures = tuple(
        (f"compile m{number}", ToolError(f"m{number} broke", hint="Mend it.", details="\n".join(map(str, range(lines)))))
        for number in range(count)
    )
    return TasksFailedError(f"{count} tasks failed", failures=failures, details="all of it")


def test_several_failures_stand_under_their_tasks() -> None:
    assert error_lines(failing(2, 2)) == [
        "error[tasks-failed]: 2 tasks failed",
        *[
            line
            for number in range(2)
            for line in ("", f"  compile m{number}", f"    tool-failed: m{number} broke", "    0", "    1", "    hint: Mend it.")
        ],
    ]
    assert not is_shortened(failing(2, 12))


def test_much_is_cut_and_the_place_of_the_whole_is_said() -> None:
    error = failing(12, 100)
    add_note(error, "all of it is in /x")
    lines = error_lines(error)
    assert is_shortened(error)
    assert lines[4:18] == [f"    {number}" for number in range(8)] + [
        "    … 88 more lines …",
        "    96",
        "    97",
        "    98",
        "    99",
        "    hint: Mend it.",
    ]
    assert lines[-3:] == ["  and 2 more failures", "", "note: all of it is in /x"]
    assert len(lines) < 180


def test_programs_get_every_failure_whole() -> None:
    told = error_object(failing(2, 100))["error"]
    assert told["details"] == "all of it"
    assert [failure["task"] for failure in told["failures"]] == ["compile m0", "compile m1"]  # type: ignore[index, union-attr]
    assert told["failures"][1]["details"].endswith("\n99")  # type: ignore[index]
