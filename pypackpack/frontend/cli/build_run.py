"""One build, with all that a person wants to hear of it besides the result: why, how long, and what failed."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.frontend.cli import quick_build
from pypackpack.frontend.cli.errors import is_shortened
from pypackpack.frontend.cli.session import Answer
from pypackpack.model.build import Bundle
from pypackpack.model.errors import FilesystemError, PyPackPackError, TasksFailedError, UsageError, add_note
from pypackpack.model.secrets import masked

if TYPE_CHECKING:
    from collections.abc import Callable

    from pypackpack.frontend.cli.session import Session
    from pypackpack.frontend.cli.style import Style
    from pypackpack.model.build import BuildRequest, BuildResult
    from pypackpack.model.journal import TaskReport

PROFILE = Path("packpack") / "profile.html"
"""Where the profile goes below a package's ``build``, unless said."""
FAILURES = Path("packpack") / "failures.txt"
"""Where all of what failed is written, when a terminal does not show it all."""
DELIVERED = {Bundle.SINGLE: "the wheel", Bundle.FAT: "the wheel", Bundle.BINARY: "the folder", Bundle.RESOURCE: "the archive"}


@dataclass(frozen=True)
class Wishes:
    """What a person wants to hear of a build besides its result.

    Attributes:
        explain: Why each task ran.
        profile: Where a page about the run goes; empty for its usual place, None for no page.
    """

    explain: bool = False
    profile: str | None = None


class Ears:
    """Takes in what is told of the tasks of a build, and hands it on as it happens."""

    def __init__(self, told: Callable[[TaskReport], None] | None, *, keeps: bool) -> None:
        self._told = told
        self._keeps = keeps
        self._lock = threading.Lock()
        self._reports: dict[str, TaskReport] = {}

    @property
    def hears(self) -> Callable[[TaskReport], None] | None:
        """What to tell; None when nobody listens, which costs a build nothing."""
        return self.tell if self._keeps or self._told is not None else None

    def tell(self, report: TaskReport) -> None:
        """Take in one report; from any thread."""
        if self._told is not None:
            self._told(report)
        if self._keeps and report.source != "started":
            with self._lock:
                self._reports[report.name] = report  # of a task that was done once more, the last counts

    @property
    def reports(self) -> list[TaskReport]:
        """What became of the tasks, in the order in which they ended."""
        with self._lock:
            return list(self._reports.values())


def run_build(
    session: Session,
    request: BuildRequest,
    wishes: Wishes,
    *,
    halted: Callable[[], bool] | None = None,
    tell: Callable[[list[str]], None] | None = None,
) -> Answer:
    """Build, and answer with the result and what else was wished for.

    Args:
        session: The run of the command.
        request: What to build.
        wishes: What to tell besides.
        halted: Tells whether to begin nothing more.
        tell: Gets the lines that tell of a build which failed; they go to stderr unless said.

    Raises:
        PyPackPackError: The build failed; what was wished for is told all the same.
        HaltedError: ``halted`` said so.
    """
    from pypackpack.middleware.build import Hooks, build  # noqa: PLC0415 - import cost

    page = profile_place(session, request, wishes.profile)
    events = session.console.events
    if events is not None:
        events.started(request)
    ears = Ears(events.task if events is not None else None, keeps=wishes.explain or page is not None or request.rerun)
    hooks = Hooks(
        ears.hears,
        halted or _never,
        done=partial(quick_build.remember, session),
        sources_changed=quick_build.sources_changed(),
    )
    before = os.times()
    try:
        with session.console.watching() as watcher:
            result = build(request, watcher, hooks)
    except PyPackPackError as error:
        _tell_of_failure(session, request, wishes, ears, page, before, error, tell or session.console.tell)
        raise
    result = replace(result, warnings=(*result.warnings, *_unstable(ears.reports)))
    if page is not None:
        write_profile(page, request, ears.reports, seconds=result.seconds, before=before)
    return Answer(result, _text(session, request, wishes, result, ears.reports, page))


def _never() -> bool:
    return False


def profile_place(session: Session, request: BuildRequest, word: str | None) -> Path | None:
    """Return where the page about a run goes; None for none.

    Raises:
        UsageError: A folder stands there.
    """
    if word is None:
        return None
    if word:
        place = Path(word).absolute()
        if place.is_dir():
            msg = f"--profile: {place} is a folder"
            raise UsageError(msg, hint="Name a file, such as profile.html.")
        return place
    package = session.project().package(request.package)
    return package.build_folder / PROFILE if package is not None else None  # the build says that there is no such package


def write_profile(
    place: Path, request: BuildRequest, reports: list[TaskReport], *, seconds: float, before: os.times_result, error: str = ""
) -> None:
    """Write the page about a run."""
    from pypackpack.backend.filesystem import write_atomic  # noqa: PLC0415 - import cost
    from pypackpack.middleware.profile_page import Run, profile_page  # noqa: PLC0415 - import cost

    words = ("pypackpack build", request.package, "source", request.bundle.value, "--type", request.type.value)
    command = " ".join((*words, "--level", request.level.value))
    if request.bundle is Bundle.RESOURCE:
        command = f"pypackpack build {request.package} resource"
    run = Run(command, seconds, cpu_seconds(before), error, DELIVERED.get(request.bundle, ""))
    write_atomic(place, profile_page(reports, run), durable=False)


def cpu_seconds(before: os.times_result) -> float | None:
    """Return the processor time since then, ours and that of children which ended; None where the system does not tell."""
    now = os.times()
    if os.name == "nt":
        return None  # of children nothing is known there
    return sum(now[:4]) - sum(before[:4])


def _tell_of_failure(
    session: Session,
    request: BuildRequest,
    wishes: Wishes,
    ears: Ears,
    page: Path | None,
    before: os.times_result,
    error: PyPackPackError,
    tell: Callable[[list[str]], None],
) -> None:
    """Explain and write the page for a build that failed, too: then more than ever a person wants to know."""
    console, reports = session.console, ears.reports
    if isinstance(error, TasksFailedError) and is_shortened(error) and not console.general.json:
        _keep_whole(session, request, error)
    if not reports:
        return
    if wishes.explain and not console.general.json:
        from pypackpack.frontend.cli.explain_view import explain_lines  # noqa: PLC0415 - import cost

        verbose, last = console.general.verbose, DELIVERED.get(request.bundle, "")
        lines = explain_lines(reports, console.width_err, console.style_err, last=last, verbose=verbose, failed=True)
        tell([*lines, ""])
    if page is not None:
        seconds = max(report.end for report in reports)
        try:
            write_profile(page, request, reports, seconds=seconds, before=before, error=error.message)
        except FilesystemError as other:
            tell([other.message])
        else:
            tell([f"profile: {page}"])


def _keep_whole(session: Session, request: BuildRequest, error: TasksFailedError) -> None:
    """Write all of what failed into a file, where a terminal shows a part of it, and say so."""
    from pypackpack.backend.filesystem import write_atomic  # noqa: PLC0415 - only when something failed

    package = session.project().package(request.package)
    if package is None:
        return
    place = package.build_folder / FAILURES
    try:
        write_atomic(place, masked(f"{error.message}\n\n{error.details}\n"), durable=False)
    except FilesystemError:
        return
    add_note(error, f"all of it is in {place}")


def _unstable(reports: list[TaskReport]) -> list[str]:
    """Say which tasks are not reproducible."""
    return [
        f"not reproducible: {report.name} ran again with the same inputs and left something else behind than before"
        for report in reports
        if report.unstable
    ]


def _text(
    session: Session, request: BuildRequest, wishes: Wishes, result: BuildResult, reports: list[TaskReport], page: Path | None
) -> Callable[[int | None, Style], list[str]]:
    def text(width: int | None, style: Style) -> list[str]:
        from pypackpack.frontend.cli.render import build_summary, near_path  # noqa: PLC0415 - import cost

        lines: list[str] = []
        if wishes.explain:
            from pypackpack.frontend.cli.explain_view import explain_lines  # noqa: PLC0415 - import cost

            verbose, last = session.general.verbose, DELIVERED.get(request.bundle, "")
            lines += [*explain_lines(reports, width, style, last=last, verbose=verbose), ""]
        lines += build_summary(result, width, style)
        if page is not None:
            lines.append(f"profile: {near_path(page)}")
        return lines

    return text
