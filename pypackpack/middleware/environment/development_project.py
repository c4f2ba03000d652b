"""The project that uv works on for the development environment: made from a person's pyproject.toml and their packages.

It lies in ``.venv/.pypackpack``. The packages are in it as projects without a build backend, which uv resolves like everything
else and never builds; so one resolution has all there is, and the tree shows what needs what. A path that is relative to the
person's project has another form there, and gets its own back in what is taken out again.
"""

from __future__ import annotations

import posixpath
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pypackpack.backend import filesystem
from pypackpack.middleware.environment.lock import target_marker
from pypackpack.middleware.project import paths
from pypackpack.middleware.project.foreign import workspace_members
from pypackpack.middleware.project.read import FILE
from pypackpack.middleware.project.toml import read_toml
from pypackpack.model.errors import PyPackPackError
from pypackpack.model.interpreter import OLDEST
from pypackpack.model.names import is_distribution_name, normalise

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import Target

FOLDER = ".pypackpack"
"""Where it lies in ``.venv``: two folders below the project."""
VERSION = "0"
"""The version of what uv works on: not the project's own, so that the lock does not change with it."""

_UP = "../../"
_TARGET_GROUP = "pypackpack-"
_DESKTOP = ("linux", "windows", "macos")
NO_HOST = "sys_platform != 'android' and sys_platform != 'emscripten' and sys_platform != 'ios'"
"""Where nobody develops: what is only for these need not be resolved."""

# What is ours to say in the project that uv works on.
_OURS = frozenset({"environments", "managed", "package", "pip", "required-environments", "workspace"})


def work_folder(project: Project) -> Path:
    """Return the folder that uv works in, whether or not it is there."""
    return project.venv / FOLDER


@dataclass(frozen=True)
class WorkProject:
    """What uv works on.

    Attributes:
        content: Its ``pyproject.toml``.
        packages: Name of a package's folder → the ``pyproject.toml`` that stands for it.
        groups: Dependency groups that are ours and belong to this host.
        indexes: Indexes that are folders and that a person names by a relative path: absolute path → path from the project.
    """

    content: dict[str, Any]
    packages: Mapping[str, dict[str, Any]]
    groups: tuple[str, ...]
    indexes: Mapping[str, str]

    def texts(self) -> dict[str, str]:
        """Return its files: path below its folder → content."""
        import tomlkit  # noqa: PLC0415 - import cost

        return {
            FILE: tomlkit.dumps(self.content),
            **{f"{folder}/{FILE}": tomlkit.dumps(content) for folder, content in self.packages.items()},
        }


def work_project(project: Project, content: Mapping[str, Any] | None = None) -> WorkProject:
    """Return what uv works on for a project.

    Args:
        project: The project.
        content: Its pyproject.toml; None reads it.

    Raises:
        SettingsError: A pyproject.toml is broken.
    """
    root = read_toml(project.root / FILE) if content is None else dict(content)
    own = _table(root, "project")
    folders = {normalise(package.name): package.root.name for package in project.packages}
    places = _Places(project.root)
    stubs = {folder: _stub(package, folders, places) for package, folder in zip(project.packages, folders.values(), strict=True)}
    uv = {key: value for key, value in _table(root, "tool", "uv").items() if key not in _OURS}
    uv = _without_workspace(uv, root, project.root)
    uv = paths.moved(uv, inward, places.of(project.root))
    sources = {name: value for name, value in _table(uv, "sources").items() if normalise(name) not in folders}
    uv["sources"] = {**sources, **{name: {"path": folder, "package": False} for name, folder in folders.items()}}
    indexes = [*_list(uv, "index"), *_package_indexes(project, stubs, _list(uv, "index"))]
    if indexes:
        uv["index"] = indexes
    uv.update({"package": False, "workspace": {"members": []}, "environments": [NO_HOST]})
    groups = dict(_table(root, "dependency-groups"))
    ours, own_sources = _own_groups(project)
    groups.update({name: lines for name, (lines, _) in ours.items()})
    uv["sources"] = {**own_sources, **uv["sources"]}
    if len(ours) > 1:
        uv["conflicts"] = [*_list(uv, "conflicts"), [{"group": name} for name in ours]]
    name = own.get("name")
    made: dict[str, Any] = {
        "name": name if isinstance(name, str) else _name_of(project),
        "version": VERSION,
        "requires-python": project.requires_python or f">={OLDEST[0]}.{OLDEST[1]}",
        "dependencies": [*_list(own, "dependencies"), *folders],
        # One extra for each package is how it is installed from git; here the package itself is there.
        "optional-dependencies": {
            extra: lines for extra, lines in _table(own, "optional-dependencies").items() if normalise(extra) not in folders
        },
    }
    whole = {"project": made, "dependency-groups": groups, "tool": {"uv": uv}}
    return WorkProject(whole, stubs, tuple(name for name, (_, here) in ours.items() if here), places.seen)


def _without_workspace(uv: dict[str, Any], content: Mapping[str, Any], root: Path) -> dict[str, Any]:
    """Return uv's settings with the folders of a uv workspace in the place of ``{ workspace = true }``.

    What uv works on is no workspace; a project that was one before it was adopted keeps its members as folders.
    """
    sources = _table(uv, "sources")
    if not any(_table({"": said}, "").get("workspace") for said in sources.values()):
        return uv
    found = workspace_members(root, content)
    changed = {
        name: {"path": found[normalise(name)].relative_to(root).as_posix(), "editable": True}
        for name, said in sources.items()
        if _table({"": said}, "").get("workspace") and normalise(name) in found
    }
    return {**uv, "sources": {**sources, **changed}}


class _Places:
    """Indexes that are folders. uv takes a relative one from where it is started, which is where the person stands."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.seen: dict[str, str] = {}

    def of(self, folder: Path) -> Callable[[str], str]:
        """Return what makes a path that is relative to a folder absolute, and remembers it."""

        def absolute(path: str) -> str:
            if not paths.is_relative(path):
                return path
            whole = posixpath.normpath(posixpath.join(folder.as_posix(), paths.slashes(path)))
            self.seen[whole] = posixpath.relpath(whole, self._root.as_posix())
            return whole

        return absolute


def needs_nothing(project: Project) -> bool:
    """Tell whether neither a project nor one of its packages depends on anything but packages of the project.

    Raises:
        SettingsError: A pyproject.toml is broken.
    """
    work = work_project(project)
    local = {normalise(package.name) for package in project.packages}
    tables = [work.content["project"], *(stub["project"] for stub in work.packages.values())]
    extras = [lines for table in tables for lines in _table(table, "optional-dependencies").values()]
    lists = [*(_list(table, "dependencies") for table in tables), *extras, *work.content["dependency-groups"].values()]
    return all(isinstance(line, str) and _bare_name(line) in local for lines in lists for line in lines)


def _bare_name(text: str) -> str:
    found = re.fullmatch(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*", text)
    return normalise(found[1]) if found else ""


def _name_of(project: Project) -> str:
    return project.name if is_distribution_name(project.name) else "project"


def _table(content: Any, *words: str) -> dict[str, Any]:  # noqa: ANN401 - a TOML value
    here = content
    for word in words:
        here = here.get(word) if isinstance(here, dict) else None
    return here if isinstance(here, dict) else {}


def _list(content: Mapping[str, Any], word: str) -> list[Any]:
    found = content.get(word)
    return found if isinstance(found, list) else []


def _stub(package: Package, folders: Mapping[str, str], places: _Places) -> dict[str, Any]:
    """Return the pyproject.toml that stands for a package: its dependencies, and where they come from."""
    content = read_toml(package.root / FILE)
    # Relative to the package: from its stand-in one more folder up, and into the real one.
    up = f"../{_UP}{package.root.name}"

    def deeper(path: str) -> str:
        return path if not paths.is_relative(path) else posixpath.normpath(f"{up}/{paths.slashes(path)}")

    named: dict[str, list[dict[str, str]]] = {}

    def lines(texts: Iterable[str]) -> list[str]:
        # A path in the line itself is only known to us: for uv it stands among the sources.
        plain, more = paths.sources_of((_by_name(text, folders) for text in texts), up)
        for name, entries in more.items():
            named[name] = [*named.get(name, []), *(entry for entry in entries if entry not in named.get(name, []))]
        return plain

    uv = paths.moved(_table(content, "tool", "uv"), deeper, places.of(package.root))
    sources = {name: value for name, value in _table(uv, "sources").items() if normalise(name) not in folders}
    extras = {extra: lines(texts) for extra, texts in _table(content, "project", "optional-dependencies").items()}
    dependencies = lines(package.dependencies)
    return {
        "project": {
            "name": package.name,
            "version": package.version,
            "dependencies": dependencies,
            **({"optional-dependencies": extras} if extras else {}),
        },
        "tool": {
            "uv": {
                "package": False,
                "sources": {
                    **sources,
                    **named,
                    **{name: {"path": f"../{other}", "package": False} for name, other in folders.items()},
                },
                **({"index": _list(uv, "index")} if _list(uv, "index") else {}),
            }
        },
    }


def _by_name(text: str, folders: Mapping[str, str]) -> str:
    """Return a dependency on another package of the project by its name alone; every other one as it is."""
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - import cost

    if "@" not in text:
        return text
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return text
    if requirement.url is None or normalise(requirement.name) not in folders:
        return text
    requirement.url = None
    return str(requirement)


def _package_indexes(project: Project, stubs: Mapping[str, dict[str, Any]], there: list[Any]) -> list[Any]:
    """Return the indexes that only packages name, as the project's own."""
    known = {repr(entry.get("name") or entry.get("url")) for entry in there if isinstance(entry, dict)}
    found = []
    for package in project.packages:
        for entry in _list(stubs[package.root.name]["tool"]["uv"], "index"):
            key = repr(entry.get("name") or entry.get("url"))
            if key not in known:
                known.add(key)
                found.append(entry)
    return found


def _own_groups(project: Project) -> tuple[dict[str, tuple[list[str], bool]], dict[str, list[dict[str, str]]]]:
    """Return the dependencies of single targets as groups: name → lines, and whether they are this host's; and their sources.

    Those of all hosts are there, so that the lock is the same for everybody; each installs its own.
    """
    from packaging.requirements import Requirement  # noqa: PLC0415 - import cost

    from pypackpack.middleware.target import table  # noqa: PLC0415 - import cost

    try:
        host: Target | None = table.host_target()
    except PyPackPackError:
        host = None
    found: dict[str, tuple[dict[str, None], bool]] = {}
    sources: dict[str, list[dict[str, str]]] = {}
    for package in project.packages:
        for target in package.targets:
            if target.family not in _DESKTOP:
                continue
            for text in package.target_dependencies.get(target.name, ()):
                requirement = Requirement(text)
                old = f"({requirement.marker}) and " if requirement.marker else ""
                requirement.marker = None
                lines, _ = found.setdefault(
                    f"{_TARGET_GROUP}{normalise(target.name)}", ({}, host is not None and host.row == target.row)
                )
                line = f"{requirement} ; {old}{target_marker(target)}"
                (plain,), more = paths.sources_of([line], f"{_UP}{package.root.name}")
                lines[plain] = None
                for name, entries in more.items():
                    sources.setdefault(name, []).extend(entries)
    return {name: (list(lines), here) for name, (lines, here) in sorted(found.items())}, sources


# Paths ------------------------------------------------------------------------------------------------------------------------


def inward(path: str) -> str:
    """Return a path that is relative to the project as it has to stand in what uv works on."""
    return posixpath.normpath(_UP + paths.slashes(path)) if paths.is_relative(path) else path


def outward(path: str) -> str:
    """Return a path that uv wrote in its folder as it has to stand in the project; the inverse of `inward`."""
    if not paths.is_relative(path):
        return path
    path = paths.slashes(path)
    return path[len(_UP) :] if path.startswith(_UP) else posixpath.normpath(f".venv/{FOLDER}/{path}")


def settings_text(settings: Mapping[str, Any], root: Path) -> str:
    """Return the ``uv.toml`` of a project as it has to stand where uv works."""
    import tomlkit  # noqa: PLC0415 - import cost

    return tomlkit.dumps(paths.moved(settings, inward, _Places(root).of(root)))


# The lock ---------------------------------------------------------------------------------------------------------------------

_PLACE = re.compile(r'(?<=[{ ])(?P<key>editable|directory|path|virtual) = "(?P<path>[^"\\]*)"')


def lock_outward(text: str, work: WorkProject) -> str:
    """Return uv's lock with its paths relative to the project."""
    return _lock_moved(text, work, outward, work.indexes)


def lock_inward(text: str, work: WorkProject) -> str:
    """Return a project's lock as uv has to find it; the inverse of `lock_outward`."""
    return _lock_moved(text, work, inward, {relative: whole for whole, relative in work.indexes.items()})


def _lock_moved(text: str, work: WorkProject, move: Callable[[str], str], indexes: Mapping[str, str]) -> str:
    """Return a lock with paths and indexes in the form that the other side has; the project's own packages stay."""
    inside = {".", *work.packages}

    def moved(found: re.Match[str]) -> str:
        path = found["path"]
        return f'{found["key"]} = "{move(path) if paths.is_relative(path) and path not in inside else path}"'

    # Paths stand in the source of a package and in requirements. What stands in the lists of wheels belongs to an index.
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if line.startswith("source = {") or "{ name = " in line:
            lines[number] = _PLACE.sub(moved, line)
    text = "\n".join(lines)
    for before, after in indexes.items():
        text = re.sub(rf'(?<=[{{ ])(registry|path|index) = "{re.escape(before)}(?=["/])', rf'\1 = "{after}', text)
    return text


def lock_is_sound(text: str) -> bool:
    """Tell whether a lock can be read as TOML."""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def write_work_project(folder: Path, work: WorkProject, lock: str | None) -> None:
    """Write what uv works on, in the place of what was there; ``lock`` is the project's, in its own form."""
    filesystem.remove_tree(folder)
    for place, text in work.texts().items():
        filesystem.fill_file(folder / place, text.encode())
    if lock is not None:
        filesystem.fill_file(folder / "uv.lock", lock_inward(lock, work).encode())
