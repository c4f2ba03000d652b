"""Why tasks ran, as a person reads it."""

from __future__ import annotations

import pytest

from pypackpack.frontend.cli.explain_view import explain_lines
from pypackpack.frontend.cli.preview_view import preview_lines, task_lines
from pypackpack.frontend.cli.style import Style
from pypackpack.model.journal import Change, Reason, TaskReport
from pypackpack.model.preview import BEHIND, REFUSED, REMEMBERED, WOULD_RUN, PlannedTask, Preview

OLD, NEW = "1" * 64, "2" * 64
TARGETS = ("linux_x86_64", "linux_arm64", "windows_amd64", "macos_arm64", "macos_x86_64", "linux_musl_arm64")


def report(name: str, reason: Reason | None, start: float = 0.0, target: str = "") -> TaskReport:
    return TaskReport(
        name, name.partition(" ")[0], "tide", target, name, "k", "run" if reason else "store", start, start + 1, 0, reason=reason
    )


def zig() -> list[TaskReport]:
    change = (Change("zig", "0.14", "0.15"),)
    made = [
        report(
            f"compile tide/src/main/m{number}.py {target} 3.11",
            Reason("changed", change, (f"tide for {target}",)),
            number,
            target,
        )
        for number in range(4)
        for target in TARGETS
    ]
    return [*made, report("bytecode tide/src/main/m0.py 3.11.7", None)]


def test_many_with_one_reason_are_one_line() -> None:
    assert explain_lines(zig(), None, last="the wheel") == [
        "Why 24 of 25 tasks ran",
        "",
        "  24 tasks: zig 0.14 → 0.15",
        "    compile       tide/src/main/m0.py linux_arm64 3.11, tide/src/main/m0.py linux_musl_arm64 3.11, tide/src/main/m0.py linux_x86_64 3.11 and 21 more",
        "                  for the wheel of tide for linux_arm64 (and 5 more like it)",
    ]


def test_verbose_names_every_task_with_who_asked() -> None:
    lines = explain_lines(zig(), None, last="the wheel", verbose=True)
    assert sum("compile       " in line for line in lines) == 24
    assert "                  for the wheel of tide for macos_arm64" in lines


@pytest.mark.parametrize("width", [40, 60, 100, 160])
def test_lines_fit_the_terminal(width: int) -> None:
    for style in (Style(on=False), Style(on=True)):
        for line in explain_lines(zig(), width, style, last="the wheel"):
            plain = line.replace("\033[1m", "").replace("\033[2m", "").replace("\033[36m", "").replace("\033[0m", "")
            longest = max(len(word) for word in plain.split()) if plain.split() else 0
            assert len(plain) <= max(width, longest + 20)


def test_colour_adds_codes_and_nothing_else() -> None:
    plain = explain_lines(zig(), 80)
    coloured = [
        line.replace("\033[1m", "").replace("\033[2m", "").replace("\033[36m", "").replace("\033[0m", "")
        for line in explain_lines(zig(), 80, Style(on=True))
    ]
    assert coloured == plain


@pytest.mark.parametrize(
    ("reason", "sentence", "elsewhere"),
    [
        (Reason("first"), "nothing of this project is known on this machine", True),
        (Reason("new"), "never made here before", False),
        (Reason("gone"), "made here before, and gone from the cache", True),
        (Reason("asked"), "asked by --rerun", False),
        (Reason("unkept"), "made here before, and such a result is not one that the cache keeps", False),
        (
            Reason("new", (Change("Python", "3.11.1", "3.11.9"),), near="bytecode a 3.11.1"),
            "the nearest that is known is bytecode a 3.11.1",
            False,
        ),
    ],
)
def test_what_no_input_tells_is_a_sentence(reason: Reason, sentence: str, elsewhere: bool) -> None:
    text = "\n".join(explain_lines([report("compile a", reason)], None))
    assert f"1 task: {sentence}" in text or f"; {sentence}" in text
    assert ("another machine" in text) is elsewhere


def test_more_inputs_than_fit_are_counted() -> None:
    changes = tuple(Change(f"small/m{number}.py", OLD, NEW[:-1] + str(number)) for number in range(9))
    lines = explain_lines([report("bundle a", Reason("changed", changes))], None)
    assert lines[2:7] == [
        "  1 task: small/m0.py 111111111111 → 222222222222",
        *(f"    small/m{number}.py 111111111111 → 222222222222" for number in (1, 2, 3)),
        "    and 5 more inputs",
    ]


def test_nothing_ran() -> None:
    assert explain_lines([report("compile a", None)], None)[1] == "  No task had to run: every result was known."


def planned(name: str, state: str, target: str = "", *needs: str, reason: Reason | None = None) -> PlannedTask:
    return PlannedTask(name, name.partition(" ")[0], "tide", target, name, state, needs, reason)


def found() -> Preview:
    return Preview(
        (
            planned("bytecode a", REMEMBERED),
            planned("transcompile a", WOULD_RUN, reason=Reason("changed", (Change("a.py", OLD, NEW),))),
            planned("compile a", BEHIND, "linux", "transcompile a", "bytecode a"),
            planned("magic a", WOULD_RUN, "linux", reason=Reason("place", text="it is not there")),
        ),
        (("ios_arm64", "has no Python 3.11"),),
        ("the remote cache was not asked",),
    )


def test_a_dry_run_counts_by_step_and_target() -> None:
    assert preview_lines(found(), None) == [
        "step          target       tasks  remembered  would run",
        "bytecode      all targets      1           1          -",
        "transcompile  all targets      1           -          1",
        "compile       linux            1           -          1",
        "magic         linux            1           -          1",
        "",
        "left out: ios_arm64 has no Python 3.11",
        "note: the remote cache was not asked",
        "",
        "3 of 4 tasks would run; 1 of them unless what they need comes out as it was before. Nothing was run or written.",
    ]


def test_a_dry_run_explains_every_task() -> None:
    assert preview_lines(found(), None, each=True)[:8] == [
        "remembered  bytecode a",
        "to do       transcompile a",
        "            a.py 111111111111 → 222222222222",
        "behind      compile a",
        "            needs transcompile a",
        "to do       magic a",
        "            it is not there",
        "",
    ]


def test_a_dry_run_of_what_is_all_remembered() -> None:
    assert (
        preview_lines(Preview((planned("bytecode a", REMEMBERED),)), None)[-1]
        == "Nothing would run: all of 1 task are remembered."
    )


def test_tasks_stand_in_groups_with_what_they_do() -> None:
    lines = task_lines(found(), "pypackpack build tide source", None)
    assert [line for line in lines if line and not line.startswith(" ")] == [
        "Tasks of `pypackpack build tide source`",
        "Check",
        "Compile",
        "Other",
        "left out: ios_arm64 has no Python 3.11",
        "note: the remote cache was not asked",
        "4 tasks, 3 to do. `--all` lists every task; `build … --dry-run` says what would run, and `--explain` why.",
    ]
    assert "  compile       Turn the C into an extension module, for each target and Python. (1 task, 1 to do)" in lines
    assert "  magic         (1 task, 1 to do)" in lines
    assert "    remembered  bytecode a" in task_lines(found(), "x", None, each=True)
    assert "    to do       compile a" in task_lines(found(), "x", 60, each=True)


def counted(package: str, step: str, state: str) -> PlannedTask:
    return PlannedTask(f"{step} {package} {state}", step, package, "", "", state)


def test_a_dry_run_names_packages_where_there_are_several_and_counts_what_a_build_counts() -> None:
    tasks = (
        counted("tide", "bytecode", REMEMBERED),
        counted("moon", "bytecode", WOULD_RUN),
        counted("moon", "environment", WOULD_RUN),
        counted("moon", "environment", REMEMBERED),
    )
    assert preview_lines(Preview(tasks), None) == [
        "package  step         target       tasks  remembered  would run",
        "tide     bytecode     all targets      1           1          -",
        "moon     bytecode     all targets      1           -          1",
        "moon     environment  all targets      2           1          1",
        "",
        "1 of 2 tasks would run; 1 environment would be synchronised. Nothing was run or written.",
    ]


def test_a_source_that_is_known_to_be_refused_is_not_remembered() -> None:
    found = Preview((counted("tide", "bytecode", REMEMBERED), counted("tide", "bytecode", REFUSED)))
    *_, row, _, last = preview_lines(found, None)
    assert row.split() == ["bytecode", "all", "targets", "2", "1", "-"]
    assert last == "Nothing would run: 1 of 2 tasks are remembered, and 1 would fail."
    listed = task_lines(found, "build", None, each=True)
    assert any("(2 tasks, 1 would fail)" in line for line in listed)
    assert "    refused     bytecode tide refused" in listed


def test_a_build_that_fails_with_what_is_known_says_so() -> None:
    lines = explain_lines([report("bytecode x", None)], None, failed=True)
    assert lines[-1] == "  No task had to run: every result was known, and that of what fails too."
