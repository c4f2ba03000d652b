"""Which wheels of a package are a release that an index may have, and why the others are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from pypackpack.middleware.inspect.wheel import inspect_wheel
from pypackpack.middleware.target import table
from pypackpack.model.build import BuildType, Bundle, Level
from pypackpack.model.deploy import Release
from pypackpack.model.errors import DamagedArtifactError, UsageError
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pypackpack.model.project import Package
    from pypackpack.model.target import Target


def releases(package: Package, *, level: str = "", words: Sequence[str] = ()) -> tuple[Release, ...]:
    """Return the release wheels of a package's present version, of one level.

    Args:
        package: The package.
        level: The level whose wheels are meant; empty where there are wheels of one only.
        words: Targets as typed; none means all.

    Raises:
        UsageError: There is none, there are several levels, or an index cannot have them.
        DamagedArtifactError: One is damaged, or its name is not what it says of itself.
    """
    version = _version(package)
    _refuse_target_dependencies(package, words)
    by_level = {each: _files(package, BuildType.RELEASE, each, version) for each in _levels(level)}
    found = {each: files for each, files in by_level.items() if files}
    if not found:
        raise _none(package, version, level)
    if len(found) > 1:
        msg = f"there are release wheels of {package.name} {version} of the levels {' and '.join(found)}"
        raise UsageError(msg, hint=f"Say which with --level, such as `--level {next(reversed(found))}`.")
    files = next(iter(found.values()))
    if words:
        files = _of_targets(files, table.resolve(words, package.targets))
        if not files:
            msg = f"no release wheel of {package.name} {version} is for {', '.join(words)}"
            raise UsageError(msg, hint=f"Build it: `pypackpack build {package.name} source single --type release --target …`.")
    return tuple(_release(package, path, version) for path in files)


def release_files(package: Package, *, first: str) -> list[Path]:
    """Return the release wheels of a package's present version, of all levels; those of the level ``first`` stand first.

    Raises:
        UsageError: Its version is none that an index can have.
        DamagedArtifactError: A file has a name that no wheel has.
    """
    version = _version(package)
    levels = [first, *(level for level in _levels("") if level != first)]
    return [path for level in levels for path in _files(package, BuildType.RELEASE, level, version)]


def _levels(level: str) -> list[str]:
    return [level] if level else [each.value for each in Level]


def _version(package: Package) -> Version:
    """Return the version, which must be one that an index can have."""
    try:
        version = Version(package.version)
    except InvalidVersion as error:
        msg = f"{package.root / 'pyproject.toml'}: {package.version!r} is no version"
        raise UsageError(msg) from error
    if version.local is not None:
        msg = f"{package.name} {version} is a local version (`+{version.local}`), which indexes do not take (PEP 440)"
        hint = "Patches go to people by other ways than an index; give a release a version without `+`."
        raise UsageError(msg, hint=hint)
    return version


def _refuse_target_dependencies(package: Package, words: Sequence[str]) -> None:
    wanted = table.resolve(words, package.targets) if words else package.targets
    own = sorted(target.name for target in wanted if package.target_dependencies.get(target.name))
    if own:
        msg = f"wheels of {package.name} for {', '.join(own)} have dependencies of their own; resolvers read one wheel's for all"
        hint = f"Say them by markers in [project] dependencies, instead of [tool.pypackpack.target.{own[0]}] dependencies."
        raise UsageError(msg, hint=hint)


def _files(package: Package, build_type: BuildType, level: str, version: Version) -> list[Path]:
    """Return the wheels of the package's present version in the folder of builds of one type and level."""
    folder = package.build_folder / "packpack" / Bundle.SINGLE.value / build_type.value / level
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


def _none(package: Package, version: Version, level: str) -> UsageError:
    levels = _levels(level)
    debug = [each for each in levels if _files(package, BuildType.DEBUG, each, version)]
    msg = f"there is no release wheel of {package.name} {version}" + (f" of level {level}" if level else "")
    if debug:
        msg += f", only debug ones of level {' and '.join(debug)}, which are not for an index"
    build = f"pypackpack build {package.name} source single --type release --level {level or (debug or ['native'])[-1]}"
    return UsageError(msg, hint=f"Build it first: `{build}`.")


def _of_targets(files: Sequence[Path], targets: Sequence[Target]) -> list[Path]:
    """Return the wheels that serve one of the targets."""
    found = []
    for path in files:
        platforms = {tag.platform for tag in parse_wheel_filename(path.name)[3]}
        if "any" in platforms or any(platforms & _platforms(target) for target in targets):
            found.append(path)
    return found


def _platforms(target: Target) -> frozenset[str]:
    return frozenset(
        tag for minor in range(10, 15) if (3, minor) >= target.min_python for tag in target.tags.for_python((3, minor))
    )


def _same(written: str, version: Version) -> bool:
    try:
        return Version(written) == version
    except InvalidVersion:
        return False


def _release(package: Package, path: Path, version: Version) -> Release:
    """Look into a wheel: an index keeps it for ever."""
    seen = inspect_wheel(path)
    if normalise(seen.name) != normalise(package.name) or not _same(seen.version, version):
        msg = f"{path} says of itself that it is {seen.name} {seen.version}"
        raise DamagedArtifactError(msg, hint="Build it again.")
    if seen.type == BuildType.DEBUG.value:
        msg = f"{path} is a debug wheel, which is not for an index"
        raise UsageError(msg, hint=f"Build it again: `pypackpack build {package.name} source single --type release`.")
    tags = parse_wheel_filename(path.name)[3]
    first = next(iter(tags))
    platforms = tuple(sorted({tag.platform for tag in tags}))
    return Release(path, package.name, str(version), first.interpreter, first.abi, platforms, seen.size, seen.sha256)
