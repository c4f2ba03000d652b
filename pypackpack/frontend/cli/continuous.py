"""``build --continuous``: a line for each round on a terminal, or each round's events."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from pypackpack.backend.watching import Eyes
from pypackpack.frontend.cli.build_run import run_build
from pypackpack.frontend.cli.errors import error_lines, error_object
from pypackpack.frontend.cli.render import count, duration, fallback_line, paragraph, some
from pypackpack.middleware.continuous import keep_building
from pypackpack.model.build import BuildResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from pypackpack.frontend.cli.build_run import Wishes
    from pypackpack.frontend.cli.session import Answer, Session
    from pypackpack.frontend.cli.style import Style
    from pypackpack.middleware.continuous import Round
    from pypackpack.model.build import BuildRequest


def build_continuously(session: Session, request: BuildRequest, wishes: Wishes) -> None:
    """Build, and again whenever something changes; an interrupt ends it.

    Raises:
        PyPackPackError: What was asked for cannot be built, whatever file changes.
    """
    rounds = _Rounds(session, request, wishes)
    with contextlib.closing(Eyes()) as eyes:
        keep_building(request, eyes, rounds.work, rounds.told)


class _Rounds:
    """Tells of the rounds of one call."""

    def __init__(self, session: Session, request: BuildRequest, wishes: Wishes) -> None:
        self._session = session
        self._console = session.console
        self._request = request
        self._wishes = wishes
        self._answer: Answer | None = None
        self._reasons: list[str] = []  # of a round that failed; shown after its line, as of one that did not
        self._remarks: list[str] | None = None  # of the last round that came to a result

    def work(self, halted: Callable[[], bool], begun: Round) -> BuildResult:
        """Build once."""
        events = self._console.events
        if events is not None and begun.changed:
            events.changed(begun.changed)
        request = self._request
        if begun.number > 1:  # a person who wants everything to run again wants that once
            request = replace(request, rerun=False, rerun_tasks=())
        self._reasons.clear()
        self._answer = run_build(self._session, request, self._wishes, halted=halted, tell=self._reasons.extend)
        data = self._answer.data
        if not isinstance(data, BuildResult):
            raise TypeError
        return data

    def told(self, ended: Round) -> None:
        """Tell what came of a round."""
        console = self._console
        if console.events is not None:
            if ended.halted:
                console.events.halted()
            elif ended.error is not None:
                console.write_json(error_object(ended.error))
            else:
                console.write_json(ended.result)
        elif not ended.halted:
            self._show(ended)
        elif console.general.verbose:
            console.tell(["something changed meanwhile: what runs is finished, then it begins again"])
        if ended.number == 1 and not ended.halted and not console.general.quiet:
            console.tell([f"waiting for changes of {self._request.package}; Ctrl-C ends it"])

    def _show(self, ended: Round) -> None:
        console, before = self._console, self._remarks
        line = round_line(ended, time.strftime("%H:%M:%S"), console.style_out)
        lines = ([line] if console.width is None else paragraph(line, console.width)) if ended.number > 1 else []
        if ended.result is not None and self._answer is not None:
            self._remarks = _remarks(ended.result)
            if before is None or self._wishes.explain:
                lines += self._answer.text(console.width, console.style_out)
            else:
                lines += [f"  {text}" for text in self._remarks if text not in before]
        if not console.general.quiet:
            console.write(lines)
        if ended.error is not None:
            console.tell(self._reasons)
            console.tell(error_lines(ended.error, console.style_err, console.width_err))


def round_line(ended: Round, now: str, style: Style) -> str:
    """Return the one line of a round: when, what changed, what was done, and how long it took."""
    if ended.result is None:
        done = style.bad("failed")
    elif ended.did_nothing:
        done = "nothing to do"
    else:
        result = ended.result
        fresh = sum(not artifact.cached for artifact in result.artifacts)
        tasks = [f"{count(result.tasks_run, 'task')} run"] if result.tasks_run else []
        known = [f"{result.tasks_cached} from the cache"] if result.tasks_cached else []
        done = ", ".join([*tasks, *known, *([f"{count(fresh, 'artifact')} new"] if fresh else [])])
    return f"{style.dim(now)} {some(ended.changed, 2) or 'the same again'}: {done}, {duration(ended.seconds)}"


def _remarks(result: BuildResult) -> list[str]:
    """Return what a person should know of a result."""
    return [*(fallback_line(fallback) for fallback in result.fallbacks), *(f"warning: {text}" for text in result.warnings)]
