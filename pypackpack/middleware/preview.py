"""What a build would do: ``build --dry-run`` and ``tasks``. Nothing runs, nothing is fetched, nothing of a project is written.

Keys are computed as a build does it, and the store on this machine is asked for them. Behind a task that would run no key is
known, since what that task leaves behind is in it; so everything behind it would run, unless it leaves what it left before.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pypackpack.middleware.build import resolve
from pypackpack.middleware.build_checks import check_rerun, is_to_rerun
from pypackpack.middleware.build_history import open_history
from pypackpack.middleware.bundle import artifacts
from pypackpack.middleware.bundle.dependencies import Dependencies
from pypackpack.middleware.compile.members import plan_members
from pypackpack.middleware.compile.workshop import looking
from pypackpack.middleware.graph.schedule import STORE, Outcome
from pypackpack.middleware.graph.task import in_order
from pypackpack.model.build import Artifact, Bundle, Level
from pypackpack.model.errors import PyPackPackError
from pypackpack.model.journal import Reason
from pypackpack.model.preview import BEHIND, REFUSED, REMEMBERED, TWIN, WOULD_RUN, PlannedTask, Preview

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pypackpack.middleware.build import Order
    from pypackpack.middleware.bundle.fat import FatPlan
    from pypackpack.middleware.compile.plan import PackagePlan
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.task import Task
    from pypackpack.model.build import BuildRequest, Watcher
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.target import Target

BUNDLE, ENVIRONMENT, PATCH = "bundle", "environment", "patch"


class After(Protocol):
    """What is done with the wheels of a build, once they are made."""

    def name(self, tag: str) -> str:
        """Return the name of the task for a wheel with these tags, as its file name has them; empty where there is none."""

    def task(self, shop: Workshop, wheel: Artifact) -> Task | None:
        """Return that task."""


def preview(request: BuildRequest, watcher: Watcher, after: After | None = None) -> Preview:
    """Return what a build would do.

    Args:
        request: What would be built; as with ``offline``, nothing is fetched.
        watcher: Gets notes.
        after: What would be done with its wheels.

    Raises:
        PyPackPackError: It cannot be built; the same as a build would say.
    """
    from dataclasses import replace  # noqa: PLC0415 - beside its only use

    order = resolve(replace(request, offline=True), watcher)
    with looking(order.project, watcher=watcher) as shop:
        return _Preview(order, shop, after).found()


class _Preview:
    """One look at what a build would do."""

    def __init__(self, order: Order, shop: Workshop, after: After | None) -> None:
        self._after = after
        self._order = order
        self._shop = shop
        self._history = open_history(shop.cache, order.project)
        self._tasks: list[PlannedTask] = []
        self._outcomes: dict[str, Outcome] = {}
        self._claimed: set[str] = set()
        self._names: set[str] = set()
        self._users: dict[str, list[str]] = {}
        self._notes: list[str] = []

    def found(self) -> Preview:
        order = self._order
        if order.request.bundle is Bundle.RESOURCE:
            return self._resources()
        self._plans, _, self._same = plan_members(order, self._shop)
        plans = self._plans.values()
        tasks = [task for plan in plans for task in plan.syntax_tasks] + [task for plan in plans for task in plan.native_tasks]
        self._look_at(tasks)
        for plan in self._plans.values():
            self._check(plan)
        if order.request.bundle.carries:
            self._carrying()
        else:
            self._wheels()
        return self._preview(order.left_out)

    def _resources(self) -> Preview:
        """Look at what packs data files."""
        from pypackpack.middleware.resource.plan import ResourcePlan  # noqa: PLC0415 - import cost, only for these

        plan = ResourcePlan(self._order, self._shop)
        self._look_at(plan.tasks)
        return self._preview(plan.left_out)

    def _look_at(self, tasks: Sequence[Task]) -> None:
        """Find out what would become of the tasks of a graph."""
        check_rerun(self._order.request, tasks)
        self._names.update(task.name for task in tasks)
        for task in tasks:
            for need in task.needs:
                self._users.setdefault(need, []).append(task.name)
        for task in in_order(tasks):
            self._look(task)

    def _preview(self, left_out: tuple[tuple[str, str], ...]) -> Preview:
        if self._order.project.cache.remote is not None and any(task.state == WOULD_RUN for task in self._tasks):
            self._notes.append("the remote cache was not asked: what it has would not run")
        return Preview(tuple(self._tasks), left_out, tuple(self._notes))

    def _check(self, plan: PackagePlan) -> None:
        """Note what Python is known to have against the sources."""
        if all(task.name in self._outcomes for task in plan.syntax_tasks):
            try:
                plan.check_syntax(self._outcomes)
            except PyPackPackError as error:
                self._notes.append(f"the build would fail: {error.message}")

    def _look(self, task: Task, *, refuses: bool = True) -> None:
        """Find out what would become of a task; ``refuses`` where a source that Python cannot read ends the build."""
        if any(need not in self._outcomes for need in task.needs):
            self._add(task, BEHIND)
            return
        needs = {need: self._outcomes[need].result for need in task.needs}
        key = task.key(needs)
        result = self._shop.store.result(key)
        if result is not None:
            self._outcomes[task.name] = Outcome(result, STORE, key)
        rerun = is_to_rerun(self._order.request, task)
        if result is not None and not rerun:
            self._add(task, REFUSED if refuses and task.step == "bytecode" and "message" in result.facts else REMEMBERED)
        elif key in self._claimed:
            self._add(task, TWIN)
        else:
            self._claimed.add(key)
            asked = tuple(self._users.get(task.name, ())) or task.asked
            self._add(task, WOULD_RUN, self._history.why(task, needs, key, asked=asked, rerun=rerun, present=self._names))

    def _add(self, task: Task, state: str, reason: Reason | None = None) -> None:
        self._tasks.append(
            PlannedTask(task.name, task.step, task.package, task.target, task.label, state, needs=task.needs, reason=reason)
        )

    def _pairs(self) -> list[tuple[Target, Interpreter]]:
        plan = self._plans[self._order.package.name]
        return [(target, python) for target in self._order.targets for python in plan.pythons(target)]

    def _made(self, target: Target, python: Interpreter) -> list[artifacts.Made] | None:
        """Return what the packages become on a target, or None where that is not known before something ran."""
        members = self._order.members
        if not all(self._plans[member.name].is_complete(target, python, self._outcomes) for member in members):
            return None
        try:
            return [
                artifacts.Made(
                    member,
                    target,
                    python,
                    self._plans[member.name].contents(target, python, self._outcomes),
                    self._same[member.name],
                )
                for member in members
            ]
        except PyPackPackError as error:
            if (text := f"the build would fail: {error.message}") not in self._notes:
                self._notes.append(text)
            return None

    def _needs(self, target: Target) -> tuple[str, ...]:
        """Return the tasks that would run, of those whose results go into what is made for a target."""
        return tuple(task.name for task in self._tasks if task.state != REMEMBERED and task.target in ("", target.name))

    def _wheels(self) -> None:
        bundler = artifacts.Bundler(self._order.project, self._order.request, self._order.folder, self._shop)
        seen: dict[str, list[str]] = {}
        places: dict[str, Path] = {}
        for target, python in self._pairs():
            made = self._made(target, python)
            for item in made or ():
                task = bundler.wheel_task(item)
                places[task.name] = Path(task.writes[0])
                if task.name not in seen:
                    self._look(task)
                seen.setdefault(task.name, []).append(target.name)
            name = self._wheel_name(target, python)
            if made is None and name not in seen:
                seen[name] = [target.name]
                package = self._order.package.name
                self._tasks.append(PlannedTask(name, BUNDLE, package, target.name, "", BEHIND, needs=self._needs(target)))
        if self._after is not None:
            for name, targets in seen.items():
                self._look_behind(self._after, name, tuple(dict.fromkeys(targets)), places.get(name))

    def _look_behind(self, after: After, wheel: str, targets: tuple[str, ...], place: Path | None) -> None:
        """Find out what would become of what is done with a wheel, by the name of its task."""
        package, tag = self._order.package.name, wheel.rpartition(" ")[2]
        name = after.name(tag)
        if not name:
            self._notes.append(f"nothing would be made of the wheel with the tags {tag}")
        elif place is not None and (outcome := self._outcomes.get(wheel)) is not None:
            size, digest = int(outcome.result.facts["size"]), outcome.result.outputs["wheel"]
            task = after.task(self._shop, Artifact(place, "wheel", package, targets, None, size, digest, cached=True))
            if task is not None:
                self._look(task)
        else:
            target = targets[0] if len(targets) == 1 else ""
            self._tasks.append(PlannedTask(name, PATCH, package, target, "", BEHIND, needs=(wheel,)))

    def _wheel_name(self, target: Target, python: Interpreter) -> str:
        """Return the name of a wheel's task as it is if no module falls back."""
        from pypackpack.middleware.bundle.tags import wheel_tags  # noqa: PLC0415 - loaded when there is something to bundle

        package, level = self._order.package, self._order.request.level
        own = self._plans[package.name].has_own_modules(target)
        tags = wheel_tags(
            target,
            python.series,
            native=level is Level.NATIVE or own,
            bytecode=level in (Level.BYTECODE, Level.MIXED),
            same_everywhere=self._same[package.name],
            abi3=self._plans[package.name].is_abi3(target, python),
        )
        return f"wheel {package.name} {tags}"

    def _carrying(self) -> None:
        """Look at the environments of dependencies, and at what is made of these and the packages."""
        from pypackpack.middleware.bundle.fat import FatPlan, fat_name  # noqa: PLC0415 - only for these

        order = self._order
        bundler = artifacts.Bundler(order.project, order.request, order.folder, self._shop)
        dependencies = Dependencies(order.project, order.package, order.members, order.request, self._shop)
        whys = {target.name: self._why_sync(target) for target in order.targets}
        for target in order.targets:
            self._place(f"environment {order.package.name} {target.name}", ENVIRONMENT, target, whys[target.name])
        for target, python in self._pairs():
            if not whys[target.name]:
                dependencies.look(target, python)
        plan = dependencies.plan
        for task in in_order(plan.syntax_tasks):
            self._look(task, refuses=False)
        # As in a build: only then is known which modules are not compiled.
        for task in in_order(plan.native_tasks(self._outcomes)):
            self._look(task)
        for target, python in self._pairs():
            made = None
            if not whys[target.name] and dependencies.plan.is_complete(target, python, self._outcomes):
                made = self._made(target, python)
            folder = bundler.folder_of(target.name, python, len(order.pythons))
            whole = order.request.bundle is Bundle.BINARY
            name = f"folder {order.package.name} {folder.name}" if whole else f"wheel {fat_name(order.package)} {folder.name}"
            if made is None:
                needs = self._needs(target)
                self._tasks.append(PlannedTask(name, BUNDLE, order.package.name, target.name, "", BEHIND, needs=needs))
                continue
            built = dependencies.built(target, python, self._outcomes)
            if whole:
                stands = bundler.stands(folder, order.package, made, built)
                self._place(name, BUNDLE, target, "" if stands else "it is not there, or not what would be made now")
            else:
                self._fat(bundler, FatPlan(order.package, tuple(made), built))

    def _fat(self, bundler: artifacts.Bundler, plan: FatPlan) -> None:
        """Look at what makes a fat wheel, or the wheels of its folder."""
        from pypackpack.middleware.bundle.fat import FatBundler  # noqa: PLC0415 - only for these
        from pypackpack.middleware.bundle.separate import SeparateBundler  # noqa: PLC0415 - as above

        if plan.package.bundle.fat_layout == "separate":
            tasks = SeparateBundler(bundler, self._order.project, self._shop, offline=True).tasks(plan)
        else:
            tasks = [FatBundler(bundler, self._shop).task(plan)]
        for task in in_order(tasks):
            if task.name not in self._names:
                self._names.add(task.name)
                self._look(task)

    def _place(self, name: str, step: str, target: Target, why: str) -> None:
        """Note what becomes of something on disk, whose result is no entry of the store."""
        words, reason = self._order.request.rerun_tasks, Reason("place", text=why) if why else None
        if step == BUNDLE and self._order.request.rerun and (not words or step in words or name in words):
            reason = Reason("asked")
        state = WOULD_RUN if reason is not None else REMEMBERED
        self._tasks.append(PlannedTask(name, step, self._order.package.name, target.name, "", state, reason=reason))

    def _why_sync(self, target: Target) -> str:
        """Return why a target's environment would be synchronised; nothing when it is as the lock says."""
        from pypackpack.middleware.environment.check import check_package  # noqa: PLC0415 - import cost

        try:
            check_package(self._order.project, self._order.package, _words(target))
        except PyPackPackError as error:
            return error.message
        return ""


def _words(target: Target) -> Sequence[str]:
    return (target.name,)
