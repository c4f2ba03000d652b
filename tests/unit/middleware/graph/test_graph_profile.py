"""The numbers of a run."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from pypackpack.middleware.graph.profile import PathLink, profile
from pypackpack.model.journal import TaskReport


def report(name: str, start: float, end: float, worker: int = 0, *needs: str, source: str = "run", step: str = "s") -> TaskReport:
    return TaskReport(name, step, "p", "", name, "k", source, start, end, worker, needs)


def test_the_path_follows_what_is_needed() -> None:
    found = profile([report("c", 1, 3), report("x", 3, 8, 0, "c"), report("y", 3, 5, 1, "c"), report("other", 0, 2.5, 1)], 8.5)
    assert found.path == (PathLink("c", "first", 1), PathLink("x", "needs", 0))
    assert (found.longest, found.workers, found.busy) == (7, 2, 11.5)


def test_a_task_that_waited_for_a_worker_comes_after_the_one_that_had_it() -> None:
    found = profile([report("c", 0, 1, 0), report("long", 1, 9, 0, "c"), report("x", 9, 10, 0, "c"), report("y", 1, 4, 1)], 10)
    assert found.path == (PathLink("c", "first", 0), PathLink("long", "needs", 0), PathLink("x", "after", 0))
    assert found.longest == 9


def test_a_stage_waits_for_the_last_of_the_one_before() -> None:
    found = profile([report("a", 0, 1, 0), report("b", 0, 4, 1), report("wheel", 4.5, 5, 0, step="bundle")], 5)
    assert [link.name for link in found.path] == ["b", "wheel"]
    assert found.path[1] == PathLink("wheel", "after", 0.5)


def test_what_was_known_is_counted_and_takes_no_time() -> None:
    reports = [
        report("a", 1, 1, -1, source="store"),
        report("b", 1, 2, -1, source="remote"),
        report("c", 1, 3, 0),
        report("d", 3, 3, -1, source="twin"),
    ]
    reports += [report("e", 3, 4, 0, source="failed"), report("f", 4, 4, -1, "e", source="skipped")]
    found = profile(reports, 4)
    assert found.counts == {"run": 1, "store": 1, "remote": 1, "twin": 1, "failed": 1, "skipped": 1}
    assert (found.busy, found.workers) == (3, 1)
    assert [(step.step, step.seconds) for step in found.steps] == [("s", 3)]


def test_a_run_in_which_nothing_ran() -> None:
    for reports in ([], [report("a", 0.1, 0.1, -1, source="store")]):
        found = profile(reports, 0.2)
        assert (found.path, found.longest, found.busy, found.workers) == ((), 0, 0, 0)


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 5), st.lists(st.integers(0, 30), max_size=3)), max_size=30))
def test_the_path_goes_forward_in_time_and_ends_with_the_last(tasks: list[tuple[int, float, list[int]]]) -> None:
    free = [0.0] * 4
    made: list[TaskReport] = []
    for number, (worker, length, wanted) in enumerate(tasks):
        needs = [made[need] for need in wanted if need < number]
        start = max([free[worker], *(need.end for need in needs)])
        free[worker] = start + length
        made.append(report(f"t{number}", start, free[worker], worker, *(need.name for need in needs)))
    found = profile(made, max(free))
    by_name = {each.name: each for each in made}
    path = [by_name[link.name] for link in found.path]
    assert len({each.name for each in path}) == len(path)
    assert all(one.end <= two.start for one, two in itertools.pairwise(path))
    assert not made or path[-1].end == max(each.end for each in made)
    assert found.longest <= sum(each.end - each.start for each in made) + 1e-9
