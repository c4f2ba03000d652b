"""Which paths may stand in a wheel."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypackpack.middleware.bundle.paths import Paths, problem_with, windows_problem_with
from pypackpack.model.errors import WorkError


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("", "empty"),
        ("/etc/passwd", "absolute"),
        ("C:/x", "absolute"),
        ("c:x", "absolute"),
        ("a/../b", "'..'"),
        ("..", "'..'"),
        ("a\\b", "backslash"),
        ("a//b", "empty part"),
        ("a/", "empty part"),
        ("./a", "'.'"),
        ("a\nb", "control"),
        ("a\x00b", "control"),
        ("a/\udc80", "Unicode"),
        ("x" * 70000, "too long"),
    ],
)
def test_a_path_that_can_stand_nowhere_is_refused(path: str, why: str) -> None:
    assert why in problem_with(path)
    with pytest.raises(WorkError, match="the path"):
        Paths("demo.whl").add(path)


@pytest.mark.parametrize("path", ["a", "a/b.py", "a/...", "ü/ß.txt", "a b/c", ".hidden/x", "a/..b", "con.py"])
def test_other_paths_are_taken(path: str) -> None:
    assert problem_with(path) == ""
    Paths("demo.whl").add(path)


@pytest.mark.parametrize("path", ["aux.py", "a/CON", "a/nul.tar.gz", "lpt1/x", "a/b.", "a /b", "a/b?.txt", "a/b:c", 'a/"b"'])
def test_what_windows_cannot_store_is_refused_for_windows(path: str) -> None:
    assert windows_problem_with(path)
    with pytest.raises(WorkError):
        Paths("demo.whl", windows=True).add(path)


@pytest.mark.parametrize("path", ["auxiliary.py", "a/console", "a/b.c", "com10/x", "a b/c"])
def test_windows_takes_the_rest(path: str) -> None:
    assert windows_problem_with(path) == ""


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ("a/b.py", "a/b.py", "twice"),
        ("a/b.py", "a/B.py", "one and the same"),
        ("a/b.py", "A/c.py", "one and the same"),
        ("caf\u00e9.txt", "cafe\u0301.txt", "one and the same"),
        ("a", "a/b", "a folder and a file"),
        ("a/b", "a", "a file and a folder"),
    ],
)
def test_two_files_in_one_place_are_refused_and_both_owners_named(first: str, second: str, why: str) -> None:
    paths = Paths("demo.whl")
    paths.add(first, "one 1.0")
    with pytest.raises(WorkError, match=why) as caught:
        paths.add(second, "two 2.0")
    assert "demo.whl" in caught.value.message
    assert "one 1.0" in caught.value.message
    assert "two 2.0" in caught.value.message
    if why == "one and the same":
        assert "of a dependency, use another version" in (caught.value.hint or "")


def test_where_case_matters_it_may_differ() -> None:
    paths = Paths("folder", ignore_case=False)
    paths.add("crypto/__init__.py")
    paths.add("Crypto/__init__.py")
    with pytest.raises(WorkError):
        paths.add("crypto/__init__.py")


@given(st.lists(st.text(st.sampled_from("aAbB/."), min_size=1, max_size=6), max_size=12))
def test_what_is_taken_is_told_apart_without_case(paths: list[str]) -> None:
    taken: list[str] = []
    names = Paths("x")
    for path in paths:
        try:
            names.add(path)
        except WorkError:
            continue
        taken.append(path)
    folded = [path.casefold() for path in taken]
    assert len(set(folded)) == len(folded)
    assert not any(one.startswith(other + "/") for one in folded for other in folded)
