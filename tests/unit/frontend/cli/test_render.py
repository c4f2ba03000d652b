"""Results as lines, at several widths."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypackpack.frontend.cli import render
from pypackpack.frontend.cli.style import Style
from pypackpack.model.build import Artifact, BuildResult, Fallback

HERE = Path("/home/me/shop")
FOLDER = HERE / "billing" / "build" / "packpack" / "single" / "release" / "native"
LINUX = "billing-1.4.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
WINDOWS = "billing-1.4.0-cp311-cp311-win_amd64.whl"


def artifact(name: str, target: str, **changes: object) -> Artifact:
    values: dict[str, object] = {
        "path": FOLDER / name,
        "kind": "wheel",
        "package": "billing",
        "targets": (target,),
        "python": (3, 11),
        "size": 1_234_567,
        "sha256": "0" * 64,
        "cached": False,
        **changes,
    }
    return Artifact(**values)  # type: ignore[arg-type]


RESULT = BuildResult(
    artifacts=(artifact(LINUX, "linux_x86_64", run="run", cached=True), artifact(WINDOWS, "windows_amd64", size=999)),
    fallbacks=(Fallback("billing.old", ("linux_x86_64", "windows_amd64"), (3, 11), "bytecode", "Cython: old.py:3:1: no"),),
    left_out=(("android_24_arm64", "needs the Android NDK"),),
    warnings=("this wheel's metadata differs",),
    tasks_run=10,
    tasks_cached=5,
    seconds=3.21,
)


def test_a_wide_summary_has_one_line_for_each_artifact() -> None:
    lines = render.build_summary(RESULT, None, here=HERE)
    assert lines[0] == "billing/build/packpack/single/release/native/"
    assert lines[1].split() == [LINUX, "linux_x86_64", "1.2", "MB", "run", "cached"]
    assert lines[2].split() == [WINDOWS, "windows_amd64", "999", "B", "built,", "not", "run"]


def test_a_summary_says_all_a_person_should_know() -> None:
    text = "\n".join(render.build_summary(RESULT, None, here=HERE))
    assert "1 module is not native:" in text
    assert "billing.old is bytecode on linux_x86_64, windows_amd64, Python 3.11: Cython: old.py:3:1: no" in text
    assert "Left out:\n  android_24_arm64: needs the Android NDK" in text
    assert "warning: this wheel's metadata differs" in text
    assert text.endswith("2 wheels, 1.2 MB, in 3.2 s (15 tasks, 5 from the cache)")


@pytest.mark.parametrize(("compiled", "said"), [(0, "; no compiler ran)"), (3, "remote cache)")])
def test_a_summary_says_what_came_from_the_remote_cache(compiled: int, said: str) -> None:
    result = replace(RESULT, tasks_remote=4, tasks_compiled=compiled)
    last = render.build_summary(result, None, here=HERE)[-1]
    assert "(15 tasks, 5 from the cache, 4 of these from the remote cache" in last
    assert last.endswith(said)


@pytest.mark.parametrize("width", [60, 80, 160])
def test_every_line_fits_but_for_names_of_files(width: int) -> None:
    for line in render.build_summary(RESULT, width, here=HERE):
        assert len(line) <= width or ".whl" in line


@pytest.mark.parametrize("width", [60, None])
def test_colour_changes_no_character(width: int | None) -> None:
    plain = render.build_summary(RESULT, width, here=HERE)
    coloured = render.build_summary(RESULT, width, Style(on=True), here=HERE)
    assert [re.sub("\033\\[[0-9;]*m", "", line) for line in coloured] == plain
    assert coloured != plain


def test_several_pythons_are_told_apart() -> None:
    both = BuildResult(
        (artifact("a.whl", "linux_x86_64"), artifact("b.whl", "linux_x86_64", python=(3, 13)), artifact("c", "any", python=None))
    )
    lines = render.build_summary(both, None, here=HERE)
    assert [line.split()[2] for line in lines[1:4]] == ["3.11", "3.13", "any"]


def test_a_folder_is_told_from_a_wheel() -> None:
    folder = artifact("linux_x86_64", "linux_x86_64", kind="folder")
    lines = render.build_summary(BuildResult((folder,)), None, here=HERE)
    assert lines[1].split()[0] == "linux_x86_64/"
    assert lines[-1].startswith("1 folder, ")


def test_nothing_built_is_said() -> None:
    assert render.build_summary(BuildResult(()), 60) == ["", "nothing, 0 B, in 0.0 s (nothing to do)"]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (123_456, "123.5 kB"),
        (999_960, "1.0 MB"),
        (5_600_000_000, "5.6 GB"),
        (10**13, "10000.0 GB"),
    ],
)
def test_sizes(count: int, text: str) -> None:
    assert render.size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (9.94, "9.9 s"), (12.4, "12 s"), (59.6, "1 min 0 s"), (185, "3 min 5 s")]
)
def test_durations(seconds: float, text: str) -> None:
    assert render.duration(seconds) == text


def test_paths_are_short_where_a_person_stands() -> None:
    assert render.near_path(HERE / "a", HERE) == "a"
    assert render.near_path(Path("/elsewhere"), HERE) == str(Path("/elsewhere"))
    assert render.near_path(HERE, HERE) == "."


def test_long_lists_stay_short() -> None:
    assert render.some(["a", "b", "c", "d"]) == "a, b, c, d"
    assert render.some(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"


@given(st.text(), st.integers(20, 200))
def test_paragraphs_keep_every_word(text: str, width: int) -> None:
    lines = render.paragraph(text, width, "  ")
    assert " ".join(lines).split() == text.split()


def test_tables_align() -> None:
    assert render.table([("a", "1"), ("bbb", "22")], right=[1]) == ["a     1", "bbb  22"]
    assert render.table([]) == []
