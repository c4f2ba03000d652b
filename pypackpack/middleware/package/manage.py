"""Adds and removes packages of a project."""

from __future__ import annotations

import contextlib
import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.backend.undo import Undo
from pypackpack.middleware.package.names import check_name
from pypackpack.middleware.project.edit import append_word, commit_edits, lock_file, plan_edit, table_at
from pypackpack.middleware.project.extras import offer_extras, own_extra
from pypackpack.middleware.project.read import FILE, load_project
from pypackpack.middleware.project.templates import template
from pypackpack.model.errors import ConflictError, FilesystemError, NameTakenError, PyPackPackError, UsageError
from pypackpack.model.interpreter import OLDEST
from pypackpack.model.names import normalise
from pypackpack.model.project import Removal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tomlkit import TOMLDocument

    from pypackpack.middleware.project.edit import Edit
    from pypackpack.model.build import Watcher
    from pypackpack.model.project import Package, Project


def add_package(project: Project, name: str, watcher: Watcher) -> Package:
    """Make a package's folder, for the host's target, and record it in the project.

    Raises:
        NameTakenError: The name cannot be used (`check_name`).
        ConflictError: The project's pyproject.toml was changed meanwhile; nothing has been added.
        FilesystemError: Something cannot be written; nothing has been added.
    """
    with filesystem.lock(lock_file(project.root / FILE, "packages")):  # of two that are added at once, one waits
        project = load_project(project.root)
        check_name(name, project)
        edit = plan_edit(project.root / FILE, lambda document: _record(document, name, watcher))
        with filesystem.scratch_folder(project.root, ".add-") as scratch:
            fresh = scratch / name
            _fill(fresh, project, name, watcher)
            _put(fresh, project.root / name, edit)
        added = load_project(project.root).package(name)
    if added is None:
        msg = f"{name} was taken out of {project.root / FILE} again meanwhile"
        raise ConflictError(msg, hint="Look into that file, and run the same command again.")
    return added


def _fill(folder: Path, project: Project, name: str, watcher: Watcher) -> None:
    """Make a new package's files in a folder that nobody looks at yet."""
    host = _host_target(watcher)
    requires = project.requires_python or f">={OLDEST[0]}.{OLDEST[1]}"
    targets = f'"{host}"' if host else ""
    text = template("package/pyproject", name=name, requires=requires.replace('"', "'"), targets=targets)
    filesystem.write_scratch(folder / FILE, text.encode())
    filesystem.write_scratch(folder / "src" / "main" / "__init__.py", b"")
    filesystem.write_scratch(folder / "src" / "test" / ".gitkeep", b"")
    if host:
        with filesystem.explained("make", folder):
            (folder / "build" / "crossenv" / host).mkdir(parents=True)


def _put(fresh: Path, place: Path, edit: Edit) -> None:
    """Put a new package in place and record it: both, or neither.

    The folder comes first: one that nobody lists does no harm, should we be killed between the two.
    """
    with Undo() as undo:
        undo.move(fresh, place)  # not onto a folder that somebody else made meanwhile: that one is not empty
        commit_edits([edit], undo)


def _host_target(watcher: Watcher) -> str | None:
    """Return the name of the host's target; None on a system that is no target."""
    from pypackpack.middleware.target import table  # noqa: PLC0415 - import cost

    try:
        return table.host_target().name
    except PyPackPackError as error:
        watcher.note(f"the package has no target yet: {error.message}")
        return None


def _record(document: TOMLDocument, name: str, watcher: Watcher) -> None:
    if extra := own_extra(document, name):
        reason = f'the project has an extra "{extra}", and installs from git take a package by its extra'
        msg = f'a package cannot be named "{name}": {reason}'
        raise NameTakenError(msg, hint="Choose another name, or rename the extra in [project.optional-dependencies].")
    append_word(table_at(document, "tool.pypackpack")["packages"], name)
    if problem := offer_extras(document):
        watcher.note(f'{problem}; `pip install "{name} @ git+<url>#subdirectory={name}"` works as it is')


def _strike(document: TOMLDocument, name: str) -> None:
    packages = table_at(document, "tool.pypackpack")["packages"]
    for number in reversed(range(len(packages))):
        if normalise(packages[number]) == normalise(name):
            del packages[number]


def removal(project: Project, name: str) -> Removal:
    """Say what removing a package would delete.

    Raises:
        UsageError: There is no such package, or another one depends on it.
    """
    package = _known(project, name)
    users = [other.name for other in project.packages if normalise(package.name) in map(normalise, other.local_dependencies)]
    if users:
        names = " and ".join(filter(None, [", ".join(users[:-1]), users[-1]]))
        msg = f"{package.name} cannot be removed: {names} {'depends' if len(users) == 1 else 'depend'} on it"
        raise UsageError(msg, hint=f"Take {package.name} out of the dependencies of {names} first.")
    files = _files(package.root)
    sources = tuple(path.relative_to(package.root).as_posix() for path in files if package.source in path.parents)
    sizes = {path: path.lstat().st_size for path in files}
    entries: dict[str, tuple[int, int]] = {}
    for path, size in sizes.items():
        top, folder, _ = path.relative_to(package.root).as_posix().partition("/")
        count, bytes_ = entries.get(top + folder, (0, 0))
        entries[top + folder] = (count + 1, bytes_ + size)
    listed = tuple((name, *each) for name, each in sorted(entries.items(), key=lambda item: (item[0].endswith("/"), item[0])))
    return Removal(package, len(files), sum(sizes.values()), sources, listed)


def _known(project: Project, name: str) -> Package:
    package = project.package(name)
    if package is not None:
        return package
    names = [other.name for other in project.packages]
    near = difflib.get_close_matches(name, names, n=1)
    msg = f'the project {project.name} has no package "{name}"'
    if near:
        hint = f'Did you mean "{near[0]}"?'
    else:
        hint = f"It has {', '.join(names)}." if names else "It has none yet; `pypackpack package add <name>` adds one."
    raise UsageError(msg, hint=hint)


def _files(folder: Path) -> list[Path]:
    """Return every file below a folder; a link counts as one and is not followed, as when it is removed."""
    if folder.is_symlink():
        return [folder]
    every = (Path(base) / name for base, folders, names in os.walk(folder) for name in (*names, *folders))
    return sorted(path for path in every if path.is_symlink() or not path.is_dir())


def remove_package(project: Project, name: str) -> Removal:
    """Take a package out of the project and delete its folder; returns what was deleted.

    Raises:
        UsageError: There is no such package, or another one depends on it.
        ConflictError: The project's pyproject.toml was changed meanwhile; nothing has been removed.
        FilesystemError: The folder cannot be removed; then it is still recorded, or the message names what is left of it.
    """
    with filesystem.lock(lock_file(project.root / FILE, "packages")):
        project = load_project(project.root)
        gone = removal(project, name)
        edit = plan_edit(project.root / FILE, lambda document: _strike(document, name))
        with _aside(project.root) as aside, Undo() as undo:
            commit_edits([edit], undo)  # recorded no more: whatever happens from here on, the project can be read
            undo.move(gone.package.root, aside / gone.package.root.name)
    return gone


@contextlib.contextmanager
def _aside(parent: Path) -> Iterator[Path]:
    """Make a folder for what is to go; unlike a scratch folder's, what cannot be deleted of it is said."""
    with filesystem.scratch_folder(parent, ".removed-") as folder:
        yield folder
        try:
            filesystem.remove_tree(folder)
        except FilesystemError as error:
            hint = f"The package is out of the project; delete {folder} by hand."
            raise FilesystemError(error.message, hint=hint) from error
