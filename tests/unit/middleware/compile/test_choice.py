"""Which modules are to be native."""

from __future__ import annotations

import pytest

from pypackpack.middleware.compile.choice import compiler_of, idle, wants_native
from pypackpack.model.project import BuildSettings, NativePattern


@pytest.mark.parametrize(
    ("place", "include", "exclude", "wanted"),
    [
        ("mod.py", ("**",), (), True),
        ("__init__.py", ("**",), (), True),
        ("__main__.py", ("**",), (), False),
        ("sub/__main__.py", ("**",), (), False),
        ("plugins/one.py", ("**",), ("plugins/**",), False),
        ("plugins/deep/one.py", ("**",), ("plugins/**",), False),
        ("plugins/deep/one.py", ("**",), ("plugins/*",), True),
        ("plugins.py", ("**",), ("plugins/**",), True),
        ("core/fast.py", ("core/**",), (), True),
        ("slow.py", ("core/**",), (), False),
        ("core/fast.py", ("core/fast",), (), True),
        ("a/b/c.py", ("**/c.py",), (), True),
        ("c.py", ("**/c.py",), (), True),
        ("x1.py", ("x?.py",), (), True),
        ("a.b.py", ("a[b.py",), (), False),
        ("mod.py", (), (), False),
        ("a/b/c/d.py", ("**/a/*/?/**/*.py",), (), True),
        ("a/b/cc/d.py", ("**/a/*/?/**/*.py",), (), False),
        ("d.py", ("**/**/**/**/d.py",), (), True),
        ("x/ad.py", ("**/**/**/**/d.py",), (), False),
        ("a/x/bxc.py", ("a*/**b*x?*",), (), True),
    ],
)
def test_patterns(place: str, include: tuple[str, ...], exclude: tuple[str, ...], wanted: bool) -> None:
    assert wants_native(place, NativePattern(include, exclude)) is wanted


def test_mypyc_gets_the_modules_that_are_named_and_cython_the_others() -> None:
    some = BuildSettings(compiler="mypyc", mypyc=NativePattern(include=("core/**",), exclude=("core/slow",)))
    assert [compiler_of(place, some) for place in ("core/fast.py", "core/slow.py", "mod.py")] == ["mypyc", "cython", "cython"]
    assert compiler_of("mod.py", BuildSettings(compiler="mypyc")) == "mypyc"
    assert compiler_of("mod.py", BuildSettings(compiler="nuitka", mypyc=some.mypyc)) == "nuitka"


def test_patterns_that_mean_nothing() -> None:
    patterns = NativePattern(include=("core/**", "cor/**"), exclude=("core/slow", "plugins/**"))
    assert idle(["core/slow.py", "core/fast.py"], patterns) == ('include: "cor/**"', 'exclude: "plugins/**"')
    assert idle([], NativePattern(include=("**",), exclude=())) == ()


@pytest.mark.parametrize("part", ["**/", "*a", "**a"])
def test_patterns_that_try_to_be_slow_are_matched_at_once(part: str) -> None:
    assert not wants_native("a/" * 100 + "a" * 100 + "/b.py", NativePattern((part * 25 + "x",), ()))
