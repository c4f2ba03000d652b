"""Lines of many files become one list; lines that exclude each other are found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from pypackpack.middleware.dependency.requirements_merge import _overlap, conflicts, lines_for, merged
from pypackpack.model.requirement import Asked, Place


def line(
    number: int,
    name: str,
    specifier: str = "",
    *,
    marker: str = "",
    url: str = "",
    constraint: bool = False,
    hashes: tuple[str, ...] = (),
    extras: tuple[str, ...] = (),
) -> Asked:
    return Asked(name, Place("r.txt", number), extras, specifier, marker, url, constraint=constraint, hashes=hashes)


def texts(*asked: Asked) -> tuple[list[str], list[str]]:
    lines, held = merged(asked)
    return [each.text for each in lines], [each.text for each in held]


def test_one_line_for_one_name_with_all_its_places() -> None:
    lines, held = merged(
        [
            line(1, "NumPy", ">=1.20", extras=("b",)),
            line(2, "numpy", "==1.26.4", extras=("a",)),
            line(3, "numpy", "<2", constraint=True),
        ]
    )
    assert [each.text for each in lines] == ["NumPy[a,b]==1.26.4"]
    assert [place.line for place in lines[0].places] == [1, 2, 3]
    assert held == ()


def test_limits_stay_together_and_the_order_is_the_names() -> None:
    assert texts(line(1, "tabulate", ">=0.9"), line(2, "six"), line(3, "tabulate", "<1,!=0.9.5"))[0] == [
        "six",
        "tabulate>=0.9,!=0.9.5,<1",
    ]


def test_markers_keep_lines_apart() -> None:
    low, high = 'python_version < "3.12"', 'python_version >= "3.12"'
    found, _ = texts(
        line(1, "numpy", "==1.26.4", marker=low),
        line(2, "numpy", "==2.1.0", marker=high),
        line(3, "x", url="https://h/x.whl", marker=low),
    )
    assert found == [f"numpy==1.26.4; {low}", f"numpy==2.1.0; {high}", f"x @ https://h/x.whl ; {low}"]


def test_constraints_on_others_are_held() -> None:
    marker = 'sys_platform == "win32"'
    assert texts(line(1, "flask"), line(2, "werkzeug", "<4", constraint=True)) == (["flask"], ["werkzeug<4"])
    # A constraint for one platform does not limit the line for all; uv gets it for that platform.
    assert texts(line(1, "flask"), line(2, "flask", "<4", constraint=True, marker=marker)) == (["flask"], [f"flask<4; {marker}"])
    # One for all limits a line for one platform, and then nothing is left to hold.
    assert texts(line(1, "flask", marker=marker), line(2, "flask", "<4", constraint=True)) == ([f"flask<4; {marker}"], [])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("==1.0", "==2.0"),
        (">=2", "<2"),
        ("==1.5", ">=2"),
        ("~=1.4", "<1.4"),
        ("==1.*", "==2.*"),
        (">2.0", "<=2.0"),
        ("!=1.0", "==1.0"),
    ],
)
def test_versions_that_exclude_each_other(one: str, other: str) -> None:
    (found,) = conflicts([line(1, "numpy", one), line(2, "NumPy", other), line(3, "six")])
    assert found.name == "numpy"
    assert [each.place.line for each in found.lines] == [1, 2]
    assert "r.txt:1" in found.text()
    assert one in found.text()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("==1.0", "==1"),
        (">=2", "<3"),
        ("==1.*", "==1.5"),
        ("~=1.4", "<1.5"),
        (">1", "<2"),
        (">1.0,<1.1", ">=1.0.5"),
        ("==2.0rc1", ">=1"),
        ("===x", "==1"),
    ],
)
def test_versions_that_do_not(one: str, other: str) -> None:
    assert conflicts([line(1, "numpy", one), line(2, "numpy", other)]) == ()


def test_other_conflicts() -> None:
    (found,) = conflicts([line(1, "x", url="https://h/1"), line(2, "x", url="https://h/2")])
    assert found.why == "comes from different places"
    (found,) = conflicts([line(1, "x", "==1", hashes=("sha256:a",)), line(2, "x", "==1", hashes=("sha256:b",))])
    assert found.why == "the hashes allow different files"
    assert conflicts([line(1, "x", "==1", hashes=("sha256:a", "sha256:b")), line(2, "x", "==1", hashes=("sha256:b",))]) == ()
    (found,) = conflicts([line(1, "x", "==1"), line(2, "x", ">2", constraint=True)])
    assert "(constraint)" in found.text()


def test_what_never_meets_does_not_exclude_each_other() -> None:
    asked = [line(1, "x", "==1", marker='sys_platform == "win32"'), line(2, "x", "==2", marker='sys_platform == "linux"')]
    assert conflicts(asked) == ()
    (found,) = conflicts([*asked, line(3, "x", "==3", marker='python_version < "3.12"')])
    assert [each.place.line for each in found.lines] == [1, 2, 3]


def test_lines_that_uv_speaks_of() -> None:
    asked = [line(1, "Six", "<2"), line(2, "numpy"), line(3, "six", ">1", constraint=True)]
    assert lines_for(["because", "six", "SIX"], asked).splitlines() == ["six <2  r.txt:1", "six >1  r.txt:3 (constraint)"]


VERSIONS = [f"{major}.{minor}" for major in range(3) for minor in range(4)]
LIMITS = st.lists(
    st.builds(
        lambda mark, version: mark + version, st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "~="]), st.sampled_from(VERSIONS)
    ),
    max_size=3,
)


@given(LIMITS, LIMITS)
def test_no_pair_that_one_version_satisfies_is_called_a_conflict(one: list[str], other: list[str]) -> None:
    first, second = SpecifierSet(",".join(one)), SpecifierSet(",".join(other))
    if any(version in first and version in second for version in [*VERSIONS, "9.9", "0.0.1", "1.1.1"]):
        assert _overlap(first, second)
