"""A compiled package behaves as before: the same files answer the same questions interpreted and compiled (spec 6.2)."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests import behaviours
from tests.builds import ROOT, Built, build, copy_project, members, native_modules, run, stage, unpack

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PACKAGE = behaviours.PROJECT / "behaviour" / "src" / "main"
MODULES = sorted(
    "behaviour." + path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", ".") for path in PACKAGE.rglob("*.py")
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy in a folder with a name that is not easy."""
    return copy_project(behaviours.PROJECT, tmp_path_factory.mktemp("behaviour") / "a project of größe")


@pytest.fixture(scope="module")
def built(project: Path) -> Built:
    return build(project, "behaviour", "single", "--type", "release", "--level", "native", "--target", "host")


@pytest.fixture(scope="module")
def answers(project: Path, built: Built, tmp_path_factory: pytest.TempPathFactory) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What the sources say and what the wheel says."""
    folder = tmp_path_factory.mktemp("answers")
    sources = stage(project / "behaviour", "behaviour", folder / "source")
    wheel = unpack(built.wheels(), folder / "wheel")
    said = []
    for path in (sources, wheel):
        done = run([sys.executable, behaviours.RUNNER, "behaviour"], cwd=folder, env={"PYTHONPATH": str(path)})
        assert done.returncode == 0, done.stderr
        said.append(behaviours.parse(done.stdout))
    return said[0], said[1]


def test_the_questions_are_asked(answers: tuple[Mapping[str, Any], Mapping[str, Any]]) -> None:
    source, wheel = answers
    assert len(source["answers"]) > 300
    imports = {name: answer for name, answer in source["answers"].items() if name.endswith(".import")}
    assert set(imports.values()) == {"imported"}
    assert source["answers"].keys() == wheel["answers"].keys()
    raised = {name: answer for name, answer in source["answers"].items() if isinstance(answer, dict) and "raised" in answer}
    assert raised == {}, "a question that the interpreter itself cannot answer"


def test_unlisted_answers_are_the_same(answers: tuple[Mapping[str, Any], Mapping[str, Any]]) -> None:
    found = {name: pair for name, pair in behaviours.differences(*answers).items() if name not in behaviours.KNOWN}
    assert found == {}, json.dumps(found, indent=2)


def test_listed_differences_are_still_there(answers: tuple[Mapping[str, Any], Mapping[str, Any]]) -> None:
    found = behaviours.differences(*answers)
    assert sorted(behaviours.KNOWN.keys() - found.keys()) == [], "the same now: take them out of the table"


def test_exactly_the_listed_modules_fall_back(built: Built) -> None:
    (wheel,) = built.wheels()
    target = built.answer["artifacts"][0]["targets"][0]
    reasons = built.fallbacks(target)
    assert reasons.keys() == behaviours.FALLBACKS.keys()
    assert [name for name, word in behaviours.FALLBACKS.items() if word not in reasons[name]] == []
    modules = {name.removesuffix(".__init__") for name in MODULES}
    assert native_modules(members(wheel)) == modules - behaviours.FALLBACKS.keys() - {"behaviour.__main__"}


def test_the_wheel_says_what_became_of_each_module(built: Built) -> None:
    (wheel,) = built.wheels()
    reasons = built.fallbacks(built.answer["artifacts"][0]["targets"][0])
    done = run([sys.executable, "-m", "pypackpack", "inspect", wheel, "--json"], cwd=wheel.parent, env={"PYTHONPATH": str(ROOT)})
    found = json.loads(done.stdout)
    modules = {module["module"]: module for module in found["modules"]}
    assert modules.keys() == {name.removesuffix(".__init__") for name in MODULES}
    assert {name for name, module in modules.items() if module["form"] == "extension"} == native_modules(members(wheel))
    said = {name: module["reason"].splitlines()[0] for name, module in modules.items() if module["reason"]}
    assert said.pop("behaviour.__main__") == "__main__ is never compiled: python -m runs a module's code object"
    assert said == {name: reason.splitlines()[0] for name, reason in reasons.items()}
    assert (found["level"], found["type"], found["compiler"]["name"]) == ("native", "release", "cython")
    assert found["notes"] == []


def test_python_m(built: Built, tmp_path: Path) -> None:
    folder = unpack(built.wheels(), tmp_path / "wheel")
    done = run([sys.executable, "-m", "behaviour", "a", "b c"], cwd=tmp_path, env={"PYTHONPATH": str(folder)})
    assert (done.returncode, done.stdout) == (3, "behaviour 1.0 a b c\n"), done.stderr


def test_an_error_shows_file_and_line(built: Built, tmp_path: Path) -> None:
    folder = unpack(built.wheels(), tmp_path / "wheel")
    code = "from behaviour import traces; traces.outer('for the person to see')"
    done = run([sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(folder)})
    line = next(
        number
        for number, text in enumerate((PACKAGE / "traces.py").read_text().splitlines(), 1)
        if "raise ValueError(text)" in text
    )
    assert f'File "behaviour/traces.py", line {line}, in behaviour.traces.fail' in done.stderr
    assert done.stderr.endswith("ValueError: for the person to see\n")
