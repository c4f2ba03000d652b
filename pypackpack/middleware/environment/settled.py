"""The short way of `sync` when there is nothing to do: a note of what everything looked like when all was as it should be.

``build/crossenv/settled`` of a package names every file that its environments depend on, with size and time, and every
environment with the state of its folder. As long as all of them look the same, nothing has to be read, asked or imported.

The reading half imports nothing but light modules.
"""

from __future__ import annotations

import os

from pypackpack import __version__
from pypackpack.backend.treestate import file_state, nearest_with, tree_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pypackpack.model.environment import TargetEnvironment
    from pypackpack.model.project import Package, Project

FILE = "settled"
_HEAD = f"settled 2 {__version__}"
_MARK = os.path.join("build", "crossenv", FILE)


def nothing_to_do(start: str, name: str) -> list[tuple[str, str, str, str]] | None:
    """Return a package's environments if all are as they should be; None when that is not certain.

    Each is (package, target, Python, number of distributions).

    Args:
        start: The folder that the person stands in.
        name: The package's folder.
    """
    try:
        root = nearest_with(os.path.realpath(start), os.path.join(name, _MARK))
        return None if root is None else _checked(root, name)
    except (OSError, ValueError):
        return None


def _checked(root: str, name: str) -> list[tuple[str, str, str, str]] | None:
    with open(os.path.join(root, name, _MARK), encoding="utf-8") as stream:
        head, *lines = stream.read().split("\n")
    if head != _HEAD:
        return None
    found = []
    for line in lines:
        kind, state, path, *facts = line.split("\t")
        place = os.path.join(root, path)
        if (file_state(place) if kind == "file" else tree_state(place)) != state:
            return None
        if kind != "file":
            package, target, python, count = facts
            found.append((package, target, python, count))
    return found


def remember(project: Project, package: Package, environments: Sequence[TargetEnvironment]) -> None:
    """Note that all environments of a package are as they should be.

    The settings are read once more after their states were taken: had somebody changed them meanwhile, the note would hold for
    what was never looked at. Nothing is noted where the Python is uv's own choice, which may change without any file changing.

    Args:
        project: The project.
        package: The package.
        environments: All of its environments, just synced.
    """
    from pypackpack.backend import filesystem  # noqa: PLC0415 - not for the reading half
    from pypackpack.middleware.environment import lock as locks  # noqa: PLC0415 - not for the reading half
    from pypackpack.middleware.environment import path_sources  # noqa: PLC0415 - not for the reading half
    from pypackpack.middleware.environment.place import crossenv_folder, read_stamp  # noqa: PLC0415 - not for the reading half
    from pypackpack.middleware.project.read import load_project  # noqa: PLC0415 - not for the reading half
    from pypackpack.model.errors import PyPackPackError  # noqa: PLC0415 - not for the reading half

    root = os.fspath(project.root)
    if path_sources.source_folders(project, package):
        return  # their files are none that the reading half looks at; an older note holds no more, as the settings changed
    if package.root.parent != project.root or not _python_is_settled(project, package):
        return
    files = [os.path.join(root, *words) for words in (("pyproject.toml",), (".python-version",), (".venv", "pyvenv.cfg"))]
    files += [os.path.join(each.root, "pyproject.toml") for each in project.packages]
    files += [os.path.join(package.root, locks.FILE)]
    for each in environments:
        folder = crossenv_folder(package) / each.target
        files += [os.path.join(folder, "pylock.toml"), os.path.join(folder, f"sync-{each.python[0]}.{each.python[1]}.json")]
    states = {path: file_state(path) for path in dict.fromkeys(files)}
    try:
        now = load_project(project.root)
        again = now.package(package.name)
        lock = locks.read_lock(package.root / locks.FILE)
        if again != package or lock is None or lock.made_from != locks.made_from(locks.needs_of(now, again)):
            return
        lines = [f"file\t{state}\t{os.path.relpath(path, root)}" for path, state in states.items()]
        for each in environments:
            site, python = os.fspath(each.site_packages), f"{each.python[0]}.{each.python[1]}"
            stamp = read_stamp(crossenv_folder(package) / each.target / f"sync-{python}.json")
            if stamp is None:
                return
            facts = (
                "tree",
                stamp.listing,
                os.path.relpath(site, root),
                package.name,
                each.target,
                python,
                len(each.installed),
            )
            lines.append("\t".join(map(str, facts)))
        content = "\n".join([_HEAD, *lines])
        place = crossenv_folder(package) / FILE
        if not place.is_file() or place.read_bytes() != content.encode():
            filesystem.write_atomic(place, content, durable=False)
    except (OSError, PyPackPackError):
        return  # it only saves time


def _python_is_settled(project: Project, package: Package) -> bool:
    """Tell whether files of the project alone say which Python is meant."""
    if package.pythons or (project.venv / "pyvenv.cfg").is_file():
        return True
    from pypackpack.middleware.python.choose import pinned_version  # noqa: PLC0415 - not for the reading half

    numbers = (pinned_version(project.root) or "").split(".")
    return len(numbers) > 1 and all(number.isdigit() for number in numbers)  # `3` or `>=3.11` may mean another one tomorrow
