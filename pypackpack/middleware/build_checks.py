"""What a build refuses before it runs, and what it warns of when it is done."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.middleware.compile.abi import LIMITED_COMPILERS
from pypackpack.middleware.compile.unit import UNIT_COMPILERS
from pypackpack.model.build import BuildType, Bundle, Level
from pypackpack.model.errors import NotYetError, SourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pypackpack.middleware.build import Order
    from pypackpack.middleware.graph.task import Task
    from pypackpack.model.build import BuildRequest
    from pypackpack.model.project import Package
    from pypackpack.model.target import Target

BUNDLE_STEP = "bundle"
COMPILING = ("transcompile", "compile")
"""Steps that call a compiler."""


def is_to_rerun(request: BuildRequest, task: Task) -> bool:
    """Tell whether a request wants a task to run although its result is known."""
    words = request.rerun_tasks
    return request.rerun and (not words or task.step in words or task.name in words or task.label in words)


def check_rerun(request: BuildRequest, tasks: Sequence[Task]) -> None:
    """Refuse names of tasks to run again that no task has; what bundles is planned later, and so is what compiles dependencies.

    Raises:
        UsageError: With the nearest right name.
    """
    known = {word for task in tasks for word in (task.step, task.name, task.label)} | {BUNDLE_STEP}
    later: tuple[str, ...] = ("wheel",)
    if request.bundle.carries and request.level is not Level.INSTANT:
        later = (*later, "bytecode", *(COMPILING if request.compiles else ()))
        known |= set(later[1:])
    if request.bundle is Bundle.PATCH:
        later = (*later, "patch")
        known.add("patch")
    for word in request.rerun_tasks:
        if word not in known and not (" " in word and word.startswith(later)):
            from difflib import get_close_matches  # noqa: PLC0415 - only for the error

            near = get_close_matches(word, known, n=1)
            steps = ", ".join(sorted({task.step for task in tasks} | {BUNDLE_STEP, *later[1:]}))
            hint = f"Did you mean {near[0]!r}?" if near else f"Steps are {steps}; `pypackpack tasks` lists every task."
            msg = f"--rerun: no task of this build is called {word!r}"
            raise UsageError(msg, hint=hint)


def refuse_unfit(package: Package, problems: Sequence[str], *, compiles: bool) -> None:
    """Refuse a wheel that says "any" with files that Windows cannot have, where Windows is among the package's targets.

    Raises:
        SourceError: Naming each of them.
    """
    if problems and not compiles and any(target.family == "windows" for target in package.targets):
        first, *others = problems
        msg = f"{first}; the wheel of {package.name} is for every platform, and Windows is one of its targets"
        hint = "Rename the file, or move it to the overlay folder of another family."
        raise SourceError(msg, hint=hint, details="\n".join(others))


def unfit_warnings(problems: Mapping[str, Sequence[str]]) -> list[str]:
    """Say which packages' wheels for every platform cannot be installed on Windows; no target of theirs is."""
    return [
        f"{problem}; the wheel of {name} says that it is for every platform, and cannot be installed on Windows"
        for name, each in sorted(problems.items())
        for problem in each
    ]


def superseded_warnings(package: Package, names: Sequence[str], build_type: BuildType) -> list[str]:
    """Say which wheels of earlier settings lie beside those of the present ones."""
    if not names:
        return []
    one = len(names) == 1
    left = f": release and deploy leave {'it' if one else 'them'} out" if build_type is BuildType.RELEASE else ""
    text = (
        f"{', '.join(names)} {'is' if one else 'are'} of an earlier build, and what was built now takes "
        f"{'its' if one else 'their'} place{left}; `pypackpack clean {package.root.name}` removes all"
    )
    return [text]


def refuse_later(package: Package, targets: Sequence[Target], bundle: Bundle) -> None:
    """Refuse settings whose work comes in a later version, instead of doing something else.

    Raises:
        NotYetError: Naming the setting.
        UsageError: Settings that exclude each other.
    """
    from pypackpack.middleware.project.later import unbuilt  # noqa: PLC0415 - keeps imports of the CLI light

    for words in unbuilt(package, targets, bundle):
        msg = f"{package.root / 'pyproject.toml'}: tool.pypackpack.{words} is not there yet"
        raise NotYetError(msg, hint="Take the line out to build with the default.")
    for target in targets:
        if (settings := package.settings(target)).abi == "abi3" and settings.compiler not in LIMITED_COMPILERS:
            msg = f"{package.root / 'pyproject.toml'}: {settings.compiler} cannot make abi3 modules for {target.name}"
            raise UsageError(msg, hint='Set tool.pypackpack.build.compiler = "cython", or leave abi = "abi3" out.')
        if settings.unit == "package" and settings.compiler not in UNIT_COMPILERS:
            words = 'cannot put a package into one extension module (unit = "package")'
            msg = f"{package.root / 'pyproject.toml'}: {settings.compiler} {words} for {target.name}"
            raise NotYetError(msg, hint='Set tool.pypackpack.build.compiler = "cython", or leave unit = "package" out.')


def order_warnings(order: Order) -> tuple[str, ...]:
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
