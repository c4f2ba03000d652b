"""Core metadata of a package: what goes into the ``.dist-info`` folder and says nothing of how it was built.

Sources of the formats: https://packaging.python.org/specifications/ (pyproject-toml, core-metadata, entry-points,
dependency-specifiers) and PEP 639 for licences.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pypackpack.backend import filesystem
from pypackpack.middleware.bundle.licenses import DEFAULT_PATTERNS, license_files, license_sources
from pypackpack.middleware.project.paths import folder_key, is_relative
from pypackpack.model.errors import FilesystemError, SettingsError
from pypackpack.model.names import normalise

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from packaging.requirements import Requirement
    from pyproject_metadata import StandardMetadata

    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import Target

LOWEST_VERSION = "2.4"
_README_TYPES = {".md": "text/markdown", ".rst": "text/x-rst", ".txt": "text/plain"}
_SCRIPT_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_OBJECT = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*(?P<attribute>:[^\W\d]\w*(?:\.[^\W\d]\w*)*)?(?:\s*\[[\w\s,.-]*\])?")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_PROJECT_TABLES = {"scripts": "console_scripts", "gui-scripts": "gui_scripts"}


@dataclass(frozen=True)
class CoreFiles:
    """The metadata of a distribution.

    Attributes:
        name: As the person wrote it.
        version: In the normal form of PEP 440.
        metadata: Text of ``METADATA``.
        entry_points: Text of ``entry_points.txt``; empty when there are none.
        licenses: Path below ``licenses/`` and bytes of each licence file.
    """

    name: str
    version: str
    metadata: str
    entry_points: str = ""
    licenses: tuple[tuple[str, bytes], ...] = ()

    @property
    def escaped_name(self) -> str:
        """The name as file names have it (PEP 625): lower case, ``_`` for each run of ``-_.``."""
        return normalise(self.name).replace("-", "_")

    @property
    def escaped_version(self) -> str:
        """The version as file names have it."""
        return self.version.replace("-", "_")

    @property
    def dist_info(self) -> str:
        """Name of the metadata folder."""
        return f"{self.escaped_name}-{self.escaped_version}.dist-info"

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield path (below the metadata folder) and bytes of each file."""
        yield "METADATA", self.metadata.encode()
        if self.entry_points:
            yield "entry_points.txt", self.entry_points.encode()
        for path, data in self.licenses:
            yield f"licenses/{path}", data


class _Problems:
    """Everything that is wrong in one pyproject.toml."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._lines: dict[str, str] = {}

    def add(self, key: str, text: str) -> None:
        """Take note; the first problem of a key is the one that is shown."""
        self._lines.setdefault(key, f"{self._file}: {key}: {text}")

    def finish(self, package: str) -> None:
        """Raise all of them, if there are any."""
        if not self._lines:
            return
        lines = list(self._lines.values())
        if len(lines) == 1:
            raise SettingsError(lines[0])
        msg = f"{self._file} has {len(lines)} problems in the metadata of {package}"
        raise SettingsError(msg, hint="Mend each of the lines named here.", details="\n".join(lines))


def core_metadata(
    package: Package,
    project: Project,
    target: Target | None = None,
    references: Mapping[str, str] | None = None,
    extras: Mapping[str, str] | None = None,
    *,
    installed: bool = False,
    version: str = "",
) -> CoreFiles:
    """Make the core metadata of a package from ``[project]`` in its pyproject.toml.

    Requirements of other packages of the project become pins of their present version (``core==1.2.0``): a wheel goes
    to an index, which refuses direct URLs, and the packages of a project are built and released together. A wheel that does not
    go to an index refers to them by ``references`` instead. So it is with what a requirement names by a relative path
    (``thing @ ./libs/thing``), which means nothing once the metadata has left this folder.

    Args:
        package: The package.
        project: Its project: licence and readme may lie in it, and other packages.
        target: Whose own dependencies (those that no marker can say) are added; None for a wheel of all targets.
        references: What other packages of the project, and folders that requirements name, are referred to by: normalised name,
            or absolute path with ``/`` → URL (PEP 508, direct references).
        extras: Name → the one requirement of extras that come on top of those in the file, which then may say so
            (``dynamic = ["optional-dependencies"]``).
        installed: Whether the metadata stays beside what it requires, as in an environment: then a requirement with a relative
            path is its name alone.
        version: The version instead of the one in the file: that of a patched release.

    Raises:
        SettingsError: Wrong metadata; each problem with file and dotted key.
        FilesystemError: A file cannot be read.
    """
    file = package.root / "pyproject.toml"
    problems = _Problems(str(file))
    table = _read(file)
    dynamic = table.get("dynamic")
    # Of a package nothing is dynamic, yet the word has a use: an installer that reads this file by itself (uv) then asks us, and
    # learns from where other packages of the project come (ADR 0020). It may stand beside what it adds to (PEP 808).
    if dynamic and dynamic != ["optional-dependencies"]:
        words = ", ".join(map(str, dynamic)) if isinstance(dynamic, list) else str(dynamic)
        problems.add("project.dynamic", f"{words} cannot be dynamic: pypackpack reads all metadata from this file; write it out")
    table.pop("dynamic", None)
    if version:
        table["version"] = version
    clean = dict(table)
    _prepare_readme(clean, package, project, problems)
    _prepare_license(clean, package, project, problems)
    clean.pop("license-files", None)
    licenses = license_files(table.get("license-files"), package.root, project.root, problems.add)
    metadata = _checked(clean, problems)
    points = _entry_points(table, problems)
    if metadata is None:
        problems.finish(package.name)
        raise AssertionError
    requirements = _Requirements(package, project, problems, references or {}, installed=installed)
    metadata.dependencies = requirements.all_of(metadata.dependencies, target)
    metadata.optional_dependencies = {
        extra: requirements.pinned(items, f"project.optional-dependencies.{extra}")
        for extra, items in metadata.optional_dependencies.items()
    }
    for extra, line in (extras or {}).items():
        if normalise(extra) in map(normalise, metadata.optional_dependencies):
            key = f"project.optional-dependencies.{extra}"
            problems.add(key, "is the name of a package of the project, whose extra it is; choose another name")
        metadata.optional_dependencies[extra] = requirements.given(line)
    text = _text(metadata, [path for path, _ in licenses], problems)
    problems.finish(package.name)
    return CoreFiles(metadata.name, str(metadata.version), text, points, licenses)


def metadata_sources(package: Package, project: Project) -> tuple[list[Path], tuple[str, ...]]:
    """Return every file that a package's metadata is made of, sorted, and the patterns by which a new one would be found.

    Where the settings are wrong, as far as they can be read; whoever makes the metadata says what is wrong.
    """
    files = {package.root / "pyproject.toml", project.root / "pyproject.toml"}
    patterns: object = None
    with contextlib.suppress(SettingsError, FilesystemError):
        table = _read(package.root / "pyproject.toml")
        patterns = table.get("license-files")
        for value in (table.get("readme"), table.get("license")):
            word = value.get("file") if isinstance(value, dict) else value
            if isinstance(word, str) and "\0" not in word and (package.root / word).is_file():
                files.add(package.root / word)
    files.update(license_sources(patterns, package.root, project.root).values())
    named = tuple(word for word in patterns if isinstance(word, str)) if isinstance(patterns, list) else DEFAULT_PATTERNS
    return sorted(Path(os.path.normpath(file)) for file in files), named


def frozen_requirement(line: str, package: Package, project: Project, references: Mapping[str, str]) -> str:
    """Return a requirement as the metadata has it, if it is about another package of the project or a folder; any other as it is.

    Args:
        line: The requirement, which `core_metadata` found nothing wrong in.
        package: Whose it is.
        project: Its project.
        references: See `core_metadata`.
    """
    from packaging.requirements import Requirement  # noqa: PLC0415 - import cost

    parsed = Requirement(line)
    problems = _Problems(str(package.root / "pyproject.toml"))
    (frozen,) = _Requirements(package, project, problems, references, installed=False).pinned([parsed], "project.dependencies")
    return line if frozen is parsed else str(frozen)


def _read(file: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(filesystem.read_bytes(file).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{file} is not TOML: {error}"
        raise SettingsError(msg) from error
    table = content.get("project")
    if not isinstance(table, dict):
        msg = f"{file}: project: the table is missing; a package needs its name and version there"
        raise SettingsError(msg)
    return dict(table)


def _text_of(word: str, key: str, package: Package, project: Project, problems: _Problems) -> str | None:
    """Read a text file that a key names; it may lie anywhere in the project."""
    path = package.root / word
    if not path.resolve().is_relative_to(project.root.resolve()):
        problems.add(key, f"{word} lies outside of the project; copy the file into it")
        return None
    if not path.is_file():
        problems.add(key, f"{word} is not there (looked in {package.root})")
        return None
    try:
        # Line ends are a matter of the checkout, not of the text: the wheel must not depend on them.
        return filesystem.read_bytes(path).decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        problems.add(key, f"{word} is not UTF-8: {error.reason} at byte {error.start}")
        return None


def _prepare_readme(clean: dict[str, Any], package: Package, project: Project, problems: _Problems) -> None:
    """Turn every form of ``readme`` into its text with a content type; what has no right form stays for the library."""
    readme = clean.get("readme")
    if isinstance(readme, str):
        suffix = readme[readme.rfind(".") :].lower() if "." in readme else ""
        kind = _README_TYPES.get(suffix)
        if kind is None:
            problems.add(
                "project.readme", f"{readme}: the content type follows from .md, .rst or .txt; or write {{file, content-type}}"
            )
            kind = "text/plain"
        text = _text_of(readme, "project.readme", package, project, problems)
        clean["readme"] = {"text": text or "-", "content-type": kind}
    elif isinstance(readme, dict):
        kind = readme.get("content-type")
        if isinstance(kind, str) and kind.partition(";")[0].strip() not in _README_TYPES.values():
            problems.add("project.readme.content-type", f"{kind!r} is none of {', '.join(_README_TYPES.values())}")
        if isinstance(readme.get("file"), str) and "text" not in readme:
            text = _text_of(readme["file"], "project.readme.file", package, project, problems)
            clean["readme"] = {**{key: value for key, value in readme.items() if key != "file"}, "text": text or "-"}


def _prepare_license(clean: dict[str, Any], package: Package, project: Project, problems: _Problems) -> None:
    """Check an SPDX expression and write it in its normal form; read the file of the old form."""
    value = clean.get("license")
    if isinstance(value, dict) and "license-files" in clean:
        problems.add("project.license-files", "cannot stand beside the old form of license, a table; write an SPDX expression")
    if isinstance(value, str):
        from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression  # noqa: PLC0415 - import cost

        try:
            clean["license"] = canonicalize_license_expression(value)
        except InvalidLicenseExpression as error:
            problems.add("project.license", f"{value!r} is no SPDX expression ({error}); see https://spdx.org/licenses")
    elif isinstance(value, dict) and isinstance(value.get("file"), str) and "text" not in value:
        text = _text_of(value["file"], "project.license.file", package, project, problems)
        clean["license"] = {**{key: item for key, item in value.items() if key != "file"}, "text": text or "-"}


def _checked(clean: dict[str, Any], problems: _Problems) -> StandardMetadata | None:
    """Let the library check the whole table; None when it is not right."""
    from pyproject_metadata import StandardMetadata  # noqa: PLC0415 - import cost
    from pyproject_metadata.errors import ConfigurationError, ExceptionGroup  # noqa: PLC0415 - import cost

    class Quiet(StandardMetadata):
        """Raises and never warns: warnings are global, and builds run in threads."""

        def validate(self, *, warn: bool = True) -> None:
            """Check; ``warn`` is not heeded."""
            super().validate(warn=warn and False)

    for key in _unknown_keys(clean):
        problems.add(f"project.{key}", "pyproject.toml has no such key")
    try:
        metadata = Quiet.from_pyproject({"project": clean}, allow_extra_keys=True, all_errors=True)
    except ExceptionGroup as group:
        for error in group.exceptions:
            key = (error.key if isinstance(error, ConfigurationError) else None) or "project"
            text = re.sub(rf'^(?:Field )?"{re.escape(key)}" ?', "", str(error))
            problems.add(key, "is missing" if text.startswith("missing") else text)
        return None
    for extra in metadata.optional_dependencies:
        if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", extra):
            problems.add(f"project.optional-dependencies.{extra}", "is no name for an extra: letters, digits and - _ . inside")
    if metadata.description and "\n" in metadata.description:
        problems.add("project.description", "has more than one line; the long text belongs into the readme")
    return metadata


def _unknown_keys(clean: Mapping[str, Any]) -> list[str]:
    from pyproject_metadata.constants import KNOWN_PROJECT_FIELDS  # noqa: PLC0415 - import cost

    return sorted(set(clean) - KNOWN_PROJECT_FIELDS)


class _Requirements:
    """Requirements as they go into the metadata."""

    def __init__(
        self, package: Package, project: Project, problems: _Problems, references: Mapping[str, str], *, installed: bool
    ) -> None:
        self._package = package
        self._problems = problems
        self._references = references
        self._installed = installed
        self._locals = {normalise(other.name): other for other in project.packages if other.root != package.root}

    def all_of(self, written: list[Requirement], target: Target | None) -> list[Requirement]:
        """Return those of ``[project] dependencies``, then the target's own, then local packages that none of them named."""
        from packaging.requirements import Requirement  # noqa: PLC0415 - import cost

        result = self.pinned(written, "project.dependencies")
        if target is not None:
            key = f"tool.pypackpack.target.{target.name}.dependencies"
            lines = self._package.target_dependencies.get(target.name, ())
            parsed = (self._parsed(line, f"{key}[{number}]") for number, line in enumerate(lines))
            result += self.pinned([item for item in parsed if item is not None], key)
        named = {normalise(item.name) for item in result}
        missing = (other for other in self._package.local_dependencies if normalise(other) not in named)
        result += [self._pin(Requirement(other), "project.dependencies") for other in missing]
        return list({str(item): item for item in result}.values())

    def _parsed(self, line: str, key: str) -> Requirement | None:
        from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - import cost

        try:
            return Requirement(line)
        except InvalidRequirement as error:
            self._problems.add(key, f"{line!r} is no requirement: {str(error).splitlines()[0]}")
            return None

    @staticmethod
    def given(line: str) -> list[Requirement]:
        """Return the requirement of a line that we wrote ourselves."""
        from packaging.requirements import Requirement  # noqa: PLC0415 - import cost

        return [Requirement(line)]

    def pinned(self, written: list[Requirement], key: str) -> list[Requirement]:
        """Return them with the project's own packages pinned."""
        return [self._pin(item, f"{key}[{number}]") for number, item in enumerate(written)]

    def _pin(self, item: Requirement, key: str) -> Requirement:
        from packaging.requirements import Requirement  # noqa: PLC0415 - import cost
        from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - import cost

        other = self._locals.get(normalise(item.name))
        if other is None:
            return self._placed(item, key) if item.url and is_relative(item.url) else item
        try:
            version = Version(other.version)
        except InvalidVersion:
            self._problems.add(key, f"the package {other.name} has the version {other.version!r}, which is none (PEP 440)")
            return item
        if not item.specifier.contains(version, prereleases=True):
            self._problems.add(key, f"{item} does not take {other.name} {version}, which is the one in this project")
        extras = f"[{','.join(sorted(item.extras))}]" if item.extras else ""
        marker = f"; {item.marker}" if item.marker else ""
        url = self._references.get(normalise(other.name))
        if url is not None:
            return Requirement(f"{other.name}{extras} @ {url} {marker}")  # without the space the marker would belong to the URL
        return Requirement(f"{other.name}{extras}=={version}{marker}")

    def _placed(self, item: Requirement, key: str) -> Requirement:
        """Return a requirement with what its relative path stands for."""
        from packaging.requirements import Requirement  # noqa: PLC0415 - import cost

        result = Requirement(str(item))
        result.url = None if self._installed else self._references.get(folder_key(self._package.root, item.url or ""))
        if result.url is None and not self._installed:
            self._problems.add(
                key,
                f"{item.name} comes from {item.url}, a path of this project: whoever installs the wheel does not have it; "
                "name a URL or a version of an index, or make it a package of the project",
            )
        return result


def _entry_points(table: Mapping[str, Any], problems: _Problems) -> str:
    """Return the text of ``entry_points.txt``, groups and names sorted."""
    groups: dict[str, dict[str, str]] = {}
    scripts: dict[str, str] = {}
    for key, group in _PROJECT_TABLES.items():
        for name, value in _strings(table.get(key)).items():
            where = f"project.{key}.{name}"
            if not _SCRIPT_NAME.fullmatch(name):
                problems.add(where, "a script's name has letters, digits and - _ . only")
            if name.lower() in scripts:
                problems.add(where, f"would overwrite the script of {scripts[name.lower()]}")
            scripts.setdefault(name.lower(), where)
            _check_object(value, where, problems, function=True)
            groups.setdefault(group, {})[name] = value.strip()
    given = table.get("entry-points")
    for group, entries in given.items() if isinstance(given, dict) else ():
        if group in _PROJECT_TABLES.values():
            right = next(key for key, name in _PROJECT_TABLES.items() if name == group)
            problems.add(f"project.entry-points.{group}", f"belongs into project.{right}")
            continue
        for name, value in _strings(entries).items():
            where = f"project.entry-points.{group}.{name}"
            if not name or name != name.strip() or "=" in name or name[0] in "[#;" or not name.isprintable():
                problems.add(where, f"{name!r} cannot be an entry point's name")
            _check_object(value, where, problems, function=False)
            groups.setdefault(group, {})[name] = value.strip()
    blocks = ("".join(f"{name} = {groups[group][name]}\n" for name in sorted(groups[group])) for group in sorted(groups))
    return "\n".join(f"[{group}]\n{block}" for group, block in zip(sorted(groups), blocks, strict=True))


def _strings(value: object) -> dict[str, str]:
    """Return the pairs of text of a table; wrong types are reported by the library."""
    return {key: item for key, item in value.items() if isinstance(item, str)} if isinstance(value, dict) else {}


def _check_object(value: str, key: str, problems: _Problems, *, function: bool) -> None:
    match = _OBJECT.fullmatch(value.strip())
    if match is None or (function and not match["attribute"]):
        problems.add(
            key, f'expected "module:function", found {value!r}' if function else f'expected "module:object", found {value!r}'
        )


def _text(metadata: StandardMetadata, licenses: list[str], problems: _Problems) -> str:
    """Return the text of METADATA.

    The library's message is written out here and not by ``email``, whose folding differs between versions of Python.
    """
    metadata.metadata_version = max(LOWEST_VERSION, metadata.auto_metadata_version)
    message = metadata.as_rfc822()
    lines: list[str] = []
    for name, value in message.raw_items():
        if found := _CONTROL.search(str(value)):
            problems.add("project", f"the value of {name} has the control character {found[0]!r}")
        lines.append(f"{name}: {value}")
    lines += [f"License-File: {path}" for path in licenses]
    body = message.get_payload()
    text = "\n".join(lines) + "\n"
    return f"{text}\n{body}" if isinstance(body, str) and body else text
