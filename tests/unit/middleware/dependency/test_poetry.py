"""Poetry's constraints as PEP 508; each pair was compared with what poetry-core 2.5 makes of the same text."""

from __future__ import annotations

from typing import Any

import pytest
from packaging.requirements import Requirement

from pypackpack.middleware.dependency.poetry import platform_marker, python_marker, requirement, specifiers

ABOUT_ALL = (
    'python_version >= "3.9" and python_version < "4.0" and (sys_platform == "linux" or sys_platform == "darwin") '
    "and (extra == 'x' or os_name == 'nt')"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*", ""),
        ("^1.2.3", ">=1.2.3,<2"),
        ("^1", ">=1,<2"),
        ("^0.2.3", ">=0.2.3,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^0.0", ">=0.0,<0.1"),
        ("^0", ">=0,<1"),
        ("^1.0b1", ">=1.0b1,<2"),
        ("^1!2.0", ">=1!2.0,<1!3"),
        ("~1.2.3", ">=1.2.3,<1.3"),
        ("~1.2", ">=1.2,<1.3"),
        ("~1", ">=1,<2"),
        ("1.2.*", "==1.2.*"),
        ("1.2.3", "==1.2.3"),
        ("=1.2", "==1.2"),
        ("v1.2", "==1.2"),
        ("~=1.4.2", "~=1.4.2"),
        (">= 1.0, != 1.5", ">=1.0,!=1.5"),
        (">=1 <2", ">=1,<2"),
        ("^1.0 || ^2.0", ">=1.0,<3"),
        ("^2.0|^1.0", ">=1.0,<3"),
        ("^1.0 || *", ""),
    ],
)
def test_versions(text: str, expected: str) -> None:
    assert specifiers(text) == expected
    Requirement(f"thing{expected}")


@pytest.mark.parametrize("text", ["", "^", "latest", "^x", "^1.0 || ^3.0", ">=1 || ==3", "1.0 - 2.0", "^1..2"])
def test_versions_that_pep_440_cannot_say(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no version|has no form in PEP 440"):
        specifiers(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("*", ""),
        ("^3.9", 'python_version >= "3.9" and python_version < "4.0"'),
        ("3.9", 'python_version == "3.9"'),
        ("3.9.*", 'python_version == "3.9"'),
        ("3.*", 'python_version >= "3.0" and python_version < "4.0"'),
        (">=3.8.1", 'python_full_version >= "3.8.1"'),
        (">3.8", 'python_full_version > "3.8.0"'),
        ("<=3.11", 'python_full_version <= "3.11.0"'),
        ("<3.8 || >=3.10", 'python_version < "3.8" or python_version >= "3.10"'),
    ],
)
def test_pythons(text: str, expected: str) -> None:
    assert python_marker(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("win32", 'sys_platform == "win32"'),
        ("!=win32", 'sys_platform != "win32"'),
        ("linux || darwin", 'sys_platform == "linux" or sys_platform == "darwin"'),
    ],
)
def test_platforms(text: str, expected: str) -> None:
    assert platform_marker(text) == expected


def test_a_platform_that_is_none() -> None:
    with pytest.raises(ValueError, match='"li nux" is no platform'):
        platform_marker("li nux")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("^1", "thing>=1,<2"),
        ({"version": "^1", "extras": ["a", "b"]}, "thing[a,b]>=1,<2"),
        (
            {"version": "*", "platform": "linux || darwin", "python": "^3.9", "markers": "extra == 'x' or os_name == 'nt'"},
            f"thing ; {ABOUT_ALL}",
        ),
        ({"git": "https://h/r.git", "tag": "v1"}, "thing @ git+https://h/r.git@v1"),
        (
            {"git": "git@h.org:a/r.git", "branch": "b", "subdirectory": "s", "python": "3.9"},
            'thing @ git+ssh://git@h.org/a/r.git@b#subdirectory=s ; python_version == "3.9"',
        ),
        ({"url": "https://h/thing-1.zip"}, "thing @ https://h/thing-1.zip"),
        ({"path": "../libs/thing", "develop": True, "platform": "win32"}, '../libs/thing ; sys_platform == "win32"'),
        ({"file": "wheels/thing-1-py3-none-any.whl", "extras": ["a"]}, "./wheels/thing-1-py3-none-any.whl[a]"),
    ],
)
def test_whole_dependencies(said: Any, expected: str) -> None:  # noqa: ANN401 - a TOML value
    assert requirement("thing", said) == expected


@pytest.mark.parametrize("said", [3, True, ["x"]])
def test_what_is_no_dependency(said: object) -> None:
    with pytest.raises(ValueError, match="expected a version or a table"):
        requirement("thing", said)
