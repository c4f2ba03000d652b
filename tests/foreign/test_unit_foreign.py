"""A package that is one extension module answers as its sources do: on four platforms, at both types, with abi3, and beside another."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import series
from statics import check
from test_abi3_foreign import give_python3_dll

from tests import behaviours
from tests.builds import PACKAGES, PYTHON, Built, build, copy_project, members, native_modules, run, stage, unpack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import PythonOf

HOST, ARM, WINDOWS, WASM = "linux_x86_64", "linux_arm64", "windows_amd64", "emscripten_wasm32"
NATIVE = ("single", "--level", "native", "--type")
BOTH = """
import importlib.metadata, other, whole.sub.first, sys
print(whole.one(), other.one(), [hook.__name__ for hook in sys.path_hooks].count("hook"))
"""


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(PACKAGES / "whole", tmp_path_factory.mktemp("unit") / "whole")


@pytest.fixture(scope="session")
def built(project: Path) -> Built:
    return build(project, "whole", *NATIVE, "release", "--target", HOST, ARM, WINDOWS)


def changed(project: Path, folder: Path, *lines: tuple[str, str]) -> Path:
    """Copy the project with other settings of the package ``whole``."""
    mine = copy_project(project, folder)
    settings = mine / "whole" / "pyproject.toml"
    text = settings.read_text(encoding="utf-8")
    for old, new in lines:
        assert text.count(old) == 1
        text = text.replace(old, new)
    settings.write_text(text, encoding="utf-8")
    return mine


def answers(done: Any) -> Mapping[str, Any]:  # noqa: ANN401 - what a Python of any kind ended with
    assert done.returncode == 0, done.stderr
    said = behaviours.parse(done.stdout)
    assert len(said["answers"]) > 20
    assert {name: each for name, each in said["answers"].items() if isinstance(each, dict) and "raised" in each} == {}
    return said


def compare(source: Mapping[str, Any], wheel: Mapping[str, Any]) -> None:
    assert behaviours.differences(source, wheel, "whole") == {}


@pytest.mark.parametrize("target", [HOST, ARM, WINDOWS])
def test_one_file_answers_as_the_sources(
    target: str, built: Built, project: Path, foreign_python: PythonOf, tmp_path: Path
) -> None:
    file = built.wheel(target)
    files = members(file)
    assert native_modules(files) == {"whole"}
    assert sorted(name.rpartition("/")[2] for name in files if name.endswith((".py", ".pyc"))) == [
        "__main__.pyc",
        "left.pyc",
        "refused.pyc",
    ]
    assert set(built.fallbacks(target)) == {"whole.refused"}
    (library,) = (name for name in files if name.endswith((".so", ".pyd")))
    check(target, PYTHON, library, files[library])
    sources, wheel = stage(project / "whole", "whole", tmp_path / "source"), unpack([file], tmp_path / "wheel")
    main = "import runpy, sys; sys.argv[1:] = ['a b']; runpy.run_module('whole', run_name='__main__', alter_sys=True)"
    if target == HOST:
        said = [
            run([sys.executable, behaviours.RUNNER, "whole"], cwd=tmp_path, env={"PYTHONPATH": str(each)})
            for each in (sources, wheel)
        ]
        done = run([sys.executable, "-m", "whole", "a b"], cwd=wheel)
    else:
        python = foreign_python(target, PYTHON)
        said = [python.run_script(behaviours.RUNNER, paths=[each], args=["whole"]) for each in (sources, wheel)]
        done = python.run(main, paths=[wheel])
    compare(answers(said[0]), answers(said[1]))
    assert (done.returncode, done.stdout) == (0, "whole whole.sub.deeper.first a b\n"), done.stderr


def test_gcc_makes_one_file_too(project: Path, tmp_path: Path) -> None:
    mine = changed(project, tmp_path / "gcc", ('unit = "package"', 'unit = "package"\ntoolchain = "gcc"'))
    built = build(mine, "whole", *NATIVE, "debug", "--target", HOST)
    file = built.wheel(HOST)
    files = members(file)
    assert native_modules(files) == {"whole"}
    (library,) = (name for name in files if name.endswith(".so"))
    assert str(tmp_path).encode() not in files[library]
    done = run([sys.executable, "-m", "auditwheel", "show", file], cwd=tmp_path)
    assert "is consistent with the following platform tag" in done.stdout, done.stdout + done.stderr
    sources, wheel = stage(project / "whole", "whole", tmp_path / "source"), unpack([file], tmp_path / "wheel")
    words = [sys.executable, behaviours.RUNNER, "whole"]
    compare(*[answers(run(words, cwd=tmp_path, env={"PYTHONPATH": str(each)})) for each in (sources, wheel)])


def test_pyodide_and_debug(project: Path, foreign_python: PythonOf, tmp_path: Path) -> None:
    python = series.choose(WASM, foreign_python)
    built = build(project, "whole", *NATIVE, "debug", "--target", WASM, *series.words(python), env=series.environment(python))
    sources, wheel = stage(project / "whole", "whole", tmp_path / "source"), unpack(built.wheels(), tmp_path / "wheel")
    assert native_modules(members(built.wheel(WASM))) == {"whole"}
    compare(*[answers(python.run_script(behaviours.RUNNER, paths=[each], args=["whole"])) for each in (sources, wheel)])


def test_with_abi3_one_file_for_every_later_python(project: Path, foreign_python: PythonOf, tmp_path: Path) -> None:
    mine = changed(project, tmp_path / "mine", ('unit = "package"\n', 'unit = "package"\nabi = "abi3"\n'))
    python = foreign_python(HOST, (3, 13))
    path = {"PATH": f"{Path(python.command[0]).parent}{os.pathsep}{os.environ['PATH']}"}
    words = (*NATIVE, "debug", "--target", HOST, WINDOWS, "--python", "{}.{}".format(*PYTHON), "3.13")
    built = build(mine, "whole", *words, env=path)
    for target, programs in ((HOST, ((3, 13), PYTHON)), (WINDOWS, ((3, 13),))):
        file = built.wheel(target)
        assert "-cp{}{}-abi3-".format(*PYTHON) in file.name
        assert native_modules(members(file)) == {"whole"}
        done = run([sys.executable, "-m", "abi3audit", "--strict", file], cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        sources, wheel = stage(mine / "whole", "whole", tmp_path / "source"), unpack([file], tmp_path / target)
        for each in programs:
            if target == WINDOWS:
                give_python3_dll(foreign_python(target, each), wheel / "whole")
            if each == PYTHON:
                done = [
                    run([sys.executable, behaviours.RUNNER, "whole"], cwd=tmp_path, env={"PYTHONPATH": str(one)})
                    for one in (sources, wheel)
                ]
            else:
                done = [
                    foreign_python(target, each).run_script(behaviours.RUNNER, paths=[one], args=["whole"])
                    for one in (sources, wheel)
                ]
            compare(answers(done[0]), answers(done[1]))


def test_two_of_them_in_one_process(project: Path, built: Built, tmp_path: Path) -> None:
    other = build(project, "other", *NATIVE, "debug", "--target", HOST)
    folder = unpack([built.wheel(HOST), *other.wheels()], tmp_path / "both")
    for order in ("import other, whole", "import whole, other"):
        done = run([sys.executable, "-c", order + BOTH], cwd=folder)
        assert (done.returncode, done.stdout) == (0, "('one', 'two') ('other', 'other.sub.first') 2\n"), done.stderr


def test_a_changed_module_costs_one_compile_and_one_link(project: Path, tmp_path: Path) -> None:
    mine = copy_project(project, tmp_path / "mine")
    before = members(build(mine, "other", *NATIVE, "debug", "--target", HOST).wheel(HOST))
    file = mine / "other" / "src" / "main" / "sub" / "first.py"
    text = file.read_text(encoding="utf-8")
    file.write_text(f"{text}\nMORE = {os.urandom(8).hex()!r}\n", encoding="utf-8")  # no cache has seen it
    after = build(mine, "other", *NATIVE, "debug", "--target", HOST)
    assert after.answer["tasks_compiled"] == 3  # its C, its object, and the file
    assert members(after.wheel(HOST)) != before
    file.write_text(text, encoding="utf-8")
    again = build(mine, "other", *NATIVE, "debug", "--target", HOST)
    assert again.answer["tasks_compiled"] == 0
    assert members(again.wheel(HOST)) == before


def test_without_an_init_each_module_is_for_itself(project: Path, tmp_path: Path) -> None:
    mine = changed(project, tmp_path / "mine", ('exclude = ["left"]', 'exclude = ["__init__", "left", "late"]'))
    built = build(mine, "whole", *NATIVE, "release", "--target", HOST)
    (said,) = built.answer["warnings"]
    assert said.startswith(
        "whole/__init__.py is not compiled (native.exclude names it: __init__), and would hold the other modules: "
    )
    found = native_modules(members(built.wheel(HOST)))
    assert found == {
        "whole.first",
        "whole.moved",
        "whole.moved.elsewhere.hidden",
        "whole.sub",
        "whole.sub.first",
        "whole.sub.deeper",
        "whole.sub.deeper.first",
        "whole.space.far",
    }
    done = run([sys.executable, "-c", "import whole.sub; print(whole.one())"], cwd=unpack(built.wheels(), tmp_path / "wheel"))
    assert (done.returncode, done.stdout) == (0, "('one', 'two')\n"), done.stderr


def test_an_init_that_is_refused_keeps_all_as_bytecode(project: Path, tmp_path: Path) -> None:
    mine = copy_project(project, tmp_path / "mine")
    file = mine / "other" / "src" / "main" / "__init__.py"
    refused = (mine / "whole" / "src" / "main" / "refused.py").read_text(encoding="utf-8")
    file.write_text(file.read_text(encoding="utf-8") + refused.partition('"""\n')[2], encoding="utf-8")
    built = build(mine, "other", *NATIVE, "release", "--target", HOST)
    reasons = built.fallbacks(HOST)
    assert set(reasons) == {"other", "other.first", "other.sub", "other.sub.first"}
    assert reasons["other"].startswith("other/__init__.py:")
    assert reasons["other.first"].startswith("other/__init__.py cannot be compiled, and with unit = ")
    assert re.search(r"-cp\d+-none-any\.whl$", built.wheel(HOST).name)
    done = run([sys.executable, "-c", "import other; print(other.one())"], cwd=unpack(built.wheels(), tmp_path / "wheel"))
    assert (done.returncode, done.stdout) == (0, "('other', 'other.sub.first')\n"), done.stderr
