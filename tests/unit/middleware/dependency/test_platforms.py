"""Markers as sets of platforms: what is read is what was said, and every operation means what it says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.markers import Marker

from pypackpack.middleware.dependency.platforms import (
    EVERYWHERE,
    NOWHERE,
    Machines,
    Platforms,
    marker,
    of_family,
    read_marker,
)

SYSTEMS = ("linux", "win32", "darwin", "emscripten", "freebsd")
MACHINES = ("x86_64", "aarch64", "arm64", "AMD64", "sparc")
POINTS = [(system, machine) for system in SYSTEMS for machine in MACHINES]

machines = st.builds(Machines, st.lists(st.sampled_from(MACHINES[:4]), unique=True).map(tuple), st.booleans())
platforms = st.builds(Platforms, st.dictionaries(st.sampled_from(SYSTEMS[:4]), machines), machines)


def holds(text: str, system: str, machine: str) -> bool:
    return not text or Marker(text).evaluate({"sys_platform": system, "platform_machine": machine})


def members(found: Platforms) -> set[tuple[str, str]]:
    return {(system, machine) for system, machine in POINTS if machine in found.machines(system)}


@settings(deadline=None)
@given(platforms)
def test_a_marker_is_true_exactly_on_its_set(found: Platforms) -> None:
    if found == NOWHERE:
        with pytest.raises(ValueError, match="no platform"):
            marker(found)
        return
    text = marker(found)
    assert {point for point in POINTS if holds(text, *point)} == members(found)


@settings(deadline=None)
@given(platforms)
def test_reading_a_marker_gives_the_set_back(found: Platforms) -> None:
    if found in {NOWHERE, EVERYWHERE}:
        return
    assert read_marker(marker(found)) == (found, "")


@settings(deadline=None)
@given(platforms, platforms)
def test_operations_are_those_of_sets(one: Platforms, other: Platforms) -> None:
    assert members(one | other) == members(one) | members(other)
    assert members(one & other) == members(one) & members(other)
    assert members(one - other) == members(one) - members(other)
    assert members(~one) == set(POINTS) - members(one)
    assert (one == other) == (members(one) == members(other))
    if one == other:
        assert hash(one) == hash(other)


@pytest.mark.parametrize(
    ("text", "said", "rest"),
    [
        ("sys_platform == 'win32'", "sys_platform == 'win32'", ""),
        (
            "platform_system == 'Windows' or os_name == 'posix' and sys_platform == 'linux'",
            "sys_platform == 'win32' or sys_platform == 'linux'",
            "",
        ),
        ("os_name != 'nt'", "sys_platform != 'win32'", ""),
        ("'linux' == sys_platform", "sys_platform == 'linux'", ""),
        ("platform_machine == 'x86_64'", "platform_machine == 'x86_64'", ""),
        ("python_version < '3.12' and sys_platform == 'linux'", "sys_platform == 'linux'", "python_version < '3.12'"),
        (
            "sys_platform == 'linux' and (extra == 'a' or python_version < '3.12')",
            "sys_platform == 'linux'",
            "(extra == 'a' or python_version < '3.12')",
        ),
    ],
)
def test_markers_as_people_write_them(text: str, said: str, rest: str) -> None:
    found, left = read_marker(text)
    assert (marker(found), left) == (said, rest)


@pytest.mark.parametrize(
    "text", ["'linux' in sys_platform", "python_version < '3.12' or sys_platform == 'linux'", "sys_platform > 'a'"]
)
def test_what_is_no_set_of_platforms_stays_as_it_is(text: str) -> None:
    assert read_marker(text) == (EVERYWHERE, text)


def test_words_stay_short() -> None:
    linux, arm = of_family("linux"), Platforms({"linux": Machines(("aarch64",))})
    assert marker(of_family("win32") | linux) == "sys_platform == 'win32' or sys_platform == 'linux'"
    assert marker(linux - arm) == "sys_platform == 'linux' and platform_machine != 'aarch64'"
    assert marker(EVERYWHERE - of_family("win32")) == "sys_platform != 'win32'"
    assert marker(EVERYWHERE - arm) == "(sys_platform != 'linux' or platform_machine != 'aarch64')"
    assert marker((linux - arm) | arm) == "sys_platform == 'linux'"
    assert marker(EVERYWHERE) == ""
