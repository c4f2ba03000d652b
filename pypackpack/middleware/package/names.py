"""Which names a new package may have: one list for everybody who asks."""

from __future__ import annotations

import keyword
import re
import sys
from typing import TYPE_CHECKING

from pypackpack.model.errors import NameTakenError
from pypackpack.model.names import COMMANDS, WINDOWS_DEVICES, import_name, is_distribution_name, normalise

if TYPE_CHECKING:
    from pypackpack.model.project import Project

# What sys.stdlib_module_names of the running Python may lack: modules of the other series that packages are built for, and
# those that CPython does not list although they are importable.
_MORE_STDLIB = frozenset(
    {"annotationlib", "asynchat", "asyncore", "compression", "distutils", "idlelib", "imp", "smtpd", "test", "tomllib"}
)

# The program's own names: such a package would hide it in the environment that it is developed in.
_OWN = frozenset({"pypackpack", "ppp"})

_HEAD = re.compile(r"\s*[A-Za-z0-9][A-Za-z0-9._-]*")

# The name of a wheel is made of it, its version and its tags, and file systems end at 255 bytes.
_LONGEST = 120


def check_name(name: str, project: Project) -> str:
    """Return the import package's name for a new package of ``project``.

    A name is spelled as PEP 508 says; what is compared is its normalised form, so ``My-Pkg`` and ``my_pkg`` are one name.

    Raises:
        NameTakenError: The name cannot be used; the message says which rule is against it.
    """
    if not is_distribution_name(name):
        hint = "Use ASCII letters and digits, and - _ . between them."
        raise _refused(name, "it is not a name for a distribution (PEP 508)", hint)
    if len(name) > _LONGEST:
        raise _refused(name[:20] + "…", f"it has {len(name)} letters, and {_LONGEST} are the most", "Choose a shorter name.")
    module = import_name(name)
    if not module.isidentifier():
        raise _refused(name, f'"{module}" cannot be imported', "Start it with a letter.")
    if keyword.iskeyword(module) or keyword.issoftkeyword(module) or module in {"true", "false", "none"}:
        raise _refused(name, f'"{module}" is a word of the Python language')
    if normalise(name) in COMMANDS:
        raise _refused(name, f"`pypackpack {normalise(name)}` is a command")
    if module in _OWN:
        raise _refused(name, "it is the name of this program")
    if _is_target(name):
        raise _refused(name, "it names a target, or a family of targets")
    if module in _stdlib():
        raise _refused(name, f'"{module}" is a module of the standard library')
    if module in WINDOWS_DEVICES:
        raise _refused(name, "it cannot be the name of a folder on Windows")
    _check_free(name, project)
    _check_unneeded(name, project)
    return module


def _check_free(name: str, project: Project) -> None:
    taken = project.package(name)
    if taken is not None:
        raise _refused(name, f'the project has a package "{taken.name}" already')
    if normalise(name) == normalise(project.name):
        from pypackpack.middleware.project.foreign import way_into_a_package  # noqa: PLC0415 - import cost

        reason = "it is the name of the project, and both would be distributions of one name"
        raise _refused(name, reason, way_into_a_package(name))
    _check_no_member(name, project)
    # Folders that differ in case only are one folder on Windows and macOS.
    there = next((entry.name for entry in project.root.iterdir() if normalise(entry.name) == normalise(name)), None)
    if there is not None:
        hint = f'Move it away, or record it by hand: packages = ["{there}"] in {project.root / "pyproject.toml"}.'
        raise _refused(name, f"{project.root / there} is there already", hint)


def _check_no_member(name: str, project: Project) -> None:
    """Refuse the name of a member of the uv workspace that the project was, and for uv still is."""
    from pypackpack.middleware.project.foreign import workspace_members  # noqa: PLC0415 - import cost
    from pypackpack.middleware.project.toml import read_toml  # noqa: PLC0415 - import cost

    path = project.root / "pyproject.toml"
    member = workspace_members(project.root, read_toml(path)).get(normalise(name)) if path.is_file() else None
    if member is not None:
        place = member.relative_to(project.root).as_posix()
        reason = f"it is the name of {place}, a member of the uv workspace, and both would be distributions of one name"
        hint = f"Choose another name, or give the one in {place}/pyproject.toml another name first if yours is to take its place."
        raise _refused(name, reason, hint)


def _check_unneeded(name: str, project: Project) -> None:
    """Refuse the name of a distribution that packages of the project have from the index: ours would come in its place."""
    users = []
    for package in project.packages:
        lines = [*package.dependencies, *(line for own in package.target_dependencies.values() for line in own)]
        if any((found := _HEAD.match(line)) and normalise(found[0].strip()) == normalise(name) for line in lines):
            users.append(package.name)
    if users:
        who = " and ".join(filter(None, [", ".join(users[:-1]), users[-1]]))
        reason = f"{who} {'depends' if len(users) == 1 else 'depend'} on the {name} of the index, and would get this one instead"
        hint = f"Choose another name, or take it out first (`pypackpack {users[0]} remove {name}`) if yours is to take its place."
        raise _refused(name, reason, hint)


def _is_target(name: str) -> bool:
    from pypackpack.middleware.target import table  # noqa: PLC0415 - import cost, only where targets are named

    return table.is_target_word(name) or normalise(name) in {normalise(word) for word in table.reserved_names()}


def _stdlib() -> frozenset[str]:
    return frozenset(word.lower() for word in sys.stdlib_module_names) | _MORE_STDLIB


def _refused(name: str, reason: str, hint: str = "Choose another name.") -> NameTakenError:
    msg = f'a package cannot be named "{name}": {reason}'
    return NameTakenError(msg, hint=hint)
