"""Dependencies of a binary at its level, with the real compilers, on this machine."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

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


def test_a_list_says_which(tmp_path: Path) -> None:
    root = dependents.project(tmp_path, settings='[tool.pypackpack.build]\ndependencies = ["Lone", "nobody"]\n')
    built = build(root, "app", "binary", "--level", "native")
    folder = built.wheel("linux_x86_64")
    assert ask(folder, tmp_path)["native"] == ["app", "lone"]
    assert (folder / "plainlib/core.py").read_text() == dependents.CORE
    assert "py3-none-any" in (folder / "plainlib-1.0.dist-info/WHEEL").read_text()
    assert built.answer["warnings"] == ["app: build.dependencies names nobody, which is no dependency of what was built"]
    assert [each["name"] for each in built.answer["dependencies"]] == ["lone"]
