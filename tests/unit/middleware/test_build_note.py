"""When a note of a build with nothing to do is not to be believed, or not to be written."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from pypackpack.backend import distributions
from pypackpack.middleware import build_note
from pypackpack.middleware.compile import toolchains
from pypackpack.middleware.target import table
from pypackpack.model.build import Bundle
from pypackpack.model.project import BuildSettings, BundleSettings, Minify, Package

if TYPE_CHECKING:
    from pypackpack.middleware.build import Order


def order(*targets: str, settings: BuildSettings, compiles: bool = True, left_out: tuple[str, ...] = ()) -> Order:
    found = tuple(table.find(name) for name in targets)
    package = Package("small", "small", Path("small"), "1", found, (), (), {}, {"": settings}, BundleSettings())
    words = {"targets": found, "members": (package,), "compiles": compiles, "left_out": tuple((name, "") for name in left_out)}
    return cast("Order", SimpleNamespace(**words))


@pytest.mark.parametrize(
    ("compiles", "toolchain", "left_out", "asks"),
    [
        (True, None, (), False),
        (True, "gcc", (), True),  # of native sources too, which are compiled at every level
        (False, "gcc", (), False),
        (True, None, ("android_24_arm64",), True),  # the NDK may be there next time
        (False, None, ("android_24_arm64",), True),
        (True, None, ("windows_arm64",), False),  # it has no such Python
        (True, None, ("ios_13_0_arm64",), sys.platform == "darwin"),
    ],
)
def test_what_is_on_the_machine_is_asked_anew(
    compiles: bool,
    toolchain: str | None,
    left_out: tuple[str, ...],
    asks: bool,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    toolchains.look_again()
    settings = BuildSettings(toolchain=toolchain) if toolchain else BuildSettings()
    given = order("linux_x86_64", settings=settings, compiles=compiles, left_out=left_out)
    assert build_note.asks_the_machine(given) is asks


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        (BuildSettings(), set()),
        (BuildSettings(compiler="nuitka"), {"nuitka"}),
        (BuildSettings(compiler="mypyc"), {"mypy"}),
        (BuildSettings(minify=Minify()), {"python-minifier"}),
    ],
)
def test_another_version_of_a_tool_is_seen(
    settings: BuildSettings, names: set[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(distributions, "record_of", lambda name: f"record of {name}")
    given = order("linux_x86_64", settings=settings)
    request = SimpleNamespace(pythons=("3.13",), bundle=Bundle.SINGLE, audits=True)
    project = SimpleNamespace(root=tmp_path, packages=(), venv=tmp_path)
    vars(given).update(project=project, pythons=(), request=request, package=given.members[0], folder=tmp_path)
    watched = build_note._watched(given, cast("build_note.BuildResult", SimpleNamespace(artifacts=())))
    found = {path.removeprefix("record of ") for _, path in watched if path.startswith("record of ")}
    assert found - {"abi3info", "cython", "packaging", "pyproject-metadata"} == names
