"""Keys change exactly when something relevant does: over the real tasks of a package, whatever is changed about it.

A world is a package on disk with everything that a build of it looks at. Tools do not run: each task's result is made of its key,
so that what follows from what is seen in the keys. The rules of what changes with what are written down here a second time.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pypackpack.backend import distributions
from pypackpack.backend.digests import FileDigests
from pypackpack.backend.tools import bytecode, cython, zig
from pypackpack.backend.tools.headers import HeaderFolder
from pypackpack.middleware.bundle import artifacts
from pypackpack.middleware.compile import toolchains
from pypackpack.middleware.compile.layers import Layers
from pypackpack.middleware.compile.plan import PackagePlan
from pypackpack.middleware.graph.schedule import RAN, Outcome
from pypackpack.middleware.target import table
from pypackpack.model.action import ActionResult
from pypackpack.model.build import BuildRequest, BuildType, Bundle, Level
from pypackpack.model.errors import WorkError
from pypackpack.model.interpreter import Interpreter
from pypackpack.model.project import BuildSettings, BundleSettings, NativePattern, Package, Project

if TYPE_CHECKING:
    from collections.abc import Callable

    from pypackpack.middleware.compile.layers import SourceFile
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.task import Task

TARGETS = ("linux_x86_64", "windows_amd64", "macos_arm64")
TOOLS = ("zig", "cython", "worker", "guard", "pypackpack", "writer", "magic", "release")
FILES = ("main/__init__.py", "main/__main__.py", "main/a.py", "main/sub/__init__.py", "main/sub/b.py", "main/data.txt")
OVERLAYS = ("linux/a.py", "windows/sub/b.py", "windows_amd64/a.py", "linux/more.txt", "android/a.py")


@dataclass(frozen=True)
class World:
    """Everything that a build of a package looks at, and some things that it must not look at."""

    files: dict[str, bytes]
    level: Level
    type: BuildType
    targets: tuple[str, ...]
    pythons: tuple[tuple[int, int, int], ...]
    exclude: tuple[str, ...] = ()
    tools: dict[str, str] = field(default_factory=lambda: dict.fromkeys(TOOLS, "1"))
    headers: dict[str, str] = field(default_factory=dict)
    beside: dict[str, bytes] = field(
        default_factory=lambda: {
            "README.md": b"1",
            "pyproject.toml": b"1",
            "small/pyproject.toml": b"1",
            "small/LICENSE": b"1",
            "other/src/main/a.py": b"1",
        }
    )
    folder: str = "project"
    epoch: str = "0"
    executable: bool = False
    old: bool = False
    strict: bool = False
    jobs: int = 1

    def used(self, target: str) -> dict[str, str]:
        """Each file of the package on a target, and the layer that it comes from."""
        family = target.split("_", 1)[0]
        places: dict[str, str] = {}
        for layer in ("main", family, target):
            places |= {path.split("/", 1)[1]: layer for path in self.files if path.startswith(f"{layer}/")}
        return places

    def native(self, place: str) -> bool:
        return self.level is Level.NATIVE and not place.endswith("__main__.py") and place not in self.exclude


@st.composite
def worlds(draw: st.DrawFn) -> World:
    overlays = draw(st.sets(st.sampled_from(OVERLAYS), max_size=3))
    return World(
        files={path: path.encode() for path in (*FILES, *sorted(overlays))},
        level=draw(st.sampled_from([Level.INSTANT, Level.BYTECODE, Level.NATIVE])),
        type=draw(st.sampled_from(BuildType)),
        targets=tuple(sorted(draw(st.sets(st.sampled_from(TARGETS), min_size=1)))),
        pythons=tuple(sorted(draw(st.sets(st.sampled_from([(3, 11, 7), (3, 13, 1)]), min_size=1)))),
        exclude=draw(st.sampled_from([(), ("sub/b.py",)])),
    )


def write(world: World, top: Path) -> Path:
    root = top / world.folder
    for place, data in {**{f"small/src/{path}": data for path, data in world.files.items()}, **world.beside}.items():
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        if world.old:
            os.utime(path, (1, 1))
    for path in root.rglob("*.txt"):
        path.chmod(0o755 if world.executable else 0o644)
    return root


def keys(world: World) -> dict[str, str]:
    """Return the key of every task of a build, by its name; of a wheel, for each target and Python that it is for."""
    with TemporaryDirectory() as top, contextlib.ExitStack() as patches:
        root = write(world, Path(top))
        tools = world.tools
        patches.enter_context(patch.object(zig, "pinned_version", lambda: tools["zig"]))
        patches.enter_context(patch.object(cython, "fingerprint", lambda: tools["cython"]))
        patches.enter_context(patch.object(bytecode, "fingerprint", lambda: tools["worker"]))
        patches.enter_context(patch.object(bytecode, "examiner", lambda: tools["guard"]))
        patches.enter_context(patch.object(artifacts, "__version__", tools["pypackpack"]))
        patches.enter_context(patch.object(distributions, "version_of", lambda name: tools["writer"] * (name == "packaging")))
        patches.enter_context(patch.dict(os.environ, {"SOURCE_DATE_EPOCH": world.epoch}))
        toolchains.look_again()  # as each build does
        try:
            return _keys(world, root, Path(top))
        finally:
            toolchains.look_again()


def read(file: SourceFile) -> bytes:
    return file.path.read_bytes()


def _keys(world: World, root: Path, top: Path) -> dict[str, str]:
    build = BuildSettings(native=NativePattern(exclude=world.exclude), strict=world.strict)
    targets = tuple(table.find(name) for name in world.targets)
    package = Package("small", "small", root / "small", "1", targets, (), (), {}, {"": build}, BundleSettings())
    stage = "rc1" if world.tools["release"] == "1" else ""
    pythons = [
        Interpreter(
            top / "python",
            version,
            "cpython",
            top,
            True,
            False,
            "x",
            release=".".join(map(str, version)) + stage,
            magic=int(world.tools["magic"]),
        )
        for version in world.pythons
    ]

    def includes(target: Any, python: Interpreter, _toolchain: str) -> tuple[HeaderFolder, ...]:  # noqa: ANN401 - a target
        return (HeaderFolder(top, f"{world.headers.get(target.name, '1')} {python.series}"),)

    shop = cast("Workshop", SimpleNamespace(digests=FileDigests(top / "cache", root), includes=includes, read=read))
    plan = PackagePlan(package, world.level, world.type, shop)
    layers = Layers(package)
    for target in targets:
        for python in pythons:
            plan.add(target, python, layers.on(target))
    found: dict[str, str] = {}
    outcomes: dict[str, Outcome] = {}
    for task in sorted(plan.tasks, key=lambda task: len(task.needs)):
        key = found[task.name] = task.key({need: outcomes[need].result for need in task.needs})
        made = {"bytecode": "pyc", "transcompile": "file a.c", "compile": "module"}[task.step]
        outcomes[task.name] = Outcome(ActionResult({made: hashlib.sha256(key.encode()).hexdigest()}), RAN, key)
    request = BuildRequest(root, "small", Bundle.SINGLE, level=world.level, type=world.type, jobs=world.jobs)
    bundler = artifacts.Bundler(Project("whole", root, (package,)), request, root / "small" / "build", shop)
    for target in targets:
        for python in pythons:
            contents = plan.contents(target, python, outcomes)
            task = bundler.wheel_task(artifacts.Made(package, target, python, contents, not layers.has_overlays))
            found[f"wheel {target.name} {python.series[0]}.{python.series[1]}"] = task.key({})
    return found


Rule = tuple[World, "Callable[[str], bool]"]
"""A changed world, and which of the tasks that both have must have another key."""


def wheels(which: Callable[[str], bool] = lambda _target: True) -> Callable[[str], bool]:
    return lambda name: name.startswith("wheel ") and which(name.split(" ")[1])


def steps(*names: str) -> Callable[[str], bool]:
    return lambda name: name.split(" ")[0] in names


def either(*rules: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda name: any(rule(name) for rule in rules)


def nothing(_name: str) -> bool:
    return False


def about(path: str) -> Callable[[str], bool]:
    return lambda name: f" small/src/{path} " in f"{name} "


def shows_bytecode(world: World) -> Callable[[str], bool]:
    """Tell whether a target's wheel has bytecode in it."""
    modules = [path.split("/", 1)[1] for path in FILES if path.endswith(".py")]
    return lambda _target: world.level is not Level.INSTANT and any(not world.native(place) for place in modules)


def is_native(world: World) -> Callable[[str], bool]:
    return lambda _target: world.level is Level.NATIVE


def for_any(world: World) -> bool:
    return world.level is not Level.NATIVE and all(path.startswith("main/") for path in world.files)


def edit(world: World, path: str) -> Rule:
    changed = replace(world, files={**world.files, path: world.files[path] + b"#"})
    layer, place = path.split("/", 1)
    return changed, either(about(path), wheels(lambda target: world.used(target).get(place) == layer))


def rename(world: World, path: str) -> Rule:
    layer, place = path.split("/", 1)
    files = {f"{layer}/z{place}" if each == path else each: data for each, data in world.files.items()}
    # Where an overlay covers it, the new name is a file more; where it covers another, that one comes to light.
    return replace(world, files=files), wheels(lambda target: world.used(target) != replace(world, files=files).used(target))


def tool(world: World, name: str, *rules: Callable[[str], bool]) -> Rule:
    return replace(world, tools={**world.tools, name: "2"}), either(*rules)


def beside(world: World, path: str, rule: Callable[[str], bool]) -> Rule:
    return replace(world, beside={**world.beside, path: b"2"}), rule


CHANGES: dict[str, Callable[[World], Rule]] = {
    "edit a module": lambda world: edit(world, "main/a.py"),
    "edit what is never native": lambda world: edit(world, "main/__main__.py"),
    "edit data": lambda world: edit(world, "main/data.txt"),
    "edit the last overlay": lambda world: edit(world, list(world.files)[-1]),
    "rename a module": lambda world: rename(world, "main/a.py"),
    "rename the last overlay": lambda world: rename(world, list(world.files)[-1]),
    "another zig": lambda world: tool(world, "zig", steps("compile"), wheels(is_native(world))),
    "another Cython": lambda world: tool(world, "cython", steps("transcompile", "compile"), wheels(is_native(world))),
    "another guard": lambda world: tool(world, "guard", steps("transcompile", "compile"), wheels(is_native(world))),
    "another bytecode worker": lambda world: tool(world, "worker", steps("bytecode"), wheels(shows_bytecode(world))),
    "another format of bytecode": lambda world: tool(world, "magic", steps("bytecode"), wheels(shows_bytecode(world))),
    "the final release of Python": lambda world: tool(world, "release", steps("bytecode"), wheels(shows_bytecode(world))),
    "another writer of metadata": lambda world: tool(world, "writer", wheels()),
    "another pypackpack": lambda world: tool(world, "pypackpack", wheels()),
    "other headers for one target": lambda world: (
        replace(world, headers={world.targets[0]: "2"}),
        either(
            lambda name: name.startswith("compile ") and f" {world.targets[0]} " in name,
            wheels(lambda target: world.level is Level.NATIVE and target == world.targets[0]),
        ),
    ),
    "another patch release of Python": lambda world: (
        replace(world, pythons=tuple((*version[:2], version[2] + 1) for version in world.pythons)),
        wheels(shows_bytecode(world)),
    ),
    "another type": lambda world: (
        replace(world, type=next(each for each in BuildType if each is not world.type)),
        either(steps("bytecode", "compile"), wheels(lambda _target: world.level is not Level.INSTANT)),
    ),
    "another level": lambda world: (
        replace(world, level=Level.INSTANT if world.level is Level.BYTECODE else Level.BYTECODE),
        wheels(),
    ),
    "one target more": lambda world: (
        replace(world, targets=TARGETS),
        # A wheel for any platform says in its bill of materials what each target of the package installs.
        wheels(lambda _target: for_any(world) and world.targets != tuple(sorted(TARGETS))),
    ),
    "one Python more": lambda world: (replace(world, pythons=((3, 11, 7), (3, 13, 1))), nothing),
    "one module less to compile": lambda world: (
        replace(world, exclude=(*world.exclude, "a.py")),
        wheels(is_native(world)),
    ),
    "another text of the package": lambda world: beside(world, "small/LICENSE", wheels()),
    "other settings of the package": lambda world: beside(world, "small/pyproject.toml", wheels()),
    "other settings of the project": lambda world: beside(world, "pyproject.toml", wheels()),
    "another text of the project": lambda world: beside(world, "README.md", nothing),  # no package's metadata name it
    "another package": lambda world: beside(world, "other/src/main/a.py", nothing),
    "another date": lambda world: (replace(world, epoch="1000000000"), wheels()),
    "another folder": lambda world: (replace(world, folder="elsewhere"), nothing),
    "other times": lambda world: (replace(world, old=True), nothing),
    "more jobs": lambda world: (replace(world, jobs=8), nothing),
    "strictness": lambda world: (replace(world, strict=True), nothing),
    "nothing": lambda world: (world, nothing),
}
if sys.platform != "win32":  # which has no such bit
    CHANGES["a program"] = lambda world: (replace(world, executable=True), wheels())


@settings(max_examples=80)
@given(worlds(), st.sampled_from(sorted(CHANGES)))
def test_what_must_change_changes_and_nothing_else(world: World, change: str) -> None:
    other, must = CHANGES[change](world)
    before, after = keys(world), keys(other)
    both = before.keys() & after.keys()
    changed = {name for name in both if before[name] != after[name]}
    assert changed == {name for name in both if must(name)}


@settings(max_examples=10)
@given(worlds())
def test_tasks_are_made_of_different_things(world: World) -> None:
    found = {name: key for name, key in keys(world).items() if not name.startswith("wheel ")}
    assert len(set(found.values())) == len(found)


IDLE = {
    "another package",
    "another text of the project",
    "another folder",
    "other times",
    "more jobs",
    "strictness",
    "nothing",
} | {
    "edit the last overlay",  # Android's, which is not built there
    "rename the last overlay",
}


def test_each_change_is_tried_where_it_matters() -> None:
    """The property above may be lucky; here every change meets a world in which it has something to do."""
    world = World(
        {path: path.encode() for path in (*FILES, *OVERLAYS)}, Level.NATIVE, BuildType.RELEASE, TARGETS[::2], ((3, 11, 7),)
    )
    before = keys(world)
    for change, rule in CHANGES.items():
        other, must = rule(world)
        after = keys(other)
        same = {name for name in before.keys() & after.keys() if before[name] == after[name]}
        assert {name for name in before.keys() & after.keys() if must(name)} == (before.keys() & after.keys()) - same, change
        assert (before == after) is (change in IDLE), change


def test_two_targets_with_wheels_of_one_name_are_refused(tmp_path: Path) -> None:
    world = World({path: path.encode() for path in FILES}, Level.INSTANT, BuildType.DEBUG, TARGETS[:2], ((3, 11, 7),))
    root = write(world, tmp_path)
    targets = [table.find(name) for name in world.targets]
    package = Package("small", "small", root / "small", "1", tuple(targets), (), (), {}, {}, BundleSettings())
    python = Interpreter(tmp_path / "python", (3, 11, 7), "cpython", tmp_path, True, False, "x")
    shop = cast("Workshop", SimpleNamespace(digests=FileDigests(tmp_path / "cache", root), read=read))
    plan = PackagePlan(package, world.level, world.type, shop)
    layers = Layers(package)
    made = []
    for target, files in zip(targets, (layers.on(targets[0]), layers.on(targets[1])[1:]), strict=True):
        plan.add(target, python, files)
        made.append(artifacts.Made(package, target, python, plan.contents(target, python, _all(plan.tasks)), True))
    bundler = artifacts.Bundler(Project("whole", root, (package,)), BuildRequest(root, "small"), root / "out", shop)
    ran: list[object] = []
    with pytest.raises(WorkError, match=r"linux_x86_64 and windows_amd64 have different files, .*small-1-py3-none-any\.whl"):
        bundler.wheels(made, run=lambda tasks: ran.append(tasks) or {})
    assert ran == []


def _all(tasks: tuple[Task, ...]) -> dict[str, Outcome]:
    return {task.name: Outcome(ActionResult({"pyc": "0" * 64}), RAN, "") for task in tasks}
