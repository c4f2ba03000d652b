"""Tasks: pure functions of declared inputs, and the key that stands for all of these inputs."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pypackpack.model.errors import WorkError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pypackpack.model.action import ActionResult

    Needs = Mapping[str, ActionResult]

KEY_VERSION = "2"


@dataclass(frozen=True)
class Task:
    """One step of work.

    Attributes:
        name: Unique in its graph, and the same in the next build, so that the two can be compared; not in the key.
        package: Whose work it is, for display; not in the key.
        target: For which target, for display; empty when all share it.
        step: What it does, in a word, for display.
        kind: What function this is, with a version that changes when the function does; in the key.
        inputs: Everything that can change the output besides the outputs of ``needs``, as pairs of a name that a person
            understands and a digest or a short text; in the key.
        needs: Names of tasks whose results ``run`` gets; the digests and facts of their results are in the key.
        run: The work. Called with the results of ``needs``; possibly in any thread.
        cost: Rough seconds, to start the longest path first; not in the key.
        label: What it works on, for display; not in the key.
        writes: Paths outside the store that its output goes to; no two tasks of a graph have one in common. Not in the key.
        asked: What it is made for, where no other task of the graph needs it; for display, not in the key.
    """

    name: str
    package: str
    target: str
    step: str
    kind: str
    inputs: tuple[tuple[str, str], ...]
    run: Callable[[Needs], ActionResult]
    needs: tuple[str, ...] = ()
    cost: float = field(default=1.0)
    label: str = ""
    writes: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()

    def key(self, results: Needs) -> str:
        """Return the SHA-256 over the kind, the inputs and what the needed tasks left behind.

        Every part is preceded by its length, so that no two different lists read the same.
        """
        parts = [KEY_VERSION, self.kind, *(part for pair in self.inputs for part in pair), "end"]
        for need in self.needs:
            result = results[need]
            for name in sorted(result.outputs):
                parts += (f"o{name}", result.outputs[name])
            for name in sorted(result.facts):
                parts += (f"f{name}", result.facts[name])
            parts.append("end")
        pieces: list[bytes] = []
        for part in parts:
            data = part.encode("utf-8", "surrogatepass")  # names of files need not be text
            pieces += (len(data).to_bytes(8, "big"), data)
        return hashlib.sha256(b"".join(pieces)).hexdigest()


def critical_paths(tasks: Sequence[Task]) -> dict[str, float]:
    """Return for each task the cost of the longest path that starts with it.

    Raises:
        WorkError: Two tasks have one name or write one file, one needs a task that is not there, or they need each other
            in a circle (the circle is named).
    """
    by_name = _named(tasks)
    order, users = _ordered(by_name)
    length: dict[str, float] = {}
    for name in reversed(order):
        length[name] = by_name[name].cost + max((length[user] for user in users[name]), default=0.0)
    return length


def in_order(tasks: Sequence[Task]) -> list[Task]:
    """Return tasks so that each stands after those that it needs.

    Raises:
        WorkError: As with `critical_paths`.
    """
    by_name = _named(tasks)
    return [by_name[name] for name in _ordered(by_name)[0]]


def needless(tasks: Sequence[Task], gone: Iterable[str]) -> set[str]:
    """Return the names of the tasks that nobody needs when some are not run: these, and what they alone need, however far away.

    Args:
        tasks: Those that would run.
        gone: Names of those that do not.
    """
    found = set(gone)
    by_name = {task.name: task for task in tasks}
    while True:
        wanted = {need for task in tasks if task.name not in found for need in task.needs}
        more = {need for name in found for need in by_name[name].needs if need in by_name} - wanted - found
        if not more:
            return found
        found |= more


def _named(tasks: Sequence[Task]) -> dict[str, Task]:
    by_name: dict[str, Task] = {}
    for task in tasks:
        if by_name.setdefault(task.name, task) is not task:
            msg = f"two tasks are called {task.name}"
            raise WorkError(msg)
    writers: dict[str, str] = {}
    for task in tasks:
        for path in task.writes:
            other = writers.setdefault(os.path.normcase(path), task.name)
            if other != task.name:
                msg = f"{other} and {task.name} both write {path}"
                raise WorkError(msg)
    return by_name


def _ordered(by_name: Mapping[str, Task]) -> tuple[list[str], dict[str, list[str]]]:
    """Return the names so that each stands after what it needs, and the users of each."""
    users: dict[str, list[str]] = {name: [] for name in by_name}
    waiting: dict[str, int] = {}
    for task in by_name.values():
        needs = set(task.needs)
        waiting[task.name] = len(needs)
        for need in needs:
            if need not in users:
                msg = f"task {task.name} needs {need}, which is not there"
                raise WorkError(msg)
            users[need].append(task.name)
    order = [name for name, count in waiting.items() if count == 0]
    for name in order:  # grows while it is walked
        for user in users[name]:
            waiting[user] -= 1
            if waiting[user] == 0:
                order.append(user)
    if len(order) < len(by_name):
        raise WorkError("tasks need each other in a circle: " + " → ".join(_circle(by_name, waiting)))
    return order, users


def _circle(by_name: Mapping[str, Task], waiting: Mapping[str, int]) -> list[str]:
    """Walk the unfinished tasks until one comes again."""
    name = next(name for name, count in waiting.items() if count > 0)
    walk: list[str] = []
    while name not in walk:
        walk.append(name)
        name = next(need for need in by_name[name].needs if waiting[need] > 0)
    return [*walk[walk.index(name) :], name]
