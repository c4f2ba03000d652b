"""What a plan knows of its tasks: which are in vain, and what refused a module; the tools do not run here."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from pypackpack.backend.digests import FileDigests
from pypackpack.backend.tools.headers import HeaderFolder
from pypackpack.middleware.compile.layers import Layers
from pypackpack.middleware.compile.plan import PackagePlan
from pypackpack.middleware.compile.reasons import check_strict
from pypackpack.middleware.graph.schedule import RAN, Outcome
from pypackpack.middleware.target import table
from pypackpack.model.action import ActionResult
from pypackpack.model.build import BuildType, Fallback, Level
from pypackpack.model.errors import SourceError
from pypackpack.model.interpreter import Interpreter
from pypackpack.model.project import BuildSettings, BundleSettings, NativePattern, Package

if TYPE_CHECKING:
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.model.target import Target

MADE = {"bytecode": "pyc", "transcompile": "file a.c", "compile": "module"}


class World:
    """A package of two modules that is planned for one target."""

    def __init__(
        self, folder: Path, target: str, unit: str = "module", patterns: NativePattern | None = None, others: tuple[str, ...] = ()
    ) -> None:
        self.target: Target = table.find(target)
        for name in ("__init__", "a"):
            place = folder / "small" / "src" / "main" / f"{name}.py"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(name.encode())
        self.python = Interpreter(folder / "python", (3, 13, 1), "cpython", folder, True, False, "x")
        build = {"": BuildSettings(unit=unit, native=patterns or BuildSettings().native)}
        targets = (self.target, *map(table.find, others))
        package = Package("small", "small", folder / "small", "1", targets, (), (), {}, build, BundleSettings())
        shop = SimpleNamespace(
            digests=FileDigests(folder / "cache", folder),
            includes=lambda *_words: (HeaderFolder(folder, "1"),),
            read=lambda file: file.path.read_bytes(),
        )
        self.plan = PackagePlan(package, Level.NATIVE, BuildType.RELEASE, cast("Workshop", shop))
        self.plan.add(self.target, self.python, Layers(package).on(self.target))

    def outcomes(self, **facts: dict[str, str]) -> dict[str, Outcome]:
        """What tasks leave behind; ``facts`` by the step and the module, for those that leave something else."""
        found = {}
        for task in self.plan.tasks:
            step, _, rest = task.name.partition(" ")
            stem = Path(rest.split(" ", 1)[0]).stem
            said = facts.get(f"{step}_{stem}", {})
            output = "object" if " unit-" in task.name else MADE[step]
            made = {} if said else {output: hashlib.sha256(task.name.encode()).hexdigest()}
            found[task.name] = Outcome(ActionResult(made, said), RAN, "")
        return found


def short(names: set[str]) -> set[str]:
    return {name.replace("small/src/main/", "") for name in names}


@pytest.mark.parametrize(
    ("target", "unit", "vain"),
    [
        ("linux_x86_64", "module", {"transcompile a.py", "compile a.py linux_x86_64 3.13"}),
        (
            "macos_universal2",
            "module",
            {
                "transcompile a.py",
                "compile a.py macos_universal2 (macos_arm64) 3.13",
                "compile a.py macos_universal2 (macos_x86_64) 3.13",
                "compile a.py macos_universal2 3.13",
            },
        ),
        (
            "linux_x86_64",
            "package",
            {
                "transcompile a.py",
                "transcompile __init__.py",
                "compile a.py linux_x86_64 unit-3.13",
                "compile __init__.py linux_x86_64 unit-3.13",
                "compile small/unit linux_x86_64 3.13",
            },
        ),
    ],
)
def test_whatever_only_a_broken_module_needs_is_in_vain(tmp_path: Path, target: str, unit: str, vain: set[str]) -> None:
    world = World(tmp_path, target, unit)
    outcomes = world.outcomes(bytecode_a={"message": "invalid syntax", "line": "1", "text": ""})
    assert short({task.name for task in world.plan.vain(outcomes)}) == vain
    assert world.plan.vain(world.outcomes()) == ()


def test_a_pattern_that_means_nothing_is_told_whatever_targets_are_built(tmp_path: Path) -> None:
    only_windows = tmp_path / "small" / "src" / "windows" / "winmain.py"
    only_windows.parent.mkdir(parents=True)
    only_windows.write_text("")
    patterns = NativePattern(include=("a*", "winmain.py", "plugin/**"), exclude=("linux_only.py",))
    told = World(tmp_path, "linux_x86_64", patterns=patterns, others=("windows_amd64",)).plan.idle_patterns()
    assert [line.split(";")[0] for line in told] == [
        'small: no module is named by native.include: "plugin/**"',
        'small: no module is named by native.exclude: "linux_only.py"',
    ]
    assert World(tmp_path, "linux_x86_64", others=("windows_amd64",)).plan.idle_patterns() == ()


@pytest.mark.parametrize("target", ["linux_x86_64", "macos_universal2"])
def test_words_of_a_c_compiler_go_into_no_report_with_this_machines_paths(tmp_path: Path, target: str) -> None:
    world = World(tmp_path, target)
    words = "compiling a.c failed\n/here/Python.h:3:4: note: from here\nsmall/a.py:1:0: error: no such type"
    (init, module) = world.plan.contents(world.target, world.python, world.outcomes(compile_a={"refused": words})).modules
    assert module.reason == "the C compiler refused what was made of it: small/a.py:1:0: error: no such type"
    assert init.reason == ""
    told = world.plan.contents(
        world.target,
        world.python,
        world.outcomes(transcompile_a={"refused": "a.py:1:0: no"}, compile_a={"refused": "a.py:1:0: no"}),
    )
    assert told.modules[1].reason == "a.py:1:0: no"


def test_every_line_of_a_reason_stands_below_its_module(tmp_path: Path) -> None:
    target = table.find("linux_x86_64")
    package = Package("small", "small", tmp_path, "1", (target,), (), (), {}, {"": BuildSettings(strict=True)}, BundleSettings())
    reasons = {"small.a": "small/a.py:3:4: no\nsmall/a.py:12:4: no", "small.b": "small/b.py:1:0: no"}
    fallbacks = [Fallback(name, (target.name,), (3, 13), "bytecode", reason) for name, reason in reasons.items()]
    with pytest.raises(SourceError) as caught:
        check_strict(package, target, fallbacks)
    assert caught.value.details == "small.a: small/a.py:3:4: no\n    small/a.py:12:4: no\nsmall.b: small/b.py:1:0: no"
    check_strict(package, target, [])
