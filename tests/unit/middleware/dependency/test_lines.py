"""Adding and removing dependencies: each target has exactly what was asked for it, whatever markers can say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement

from pypackpack.middleware.dependency.lines import Dependencies, added, choose, everywhere, narrowed, read, read_line, removed
from pypackpack.middleware.environment.lock import marker_facts
from pypackpack.middleware.target import table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pypackpack.middleware.dependency import lines as rules
    from pypackpack.model.target import Target

NAMES = (
    "linux_x86_64",
    "linux_2_28_x86_64",
    "linux_musl_x86_64",
    "linux_arm64",
    "windows_amd64",
    "windows_arm64",
    "macos_arm64",
    "macos_x86_64",
    "macos_universal2",
    "android_24_arm64",
    "emscripten_wasm32",
)
TARGETS = {name: table.find(name) for name in NAMES}
FAMILIES = ("linux", "windows", "macos", "android", "emscripten")


def on_target(dependencies: Dependencies, name: str, target: Target) -> list[str]:
    """What the metadata and the target's own lines say for one target, by packaging's reading of them."""
    machines = [target.platform_machine] if target.platform_machine else ["arm64", "x86_64"]
    answers = []
    for machine in machines:
        facts = {**marker_facts(target, (3, 12)), "platform_machine": machine}
        texts = [str(line) for line in dependencies.lines] + [str(line) for line in dependencies.own.get(target.name, ())]
        found = [Requirement(text) for text in texts]
        answers.append(
            [
                str(asked.specifier)
                for asked in found
                if asked.name == name and (asked.marker is None or asked.marker.evaluate(facts))
            ]
        )
    assert all(answer == answers[0] for answer in answers)
    return answers[0]


def again(dependencies: Dependencies) -> Dependencies:
    """The same, written to a file and read back."""
    own = {target: [str(line) for line in found] for target, found in dependencies.own.items() if found}
    return read([str(line) for line in dependencies.lines], own)


@dataclass(frozen=True)
class Step:
    verb: str
    specifier: str = ""
    words: tuple[str, ...] = field(default=())


def choice_of(words: Sequence[str], enabled: Sequence[Target]) -> rules.Choice | None:
    if not words:
        return everywhere(enabled)
    families = {word: [t for t in enabled if t.family == word] for word in words if word in FAMILIES}
    families = {word: members for word, members in families.items() if members}
    named = [TARGETS[word] for word in words if word in TARGETS and TARGETS[word] in enabled]
    return choose(families, named, enabled) if families or named else None


steps = st.lists(
    st.builds(
        Step,
        st.sampled_from(["add", "add", "remove"]),
        st.sampled_from(["", "==1", "==2"]),
        st.lists(st.sampled_from([*NAMES, *FAMILIES]), max_size=3, unique=True).map(tuple),
    ),
    max_size=5,
)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(NAMES), min_size=1, unique=True), steps)
def test_each_target_has_exactly_what_was_asked(names: list[str], script: list[Step]) -> None:
    enabled = [TARGETS[name] for name in names]
    dependencies = read(["other>=1; sys_platform == 'linux'"], {})
    expected: dict[str, str | None] = {}
    for step in script:
        choice = choice_of(step.words, enabled)
        if choice is None:
            continue
        if step.verb == "add":
            dependencies = added(dependencies, read_line(f"numpy{step.specifier}"), choice, enabled)
            for target in choice.targets:
                if step.specifier:
                    expected[target.name] = step.specifier
                else:
                    expected.setdefault(target.name, None)
        else:
            dependencies = removed(dependencies, "numpy", choice, enabled)
            for target in choice.targets:
                expected.pop(target.name, None)
        dependencies = again(dependencies)
        for target in enabled:
            found = on_target(dependencies, "numpy", target)
            if target.name not in expected:
                assert found == [], (step, target.name)
                continue
            # A name alone takes the versions of the line that it joins, and may stand beside a target's own line.
            versions = {specifier for specifier in found if specifier}
            if expected[target.name] is None:
                assert found, (step, target.name)
                assert len(versions) <= 1, (step, target.name)
            else:
                assert versions == {expected[target.name]}, (step, target.name)
            assert on_target(dependencies, "other", target) == ([">=1"] if target.family == "linux" else [])


def texts(dependencies: Dependencies) -> list[str]:
    return [str(line) for line in dependencies.lines]


def with_words(before: Dependencies, text: str, words: Sequence[str], enabled: Sequence[Target]) -> Dependencies:
    choice = choice_of(words, enabled)
    assert choice is not None
    return added(before, read_line(text), choice, enabled)


def without(before: Dependencies, name: str, words: Sequence[str], enabled: Sequence[Target]) -> Dependencies:
    choice = choice_of(words, enabled)
    assert choice is not None
    return removed(before, name, choice, enabled)


DESKTOP = [TARGETS[name] for name in ("linux_x86_64", "linux_arm64", "windows_amd64", "macos_arm64")]


def test_the_example_of_the_handbook() -> None:
    now = with_words(read([], {}), "numpy", ["windows", "linux"], DESKTOP)
    assert texts(now) == ["numpy; sys_platform == 'win32' or sys_platform == 'linux'"]
    now = without(again(now), "numpy", ["windows"], DESKTOP)
    assert texts(now) == ["numpy; sys_platform == 'linux'"]
    now = without(again(now), "numpy", ["linux"], DESKTOP)
    assert texts(now) == []


def test_a_target_writes_its_own_marker() -> None:
    now = with_words(read([], {}), "numpy>=2", ["linux_arm64"], DESKTOP)
    assert texts(now) == ["numpy>=2; sys_platform == 'linux' and platform_machine == 'aarch64'"]
    now = with_words(again(now), "numpy", ["linux_x86_64"], DESKTOP)
    both = "(platform_machine == 'aarch64' or platform_machine == 'x86_64')"
    assert texts(now) == [f"numpy>=2; sys_platform == 'linux' and {both}"]


def test_the_last_target_takes_the_line_with_it() -> None:
    linux = [TARGETS["linux_x86_64"], TARGETS["windows_amd64"]]
    now = without(read(["numpy; sys_platform == 'linux'", "click"], {}), "numpy", ["linux_x86_64"], linux)
    assert texts(now) == ["click"]


def test_taking_one_target_from_all_leaves_targets_that_come_later() -> None:
    now = without(read(["numpy"], {}), "numpy", ["windows"], DESKTOP)
    assert texts(now) == ["numpy; sys_platform != 'win32'"]


def test_other_versions_on_one_target() -> None:
    now = with_words(read(["numpy>=2"], {}), "numpy<2", ["windows"], DESKTOP)
    assert texts(now) == ["numpy>=2; sys_platform != 'win32'", "numpy<2; sys_platform == 'win32'"]


def test_without_targets_the_line_is_for_everything() -> None:
    assert texts(with_words(read(["numpy>=2; sys_platform == 'win32'"], {}), "numpy", [], DESKTOP)) == ["numpy>=2"]
    assert texts(with_words(read(["numpy>=2; sys_platform == 'win32'"], {}), "numpy>=3", [], DESKTOP)) == ["numpy>=3"]


def test_lines_that_do_not_change_keep_their_spelling() -> None:
    before = read(["Numpy  >=2 ;sys_platform=='win32'", "Click"], {})
    assert texts(with_words(before, "rich", [], DESKTOP)) == ["Numpy  >=2 ;sys_platform=='win32'", "Click", "rich"]
    assert texts(with_words(before, "numpy", ["windows"], DESKTOP)) == ["Numpy  >=2 ;sys_platform=='win32'", "Click"]


def test_what_a_marker_says_besides_platforms_stays() -> None:
    before = read(["numpy<2; python_version < '3.12' or python_version > '3.13'"], {})
    now = without(before, "numpy", ["windows"], DESKTOP)
    assert texts(now) == ["numpy<2; (python_version < '3.12' or python_version > '3.13') and sys_platform != 'win32'"]


def test_a_url_keeps_its_space_before_the_marker() -> None:
    now = with_words(read([], {}), "thing @ https://example.org/thing-1-py3-none-any.whl", ["windows"], DESKTOP)
    assert texts(now) == ["thing @ https://example.org/thing-1-py3-none-any.whl ; sys_platform == 'win32'"]
    assert Requirement(texts(now)[0]).url == "https://example.org/thing-1-py3-none-any.whl"


MARKED = "sys_platform != 'emscripten' and sys_platform != 'darwin'"


@pytest.mark.parametrize(
    ("there", "given", "expected"),
    [
        (["numpy"], [f"numpy; {MARKED}"], [f"numpy; {MARKED}"]),
        (["numpy>=2", "click"], [f"numpy; {MARKED}"], [f"numpy>=2; {MARKED}", "click"]),
        (["numpy>=2"], [f"numpy >=2; {MARKED}"], [f"numpy>=2; {MARKED}"]),
        (["numpy>=2"], ["numpy; python_version < '3.12'"], ["numpy>=2; python_version < '3.12'"]),
        (["numpy; python_version < '3.12'"], ["numpy; sys_platform == 'win32'"], ["numpy; sys_platform == 'win32'"]),
        (["numpy"], ["numpy; sys_platform == 'win32'", "numpy; sys_platform == 'linux'"], ["numpy; {both}"]),
        (
            ["numpy<2; sys_platform == 'win32'", "numpy>=2; sys_platform != 'win32'"],
            ["numpy; sys_platform == 'win32'"],
            ["numpy<2; sys_platform == 'win32'"],
        ),
        (["numpy; sys_platform == 'win32'"], ["numpy; sys_platform == 'linux'"], ["numpy; {both}"]),
        (
            ["numpy>=2"],
            ["numpy<2; sys_platform == 'win32'"],
            ["numpy>=2; sys_platform != 'win32'", "numpy<2; sys_platform == 'win32'"],
        ),
        (["Numpy ; sys_platform=='win32'"], ["numpy; sys_platform == 'win32'"], ["Numpy ; sys_platform=='win32'"]),
        (["numpy>=2; sys_platform == 'win32'"], ["numpy"], ["numpy>=2"]),
    ],
)
def test_a_marker_that_a_person_wrote_is_taken(there: list[str], given: list[str], expected: list[str]) -> None:
    now, left = narrowed(read(there, {}), [read_line(text) for text in given])
    for line in left:
        now = added(now, line, everywhere(DESKTOP), DESKTOP)
    both = "sys_platform == 'win32' or sys_platform == 'linux'"
    assert texts(again(now)) == [text.replace("{both}", both) for text in expected]


LIBCS = [TARGETS[name] for name in ("linux_x86_64", "linux_musl_x86_64", "windows_amd64")]


def test_what_a_marker_cannot_say_goes_to_the_target() -> None:
    now = with_words(read([], {}), "numpy", ["linux_musl_x86_64"], LIBCS)
    assert texts(now) == []
    assert now.own_of("numpy") == {"linux_musl_x86_64": ("numpy",)}
    now = with_words(again(now), "numpy", ["linux"], LIBCS)
    assert texts(now) == ["numpy; sys_platform == 'linux'"]
    assert now.own_of("numpy") == {}


def test_taking_it_from_one_of_two_that_share_a_marker() -> None:
    now = without(read(["numpy>=2"], {}), "numpy", ["linux_musl_x86_64"], LIBCS)
    assert texts(now) == ["numpy>=2; (sys_platform != 'linux' or platform_machine != 'x86_64')"]
    assert now.own_of("numpy") == {"linux_x86_64": ("numpy>=2",)}


@pytest.mark.parametrize("text", ["a;b", "numpy>=", "-r x.txt", "./here", ""])
def test_what_is_no_requirement(text: str) -> None:
    from packaging.requirements import InvalidRequirement  # noqa: PLC0415 - only here

    with pytest.raises(InvalidRequirement):
        read_line(text)
