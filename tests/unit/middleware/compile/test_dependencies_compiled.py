"""What is planned for dependencies, and what their files become; the tools do not run here."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from pypackpack.backend.digests import FileDigests
from pypackpack.backend.filesystem import sha256_file
from pypackpack.backend.tools.headers import HeaderFolder
from pypackpack.middleware.bundle.dependencies import wheel_file
from pypackpack.middleware.bundle.installed import installed_in
from pypackpack.middleware.compile.content import Contents
from pypackpack.middleware.compile.dependencies import DependencyPlan
from pypackpack.middleware.compile.reasons import NEEDS_SOURCE
from pypackpack.middleware.graph.schedule import RAN, Outcome
from pypackpack.middleware.target import table
from pypackpack.model.action import ActionResult
from pypackpack.model.build import BuildType, Level
from pypackpack.model.errors import FilesystemError, ToolError
from pypackpack.model.interpreter import Interpreter
from pypackpack.model.project import BuildSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.task import Task

LINUX, WINDOWS = table.find("linux_x86_64"), table.find("windows_amd64")
FILES = {
    "one/__init__.py": b"",
    "one/__main__.py": b"",
    "one/core.py": b"x = 1",
    "one/fast.py": b"slow = True",
    "one/fast.cpython-313-x86_64-linux-gnu.so": b"elf",
    "one/not-a-module.py": b"",
    "one/data.txt": b"",
}


def install(site: Path, name: str, files: Mapping[str, bytes], *, wheel: str = "Tag: py3-none-any\n") -> None:
    info = f"{name}-1.0.dist-info"
    every = {**files, f"{info}/METADATA": b"", f"{info}/WHEEL": wheel.encode()}
    for path, data in every.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_bytes(data)
    rows = [f"{path},sha256={hashlib.sha256(data).hexdigest()},{len(data)}" for path, data in every.items()]
    (site / info / "RECORD").write_text("\n".join([*rows, f"{info}/RECORD,,"]))


class World:
    """Sites of targets, planned."""

    def __init__(self, folder: Path, level: Level, kind: BuildType, dependencies: tuple[str, ...] | None = None) -> None:
        self.python = Interpreter(folder / "python", (3, 13, 1), "cpython", folder, True, False, "x")
        headers = (HeaderFolder(folder, "1"),)
        bytecode = SimpleNamespace(compile=self._die)
        self.error: Exception = ToolError("it hangs")
        shop = SimpleNamespace(
            digests=FileDigests(folder / "cache", folder),
            includes=lambda *_words: headers,
            bytecode=lambda _python: bytecode,
            read=lambda file: file.path.read_bytes(),
        )
        self.plan = DependencyPlan(level, kind, cast("Workshop", shop))
        self.settings = BuildSettings(dependencies=dependencies)
        self.found = {}
        for target in (LINUX, WINDOWS):
            if (folder / target.name).is_dir():
                self.found[target.name] = installed_in(folder / target.name, sha256_file).distributions
                self.plan.add(target, self.python, self.found[target.name], self.settings)

    def _die(self, *_words: object, **_more: object) -> None:
        raise self.error

    def outcomes(self, **facts: dict[str, str]) -> dict[str, Outcome]:
        """What tasks leave behind; ``facts`` by the beginning of a task's name, with _ for a space, where it is something else."""
        found = {}
        for task in self.plan.tasks:
            said = next((each for name, each in facts.items() if name in task.name.replace(" ", "_").replace("/", "_")), {})
            made = {"bytecode": "pyc", "transcompile": "file a.c", "compile": "module"}[task.step]
            bad = "message" in said or "refused" in said
            result = ActionResult({} if bad else {made: hashlib.sha256(task.name.encode()).hexdigest()}, said)
            found[task.name] = Outcome(result, RAN, "")
        return found

    def contents(self, outcomes: dict[str, Outcome]) -> Contents:
        (item,) = self.found["linux_x86_64"]
        return self.plan.contents(item, LINUX, self.python, outcomes)


def modules(contents: Contents) -> set[str]:
    return {content.place.removeprefix("one/") for content in contents.files if content.place.startswith("one/")}


def test_native_release(tmp_path: Path) -> None:
    install(tmp_path / "linux_x86_64", "one", FILES)
    world = World(tmp_path, Level.MIXED, BuildType.RELEASE)
    made = world.contents(world.outcomes())
    suffix = ".cpython-313-x86_64-linux-gnu.so"
    plain = {"data.txt", "not-a-module.py", f"fast{suffix}"}
    assert modules(made) == {f"__init__{suffix}", f"core{suffix}", "__main__.pyc", "fast.pyc", *plain}
    assert made.has_native
    assert made.fallbacks == ()
    assert {(each.module, each.file, each.form, each.scope, each.reason) for each in made.modules} == {
        ("one", f"one/__init__{suffix}", "extension", "version", ""),
        ("one.core", f"one/core{suffix}", "extension", "version", ""),
        ("one.__main__", "one/__main__.pyc", "bytecode", "", ""),
        ("one.fast", "one/fast.pyc", "bytecode", "", ""),
    }
    assert made.compiler is not None
    assert made.toolchain is not None
    assert (made.compiler.name, made.toolchain.name) == ("cython", "zig")
    assert world.plan.counts() == (2, ("one 1.0",))


def test_instant_and_what_is_not_named_stay(tmp_path: Path) -> None:
    install(tmp_path / "linux_x86_64", "one", FILES)
    for world in (
        World(tmp_path, Level.INSTANT, BuildType.RELEASE),
        World(tmp_path, Level.NATIVE, BuildType.RELEASE, dependencies=("other",)),
    ):
        assert world.plan.tasks == ()
        assert modules(world.contents({})) == {path.removeprefix("one/") for path in FILES}
    assert world.plan.unknown == ("other",)


def test_fallbacks_name_the_distribution(tmp_path: Path) -> None:
    install(tmp_path / "linux_x86_64", "one", FILES)
    world = World(tmp_path, Level.NATIVE, BuildType.DEBUG)
    bad = {"message": "invalid syntax", "line": "3", "column": "0", "text": ""}
    outcomes = world.outcomes(
        bytecode_one_1_0=bad, **{"bytecode_one_1.0_one___init__.py": bad, "compile_one_1.0_one_core.py": {"refused": "no"}}
    )
    made = world.contents(outcomes)
    assert [(each.module, each.form, each.reason, each.distribution) for each in made.fallbacks] == [
        ("one", "source", "one/__init__.py:3: invalid syntax", "one 1.0"),
        ("one.core", "bytecode", "no", "one 1.0"),
    ]
    assert {"__init__.py", "core.py", "__pycache__/core.cpython-313.pyc"} <= modules(made)
    forms = {each.module: (each.file, each.form, each.reason) for each in made.modules}
    assert forms["one"] == ("one/__init__.py", "source", "one/__init__.py:3: invalid syntax")
    assert forms["one.core"] == ("one/core.py", "bytecode", "no")
    names = {task.name for task in world.plan.native_tasks(outcomes)}
    assert not any("__init__" in name for name in names)
    assert world.plan.is_complete(
        LINUX, world.python, {name: outcomes[name] for name in outcomes if "__init__" not in name or "byte" in name}
    )


def test_what_asks_for_its_own_source_keeps_it(tmp_path: Path) -> None:
    install(tmp_path / "linux_x86_64", "one", FILES)
    world = World(tmp_path, Level.NATIVE, BuildType.RELEASE)
    made = world.contents(world.outcomes(**{"compile_one_1.0_one_core.py": {"refused": f"getsource {NEEDS_SOURCE}"}}))
    assert [(each.module, each.form) for each in made.fallbacks] == [("one.core", "source")]
    assert "core.py" in modules(made)
    assert "core.pyc" not in modules(made)


def test_tables_are_not_compiled(tmp_path: Path) -> None:
    install(tmp_path / "linux_x86_64", "one", FILES)
    world = World(tmp_path, Level.NATIVE, BuildType.RELEASE)
    outcomes = world.outcomes(**{"bytecode_one_1.0_one_core.py": {"tables": "2000"}})
    (fallback,) = world.contents(outcomes).fallbacks
    assert (fallback.module, fallback.form) == ("one.core", "bytecode")
    assert "2000 values" in fallback.reason
    assert not any("core" in task.name for task in world.plan.native_tasks(outcomes))


def test_targets_share_what_is_the_same_and_nothing_else(tmp_path: Path) -> None:
    install(tmp_path / "linux_x86_64", "one", FILES)
    install(tmp_path / "windows_amd64", "one", {**FILES, "one/core.py": b"x = 2"})
    steps: dict[str, list[Task]] = {}
    plan = World(tmp_path, Level.NATIVE, BuildType.RELEASE).plan
    assert plan.counts() == (3, ("one 1.0",))  # one distribution, whichever files its wheels have
    assert {task.package for task in plan.tasks} == {"one 1.0"}
    for task in plan.tasks:
        steps.setdefault(task.step, []).append(task)
    assert len(steps["transcompile"]) == 3
    assert len(steps["compile"]) == 4
    assert sum("one/core.py" in task.name for task in steps["transcompile"]) == 2


def test_what_two_distributions_have_is_left_alone(tmp_path: Path) -> None:
    for name in ("one", "two"):
        install(tmp_path / "linux_x86_64", name, {"both/__init__.py": b"", f"both/{name}.py": b""})
    world = World(tmp_path, Level.NATIVE, BuildType.RELEASE)
    assert not any("__init__" in task.name for task in world.plan.tasks)


def test_a_tool_that_dies_is_a_reason_and_a_full_disk_an_error(tmp_path: Path) -> None:
    install(tmp_path / "linux_x86_64", "one", FILES)
    world = World(tmp_path, Level.BYTECODE, BuildType.RELEASE)
    task = world.plan.syntax_tasks[0]
    result = task.run({})
    assert (result.facts["message"], result.keep) == ("it hangs", False)
    world.error = FilesystemError("full")
    with pytest.raises(FilesystemError):
        task.run({})


@pytest.mark.parametrize(
    ("before", "native", "after"),
    [
        ("Tag: py3-none-any", True, "Tag: cp313-cp313-manylinux2014_x86_64\nTag: cp313-cp313-manylinux_2_17_x86_64"),
        ("Tag: py3-none-any", False, "Tag: cp313-none-any"),
        ("Tag: cp39-abi3-manylinux_2_28_x86_64", True, "Tag: cp313-cp313-manylinux_2_28_x86_64"),
    ],
)
def test_wheel_says_what_it_is_bound_to(before: str, native: bool, after: str, tmp_path: Path) -> None:
    python = Interpreter(tmp_path, (3, 13, 1), "cpython", tmp_path, True, False, "x")
    pure = "true" if "any" in before else "false"
    data = f"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: {pure}\n{before}\n".encode()
    contents = Contents((), has_bytecode=not native, has_native=native, fallbacks=(), cached=True)
    text = wheel_file(data, contents, LINUX, python).decode()
    assert text.startswith("Wheel-Version: 1.0\nGenerator: pypackpack ")
    assert f"Root-Is-Purelib: {'false' if native else pure}\n{after}\n" in text
    untouched = Contents((), has_bytecode=False, has_native=False, fallbacks=(), cached=True)
    assert wheel_file(data, untouched, LINUX, python) == data
