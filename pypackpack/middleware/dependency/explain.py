"""What uv says about dependencies, explained: which dependency, which target, and what to do.

uv's own words go along in ``details``; the sentences of uv that are looked for are in ``tests/integration`` too, so that a new
uv that says them differently shows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pypackpack.backend.tools import uv
from pypackpack.model.errors import (
    DamagedLockError,
    DependencyConflictError,
    NewerLockError,
    NoSuchDependencyError,
    NoWheelError,
    PackageIndexError,
    PyPackPackError,
    ToolError,
)
from pypackpack.model.interpreter import NEWEST, OLDEST
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pypackpack.middleware.dependency.platforms import Platforms
    from pypackpack.middleware.environment.lock import Needs
    from pypackpack.model.target import PythonVersion, Target

# No name is that long, and one without a bound would make these searches take the square of the length of uv's words.
_NAME = r"`?([A-Za-z0-9][A-Za-z0-9._-]{0,200})`?"
_EXTRA = r"(?:\{[^}]*\})?"
# The second form is how uv says it of a dependency with a marker.
_ABSENT = re.compile(
    _NAME
    + _EXTRA
    + r" was not found in the (?:package registry|provided package locations)|there are no versions of "
    + _NAME
    + _EXTRA
    + r"(?=[\s,])"
)
_NOT_CACHED = re.compile(_NAME + _EXTRA + r" was not found in the cache|network connectivity is disabled", re.IGNORECASE)
_NO_VERSION = re.compile(
    r"(?:only " + _NAME + _EXTRA + r"[<>=!~,.\w]{0,200} (?:is|are) available|there (?:is|are) no versions? of " + _NAME + ")"
)
_NO_WHEEL = re.compile(
    r"has no usable wheels|-compatible wheels|no wheels with a matching|has no binary distribution|"
    r"building from source is disabled"
)
_WHEELLESS = (
    re.compile(r"Wheels are (?:required|available) for " + _NAME),
    re.compile(r"Package " + _NAME + r" can't be installed"),
    re.compile(_NAME + _EXTRA + r"[<>=!~,.\w]{0,200} (?:has|have) no (?:usable wheels|`|wheels)"),
)
_DEPENDS = re.compile(r"`?([A-Za-z0-9][A-Za-z0-9._:-]{0,200})(?:[<>=!~][<>=!~,.\w]{0,200})? depends? on `?([A-Za-z0-9][^\s`]*)")
_HASH = re.compile(r"[Hh]ash mismatch for `([A-Za-z0-9][A-Za-z0-9._-]{0,200})")
_NO_PLACE = re.compile(r"Distribution not found at: (\S+)")
_FOR_WHOM = re.compile(r"`([A-Za-z0-9][A-Za-z0-9._-]{0,200})[^`\n]{0,500}`\s+cause: Distribution not found at")
_OF_VERSION = re.compile(r"\bno versions? of " + _NAME + _EXTRA + r"([<>=!~][<>=!~,.*\w]{0,200})")
_ONE_OF = re.compile(r"\bdepends? on one of:\n((?:[ \t]+\S+\n)+)")
# Advice that is about uv's own call: nobody here gave it that flag, or that Python.
_NOT_FOR_HERE = re.compile(r"\n*^[ \t]*hint: (?:[^\n]*`--frozen` flag|While the active Python version is)[^\n]*$", re.MULTILINE)
_SPLIT = re.compile(r"split \(markers: (.*?)(?:; (?:included|excluded): .*)?\):?\s*$", re.MULTILINE)


def says_no_wheel(error: ToolError) -> bool:
    """Tell whether uv failed because something has no wheel."""
    return not uv.out_of_reach(error.details) and bool(_NO_WHEEL.search(error.details))


def plain(words: str) -> str:
    """Return uv's words without the advice that only helps those who call uv themselves."""
    return _NOT_FOR_HERE.sub("", words)


def explained(
    error: ToolError,
    needs: Needs,
    *,
    targets: Sequence[Target] = (),
    python: PythonVersion | None = None,
    exists: str = "",
    offline: bool = False,
) -> PyPackPackError:
    """Return the error that a person should see instead of uv's.

    Args:
        error: uv's.
        needs: What was to be resolved or installed.
        targets: For which targets; empty means all of the package.
        python: For which Python; None when for several.
        exists: What the dependency does have, where that is known.
        offline: Whether uv was told never to touch the network: what it does not find then is no word about the index.
    """
    words = plain(error.details)
    asked = _listed(_names(needs.lines)) or "its dependencies"
    where = targets or _split_targets(words, needs.targets) or needs.targets
    missing = _missing(words) if offline else ""
    if missing or _NOT_CACHED.search(words):
        absent = next((name for name in _NOT_CACHED.findall(words) if name), missing)
        what = f"{absent}, which {needs.name} needs, is not" if absent else f"not everything that {needs.name} needs is"
        msg = f"{what} on this machine, and --offline keeps pypackpack from fetching it ({_targets(where, python)})"
        hint = "Run the same command once without --offline, while online; `pypackpack vendor` keeps what is locked at hand."
        return PackageIndexError(msg, hint=hint, details=words)
    if "unsupported schema version" in words:
        msg = f"the lock of {needs.name} was written by a newer uv than the one of this pypackpack"
        hint = "Update pypackpack (`pip install -U pypackpack`); the lock was left as it is."
        return NewerLockError(msg, hint=hint, details=words)
    if uv.out_of_reach(words):
        msg = f"the package index is out of reach: {asked} for {needs.name} cannot be had ({_targets(where, python)})"
        hint = "Check the network and the index you use (UV_DEFAULT_INDEX, uv.toml, [tool.uv]), and run the same command again."
        return PackageIndexError(msg, hint=hint, details=words)
    if re.search(r"\b(401|403)\b|unauthorized|forbidden", words, re.IGNORECASE):
        msg = f"the package index does not let us in: the dependencies of {needs.name} cannot be had"
        return PackageIndexError(
            msg, hint="Give uv the credentials of that index: netrc, keyring or UV_INDEX_<NAME>_PASSWORD.", details=words
        )
    if other := _not_the_one(words, needs):
        return other
    if found := _ABSENT.search(words):
        name = found[1] or found[2]
        msg = f"the package index has no {name}, which {needs.name} asks for on {_targets(_asking(needs, name) or where, python)}"
        return NoSuchDependencyError(
            msg, hint="Check how the name is spelled, and whether it lies on another index.", details=words
        )
    if _NO_WHEEL.search(words):
        return no_wheel(wheelless(words) or "a dependency", needs, where, python, details=words, exists=exists)
    found = _NO_VERSION.search(words)
    if found and not _excluding(words, normalise(found[1] or found[2])):
        name = found[1] or found[2]
        lines = _listed([text for text in needs.lines if normalise(name) in _names([text])]) or _wanted(words, name)
        there = _targets(where, python)
        msg = f"the package index has no version of {name} that {needs.name} can use: it asks for {lines} on {there}"
        hint = "Ask for a version that is there; one that is made for other Pythons only may need another requires-python."
        return NoSuchDependencyError(msg, hint=hint, details=words)
    if "unsatisfiable" in words:
        msg = f"the dependencies of {needs.name} exclude each other on {_targets(where, python)}{_whose(words, needs)}"
        return DependencyConflictError(msg, hint="uv's words say why; loosen one of them.", details=words)
    msg = f"the dependencies of {needs.name} could not be installed for {_targets(where, python)}"
    return ToolError(msg, hint="uv's words say why.", details=words)


def _not_the_one(words: str, needs: Needs) -> PyPackPackError | None:
    """Return the error for a path where nothing lies, and for a file that is another one than was locked."""
    if found := _NO_PLACE.search(words):
        from pypackpack.backend.urls import path_of  # noqa: PLC0415 - the rare case

        named = _FOR_WHOM.search(words)
        what = named[1] if named else "a dependency"
        msg = f"{what}, which {needs.name} needs, comes from {path_of(found[1])}, and nothing is there"
        hint = "Put it there, or name another place; what lies outside of a repository is in no clone of it."
        return NoSuchDependencyError(msg, hint=hint, details=words)
    if found := _HASH.search(words):
        msg = f"{found[1]}, which {needs.name} needs, is not what the lock says: another file than the one that was locked came"
        hint = (
            "If the lock was edited, take it back from version control; if the file on the index was changed, find out why "
            "before you lock it anew (remove pyproject.lock and run `sync`)."
        )
        return DamagedLockError(msg, hint=hint, details=words)
    return None


def no_wheel(
    name: str, needs: Needs, targets: Sequence[Target], python: PythonVersion | None, *, details: str = "", exists: str = ""
) -> NoWheelError:
    """Return the error for a dependency that has no wheel for a target."""
    owners = needs.whose.get(normalise(name), ())
    owner = "" if needs.name in owners or not owners else owners[0]
    msg = f"{name} has no wheel for {_targets(targets, python)}, and {needs.name} needs it there"
    if owner:
        msg += f" through {owner}"
    hint = f"Choose another version of {name} or another Python, or {_left_out(name, needs, targets, owners)}."
    # What there is says more than uv's words, which advise options that are uv's own.
    return NoWheelError(msg, hint=hint, details=f"what it has: {exists}" if exists else details)


def _left_out(name: str, needs: Needs, targets: Sequence[Target], owners: Sequence[str]) -> str:
    """Return how a dependency is kept away from some targets, also from those that the package does not have yet.

    ``add --target`` and ``remove --target`` know the targets that a package has; a marker can be written before that.

    Args:
        name: The dependency.
        needs: What was to be resolved.
        targets: Where it cannot be had.
        owners: The packages of the project that ask for it; none where something from an index does.
    """
    from pypackpack.middleware.dependency import lines, platforms  # noqa: PLC0415 - import cost

    direct = [lines.read_line(text) for text in needs.lines]
    mine = [line for line in direct if line.name == normalise(name)] if owners else direct
    if not mine:  # it stands in the tables of single targets, which have no markers
        return "take it out there: " + _each(owners, f"remove {name} --target {','.join(target.name for target in targets)}")
    there = platforms.union(line.platforms for line in mine)
    left = there - platforms.union(map(_said, targets))
    others = [target for target in needs.targets if target not in targets and there.has(target)]
    alike = [target.name for target in others if not left.has(target)]
    if not owners:
        which = f': `pypackpack {needs.name} add "{mine[0].on(left)}"`' if len(mine) == 1 and others and not alike else ""
        return f"leave out there what needs it (`pypackpack {needs.name} tree` shows it){which}"
    if left == platforms.NOWHERE or (needs.name in owners and not others):
        return "do without it: " + _each(owners, f"remove {name}")
    # The versions of a single line stand here too, for whoever is adding it just now.
    head = mine[0].head if len(mine) == 1 else name
    if alike:
        apart = f"no marker tells {_listed([target.name for target in targets])} from {_listed(alike)}"
        back = _each(owners, f'add "{head}" --target {",".join(target.name for target in others)}')
        return f"leave it out there ({apart}): {_each(owners, f'remove {name}')} if it is one, then this target, then {back}"
    if "@" in head:  # a place may be long, be written relative to another folder, or hold a password
        return f'leave it out there: write the marker "{platforms.marker(left)}" behind it in pyproject.toml'
    line = mine[0] if len(mine) == 1 else lines.read_line(name)
    return "leave it out there: " + _each(owners, f'add "{line.on(left)}"')


def _said(target: Target) -> Platforms:
    """Return the platforms of a target's marker, by the system alone where that has one machine only: so it is read."""
    from pypackpack.middleware.dependency import platforms  # noqa: PLC0415 - import cost
    from pypackpack.middleware.target import table  # noqa: PLC0415 - import cost

    machines = {each.platform_machine for each in table.targets().values() if each.sys_platform == target.sys_platform}
    return platforms.of_target(target) if machines - {target.platform_machine} else platforms.of_family(target.sys_platform)


def _each(owners: Sequence[str], words: str) -> str:
    """Return a command for the dependencies of each of some packages."""
    return _listed([f"`pypackpack {owner} {words}`" for owner in owners])


def native_source(name: str, needs: Needs, target: Target) -> NoWheelError:
    """Return the error for a dependency that comes as source and has native code."""
    msg = f"{name}, which {needs.name} needs on {target.name}, comes as source and has native code"
    hint = (
        f"Building such a dependency for another platform is not there yet: give {needs.name} a wheel of {name} "
        f"(`{name} @ https://…/{name}-….whl`, or an index that has one), or leave it out there."
    )
    return NoWheelError(msg, hint=hint)


def wheelless(words: str) -> str:
    """Return the name of the distribution that uv says has no wheel; empty when it does not say."""
    for pattern in _WHEELLESS:
        if found := pattern.search(words):
            return found[1]
    return ""


def offer(version: str, files: Iterable[str], python: PythonVersion, *, source: bool) -> str:
    """Return what there is of a distribution, for a person: ``2.4.6 for macosx_11_0_arm64, win_amd64, and its source``."""
    platforms = platforms_of_wheels(files, python)
    if platforms:
        return f"{version} for {platforms}" + (", and its source" if source else "")
    return f"its source only, {version}".rstrip(", ") if source else ""


def platforms_of_wheels(files: Iterable[str], python: PythonVersion) -> str:
    """Return the platform tags of the wheels that serve one Python, for a person: ``manylinux_2_27_x86_64, win_amd64``."""
    exact = f"cp{python[0]}{python[1]}"
    tags: set[str] = set()
    for file in files:
        words = file.removesuffix(".whl").split("-")
        if len(words) >= 5 and (words[-2] in {exact, "abi3", "none"}):
            tags.update(words[-1].split("."))
    return ", ".join(sorted(tags))


def _missing(words: str) -> str:
    """Return what uv did not find, with the version where that is what it lacks; empty when it says something else."""
    if found := _ABSENT.search(words):
        return str(found[1] or found[2])
    found = _NO_VERSION.search(words)
    if found is None or _NO_WHEEL.search(words) or _excluding(words, normalise(found[1] or found[2])):
        return ""
    return _wanted(words, found[1] or found[2])


def _wanted(words: str, name: str) -> str:
    """Return how a distribution is asked for, as uv says it: ``pytest==99``; its name where uv does not say more."""
    if several := _ONE_OF.search(words):
        either = [text for text in several[1].split() if _names([text]) == [normalise(name)]]
        if either:
            return " or ".join(either)
    asked = dict.fromkeys(text for _, each, text in _asked(words) if each == normalise(name) and text != name)
    asked.update({f"{each}{limits.rstrip('.,')}": None for each, limits in _OF_VERSION.findall(words) if each == name})
    return _listed(list(asked)) or name


def _whose(words: str, needs: Needs) -> str:
    """Return who asks for what of the same distribution, where uv says it: ``: a needs leaf>=2, b needs leaf<2``."""
    asked: dict[str, dict[str, None]] = {}
    for who, name, text in _asked(words):
        asked.setdefault(name, {})[f"{who} needs {text}"] = None
    for text in needs.lines:
        name = next(iter(_names([text])), "")
        if name in asked:
            asked[name][f"{needs.name} needs {text}"] = None
    several = [list(each) for each in asked.values() if len(each) > 1]
    return f": {', '.join(several[0])}" if several else ""


def _asked(words: str) -> list[tuple[str, str, str]]:
    """Return who asks for which distribution, and in which words: ``("a", "leaf", "leaf>=2")``."""
    result = []
    for who, what in _DEPENDS.findall(re.sub(r"\s+", " ", words)):
        text = what.rstrip(".,")
        found = re.match(_NAME, text)
        if found and who != "project":
            result.append((who, normalise(found[1]), text))
    return result


def _excluding(words: str, available: str) -> bool:
    """Tell whether two ask for different versions of the same distribution, other than one that uv says it has few versions of.

    That a package of the project has its one version only is said in every conflict that it has a part in.
    """
    asked: dict[str, set[str]] = {}
    for _, name, text in _asked(words):
        asked.setdefault(name, set()).add(text)
    return "unsatisfiable" in words and any(len(texts) > 1 for name, texts in asked.items() if name != available)


def _split_targets(words: str, targets: Sequence[Target]) -> tuple[Target, ...]:
    """Return the targets that uv was looking at when it failed."""
    found = _SPLIT.search(words)
    if found is None:
        return ()
    from packaging.markers import InvalidMarker, Marker  # noqa: PLC0415 - import cost

    from pypackpack.middleware.environment.lock import marker_facts  # noqa: PLC0415 - the two know each other

    try:
        marker = Marker(found[1])
    except InvalidMarker:
        return ()
    series = [(3, minor) for minor in range(OLDEST[1], NEWEST[1] + 1)]
    return tuple(target for target in targets if any(marker.evaluate(marker_facts(target, python)) for python in series))


def _asking(needs: Needs, name: str) -> tuple[Target, ...]:
    """Return the targets whose lines name a distribution; empty when it is somebody else's dependency."""
    from packaging.requirements import Requirement  # noqa: PLC0415 - import cost

    from pypackpack.middleware.environment.lock import marker_facts  # noqa: PLC0415 - the two know each other

    result = []
    for target in needs.targets:
        for text in (*needs.lines, *needs.own.get(target.name, ())):
            asked = Requirement(text)
            facts = marker_facts(target, NEWEST)
            if normalise(asked.name) == normalise(name) and (asked.marker is None or asked.marker.evaluate(facts)):
                result.append(target)
                break
    return tuple(result)


def _names(lines: Iterable[str]) -> list[str]:
    found = (re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", text) for text in lines)
    return list(dict.fromkeys(normalise(match[1]) for match in found if match))


def _targets(targets: Sequence[Target], python: PythonVersion | None) -> str:
    text = _listed([target.name for target in targets]) or "any platform"
    return f"{text} with Python {python[0]}.{python[1]}" if python else text


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else ""
