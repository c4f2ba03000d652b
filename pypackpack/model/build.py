"""What a build is asked for and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.model.journal import TaskReport
    from pypackpack.model.project import Project
    from pypackpack.model.target import PythonVersion


class Level(str, Enum):
    """How far the code is compiled."""

    INSTANT = "instant"
    BYTECODE = "bytecode"
    NATIVE = "native"
    MIXED = "mixed"


class BuildType(str, Enum):
    """Debug keeps sources and symbols; release strips and optimises."""

    DEBUG = "debug"
    RELEASE = "release"


class Bundle(str, Enum):
    """The form of the result."""

    SINGLE = "single"
    FAT = "fat"
    BINARY = "binary"
    PATCH = "patch"
    RESOURCE = "resource"

    @property
    def carries(self) -> bool:
        """Whether the package's dependencies go along."""
        return self in (Bundle.FAT, Bundle.BINARY)


@dataclass(frozen=True)
class BuildRequest:
    """The words of ``pypackpack build <package> source`` or ``resource``, checked but not yet resolved.

    Attributes:
        start: Folder to look for the project from.
        package: Package name as typed.
        bundle: Form of the result.
        type: Debug or release.
        level: How far to compile.
        targets: Target words as typed; empty means all of the package.
        pythons: Python versions as typed; empty means the settings', else the project's own.
        jobs: Most tasks at one time; None means one per core.
        offline: Never touch the network.
        interpreter: Build for exactly this Python, not for ``pythons``; at level instant any that starts will do.
        references: Pairs of a package of the project, by its normalised name, and the URL that the wheel's metadata name it by;
            those that are not here are named by their version.
        project: The project, when it has been read already; ``start`` does not matter then.
        keep_going: Whether what does not need a broken task is still built.
        rerun: Whether all tasks run although their results are known; or only those with these words in ``rerun_tasks``.
        rerun_tasks: Names of tasks, or of steps.
        report: Whether the result tells of every task (`BuildResult.tasks`).
        version: The version of the wheel instead of the package's own: that of a patched release.
        cache: A cache of its own, instead of the project's and the person's.
        audit: Whether a wheel is refused whose machine code loads what is not everywhere; None: if it is a release.
    """

    start: Path
    package: str
    bundle: Bundle = Bundle.BINARY
    type: BuildType = BuildType.DEBUG
    level: Level = Level.INSTANT
    targets: tuple[str, ...] = ()
    pythons: tuple[str, ...] = ()
    jobs: int | None = None
    offline: bool = False
    interpreter: Path | None = None
    references: tuple[tuple[str, str], ...] = ()
    project: Project | None = None
    keep_going: bool = False
    rerun: bool = False
    rerun_tasks: tuple[str, ...] = ()
    report: bool = False
    version: str = ""
    cache: Path | None = None
    audit: bool | None = None

    @property
    def audits(self) -> bool:
        """Whether wheels are audited."""
        return self.type is BuildType.RELEASE if self.audit is None else self.audit

    @property
    def compiles(self) -> bool:
        """Whether something of what is asked for is to be native: at level mixed, the dependencies that go along."""
        return self.level is Level.NATIVE or (self.level is Level.MIXED and self.bundle.carries)


@dataclass(frozen=True)
class Fallback:
    """A module that was to be native and is not, with the reason.

    Attributes:
        module: Its dotted name.
        targets: Where that is so.
        python: For which Python.
        form: What it is instead.
        reason: Why, in the compiler's words where they are its.
        distribution: Name and version of the dependency that it belongs to; empty for a module of the project.
    """

    module: str
    targets: tuple[str, ...]
    python: PythonVersion
    form: str
    reason: str
    distribution: str = ""


@dataclass(frozen=True)
class CompiledDependency:
    """What became of the modules of a dependency that was to be compiled.

    Attributes:
        name: The distribution.
        version: Its version.
        targets: Where that is so.
        python: For which Python.
        native: Number of modules that are extension modules.
        bytecode: Number of those that are bytecode.
        source: Number of those that stayed as they were, since Python cannot read them.
    """

    name: str
    version: str
    targets: tuple[str, ...]
    python: PythonVersion
    native: int
    bytecode: int
    source: int


@dataclass(frozen=True)
class Minified:
    """What became of the sizes of a package's modules that were to be smaller.

    Attributes:
        package: Whose.
        modules: Their number: those that are Python in the artifacts.
        before: Bytes of their sources.
        after: Bytes of their texts.
        kept: Modules that stayed as they are, with the reason.
    """

    package: str
    modules: int
    before: int
    after: int
    kept: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Artifact:
    """One thing that a build made.

    Attributes:
        path: The wheel, the folder of a binary, the patch, or the archive of data files.
        kind: ``wheel``, ``folder``, ``patch`` or ``resource``.
        package: Whose it is.
        targets: Target names that it serves.
        python: The Python version it is bound to; None when it is not.
        size: Bytes (of a folder: all files).
        sha256: Digest of the file; of a folder: of its ``manifest.json``.
        cached: Whether every step of it came from the store.
        run: ``run`` when it was run on its target, else ``built, not run``; empty for data, which nobody runs.
        later: Whether it serves every Python after ``python``, too.
    """

    path: Path
    kind: str
    package: str
    targets: tuple[str, ...]
    python: PythonVersion | None
    size: int
    sha256: str
    cached: bool
    run: str = "built, not run"
    later: bool = False


@dataclass(frozen=True)
class BuildResult:
    """What a build did.

    Attributes:
        artifacts: What stands now.
        fallbacks: Modules that are not native although they were to be.
        left_out: Targets without such an artifact, with the reason.
        warnings: What a person should know before using the artifacts.
        tasks_run: Number of tasks that ran.
        tasks_cached: Number of those whose result was known; those of the remote cache among them.
        tasks_remote: Number of those whose result came from the remote cache.
        tasks_compiled: Number of the tasks that ran which called a compiler, those that translate into C among them.
        seconds: How long it took.
        tasks: What became of each task, if that was asked for.
        dependencies: What became of the dependencies that were to be compiled.
        minified: What became of the sizes of modules that were to be smaller, by package.
    """

    artifacts: tuple[Artifact, ...]
    fallbacks: tuple[Fallback, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    tasks_run: int = 0
    tasks_cached: int = 0
    tasks_remote: int = 0
    tasks_compiled: int = 0
    seconds: float = 0.0
    tasks: tuple[TaskReport, ...] = ()
    dependencies: tuple[CompiledDependency, ...] = ()
    minified: tuple[Minified, ...] = ()


@dataclass(frozen=True)
class Step:
    """One event of long work, for whoever watches.

    Attributes:
        package: Whose work it is; empty for preparations.
        target: Target name, or empty for work that all targets share.
        step: A word for the table: ``transcompile``, ``compile``, ``bundle``, ``fetch zig`` …
        done: Tasks finished of this cell.
        total: Tasks of this cell, as far as known.
        cached: How many of the finished came from the store.
        detail: What is being done right now.
    """

    package: str
    target: str
    step: str
    done: int
    total: int
    cached: int = 0
    detail: str = ""


class Watcher(Protocol):
    """Whoever shows progress; the middleware calls it and does not know who it is."""

    def step(self, event: Step) -> None:
        """Take note of one event; may be called from any thread."""

    def note(self, text: str) -> None:
        """Show one line that a person should read now."""


@dataclass(frozen=True)
class Silent:
    """A watcher that shows nothing."""

    notes: list[str] = field(default_factory=list)

    def step(self, event: Step) -> None:
        """Ignore it."""

    def note(self, text: str) -> None:
        """Keep it for whoever asks."""
        self.notes.append(text)
