"""From the words of ``pypackpack env`` to one cross environment, and from that to the variables of a process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.middleware.environment.cross import cross_environment
from pypackpack.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pypackpack.model.build import Watcher
    from pypackpack.model.crossenv import CrossEnvironment
    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import Target

_NEVER = ("PYTHONHOME", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__", "PYTHONSTARTUP", "CONDA_PREFIX", "SDKROOT", "CPATH")
"""Variables of the machine that would lead a Python or a compiler away from the target."""


def requested(
    project: Project,
    name: str,
    words: Sequence[str],
    *,
    python: str | None = None,
    interpreter: str | None = None,
    offline: bool = False,
    watcher: Watcher,
) -> CrossEnvironment:
    """Return the environment that a person asks for.

    Args:
        project: The project.
        name: The package.
        words: What stands after ``--target``; nothing means the package's only target.
        python: A version; None means the package's first, else the project's own.
        interpreter: Path of the target's own Python.
        offline: Never touch the network.
        watcher: Told of what is made.

    Raises:
        UsageError: There is no such package, or more or less than one target is meant.
        PyPackPackError: The environment cannot be made.
    """
    from pypackpack.middleware.python.choose import pythons_for  # noqa: PLC0415 - import cost

    package = project.package(name)
    if package is None:
        known = ", ".join(each.name for each in project.packages) or "none yet"
        msg = f"the project {project.name} has no package {name} (it has: {known})"
        raise UsageError(msg)
    target = _one_target(package, words)
    found = pythons_for(project, package, [python] if python else (), headers=True, offline=offline, watcher=watcher)[0]
    own = Path(os.path.abspath(interpreter)) if interpreter else None  # noqa: PTH100 - links stay as typed
    made = cross_environment(project, package, target, found, watcher, interpreter=own, offline=offline)
    if not made.site_packages.is_dir() and package.dependencies:
        watcher.note(f"its dependencies are not installed yet; `pypackpack {package.name} sync --target {target.name}` does it")
    return made


def _one_target(package: Package, words: Sequence[str]) -> Target:
    from pypackpack.middleware.target import table  # noqa: PLC0415 - import cost

    found = table.resolve(words, package.targets) if words else package.targets
    if len(found) == 1:
        return found[0]
    if not found:
        msg = f"{package.name} has no targets"
        raise UsageError(msg, hint=f"`pypackpack target add <target> {package.name}` adds one.")
    names = ", ".join(target.name for target in found)
    msg = f"an environment is of one target, and these are {len(found)}: {names}"
    raise UsageError(msg, hint=f"Name one with --target {found[0].name}.")


def whole_environment(made: CrossEnvironment, base: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment of a process in a cross environment, made from that of this process."""
    result = {name: value for name, value in base.items() if name not in _NEVER}
    result.update(made.variables)
    result["PATH"] = os.pathsep.join(filter(None, [made.variables["PATH"], base.get("PATH", "")]))
    return result
