"""What holds of every graph, run by any number of threads, with whatever is remembered, broken, repeated or halted."""

from __future__ import annotations

import faulthandler
import threading
import time
import tracemalloc
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pypackpack.middleware.graph.schedule import CHEAP_SECONDS, RAN, Finished, Rules, raise_failures, run_tasks
from pypackpack.middleware.graph.task import Task
from pypackpack.model.action import ActionResult
from pypackpack.model.build import Silent
from pypackpack.model.errors import FilesystemError, TasksFailedError, ToolError, WorkError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pypackpack.middleware.graph.schedule import Outcome
    from pypackpack.model.errors import PyPackPackError

PATIENCE = 60
"""Seconds after which a run counts as stuck."""
BREAKS, UNKEPT = "breaks", "unkept"
COSTS = {"a": CHEAP_SECONDS / 2, "b": 3.0}


@dataclass(frozen=True)
class Node:
    """One task: what it is made of, whom it needs (numbers of earlier ones), what it costs and how long it takes."""

    made_of: str
    needs: tuple[int, ...]
    cost: float
    seconds: float


@dataclass(frozen=True)
class World:
    """A graph and the circumstances in which it is run."""

    nodes: tuple[Node, ...]
    known: frozenset[int]
    distant: frozenset[int] | None
    again: frozenset[int]
    width: int


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Graphs of few words, so that tasks are often the very same; what breaks and what is not kept follows from the words."""
    size = draw(st.integers(1, 12))
    nodes = []
    for number in range(size):
        needs = draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else set()
        made_of = draw(st.sampled_from(["a", "b", "c", "d", "e", BREAKS, UNKEPT]))
        nodes.append(
            Node(made_of, tuple(sorted(needs)), COSTS.get(made_of, 1.0), draw(st.sampled_from([0.0, 0.0, 0.0005, 0.002])))
        )
    numbers = st.frozensets(st.integers(0, size - 1))
    return World(tuple(nodes), draw(numbers), draw(st.none() | numbers), draw(numbers), draw(st.integers(1, 3)))


class Run:
    """One run of a world, with all that can be seen of it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.lock = threading.Lock()
        self.memory: dict[str, ActionResult] = {}
        self.ran: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.offered: Counter[str] = Counter()
        self.begun: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.finished: set[str] = set()
        self.busy = self.busiest = 0
        self.tasks = [self._task(number, node) for number, node in enumerate(world.nodes)]
        self.results, self.keys = self._expected()
        self.memory.update({self.keys[number]: self.results[number] for number in world.known if self.results.get(number)})

    def _expected(self) -> tuple[dict[int, ActionResult], dict[int, str]]:
        """What each task leaves behind when all are run one after the other, and its key; without those that cannot."""
        results: dict[int, ActionResult] = {}
        keys: dict[int, str] = {}
        for number, node in enumerate(self.world.nodes):
            if all(need in results for need in node.needs):
                keys[number] = self.tasks[number].key({f"t{need}": results[need] for need in node.needs})
                if node.made_of != BREAKS:
                    results[number] = self._result(node, [results[need] for need in node.needs])
        for number, node in enumerate(self.world.nodes):
            if node.made_of == UNKEPT and number in results and number in self.world.known | (self.world.distant or frozenset()):
                results[number] = ActionResult(results[number].outputs)  # somebody remembers it nevertheless
        return results, keys

    @staticmethod
    def _result(node: Node, needs: Sequence[ActionResult]) -> ActionResult:
        return ActionResult(
            {"out": f"{node.made_of}({' '.join(need.outputs['out'] for need in needs)})"}, keep=node.made_of != UNKEPT
        )

    def _task(self, number: int, node: Node) -> Task:
        def run(needs: Mapping[str, ActionResult]) -> ActionResult:
            with self.lock:
                assert list(needs) == [f"t{need}" for need in node.needs]
                assert self.finished >= set(needs), "it began before something that it needs had ended"
                self.ran[task.key(needs)] += 1
                self.busy += 1
                self.busiest = max(self.busiest, self.busy)
            if node.seconds:
                time.sleep(node.seconds)
            with self.lock:
                self.busy -= 1
            if node.made_of == BREAKS:
                msg = f"t{number}"
                raise WorkError(msg)
            return self._result(node, [needs[f"t{need}"] for need in node.needs])

        task = Task(
            name=f"t{number}",
            package="p",
            target="t",
            step="s",
            kind="k",
            inputs=(("made of", node.made_of),),
            run=run,
            needs=tuple(f"t{need}" for need in node.needs),
            cost=node.cost,
        )
        return task

    # The memory here.
    def result(self, key: str) -> ActionResult | None:
        with self.lock:
            return self.memory.get(key)

    def record(self, key: str, result: ActionResult) -> None:
        with self.lock:
            self.memory[key] = result

    # The memory elsewhere.
    @property
    def width(self) -> int:
        return self.world.width

    def lookup(self, key: str) -> ActionResult | None:
        with self.lock:
            self.asked[key] += 1
        time.sleep(0.0003)
        have = {self.keys[number]: self.results[number] for number in self.world.distant or () if number in self.results}
        return have.get(key)

    def offer(self, key: str, result: ActionResult) -> None:
        assert result.keep
        with self.lock:
            self.offered[key] += 1

    # The listener; what is told of is over, so that whoever needs it may begin.
    def listen(self) -> Run:
        return self

    def go(
        self, jobs: int, *, keep_going: bool = True, rerun: bool = False, halted: Callable[[], bool] = lambda: False
    ) -> Finished:
        again = {f"t{number}" for number in self.world.again} if rerun else set()
        rules = Rules(jobs, keep_going=keep_going, rerun=lambda task: task.name in again, halted=halted)
        distant = None if self.world.distant is None else self
        return within_patience(
            lambda: run_tasks(self.tasks, self, rules, watcher=Silent(), distant=distant, listener=Listening(self))
        )


@dataclass
class Listening:
    """Counts what a listener is told."""

    run: Run

    def begun(self, task: Task, needs: Mapping[str, ActionResult], key: str, worker: int) -> None:
        assert task.key(needs) == key
        assert worker >= 0
        with self.run.lock:
            self.run.begun[task.name] += 1

    def ended(self, task: Task, needs: Mapping[str, ActionResult], outcome: Outcome) -> None:
        assert task.key(needs) == outcome.key
        with self.run.lock:
            self.run.ended[task.name] += 1
            self.run.finished.add(task.name)

    def failed(self, task: Task, error: PyPackPackError, output: str) -> None:
        assert not output
        assert error.message
        with self.run.lock:
            self.run.failed[task.name] += 1


def within_patience(act: Callable[[], Finished]) -> Finished:
    """Run something that must come to an end; where it does not, say where every thread is."""
    box: list[Finished] = []
    errors: list[BaseException] = []

    def target() -> None:
        try:
            box.append(act())
        except BaseException as error:  # noqa: BLE001 - raised below
            errors.append(error)

    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if thread.is_alive():
        faulthandler.dump_traceback(all_threads=True)
        pytest.fail("the schedule is stuck")
    if errors:
        raise errors[0]
    return box[0]


def names(numbers: object) -> set[str]:
    return {f"t{number}" for number in numbers}  # type: ignore[attr-defined]


def outputs(finished: Finished) -> dict[str, Mapping[str, str]]:
    return {name: outcome.result.outputs for name, outcome in finished.outcomes.items()}


@settings(max_examples=80)
@given(worlds(), st.integers(1, 6), st.booleans())
def test_everything_is_accounted_for_and_done_once(world: World, jobs: int, rerun: bool) -> None:
    run = Run(world)
    before = set(run.memory)
    finished = run.go(jobs, rerun=rerun)
    broken = {f"t{number}" for number, node in enumerate(world.nodes) if number in run.keys and node.made_of == BREAKS}
    assert outputs(finished) == {f"t{number}": result.outputs for number, result in run.results.items()}
    assert set(finished.failures) == broken
    assert set(finished.skipped) == {task.name for task in run.tasks} - set(finished.outcomes) - broken
    assert not finished.halted
    assert run.busiest <= jobs
    assert max(run.ran.values(), default=0) <= 1, "of tasks that are the very same, one runs"
    assert max(run.asked.values(), default=0) <= 1
    again = {run.keys[number] for number in world.again if number in run.keys} if rerun else set()
    assert not (before - again) & set(run.ran), "what is remembered does not run"
    # What is the very same as one that need not run may be taken from where that one was.
    assert again <= set(run.ran), "what a person wants to run runs, whatever is remembered here and elsewhere"
    dear = {number for number, node in enumerate(world.nodes) if node.cost >= CHEAP_SECONDS and node.made_of != UNKEPT}
    assert run.offered == {
        run.keys[number]: 1 for number in dear & set(run.results) if world.distant is not None and run.ran[run.keys[number]]
    }
    assert run.ended == dict.fromkeys(finished.outcomes, 1)
    assert run.failed == dict.fromkeys(broken, 1)
    assert sum(run.begun.values()) == sum(run.ran.values())
    assert sum(outcome.source == RAN for outcome in finished.outcomes.values()) == sum(
        count for key, count in run.ran.items() if key not in {run.keys[int(name[1:])] for name in broken}
    )


@settings(max_examples=30)
@given(worlds(), st.integers(2, 6), st.booleans())
def test_what_comes_out_does_not_depend_on_the_number_of_jobs(world: World, jobs: int, rerun: bool) -> None:
    alone, together = Run(world), Run(world)
    one, many = alone.go(1, rerun=rerun), together.go(jobs, rerun=rerun)
    assert outputs(one) == outputs(many)
    assert set(one.failures) == set(many.failures)
    assert set(one.skipped) == set(many.skipped)
    assert alone.ran == together.ran
    assert alone.memory == together.memory


@settings(max_examples=30)
@given(worlds(), st.integers(1, 6))
def test_after_a_failure_nothing_new_begins_and_what_is_done_is_right(world: World, jobs: int) -> None:
    run = Run(world)
    finished = run.go(jobs, keep_going=False)
    right = {f"t{number}": result.outputs for number, result in run.results.items()}
    assert outputs(finished).items() <= right.items()
    broken = {f"t{number}" for number, node in enumerate(world.nodes) if number in run.keys and node.made_of == BREAKS}
    assert set(finished.failures) <= broken
    assert bool(finished.failures) is bool(broken)
    parts = [*finished.outcomes, *finished.failures, *finished.skipped]
    assert len(parts) == len(set(parts))
    if not broken:
        assert set(parts) == {task.name for task in run.tasks}
    # The next time goes on where this one ended: of what is remembered nothing runs again.
    done = {outcome.key for outcome in finished.outcomes.values() if outcome.result.keep}
    run.ran.clear()
    run.finished.clear()
    run.go(jobs)
    assert not done & set(run.ran)


@settings(max_examples=30)
@given(worlds(), st.integers(1, 6), st.integers(0, 30))
def test_a_halted_run_ends_with_what_it_began_and_the_next_one_does_the_rest(world: World, jobs: int, calls: int) -> None:
    run = Run(world)
    left = [calls]

    def halted() -> bool:
        left[0] -= 1
        return left[0] < 0

    finished = run.go(jobs, halted=halted)
    parts = [*finished.outcomes, *finished.failures, *finished.skipped]
    assert len(parts) == len(set(parts))
    assert finished.halted is (len(parts) < len(run.tasks))
    assert outputs(finished).items() <= {f"t{number}": result.outputs for number, result in run.results.items()}.items()
    assert not run.busy, "what had begun was finished"
    before = set(run.memory)
    run.ran.clear()
    run.finished.clear()
    rest = run.go(jobs)
    assert not before & set(run.ran)
    assert outputs(rest) == {f"t{number}": result.outputs for number, result in run.results.items()}


@dataclass
class Plain:
    """A memory of one test."""

    known: dict[str, ActionResult] = field(default_factory=dict)

    def result(self, key: str) -> ActionResult | None:
        return self.known.get(key)

    def record(self, key: str, result: ActionResult) -> None:
        self.known[key] = result


def plain(name: str, run: Callable[..., ActionResult], *needs: str, made_of: str = "") -> Task:
    return Task(name, "p", "t", "s", "k", (("made of", made_of or name),), run, needs)


def test_a_twin_that_comes_late_does_not_run_either() -> None:
    """Found by reading: between asking memory and claiming the key, the other one may have ended."""
    ran: list[str] = []

    def work(_needs: object) -> ActionResult:
        ran.append("x")
        return ActionResult({"out": "1"})

    class Slow(Plain):
        def result(self, key: str) -> ActionResult | None:
            found = super().result(key)
            if threading.current_thread() is not threading.main_thread() and key == late.key(
                {"first": ActionResult({"out": "1"})}
            ):
                asked.set()
                assert over.wait(PATIENCE)
            return found

    asked, over = threading.Event(), threading.Event()
    same = plain("same", work, "a", made_of="twin")
    late = plain("late", work, "a", made_of="twin")
    tasks = [plain("a", work), same, late]

    class Ears(Listening):
        def __init__(self) -> None:
            return

        def begun(self, *_: object) -> None:
            return

        def ended(self, task: Task, *_: object) -> None:
            if task.name in {"same", "late"}:
                over.set()

        def failed(self, *_: object) -> None:
            return

    finished = within_patience(lambda: run_tasks(tasks, Plain(), Rules(3), watcher=Silent(), listener=Ears()))
    assert len(ran) == 2
    assert sorted(outcome.source for outcome in finished.outcomes.values()) == ["run", "run", "twin"]


def test_twins_fail_together_and_are_told_of_once() -> None:
    def breaks(_needs: object) -> ActionResult:
        msg = "it broke"
        raise ToolError(msg)

    tasks = [plain("one", breaks, made_of="same"), plain("two", breaks, made_of="same"), plain("user", breaks, "two")]
    finished = run_tasks(tasks, Plain(), Rules(2, keep_going=True), watcher=Silent())
    assert set(finished.failures) == {"one", "two"}
    assert finished.skipped == ("user",)
    with pytest.raises(ToolError, match="it broke"):
        finished.check()
    failures = {**finished.failures, "three": ToolError("another")}
    with pytest.raises(TasksFailedError) as caught:
        raise_failures(failures)
    assert caught.value.details.count("it broke") == 1


def test_a_result_that_cannot_be_recorded_is_a_failure_of_its_task() -> None:
    class Full(Plain):
        def record(self, key: str, result: ActionResult) -> None:
            msg = f"no space left for {key[:1]} {result.outputs}"
            raise FilesystemError(msg)

    finished = run_tasks([plain("a", lambda _needs: ActionResult())], Full(), Rules(1), watcher=Silent())
    assert isinstance(finished.failures["a"], FilesystemError)


def test_what_thousands_of_tools_say_does_not_pile_up() -> None:
    """Each says 64,000 characters; together they would be 96 MB."""

    class Says:
        def __init__(self, _task: Task) -> None:
            return

        def __enter__(self) -> list[str]:
            return ["x" * 64_000]

        def __exit__(self, *_: object) -> None:
            return

    tasks = [plain(f"t{number}", lambda _needs: ActionResult({"out": "1"})) for number in range(1_500)]
    tracemalloc.start()
    try:
        finished = run_tasks(tasks, Plain(), Rules(4, hearing=Says), watcher=Silent())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(finished.outcomes) == 1_500
    assert peak < 12_000_000


def test_a_hundred_thousand_jobs_are_no_more_threads_than_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    thread = threading.Thread

    def counted(*args: object, **named: object) -> threading.Thread:
        made.append(str(named["name"]))
        return thread(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(threading, "Thread", counted)
    run_tasks(
        [plain("a", lambda _: ActionResult()), plain("b", lambda _: ActionResult())], Plain(), Rules(100_000), watcher=Silent()
    )
    assert made == ["worker-0", "worker-1"]
