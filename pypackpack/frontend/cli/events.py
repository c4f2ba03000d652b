"""What ``build --json`` writes: one JSON object per line, each as it happens (JSON Lines).

The shapes are the dataclasses below; ``docs/reference/build-events.schema.json`` and the page beside it are made from them.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping  # noqa: TC003 - the schema is made from the annotations
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from pypackpack.frontend.cli.console import as_json
from pypackpack.model.build import Artifact, BuildResult, Bundle, CompiledDependency, Fallback, Minified
from pypackpack.model.journal import Reason, TaskReport  # noqa: TC001 - the schema is made from the annotations
from pypackpack.model.preview import PlannedTask, Preview, StepCount
from pypackpack.model.secrets import masked

if TYPE_CHECKING:
    from typing import TextIO

    from pypackpack.model.build import BuildRequest

SCHEMA = 1
"""Version of the shapes. New events and new fields do not change it: a reader passes over what it does not know."""


@dataclass(frozen=True)
class BuildStarted:
    """A build begins; the first line.

    Attributes:
        schema: Version of the shapes on this page. Events and fields may be added without a new one.
        pypackpack: Version of pypackpack.
        time: When, in seconds since 1970 (UTC).
        start: The folder that the project is looked for from.
        package: The package, as typed.
        bundle: The form of the result.
        type: ``debug`` or ``release``; empty for data files.
        level: How far it is compiled; empty for data files.
        targets: Target words as typed; empty means all of the package.
        pythons: Python versions as typed; empty means the settings', else the project's own.
    """

    schema: int
    pypackpack: str
    time: float
    start: str
    package: str
    bundle: str
    type: str
    level: str
    targets: tuple[str, ...]
    pythons: tuple[str, ...]


@dataclass(frozen=True)
class TaskStarted:
    """A task's work begins: its result is not remembered.

    Attributes:
        name: Its name, unique in the build and the same in the next.
        step: What it does, in a word; ``pypackpack tasks`` describes each.
        package: Whose work it is.
        target: For which target; empty when all share it.
        label: What it works on.
        key: SHA-256 of everything that decides its result.
        start: Seconds since the build began.
        worker: Number of the worker that does it, from 0.
        needs: Names of the tasks whose results it uses.
        inputs: What the key is made of: what each thing is, and its SHA-256 or its text. Where the keys of two machines differ,
            one of these does.
        reason: Why it runs.
    """

    name: str
    step: str
    package: str
    target: str
    label: str
    key: str
    start: float
    worker: int
    needs: tuple[str, ...]
    inputs: Mapping[str, str]
    reason: Reason | None


@dataclass(frozen=True)
class TaskFinished:
    """A task has its result: it ran, or the result was known.

    Attributes:
        name: As above.
        step: As above.
        package: As above.
        target: As above.
        label: As above.
        key: As above.
        source: ``run``, ``store`` (this machine's cache), ``remote`` (the remote cache) or ``twin`` (another task of this build
            did the very same).
        start: Seconds since the build began.
        end: The same, when it ended.
        worker: Number of the worker that did it; -1 for what was known.
        needs: As above.
        inputs: As above, where no ``task-started`` came before; else empty.
        outputs: What it left behind: names, and the SHA-256 of the content.
        output: What its tools said, also when all went well; of much, the end.
        unstable: Whether it ran again (``--rerun``) and left something else behind than the time before.
    """

    name: str
    step: str
    package: str
    target: str
    label: str
    key: str
    source: str
    start: float
    end: float
    worker: int
    needs: tuple[str, ...]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    output: str
    unstable: bool


@dataclass(frozen=True)
class TaskFailed:
    """A task failed. Without ``--keep-going`` nothing more begins, and what runs is finished.

    Attributes:
        name: As above.
        step: As above.
        package: As above.
        target: As above.
        label: As above.
        key: As above.
        start: Seconds since the build began.
        end: The same, when it ended.
        worker: Number of the worker that did it.
        error: What went wrong.
        output: What its tools said; of much, the end.
    """

    name: str
    step: str
    package: str
    target: str
    label: str
    key: str
    start: float
    end: float
    worker: int
    error: str
    output: str


@dataclass(frozen=True)
class TaskSkipped:
    """A task does not run, since one that it needs failed.

    Attributes:
        name: As above.
        step: As above.
        package: As above.
        target: As above.
        label: As above.
        needs: As above.
    """

    name: str
    step: str
    package: str
    target: str
    label: str
    needs: tuple[str, ...]


@dataclass(frozen=True)
class Note:
    """A sentence that a person should read now; it goes to stderr too.

    Attributes:
        text: The sentence.
    """

    text: str


@dataclass(frozen=True)
class SourcesChanged:
    """With ``--continuous``: it is built again. The lines of that build follow, ``build-started`` first.

    Attributes:
        paths: What changed, from the project's folder on.
    """

    paths: tuple[str, ...]


@dataclass(frozen=True)
class BuildHalted:
    """With ``--continuous``: something changed while it was built; the last line of this build.

    What ran was finished and is remembered, and the next build begins.
    """


@dataclass(frozen=True)
class Plan:
    """What ``build --dry-run`` found; the only line then.

    Attributes:
        steps: Steps in the order in which they are done, with their numbers of tasks, for each target.
        tasks: Every task.
        left_out: Targets without such an artifact, with the reason.
        notes: What could not be found out without doing it.
    """

    steps: tuple[StepCount, ...]
    tasks: tuple[PlannedTask, ...]
    left_out: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """The build is done; the last line.

    Attributes:
        artifacts: What stands now.
        fallbacks: Modules that are not native although they were to be.
        left_out: Targets without such an artifact, with the reason.
        warnings: What a person should know before using the artifacts.
        tasks_run: Number of tasks that ran.
        tasks_cached: Number of those whose result was known; those of the remote cache among them.
        tasks_remote: Number of those whose result came from the remote cache.
        tasks_compiled: Number of those that ran and called a compiler.
        seconds: How long it took.
        dependencies: What became of the modules of dependencies that were to be compiled.
        minified: What became of the sizes of modules that were to be smaller, by package.
    """

    artifacts: tuple[Artifact, ...]
    fallbacks: tuple[Fallback, ...]
    left_out: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    tasks_run: int
    tasks_cached: int
    tasks_remote: int
    tasks_compiled: int
    seconds: float
    dependencies: tuple[CompiledDependency, ...]
    minified: tuple[Minified, ...]


@dataclass(frozen=True)
class FailedTask:
    """A task that failed, as the last line tells of it.

    Attributes:
        task: Its name; of several that are the very same, one of them.
        code: Code of the error.
        message: What is wrong.
        hint: What to do about it; may be empty.
        details: What outside tools said.
    """

    task: str
    code: str
    message: str
    hint: str
    details: str


@dataclass(frozen=True)
class ErrorFacts:
    """An error.

    Attributes:
        code: See the page of errors.
        message: What is wrong.
        hint: What to do about it; may be empty.
        details: More lines, such as what outside tools said.
        failures: The tasks that failed, where it was several; left out otherwise.
    """

    code: str
    message: str
    hint: str
    details: str
    failures: tuple[FailedTask, ...] = ()


@dataclass(frozen=True)
class Error:
    """The build failed, or could not begin (then it is the only line); the last line.

    Attributes:
        error: The error.
    """

    error: ErrorFacts


EVENTS: dict[str, type] = {
    "build-started": BuildStarted,
    "task-started": TaskStarted,
    "task-finished": TaskFinished,
    "task-failed": TaskFailed,
    "task-skipped": TaskSkipped,
    "note": Note,
    "sources-changed": SourcesChanged,
    "build-halted": BuildHalted,
    "plan": Plan,
    "result": Result,
    "error": Error,
}
"""Every event by its word."""

_WORDS = {kind: word for word, kind in EVENTS.items()}


@dataclass
class EventStream:
    """Writes events to stdout: whole lines, each at once, from any thread.

    A reader that goes away ends the writing and not the build: its exit code still says how it went.

    Attributes:
        out: Where lines go.
        error: What the last write failed with; nothing is written after it.
    """

    out: TextIO
    error: OSError | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _started: set[str] = field(default_factory=set)

    def emit(self, event: object) -> None:
        """Write one event."""
        self._write(_WORDS[type(event)], as_json(event))

    def _write(self, word: str, value: object) -> None:
        whole = {"event": word, **(value if isinstance(value, dict) else {})}
        line = json.dumps(whole)
        if "@" in line:  # only then can there be credentials in it
            line = json.dumps(_masked(whole))
        with self._lock:
            if self.error is not None:
                return
            try:
                self.out.write(line + "\n")
                self.out.flush()
            except OSError as error:
                self.error = error
            except ValueError:  # closed
                self.error = BrokenPipeError()

    def started(self, request: BuildRequest) -> None:
        """Tell that a build begins."""
        from pypackpack import __version__  # noqa: PLC0415 - beside its only use

        code = request.bundle is not Bundle.RESOURCE
        form = (request.type.value, request.level.value) if code else ("", "")
        words = (request.package, request.bundle.value, *form)
        self._started.clear()
        self.emit(
            BuildStarted(SCHEMA, __version__, round(time.time(), 3), str(request.start), *words, request.targets, request.pythons)
        )

    def task(self, report: TaskReport) -> None:
        """Tell what became of a task."""
        if report.source == "started":
            self._started.add(report.name)
            self.emit(_of(TaskStarted, report))
        elif report.source == "failed":
            self.emit(_of(TaskFailed, report))
        elif report.source == "skipped":
            self.emit(_of(TaskSkipped, report))
        else:
            inputs = {} if report.name in self._started else dict(report.inputs)
            self.emit(_of(TaskFinished, report, inputs=inputs))

    def note(self, text: str) -> None:
        """Tell a sentence."""
        self.emit(Note(text))

    def changed(self, paths: tuple[str, ...]) -> None:
        """Tell why it is built again."""
        self.emit(SourcesChanged(paths))

    def halted(self) -> None:
        """Tell that a build came to no end."""
        self.emit(BuildHalted())

    def last(self, value: object) -> None:
        """Write the last line: a result, what would be done, or the object of an error."""
        if isinstance(value, Preview):
            self.emit(Plan(value.steps, value.tasks, value.left_out, value.notes))
        elif isinstance(value, BuildResult):
            self.emit(Result(**{each.name: getattr(value, each.name) for each in fields(Result)}))
        elif isinstance(value, dict) and "error" in value:
            self._write("error", as_json(value))


def _of(kind: type, report: TaskReport, **changes: object) -> object:
    """Return the event of a report: the fields that both have."""
    found = {each.name: getattr(report, each.name) for each in fields(kind)}
    for name in ("inputs", "outputs"):
        if name in found:
            found[name] = dict(found[name])
    return kind(**{**found, **changes})


def _masked(value: object) -> object:
    """Return a JSON value without credentials in any of its texts."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, dict):
        return {masked(str(name)): _masked(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_masked(each) for each in value]
    return value
