"""Running a graph: what the store has is taken from it, the rest runs, longest path first."""

from __future__ import annotations

import heapq
import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pypackpack.middleware.graph.task import critical_paths
from pypackpack.model.build import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pypackpack.middleware.graph.task import Task
    from pypackpack.model.action import ActionResult
    from pypackpack.model.build import Watcher

WAKE_SECONDS = 0.2
"""How often the waiting main thread looks up: on Windows a wait without end cannot be interrupted by Ctrl-C."""


class Memory(Protocol):
    """What remembers results: the store, or a dictionary in a test."""

    def result(self, key: str) -> ActionResult | None:
        """Return what was recorded for a key, or None."""

    def record(self, key: str, result: ActionResult) -> None:
        """Remember a result."""


@dataclass(frozen=True)
class Outcome:
    """What came of a task: its result, and whether it came from memory."""

    result: ActionResult
    cached: bool


class _Run:
    """One run of a graph; every field but the constants is guarded by ``changed``."""

    def __init__(self, tasks: Sequence[Task], memory: Memory, watcher: Watcher) -> None:
        self.lengths = critical_paths(tasks)
        self.tasks = {task.name: task for task in tasks}
        self.memory = memory
        self.watcher = watcher
        self.changed = threading.Condition()
        self.results: dict[str, ActionResult] = {}
        self.outcomes: dict[str, Outcome] = {}
        self.waiting = {task.name: len(set(task.needs)) for task in tasks}
        self.users: dict[str, list[str]] = {task.name: [] for task in tasks}
        for task in tasks:
            for need in set(task.needs):
                self.users[need].append(task.name)
        self.ready: list[tuple[float, str]] = []
        for name, count in self.waiting.items():
            if count == 0:
                heapq.heappush(self.ready, (-self.lengths[name], name))
        self.totals = Counter((task.package, task.target, task.step) for task in tasks)
        self.done: Counter[tuple[str, str, str]] = Counter()
        self.hits: Counter[tuple[str, str, str]] = Counter()
        self.error: BaseException | None = None
        self.stopped = False

    def recall(self) -> None:
        """Take all results that memory has, in this thread: where nothing is left to run, no thread need be started."""
        left: list[tuple[float, str]] = []
        while self.ready:
            item = heapq.heappop(self.ready)
            task = self.tasks[item[1]]
            result = self.memory.result(task.key({need: self.results[need] for need in task.needs}))
            if result is None:
                left.append(item)
            else:
                self._finish(task, Outcome(result, cached=True))
        self.ready = left
        heapq.heapify(self.ready)

    def work(self) -> None:
        """Take ready tasks until there are none left; the body of each worker thread."""
        while True:
            with self.changed:
                while not self.ready and not self._over():
                    self.changed.wait()
                if self._over():
                    return
                task = self.tasks[heapq.heappop(self.ready)[1]]
                needs = {need: self.results[need] for need in task.needs}
            try:
                key = task.key(needs)
                result = self.memory.result(key)
                cached = result is not None
                if result is None:
                    self._tell(task)
                    result = task.run(needs)
                    if result.keep:
                        self.memory.record(key, result)
            except BaseException as error:  # noqa: BLE001 - handed to the main thread, which raises it
                with self.changed:
                    self.error = self.error or error
                    self.changed.notify_all()
                return
            self._finish(task, Outcome(result, cached))

    def _over(self) -> bool:
        return self.stopped or self.error is not None or len(self.outcomes) == len(self.tasks)

    def _finish(self, task: Task, outcome: Outcome) -> None:
        cell = (task.package, task.target, task.step)
        with self.changed:
            self.results[task.name] = outcome.result
            self.outcomes[task.name] = outcome
            self.done[cell] += 1
            self.hits[cell] += outcome.cached
            for user in self.users[task.name]:
                self.waiting[user] -= 1
                if self.waiting[user] == 0:
                    heapq.heappush(self.ready, (-self.lengths[user], user))
            self.changed.notify_all()
        self._tell(task)

    def _tell(self, task: Task) -> None:
        """Tell the watcher that a task begins or has ended."""
        cell = (task.package, task.target, task.step)
        with self.changed:
            event = Step(*cell, self.done[cell], self.totals[cell], self.hits[cell], task.label)
        self.watcher.step(event)


def run_tasks(
    tasks: Sequence[Task],
    memory: Memory,
    *,
    jobs: int,
    watcher: Watcher,
    interrupted: Callable[[], None] = lambda: None,
) -> dict[str, Outcome]:
    """Run every task whose result is not remembered, at most ``jobs`` at a time.

    Args:
        tasks: The graph, in any order.
        memory: Where results are looked up and recorded.
        jobs: Number of worker threads; the work itself is in child processes or releases the interpreter lock.
        watcher: Told of every finished task.
        interrupted: Called once when the person interrupts, before the workers are waited for: it ends their children.

    Returns:
        Outcome by task name.

    Raises:
        WorkError: The graph is wrong, or what a task raised (the first one; those already running are finished).
    """
    run = _Run(tasks, memory, watcher)
    for cell, total in run.totals.items():
        watcher.step(Step(*cell, 0, total))
    run.recall()
    if len(run.outcomes) == len(run.tasks):
        return run.outcomes
    threads = [threading.Thread(target=run.work, name=f"worker-{number}", daemon=True) for number in range(max(1, jobs))]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            while thread.is_alive():
                thread.join(WAKE_SECONDS)
    except BaseException:
        with run.changed:
            run.stopped = True
            run.changed.notify_all()
        interrupted()
        for thread in threads:
            thread.join()
        raise
    if run.error is not None:
        raise run.error
    return run.outcomes
