"""``pypackpack release`` and ``releases.toml``: which wheels are primaries, and which numbers of patches are taken.

The file belongs under version control. The wheels' bytes lie in the user's cache, in a folder that pruning and clearing do not
touch, and never in ``build/`` alone, which ``clean`` empties.
"""

from __future__ import annotations

import json
from dataclasses import astuple, fields
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pypackpack.backend import filesystem
from pypackpack.client.patch import PatchError, read_patch
from pypackpack.middleware.bundle.current import standing
from pypackpack.middleware.patch.make import name_of, read_identity
from pypackpack.middleware.project.toml import read_toml
from pypackpack.model.build import Level
from pypackpack.model.errors import ConflictError, DamagedArtifactError, SettingsError, UsageError
from pypackpack.model.names import normalise
from pypackpack.model.patch import Primary, ReleasedPatch, ReleaseResult, Releases

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from packaging.version import Version

    from pypackpack.model.project import Package, Project

FILE: Final = "releases.toml"
KEPT: Final = "releases-v1"
"""The folder of the user's cache that has the bytes of primaries, by their digest."""
_HEAD: Final = "# Written by `pypackpack release`. Keep it under version control: it says what patches are made against.\n"

_Entry = TypeVar("_Entry", Primary, ReleasedPatch)


def read_releases(package: Package) -> Releases:
    """Return what a package has released; nothing where there is no file.

    Raises:
        SettingsError: The file is not what `release` writes.
        FilesystemError: It cannot be read.
    """
    file = package.root / FILE
    if not file.exists():
        return Releases()
    content = read_toml(file)
    if unknown := sorted(set(content) - {"wheel", "patch"}):
        msg = f"{file}: {unknown[0]}: only wheel and patch are known"
        raise SettingsError(msg, hint="Bring the file back from version control.")
    return Releases(_entries(file, content, "wheel", Primary), _entries(file, content, "patch", ReleasedPatch))


def _entries(file: Path, content: dict[str, Any], key: str, kind: type[_Entry]) -> tuple[_Entry, ...]:
    rows = content.get(key, [])
    types = {each.name: int if each.type == "int" else str for each in fields(kind)}
    found = []
    for row in rows if isinstance(rows, list) else [rows]:
        if not isinstance(row, dict) or {name: type(value) for name, value in row.items()} != types:
            msg = f"{file}: {key}: an entry should have {', '.join(types)}, and nothing else"
            raise SettingsError(msg, hint="Bring the file back from version control.")
        found.append(kind(**row))
    return tuple(found)


def _write(file: Path, releases: Releases) -> None:
    lines = [_HEAD]
    for key, entries in (("wheel", releases.primaries), ("patch", releases.patches)):
        for entry in entries:
            # JSON's strings are TOML's, too (toml.io/en/v1.0.0#string): nothing is escaped in JSON that TOML does not know.
            pairs = zip((each.name for each in fields(entry)), astuple(entry), strict=True)
            lines += [f"[[{key}]]", *(f"{name} = {json.dumps(value)}" for name, value in pairs), ""]
    filesystem.write_atomic(file, "\n".join(lines))


def kept_wheel(project: Project, primary: Primary) -> Path:
    """Return where the bytes of a primary lie on this machine, or would lie."""
    return filesystem.cache_folder(project.cache.folder) / KEPT / primary.sha256 / primary.file


def package_of(project: Project, name: str) -> Package:
    """Return a package.

    Raises:
        UsageError: There is none of that name.
    """
    package = project.package(name)
    if package is None:
        there = ", ".join(item.name for item in project.packages) or "none yet"
        msg = f"the project {project.name} has no package {name} (it has: {there})"
        raise UsageError(msg, hint="Add it with: pypackpack package add " + name)
    return package


def release(project: Project, name: str) -> ReleaseResult:
    """Record the release wheels and patches of a package that stand in ``build/``, and keep the wheels' bytes.

    Of the wheels, those of its present version and settings (`pypackpack.middleware.bundle.current`). What is recorded already,
    with the same content, stays as it is.

    Raises:
        UsageError: There is no such package, nothing that could be released, or two wheels are for the same.
        ConflictError: Something of that name, or a patch of that number, was released before with another content.
        DamagedArtifactError: A wheel or a patch is damaged.
        FilesystemError: Something cannot be read or written.
    """
    package = package_of(project, name)
    packed = package.build_folder / "packpack"
    with filesystem.lock(package.build_folder / ".lock"):
        before = read_releases(package)
        paths, left_out = _current_wheels(package, packed / "single" / "release")
        wheels = [_primary(path) for path in paths]
        patches, old = _current_patches(package, packed / "patch" / "release", before)
        left_out = (*left_out, *old)
        if not wheels and not patches:
            msg = f"{package.name} {package.version} has nothing in build/ that could be released"
            hint = f"Build it first: pypackpack build {package.name} source single --type release"
            raise UsageError(msg, hint=hint, details="\n".join(f"{name} is {reason}" for name, reason in left_out))
        fresh = [(each, path) for each, path in wheels if _is_fresh(each, before.primaries)]
        primaries = (*before.primaries, *(each for each, _ in fresh))
        fresh_patches = tuple(each for each in patches if _is_fresh(each, before.patches))
        for patch in fresh_patches:
            if patch.version not in {primary.version for primary in primaries}:
                msg = f"{patch.file} is a patch of {package.name} {patch.version}, which was not released"
                raise UsageError(msg, hint=f"Release that version first, or remove the patch from {packed / 'patch'}.")
        for each, path in wheels:
            _keep(project, each, path)
        after = Releases(primaries, (*before.patches, *fresh_patches))
        if after != before:
            _write(package.root / FILE, after)
    names = {each.file for each, _ in fresh} | {each.file for each in fresh_patches}
    standing = [*(each.file for each, _ in wheels), *(each.file for each in patches)]
    known = tuple(file for file in standing if file not in names)
    return ReleaseResult(package.root / FILE, tuple(each for each, _ in fresh), fresh_patches, known, left_out)


def _current_wheels(package: Package, folder: Path) -> tuple[list[Path], tuple[tuple[str, str], ...]]:
    """Return the wheels of the package's present version and settings, of all levels; and those left out, with the reason."""
    found: list[Path] = []
    left_out: list[tuple[str, str]] = []
    for level in Level:
        build = f"pypackpack build {package.name} source single --type release --level {level.value}"
        there = standing(folder / level.value, package, version_of(package, package.version), build=build)
        found += [each.path for each in there.wheels]
        left_out += there.left_out
    return found, tuple(left_out)


def _current_patches(
    package: Package, folder: Path, before: Releases
) -> tuple[list[ReleasedPatch], tuple[tuple[str, str], ...]]:
    """Return the patches to the present version, whose wheels a later build has not superseded; and the others, with the reason.

    One that is recorded already stays, whatever the version is by now.
    """
    found: list[ReleasedPatch] = []
    left_out: list[tuple[str, str]] = []
    present = version_of(package, package.version)
    for path in sorted(folder.glob("*/*.whl.patch")):
        patch, wheel = _patch(path)
        result = version_of(package, name_of(wheel)[1].replace("_", "-"))
        there = standing(path.parent, package, result)
        reason = next((reason for name, reason in there.left_out if name == wheel), "")
        if result.public != present.public and patch not in before.patches:
            left_out.append((path.name, f"a patch to {package.name} {result}, and its version is {present} now"))
        elif reason:
            left_out.append((path.name, f"a patch to {wheel}, which is {reason}"))
        else:
            found.append(patch)
    return found, tuple(left_out)


def version_of(package: Package, text: str) -> Version:
    """Return a version of a package.

    Raises:
        SettingsError: It is none (PEP 440).
    """
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - import cost

    try:
        return Version(text)
    except InvalidVersion as error:
        msg = f"{package.root}: {text!r} is no version (PEP 440)"
        raise SettingsError(msg) from error


def _primary(path: Path) -> tuple[Primary, Path]:
    _, version, tag = name_of(path.name)
    found = Primary(
        path.name, version, tag, path.parent.name, read_identity(path), filesystem.sha256_file(path), path.stat().st_size
    )
    return found, path


def primary_of(path: Path) -> Primary:
    """Return a wheel as a primary; its level is what its folder is called.

    Raises:
        UsageError: Its name is none of a wheel.
        DamagedArtifactError: It is damaged.
        FilesystemError: It cannot be read.
    """
    return _primary(path)[0]


def _patch(path: Path) -> tuple[ReleasedPatch, str]:
    """Return a patch as it is recorded, and the file name of the wheel that it leads to."""
    with filesystem.explained("read", path):
        try:
            manifest = read_patch(path)
        except PatchError as error:
            msg = f"{path}: {error}"
            raise DamagedArtifactError(msg, hint="Build it again.") from error
    version, identity = manifest.primary.version, manifest.result.identity
    found = ReleasedPatch(path.name, manifest.number, version, path.parent.name, identity, filesystem.sha256_file(path))
    return found, manifest.result.file


def check_as_released(project: Project, package: Package, paths: Sequence[Path]) -> None:
    """See that wheels whose names are recorded as primaries are these primaries: patches are made against what people have.

    Args:
        project: The project.
        package: Whose wheels they are.
        paths: The wheels; the level of each is what its folder is called.

    Raises:
        ConflictError: One has another content than what was released under its name.
        SettingsError: The record is not what `release` writes.
        DamagedArtifactError: A wheel is damaged.
        FilesystemError: Something cannot be read.
    """
    recorded = read_releases(package).primaries
    for path in paths:
        known = [each for each in recorded if normalise(each.file) == normalise(path.name)]
        # The digest first: it is quicker than the identity, which the same members packed anew have, too.
        if not known or filesystem.sha256_file(path) in {each.sha256 for each in known}:
            continue
        if read_identity(path) in {each.identity for each in known}:
            continue
        level = path.parent.name
        same = next((each for each in known if each.level == level), None)
        if same is None:
            msg = f"{path.name} was released at level {known[0].level}, and the one of level {level} is another, not released"
            hint = f"Deploy that one: `--level {known[0].level}`. Or release this one, too: `pypackpack release {package.name}`."
            raise ConflictError(msg, hint=hint)
        msg = f"{path.name} was released before, with another content ({FILE}); patches are for that one, and refuse this one"
        hint = "Raise the version, build and release that"
        kept = kept_wheel(project, same)
        raise ConflictError(msg, hint=f"{hint}. Or copy what was released over it: {kept}." if kept.is_file() else f"{hint}.")


def _is_fresh(entry: _Entry, known: Sequence[_Entry]) -> bool:
    """Tell whether something is not recorded yet.

    Raises:
        ConflictError: It is, with another content.
    """
    for other in known:
        if normalise(other.file) == normalise(entry.file) and other.level == entry.level:
            if other.identity != entry.identity:
                msg = f"{entry.file} was released before, with another content"
                hint = "A release is what people have: build a patch of it, or give the package another version."
                raise ConflictError(msg, hint=hint)
            return False
    return True


def _keep(project: Project, primary: Primary, path: Path) -> None:
    place = kept_wheel(project, primary)
    if not place.is_file():
        with filesystem.explained("read", path):
            copied = filesystem.place_copy(str(path), place, primary.sha256)
        if not copied:
            msg = f"{path} changed while it was being released"
            raise ConflictError(msg, hint="Run the same command again.")
