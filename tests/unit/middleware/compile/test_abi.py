"""For which Pythons a target is built when modules use the limited API."""

from __future__ import annotations

from pathlib import Path

from pypackpack.middleware.compile.abi import Stable, spared, stable
from pypackpack.middleware.target.table import find
from pypackpack.model.interpreter import Interpreter
from pypackpack.model.project import BuildSettings, NativePattern

FILES = ("__init__.py", "__main__.py", "core/a.py")
LINUX, WASM = find("linux_x86_64"), find("emscripten_wasm32")


def python(minor: int) -> Interpreter:
    return Interpreter(Path("python"), (3, minor, 1), "cpython", Path("include"), True, False, "x")


P11, P13, P14 = python(11), python(13), python(14)
ABI3 = BuildSettings(abi="abi3")


def test_one_wheel_by_the_oldest() -> None:
    assert stable(ABI3, LINUX, (P13, P11, P14), FILES, bound=False) == {P11: Stable(P11, True)}


def test_without_abi3_each_python_is_for_itself() -> None:
    assert stable(BuildSettings(), LINUX, (P13, P11), FILES, bound=False) == {P13: None, P11: None}


def test_folders_are_for_one_python_and_share_modules() -> None:
    assert stable(ABI3, LINUX, (P13, P11), FILES, bound=True) == {P13: Stable(P11, False), P11: Stable(P11, False)}


def test_a_module_that_is_bound_to_a_version_binds_the_wheel() -> None:
    settings = BuildSettings(abi="abi3", abi3=NativePattern(exclude=("core/**",)))
    found = stable(settings, LINUX, (P13, P11), FILES, bound=False)
    assert found == {P13: Stable(P11, False), P11: Stable(P11, False)}
    # A module that is not native anyway binds nothing.
    settings = BuildSettings(abi="abi3", abi3=settings.abi3, native=NativePattern(exclude=("core/**",)))
    assert stable(settings, LINUX, (P13, P11), FILES, bound=False) == {P11: Stable(P11, True)}


def test_native_sources_of_ones_own_are_limited_or_bind_the_wheel() -> None:
    assert stable(ABI3, LINUX, (P13, P11), (), own=("fast",), bound=False) == {P11: Stable(P11, True)}
    assert stable(BuildSettings(), LINUX, (P13, P11), (), own=("fast",), bound=False) == {P13: None, P11: None}
    settings = BuildSettings(abi="abi3", abi3=NativePattern(exclude=("fast",)))
    found = stable(settings, LINUX, (P13, P11), FILES, own=("fast",), bound=False)
    assert found == {P13: Stable(P11, False), P11: Stable(P11, False)}


def test_nothing_native_is_nothing_stable() -> None:
    settings = BuildSettings(abi="abi3", native=NativePattern(()))
    assert stable(settings, LINUX, (P13, P11), FILES, bound=False) == {P13: None, P11: None}
    settings = BuildSettings(abi="abi3", abi3=NativePattern(()))
    assert stable(settings, LINUX, (P13, P11), FILES, bound=False) == {P13: None, P11: None}


def test_platforms_that_change_with_the_python_have_a_wheel_for_each() -> None:
    found = stable(ABI3, WASM, (P14, P13), FILES, bound=False)
    assert found == {P14: Stable(P14, True), P13: Stable(P13, True)}


def test_what_is_served_without_being_compiled_for_is_said() -> None:
    assert spared({LINUX: (P11, P13)}, (P11, P13)) == ()
    said = spared({LINUX: (P11,), find("windows_amd64"): (P11,), WASM: (P11, P14, P13)}, (P11, P14, P13))
    assert said == (
        "Python 3.13, 3.14: not compiled for, the abi3 wheel of 3.11 serves every later Python (linux_x86_64, windows_amd64)",
    )
