"""Running a graph: what is remembered is taken, the rest runs, longest path first."""

from __future__ import annotations

import contextlib
import heapq
import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from pypackpack.middleware.graph.task import critical_paths
from pypackpack.model.build import Step
from pypackpack.model.errors import PyPackPackError, TasksFailedError, add_note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from pypackpack.middleware.graph.task import Needs, Task
    from pypackpack.model.action import ActionResult
    from pypackpack.model.build import Watcher

WAKE_SECONDS = 0.2
"""How often the waiting main thread looks up: on Windows a wait without end cannot be interrupted by Ctrl-C."""

CHEAP_SECONDS = 0.05
"""Work that costs less is done sooner than a memory elsewhere is asked for it."""

STORE, REMOTE, TWIN, RAN = "store", "remote", "twin", "run"
"""Where a result came from: this machine's store, the remote cache, a task of this graph with the same key, or work."""


class Memory(Protocol):
    """What remembers results: the store, or a dictionary in a test."""

    def result(self, key: str) -> ActionResult | None:
        """Return what was recorded for a key, or None."""

    def record(self, key: str, result: ActionResult) -> None:
        """Remember a result."""


class Distant(Protocol):
    """A memory elsewhere. Asking it takes time, so it is asked by threads of its own, and never stops a build."""

    @property
    def width(self) -> int:
        """How many may ask at one time."""

    def lookup(self, key: str) -> ActionResult | None:
        """Return what is known there of a key, or None."""

    def offer(self, key: str, result: ActionResult) -> None:
        """Hand over a result that was made here; returns at once."""


@dataclass(frozen=True)
class Outcome:
    """What came of a task.

    Attributes:
        result: What it left behind.
        source: Where that came from: one of the words above.
        key: The task's key.
        start: When it began, in seconds of the monotonic clock.
        end: When it ended.
        worker: Number of the thread that did it; -1 for what was remembered.
        output: What its tools said, also when all went well.
        before: What memory has of the same key, where the task was to run all the same.
    """

    result: ActionResult
    source: str
    key: str = ""
    start: float = 0.0
    end: float = 0.0
    worker: int = -1
    output: str = ""
    before: ActionResult | None = None

    @property
    def cached(self) -> bool:
        """Whether nothing had to be done for it."""
        return self.source != RAN


class Listener(Protocol):
    """Whoever keeps a journal of a run. Called from any thread, never by two for one task."""

    def begun(self, task: Task, needs: Needs, key: str, worker: int) -> None:
        """Note that a task's work begins: nothing that is remembered fits it."""

    def ended(self, task: Task, needs: Needs, outcome: Outcome) -> None:
        """Note that there is a result."""

    def failed(self, task: Task, error: PyPackPackError, output: str) -> None:
        """Note that a task failed."""


class Deaf:
    """A listener that keeps nothing."""

    def begun(self, task: Task, needs: Needs, key: str, worker: int) -> None:
        """Ignore it."""

    def ended(self, task: Task, needs: Needs, outcome: Outcome) -> None:
        """Ignore it."""

    def failed(self, task: Task, error: PyPackPackError, output: str) -> None:
        """Ignore it."""


def _never(*_: object) -> bool:
    return False


def _silence(_task: Task) -> AbstractContextManager[list[str]]:
    return contextlib.nullcontext([])


@dataclass(frozen=True)
class Rules:
    """How a graph is run.

    Attributes:
        jobs: Number of threads that work; the work itself is in child processes or releases the interpreter lock.
        keep_going: Whether tasks that do not need a broken one still run.
        rerun: Tells of a task whether it is to run although its result is known.
        halted: Tells whether to begin nothing more; asked often.
        hearing: Opens a block for a task, in which what the tools of this thread say is gathered.
        interrupted: Called once when the person interrupts, before the workers are waited for: it ends their children.
    """

    jobs: int = 1
    keep_going: bool = False
    rerun: Callable[[Task], bool] = _never
    halted: Callable[[], bool] = _never
    hearing: Callable[[Task], AbstractContextManager[list[str]]] = _silence
    interrupted: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Finished:
    """A graph that was run.

    Attributes:
        outcomes: By task name; without those that failed, and those that needed one of them.
        failures: By task name, in the order in which they failed.
        skipped: Tasks that did not run, since one that they need failed.
        halted: Whether it was told to begin nothing more before everything was done.
    """

    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    failures: Mapping[str, PyPackPackError] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()
    halted: bool = False

    def check(self) -> None:
        """Raise what failed.

        Raises:
            PyPackPackError: The one error, or a TasksFailedError with all of them.
        """
        raise_failures(self.failures, self.skipped)


def raise_failures(failures: Mapping[str, PyPackPackError], skipped: Sequence[str] = ()) -> None:
    """Raise what failed; nothing happens when nothing did.

    Raises:
        PyPackPackError: The one error, or a TasksFailedError with all of them.
    """
    if not failures:
        return
    # Tasks that are the very same failed together, with one error.
    errors = {id(error): error for error in failures.values()}
    named = [(", ".join(name for name, its in failures.items() if its is error), error) for error in errors.values()]
    (names, first), *others = named
    if not others:
        lost = f"; {len(skipped)} that need it did not run" if skipped else ""
        add_note(first, f"in the task {names}{lost}")
        raise first
    more = f", and {len(skipped)} that need them did not run" if skipped else ""
    msg = f"{len(failures)} tasks failed{more}"
    told = []
    for names, error in named:
        told.append(f"{names}: {error.message}" + (f" ({error.hint})" if error.hint else ""))
        told += [f"    {line}" for line in error.details.splitlines()]
    raise TasksFailedError(msg, failures=tuple(named), details="\n".join(told)) from first


class _Run:
    """One run of a graph; every field that changes is guarded by ``changed``."""

    def __init__(
        self, tasks: Sequence[Task], memory: Memory, rules: Rules, distant: Distant | None, watcher: Watcher, listener: Listener
    ) -> None:
        self.lengths = critical_paths(tasks)
        self.tasks = {task.name: task for task in tasks}
        self.memory = memory
        self.rules = rules
        self.distant = distant
        self.watcher = watcher
        self.listener = listener
        self.changed = threading.Condition()
        self.results: dict[str, ActionResult] = {}
        self.outcomes: dict[str, Outcome] = {}
        self.failures: dict[str, PyPackPackError] = {}
        self.skipped: dict[str, None] = {}
        self.waiting = {task.name: len(set(task.needs)) for task in tasks}
        self.users: dict[str, list[str]] = {task.name: [] for task in tasks}
        for task in tasks:
            for need in set(task.needs):
                self.users[need].append(task.name)
        # Three queues by length of path: tasks whose key is not known yet, those to ask the distant memory for, those to run.
        self.fresh: list[tuple[float, str]] = []
        self.asking: list[tuple[float, str]] = []
        self.todo: list[tuple[float, str]] = []
        self.keys: dict[str, str] = {}
        self.claimed: dict[str, str] = {}
        self.twins: dict[str, list[str]] = {}
        self.made: dict[str, Outcome] = {}
        self.broken: dict[str, PyPackPackError] = {}
        for name, count in self.waiting.items():
            if count == 0:
                heapq.heappush(self.fresh, (-self.lengths[name], name))
        self.totals = Counter((task.package, task.target, task.step) for task in tasks)
        self.done: Counter[tuple[str, str, str]] = Counter()
        self.hits: Counter[tuple[str, str, str]] = Counter()
        self.error: BaseException | None = None
        self.halted = False
        self.stopped = False

    def needs_of(self, task: Task) -> Needs:
        return {need: self.results[need] for need in task.needs}

    def recall(self) -> None:
        """Take all results that memory has, in this thread: where nothing is left to run, no thread need be started."""
        while self.fresh:
            self.look(heapq.heappop(self.fresh)[1])

    def look(self, name: str) -> None:
        """Take a task's result from memory, or put the task where it goes on."""
        task = self.tasks[name]
        with self.changed:
            needs = self.needs_of(task)
        key = task.key(needs)
        again = self.rules.rerun(task)
        result = None if again else self.memory.result(key)
        if result is not None:
            self.finish(task, needs, Outcome(result, STORE, key))
            return
        with self.changed:
            self.keys[name] = key
            # The very same may have been done, or have failed, since memory was asked: it is not done twice, whoever was first.
            made, error = self.made.get(key), self.broken.get(key)
            result = made.result if made is not None and (made.source == RAN or not again) else None
            if result is None and error is None:
                if self.claimed.setdefault(key, name) != name:
                    self.twins.setdefault(key, []).append(name)
                    return
                here = again or self.distant is None or task.cost < CHEAP_SECONDS
                heapq.heappush(self.todo if here else self.asking, (-self.lengths[name], name))
                self.changed.notify_all()
        if result is not None:
            now = time.monotonic()
            self.finish(task, needs, Outcome(result, TWIN, key, now, now))
        elif error is not None:
            self.fail(task, error, "")

    def work(self, number: int) -> None:
        """Look at new tasks and run those that have to, until there are none left; the body of each working thread."""
        while True:
            with self.changed:
                while not self.fresh and not self.todo and not self.over():
                    self.changed.wait()
                if self.over():
                    return
                new = bool(self.fresh)
                name = heapq.heappop(self.fresh if new else self.todo)[1]
            try:
                self.look(name) if new else self.do(name, number)
            except BaseException as error:  # noqa: BLE001 - handed to the main thread, which raises it
                self.stop(error)
                return

    def ask(self) -> None:
        """Ask the distant memory; the body of each asking thread."""
        while True:
            with self.changed:
                while not self.asking and not self.over():
                    self.changed.wait()
                if self.over() or self.distant is None:
                    return
                item = heapq.heappop(self.asking)
                task = self.tasks[item[1]]
                needs, key = self.needs_of(task), self.keys[task.name]
            try:
                start = time.monotonic()
                result = self.distant.lookup(key)
                if result is not None:
                    self.finish(task, needs, Outcome(result, REMOTE, key, start, time.monotonic()))
                    continue
            except BaseException as error:  # noqa: BLE001 - as above
                self.stop(error)
                return
            with self.changed:
                heapq.heappush(self.todo, item)
                self.changed.notify_all()

    def do(self, name: str, number: int) -> None:
        """Do a task's work."""
        task = self.tasks[name]
        with self.changed:
            needs, key = self.needs_of(task), self.keys[name]
        before = self.memory.result(key) if self.rules.rerun(task) else None
        self.tell(task)
        self.listener.begun(task, needs, key, number)
        start = time.monotonic()
        with self.rules.hearing(task) as heard:
            try:
                result = task.run(needs)
                if result.keep:
                    self.memory.record(key, result)
            except PyPackPackError as error:
                error.details = error.details or "".join(heard).rstrip()  # what the tools said is all that there is to go by
                self.fail(task, error, "".join(heard))
                return
        if result.keep and self.distant is not None and task.cost >= CHEAP_SECONDS:
            self.distant.offer(key, result)
        self.finish(task, needs, Outcome(result, RAN, key, start, time.monotonic(), number, "".join(heard), before))

    def over(self) -> bool:
        if self.left() == 0 or self.stopped or self.error is not None or (self.failures and not self.rules.keep_going):
            return True
        self.halted = self.halted or self.rules.halted()
        return self.halted

    def left(self) -> int:
        """Return the number of tasks of which it is not known yet what became of them."""
        return len(self.tasks) - len(self.outcomes) - len(self.failures) - len(self.skipped)

    def stop(self, error: BaseException) -> None:
        with self.changed:
            self.error = self.error or error
            self.changed.notify_all()

    def finish(self, task: Task, needs: Needs, outcome: Outcome) -> None:
        """Note a result, let those that wait for it go on, and give it to those that want the very same."""
        self.listener.ended(task, needs, outcome)
        cell = (task.package, task.target, task.step)
        with self.changed:
            self.results[task.name] = outcome.result
            # What ten thousand tools said would fill the memory; whoever listens has heard it.
            self.outcomes[task.name] = replace(outcome, output="") if outcome.output else outcome
            if outcome.source == RAN or outcome.key not in self.made:
                self.made[outcome.key] = self.outcomes[task.name]
            self.done[cell] += 1
            self.hits[cell] += outcome.cached
            for user in self.users[task.name]:
                self.waiting[user] -= 1
                if self.waiting[user] == 0 and user not in self.skipped:
                    heapq.heappush(self.fresh, (-self.lengths[user], user))
            twins = self.unclaim(outcome.key, task)
            if outcome.source != RAN:  # a twin that is to run whatever is remembered has not got what it waited for
                unserved = [name for name in twins if self.rules.rerun(self.tasks[name])]
                twins = [name for name in twins if name not in unserved]
                self.reclaim(outcome.key, unserved)
            others = [(self.tasks[name], self.needs_of(self.tasks[name])) for name in twins]
            self.changed.notify_all()
        self.tell(task)
        for twin, its in others:
            self.finish(twin, its, Outcome(outcome.result, TWIN, outcome.key, outcome.end, outcome.end))

    def fail(self, task: Task, error: PyPackPackError, output: str) -> None:
        """Note a failure, that nothing which needs the task can run, and that what is the very same fails too."""
        self.listener.failed(task, error, output)
        with self.changed:
            self.failures[task.name] = error
            self.broken[self.keys[task.name]] = error
            lost = list(self.users[task.name])
            for name in lost:  # grows while it is walked
                if name not in self.skipped:
                    self.skipped[name] = None
                    lost += self.users[name]
            twins = self.unclaim(self.keys[task.name], task)
            self.changed.notify_all()
        for twin in twins:
            self.fail(self.tasks[twin], error, "")

    def reclaim(self, key: str, names: list[str]) -> None:
        """Let the first of some tasks with one key run, and the others wait for it."""
        if names:
            first, *others = names
            self.claimed[key] = first
            self.twins[key] = others
            heapq.heappush(self.todo, (-self.lengths[first], first))

    def unclaim(self, key: str, task: Task) -> list[str]:
        """Give a key back, so that nobody waits for it any more, and return those who did."""
        if self.claimed.get(key) != task.name:
            return []
        del self.claimed[key]
        return self.twins.pop(key, [])

    def tell(self, task: Task) -> None:
        """Tell the watcher that a task begins or has ended."""
        cell = (task.package, task.target, task.step)
        with self.changed:
            event = Step(*cell, self.done[cell], self.totals[cell], self.hits[cell], task.label)
        self.watcher.step(event)

    def threads(self) -> list[threading.Thread]:
        """Return the threads of the run, not started."""
        made = [
            threading.Thread(target=self.work, args=(number,), name=f"worker-{number}", daemon=True)
            for number in range(max(1, min(self.rules.jobs, self.left())))
        ]
        if self.distant is not None:
            names = [f"ask-{number}" for number in range(max(1, min(self.distant.width, self.left())))]
            made += [threading.Thread(target=self.ask, name=name, daemon=True) for name in names]
        return made

    def finished(self) -> Finished:
        # What was under way when it was halted may have been all that was left.
        return Finished(self.outcomes, self.failures, tuple(self.skipped), self.halted and self.left() > 0)


def run_tasks(
    tasks: Sequence[Task],
    memory: Memory,
    rules: Rules,
    *,
    watcher: Watcher,
    distant: Distant | None = None,
    listener: Listener | None = None,
) -> Finished:
    """Run every task whose result is not remembered, at most ``rules.jobs`` at a time.

    Args:
        tasks: The graph, in any order.
        memory: Where results are looked up and recorded.
        rules: How.
        watcher: Told of every finished task.
        distant: Asked for what memory does not have, and told of what was made.
        listener: Keeps a journal.

    Returns:
        Outcomes and failures. Without ``keep_going`` nothing begins after the first failure; what runs already is finished.

    Raises:
        WorkError: The graph is wrong.
    """
    run = _Run(tasks, memory, rules, distant, watcher, listener or Deaf())
    for cell, total in run.totals.items():
        watcher.step(Step(*cell, 0, total))
    run.recall()
    if run.over():
        return run.finished()
    threads: list[threading.Thread] = []
    try:
        for thread in run.threads():
            thread.start()
            threads.append(thread)
        _join(threads, run)
    except BaseException:
        with run.changed:
            run.stopped = True
            run.changed.notify_all()
        rules.interrupted()
        for thread in threads:
            while thread.is_alive():  # not one wait without end: a person who interrupts once more means it
                thread.join(WAKE_SECONDS)
        raise
    if run.error is not None:
        raise run.error
    return run.finished()


def _join(threads: Iterable[threading.Thread], run: _Run) -> None:
    """Wait for all threads; those that sleep are woken now and then, since whoever halts a run does not."""
    for thread in threads:
        while thread.is_alive():
            thread.join(WAKE_SECONDS)
            with run.changed:
                if run.over():
                    run.changed.notify_all()
