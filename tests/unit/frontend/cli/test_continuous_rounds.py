"""What `build --continuous` writes of its rounds."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from pypackpack.frontend.cli import continuous
from pypackpack.frontend.cli.argv import General
from pypackpack.frontend.cli.build_run import Wishes
from pypackpack.frontend.cli.console import Console
from pypackpack.frontend.cli.session import Answer, Session
from pypackpack.middleware.continuous import Round
from pypackpack.model.build import BuildRequest, BuildResult
from pypackpack.model.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest


def test_the_round_stands_before_its_reasons_whether_it_failed_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both = io.StringIO()
    console = Console(General(), out=both, err=both)
    session = Session(General(), console)
    request = BuildRequest(tmp_path, "small")
    wrong = SourceError("wrong")

    def run_build(*_: object, halted: object, tell: Callable[[list[str]], None]) -> Answer:
        assert callable(halted)
        tell(["Why: it failed"])
        raise wrong

    monkeypatch.setattr(continuous, "run_build", run_build)
    rounds = continuous._Rounds(session, request, Wishes(explain=True))
    try:
        rounds.work(lambda: False, Round(2, ("src/main/a.py",), 1.0))
    except SourceError:
        rounds.told(Round(2, ("src/main/a.py",), 1.0, error=wrong))
    failed = both.getvalue().splitlines()
    assert [line.split(": ")[-1].split(",")[0] for line in failed] == ["failed", "it failed", "wrong"]

    both.truncate(0)
    both.seek(0)
    monkeypatch.setattr(continuous, "run_build", lambda *_, **__: Answer(BuildResult(()), lambda *_: ["Why: it ran"]))
    rounds.work(lambda: False, Round(3, ("src/main/a.py",), 1.0))
    rounds.told(Round(3, ("src/main/a.py",), 1.0, result=BuildResult((), tasks_run=2)))
    first, second = both.getvalue().splitlines()
    assert ("2 tasks run" in first, second) == (True, "Why: it ran")


def test_a_narrow_terminal_breaks_the_line_of_a_round_at_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    console = Console(General(), out=out, err=out)
    monkeypatch.setattr(Console, "width", 40)
    rounds = continuous._Rounds(Session(General(), console), BuildRequest(tmp_path, "small"), Wishes())
    rounds.told(Round(2, ("small/src/main/a.py", "small/src/main/b.py"), 1.0, result=BuildResult((), tasks_run=2)))
    lines = out.getvalue().splitlines()
    assert len(lines) > 1
    assert max(map(len, lines)) <= 40
