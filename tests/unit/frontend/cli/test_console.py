"""Streams, JSON and watchers."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

import pytest

from pypackpack.frontend.cli import console as console_module
from pypackpack.frontend.cli.argv import General
from pypackpack.frontend.cli.console import Console, LiveWatcher, PlainWatcher, as_json
from pypackpack.frontend.cli.style import Style, wants_colour
from pypackpack.model.build import Level, Step
from tests.together import at_once


@dataclass(frozen=True)
class Thing:
    path: Path
    level: Level
    names: tuple[str, ...]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_values_become_json() -> None:
    thing = Thing(Path("a"), Level.NATIVE, ("x",))
    assert as_json(thing) == {"path": "a", "level": "native", "names": ["x"]}
    assert as_json([thing, None, True, 1.5]) == [as_json(thing), None, True, 1.5]
    assert as_json(MappingProxyType({Level.NATIVE: {"b", "a"}})) == {"native": ["a", "b"]}


def test_what_has_no_json_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        as_json(object())


def test_json_is_ascii_whatever_the_console() -> None:
    out = io.StringIO()
    Console(General(), out, io.StringIO()).write_json({"name": "größe"})
    assert out.getvalue().isascii()


def test_characters_that_a_console_lacks_do_not_end_the_program() -> None:
    raw = io.BytesIO()
    console = Console(General(), io.TextIOWrapper(raw, encoding="cp1252"), io.StringIO())
    console.write(["✓ größe \udcff"])
    assert raw.getvalue().decode("cp1252").strip() == "? größe ?"


def test_a_program_without_streams_loses_its_output_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    monkeypatch.setattr("sys.stderr", None)
    console = Console(General())
    console.write(["x"])
    console.tell(["y"])
    console.out.close()
    console.err.close()


def test_a_closed_stderr_is_not_another_error() -> None:
    err = io.StringIO()
    console = Console(General(), io.StringIO(), err)
    err.close()
    console.tell(["x"])
    assert console.out.getvalue() == ""  # type: ignore[attr-defined]


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colour_is_off_when_told_so(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert wants_colour(Terminal())
    monkeypatch.setenv(variable, value)
    assert not wants_colour(Terminal())


def test_an_empty_no_color_means_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "")
    assert wants_colour(Terminal())


def test_colour_is_off_without_a_terminal() -> None:
    closed = io.StringIO()
    closed.close()
    assert not wants_colour(io.StringIO())
    assert not wants_colour(None)
    assert not wants_colour(closed)


def test_style_without_colour_changes_nothing() -> None:
    assert Style(on=False).bad("x") == "x"
    assert Style(on=True).bad("") == ""


def test_asking_needs_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert Console(General(), io.StringIO(), io.StringIO()).confirm("Delete it?") is None


@pytest.mark.parametrize(
    ("said", "agreed"), [("y\n", True), ("Yes \n", True), ("n\n", False), ("\n", False), ("", False), ("yep\n", False)]
)
def test_only_yes_is_yes(said: str, agreed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = Terminal(said)
    monkeypatch.setattr("sys.stdin", stdin)
    err = Terminal()
    assert Console(General(), io.StringIO(), err).confirm("Delete it?") is agreed
    assert err.getvalue() == "Delete it? [y/N] "


def test_verbose_lines_name_package_target_step_and_count() -> None:
    err = io.StringIO()
    console = Console(General(verbose=True), io.StringIO(), err)
    with console.watching() as watcher:
        watcher.step(Step("billing", "linux_x86_64", "compile", 0, 12))
        watcher.step(Step("billing", "linux_x86_64", "compile", 5, 12))
        watcher.step(Step("billing", "linux_x86_64", "compile", 12, 12, 3))
        watcher.note("look")
    assert err.getvalue().splitlines() == [
        "billing linux_x86_64 compile 0/12",
        "billing linux_x86_64 compile 12/12 (3 cached)",
        "look",
    ]


def test_without_a_terminal_only_notes_are_shown() -> None:
    err = io.StringIO()
    with Console(General(), io.StringIO(), err).watching() as watcher:
        watcher.step(Step("billing", "t", "compile", 0, 12))
        watcher.note("look")
    assert err.getvalue() == "look\n"


def test_a_log_hears_from_long_work(monkeypatch: pytest.MonkeyPatch) -> None:
    err = io.StringIO()
    monkeypatch.setattr(console_module, "PATIENCE", 0.02)
    with Console(General(), io.StringIO(), err).watching() as watcher:
        watcher.step(Step("app", "linux_x86_64", "compile", 2, 8, detail="a.c"))
        for number in range(4):
            watcher.step(Step("app", f"target{number}", "compile", 7 + (not number), 8))
        now = "31 of 40 tasks done; now app linux_x86_64 compile a.c, app target1 compile, app target2 compile, 1 more\n"
        before = time.monotonic()
        while f": {now}" not in err.getvalue() and time.monotonic() < before + 30:
            time.sleep(0.01)
    assert f": {now}" in err.getvalue()
    told = err.getvalue()
    time.sleep(0.1)
    assert err.getvalue() == told  # it is over


def test_quiet_shows_nothing() -> None:
    err = Terminal()
    with Console(General(quiet=True), io.StringIO(), err).watching() as watcher:
        watcher.step(Step("billing", "t", "compile", 0, 12))
        watcher.note("look")
    assert err.getvalue() == ""


def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    with Console(General(), io.StringIO(), Terminal()).watching() as watcher:
        assert isinstance(watcher, PlainWatcher)


def test_work_that_is_done_at_once_draws_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    err = Terminal()
    watcher = LiveWatcher(Console(General(), io.StringIO(), err), patience=60)
    watcher.step(Step("p", "t", "compile", 1, 1))
    watcher.close()
    assert err.getvalue() == ""


def wait_for(text: str, stream: io.StringIO) -> None:
    end = time.monotonic() + 20
    while text not in stream.getvalue():
        assert time.monotonic() < end, stream.getvalue()
        time.sleep(0.01)


def test_longer_work_is_drawn_and_taken_away_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    err = Terminal()
    watcher = LiveWatcher(Console(General(), io.StringIO(), err), patience=0)
    at_once(partial(watcher.step, Step("p", f"t{number}", "compile", 1, 2)) for number in range(5))
    wait_for("t4", err)
    watcher.note("look [here]")
    watcher.close()
    assert "look [here]" in err.getvalue()
    assert err.getvalue().rindex("\x1b[?25h") > err.getvalue().rindex("\x1b[?25l"), "the cursor is back"
    watcher.step(Step("p", "t", "compile", 2, 2))
    watcher.note("after")
    assert err.getvalue().endswith("after\n")
