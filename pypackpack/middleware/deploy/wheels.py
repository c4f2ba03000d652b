"""Which wheels of a package are a release that an index may have, and why the others are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import parse_wheel_filename
from packaging.version import InvalidVersion, Version

from pypackpack.middleware.bundle.current import files_of, standing
from pypackpack.middleware.inspect.wheel import inspect_wheel
from pypackpack.middleware.target import table
from pypackpack.model.build import BuildType, Bundle, Level
from pypackpack.model.deploy import Release, Releases
from pypackpack.model.errors import DamagedArtifactError, UsageError
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pypackpack.model.project import Package


def releases(package: Package, *, level: str = "", words: Sequence[str] = ()) -> Releases:
    """Return the release wheels of a package's present version and settings, of one level.

    Args:
        package: The package.
        level: The level whose wheels are meant; empty where there are wheels of one only.
        words: Targets as typed; none means all.

    Raises:
        UsageError: There is none, there are several levels, two wheels are for the same, or an index cannot have them.
        DamagedArtifactError: One is damaged, or its name is not what it says of itself.
    """
    version = _version(package)
    _refuse_target_dependencies(package, words)
    found = [each for each in _levels(level) if files_of(_folder(package, BuildType.RELEASE, each), package, version)]
    if not found:
        raise _none(package, version, level)
    if len(found) > 1:
        msg = f"there are release wheels of {package.name} {version} of the levels {' and '.join(found)}"
        raise UsageError(msg, hint=f"Say which with --level, such as `--level {found[-1]}`.")
    build = f"pypackpack build {package.name} source single --type release --level {found[0]}"
    targets = frozenset(target.name for target in table.resolve(words, package.targets))
    there = standing(_folder(package, BuildType.RELEASE, found[0]), package, version, targets=targets, build=build)
    if not there.wheels:
        which = f"is for {', '.join(words)}" if words else "is of its present settings"
        msg = f"no release wheel of {package.name} {version} {which}"
        left_out = "\n".join(f"{name} is {reason}" for name, reason in there.left_out)
        raise UsageError(msg, hint=f"Build it: `{build}{' --target …' if words else ''}`.", details=left_out)
    return Releases(tuple(_release(package, each.path, version) for each in there.wheels), there.left_out)


def release_files(package: Package, *, first: str) -> list[Path]:
    """Return the release wheels of a package's present version and settings; those of the level ``first`` stand first.

    Raises:
        UsageError: Its version is none that an index can have, or two wheels are for the same.
        DamagedArtifactError: A file has a name that no wheel has.
    """
    version = _version(package)
    levels = [first, *(level for level in _levels("") if level != first)]
    folders = [_folder(package, BuildType.RELEASE, level) for level in levels]
    return [wheel.path for folder in folders for wheel in standing(folder, package, version).wheels]


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


def _folder(package: Package, build_type: BuildType, level: str) -> Path:
    return package.build_folder / "packpack" / Bundle.SINGLE.value / build_type.value / level


def _none(package: Package, version: Version, level: str) -> UsageError:
    levels = _levels(level)
    debug = [each for each in levels if files_of(_folder(package, BuildType.DEBUG, each), package, version)]
    msg = f"there is no release wheel of {package.name} {version}" + (f" of level {level}" if level else "")
    if debug:
        msg += f", only debug ones of level {' and '.join(debug)}, which are not for an index"
    build = f"pypackpack build {package.name} source single --type release --level {level or (debug or ['native'])[-1]}"
    return UsageError(msg, hint=f"Build it first: `{build}`.")


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
