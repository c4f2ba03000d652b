"""What tasks were made of the last times they ran on this machine: so that a build can say which input changed.

One JSON file per place in the user's cache. It explains; nothing is decided by it, and losing it costs explanations only.
"""

from __future__ import annotations

import contextlib
import json
import threading
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.model.errors import PyPackPackError
from pypackpack.model.journal import Change, Reason

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.middleware.graph.task import Needs, Task

VERSION = "history-v1"
KEPT = 4
"""So many variants of a task are remembered: debug and release, two branches. A change is told against the most similar one."""


class History:
    """The inputs of tasks, by task name. Safe to be used by several threads."""

    def __init__(self, cache: Path, place: str) -> None:
        """Read what is remembered of a place, for instance a project's folder."""
        self._file = cache / VERSION / f"{filesystem.sha256_bytes(place)[:32]}.json"
        self._lock = threading.Lock()
        self._changed = False
        self._known: dict[str, list[dict[str, str]]] = {}
        with contextlib.suppress(OSError, ValueError):
            loaded = json.loads(self._file.read_bytes())
            if isinstance(loaded, dict):
                self._known = {name: variants for name, variants in loaded.items() if _is_sound(variants)}

    def note(self, task: Task, needs: Needs, key: str) -> None:
        """Remember what a task was made of, now that its result is known."""
        with self._lock:
            variants = self._known.setdefault(task.name, [])
            if variants and variants[0].get("key") == key:
                return
            fresh = {"key": key, **_inputs(task, needs)}
            self._known[task.name] = [fresh, *(each for each in variants if each.get("key") != key)][:KEPT]
            self._changed = True

    def why(self, task: Task, needs: Needs, key: str, *, asked: tuple[str, ...] = (), rerun: bool = False) -> Reason:
        """Say why a task runs.

        Args:
            task: The task.
            needs: The results of what it needs.
            key: Its key, for which nothing is remembered.
            asked: Who wants it.
            rerun: Whether the person wants it to run whatever is remembered.
        """
        if rerun:
            return Reason("asked", asked=asked)
        with self._lock:
            variants = list(self._known.get(task.name, ()))
        if not variants:
            return Reason("new", asked=asked)
        if any(each.get("key") == key for each in variants):
            return Reason("gone", asked=asked)
        now = _inputs(task, needs)
        changes = min((_changes(before, now) for before in variants), key=len)
        return Reason("changed", tuple(changes), asked)

    def save(self) -> None:
        """Write what was learnt; it only explains, so an unwritable place is no error."""
        if self._changed:
            with contextlib.suppress(PyPackPackError):
                filesystem.write_atomic(self._file, json.dumps(self._known), durable=False)


def _is_sound(variants: object) -> bool:
    return isinstance(variants, list) and all(
        isinstance(each, dict) and all(isinstance(value, str) for value in each.values()) for each in variants
    )


def _inputs(task: Task, needs: Needs) -> dict[str, str]:
    """Return everything that decides a task's result, by what a person knows it by."""
    found = {"what the task does": task.kind, **dict(task.inputs)}
    for need in task.needs:
        result = needs[need]
        for name, digest in sorted(result.outputs.items()):
            found[f"{name} of {need}"] = digest
        for name, text in sorted(result.facts.items()):
            found[f"{name} of {need}"] = text
    return found


def _changes(before: dict[str, str], now: dict[str, str]) -> list[Change]:
    names = [*now, *(name for name in before if name not in now and name != "key")]
    return [Change(name, before.get(name, ""), now.get(name, "")) for name in names if before.get(name) != now.get(name)]
