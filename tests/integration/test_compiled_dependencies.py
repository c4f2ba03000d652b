"""Dependencies of a binary at its level, with the real compilers, on this machine."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pypackpack.middleware.inspect import inspect
from tests import dependents
from tests.builds import build, run

if TYPE_CHECKING:
    from pathlib import Path


def ask(folder: Path, tmp_path: Path) -> dict[str, Any]:
    done = run([sys.executable, "-c", dependents.QUESTIONS], cwd=tmp_path, env={"PYTHONPATH": str(folder)})
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("level", "kind", "native"),
    [("native", "debug", ["app", *dependents.NATIVE]), ("mixed", "release", dependents.NATIVE), ("bytecode", "release", [])],
)
def test_dependencies_are_what_the_level_says(level: str, kind: str, native: list[str], tmp_path: Path) -> None:
    root = dependents.project(tmp_path)
    words = ("binary", "--level", level, "--type", kind)
    built = build(root, "app", *words)
    folder = built.wheel("linux_x86_64")
    found = ask(folder, tmp_path)
    assert found == {"answers": dependents.ANSWERS, "words": 1500, "gone": [], "wrong": [], "native": sorted(native)}
    # Whatever is no module stays; what Python cannot read stays, too, and is said.
    assert (folder / "plainlib/py.typed").is_file()
    assert (folder / "hardlib/old.py").is_file()
    sources = {path.name for path in folder.rglob("*.py")}
    assert sources == ({"old.py"} if kind == "release" else {"old.py", "words.py", "rude.py", "__main__.py"})
    reasons = built.fallbacks("linux_x86_64")
    assert "print" in reasons["hardlib.old"]
    assert ("hardlib.words" in reasons) is (level != "bytecode")
    if level != "bytecode":
        assert "mostly tables (15" in reasons["hardlib.words"]
        assert {each["distribution"] for each in built.answer["fallbacks"]} == {"hardlib 1.0"}
        wheel = (folder / "plainlib-1.0.dist-info/WHEEL").read_text()
        assert "Root-Is-Purelib: false" in wheel
        assert "py3-none-any" not in wheel
    counts = {each["name"]: (each["native"], each["bytecode"], each["source"]) for each in built.answer["dependencies"]}
    assert counts["hardlib"] == ((1, 2, 1) if level != "bytecode" else (0, 3, 1))
    again = build(root, "app", *words)
    assert again.answer["tasks_run"] == 0
    assert again.answer["artifacts"][0]["sha256"] == built.answer["artifacts"][0]["sha256"]


@pytest.mark.parametrize("level", ["instant", "bytecode"])
def test_minify_reaches_dependencies_and_inspect_shows_them(level: str, tmp_path: Path) -> None:
    settings = '[tool.pypackpack.build]\nminify = { docstrings = true }\ndependencies = ["plainlib", "hardlib"]\n'
    root = dependents.project(tmp_path, settings=settings)
    built = build(root, "app", "binary", "--level", level)
    folder = built.wheel("linux_x86_64")
    found = ask(folder, tmp_path)
    assert (found["answers"], found["gone"], found["wrong"]) == (dependents.ANSWERS, [], [])
    text = (folder / "plainlib" / "core.py").read_text()
    assert "Twice a value" not in text
    assert "def double(value)" in text
    assert (folder / "lone.py").read_text() == dependents.LONE["lone.py"]  # not among those that the level is for
    assert (folder / "hardlib" / "old.py").read_text() == dependents.HARD["hardlib/old.py"]
    smaller = {each["package"]: each for each in built.answer["minified"]}
    assert smaller["plainlib 1.0"]["after"] < smaller["plainlib 1.0"]["before"]
    assert ["hardlib.old", "Python cannot read it"] in smaller["hardlib 1.0"]["kept"]
    assert {each["name"] for each in built.answer["dependencies"]} == (set() if level == "instant" else {"plainlib", "hardlib"})
    assert build(root, "app", "binary", "--level", level).answer["tasks_run"] == 0
    seen = inspect(folder)
    assert (seen.kind, seen.name, seen.target, seen.level, seen.notes) == ("binary", "app", "linux_x86_64", level, ())
    assert [module.module for module in seen.modules] == ["app"]
    assert {each.name: each.level for each in seen.dependencies} == {
        "hardlib": level, "lone": "instant", "plainlib": level, "spaced_one": "instant"
    }  # fmt: skip
    (folder / "lone.py").write_text("changed = True\n")
    (folder / "plainlib" / "core.py").unlink()
    (folder / "more.txt").touch()
    assert inspect(folder).notes == (
        "1 file of its manifest is not there: plainlib/core.py",
        "1 file is not as its manifest says: lone.py",
        "1 file is in no manifest: more.txt",
    )


def test_a_list_says_which(tmp_path: Path) -> None:
    root = dependents.project(tmp_path, settings='[tool.pypackpack.build]\ndependencies = ["Lone", "nobody"]\n')
    built = build(root, "app", "binary", "--level", "native")
    folder = built.wheel("linux_x86_64")
    assert ask(folder, tmp_path)["native"] == ["app", "lone"]
    assert (folder / "plainlib/core.py").read_text() == dependents.CORE
    assert "py3-none-any" in (folder / "plainlib-1.0.dist-info/WHEEL").read_text()
    assert built.answer["warnings"] == ["app: build.dependencies names nobody, which is no dependency of what was built"]
    assert [each["name"] for each in built.answer["dependencies"]] == ["lone"]
