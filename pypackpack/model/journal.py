"""What is told of the tasks of a build: to whoever watches, to the profile, and to a person who asks why."""

from __future__ import annotations

from dataclasses import dataclass

KIND = "what the task does"
"""What a person knows a task's kind by, among its inputs."""


@dataclass(frozen=True)
class Change:
    """One input of a task that is not what it was.

    Attributes:
        name: What it is, as a person knows it: ``src/main/core.py``, ``zig``, ``flags``, ``c of transcompile …``.
        old: Its digest or text before; empty when there was none.
        new: Its digest or text now; empty when there is none any more.
    """

    name: str
    old: str
    new: str


@dataclass(frozen=True)
class Reason:
    """Why a task ran.

    Attributes:
        kind: ``first`` (of this project nothing is known on this machine), ``new`` (this task never was done here), ``changed``
            (see ``changes``), ``gone`` (its result was removed from the cache), ``asked`` (by ``--rerun``), ``unkept`` (it
            was done before, and such a result is not one that the cache keeps), or ``place`` (see ``text``).
        changes: Against the most similar of the times that it was done before; of a new task against ``near``.
        asked: Who wants it: tasks that need it, or what is built of it.
        near: Of a new task, the most similar one that earlier builds had and this one has not.
        text: A sentence, for what no input tells (kind ``place``: something on disk is not as it should be).
    """

    kind: str
    changes: tuple[Change, ...] = ()
    asked: tuple[str, ...] = ()
    near: str = ""
    text: str = ""


@dataclass(frozen=True)
class TaskReport:
    """One task of a build, as it went.

    Attributes:
        name: Its name, unique in the build and the same in the next.
        step: What it does, in a word.
        package: Whose work it is.
        target: For which target; empty when all share it.
        label: What it works on.
        key: The digest of everything that decides its result; empty when it did not come that far.
        source: ``run``, ``store`` (this machine's cache), ``remote`` (the remote cache), ``twin`` (another task of the build did
            the very same), ``failed`` or ``skipped`` (it needs one that failed).
        start: Seconds since the build began.
        end: The same, when it ended.
        worker: Number of the worker that did it; -1 for what was remembered.
        needs: Names of the tasks whose results it uses.
        reason: Why it ran; None for what was remembered.
        output: What its tools said.
        error: What went wrong, if it failed.
        unstable: Whether it was run again and left something else behind than the time before.
        inputs: Everything that decides its result, as pairs of what a person knows it by and a digest or short text: its own
            inputs, and what the tasks that it needs left behind. Where two machines differ, so does one of these.
        outputs: What it left behind, as pairs of a name and the SHA-256 of the content.
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
    needs: tuple[str, ...] = ()
    reason: Reason | None = None
    output: str = ""
    error: str = ""
    unstable: bool = False
    inputs: tuple[tuple[str, str], ...] = ()
    outputs: tuple[tuple[str, str], ...] = ()
