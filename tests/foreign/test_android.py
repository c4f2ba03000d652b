"""Wheels for Android, made by zig without the NDK.

No Android runs here. What its loader looks at is read from the files; and the x86-64 module runs on this machine's own Linux, with
libraries in the place of Android's that hand its few names of its own on to glibc. That tells whether the code is right, and nothing
of Android's loader.
"""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING

import lief
import pytest
import series

from pypackpack.backend.tools.zig_android import functions
from tests.builds import Built, build, members, run, unpack

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import HeadersOf, PythonOf

MODULE = """
import errno

class ShelfError(ValueError):
    pass

def mean(numbers: list[float]) -> float:
    if not numbers:
        raise ShelfError("empty")
    return sum(numbers) / len(numbers)

def powers(base: float, count: int):
    for exponent in range(count):
        yield base ** exponent % 7

def missing(place):
    try:
        open(place)
    except OSError as error:
        return errno.errorcode[error.errno]
"""
ASK = """
import json
from small import mod
try:
    mod.mean([])
except mod.ShelfError as error:
    said = str(error)
print(json.dumps([mod.mean([1, 2.5]), said, list(mod.powers(2.5, 4)), mod.missing("/nowhere/at/all"), mod.__file__[-12:]]))
"""
TARGETS = {"android_24_arm64": (lief.ELF.ARCH.AARCH64, "aarch64"), "android_24_x86_64": (lief.ELF.ARCH.X86_64, "x86_64")}


@pytest.fixture(scope="module")
def built(foreign_python: PythonOf, tmp_path_factory: pytest.TempPathFactory) -> Built:
    root = tmp_path_factory.mktemp("android")
    (root / "small" / "src" / "main").mkdir(parents=True)
    (root / "small" / "src" / "main" / "__init__.py").write_text("")
    (root / "small" / "src" / "main" / "mod.py").write_text(MODULE)
    (root / "small" / "pyproject.toml").write_text(
        '[project]\nname = "small"\nversion = "1.0"\n\n[tool.pypackpack]\ntargets = ["android_24_arm64", "android_24_x86_64"]\n\n'
        '[tool.pypackpack.build.target.android]\ntoolchain = "zig"\n'
    )
    (root / "pyproject.toml").write_text(
        '[project]\nname = "whole"\nversion = "1.0"\n\n[tool.pypackpack]\npackages = ["small"]\n'
    )
    python = foreign_python("linux_x86_64", (3, 13))
    options = ("single", "--type", "release", "--level", "native", *series.words(python))
    return build(root, "small", *options, env=series.environment(python))


@pytest.mark.parametrize("target", TARGETS)
def test_a_module_is_what_androids_loader_wants(target: str, built: Built, foreign_headers: HeadersOf) -> None:
    machine, name = TARGETS[target]
    files = {place: data for place, data in members(built.wheel(target)).items() if place.endswith(".so")}
    assert sorted(files) == [f"small/{each}.cpython-313-{name}-linux-android.so" for each in ("__init__", "mod")]
    library = foreign_headers(target, (3, 11)).library
    real = lief.ELF.parse(str(library))
    assert real is not None
    for data in files.values():
        module = lief.ELF.parse(list(data))
        assert module is not None
        assert module.header.machine_type == machine
        # What Python itself needs of the system is all that may be named besides Python (PEP 738, "Linkage").
        assert set(module.libraries) == {"libpython3.13.so", "libm.so", "libc.so"}
        assert set(module.libraries) - {"libpython3.13.so"} <= set(real.libraries)
        assert {segment.alignment for segment in module.segments if segment.type == lief.ELF.Segment.TYPE.LOAD} == {0x4000}
        wanted = {str(symbol.name) for symbol in module.imported_symbols}
        assert {each for each in wanted if not re.match("_?Py", each)} <= functions()
        assert not [
            symbol for symbol in module.imported_symbols if symbol.has_version and symbol.symbol_version.has_auxiliary_version
        ]
        assert b"/tmp/" not in data


def test_it_runs_where_its_libraries_are_played(built: Built, foreign_python: PythonOf, tmp_path: Path) -> None:
    python = foreign_python("linux_x86_64", (3, 13))
    played = tmp_path / "libraries"
    played.mkdir()
    (played / "errno.c").write_text("int *__errno_location(void);\nint *__errno(void) { return __errno_location(); }\n")
    (played / "none.c").write_text("")
    for library, source, more in (
        *(("libc.so", "errno.c", []), ("libpython3.13.so", "none.c", [])),
        ("libm.so", "none.c", ["-Wl,--no-as-needed", "-lm"]),
    ):
        done = run(["gcc", "-shared", "-fPIC", f"-Wl,-soname,{library}", source, "-o", library, *more], cwd=played)
        assert done.returncode == 0, done.stderr
    folder = unpack([built.wheel("android_24_x86_64")], tmp_path / "wheel")
    for module in folder.rglob("*-linux-android.so"):
        module.rename(module.with_name(module.name.replace("linux-android", "linux-gnu")))
    here = dataclasses.replace(python, environment={**python.environment, "LD_LIBRARY_PATH": str(played)})
    done = here.run(ASK, paths=[folder])
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [1.75, "empty", [1.0, 2.5, 6.25, 1.625], "ENOENT", "linux-gnu.so"]
