"""What tasks were made of the last times they ran on this machine: so that a build can say which input changed.

It explains; nothing is decided by it, and losing it costs explanations only.
"""

from __future__ import annotations

import contextlib
import json
import threading
from typing import TYPE_CHECKING

from pypackpack.model.journal import KIND, Change, Reason

if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from typing import TypeGuard

    from pypackpack.middleware.graph.task import Needs, Task

KEPT = 4
"""So many variants of a task are remembered: debug and release, two branches. A change is told against the most similar one."""

KEY, UNKEPT = "\0key", "\0unkept"
"""What a variant has besides its inputs; no input is called like that."""


class History:
    """The inputs of tasks, by task name. Safe to be used by several threads.

    As text, a line for each task: its name, the newest variant's key and whether its result is remembered, as a JSON list; a
    tab; the variants as JSON. Of thousands of tasks a build changes a few, and only their variants are read and written anew.
    """

    def __init__(self, text: bytes = b"") -> None:
        """Read what `text` gave; what cannot be read counts as nothing."""
        self._lock = threading.Lock()
        self.changed = False
        self._newest: dict[str, tuple[str, bool]] = {}
        self._lines: dict[str, bytes] = {}
        self._read: dict[str, list[dict[str, str]]] = {}
        for line in text.split(b"\n"):
            with contextlib.suppress(ValueError, TypeError, RecursionError):
                name, key, kept = json.loads(line[: line.index(b"\t")])
                self._newest[str(name)] = (str(key), bool(kept))
                self._lines[str(name)] = line
        self._is_first = not self._lines
        self._alike: dict[tuple[str, ...], list[str]] | None = None

    def note(self, task: Task, needs: Needs, key: str, *, kept: bool = True) -> None:
        """Remember what a task was made of, now that its result is known; and whether the result itself is remembered."""
        with self._lock:
            if self._newest.get(task.name) == (key, kept):
                return
            fresh = {KEY: key, **({} if kept else {UNKEPT: "yes"}), **inputs_of(task, needs)}
            variants = [fresh, *(each for each in self._variants(task.name) if each.get(KEY) != key)][:KEPT]
            self._read[task.name], self._newest[task.name] = variants, (key, kept)
            self._lines[task.name] = b"\t".join(json.dumps(each).encode() for each in ([task.name, key, kept], variants))
            self.changed = True

    def _variants(self, name: str) -> list[dict[str, str]]:
        """Return what is known of a task, the newest variant first."""
        if name not in self._read:
            found: object = None
            with contextlib.suppress(ValueError, RecursionError):
                found = json.loads(self._lines.get(name, b"\t").partition(b"\t")[2])
            self._read[name] = found if _is_sound(found) else []
        return self._read[name]

    def why(
        self,
        task: Task,
        needs: Needs,
        key: str,
        *,
        asked: tuple[str, ...] = (),
        rerun: bool = False,
        present: Container[str] = (),
    ) -> Reason:
        """Say why a task runs.

        Args:
            task: The task.
            needs: The results of what it needs.
            key: Its key, for which nothing is remembered.
            asked: Who wants it.
            rerun: Whether the person wants it to run whatever is remembered.
            present: The names of the tasks of this build: a new task is not compared with one that is there beside it.
        """
        if rerun:
            return Reason("asked", asked=asked)
        if self._is_first:
            return Reason("first", asked=asked)
        now = inputs_of(task, needs)
        with self._lock:
            variants = list(self._variants(task.name))
            if not variants:
                return Reason("new", *self._nearest(task, now, asked, present))
        for before in variants:
            if before.get(KEY) == key:
                return Reason("unkept" if UNKEPT in before else "gone", asked=asked)
        changes = min((_changes(before, now) for before in variants), key=len)
        return Reason("changed", tuple(changes), asked)

    def _nearest(
        self, task: Task, now: Mapping[str, str], asked: tuple[str, ...], present: Container[str]
    ) -> tuple[tuple[Change, ...], tuple[str, ...], str]:
        """Find what a new task replaces: the same step on the same thing under another name, such as for another Python."""
        if self._alike is None:
            self._alike = {}
            for name in self._lines:
                self._alike.setdefault(_subject(name), []).append(name)
        names = [name for name in self._alike.get(_subject(task.name), ()) if name not in present]
        found = [(_changes(before, now), name) for name in names for before in self._variants(name)[:1]]
        changes, near = min(found, key=lambda each: len(each[0]), default=([], ""))
        return tuple(changes), asked, near

    def text(self) -> bytes:
        """Return everything that is remembered, for the next build."""
        with self._lock:
            return b"\n".join(self._lines.values())


def _is_sound(variants: object) -> TypeGuard[list[dict[str, str]]]:
    return isinstance(variants, list) and all(
        isinstance(each, dict) and all(isinstance(value, str) for value in each.values()) for each in variants
    )


def _subject(name: str) -> tuple[str, ...]:
    """Return what a task does and on what: the first two words of its name."""
    return tuple(name.split(" ", 2)[:2])


def inputs_of(task: Task, needs: Needs) -> dict[str, str]:
    """Return everything that decides a task's result, by what a person knows it by."""
    found = {KIND: task.kind, **dict(task.inputs)}
    for need in task.needs:
        result = needs[need]
        for name, digest in sorted(result.outputs.items()):
            found[f"{name} of {need}"] = digest
        for name, text in sorted(result.facts.items()):
            found[f"{name} of {need}"] = text
    return found


def _changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[Change]:
    names = [*now, *(name for name in before if name not in now and name not in (KEY, UNKEPT))]
    return [Change(name, before.get(name, ""), now.get(name, "")) for name in names if before.get(name) != now.get(name)]
