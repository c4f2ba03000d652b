"""From what a pyproject.toml says, already checked, to finished values: nobody after this asks for a default again.

Works on the plain content of the file, so that reading a project that was checked before costs no schema.
"""

from __future__ import annotations

import functools
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pypackpack.middleware.project.words import dotted
from pypackpack.model.cache import CacheSettings, RemoteSettings, parse_size
from pypackpack.model.errors import UnknownTargetError
from pypackpack.model.names import import_name, normalise
from pypackpack.model.project import (
    BuildSettings,
    BundleSettings,
    ExtensionSettings,
    HookSettings,
    Minify,
    NativePattern,
    Package,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pypackpack.model.target import Target

_PLAIN = ("compiler", "abi", "unit", "strict")
_PATTERNS = ("native", "abi3", "mypyc")
_LISTS = ("include-packages", "ship-sources")
_REQUIREMENT_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


def ours(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``[tool.pypackpack]``, or an empty table where there is none or something else stands there."""
    tool = content.get("tool")
    table = tool.get("pypackpack") if isinstance(tool, dict) else None
    return table if isinstance(table, dict) else {}


def target_problems(content: Mapping[str, Any]) -> list[str]:
    """Return every target name in a package's settings that is none; wrong types are somebody else's to report."""
    table = ours(content)
    found: list[str] = []
    first: dict[str, int] = {}
    named = table.get("targets")
    for number, word in enumerate(named if isinstance(named, list) else []):
        if not isinstance(word, str):
            continue
        key = dotted(("tool", "pypackpack", "targets", number))
        meaning = _find(word)
        if isinstance(meaning, UnknownTargetError):
            found.append(f"{key}: {_expected('a target', word, meaning)}")
        elif first.setdefault(meaning.name, number) != number:
            found.append(f'{key}: "{word}" is the same target as targets[{first[meaning.name]}] ({meaning.name})')
    build = table.get("build")
    for place, tables in (
        (("build", "target"), build.get("target") if isinstance(build, dict) else None),
        (("target",), table.get("target")),
    ):
        said: dict[str, str] = {}
        for word in tables if isinstance(tables, dict) else ():
            key = dotted(("tool", "pypackpack", *place, word))
            target: Target | UnknownTargetError | None = None if word in _families() else _find(word)
            if isinstance(target, UnknownTargetError):
                found.append(f"{key}: {_expected('a target or a family', word, target)}")
                continue
            meant = word if target is None else target.name
            if said.setdefault(meant, word) != word:
                found.append(f'{key}: "{word}" and "{said[meant]}" are the same target ({meant})')
    return found


def _expected(what: str, word: str, error: UnknownTargetError) -> str:
    """Put the table's own advice, which knows versions and aliases, into one line."""
    return f'expected the name of {what}, found "{word}"; {error.hint[:1].lower()}{error.hint[1:].rstrip(".")}'


def _find(word: str) -> Target | UnknownTargetError:
    from pypackpack.middleware.target import table  # noqa: PLC0415 - import cost, only where targets are named

    try:
        return table.find(word)
    except UnknownTargetError as error:
        return error


def _families() -> tuple[str, ...]:
    from pypackpack.middleware.target import table  # noqa: PLC0415 - see _find

    return table.families()


def _layers(tables: Mapping[str, Any], target: Target) -> list[Any]:
    """Return the tables about a target, the more special ones later: its family's, its name's without version, its own."""
    layers: dict[str, Any] = {}
    for word, table in tables.items():
        found = word if word in _families() else _find(word)
        if not isinstance(found, UnknownTargetError):
            layers[found if isinstance(found, str) else found.name] = table
    return [layers[name] for name in dict.fromkeys((target.family, target.row, target.name)) if name in layers]


def finished_cache(root: Path, table: Mapping[str, Any]) -> CacheSettings:
    """Return the finished ``[tool.pypackpack.cache]`` of a project, from its checked table."""
    settings = CacheSettings()
    if "folder" in table:
        settings = replace(settings, folder=root / os.path.expanduser(table["folder"]))  # noqa: PTH111 - the other one raises
    if "size" in table:
        settings = replace(settings, size=parse_size(table["size"]))
    if "remote" in table:
        said = dict(table["remote"])
        said["url"] = said["url"].rstrip("/")
        said["timeout"] = float(said.get("timeout", RemoteSettings.timeout))
        said["trust"] = tuple(said.get("trust", ()))
        settings = replace(settings, remote=RemoteSettings(**said))
    return settings


def cache_folder_problem(root: Path, table: object) -> str:
    """Say what is wrong with the folder that ``[tool.pypackpack.cache]`` names; empty when nothing is.

    Whoever writes into a cache decides what a build takes from it, and we remove files there: so it must be no place that comes
    with a clone. A wrong type is somebody else's to report.

    Args:
        root: The project's folder.
        table: The table, as it was read.
    """
    said = table.get("folder") if isinstance(table, dict) else None
    if not isinstance(said, str) or not said or "\0" in said:
        return ""
    folder = Path(os.path.expanduser(said))  # noqa: PTH111 - the other one raises
    if not folder.root:
        return f'"{said}" depends on where the project lies; give an absolute path, or one that begins with `~`'
    root, folder = Path(os.path.realpath(root)), Path(os.path.realpath(root / folder))
    home = Path(os.path.realpath(os.path.expanduser("~")))  # noqa: PTH111 - as above
    # A home may be a repository too; nobody else's clone is one.
    clones = [place for place in root.parents if place not in (home, *home.parents) and os.path.lexists(place / ".git")]
    for fence in (root, *clones):
        if any(place == fence or _is_same(place, fence) for place in (folder, *folder.parents)):
            return f'"{said}" lies inside {fence}; the cache must not lie where files come with a clone: name a folder elsewhere'
    return ""


def _is_same(one: Path, other: Path) -> bool:
    """Tell whether two paths are one folder: on many systems a path may be written in several ways."""
    try:
        return one.samefile(other)
    except OSError:
        return False


def finished_package(root: Path, content: Mapping[str, Any], siblings: Iterable[str]) -> Package:
    """Return the package of a checked pyproject.toml.

    Args:
        root: The package's folder.
        content: The whole file, without problems.
        siblings: Normalised names of all packages of the project.
    """
    project, table = content["project"], ours(content)
    targets = tuple(found for word in table.get("targets", ()) if not isinstance(found := _find(word), Exception))
    dependencies = tuple(project.get("dependencies", ()))
    target_dependencies = _target_dependencies(table.get("target", {}), targets)
    name = project["name"]
    needed = {
        normalise(match[1])
        for text in (*dependencies, *(text for texts in target_dependencies.values() for text in texts))
        if (match := _REQUIREMENT_NAME.match(text))
    }
    return Package(
        name=name,
        import_name=import_name(name),
        root=root,
        version=project["version"],
        targets=targets,
        pythons=tuple((3, int(word[2:])) for word in table.get("python", ())),
        dependencies=dependencies,
        target_dependencies=target_dependencies,
        build=_build(table.get("build", {}), targets),
        bundle=_bundle(table.get("bundle", {})),
        local_dependencies=tuple(other for other in siblings if other in needed and other != normalise(name)),
        requires_python=project.get("requires-python", ""),
        interpreters=_interpreters(table.get("target", {}), targets, root),
        hooks=replace(HookSettings(), **table.get("hooks", {})),
    )


def _build(table: Mapping[str, Any], targets: Iterable[Target]) -> dict[str, BuildSettings]:
    """Return each target's settings (defaults, then the table, then what is said for it), and as ``""`` those of any other."""
    common = _overlaid(BuildSettings(), table)
    return {"": common} | {
        target.name: functools.reduce(_overlaid, _layers(table.get("target", {}), target), common) for target in targets
    }


def _overlaid(base: BuildSettings, layer: Mapping[str, Any]) -> BuildSettings:
    changes: dict[str, Any] = {key: layer[key] for key in _PLAIN if key in layer}
    if "toolchain" in layer:
        # Whose program it is, the layer that names a toolchain says: another one's is none of this one.
        changes |= {"toolchain": layer["toolchain"], "toolchain_program": None}
    if "toolchain-program" in layer:
        changes["toolchain_program"] = layer["toolchain-program"]
    if "time-limit" in layer:
        changes["time_limit"] = float(layer["time-limit"])
    if "minify" in layer:
        said = layer["minify"]
        changes["minify"] = Minify(**said) if isinstance(said, dict) else Minify() if said else None
    if "dependencies" in layer:
        changes["dependencies"] = None if layer["dependencies"] == "all" else tuple(layer["dependencies"])
    for key in _PATTERNS:
        if key in layer:  # key by key: a target can exclude something without saying again what is included
            changes[key] = _patterns(getattr(base, key), layer[key])
    changes |= {key.replace("-", "_"): tuple(layer[key]) for key in _LISTS if key in layer}
    if "extension" in layer:
        known = dict(base.extensions)
        known |= {name: _extension(known.get(name, ExtensionSettings()), said) for name, said in layer["extension"].items()}
        changes["extensions"] = tuple(sorted(known.items()))
    return replace(base, **changes) if changes else base


def _extension(base: ExtensionSettings, said: Mapping[str, Any]) -> ExtensionSettings:
    """Lay what is said of an extension module over what was said before: key by key, and of macros name by name."""
    changes: dict[str, Any] = {key: tuple(said[key]) for key in ("sources", "include", "options", "libraries") if key in said}
    if "define" in said:
        changes["define"] = tuple(sorted({**dict(base.define), **said["define"]}.items()))
    return replace(base, **changes)


def _patterns(base: NativePattern, said: Mapping[str, list[str]]) -> NativePattern:
    return NativePattern(tuple(said.get("include", base.include)), tuple(said.get("exclude", base.exclude)))


def _bundle(table: Mapping[str, Any]) -> BundleSettings:
    said = {key.replace("-", "_"): value for key, value in table.items()}
    if "resource" in said:
        said["resource"] = _patterns(NativePattern(), said["resource"])
    return replace(BundleSettings(), **said)


def _interpreters(tables: Mapping[str, Any], targets: Iterable[Target], root: Path) -> dict[str, Path]:
    """Return target name → the target's own Python on this machine."""
    said = (
        (target.name, [layer["interpreter"] for layer in _layers(tables, target) if "interpreter" in layer]) for target in targets
    )
    return {name: root / paths[-1] for name, paths in said if paths}


def _target_dependencies(tables: Mapping[str, Any], targets: Iterable[Target]) -> dict[str, tuple[str, ...]]:
    """Return target name → what it needs of its own."""
    result: dict[str, tuple[str, ...]] = {}
    for target in targets:
        texts = [text for layer in _layers(tables, target) for text in layer.get("dependencies", ())]
        if texts:
            result[target.name] = tuple(dict.fromkeys(texts))
    return result
