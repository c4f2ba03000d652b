"""``python use``: another Python for a project.

Scripts in ``.venv`` hold its path, so the new one has to be made in its place. The old one is set aside meanwhile, and comes back
if anything goes wrong.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.backend.tools import uv, venv
from pypackpack.backend.undo import Undo
from pypackpack.middleware.environment.development import ASIDE, LOCK, working
from pypackpack.middleware.project.edit import Edit, commit_edits, plan_edit, table_at
from pypackpack.middleware.project.read import FILE, load_project
from pypackpack.middleware.python import choose
from pypackpack.model.errors import PyPackPackError, UsageError
from pypackpack.model.python import PythonChange

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tomlkit import TOMLDocument

    from pypackpack.model.build import Watcher
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.project import Project


def use(project: Project, word: str, watcher: Watcher, *, uv_options: Sequence[str] = (), offline: bool = False) -> PythonChange:
    """Make ``.venv`` anew with another Python, and empty the ``build`` folder of every package.

    ``.python-version`` and, where it excludes the new Python, ``requires-python`` are brought along: the project's, and those of
    packages that say the same.

    Args:
        project: The project.
        word: A version, ``3.13`` or ``3.13.1``.
        watcher: Gets notes.
        uv_options: Options for ``uv python install``, should it have to be fetched.
        offline: Never touch the network.

    Raises:
        UsageError: It is no version, or packages are not built for it.
        MissingToolError: It is not here and cannot be fetched.
        PyPackPackError: The dependencies cannot be had for it. Everything is as before then.
    """
    choose.check_version(word)
    python = choose.accepted(_python(word, uv_options, offline=offline, watcher=watcher))
    with working(project, watcher) as work:
        work.recover()
        edits = _edits(project, python)
        before = venv.version(project.venv) if venv.works(project.venv) else None
        with _set_aside(project) as undo:
            changed = _write(undo, project, word, edits)
            work.make_venv(python)
            work.project = load_project(project.root)
            synced = work.sync(offline=offline)
        cleared = tuple(package.name for package in project.packages if _clear(package.build_folder, watcher))
        if cleared:  # what type checkers follow lies there too
            work.place_packages()
            work.write_stamp()
            work.build_extensions(offline=offline)
        stale = tuple(package.name for package in project.packages if (package.root / LOCK).is_file())
        return PythonChange(python, before, changed, cleared, synced, stale)


def _python(word: str, options: Sequence[str], *, offline: bool, watcher: Watcher) -> Interpreter:
    if options:
        uv.install_python(word, options=options, offline=offline, watcher=watcher)
        return uv.find_python(word, offline=True)
    return choose.preferred(word, uv.find_python(word, offline=offline, watcher=watcher), watcher)


@contextlib.contextmanager
def _set_aside(project: Project) -> Iterator[Undo]:
    """Set ``.venv`` aside, put it back if the block fails, and remove it if it does not."""
    place, aside = project.venv, project.root / ASIDE
    with Undo("`pypackpack sync` puts .venv right.") as undo:
        if os.path.lexists(place):
            undo.move(place, aside)
        undo.made(place)
        yield undo
    with contextlib.suppress(PyPackPackError):  # on Windows an editor may still hold a file: it goes the next time
        filesystem.remove_tree(aside)


def _write(undo: Undo, project: Project, word: str, edits: Sequence[Edit]) -> tuple[str, ...]:
    """Write the files that say which Python it is, and return their names; with the lock they are put back by ``undo``."""
    changed = [edit.path.relative_to(project.root).as_posix() for edit in edits if edit.changes]
    undo.file(project.root / LOCK)
    version = project.root / choose.VERSION_FILE
    if choose.pinned_version(project.root) != word:
        undo.write(version, f"{word}\n".encode())
        changed.insert(0, choose.VERSION_FILE)
    commit_edits(edits, undo)
    return tuple(changed)


def _edits(project: Project, python: Interpreter) -> list[Edit]:
    """Plan the changes of ``requires-python`` that let the new Python in."""
    said = project.requires_python
    if not said or _lets_in(said, python):
        return []
    series = f"{python.version[0]}.{python.version[1]}"
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - import cost

    if any(piece.operator not in {">=", ">"} for piece in SpecifierSet(said)):
        msg = f'Python {series} is excluded by requires-python = "{said}" of {project.root / FILE}'
        raise UsageError(msg, hint="Change it first: only a plain lower bound (>=3.12) is changed along.")

    def change(document: TOMLDocument) -> None:
        table_at(document, "project")["requires-python"] = f">={series}"

    same = [package.root for package in project.packages if package.requires_python == said]
    return [plan_edit(folder / FILE, change) for folder in (project.root, *same)]


def _lets_in(specifiers: str, python: Interpreter) -> bool:
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - import cost

    return SpecifierSet(specifiers).contains(".".join(map(str, python.version)), prereleases=True)


def _clear(folder: Path, watcher: Watcher) -> bool:
    """Remove a package's build folder; what was made for another Python helps nobody."""
    if not os.path.lexists(folder):
        return False
    try:
        filesystem.remove_tree(folder)
    except PyPackPackError as error:
        watcher.note(error.message)
        return False
    return True
