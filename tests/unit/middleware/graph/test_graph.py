"""The graph: keys, order, what is remembered, and what stops it."""

from __future__ import annotations

import os
import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypackpack.middleware.graph.schedule import Rules, run_tasks
from pypackpack.middleware.graph.task import Task, critical_paths
from pypackpack.model.action import ActionResult
from pypackpack.model.build import Silent, Step
from pypackpack.model.errors import WorkError
from tests.memory import Dictionary


def task(name: str, *needs: str, inputs: tuple[str, ...] | None = None, ran: list[str] | None = None, output: str | None = None) -> Task:
    def run(got: object) -> ActionResult:
        if ran is not None:
            ran.append(name)
        return ActionResult({"out": output or f"{name}{sorted(got)}"})  # type: ignore[call-overload]

    return Task(name=name, package="p", target="t", step="s", kind="k", inputs=tuple(("input", text) for text in ((name,) if inputs is None else inputs)), run=run, needs=needs)


def go(tasks: list[Task], memory: Dictionary | None = None, jobs: int = 2) -> dict[str, bool]:
    finished = run_tasks(tasks, memory or Dictionary(), Rules(jobs), watcher=Silent())
    finished.check()
    return {name: outcome.cached for name, outcome in finished.outcomes.items()}


def test_needs_run_before_their_users() -> None:
    ran: list[str] = []
    go([task("c", "b", ran=ran), task("b", "a", ran=ran), task("a", ran=ran)])
    assert ran == ["a", "b", "c"]


def test_a_second_run_takes_everything_from_memory() -> None:
    memory, ran = Dictionary(), []
    tasks = [task("a", ran=ran), task("b", "a", ran=ran)]
    assert go(tasks, memory) == {"a": False, "b": False}
    assert go(tasks, memory) == {"a": True, "b": True}
    assert ran == ["a", "b"]


def test_a_changed_input_runs_its_task_and_stops_where_the_output_is_the_same() -> None:
    memory, ran = Dictionary(), []
    go([task("a", inputs=("1",), output="same"), task("b", "a")], memory)
    cached = go([task("a", inputs=("2",), output="same", ran=ran), task("b", "a", ran=ran)], memory)
    assert cached == {"a": False, "b": True}
    assert ran == ["a"]


def test_a_result_that_is_not_to_be_kept_is_made_again() -> None:
    memory, ran = Dictionary(), []

    def run(_needs: object) -> ActionResult:
        ran.append("x")
        return ActionResult(facts={"refused": "why"}, keep=False)

    for _ in range(2):
        go([replace(task("a"), run=run)], memory)
    assert ran == ["x", "x"]


def test_the_display_and_the_cost_are_not_in_the_key() -> None:
    plain = task("a", inputs=("1",))
    other = replace(plain, name="z", package="q", target="r", step="w", cost=9.0, label="x", writes=("y",), asked=("z",))
    assert plain.key({}) == other.key({})


def test_names_of_files_that_are_no_text_have_keys() -> None:
    names = [os.fsdecode(b"\xff.txt"), os.fsdecode(b"\xfe.txt"), "\ud800.txt", "ÿ.txt"]
    assert len({task("a", inputs=(name,)).key({}) for name in names}) == len(names)


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_two_lists_of_inputs_have_one_key_only_if_they_are_equal(one: list[str], two: list[str]) -> None:
    keys = [task("a", inputs=tuple(inputs)).key({}) for inputs in (one, two)]
    assert (keys[0] == keys[1]) == (one == two)


@given(st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2), st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2))
def test_the_key_covers_outputs_and_facts_of_what_is_needed(outputs: dict[str, str], facts: dict[str, str]) -> None:
    user = task("b", "a")
    base = user.key({"a": ActionResult()})
    assert (user.key({"a": ActionResult(outputs, facts)}) == base) == (not outputs and not facts)
    if outputs != facts:
        assert user.key({"a": ActionResult(outputs, facts)}) != user.key({"a": ActionResult(facts, outputs)})


def test_a_circle_is_named() -> None:
    with pytest.raises(WorkError, match=r"circle: (a → b → a|b → a → b)"):
        critical_paths([task("a", "b"), task("b", "a"), task("c")])


def test_a_missing_need_and_a_double_name_are_refused() -> None:
    with pytest.raises(WorkError, match="a needs nothing"):
        critical_paths([task("a", "nothing")])
    with pytest.raises(WorkError, match="two tasks are called a"):
        critical_paths([task("a"), task("a")])


def test_two_tasks_that_write_one_file_are_refused_before_anything_runs() -> None:
    ran: list[str] = []
    tasks = [replace(task(name, ran=ran), writes=("out/common.whl", f"out/{name}.txt")) for name in ("a", "b")]
    with pytest.raises(WorkError, match=r"a and b both write out/common\.whl"):
        go(tasks)
    assert ran == []


def test_the_longest_path_starts_first() -> None:
    ran: list[str] = []
    long = replace(task("long", ran=ran), cost=5.0)
    go([task("short", ran=ran), replace(task("user", "long", ran=ran), cost=1.0), long], jobs=1)
    assert ran[0] == "long"


class Elsewhere:
    """A distant memory that knows some keys."""

    width = 3

    def __init__(self, known: dict[str, ActionResult]) -> None:
        self.known = known
        self.asked: list[str] = []
        self.offered: dict[str, ActionResult] = {}

    def lookup(self, key: str) -> ActionResult | None:
        self.asked.append(key)
        return self.known.get(key)

    def offer(self, key: str, result: ActionResult) -> None:
        self.offered[key] = result


def test_a_distant_memory_is_asked_once_and_told_of_what_ran() -> None:
    ran: list[str] = []
    tasks = [task("a", ran=ran), task("b", "a", ran=ran), task("c", ran=ran)]
    key = tasks[0].key({})
    elsewhere = Elsewhere({key: ActionResult({"out": "a[]"})})
    finished = run_tasks(tasks, Dictionary(), Rules(2), watcher=Silent(), distant=elsewhere)
    assert {name: outcome.source for name, outcome in finished.outcomes.items()} == {"a": "remote", "b": "run", "c": "run"}
    assert sorted(ran) == ["b", "c"]
    assert len(elsewhere.asked) == len(set(elsewhere.asked)) == 3
    assert key not in elsewhere.offered
    assert len(elsewhere.offered) == 2


def test_what_is_done_sooner_than_asked_is_not_asked() -> None:
    elsewhere = Elsewhere({})
    run_tasks([replace(task("a"), cost=0.01)], Dictionary(), Rules(1), watcher=Silent(), distant=elsewhere)
    assert elsewhere.asked == []
    assert elsewhere.offered == {}


def test_an_error_stops_what_has_not_begun() -> None:
    ran: list[str] = []

    def fail(_needs: object) -> ActionResult:
        msg = "broken"
        raise WorkError(msg)

    with pytest.raises(WorkError, match="broken"):
        go([replace(task("a"), run=fail, cost=9.0), task("b", "a", ran=ran), task("c", ran=ran)], jobs=1)
    assert ran == []


def test_an_interrupt_ends_the_children_and_is_passed_on() -> None:
    ended = threading.Event()

    def interrupt(_needs: object) -> ActionResult:
        raise KeyboardInterrupt

    def waits(_needs: object) -> ActionResult:
        return ActionResult({"ended": str(ended.wait(10))})

    with pytest.raises(KeyboardInterrupt):
        run_tasks([replace(task("a"), run=interrupt)], Dictionary(), Rules(2, interrupted=ended.set), watcher=Silent())


@given(st.integers(1, 12), st.integers(1, 6), st.randoms(use_true_random=False))
def test_every_order_is_respected_whatever_the_number_of_jobs(size: int, jobs: int, random: object) -> None:
    ran: list[str] = []
    names = [f"t{number}" for number in range(size)]
    tasks = []
    for number, name in enumerate(names):
        needs = [other for other in names[:number] if random.random() < 0.4]  # type: ignore[attr-defined]
        tasks.append(task(name, *needs, ran=ran))
    go(tasks, jobs=jobs)
    place = {name: number for number, name in enumerate(ran)}
    assert sorted(ran) == sorted(names)
    assert all(place[need] < place[one.name] for one in tasks for need in one.needs)


def test_the_watcher_sees_each_cell_fill_up() -> None:
    events: list[Step] = []

    class Notes(Silent):
        def step(self, event: Step) -> None:
            events.append(event)

    run_tasks([task("a"), task("b")], Dictionary(), Rules(), watcher=Notes())
    counts = [(event.done, event.total) for event in events]
    assert counts[0] == (0, 2), "what is to come is known before it begins"
    assert counts[-1] == (2, 2)
    assert counts == sorted(counts)


def test_what_is_all_remembered_needs_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Dictionary()
    tasks = [task("a"), task("b", "a")]
    go(tasks, memory)

    def refuse(*_: object, **__: object) -> threading.Thread:
        pytest.fail("a thread was started")

    monkeypatch.setattr(threading, "Thread", refuse)
    assert go(tasks, memory) == {"a": True, "b": True}
