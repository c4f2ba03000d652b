"""Which of the targets that were asked for can be built on this machine, for these Pythons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.middleware.compile.transcompile import WHY_NOT
from pypackpack.middleware.target.table import parts_of
from pypackpack.model.errors import MissingToolError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pypackpack.middleware.compile.toolchains import Choice
    from pypackpack.model.build import BuildRequest
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.project import Package
    from pypackpack.model.target import PythonVersion, Target


def possible(
    wanted: Sequence[Target],
    request: BuildRequest,
    pythons: Sequence[Interpreter],
    members: Sequence[Package],
    own: Mapping[str, bool],
) -> tuple[tuple[Target, ...], tuple[tuple[str, str], ...]]:
    """Part the targets that can be built from those that cannot; one that was named must be possible.

    Args:
        wanted: The targets.
        request: What is to be built.
        pythons: For which Pythons.
        members: The packages that are compiled.
        own: Name of a target → whether these have native sources of their own there, which are compiled at every level.

    Returns:
        Those that can be built, and the others, each with the reason.

    Raises:
        MissingToolError: One that the call names, or whose toolchain the settings name, cannot be built; or none can.
    """
    can: list[Target] = []
    left_out: list[tuple[str, str]] = []
    for target in wanted:
        reason = _why_no_python(target, [python.series for python in pythons])
        hint = "Leave the target out, or build for another Python with --python."
        if not reason and (request.compiles or own[target.name]):
            unusable = _unusable(target, members)
            if unusable is not None and unusable.named:
                unusable.need()  # the settings say what builds it: going on without would not be what they say
            if unusable is not None:
                reason = f"needs {unusable.adapter.title}: {unusable.found.missing}"
                hint = unusable.found.hint
            elif not has_facts(target):
                reason = "cannot have native code yet: what CPython's pyconfig.h says there is not in pypackpack's table"
                hint = "Build it at level instant or bytecode, or leave the target out."
        if not reason and request.compiles and (reason := _why_no_compiler(target, members, pythons)):
            hint = 'Set compiler = "cython" for this target, or leave it out.'
        if not reason:
            can.append(target)
        elif request.targets:
            msg = f"{target.name} {reason}"
            raise MissingToolError(msg, hint=hint)
        else:
            left_out.append((target.name, reason))
    if not can:
        msg = "none of the targets can be built: " + "; ".join(f"{name} {reason}" for name, reason in left_out)
        raise MissingToolError(msg, hint="Add another target: pypackpack target add linux")
    return tuple(can), tuple(left_out)


def _why_no_compiler(target: Target, members: Sequence[Package], pythons: Sequence[Interpreter]) -> str:
    """Return why the C that the packages' compilers make cannot be compiled for a target; empty when it can."""
    compilers = {member.settings(target).compiler for member in members}
    found = (WHY_NOT[name](target, python.series) for name in sorted(compilers & WHY_NOT.keys()) for python in pythons)
    return next(filter(None, found), "")


def _why_no_python(target: Target, pythons: Sequence[PythonVersion]) -> str:
    for python in pythons:
        if python < target.min_python or not target.tags.for_python(python):
            return f"has no Python {python[0]}.{python[1]}"
    return ""


def has_facts(target: Target) -> bool:
    """Tell whether headers of Python can be made for a target, and for all that it is joined from."""
    from pypackpack.middleware.compile.pyconfig import is_described  # noqa: PLC0415 - keeps imports of the CLI light

    return all(is_described(part.name) for part in parts_of(target))


def _unusable(target: Target, members: Sequence[Package]) -> Choice | None:
    """Return a toolchain that is to build one of the packages for a target, and cannot; None when all can."""
    from pypackpack.middleware.compile.toolchains import choices  # noqa: PLC0415 - keeps imports of the CLI light

    found = [choice for member in members for choice in choices(target, member.settings(target))]
    return next((choice for choice in found if choice.found.missing), None)
