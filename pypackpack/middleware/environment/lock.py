"""The lock of a package: one resolution for all its targets, kept as ``<package>/pyproject.lock`` in uv's format.

uv resolves a project that is generated in a scratch folder. It has what the resolution depends on and nothing else, so the
lock does not change with a description, a version or a folder. A few comment lines at the lock's top are ours: the digest of
what it was made from (so that a lock that still fits is known without asking uv), and the fits: versions that uv was told to
take on one target, because newer ones have no wheel for it.
"""

from __future__ import annotations

import functools
import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pypackpack.backend import filesystem
from pypackpack.middleware.environment import path_sources
from pypackpack.middleware.project import paths
from pypackpack.model.errors import DamagedLockError, NewerLockError
from pypackpack.model.interpreter import OLDEST
from pypackpack.model.names import normalise

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from packaging.markers import Marker

    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import PythonVersion, Target

FILE = "pyproject.lock"
_SPECIFIER = re.compile(r"(===|~=|==|!=|<=|>=|<|>)\s*(\S+)")
_TITLE = "# The exact versions for every target, in uv's lock format. Made by pypackpack; not to be edited by hand.\n"
_FORMAT = "# format: "
_FORMAT_NUMBER = 1
"""Raised when a lock cannot be read any more by the pypackpacks before."""
_UV_VERSION = 1
"""uv's own number for what stands below our lines; one that is higher cannot be read (uv's documentation, "Lockfile")."""
_MADE_FROM = "# made from: "
_FIT = "# fit: "
_UP = "../../.."
"""From the folder aside that uv resolves in (``build/crossenv/<scratch>``) to the package."""
_NOBODYS = "others"
_REVISION = 2
"""Raised when the same settings make another lock project."""

# What a person may tell uv of where packages come from and which versions are allowed, in [tool.uv].
_UV_KEYS = (
    "constraint-dependencies",
    "default-index",
    "exclude-newer",
    "exclude-newer-package",
    "extra-index-url",
    "find-links",
    "index",
    "index-strategy",
    "index-url",
    "keyring-provider",
    "no-index",
    "override-dependencies",
    "prerelease",
    "resolution",
    "sources",
)


@dataclass(frozen=True)
class Needs:
    """What a package's environments are made from.

    Attributes:
        name: The package's name.
        lines: PEP 508 strings for every target: its own and those of the local packages that it needs.
        own: Target name → what only that target has.
        targets: The package's targets.
        python: What ``requires-python`` says, as PEP 440 specifiers.
        settings: What is said to uv in ``[tool.uv]``; paths in it and in lines begin at ``root``, as far as they are relative.
        root: The package's folder.
        whose: Normalised name of a distribution → the packages of the project whose own lines ask for it.
    """

    name: str
    lines: tuple[str, ...]
    own: Mapping[str, tuple[str, ...]]
    targets: tuple[Target, ...]
    python: str
    settings: Mapping[str, Any]
    root: Path = Path()
    whose: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def nothing(self) -> bool:
        """Whether there is no dependency at all."""
        return not self.lines and not any(self.own.values())

    @property
    def direct(self) -> bool:
        """Whether anything may come from elsewhere than an index: a repository, a folder, a url."""
        texts = (*self.lines, *(text for texts in self.own.values() for text in texts))
        return "sources" in self.settings or any("@" in text.split(";")[0] for text in texts)


def needs_of(project: Project, package: Package) -> Needs:
    """Collect what a package's environments are made from.

    Raises:
        SettingsError: A pyproject.toml cannot be read, or packages need each other in a circle.
    """
    from pypackpack.middleware.package.order import in_order  # noqa: PLC0415 - keeps imports of the CLI light

    local = {normalise(item.name) for item in project.packages} | {normalise(package.name)}
    lines: dict[str, None] = {}
    own: dict[str, dict[str, None]] = {}
    whose: dict[str, dict[str, None]] = {}
    for member in in_order(project, (package,)):
        for text in (*member.dependencies, *(text for texts in member.target_dependencies.values() for text in texts)):
            whose.setdefault(_name(text), {})[member.name] = None
        lines |= _foreign(member.dependencies, local, member.root, package.root)
        for target, texts in member.target_dependencies.items():
            own.setdefault(target, {}).update(_foreign(texts, local, member.root, package.root))
    enabled = {target.name for target in package.targets}
    python = package.requires_python or project.requires_python
    if package.pythons and not package.requires_python:
        python = ">=" + ".".join(map(str, min(package.pythons)))
    return Needs(
        name=package.name,
        lines=tuple(lines),
        own={target: tuple(texts) for target, texts in sorted(own.items()) if target in enabled and texts},
        targets=package.targets,
        python=python or f">={OLDEST[0]}.{OLDEST[1]}",
        settings=_settings(project.root, package.root),
        root=package.root,
        whose={name: tuple(members) for name, members in whose.items()},
    )


def _foreign(texts: Iterable[str], local: Collection[str], origin: Path, root: Path) -> dict[str, None]:
    """Return the lines that ask for something from outside of the project, each once and in order."""
    return dict.fromkeys(paths.rebased_line(text, origin, root) for text in texts if _name(text) not in local)


def markers(texts: Iterable[str]) -> dict[str, str]:
    """Return the normalised names of the distributions that PEP 508 strings ask for, each with its marker."""
    from packaging.requirements import Requirement  # noqa: PLC0415 - import cost

    found: dict[str, list[str]] = {}
    for text in texts:
        requirement = Requirement(text)
        found.setdefault(normalise(requirement.name), []).append(str(requirement.marker or "").replace('"', "'"))
    return {name: "" if "" in said else " or ".join(said) for name, said in found.items()}


def _name(text: str) -> str:
    found = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", text)
    return normalise(found[1]) if found else text


def _settings(*roots: Path) -> dict[str, Any]:
    """Return what the project, and then the package, say to uv; a package's words win."""
    from pypackpack.middleware.project.toml import read_toml  # noqa: PLC0415 - keeps imports of the CLI light

    result: dict[str, Any] = {}
    for root in roots:
        path = root / "pyproject.toml"
        if path.is_file():
            table = read_toml(path).get("tool", {}).get("uv", {})
            result |= paths.rebased({key: table[key] for key in _UV_KEYS if key in table}, root, roots[-1])
    return result


def python_marker(specifiers: str) -> str:
    """Return the marker that says a ``requires-python``; empty when it says nothing."""
    # A set has no order of its own, and what is generated must not change from one run to the next. (The settings' check has seen
    # that these are specifiers; importing what takes them apart would cost more than all else that is done here.)
    pieces = sorted(found.groups() for piece in specifiers.split(",") if (found := _SPECIFIER.fullmatch(piece.strip())))
    return " and ".join(f"python_full_version {operator} '{version}'" for operator, version in pieces)


def environments(needs: Needs) -> tuple[str, ...]:
    """Return the marker of each target's environment; targets that no marker tells apart have one together."""
    python = python_marker(needs.python)
    return tuple(dict.fromkeys(" and ".join(filter(None, [target_marker(target), python])) for target in needs.targets))


def target_marker(target: Target) -> str:
    """Return the marker that is true on a target."""
    machine = f" and platform_machine == '{target.platform_machine}'" if target.platform_machine else ""
    return f"sys_platform == '{target.sys_platform}'{machine}"


def group_of(target: Target) -> str:
    """Return the name of the dependency group that has a target's own dependencies."""
    return normalise(target.name)


def groups_for(needs: Needs, target: Target) -> tuple[str, ...]:
    """Return the dependency groups that a target's environment takes besides the package's own lines."""
    return (group_of(target),) if needs.own.get(target.name) else ()


def project_content(needs: Needs, fits: Iterable[str] = ()) -> dict[str, Any]:
    """Return the content of the project that uv resolves, as it goes into its ``pyproject.toml``."""
    uv: dict[str, Any] = {**paths.below(needs.settings, _UP), "package": False, "default-groups": []}
    # A folder above may be a uv workspace; this project is its own.
    uv["workspace"] = {"members": []}
    if needs.targets:
        uv["environments"] = list(environments(needs))
    lines, sources = paths.sources_of(needs.lines, _UP)
    groups: dict[str, list[str]] = {}
    for target in needs.targets:
        marker = target_marker(target)
        if needs.own.get(target.name):
            own, more = paths.sources_of([_on(text, marker) for text in needs.own[target.name]], _UP)
            groups[group_of(target)] = own
            sources |= more
    if sources:
        uv["sources"] = {**uv.get("sources", {}), **sources}
    if groups:
        # Two targets may want versions that exclude each other: that is why they are not in the lines for all. A group of
        # nobody's makes that true of a single target too: else uv would find versions that do for it and for all others.
        if len(groups) == 1:
            groups[_NOBODYS] = []
        uv["conflicts"] = [[{"group": name} for name in groups]]
    uv["constraint-dependencies"] = [*uv.get("constraint-dependencies", []), *fits]
    return {
        "project": {
            "name": needs.name,
            "version": "0",
            # Always the same, so that any Python that runs pypackpack can resolve; the environments say the real bounds.
            "requires-python": f">={OLDEST[0]}.{OLDEST[1]}",
            "dependencies": lines,
        },
        "dependency-groups": groups,
        "tool": {"uv": uv},
    }


def project_text(needs: Needs, fits: Iterable[str] = ()) -> str:
    """Return the ``pyproject.toml`` of the project that uv resolves."""
    return toml_text(project_content(needs, fits))


def toml_text(content: Mapping[str, Any]) -> str:
    """Return TOML for uv's eyes: a line for each key of each table. No comments to keep, so the import of tomlkit is spared."""
    lines = [f"{_value(key)} = {_value(item)}\n" for key, item in content.items() if not isinstance(item, dict)]
    for name, table in content.items():
        if isinstance(table, dict):
            lines += [f"[{_value(name)}]\n", *(f"{_value(key)} = {_value(item)}\n" for key, item in table.items())]
    return "".join(lines)


def _value(item: Any) -> str:  # noqa: ANN401 - whatever TOML has
    if isinstance(item, str):
        return json.dumps(item, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, (list, tuple)):
        return f"[{', '.join(map(_value, item))}]"
    if isinstance(item, dict):
        return "{" + ", ".join(f"{_value(key)} = {_value(each)}" for key, each in item.items()) + "}"
    return str(item)  # numbers; dates, which str writes as RFC 3339 does


def asking_for(needs: Needs, name: str) -> list[str]:
    """Return the lines that ask for a distribution, without markers; empty when it is somebody else's dependency."""
    from packaging.requirements import Requirement  # noqa: PLC0415 - import cost

    found = []
    every = (*needs.lines, *(text for texts in needs.own.values() for text in texts))
    for text in (paths.absolute_line(each, needs.root) for each in every):
        if _name(text) == normalise(name):
            requirement = Requirement(text)
            requirement.marker = None
            found.append(str(requirement))
    return found


def question_text(needs: Needs, lines: Iterable[str], python: PythonVersion) -> str:
    """Return the ``pyproject.toml`` of a project that asks, for every platform and one Python, what there is of something."""
    uv = {key: value for key, value in paths.absolute(needs.settings, needs.root).items() if key != "sources"}
    # Any Python may run uv, as in `project_content`; the environments say which one it is about.
    uv["environments"] = [python_marker(f">={python[0]}.{python[1]},<{python[0]}.{python[1] + 1}")]
    bounds = f">={OLDEST[0]}.{OLDEST[1]}"
    project = {"name": "question", "version": "0", "requires-python": bounds, "dependencies": [*lines]}
    return toml_text({"project": project, "tool": {"uv": {**uv, "package": False, "workspace": {"members": []}}}})


def _on(text: str, marker: str) -> str:
    """Return a dependency with one more marker; a group is resolved for all environments unless its lines say otherwise."""
    from packaging.requirements import Requirement  # noqa: PLC0415 - import cost

    requirement = Requirement(text)
    old = str(requirement.marker) if requirement.marker else ""
    requirement.marker = None
    return f"{requirement} ; {f'({old}) and ' if old else ''}{marker}"


def made_from(needs: Needs) -> str:
    """Return the digest of everything that a lock is made from."""
    # What `project_content` is made from, and not its result: parsing versions would cost more than all of the rest.
    targets = list(
        dict.fromkeys((target_marker(target), target.name if needs.own.get(target.name) else "") for target in needs.targets)
    )
    facts = [_REVISION, needs.name, needs.lines, needs.own, targets, needs.python, needs.settings]
    folders = path_sources.description_digest(needs)
    facts += [folders] if folders else []
    return filesystem.sha256_bytes(json.dumps(facts, sort_keys=True, default=str))


@dataclass(frozen=True)
class Lock:
    """A package's lock.

    Attributes:
        text: uv's lock.
        made_from: Digest of what it was made from.
        fits: Versions that were chosen for single targets: PEP 508 strings with markers.
    """

    text: str
    made_from: str
    fits: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the content of the file."""
        fits = "".join(f"{_FIT}{fit}\n" for fit in self.fits)
        return f"{_TITLE}{_FORMAT}{_FORMAT_NUMBER}\n{_MADE_FROM}{self.made_from}\n{fits}{self.text}"

    @property
    def digest(self) -> str:
        """Digest of the whole file."""
        return filesystem.sha256_bytes(str(self))

    def versions(self) -> set[tuple[str, str]]:
        """Return (name, version) of everything in it."""
        return {(item["name"], item.get("version", "")) for item in tomllib.loads(self.text).get("package", [])}


def read_lock(path: Path) -> Lock | None:
    """Return a package's lock, or None when there is none.

    Raises:
        DamagedLockError: It is not valid.
        NewerLockError: It is of a newer pypackpack or uv.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        whole = data.decode().replace("\r\n", "\n")
        number = next((line[len(_FORMAT) :] for line in whole.splitlines()[:3] if line.startswith(_FORMAT)), "1")
        if number.strip().isdigit() and int(number) > _FORMAT_NUMBER:
            raise _newer(path, "pypackpack", f"its format is {number.strip()}, and this one reads {_FORMAT_NUMBER}")
        content = tomllib.loads(whole)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        msg = f"{path} is damaged: {error}"
        raise DamagedLockError(msg, hint="`pypackpack <package> sync` makes it anew.") from error
    version = content.get("version")
    if not isinstance(version, int) or not isinstance(content.get("package", []), list):
        msg = f"{path} is damaged: it is not what uv writes"
        raise DamagedLockError(msg, hint="`pypackpack <package> sync` makes it anew.")
    if version > _UV_VERSION:
        raise _newer(path, "uv", f"its version is {version}, and this uv reads {_UV_VERSION}")
    text = whole
    origin, fits = "", []
    while text.startswith("#"):
        line, _, rest = text.partition("\n")
        if line.startswith(_MADE_FROM):
            origin = line[len(_MADE_FROM) :].strip()
        elif line.startswith(_FIT):
            fits.append(line[len(_FIT) :].strip())
        text = rest
    return Lock(text, origin, tuple(fits))


def _newer(path: Path, what: str, why: str) -> NewerLockError:
    msg = f"{path} was written by a newer {what}: {why}"
    return NewerLockError(msg, hint="Update pypackpack (`pip install -U pypackpack`); the lock was left as it is.")


def empty_lock(needs: Needs) -> Lock:
    """Return the lock of a package without dependencies; uv is not needed for it."""
    text = (
        f'version = 1\nrevision = 3\nrequires-python = ">={OLDEST[0]}.{OLDEST[1]}"\n\n'
        f'[[package]]\nname = "{normalise(needs.name)}"\nversion = "0"\nsource = {{ virtual = "." }}\n'
    )
    return Lock(text, made_from(needs))


EMPTY_PYLOCK = 'lock-version = "1.0"\ncreated-by = "pypackpack"\npackages = []\n'


_SYSTEM_TAGS = {
    "android": ("android",),
    "darwin": ("macosx",),
    "emscripten": ("emscripten", "pyemscripten", "pyodide", "wasm"),
    "ios": ("ios",),
    "linux": ("linux", "manylinux", "musllinux"),
    "win32": ("win",),
}
"""``sys.platform`` → how platform tags of its wheels begin."""


@dataclass(frozen=True)
class Locked:
    """One distribution of a ``pylock.toml``: what an environment takes of it, and a digest of where it comes from."""

    name: str
    version: str
    origin: str


@functools.lru_cache(maxsize=8)
def parsed(pylock: str) -> Mapping[str, Any]:
    """Return the content of a ``pylock.toml``; several targets have the same. Not to be changed."""
    return tomllib.loads(pylock)


@functools.lru_cache(maxsize=1024)
def _marker(text: str) -> Marker:
    from packaging.markers import Marker  # noqa: PLC0415 - import cost

    return Marker(text)


def here(pylock: str, target: Target, python: PythonVersion) -> list[dict[str, Any]]:
    """Return the entries of a ``pylock.toml`` (PEP 751) that one target and Python takes."""
    facts = marker_facts(target, python)
    return [
        item for item in parsed(pylock).get("packages", []) if "marker" not in item or _marker(item["marker"]).evaluate(facts)
    ]


def applicable(pylock: str, target: Target, python: PythonVersion) -> tuple[Locked, ...]:
    """Return what a ``pylock.toml`` (PEP 751) has for one target and Python."""
    found = []
    for item in here(pylock, target, python):
        files = sorted(
            repr(sorted(wheel.get("hashes", {}).items())) for wheel in item.get("wheels", []) if _may_serve(wheel, target)
        )
        origin = repr([item.get(key) for key in ("archive", "vcs", "directory")])
        found.append(Locked(item["name"], item.get("version", ""), filesystem.sha256_bytes("\n".join([*files, origin]))))
    return tuple(sorted(found, key=lambda item: item.name))


def _may_serve(wheel: Mapping[str, Any], target: Target) -> bool:
    """Tell whether a wheel is for a target's system; the others come and go in a lock with the package's other targets."""
    file = str(wheel.get("name") or wheel.get("path") or wheel.get("url") or "").split("#")[0].removesuffix(".whl")
    starts = ("any", *_SYSTEM_TAGS.get(target.sys_platform, ("",)))
    return any(tag.startswith(starts) for tag in file.rpartition("-")[2].split("."))


def marker_facts(target: Target, python: PythonVersion) -> dict[str, str]:
    """Return the PEP 508 environment of a target; CPython's, with the first micro version, as uv takes it."""
    version = f"{python[0]}.{python[1]}"
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{version}.0",
        "os_name": target.os_name,
        "platform_machine": target.platform_machine,
        "platform_release": "",
        "platform_system": target.platform_system,
        "platform_version": "",
        "python_full_version": f"{version}.0",
        "platform_python_implementation": "CPython",
        "python_version": version,
        "sys_platform": target.sys_platform,
        "extra": "",
    }


def fits_for(chosen: Mapping[str, str], locked: Sequence[Locked], target: Target, python: PythonVersion) -> tuple[str, ...]:
    """Return the constraints that bring a lock to the versions that one target can have."""
    there = {normalise(item.name): item.version for item in locked}
    where = f"{target_marker(target)} and python_version == '{python[0]}.{python[1]}'"
    return tuple(
        f"{name}=={version} ; {where}" for name, version in sorted(chosen.items()) if there.get(normalise(name)) != version
    )
