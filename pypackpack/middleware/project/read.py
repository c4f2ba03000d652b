"""Finds and reads a project: once, into frozen values, with everything that is wrong in one error."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pypackpack
from pypackpack.backend import filesystem
from pypackpack.middleware.project.finish import cache_folder_problem, finished_cache, finished_package, ours, target_problems
from pypackpack.middleware.project.toml import decode, parse, read_toml
from pypackpack.model.errors import FilesystemError, NoProjectError, SettingsError
from pypackpack.model.names import is_distribution_name, normalise
from pypackpack.model.project import Project

if TYPE_CHECKING:
    from pypackpack.model.project import Package

FILE = "pyproject.toml"
CHECKED = "settings-v1"
"""Folder in the user's cache: an empty file for each content that the schema found nothing wrong in."""


def find_project(start: Path) -> Project:
    """Read the project that ``start`` lies in: the nearest folder whose pyproject.toml lists packages.

    Raises:
        NoProjectError: There is none.
        SettingsError: Its settings are wrong, or those of one of its packages.
        FilesystemError: A pyproject.toml on the way cannot be read.
    """
    return load_project(find_root(start))


def find_root(start: Path) -> Path:
    """Return the root of the project that ``start`` lies in (same errors as `find_project`)."""
    here = start.resolve()
    if not here.is_dir():
        msg = f"there is no folder {start}"
        raise NoProjectError(msg, hint="Name the folder of a project, or one inside it.")
    lonely: Path | None = None
    foreign: Path | None = None
    for folder in (here, *here.parents):
        path = folder / FILE
        if not path.is_file():
            continue
        content = read_toml(path)
        if "packages" in ours(content):
            return folder
        tool = content.get("tool")
        if isinstance(tool, dict) and "pypackpack" in tool:
            lonely = lonely or path
        else:
            foreign = foreign or path
    if lonely is not None:
        msg = f"{lonely} has [tool.pypackpack] without `packages`, and no folder above it is a project"
        raise NoProjectError(msg, hint="A project's pyproject.toml lists its packages: add `packages = []` there to make it one.")
    msg = f"there is no PyPackPack project in {start} or above it"
    if foreign is not None:
        hint = f"`pypackpack init --adopt` makes {foreign.parent} one and leaves the rest as it is."
    else:
        hint = "`pypackpack init` makes one here; `--project DIR` names another folder."
    raise NoProjectError(msg, hint=hint)


def load_project(root: Path) -> Project:
    """Read the project whose folder is ``root``.

    Raises:
        NoProjectError: There is no pyproject.toml with our table.
        SettingsError: Broken TOML (file, line, column), or wrong settings: all of them, in all files, one per line of
            ``details``.
        FilesystemError: A file cannot be read.
    """
    root = root.resolve()
    path = root / FILE
    if not path.is_file():
        msg = f"there is no PyPackPack project in {root}"
        raise NoProjectError(msg, hint="`pypackpack init` makes one.")
    problems: list[str] = []
    content = _checked(path, FILE, "root", problems)
    contents: dict[str, dict[str, Any]] = {}
    taken: dict[str, str] = {}
    for number, folder in _folders(content):
        key = f"{FILE}: tool.pypackpack.packages[{number}]"
        if (other := taken.setdefault(normalise(folder), folder)) != folder or folder in contents:
            problems.append(f'{key}: "{folder}" is the same name as "{other}"')
        elif not (root / folder / FILE).is_file():
            problems.append(f'{key}: there is no {folder}/{FILE}; bring it back, or take "{folder}" out of the list')
        else:
            contents[folder] = _checked(root / folder / FILE, f"{folder}/{FILE}", "package", problems, name=folder)
    if problem := cache_folder_problem(root, ours(content).get("cache")):
        problems.append(f"{FILE}: tool.pypackpack.cache.folder: {problem}")
    if problems:
        raise _wrong(root, problems)
    names = tuple(taken)
    project = content.get("project", {})
    return Project(
        name=project.get("name", root.name),
        root=root,
        packages=tuple(finished_package(root / folder, contents[folder], names) for folder in contents),
        requires_python=project.get("requires-python", ""),
        repository=ours(content).get("repository") or "",
        cache=finished_cache(root, ours(content).get("cache", {})),
    )


def load_alone(folder: Path) -> Project:
    """Read a package that stands alone, as an unpacked sdist does, as a project of one.

    Raises:
        SettingsError: As for `load_project`.
        FilesystemError: The file cannot be read.
    """
    folder = folder.resolve()
    project = read_toml(folder / FILE).get("project")
    name = project.get("name") if isinstance(project, dict) else None
    problems: list[str] = []
    content = _checked(folder / FILE, FILE, "package", problems, name=name if isinstance(name, str) else "")
    if problems:
        raise _wrong(folder, problems)
    package = finished_package(folder, content, ())
    return Project(name=package.name, root=folder, packages=(package,), requires_python=package.requires_python)


def current_package(project: Project, cwd: Path) -> Package | None:
    """Return the package that ``cwd`` lies in, or None."""
    here = cwd.resolve()
    return next((package for package in project.packages if here == package.root or package.root in here.parents), None)


def _folders(content: dict[str, Any]) -> list[tuple[int, str]]:
    """Return the recorded packages and their places in the list, without what is wrong and was already said."""
    folders = ours(content).get("packages")
    if not isinstance(folders, list):
        return []
    return [(number, word) for number, word in enumerate(folders) if isinstance(word, str) and is_distribution_name(word)]


def _checked(path: Path, shown: str, kind: str, problems: list[str], name: str = "") -> dict[str, Any]:
    """Read a file and add what is wrong in it to ``problems``."""
    data = filesystem.read_bytes(path)
    content = parse(decode(data, path), path)
    found = _schema_problems(data, content, kind)
    if kind == "package":
        found += target_problems(content)
        project = content.get("project")
        said = project.get("name") if isinstance(project, dict) else None
        if isinstance(said, str) and is_distribution_name(said) and normalise(said) != normalise(name):
            found.append(f'project.name: expected the name of the folder, "{name}", found "{said}"')
    problems.extend(f"{shown}: {problem}" for problem in found)
    return content


def _schema_problems(data: bytes, content: dict[str, Any], kind: str) -> list[str]:
    """Ask the schema, unless it found nothing wrong in the same bytes before: it costs more than all the rest here."""
    home = Path(__file__).parent
    code = [(home / file).stat() for file in ("check.py", "settings.py")]
    states = "\0".join(f"{state.st_size} {state.st_mtime_ns}" for state in code)
    key = filesystem.sha256_bytes(f"{pypackpack.__version__}\0{states}\0{kind}\0".encode() + data)
    mark = filesystem.cache_folder() / CHECKED / key
    if os.path.exists(mark):  # noqa: PTH110 - unlike Path.exists, False where we may not look
        return []
    from pypackpack.middleware.project import check  # noqa: PLC0415 - import cost of pydantic

    problems = check.root_problems(content) if kind == "root" else check.package_problems(content)
    if not problems:
        try:
            filesystem.write_atomic(mark, b"")
        except FilesystemError:
            return []  # the cache only saves time
    return problems


def _wrong(root: Path, problems: list[str]) -> SettingsError:
    count = "1 setting is" if len(problems) == 1 else f"{len(problems)} settings are"
    msg = f"{count} wrong in the project {root}"
    hint = "Mend the keys named here; the settings reference in the documentation has them all."
    return SettingsError(msg, hint=hint, details="\n".join(problems))
