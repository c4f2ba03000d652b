"""One wheel for every later Python: built once, accepted by abi3audit, and run on several Pythons of four platforms."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import lief
import pytest
from packaging.utils import parse_wheel_filename
from statics import TAGS

from pypackpack.backend.tools import pinned
from pypackpack.model.interpreter import OLDEST
from tests import behaviours
from tests.builds import PACKAGES, PYTHON, Built, build, copy_project, members, run, stage, unpack

if TYPE_CHECKING:
    from conftest import PythonOf
    from pythons import ForeignPython

HOST, WINDOWS, WASM = "linux_x86_64", "windows_amd64", "emscripten_wasm32"
ON = (
    (HOST, OLDEST),
    (HOST, (3, 14)),
    ("linux_arm64", (3, 11)),
    (WINDOWS, OLDEST),
    (WINDOWS, (3, 11)),
    (WINDOWS, (3, 13)),
    (WASM, (3, 13)),
    (WASM, (3, 14)),
)
MODULES = {"eras", "eras.flow", "eras.records"}
SETTINGS = '\n[tool.pypackpack.build]\nabi = "abi3"\n'


def path_of(foreign_python: PythonOf, *series: tuple[int, int]) -> dict[str, str]:
    """Return an environment in which pypackpack finds Pythons of these X.Y."""
    folders = [str(Path(foreign_python(HOST, each).command[0]).parent) for each in series if each != PYTHON]
    return {"PATH": os.pathsep.join([*folders, os.environ["PATH"]])}


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = copy_project(PACKAGES / "eras", tmp_path_factory.mktemp("abi3") / "eras")
    for name in ("eras", "grain"):
        settings = root / name / "pyproject.toml"
        text = re.sub(r"targets = \[.*?\]", f"targets = {list(TAGS)}", settings.read_text(encoding="utf-8"), flags=re.DOTALL)
        settings.write_text(text + SETTINGS, encoding="utf-8")
    (root / "eras" / "src" / "main" / "__main__.py").write_text("import eras.flow\nprint(eras.flow.__name__)\n")
    return root


@pytest.fixture(scope="session")
def built(project: Path, foreign_python: PythonOf) -> Built:
    """The package for two Pythons, in one command: one wheel for each target."""
    words = ("single", "--type", "release", "--level", "native", "--target", HOST, WINDOWS, "linux_arm64")
    return build(project, "eras", *words, "--python", "3.10", "3.13", env=path_of(foreign_python, OLDEST, (3, 13)))


@pytest.fixture(scope="session")
def wasm(project: Path, foreign_python: PythonOf) -> Built:
    words = ("single", "--type", "debug", "--level", "native", "--target", WASM, "--python", "3.13", "3.14")
    return build(project, "eras", *words, env=path_of(foreign_python, (3, 13), (3, 14)))


@pytest.fixture(scope="session")
def everywhere(project: Path, foreign_python: PythonOf) -> Built:
    """A very small package for all targets but wasm."""
    targets = [target for target in TAGS if target != WASM]
    words = ("single", "--type", "release", "--level", "native", "--python", "3.10", "--target", *targets)
    return build(project, "grain", *words, env=path_of(foreign_python, OLDEST))


def give_python3_dll(python: ForeignPython, folder: Path) -> None:
    """Put python3.dll, which the Pythons here lack and every real one for Windows has, beside the modules that want it.

    As CPython makes it (PC/python3dll.c): each function of the stable ABI leads to that of python3XX.dll. The names are those of
    the Python's own python3.lib.
    """
    library = (python.folder / "libs" / "python3.lib").read_bytes()
    dll = "python{}{}".format(*python.version)
    names = sorted({name.decode() for name in re.findall(rb"__imp_(\w+)\0", library)})
    assert len(names) > 700
    (folder / "python3.def").write_text("LIBRARY python3.dll\nEXPORTS\n" + "".join(f" {name}={dll}.{name}\n" for name in names))
    (folder / "nothing.c").write_text("int nothing;\n")
    zig = pinned.ensure_tool("ziglang") / "ziglang" / "zig"
    words = ["cc", "-target", "x86_64-windows-gnu", "-shared", "-nostdlib", "-Wl,--no-entry", "nothing.c", "python3.def"]
    done = run([zig, *words, "-o", "python3.dll"], cwd=folder)
    assert done.returncode == 0, done.stderr


def test_one_wheel_of_each_platform(built: Built) -> None:
    names = sorted(wheel.name for wheel in built.wheels())
    assert names == sorted(
        f"eras-1.0-cp310-abi3-{platforms}.whl"
        for platforms in (
            "manylinux2014_x86_64.manylinux_2_17_x86_64",
            "manylinux2014_aarch64.manylinux_2_17_aarch64",
            "win_amd64",
        )
    )
    assert [each["later"] for each in built.answer["artifacts"]] == [True] * 3
    (said,) = built.answer["warnings"]
    assert said.startswith("Python 3.13: not compiled for, the abi3 wheel of 3.10 serves every later Python (linux_x86_64, ")
    # Bytecode belongs to one Python: what is not native is source, at type release, too.
    files = members(built.wheel(HOST))
    assert [name for name in files if name.endswith((".py", ".pyc"))] == ["eras/__main__.py"]


def test_each_python_of_emscripten_has_its_own(wasm: Built) -> None:
    names = sorted(wheel.name for wheel in wasm.wheels())
    assert [re.sub("-py[a-z]*_", "-X_", name) for name in names] == [
        "eras-1.0-cp313-abi3-X_2025_0_wasm32.whl",
        "eras-1.0-cp314-abi3-X_2026_0_wasm32.whl",
    ]
    assert wasm.answer["warnings"] == []


@pytest.mark.parametrize(("target", "series"), ON, ids=lambda value: value if isinstance(value, str) else "{}.{}".format(*value))
def test_the_wheel_answers_as_the_sources(
    target: str, series: tuple[int, int], built: Built, wasm: Built, project: Path, foreign_python: PythonOf, tmp_path: Path
) -> None:
    python = foreign_python(target, series)
    file = wasm.wheel(target, series) if target == WASM else built.wheel(target)
    wheel = unpack([file], tmp_path / "wheel")
    if target == WINDOWS:
        give_python3_dll(python, wheel / "eras")
    said = []
    for folder in (stage(project / "eras", "eras", tmp_path / "source"), wheel):
        done = python.run_script(behaviours.RUNNER, paths=[folder], args=["eras"])
        assert done.returncode == 0, done.stderr
        said.append(behaviours.parse(done.stdout))
    source, native = said
    assert native["version"][:2] == list(series)
    assert len(native["answers"]) > 15
    assert set(native["files"]) == MODULES
    assert {name.partition(".")[2] for name in native["files"].values()} == {"pyd" if target == WINDOWS else "abi3.so"}
    assert behaviours.differences(source, native, "eras") == {}
    if target != WASM:
        done = python.run("import runpy; runpy.run_module('eras', run_name='__main__', alter_sys=True)", paths=[wheel])
        assert (done.returncode, done.stdout) == (0, "eras.flow\n"), done.stderr


@pytest.mark.parametrize("target", [target for target in TAGS if target != WASM])
def test_abi3audit_accepts_it(target: str, everywhere: Built) -> None:
    wheel = everywhere.wheel(target)
    assert {(tag.interpreter, tag.abi) for tag in parse_wheel_filename(wheel.name)[3]} == {("cp310", "abi3")}
    done = run([sys.executable, "-m", "abi3audit", "--strict", "--report", wheel], cwd=wheel.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        done.stdout.count("'is_abi3_baseline_compatible': True") + done.stdout.count('"is_abi3_baseline_compatible": true') == 2
    )
    if target.startswith("windows"):
        for name, data in members(wheel).items():
            if name.endswith(".pyd"):
                binary = lief.parse(list(data))
                assert isinstance(binary, lief.PE.Binary)
                assert [each.name for each in binary.imports if each.name.startswith("python")] == ["python3.dll"]


def test_the_whole_package_of_questions(tmp_path_factory: pytest.TempPathFactory, foreign_python: PythonOf) -> None:
    folder = tmp_path_factory.mktemp("questions")
    project = copy_project(behaviours.PROJECT, folder / "behaviour")
    with (project / "behaviour" / "pyproject.toml").open("a", encoding="utf-8") as settings:
        settings.write(SETTINGS)
    built = build(project, "behaviour", "single", "--type", "debug", "--level", "native", "--target", HOST)
    assert {*built.fallbacks(HOST)} == {*behaviours.FALLBACKS}
    assert {each["form"] for each in built.answer["fallbacks"]} == {"source"}
    sources = stage(project / "behaviour", "behaviour", folder / "source")
    wheel = unpack(built.wheels(), folder / "wheel")
    programs = [Path(sys.executable), Path(foreign_python(HOST, (3, 13)).command[0])]
    expected = {*behaviours.KNOWN, *behaviours.KNOWN_ABI3}
    for program in programs:
        said = []
        for path in (sources, wheel):
            done = run([program, behaviours.RUNNER, "behaviour"], cwd=folder, env={"PYTHONPATH": str(path)})
            assert done.returncode == 0, done.stderr
            said.append(behaviours.parse(done.stdout))
        assert set(behaviours.differences(said[0], said[1])) == expected


def test_modules_of_both_kinds(project: Path, foreign_python: PythonOf, tmp_path: Path) -> None:
    mine = copy_project(project, tmp_path / "mine")
    with (mine / "grain" / "pyproject.toml").open("a", encoding="utf-8") as settings:
        settings.write('abi3 = { exclude = ["sand"] }\n')
    words = ("single", "--type", "release", "--level", "native", "--target", HOST, "--python", "3.10", "3.13")
    built = build(mine, "grain", *words, env=path_of(foreign_python, OLDEST, (3, 13)))
    shared = [members(wheel)["grain/__init__.abi3.so"] for wheel in built.wheels()]
    assert len(shared) == 2
    assert shared[0] == shared[1]
    assert built.answer["warnings"] == []
    for series in (OLDEST, (3, 13)):
        wheel = built.wheel(HOST, series)
        assert "-cp{0}{1}-cp{0}{1}-".format(*series) in wheel.name
        assert sorted(name for name in members(wheel) if name.endswith(".so")) == [
            "grain/__init__.abi3.so",
            "grain/sand.cpython-{}{}-x86_64-linux-gnu.so".format(*series),
        ]
        folder = unpack([wheel], tmp_path / wheel.stem)
        done = foreign_python(HOST, series).run("import grain.sand; print(grain.answer_grains())", paths=[folder])
        assert (done.returncode, done.stdout) == (0, "[0.0, 0.25, 0.5, 0.75]\n"), done.stderr
