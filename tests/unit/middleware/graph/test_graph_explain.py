"""Why tasks ran: what history remembers, what is at the bottom of it, and who asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pypackpack.middleware.graph.explain import chain, change_text, groups, reason_text
from pypackpack.middleware.graph.history import History
from pypackpack.middleware.graph.journal import Journal
from pypackpack.middleware.graph.schedule import Rules, run_tasks
from pypackpack.middleware.graph.task import Task
from pypackpack.model.action import ActionResult
from pypackpack.model.build import Silent
from pypackpack.model.errors import WorkError
from pypackpack.model.journal import KIND, Change, Reason, TaskReport

A, B, C, D = ("a" * 64, "b" * 64, "c" * 64, "d" * 64)


class Memory(dict[str, ActionResult]):
    def result(self, key: str) -> ActionResult | None:
        return self.get(key)

    def record(self, key: str, result: ActionResult) -> None:
        self[key] = result


class Machine:
    """A store and a history, and builds on them: one module, turned into C, compiled for some targets."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.history = History()
        self.asked: tuple[str, ...] = ()
        self.failing: tuple[str, ...] = ()
        self.keep = True
        self.noise = ""

    def forget(self) -> None:
        """Another process begins: what was remembered in this one is read anew."""
        self.history = History(self.history.text())

    def build(
        self, source: str = A, tool: str = "1.0", targets: tuple[str, ...] = ("linux", "windows"), python: str = "3.11.1"
    ) -> dict[str, TaskReport]:
        def work(name: str, inputs: tuple[tuple[str, str], ...], needs: tuple[str, ...] = ()) -> Task:
            def run(got: object) -> ActionResult:
                if name in self.failing:
                    raise WorkError("no")
                made = (
                    "".join(value for _, value in inputs)
                    + str(sorted((key, *each.outputs.values()) for key, each in got.items()))
                    + self.noise
                )  # type: ignore[attr-defined]
                return ActionResult({"out": f"{hash(made) % 16**12:064x}"}, keep=self.keep)

            step = name.partition(" ")[0]
            return Task(name, "p", "", step, f"{step}-1", inputs, run, needs, asked=() if needs else ("p",))

        tasks = [
            work(f"bytecode mod.py {python}", (("mod.py", source), ("Python", python))),
            work("translate mod.py", (("mod.py", source),)),
        ]
        tasks += [
            replace(
                work(f"compile mod.py {target}", (("tool", tool), ("target", target)), ("translate mod.py",)),
                asked=(f"p for {target}",),
            )
            for target in targets
        ]
        journal = Journal(self.history, began=0.0, rerun=lambda task: task.step in self.asked, keeps=True)
        journal.planned(tasks)
        finished = run_tasks(
            tasks,
            self.memory,
            Rules(2, keep_going=True, rerun=lambda task: task.step in self.asked),
            watcher=Silent(),
            listener=journal,
        )
        journal.skipped([task for task in tasks if task.name in finished.skipped])
        self.forget()
        return {report.name: report for report in journal.reports}


def kinds(reports: dict[str, TaskReport]) -> dict[str, str]:
    return {name: report.reason.kind for name, report in reports.items() if report.reason is not None}


def test_the_first_build_on_a_machine_says_that_nothing_is_known() -> None:
    assert set(kinds(Machine().build()).values()) == {"first"}


def test_what_is_remembered_has_no_reason_and_all_its_inputs() -> None:
    machine = Machine()
    first = machine.build()
    second = machine.build()
    assert kinds(second) == {}
    assert {report.source for report in second.values()} == {"store"}
    assert {name: report.inputs for name, report in second.items()} == {name: report.inputs for name, report in first.items()}
    assert dict(second["translate mod.py"].inputs) == {"what the task does": "translate-1", "mod.py": A}
    assert [name for name, _ in second["compile mod.py linux"].inputs] == [
        "what the task does",
        "tool",
        "target",
        "out of translate mod.py",
    ]


def test_a_changed_source_is_at_the_bottom_of_all_that_follows() -> None:
    machine = Machine()
    machine.build(A)
    reports = machine.build(B)
    assert set(kinds(reports).values()) == {"changed"}
    (group,) = groups(reports.values())
    assert group.reason.changes == (Change("mod.py", A, B),)
    assert len(group.reports) == 4
    (through,) = reports["compile mod.py linux"].reason.changes  # type: ignore[union-attr]
    assert through.name == "out of translate mod.py", "of the task itself, its own input is told"


def test_a_changed_tool_is_one_reason_for_all_of_its_tasks() -> None:
    machine = Machine()
    machine.build(tool="0.14")
    (group,) = groups(machine.build(tool="0.15").values())
    assert [reason_text(group.reason), len(group.reports)] == [["tool 0.14 → 0.15"], 2]


def test_two_reasons_are_two_groups() -> None:
    machine = Machine()
    machine.build(A, tool="0.14")
    found = groups(machine.build(B, tool="0.15").values())
    assert sorted(sorted(change.name for change in group.reason.changes) for group in found) == [["mod.py"], ["mod.py", "tool"]]


def test_going_back_is_told_against_the_most_similar_time() -> None:
    machine = Machine()
    machine.build(A, tool="1")
    machine.build(B, tool="2")
    machine.memory.clear()
    reports = machine.build(A, tool="2", targets=("linux",))
    assert kinds(reports)["translate mod.py"] == "gone"
    changes = reports["compile mod.py linux"].reason.changes  # type: ignore[union-attr]
    assert len(changes) == 1


def test_a_result_that_was_pruned_is_gone() -> None:
    machine = Machine()
    machine.build()
    machine.memory.clear()
    assert set(kinds(machine.build()).values()) == {"gone"}


def test_a_result_that_is_not_kept_says_so_the_next_time() -> None:
    machine = Machine()
    machine.keep = False
    machine.build()
    assert set(kinds(machine.build()).values()) == {"unkept"}


def test_another_target_is_new_and_not_compared_with_the_one_beside_it() -> None:
    machine = Machine()
    machine.build(targets=("linux",))
    reason = machine.build(targets=("linux", "windows"))["compile mod.py windows"].reason
    assert reason == Reason("new", (), ("p for windows",), "")


def test_a_task_that_replaces_another_is_compared_with_it() -> None:
    machine = Machine()
    machine.build(python="3.11.1")
    reason = machine.build(python="3.11.9")["bytecode mod.py 3.11.9"].reason
    assert reason is not None
    assert (reason.kind, reason.near, reason.changes) == (
        "new",
        "bytecode mod.py 3.11.1",
        (Change("Python", "3.11.1", "3.11.9"),),
    )
    assert reason_text(reason) == [
        "never made here before; the nearest that is known is bytecode mod.py 3.11.1",
        "Python 3.11.1 → 3.11.9",
    ]


def test_what_a_person_asked_for_says_so_and_a_difference_is_noticed() -> None:
    machine = Machine()
    machine.build()
    machine.asked = ("translate",)
    reports = machine.build()
    assert kinds(reports) == {"translate mod.py": "asked"}
    assert not reports["translate mod.py"].unstable
    machine.noise = "!"
    reports = machine.build()
    assert reports["translate mod.py"].unstable
    assert kinds(reports)["compile mod.py linux"] == "changed", "and what needs it is made of the new one"


def test_who_asked_is_followed_to_what_is_delivered() -> None:
    reports = Machine().build()
    assert chain(reports["translate mod.py"], reports, "the wheel") == ("compile mod.py linux", "the wheel of p for linux")
    assert chain(reports["compile mod.py windows"], reports) == ("p for windows",)


def test_tasks_that_ask_for_each_other_end_the_chain() -> None:
    one = TaskReport("a", "s", "p", "", "", "", "run", 0, 1, 0, reason=Reason("new", asked=("b",)))
    two = replace(one, name="b", reason=Reason("new", asked=("a",)))
    assert chain(one, {"a": one, "b": two}) == ("b", "a")


def test_failed_and_skipped_tasks_are_reported() -> None:
    machine = Machine()
    machine.failing = ("translate mod.py",)
    reports = machine.build()
    assert {name: report.source for name, report in reports.items()} == {
        "bytecode mod.py 3.11.1": "run",
        "translate mod.py": "failed",
        "compile mod.py linux": "skipped",
        "compile mod.py windows": "skipped",
    }
    assert reports["translate mod.py"].error == "no"
    assert kinds(reports)["translate mod.py"] == "first"


def test_a_damaged_history_is_an_empty_one() -> None:
    for damage in (b"", b"[]", b"{", b'{"a": 3}', b'{"a": [{"x": 3}]}', b"[" * 200_000, b'["a"]\t[]', b"3\t[]"):
        assert History(damage).why(Task("a", "p", "", "s", "k", (), lambda _: ActionResult()), {}, "key").kind == "first"
    for damage in (b"", b"{", b"3", b"[3]", b'[{"x": 3}]', b"[" * 200_000):  # of what was made, and not of the line's head
        history = History(b'["a", "other", true]\t' + damage)
        assert history.why(Task("a", "p", "", "s", "k", (), lambda _: ActionResult()), {}, "key").kind == "new"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (Change("zig", "0.14", "0.15"), "zig 0.14 → 0.15"),
        (Change("src/main/a.py", A, B), f"src/main/a.py {'a' * 12} → {'b' * 12}"),
        (Change("programs", "[false]", "[true]"), "which of its files are programs has changed"),
        (Change("README.md", "", A), f"README.md {'a' * 12} was not there before"),
        (Change("README.md", A, ""), f"README.md {'a' * 12} is not there any more"),
        (
            Change(
                "flags",
                '[["-O0", "-g", "-fPIC", "-target", "x86_64-linux-gnu.2.17"]]',
                '[["-O2", "-g", "-fPIC", "-target", "x86_64-linux-gnu.2.17"]]',
            ),
            "flags: without -O0, with -O2",
        ),
        (Change("long", "a b " * 20, "b a " * 20), "long: the same words in another order"),
        (Change("long", "x" * 50, "y" * 50), f"long: without {'x' * 39}…, with {'y' * 39}…"),
        (Change("many", "a " * 25, "a b c d e f " * 9), "many: with b c d e and 1 more words"),
        (Change(KIND, "compile-zig-4", "compile-gcc-1"), "made by gcc, no longer by zig"),
        (Change(KIND, "wheel-5", "wheel-6"), "this version of pypackpack makes it in another way (wheel-5 → wheel-6)"),
        (Change(KIND, "compile-zig-4", "unit-object-1"), f"{KIND} compile-zig-4 → unit-object-1"),
        (Change("Cython", f"cython 3.1 {A}", f"cython 3.2 {B}"), f"Cython: without 3.1 {'a' * 12}, with 3.2 {'b' * 12}"),
    ],
)
def test_a_change_is_short(change: Change, text: str) -> None:
    assert change_text(change) == text


def test_files_that_are_alike_belong_to_their_packages() -> None:
    def ran(name: str, package: str, change: str) -> TaskReport:
        reason = Reason("changed", (Change(change, A, B),))
        return TaskReport(name, name.partition(" ")[0], package, "", name, "k", "run", 0, 1, 0, reason=reason)

    found = groups(
        [
            ran("bytecode bill-ing", "bill-ing", "src/main/__init__.py"),
            ran("bytecode orders", "orders", "src/main/__init__.py"),
            ran("wheel orders", "orders", "orders/__init__.py"),
            ran("wheel billing", "bill-ing", "bill_ing/__init__.py"),
        ]
    )
    assert [(group.reason.changes[0].name, [report.package for report in group.reports]) for group in found] == [
        ("bill-ing/src/main/__init__.py", ["bill-ing", "bill-ing"]),
        ("orders/src/main/__init__.py", ["orders", "orders"]),
    ]


def ran(name: str, reason: Reason, start: int, output: str = "") -> TaskReport:
    outputs = (("file", output),) if output else ()
    return TaskReport(name, name.partition(" ")[0], "p", "", name, "k", "run", start, 9, 0, reason=reason, outputs=outputs)


def test_another_tool_is_one_reason_with_all_that_comes_of_it() -> None:
    """Its flags and headers, the C that is new and has another name, the wheel: nobody changed these."""
    tool = Change(KIND, "make-cython-5", "make-nuitka-3")
    own = Change("src/main/b.py", C, D)
    found = groups(
        [
            ran("make a", Reason("new", (tool, Change("Nuitka", "", "4.3")), near="make a.py"), 0, A),
            ran("make b", Reason("new", (tool, own), near="make b.py"), 1, B),
            ran("compile a", Reason("changed", (Change("flags", "-O1", "-O2"), Change("c of make a", "", A))), 2),
            ran("compile b", Reason("changed", (Change("flags", "-O1", "-O2"), Change("c of make b", "", B))), 3),
        ]
    )
    assert [([each.name for each in group.reports], reason_text(group.reason)) for group in found] == [
        (["make a", "compile a"], ["made by nuitka, no longer by cython"]),
        (["make b", "compile b"], ["made by nuitka, no longer by cython", f"p/src/main/b.py {C[:12]} → {D[:12]}"]),
    ]


def test_new_tasks_that_differ_from_older_ones_in_the_same_way_are_one_reason() -> None:
    tag = Change("tag", "cp311", "abi3")
    found = groups(
        [
            ran("compile a abi3", Reason("new", (tag, Change("c of make a", A, B)), near="compile a 3.11"), 0),
            ran("compile b abi3", Reason("new", (tag, Change("c of make b", C, D)), near="compile b 3.11"), 1),
        ]
    )
    assert [reason_text(group.reason) for group in found] == [
        ["never made here before; against the nearest that are known:", "tag cp311 → abi3"]
    ]


def test_many_inputs_are_counted() -> None:
    reason = Reason("changed", tuple(Change(f"f{number}", A, B) for number in range(9)))
    assert reason_text(reason, most=2) == [f"f0 {A[:12]} → {B[:12]}", f"f1 {A[:12]} → {B[:12]}", "and 7 more inputs"]
    assert len(reason_text(reason, most=None)) == 9
