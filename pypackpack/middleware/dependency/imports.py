"""``pypackpack import``: scattered requirements files become one list of dependencies, resolved by uv, locked and installed."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.middleware.dependency import import_indexes as indexes
from pypackpack.middleware.dependency import requirements_merge as rules
from pypackpack.middleware.dependency.other_tools import MAIN, PROJECT_FILES
from pypackpack.middleware.dependency.requirements import requirement_files
from pypackpack.model.build import Silent
from pypackpack.model.errors import DependencyConflictError, PyPackPackError, RequirementsFileError, ToolError
from pypackpack.model.names import normalise
from pypackpack.model.requirement import ImportResult, NotTaken

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pypackpack.model.build import Watcher
    from pypackpack.model.environment import DependencyChange, DevelopmentChange
    from pypackpack.model.project import Package, Project
    from pypackpack.model.requirement import Asked, MergedLine, RequirementFiles

GROUP = "dev"
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_UNSATISFIABLE = ("unsatisfiable", "No solution found")


def import_requirements(
    project: Project,
    words: Sequence[Path],
    *,
    package: Package | None = None,
    group: str = "",
    delete: bool = False,
    take_indexes: bool = False,
    offline: bool = False,
    watcher: Watcher | None = None,
) -> ImportResult:
    """Turn requirements files into dependencies of the development environment, or of a package.

    Args:
        project: The project.
        words: Files and folders; ``pyproject.toml`` and ``setup.cfg``, of other tools too, only by name.
        package: Into this package's ``[project] dependencies``; None means into a dependency group of the project. Of a
            ``pyproject.toml``, a package gets what that project itself needs.
        group: Into which group; of a ``pyproject.toml``, only this group of it. Empty means `GROUP`, and all there is.
        delete: Remove the files once everything is done.
        take_indexes: Write the indexes that the files name into ``[[tool.uv.index]]`` of the project, without credentials.
        offline: Never touch the network.
        watcher: Gets notes.

    Raises:
        RequirementsFileError: Something in the files cannot be read; nothing is changed.
        DependencyConflictError: Lines exclude each other; the files and lines are in ``details``, nothing is changed.
        PyPackPackError: It cannot be resolved or installed; nothing is changed.
    """
    watcher = watcher or Silent()
    part = MAIN if package is not None else group or None
    files = requirement_files(words, project.root, os.environ, part)
    group = group or GROUP
    asked, own = _without_own(project, files.asked)
    found = rules.conflicts(asked)
    if found:
        raise _conflict(found)
    lines, held = rules.merged(asked)
    with (
        indexes.taken_for(project, files.indexes, take=take_indexes) as where,
        filesystem.scratch_folder(filesystem.cache_folder() / "tmp", "import-") as scratch,
    ):
        try:
            _check_hashes(project, asked, scratch, offline=offline)
            if package is not None:
                changed: DevelopmentChange | DependencyChange | None = _into_package(
                    project, package, lines, watcher, offline=offline
                )
            else:
                changed = _into_group(project, group, lines, held, scratch, watcher, offline=offline)
        except (DependencyConflictError, ToolError) as error:
            raise _explained(error, asked) from error
    not_taken = [*files.not_taken, *where.not_taken, *own]
    if package is not None:
        not_taken += [_unheld(line) for line in held]
        held = ()
    elif held:
        held, idle = _parted(project, held)
        not_taken += idle
    deleted = _delete(files, not_taken, project.root, words, watcher) if delete else ()
    return ImportResult(
        into=package.name if package is not None else f"dependency-groups.{group}",
        files=tuple(_shown(path, project.root) for path in files.files),
        lines=_as_written(lines, changed.lines if changed is not None else ()),
        constraints=held,
        not_taken=tuple(not_taken),
        deleted=deleted,
        changed=changed,
        indexes=where.taken,
    )


def _as_written(lines: Sequence[MergedLine], written: Sequence[str]) -> tuple[MergedLine, ...]:
    """Return the lines as they stand in pyproject.toml now: uv gives a bare name the lowest version that it has locked."""

    def name(text: str) -> str:
        found = _WORD.match(text)
        return normalise(found[0]) if found else ""

    there: dict[str, list[str]] = {}
    for text in written:
        there.setdefault(name(text), []).append(text)
    asked = [name(line.text) for line in lines]
    return tuple(
        replace(line, text=there[key][0]) if asked.count(key) == 1 and len(there.get(key, ())) == 1 else line
        for key, line in zip(asked, lines, strict=True)
    )


def _without_own(project: Project, asked: Sequence[Asked]) -> tuple[tuple[Asked, ...], list[NotTaken]]:
    """Part what the project's packages are from what comes from elsewhere."""
    local = {normalise(package.name) for package in project.packages}
    rest: list[Asked] = []
    own: list[NotTaken] = []
    for line in asked:
        if normalise(line.name) in local:
            own.append(NotTaken(line.place, line.name, "It is a package of this project, and in .venv anyway.", matters=False))
        elif line.path == project.root:
            own.append(NotTaken(line.place, line.name, "It is this project.", matters=False))
        else:
            rest.append(line)
    return tuple(rest), own


def _conflict(found: Sequence[rules.Conflict]) -> DependencyConflictError:
    names = ", ".join(dict.fromkeys(conflict.name for conflict in found))
    msg = f"requirements files exclude each other: {names}"
    hint = "Make these lines agree, or import only some of the files; nothing was changed."
    return DependencyConflictError(msg, hint=hint, details="\n".join(conflict.text() for conflict in found))


def _explained(error: PyPackPackError, asked: Sequence[Asked]) -> PyPackPackError:
    """Say, beside uv's words, which lines of which files they are about."""
    if not any(word in error.details for word in _UNSATISFIABLE):
        return error
    lines = rules.lines_for(_WORD.findall(error.details), asked)
    if not lines:
        return error
    msg = "what the requirements files ask for cannot be had together"
    hint = "Loosen one of these lines; uv's words say why; nothing was changed."
    return DependencyConflictError(msg, hint=hint, details=f"{lines}\n\n{error.details}")


def _check_hashes(project: Project, asked: Sequence[Asked], scratch: Path, *, offline: bool) -> None:
    """See that the index has a file that the hashes of each pinned line allow; the lock takes over from there.

    Raises:
        RequirementsFileError: It has none.
        ToolError: uv cannot find out.
    """
    pinned = [line for line in asked if line.hashes and not line.url and line.path is None]
    if not pinned:
        return
    from pypackpack.backend.tools import resolver  # noqa: PLC0415 - keeps imports of the CLI light

    settings = indexes.uv_toml(project)
    texts = dict.fromkeys(f"{line.name}{line.specifier}{f' ; {line.marker}' if line.marker else ''}" for line in pinned)
    there: dict[str, set[str]] = {}
    for item in tomllib.loads(resolver.files_of(tuple(texts), scratch, settings=settings, offline=offline)).get("packages", []):
        files = [*item.get("wheels", []), *([item["sdist"]] if "sdist" in item else [])]
        found = there.setdefault(normalise(item["name"]), set())
        found.update(f"{kind}:{digest}" for file in files for kind, digest in file.get("hashes", {}).items())
    wrong = [
        f"{line.place}: {line.name}{line.specifier}: the index has no file with one of the line's hashes"
        for line in pinned
        if _contradict(set(line.hashes), there.get(normalise(line.name), set()))
    ]
    if wrong:
        msg = "the index has other files than the hashes in the requirements files allow"
        hint = "Find out which of the two is right before anything is installed; nothing was changed."
        raise RequirementsFileError(msg, hint=hint, details="\n".join(wrong))


def _contradict(asked: set[str], there: set[str]) -> bool:
    """Tell whether none of the hashes is there; of a kind that the index does not give, nothing can be told."""
    kinds = {text.partition(":")[0] for text in there}
    return not asked & there and any(text.partition(":")[0] in kinds for text in asked)


def _into_group(
    project: Project,
    group: str,
    lines: Sequence[MergedLine],
    held: Sequence[MergedLine],
    scratch: Path,
    watcher: Watcher,
    *,
    offline: bool,
) -> DevelopmentChange | None:
    if not lines:
        return None
    from pypackpack.middleware.environment import development_change  # noqa: PLC0415 - keeps imports of the CLI light

    wanted, limits = scratch / "requirements.txt", scratch / "constraints.txt"
    filesystem.fill_file(wanted, "".join(f"{_for_uv(line)}\n" for line in lines).encode())
    options = ["--requirements", os.fspath(wanted), "--group", group]
    if held:
        filesystem.fill_file(limits, "".join(f"{line.text}\n" for line in held).encode())
        options += ["--constraints", os.fspath(limits)]
    return development_change.add(
        project, (), watcher, uv_options=tuple(options), offline=offline, held=[line.text for line in held]
    )


def _for_uv(line: MergedLine) -> str:
    if line.path is None:
        return line.text
    name, semicolon, marker = line.text.partition(";")
    extras = name[name.index("[") :] if "[" in name else ""
    # Relative to where uv runs: what is given as an absolute path, uv writes into pyproject.toml as an absolute path.
    place = line.path.as_posix()
    with contextlib.suppress(ValueError):  # another drive, on Windows
        place = Path(os.path.relpath(line.path)).as_posix()
        place = place if place.startswith(".") else f"./{place}"
    return f"{'-e ' if line.editable else ''}{place}{extras}{f' ;{marker}' if semicolon else ''}"


def _into_package(
    project: Project, package: Package, lines: Sequence[MergedLine], watcher: Watcher, *, offline: bool
) -> DependencyChange | None:
    from pypackpack.middleware.dependency import manage  # noqa: PLC0415 - keeps imports of the CLI light

    local = [line for line in lines if line.path is not None]
    if local:
        msg = f"a package cannot depend on folders and files of this machine, and {package.name} would"
        hint = "Import these into the development environment (without --package), or make them packages of the project."
        details = "\n".join(f"{line.places[0]}: {line.path}" for line in local)
        raise RequirementsFileError(msg, hint=hint, details=details)
    wanted = manage.Wanted(tuple(line.text for line in lines), offline=offline)
    return manage.add(project, package, wanted, watcher) if lines else None


def _unheld(line: MergedLine) -> NotTaken:
    why = "A constraint on what only other dependencies need: say it in [tool.uv] constraint-dependencies."
    return NotTaken(line.places[0], line.text, why)


def _parted(project: Project, held: Sequence[MergedLine]) -> tuple[tuple[MergedLine, ...], list[NotTaken]]:
    """Part the constraints that the lock keeps to from those on what nothing needs, and so nothing holds."""
    from pypackpack.middleware.environment.development import LOCK  # noqa: PLC0415 - keeps imports of the CLI light
    from pypackpack.middleware.environment.held import locked, name_of, to_resolve_again  # noqa: PLC0415 - keeps imports of the CLI light

    path = project.root / LOCK
    lock = filesystem.read_bytes(path).decode() if path.is_file() else ""
    there = locked(lock)
    idle: list[NotTaken] = []
    kept: list[MergedLine] = []
    for line in held:
        if name_of(line.text) not in there:
            idle.append(NotTaken(line.places[0], line.text, "Nothing that is locked needs it.", matters=False))
        elif ";" not in line.text and to_resolve_again([line.text], lock):
            idle.append(_unheld(line))
        else:
            kept.append(line)
    return tuple(kept), idle


def _delete(
    files: RequirementFiles, not_taken: Sequence[NotTaken], root: Path, words: Sequence[Path], watcher: Watcher
) -> tuple[str, ...]:
    """Remove the files whose lines were all taken; those that lie outside of the project only when they were named."""
    lost = {item.place.file for item in not_taken if item.matters}
    named = [word.resolve() for word in words]
    deleted = []
    for path in files.files:
        shown = _shown(path, root)
        if path.name in PROJECT_FILES:
            watcher.note(f"{shown} stays: it is no requirements file")
        elif shown in lost:
            watcher.note(f"{shown} stays: not everything in it could be taken")
        elif not any(path == place or place in path.parents for place in (root, *named)):
            watcher.note(f"{shown} stays: it lies outside of the project")
        else:
            filesystem.remove_tree(path)
            deleted.append(shown)
    return tuple(deleted)


def _shown(path: Path, root: Path) -> str:
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return os.fspath(path)
