"""Which of the wheels that lie in ``build/`` are those of the present settings.

A build writes over wheels of the same name and leaves the others: a build of one target must not take the wheels of the
others away. So after a change of ``abi``, ``native`` or the targets, wheels of earlier settings lie beside the new ones, and an
installer would take either. Each build therefore notes beside its folder (``release/native.json`` for ``release/native/``) which
wheel it made for which targets, and which older ones serve the same target and Python: these are superseded. Nothing is removed.

Wheels that no build here has made, such as those of another machine, are current; where two of them, or one of them and one of
ours, are for the same target and Python, nobody can say which is meant, and they are refused.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pypackpack.backend import filesystem
from pypackpack.client import strict_json
from pypackpack.model.errors import DamagedArtifactError, FilesystemError, UsageError
from pypackpack.model.interpreter import NEWEST, OLDEST
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from packaging.version import Version

    from pypackpack.model.build import Artifact
    from pypackpack.model.project import Package
    from pypackpack.model.target import Target

_FORMAT: Final = 1
_NAME: Final = re.compile(
    r"(?P<name>[^-/]+)-(?P<version>[^-/]+)-(?:\d[^-/]*-)?(?P<python>[^-/]+)-(?P<abi>[^-/]+)-(?P<platform>[^-/]+)\.whl"
)
_ALL: Final = frozenset(range(OLDEST[1], NEWEST[1] + 1))
"""The minor versions of every Python that is built for."""


@dataclass(frozen=True)
class Noted:
    """What a build noted of a wheel.

    Attributes:
        file: Its name.
        sha256: Its digest, as it was when it was built, or when it was found superseded.
        targets: Names of the targets that it serves.
        superseded_by: Name of the newer wheel that serves one of them; empty while there is none.
    """

    file: str
    sha256: str
    targets: tuple[str, ...]
    superseded_by: str = ""


@dataclass(frozen=True)
class StandingWheel:
    """A wheel that is current.

    Attributes:
        path: The file.
        targets: Names of the targets that it serves.
    """

    path: Path
    targets: frozenset[str]


@dataclass(frozen=True)
class Standing:
    """What lies in a folder of wheels, of one version of a package.

    Attributes:
        wheels: Those that are current, in the order of the package's targets.
        left_out: File names of the others, each with the reason.
    """

    wheels: tuple[StandingWheel, ...]
    left_out: tuple[tuple[str, str], ...]


def note_of(folder: Path) -> Path:
    """Return where it is noted what the wheels of a folder are for."""
    return folder.with_name(f"{folder.name}.json")


def note_built(folder: Path, package: Package, made: Sequence[Artifact]) -> tuple[str, ...]:
    """Note what a build has made in a folder, and what that supersedes. The caller holds the package's build lock.

    Args:
        folder: The folder of wheels of one bundle, type and level.
        package: Whose wheels they are.
        made: The wheels of this build, which are in their places.

    Returns:
        Names of the wheels of the same version that are superseded and still there.

    Raises:
        FilesystemError: It cannot be written.
    """
    before = _read(note_of(folder))
    after = {name: noted for name, noted in before.items() if (folder / name).is_file()}
    new = {artifact.path.name: artifact for artifact in made if artifact.path.parent == folder}
    for name, artifact in new.items():
        others = [other for other in new.values() if other.path.name != name]
        kept = before[name].targets if name in before and not before[name].superseded_by else ()
        taken = {target for other in others if _meet(name, other.path.name) for target in other.targets}
        targets = {*artifact.targets, *(target for target in kept if target not in taken)}
        after[name] = Noted(name, artifact.sha256, tuple(sorted(targets)))
    for path in sorted(folder.glob("*.whl")):
        if path.name in new or not _is_of(path.name, new):
            continue
        noted = after.get(path.name) or Noted(path.name, "", tuple(sorted(_served(path.name, package.targets))))
        if noted.superseded_by and (folder / noted.superseded_by).is_file():
            continue  # the same note, whichever targets are built in turn
        over = next((name for name in new if _meet(name, path.name) and {*after[name].targets} & {*noted.targets}), "")
        if over:
            after[path.name] = Noted(path.name, noted.sha256 or filesystem.sha256_file(path), noted.targets, over)
    if after != before:
        _write(note_of(folder), after)
    return tuple(sorted(name for name, noted in after.items() if noted.superseded_by and _is_of(name, new)))


def standing(folder: Path, package: Package, version: Version, *, targets: Collection[str] = (), build: str = "") -> Standing:
    """Return the wheels of one version of a package in a folder that are current. The caller holds the package's build lock.

    Args:
        folder: The folder of wheels of one bundle, type and level.
        package: The package.
        version: The version.
        targets: Names of the targets whose wheels are meant; empty means all of the package.
        build: The command that builds the wheels anew, for the error.

    Raises:
        UsageError: Two wheels are for the same target and Python, and no build here has made both.
        DamagedArtifactError: A file has a name that no wheel has.
        FilesystemError: A wheel cannot be read.
    """
    notes = _read(note_of(folder))
    found: list[StandingWheel] = []
    left_out: list[tuple[str, str]] = []
    for path in files_of(folder, package, version):
        noted = notes.get(path.name)
        if noted is not None and noted.sha256 != filesystem.sha256_file(path):
            noted = None  # somebody has put another file in its place
        serves = frozenset(noted.targets if noted is not None else _served(path.name, package.targets))
        if targets and serves.isdisjoint(targets):
            continue
        if reason := _why_not(path.name, noted, serves, package):
            left_out.append((path.name, reason))
        else:
            found.append(StandingWheel(path, serves))
    _refuse_two(found, folder, targets, build)
    order = [target.name for target in package.targets]  # as a build lists them
    found.sort(key=lambda wheel: min((order.index(name) for name in wheel.targets if name in order), default=len(order)))
    return Standing(tuple(found), tuple(left_out))


def files_of(folder: Path, package: Package, version: Version) -> list[Path]:
    """Return the wheels of one version of a package that lie in a folder, current or not, by name.

    Raises:
        DamagedArtifactError: A file has a name that no wheel has.
    """
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename  # noqa: PLC0415 - import cost, not in a build

    found = []
    for path in sorted(folder.glob("*.whl")):
        try:
            name, of, _, _ = parse_wheel_filename(path.name)
        except InvalidWheelFilename as error:
            msg = f"{path}: {error}"
            raise DamagedArtifactError(msg, hint="It is none that pypackpack made; take it out of the folder.") from error
        if normalise(name) == normalise(package.name) and of == version:
            found.append(path)
    return found


def _why_not(name: str, noted: Noted | None, serves: Collection[str], package: Package) -> str:
    """Return why a wheel is not current; empty when it is."""
    if noted is not None and noted.superseded_by:
        return f"superseded by {noted.superseded_by}, which a later build made"
    if package.targets and not any(target.name in serves for target in package.targets):
        return f"for no target that {package.name} has now"
    wanted = {minor for _, minor in package.pythons}
    if wanted and wanted.isdisjoint(_pythons(name)):
        return f"for no Python that {package.name} is for now ({', '.join(f'3.{minor}' for minor in sorted(wanted))})"
    return ""


def _refuse_two(found: Sequence[StandingWheel], folder: Path, targets: Collection[str], build: str) -> None:
    for number, one in enumerate(found):
        for other in found[number + 1 :]:
            both = sorted(one.targets & other.targets & (frozenset(targets) or one.targets))
            pythons = _pythons(one.path.name) & _pythons(other.path.name)
            if both and _meet(one.path.name, other.path.name):
                msg = (
                    f"{one.path.name} and {other.path.name} are both for {both[0]} and Python 3.{min(pythons)}; "
                    "they were not made by one build here, so nobody can tell which one is current"
                )
                again = f"Build again, which says it: `{build}`. Or take" if build else "Take"
                raise UsageError(msg, hint=f"{again} the one that is not meant out of {folder}.")


def _parts(name: str) -> re.Match[str] | None:
    return _NAME.fullmatch(name)


def _is_of(name: str, made: Collection[str]) -> bool:
    """Tell whether a wheel is of the distribution and version of what was made."""
    found = _parts(name)
    return found is not None and any(name.startswith(f"{each['name']}-{each['version']}-") for each in map(_parts, made) if each)


def _pythons(name: str) -> frozenset[int]:
    """Return the minor versions of the Pythons that a wheel serves, by its name (PEP 425)."""
    found = _parts(name)
    if found is None:
        return frozenset()
    minors: set[int] = set()
    for tag in found["python"].split("."):
        exact = re.fullmatch(r"cp3(\d+)", tag)
        if exact is None:
            return _ALL
        minors |= {each for each in _ALL if each >= int(exact[1])} if "abi3" in found["abi"].split(".") else {int(exact[1])}
    return frozenset(minors)


def _meet(name: str, other: str) -> bool:
    """Tell whether a Python exists that two wheels serve, neither of them being the better one for it.

    Of two abi3 wheels an installer takes the one for the newer Python (PEP 425 orders tags): both have their use.
    """
    one, two = _parts(name), _parts(other)
    if one is not None and two is not None and one["abi"] == two["abi"] == "abi3":
        return one["python"] == two["python"]
    return bool(_pythons(name) & _pythons(other))


def _served(name: str, targets: Sequence[Target]) -> set[str]:
    """Return names of the targets that a wheel serves, by its name."""
    found = _parts(name)
    if found is None:
        return set()
    platforms = set(found["platform"].split("."))
    return {target.name for target in targets if "any" in platforms or platforms & _platforms(target)}


def _platforms(target: Target) -> set[str]:
    return {tag for minor in _ALL if (3, minor) >= target.min_python for tag in target.tags.for_python((3, minor))}


def _read(file: Path) -> Mapping[str, Noted]:
    """Return what is noted. What cannot be read counts as nothing: wheels that clash are then refused instead of left out."""
    try:
        content = strict_json.table(strict_json.load(filesystem.read_bytes(file)), ("format", "wheels"))
        if content["format"] != _FORMAT:
            return {}
        rows = [
            strict_json.table(row, ("file", "sha256", "targets", "superseded_by")) for row in strict_json.array(content["wheels"])
        ]
        found = [
            Noted(
                str(row["file"]),
                str(row["sha256"]),
                tuple(map(str, strict_json.array(row["targets"]))),
                str(row["superseded_by"]),
            )
            for row in rows
        ]
    except (FilesystemError, ValueError, RecursionError):
        return {}
    return {noted.file: noted for noted in found}


def _write(file: Path, notes: Mapping[str, Noted]) -> None:
    rows = [
        {"file": each.file, "sha256": each.sha256, "targets": list(each.targets), "superseded_by": each.superseded_by}
        for _, each in sorted(notes.items())
    ]
    filesystem.write_atomic(file, json.dumps({"format": _FORMAT, "wheels": rows}, indent=1) + "\n", durable=False)
