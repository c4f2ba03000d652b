"""Minified code, with the real library: smaller, and it answers as before."""

from __future__ import annotations

import os
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from pypackpack.model.errors import EXIT_FAILED, EXIT_MISSING
from tests import behaviours
from tests.builds import ROOT, build, copy_project, members, run, stage, unpack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MODULE = '''\
"""What the module is for."""

# a comment


def outer(number: int = 1, *, wanted: str = "x") -> str:
    """What the function does."""
    intermediate = wanted * number

    def inner() -> str:
        return intermediate

    return inner()
'''


def test_a_minified_package_answers_as_before(tmp_path: Path) -> None:
    project = copy_project(behaviours.PROJECT, tmp_path / "behaviour")
    settings = project / "behaviour" / "pyproject.toml"
    settings.write_text(settings.read_text() + "\n[tool.pypackpack.build]\nminify = true\n")
    words = ("single", "--level", "bytecode", "--type", "release", "--target", "linux_x86_64")
    built = build(project, "behaviour", *words)
    (found,) = built.answer["minified"]
    assert found["after"] < found["before"] * 0.9
    assert found["kept"] == []
    assert build(project, "behaviour", *words).answer["tasks_run"] == 0
    answers = []
    for folder in (stage(project / "behaviour", "behaviour", tmp_path / "source"), unpack(built.wheels(), tmp_path / "wheel")):
        done = run([sys.executable, behaviours.RUNNER, "behaviour"], cwd=tmp_path, env={"PYTHONPATH": str(folder)})
        assert done.returncode == 0, done.stderr
        answers.append(behaviours.parse(done.stdout))
    # Lines are those of the smaller text, and so is what asks for its own source: documented.
    assert {name.partition(".")[0] for name in behaviours.differences(*answers)} <= {"traces", "guarded"}


@pytest.mark.parametrize(
    ("settings", "there", "gone"),
    [
        ("true", ["What the module is for.", "What the function does.", "number:int", "intermediate", "inner"], ["a comment"]),
        ("{ docstrings = true }", ["number:int", "intermediate"], ["a comment", "What the"]),
        ("{ annotations = true }", ["What the function does.", "intermediate"], ["number:int", "->"]),
        ('{ names = "locals" }', ["number:int", "wanted", "outer"], ["intermediate", "inner"]),
    ],
)
def test_what_goes_is_a_choice(settings: str, there: list[str], gone: list[str], small_project: Callable[..., Path]) -> None:
    text = f"[tool.pypackpack.build]\nminify = {settings}\n"
    root = small_project({"main/mod.py": MODULE}, settings=text)
    (root / "small" / "src" / "main" / "mod.py").chmod(0o755)
    (wheel,) = build(root, "small", "single").wheels()
    made = members(wheel)["small/mod.py"].decode()
    with zipfile.ZipFile(wheel) as archive:
        modes = {name: archive.getinfo(f"small/{name}").external_attr >> 16 & 0o111 for name in ("mod.py", "__init__.py")}
    assert modes == {"mod.py": 0o111, "__init__.py": 0}
    assert [word for word in there if word not in made] == []
    assert [word for word in gone if word in made] == []


CLASSES = """\
import functools
import typing
from dataclasses import dataclass as made
from typing import NamedTuple as Row

also = made


@made
class Alias:
    x: int

    if True:
        y: int = 2


@also
class Other:
    x: int


class Pair(Row):
    a: int
    b: str = "b"


class Table(typing.TypedDict):
    key: int


@functools.singledispatch
def kind(value: object) -> str:
    return "other"


@kind.register
def _(value: int) -> str:
    return "int"


def plain(number: int) -> str:
    return str(number)


print(Alias(1), Other(3), Pair(4), Table.__required_keys__, kind(5), kind("x"), plain.__annotations__)
"""


def test_annotations_that_something_is_made_of_stay(small_project: Callable[..., Path], tmp_path: Path) -> None:
    root = small_project({"main/mod.py": CLASSES}, settings="[tool.pypackpack.build]\nminify = { annotations = true }\n")
    folder = unpack(build(root, "small", "single").wheels(), tmp_path / "wheel")
    done = run([sys.executable, "-c", "import small.mod"], cwd=tmp_path, env={"PYTHONPATH": str(folder)})
    assert done.stdout == (
        "Alias(x=1, y=2) Other(x=3) Pair(a=4, b='b') frozenset({'key'}) int other {'number': <class 'int'>}\n"
    ), done.stderr
    assert "->" not in (folder / "small" / "mod.py").read_text()


def test_native_modules_are_made_of_the_file_and_the_rest_is_smaller(small_project: Callable[..., Path], tmp_path: Path) -> None:
    text = '[tool.pypackpack.build]\nminify = true\n[tool.pypackpack.build.native]\nexclude = ["plain"]\n'
    root = small_project({"main/mod.py": "# one\n\n\ndef fail():\n    1 / 0\n", "main/plain.py": MODULE}, settings=text)
    built = build(root, "small", "single", "--level", "native")
    files = members(built.wheels()[0])
    assert b"# a comment" not in files["small/plain.py"]
    assert (built.answer["minified"][0]["modules"], built.answer["minified"][0]["before"]) == (1, len(MODULE))
    folder = unpack(built.wheels(), tmp_path / "wheel")
    done = run([sys.executable, "-c", "import small.mod; small.mod.fail()"], cwd=tmp_path, env={"PYTHONPATH": str(folder)})
    assert 'mod.py", line 5, in' in done.stderr


def test_a_syntax_error_is_told_as_it_stands_in_the_file(small_project: Callable[..., Path]) -> None:
    root = small_project({"main/mod.py": "# one\n\n\ndef fail(:\n"}, settings="[tool.pypackpack.build]\nminify = true\n")
    done = run([sys.executable, "-m", "pypackpack", "build", "small", "source", "single"], cwd=root, env={"PYTHONPATH": str(ROOT)})
    assert done.returncode == 1
    assert "mod.py:4:" in done.stderr


def test_a_library_that_does_not_work_is_an_error_and_not_the_fault_of_each_module(
    small_project: Callable[..., Path], tmp_path: Path
) -> None:
    root = small_project({"main/mod.py": MODULE}, settings="[tool.pypackpack.build]\nminify = true\n")
    (tmp_path / "bad" / "python_minifier-9.9.dist-info").mkdir(parents=True)
    (tmp_path / "bad" / "python_minifier.py").write_text("raise ImportError('half of it is gone')\n")
    path = os.pathsep.join([str(tmp_path / "bad"), str(ROOT)])
    done = run([sys.executable, "-m", "pypackpack", "build", "small", "source", "single"], cwd=root, env={"PYTHONPATH": path})
    assert done.returncode in (EXIT_FAILED, EXIT_MISSING)  # one module meets it, or several at a time
    assert "pip install --force-reinstall python-minifier" in done.stderr
    assert "half of it is gone" in done.stderr


def test_what_a_machine_had_no_memory_for_is_tried_again(small_project: Callable[..., Path], tmp_path: Path) -> None:
    root = small_project({"main/mod.py": MODULE}, settings="[tool.pypackpack.build]\nminify = true\n")
    info = tmp_path / "lib" / "python_minifier-9.9.dist-info" / "METADATA"
    info.parent.mkdir(parents=True)
    info.write_text("Metadata-Version: 2.1\nName: python-minifier\nVersion: 9.9\n")
    (tmp_path / "lib" / "python_minifier.py").write_text("def minify(*words, **more):\n    raise MemoryError\n")
    env = {"PYTHONPATH": os.pathsep.join([str(tmp_path / "lib"), str(ROOT)])}
    for _ in range(2):
        answer = build(root, "small", "single", env=env).answer
        assert {name for name, _ in answer["minified"][0]["kept"]} == {"small", "small.mod"}
        assert answer["tasks_run"] > 0
