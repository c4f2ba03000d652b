"""`pypackpack build`: from a request to artifacts.

Words are resolved first, everything that can be refused is refused before anything runs, then two graphs run: one that
compiles modules, and, once it is known what became of each module, one that bundles them.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem, host, process
from pypackpack.middleware.bundle import artifacts
from pypackpack.middleware.compile.layers import Layers, windows_problems
from pypackpack.middleware.compile.plan import PackagePlan, merge_fallbacks
from pypackpack.middleware.compile.workshop import open_workshop
from pypackpack.middleware.graph.schedule import run_tasks
from pypackpack.model.build import BuildResult, Bundle, Level
from pypackpack.model.errors import MissingToolError, NotYetError, SourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pypackpack.middleware.compile.layers import SourceFile
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.schedule import Outcome
    from pypackpack.middleware.graph.task import Task
    from pypackpack.model.build import BuildRequest, Watcher
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import PythonVersion, Target

TOOLCHAINS = {
    "ndk": "needs the Android NDK, which this version of pypackpack cannot use yet",
    "xcode": "needs Apple's Xcode on a Mac, which this version of pypackpack cannot use yet",
}


@dataclass(frozen=True)
class Order:
    """A request with every word resolved.

    Attributes:
        request: The words.
        project: The project.
        package: The package to deliver.
        members: The packages to compile: for a binary also those of the project that it needs, these first.
        targets: For which targets.
        pythons: For which Pythons.
        left_out: Targets that have no such artifact, with the reason.
    """

    request: BuildRequest
    project: Project
    package: Package
    members: tuple[Package, ...]
    targets: tuple[Target, ...]
    pythons: tuple[Interpreter, ...]
    left_out: tuple[tuple[str, str], ...]

    @property
    def folder(self) -> Path:
        """Where the artifacts go."""
        request = self.request
        return self.package.build_folder / "packpack" / request.bundle.value / request.type.value / request.level.value


def build(request: BuildRequest, watcher: Watcher) -> BuildResult:
    """Build a package.

    Args:
        request: What to build.
        watcher: Told of the progress.

    Returns:
        The artifacts, and all that a person should know about them.

    Raises:
        PyPackPackError: What was asked for cannot be built; the artifacts of earlier builds are as they were.
    """
    start = time.monotonic()
    order = resolve(request, watcher)
    folder = order.package.build_folder
    busy = f"another build of {order.package.name} is running; waiting for it"
    with filesystem.explained("make", folder):
        folder.mkdir(parents=True, exist_ok=True)
    with (
        filesystem.lock(folder / ".lock", waiting=lambda: watcher.note(busy)),
        open_workshop(order.project, offline=request.offline, watcher=watcher) as shop,
    ):
        return _Build(order, shop, watcher).run(start)


def resolve(request: BuildRequest, watcher: Watcher) -> Order:
    """Resolve the words of a request and refuse what cannot be built.

    Raises:
        PyPackPackError: With the reason.
    """
    from pypackpack.middleware.package.order import in_order  # noqa: PLC0415 - keeps imports of the CLI light
    from pypackpack.middleware.project.read import find_project  # noqa: PLC0415 - as above
    from pypackpack.middleware.python.choose import pythons_for, the_python  # noqa: PLC0415 - as above
    from pypackpack.middleware.target import table  # noqa: PLC0415 - as above

    project = request.project or find_project(request.start)
    package = project.package(request.package)
    if package is None:
        there = ", ".join(item.name for item in project.packages) or "none yet"
        msg = f"the project {project.name} has no package {request.package} (it has: {there})"
        raise UsageError(msg, hint="Add it with: pypackpack package add " + request.package)
    if request.level is Level.MIXED:
        msg = "level mixed is not there yet"
        raise NotYetError(msg, hint="Use --level bytecode or --level native.")
    if request.bundle not in (Bundle.SINGLE, Bundle.BINARY):
        msg = f"the bundle {request.bundle.value} is not there yet"
        raise NotYetError(msg, hint="Use single or binary.")
    if not package.targets and not request.targets:
        msg = f"{package.name} has no targets"
        raise UsageError(msg, hint=f"Add one: pypackpack target add linux {package.name}")
    wanted = table.resolve(request.targets, package.targets) if request.targets else package.targets
    members = in_order(project, (package,)) if request.bundle is Bundle.BINARY else (package,)
    for member in members:
        _refuse_later(member, wanted, request.bundle)
    headers = request.level is Level.NATIVE
    if request.interpreter is not None:
        pythons: tuple[Interpreter, ...] = (the_python(request.interpreter, request.level, watcher),)
    else:
        pythons = pythons_for(project, package, request.pythons, headers=headers, offline=request.offline, watcher=watcher)
    targets, left_out = _possible(wanted, request, pythons)
    return Order(request, project, package, members, targets, pythons, left_out)


def _refuse_later(package: Package, targets: Sequence[Target], bundle: Bundle) -> None:
    """Refuse settings whose work comes in a later version, instead of doing something else."""
    from pypackpack.middleware.project.later import unbuilt  # noqa: PLC0415 - keeps imports of the CLI light

    for words in unbuilt(package, targets, bundle):
        msg = f"{package.root / 'pyproject.toml'}: tool.pypackpack.{words} is not there yet"
        raise NotYetError(msg, hint="Take the line out to build with the default.")


def _possible(
    wanted: Sequence[Target], request: BuildRequest, pythons: Sequence[Interpreter]
) -> tuple[tuple[Target, ...], tuple[tuple[str, str], ...]]:
    """Part the targets that can be built from those that cannot; one that was named must be possible."""
    possible: list[Target] = []
    left_out: list[tuple[str, str]] = []
    for target in wanted:
        reason = _why_not(target, request.level, [python.series for python in pythons])
        if not reason:
            possible.append(target)
        elif request.targets:
            msg = f"{target.name} {reason}"
            raise MissingToolError(msg, hint="Leave the target out, or build it at level instant or bytecode.")
        else:
            left_out.append((target.name, reason))
    if not possible:
        msg = "none of the targets can be built: " + "; ".join(f"{name} {reason}" for name, reason in left_out)
        raise MissingToolError(msg, hint="Add another target: pypackpack target add linux")
    return tuple(possible), tuple(left_out)


def _why_not(target: Target, level: Level, pythons: Sequence[PythonVersion]) -> str:
    for python in pythons:
        if python < target.min_python or not target.tags.for_python(python):
            return f"has no Python {python[0]}.{python[1]}"
    if level is Level.NATIVE and target.toolchain != "zig":
        return TOOLCHAINS[target.toolchain]
    if level is Level.NATIVE and target.parts:
        return f"is made of {' and '.join(target.parts)}, which this version of pypackpack cannot join yet"
    return ""


class _Build:
    """One running build."""

    def __init__(self, order: Order, shop: Workshop, watcher: Watcher) -> None:
        self._order = order
        self._shop = shop
        self._watcher = watcher
        self._run_count = 0
        self._cached_count = 0
        self._jobs = order.request.jobs or host.cores()

    def _tasks(self, tasks: Sequence[Task]) -> dict[str, Outcome]:
        outcomes = run_tasks(tasks, self._shop.store, jobs=self._jobs, watcher=self._watcher, interrupted=process.stop_all)
        hits = sum(outcome.cached for outcome in outcomes.values())
        self._cached_count += hits
        self._run_count += len(outcomes) - hits
        return outcomes

    def run(self, start: float) -> BuildResult:
        """Compile, bundle, and say what came of it."""
        order, shop = self._order, self._shop
        plans: dict[str, PackagePlan] = {}
        files: dict[tuple[str, str], tuple[SourceFile, ...]] = {}
        same: dict[str, bool] = {}
        unfit: dict[str, tuple[str, ...]] = {}
        for member in order.members:
            layers = Layers(member)
            plan = plans[member.name] = PackagePlan(member, order.request.level, order.request.type, shop)
            for target in order.targets:
                files[member.name, target.name] = layers.on(target)
                for python in order.pythons:
                    plan.add(target, python, files[member.name, target.name])
            # A wheel may say "any" only if no platform would get another one, whether it is built now or not.
            same[member.name] = not layers.has_overlays and not any(member.target_dependencies.values())
            if same[member.name] and order.request.bundle is Bundle.SINGLE:
                unfit[member.name] = windows_problems(files[member.name, order.targets[0].name])
                _refuse_unfit(member, unfit[member.name], order.request.level)
        if order.request.level is Level.NATIVE and not order.request.offline:
            # Fetched before there is a table of progress, so that uv can show its own.
            shop.zig()
        # Python's own word on every source first: nobody waits minutes for a compiler to hear of a missing bracket.
        outcomes = self._tasks([task for plan in plans.values() for task in plan.syntax_tasks])
        for plan in plans.values():
            plan.check_syntax(outcomes)
        outcomes |= self._tasks([task for plan in plans.values() for task in plan.native_tasks])
        made = [
            artifacts.Made(member, target, python, plans[member.name].contents(target, python, outcomes), same[member.name])
            for member in order.members
            for target in order.targets
            for python in order.pythons
        ]
        pure = {item.package.name for item in made if not item.contents.has_native}
        bundler = artifacts.Bundler(order.project, order.request, order.folder, shop)
        bundle = partial(bundler.wheels, run=self._tasks)
        if order.request.bundle is Bundle.BINARY:
            bundle = partial(bundler.binaries, package=order.package, watcher=self._watcher)
        done = bundle(made)
        return BuildResult(
            artifacts=done,
            fallbacks=merge_fallbacks([fallback for item in made for fallback in item.contents.fallbacks]),
            left_out=order.left_out,
            warnings=(*_warnings(order), *_unfit_warnings({name: unfit.get(name, ()) for name in pure})),
            tasks_run=self._run_count,
            tasks_cached=self._cached_count,
            seconds=time.monotonic() - start,
        )


def _refuse_unfit(package: Package, problems: Sequence[str], level: Level) -> None:
    """Refuse a wheel that says "any" with files that Windows cannot have, where Windows is among the package's targets.

    Raises:
        SourceError: Naming each of them.
    """
    if problems and level is not Level.NATIVE and any(target.family == "windows" for target in package.targets):
        first, *others = problems
        msg = f"{first}; the wheel of {package.name} is for every platform, and Windows is one of its targets"
        hint = "Rename the file, or move it to the overlay folder of another family."
        raise SourceError(msg, hint=hint, details="\n".join(others))


def _unfit_warnings(problems: Mapping[str, Sequence[str]]) -> list[str]:
    """Say which packages' wheels for every platform cannot be installed on Windows; no target of theirs is."""
    return [
        f"{problem}; the wheel of {name} says that it is for every platform, and cannot be installed on Windows"
        for name, each in sorted(problems.items())
        for problem in each
    ]


def _warnings(order: Order) -> tuple[str, ...]:
    """Say what a person should know before using the artifacts."""
    found: list[str] = []
    names: Mapping[str, tuple[str, ...]] = order.package.target_dependencies
    for target, dependencies in names.items():
        if dependencies and any(item.name == target for item in order.targets):
            listed = ", ".join(dependencies)
            found.append(
                f"{order.package.name} for {target} needs {listed}, which no marker can say: this wheel's metadata differs from "
                f"the others', so an index must not get it"
            )
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if epoch and filesystem.source_date_epoch() is None:
        found.append(f"SOURCE_DATE_EPOCH is {epoch!r}, which is no number of seconds, and was ignored")
    return tuple(found)
