"""`pypackpack build`: from a request to artifacts.

Words are resolved first, everything that can be refused is refused before anything runs, then two graphs run: one that
compiles modules, and, once it is known what became of each module, one that bundles them.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem, host, process
from pypackpack.middleware.build_checks import (
    COMPILING,
    check_rerun,
    is_to_rerun,
    order_warnings,
    refuse_later,
    refuse_unfit,
    superseded_warnings,
    unfit_warnings,
)
from pypackpack.middleware.build_environments import synchronise
from pypackpack.middleware.build_history import open_history, save_history
from pypackpack.middleware.bundle import artifacts
from pypackpack.middleware.bundle.dependencies import Dependencies, merge_compiled
from pypackpack.middleware.compile.abi import spared
from pypackpack.middleware.compile.content import merge_fallbacks
from pypackpack.middleware.compile.layers import windows_problems
from pypackpack.middleware.compile.members import plan_members
from pypackpack.middleware.compile.transcompile import prepare
from pypackpack.middleware.compile.workshop import open_workshop
from pypackpack.middleware.graph.journal import Journal
from pypackpack.middleware.graph.schedule import RAN, REMOTE, Rules, raise_failures, run_tasks
from pypackpack.middleware.possible import possible
from pypackpack.model.build import BuildResult, Bundle, Level
from pypackpack.model.errors import ConflictError, LostError, SourceError, UsageError
from pypackpack.model.project import BuildSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from pypackpack.middleware.bundle.dependencies import BuiltDependencies
    from pypackpack.middleware.compile.plan import PackagePlan
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.schedule import Outcome
    from pypackpack.middleware.graph.task import Task
    from pypackpack.model.build import Artifact, BuildRequest, Watcher
    from pypackpack.model.errors import PyPackPackError
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.journal import TaskReport
    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import Target

ATTEMPTS = 4
"""So often a build tries when the cache turns out to be damaged or to have lost something."""


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
        compiles: Whether it needs a C compiler: at level native, and for native sources of the packages' own.
        began: When the words were resolved, in nanoseconds since 1970: what changed later, nobody here has seen.
    """

    request: BuildRequest
    project: Project
    package: Package
    members: tuple[Package, ...]
    targets: tuple[Target, ...]
    pythons: tuple[Interpreter, ...]
    left_out: tuple[tuple[str, str], ...]
    compiles: bool = False
    began: int = 0

    @property
    def folder(self) -> Path:
        """Where the artifacts go."""
        request = self.request
        folder = self.package.build_folder / "packpack" / request.bundle.value
        return folder if request.bundle is Bundle.RESOURCE else folder / request.type.value / request.level.value


@dataclass(frozen=True)
class Hooks:
    """Who else has a say in a build, or wants to hear of it.

    Attributes:
        told: Called for every task that begins or ends, from any thread.
        halted: Tells whether to begin nothing more; asked often.
        done: Called with what was built and what came of it, while nobody else can build the package.
        sources_changed: Whether it is known already that sources have changed since all was up to date.
    """

    told: Callable[[TaskReport], None] | None = None
    halted: Callable[[], bool] = lambda: False
    done: Callable[[Order, BuildResult], None] | None = None
    sources_changed: bool = False


def build(request: BuildRequest, watcher: Watcher, hooks: Hooks | None = None) -> BuildResult:
    """Build a package.

    Args:
        request: What to build.
        watcher: Told of the progress.
        hooks: Who else has a say.

    Returns:
        The artifacts, and all that a person should know about them.

    Raises:
        PyPackPackError: What was asked for cannot be built; the artifacts of earlier builds are as they were.
        HaltedError: ``hooks.halted`` said so.
    """
    start = time.monotonic()
    hooks = hooks or Hooks()
    order = resolve(request, watcher)
    folder = order.package.build_folder
    waited = threading.Event()

    def wait() -> None:
        waited.set()
        watcher.note(f"another build of {order.package.name} is running; waiting for it")

    with filesystem.explained("make", folder):
        folder.mkdir(parents=True, exist_ok=True)
    with filesystem.lock(folder / ".lock", waiting=wait):
        if waited.is_set():  # the settings may be others now
            order = resolve(request, watcher)
        with open_workshop(order.project, offline=request.offline, watcher=watcher, cache=request.cache) as shop:
            if hooks.sources_changed and order.request.compiles:
                prepare(shop, [settings.compiler for member in order.members for settings in member.build.values()])
            result = _Build(order, shop, watcher, hooks, start).run()
            if hooks.done is not None:
                shop.check_sources()
                hooks.done(order, result)
            return result


def _load_ahead() -> None:
    """Import what bundling takes while a compiler is being loaded in another process, instead of when everything else is done."""
    import pypackpack.middleware.bundle.metadata  # noqa: PLC0415 - keeps imports of a no-op light
    import pypackpack.middleware.bundle.packing  # noqa: PLC0415 - as above
    import pypackpack.middleware.bundle.report  # noqa: PLC0415 - as above
    import pypackpack.middleware.bundle.tags  # noqa: F401, PLC0415 - as above; only loaded


def resolve(request: BuildRequest, watcher: Watcher) -> Order:
    """Resolve the words of a request and refuse what cannot be built.

    Raises:
        PyPackPackError: With the reason.
    """
    from pypackpack.middleware.compile.native.find import native_targets  # noqa: PLC0415 - as above
    from pypackpack.middleware.compile.toolchains import look_again  # noqa: PLC0415 - keeps imports of the CLI light
    from pypackpack.middleware.package.order import in_order  # noqa: PLC0415 - as above
    from pypackpack.middleware.project.read import find_project  # noqa: PLC0415 - as above
    from pypackpack.middleware.python.choose import pythons_for, the_python  # noqa: PLC0415 - as above
    from pypackpack.middleware.target import table  # noqa: PLC0415 - as above

    began = time.time_ns()
    look_again()
    project = request.project or find_project(request.start)
    package = project.package(request.package)
    if package is None:
        there = ", ".join(item.name for item in project.packages) or "none yet"
        msg = f"the project {project.name} has no package {request.package} (it has: {there})"
        raise UsageError(msg, hint="Add it with: pypackpack package add " + request.package)
    if request.version:
        package = replace(package, version=request.version)
    if not package.targets and not request.targets:
        msg = f"{package.name} has no targets"
        raise UsageError(msg, hint=f"Add one: pypackpack target add linux {package.name}")
    wanted = table.resolve(request.targets, package.targets) if request.targets else package.targets
    if request.bundle is Bundle.RESOURCE:  # data is for no Python, and nothing compiles it
        return Order(request, project, package, (package,), tuple(wanted), (), (), began=began)
    members = in_order(project, (package,)) if request.bundle.carries else (package,)
    for member in members:
        refuse_later(member, wanted, request.bundle)
    own = native_targets(members, wanted)
    headers = request.compiles or any(own.values())
    if request.interpreter is not None:
        needs = Level.NATIVE if headers else request.level
        pythons: tuple[Interpreter, ...] = (the_python(request.interpreter, needs, watcher),)
    else:
        pythons = pythons_for(project, package, request.pythons, headers=headers, offline=request.offline, watcher=watcher)
    targets, left_out = possible(wanted, request, pythons, members, own)
    compiles = request.compiles or any(own[target.name] for target in targets)
    return Order(request, project, package, members, targets, pythons, left_out, compiles, began)


class HaltedError(Exception):
    """The build was told to begin nothing more: sources have changed meanwhile."""


class _Build:
    """One running build."""

    def __init__(self, order: Order, shop: Workshop, watcher: Watcher, hooks: Hooks, start: float) -> None:
        request = order.request
        self._order = order
        self._shop = shop
        self._watcher = watcher
        self._start = start
        self._ahead = hooks.sources_changed and order.request.compiles
        self._history = open_history(shop.cache, order.project)
        self._compiled = 0
        self._rules = Rules(
            jobs=request.jobs or host.cores(),
            keep_going=request.keep_going,
            rerun=partial(is_to_rerun, request),
            halted=hooks.halted,
            hearing=self._hearing,
            interrupted=process.stop_all,
        )
        self._limits = {
            (member.name, name): member.build.get(name, member.build.get("", BuildSettings())).time_limit
            for member in order.members
            for name in ("", *(target.name for target in order.targets))  # "": what the targets share
        }
        self._journal = Journal(self._history, began=start, rerun=self._rules.rerun, told=hooks.told, keeps=request.report)
        self._begin()

    def _hearing(self, task: Task) -> AbstractContextManager[list[str]]:
        """Listen to a task's tools, and end those that take longer than the settings allow."""
        own = (task.package, task.target)
        limit = self._limits.get(own) or self._limits.get((self._order.package.name, task.target))  # of a dependency's module
        return process.hearing(limit)

    def _begin(self) -> None:
        """Count anew, for one more attempt."""
        self._sources: Counter[str] = Counter()
        self._failures: dict[str, PyPackPackError] = {}
        self._skipped: list[str] = []
        self._digests: set[str] = set()
        self._notes: tuple[str, ...] = ()
        self._journal.reports.clear()

    def run(self) -> BuildResult:
        """Compile, bundle, and say what came of it; where the cache turns out to be damaged, once more."""
        try:
            for _ in range(ATTEMPTS - 1):
                try:
                    return self._attempt()
                except LostError as error:  # noqa: PERF203 - the point of the loop
                    damaged = self._shop.store.drop_damaged(self._digests)
                    count = f"{damaged} damaged entries of the cache were" if damaged > 1 else "a damaged entry of the cache was"
                    gone = f"{count} thrown away, " if damaged else ""
                    self._watcher.note(f"{error.message}; {gone}what is missing is made again")
                    self._begin()
            return self._attempt()
        finally:
            save_history(self._shop.cache, self._order.project, self._history)

    def _tasks(self, tasks: Sequence[Task]) -> dict[str, Outcome]:
        """Run a graph; what fails is raised, or kept for the end where the build is to keep going."""
        self._journal.planned(tasks)
        shop = self._shop
        finished = run_tasks(tasks, shop.store, self._rules, watcher=self._watcher, distant=shop.distant, listener=self._journal)
        self._sources.update(outcome.source for outcome in finished.outcomes.values())
        for outcome in finished.outcomes.values():
            self._digests.update(outcome.result.outputs.values())
        ran = [task for task in tasks if task.name in finished.failures or _ran(finished.outcomes.get(task.name))]
        self._compiled += sum(task.step in COMPILING for task in ran)
        lost = next((error for error in finished.failures.values() if isinstance(error, LostError)), None)
        if lost is not None:
            raise lost
        if finished.halted:
            raise HaltedError
        by_name = {task.name: task for task in tasks}
        self._journal.skipped([by_name[name] for name in finished.skipped])
        if not self._order.request.keep_going:
            finished.check()
        self._failures.update(finished.failures)
        self._skipped += finished.skipped
        return dict(finished.outcomes)

    def _check_settings(self) -> None:
        """Look whether the settings are still those that were built by.

        Raises:
            ConflictError: They are not.
        """
        if self._sources[RAN] and self._order.request.project is None and not is_still(self._order):
            msg = f"the settings of {self._order.project.name} changed while it was being built"
            raise ConflictError(msg, hint="Run the same command again; what was compiled is remembered.")

    def _attempt(self) -> BuildResult:
        order, shop = self._order, self._shop
        if order.request.bundle is Bundle.RESOURCE:
            return self._resources()
        synchronise(order, self._watcher)
        plans, files, same = plan_members(order, shop)
        unfit: dict[str, tuple[str, ...]] = {}
        for member in order.members:
            if same[member.name] and not order.request.bundle.carries:
                unfit[member.name] = windows_problems(files[member.name, order.targets[0].name])
                refuse_unfit(member, unfit[member.name], compiles=order.compiles)
        check_rerun(order.request, [task for plan in plans.values() for task in plan.tasks])
        if order.compiles and not order.request.offline and shop.distant is None:
            # Fetched before there is a table of progress, so that uv can show its own; a remote cache may spare us all of it.
            self._fetch_zig()
        dependencies = Dependencies(order.project, order.package, order.members, order.request, shop)
        outcomes = self._compile(plans, dependencies)
        served = {target: plans[order.package.name].pythons(target) for target in order.targets}
        pairs = [(target, python) for target in order.targets for python in served[target]]
        pairs = [pair for pair in pairs if dependencies.plan.is_complete(*pair, outcomes)]
        made = [item for target, python in pairs for item in self._made(target, python, plans, outcomes, same)]
        pure = {item.package.name for item in made if not item.contents.has_native}
        bundler = artifacts.Bundler(order.project, order.request, order.folder, shop)
        bundle: Callable[[Sequence[artifacts.Made]], tuple[Artifact, ...]] = partial(bundler.wheels, run=self._tasks)
        built: dict[tuple[str, Interpreter], BuiltDependencies] = {}
        if order.request.bundle.carries:
            built = {(target.name, python): dependencies.built(target, python, outcomes) for target, python in pairs}
            bundle = partial(self._carrying, bundler, built)
        done = bundle(made) if made else ()
        self._check_failures(done)
        return replace(
            self._result(done),
            fallbacks=merge_fallbacks(
                [fallback for item in made for fallback in item.contents.fallbacks]
                + [fallback for item in built.values() for fallback in item.fallbacks]
            ),
            left_out=order.left_out,
            warnings=(
                *order_warnings(order),
                *spared(served, order.pythons),
                *(note for plan in plans.values() for note in (*plan.notes, *plan.idle_patterns())),
                *unfit_warnings({name: unfit.get(name, ()) for name in pure}),
                *dependencies.warnings(),
                *superseded_warnings(order.package, bundler.superseded, order.request.type),
                *self._notes,
            ),
            dependencies=merge_compiled(each for item in built.values() for each in item.compiled),
            minified=(
                *(found for plan in plans.values() if (found := plan.smaller(outcomes)) is not None),
                *dependencies.plan.smaller(outcomes),
            ),
        )

    def _carrying(
        self,
        bundler: artifacts.Bundler,
        built: Mapping[tuple[str, Interpreter], BuiltDependencies],
        made: Sequence[artifacts.Made],
    ) -> tuple[Artifact, ...]:
        """Bundle the package with its dependencies."""
        package = self._order.package
        if self._order.request.bundle is Bundle.BINARY:
            return bundler.binaries(made, built, package=package, run=self._tasks, rerun=self._rules.rerun)
        from pypackpack.middleware.bundle.fat import FatBundler, fat_plans  # noqa: PLC0415 - only for these
        from pypackpack.middleware.bundle.separate import SeparateBundler, other_layout  # noqa: PLC0415 - as above

        plans = fat_plans(package, made, built)
        self._notes = other_layout(bundler.folder, package)
        if package.bundle.fat_layout == "separate":
            order = self._order
            several = SeparateBundler(bundler, order.project, self._shop, offline=order.request.offline)
            return several.folders(plans, run=self._tasks, pythons=len(order.pythons))
        single = FatBundler(bundler, self._shop)
        done = single.wheels(plans, run=self._tasks)
        self._notes += single.notes
        return done

    def _resources(self) -> BuildResult:
        """Pack data files."""
        from pypackpack.middleware.resource.plan import ResourcePlan  # noqa: PLC0415 - import cost, only for these

        plan = ResourcePlan(self._order, self._shop)
        check_rerun(self._order.request, plan.tasks)
        done = plan.placed(self._tasks(plan.tasks))
        self._check_failures(done)
        return replace(self._result(done), left_out=plan.left_out, warnings=plan.warnings)

    def _check_failures(self, done: Sequence[Artifact]) -> None:
        """Raise what was kept for the end, and say what was built all the same."""
        if self._failures:
            for artifact in done:
                self._watcher.note(f"built all the same: {artifact.path}")
            if not done:
                self._watcher.note("nothing could be bundled; what was compiled all the same is remembered")
            raise_failures(self._failures, self._skipped)

    def _result(self, done: tuple[Artifact, ...]) -> BuildResult:
        """Return what is told of every build."""
        return BuildResult(
            artifacts=done,
            tasks_run=self._sources[RAN],
            tasks_cached=self._sources.total() - self._sources[RAN],
            tasks_remote=self._sources[REMOTE],
            tasks_compiled=self._compiled,
            seconds=time.monotonic() - self._start,
            tasks=tuple(self._journal.reports),
        )

    def _fetch_zig(self) -> None:
        """Fetch zig, if anything is compiled by it."""
        from pypackpack.middleware.compile.toolchains import choices  # noqa: PLC0415 - keeps imports of the CLI light

        pairs = [(target, member.settings(target)) for target in self._order.targets for member in self._order.members]
        if any(choice.found.name == "zig" for target, settings in pairs for choice in choices(target, settings)):
            self._shop.zig()

    def _compile(self, plans: Mapping[str, PackagePlan], dependencies: Dependencies) -> dict[str, Outcome]:
        """Run everything that makes modules, of the packages and of what goes along with them."""
        order = self._order
        # Python's own word on every source first: nobody waits minutes for a compiler to hear of a missing bracket.
        outcomes = self._tasks([task for plan in plans.values() for task in plan.syntax_tasks])
        vain = [task.name for plan in plans.values() for task in self._check_syntax(plan, outcomes)]
        native = [task for plan in plans.values() for task in plan.native_tasks if task.name not in vain]
        if order.request.bundle.carries:
            dependencies.synchronise(order.targets, order.pythons, self._watcher)
            outcomes |= self._tasks(dependencies.plan.syntax_tasks)
            native += dependencies.plan.native_tasks(outcomes)
            self._say_compiled(dependencies, outcomes)
        if self._ahead:  # not before: until here this process is the one that others wait for
            threading.Thread(target=_load_ahead, name="load", daemon=True).start()
        outcomes |= self._tasks(native)
        self._shop.rest()
        if self._sources[RAN]:
            self._shop.check_sources()
        return outcomes

    def _say_compiled(self, dependencies: Dependencies, outcomes: Mapping[str, Outcome]) -> None:
        """Say what is going to be compiled besides the person's own code, unless all of it is known: it may take minutes."""
        tasks = [task for task in dependencies.plan.native_tasks(outcomes) if task.step == "transcompile"]
        needs = {name: outcome.result for name, outcome in outcomes.items()}
        new = [task for task in tasks if self._shop.store.result(task.key(needs)) is None]
        if new:
            modules, names = dependencies.plan.counts()
            count = f"{modules} {'module' if modules == 1 else 'modules'} of {', '.join(names)}"
            self._watcher.note(f"compiling the dependencies too: {count}; `dependencies` in [tool.pypackpack.build] says which")

    def _check_syntax(self, plan: PackagePlan, outcomes: Mapping[str, Outcome]) -> tuple[Task, ...]:
        """Refuse sources that Python cannot read, now or at the end; return the tasks that cannot run without them."""
        try:
            plan.check_syntax(outcomes)
        except SourceError as error:
            if not self._order.request.keep_going:
                raise
            self._failures.update(dict.fromkeys(plan.refused(outcomes), error))
        vain = plan.vain(outcomes)
        self._journal.skipped(vain)
        self._skipped += [task.name for task in vain]
        return vain

    def _made(
        self,
        target: Target,
        python: Interpreter,
        plans: Mapping[str, PackagePlan],
        outcomes: Mapping[str, Outcome],
        same: Mapping[str, bool],
    ) -> list[artifacts.Made]:
        """Return what the packages became on a target; nothing where one of its tasks failed."""
        members = self._order.members
        if not all(plans[member.name].is_complete(target, python, outcomes) for member in members):
            return []
        try:
            return [
                artifacts.Made(member, target, python, plans[member.name].contents(target, python, outcomes), same[member.name])
                for member in members
            ]
        except SourceError as error:  # a module fell back, and the settings are strict
            if not self._order.request.keep_going:
                raise
            series = ".".join(map(str, python.series))
            self._failures[f"bundle {self._order.package.name} {target.name} {series}"] = error
            return []


def is_still(order: Order) -> bool:
    """Tell whether the settings are those of an order."""
    from pypackpack.middleware.project.read import load_project  # noqa: PLC0415 - keeps imports of the CLI light

    return load_project(order.project.root) == order.project


def _ran(outcome: Outcome | None) -> bool:
    return outcome is not None and outcome.source == RAN
