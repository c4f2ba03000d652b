"""What a person has said after ``target add`` and ``target remove``, and which targets and packages they mean by it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pypackpack.middleware.target import table
from pypackpack.model.errors import UnknownTargetError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pypackpack.model.build import Watcher
    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import Target


@dataclass(frozen=True)
class Asked:
    """Targets, of packages.

    Attributes:
        words: Canonical names, families, aliases, ``host``.
        package: The package; None: the one that ``start`` lies in, else the only one, else every package.
        start: Where the person stands.
    """

    words: tuple[str, ...]
    package: str | None = None
    start: Path | None = None


def read_words(project: Project, words: Sequence[str], start: Path | None = None) -> Asked:
    """Part the words after ``target add`` or ``remove``: the last one is a package if the project has one of that name.

    Args:
        project: The project.
        words: As typed.
        start: Where the person stands.

    Raises:
        UsageError: No target is among them, or the last word is nearly a package.
        UnknownTargetError: The last word is like no target, and is none of the project's packages.
    """
    package = project.package(words[-1]) if words else None
    if words and package is None and not table.is_target_word(words[-1]):
        near = difflib.get_close_matches(words[-1], [each.name for each in project.packages], n=1)
        if near:
            msg = f"{words[-1]} is neither a target nor a package of the project {project.name}"
            raise UsageError(msg, hint=f"Did you mean the package {near[0]}?")
    targets = tuple(words[:-1] if package else words)
    if not targets:
        msg = f"{words[0]} is a package: no target is named" if words else "no target is named"
        raise UsageError(msg, hint="Name targets, then perhaps a package: `pypackpack target add windows linux_arm64 mypkg`.")
    if package is None and len(targets) > 1 and project.packages and not _nearly_a_target(targets[-1]):
        known = ", ".join(each.name for each in project.packages)
        msg = f"{targets[-1]} is neither a target nor a package of the project {project.name}"
        raise UnknownTargetError(msg, hint=f"The packages are {known}; `pypackpack target list` shows every target.")
    return Asked(targets, package.name if package else None, start)


def _nearly_a_target(word: str) -> bool:
    """Tell whether what is wrong with a word can be said better by the table of targets: a slip, or a version that is none."""
    try:
        table.find(word)
    except UnknownTargetError as error:
        return "unknown target" not in error.message or error.hint.startswith("Did you mean")
    return True


def targets_of(asked: Asked, watcher: Watcher) -> dict[Target, str]:
    """Return the targets that are meant, with the word of each.

    Raises:
        UnknownTargetError: A word names no target.
    """
    wanted: dict[Target, str] = {}
    for word in asked.words:
        target = table.host_target() if word.lower() == table.HOST else table.find(word)
        if target.name != word and target not in wanted:
            watcher.note(f"{word} is {target.name}")
        wanted.setdefault(target, word)
    return wanted


def packages_of(asked: Asked, project: Project, watcher: Watcher) -> tuple[Package, ...]:
    """Return the packages that are meant.

    Raises:
        UsageError: There is no such package, or none at all.
    """
    if (name := asked.package) is not None:
        package = project.package(name)
        if package is None:
            names = [each.name for each in project.packages]
            near = difflib.get_close_matches(name, names, n=1)
            have = f"Did you mean {near[0]}?" if near else f"It has: {', '.join(names) or 'none yet'}."
            msg = f"the project {project.name} has no package {name}"
            raise UsageError(msg, hint=have)
        return (package,)
    if not project.packages:
        msg = f"the project {project.name} has no package yet"
        raise UsageError(msg, hint="`pypackpack package add <name>` makes one.")
    if asked.start is not None:
        from pypackpack.middleware.project.read import current_package  # noqa: PLC0415 - import cost

        here = current_package(project, asked.start)
        if here is not None:
            return (here,)
    if len(project.packages) > 1:
        watcher.note("no package is named: this is for all of them: " + ", ".join(each.name for each in project.packages))
    return project.packages
