"""What a wheel is: by the report in it where pypackpack made it, else by its files alone."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from email.parser import BytesHeaderParser
from typing import TYPE_CHECKING, Protocol

from pypackpack.backend import filesystem
from pypackpack.backend.zip_reader import ZipReader
from pypackpack.middleware.bundle.paths import problem_with
from pypackpack.middleware.bundle.report import FILE, read_report
from pypackpack.model.errors import DamagedArtifactError
from pypackpack.model.inspection import ABI3, BYTECODE, EXTENSION, SOURCE, VERSION, InspectedFile, InspectedModule, Inspection

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pypackpack.backend.zip_reader import Entry
    from pypackpack.model.inspection import CarriedFolder, InspectedDependency, ModuleForm, WheelReport

MOST_METADATA = 8 << 20
"""Bytes that METADATA, WHEEL and the report may have each."""

MOST_RECORD = 64 << 20
"""Bytes that a RECORD of something carried may have."""

_NAME = re.compile(
    r"(?P<name>[^-/]+)-(?P<version>[^-/]+)(-(?P<build>\d[^-/]*))?-(?P<tags>[^-/]+-[^-/]+-[^-/]+)\.whl", re.IGNORECASE
)
_CACHED = re.compile(r"(?:(?P<folder>.*)/)?__pycache__/(?P<stem>[^/.]+)\.[^/]*\.pyc")
_BOUND = re.compile(r"\.(?:cpython-\d\w*(?:-[\w-]+)?|cp\d\w*(?:-[\w-]+)?|pypy\w+(?:-[\w-]+)?|graalpy\w+(?:-[\w-]+)?)")
_SCHEME = re.compile(r"\A[^/]+\.data/(?:purelib|platlib)/")
_LIBRARIES = re.compile(r"(?:^|/)(?:[^/]*\.libs|\.libs|\.dylibs|lib[^/]*\.so[^/]*|lib[^/]*\.dylib)(?:/|$)")
_RANK = {EXTENSION: 0, SOURCE: 1, BYTECODE: 2}
"""Which form Python takes where there are several: importlib's order of suffixes."""


class Listed(Protocol):
    """A file of an artifact: its path, and its bytes uncompressed."""

    @property
    def path(self) -> str:
        """Its path, with ``/``."""

    @property
    def size(self) -> int:
        """Its bytes."""


@dataclass(frozen=True)
class _Found:
    """A file that can be imported."""

    module: str
    form: str
    scope: str
    entry: Listed
    cached: bool = False


def inspect_wheel(path: Path) -> Inspection:
    """Return what is known of a wheel.

    Raises:
        DamagedArtifactError: It is damaged, or no wheel.
        FilesystemError: It cannot be read.
    """
    matched = _NAME.fullmatch(path.name)
    if matched is None:
        msg = f"{path}: the name of a wheel is <name>-<version>-<python>-<abi>-<platform>.whl"
        raise DamagedArtifactError(msg, hint="Give it its own name back.")
    with filesystem.explained("read", path), path.open("rb") as stream:
        archive = ZipReader(stream, path)
        entries = _sound(archive.entries, path)
        info = _dist_info(entries, path)
        read = {
            name: archive.read(entries[place], MOST_METADATA)
            for name in ("METADATA", "WHEEL", FILE)
            if (place := f"{info}/{name}") in entries
        }
        size = stream.seek(0, 2)
        report, notes = _report(read.get(FILE))
        carried: tuple[InspectedDependency, ...] = ()
        if report is not None and report.carried is not None:
            modules, data, carried = _carried(archive, entries, report, report.carried)
        else:
            modules, data = parted(entries, info, report)
    for name in ("METADATA", "WHEEL"):
        if name not in read:
            raise _no_wheel(path, f"{info} has no {name}")
    metadata, wheel = (BytesHeaderParser().parsebytes(read[name]) for name in ("METADATA", "WHEEL"))
    if report is not None:
        notes += _missing(report, entries)
    made_by = _line(wheel["Generator"])
    level = report.level if report else _level(modules, made_by)
    if not level and not notes and any(module.form == EXTENSION for module in modules):
        notes = ("it does not say why its modules are what they are; this is what its files show",)
    return Inspection(
        kind="wheel",
        path=path,
        size=size,
        sha256=filesystem.sha256_file(path),
        name=_line(metadata["Name"]) or matched["name"],
        version=_line(metadata["Version"]) or matched["version"],
        tags=tuple(_line(tag) for tag in wheel.get_all("Tag", [])) or (matched["tags"],),
        requires_python=_line(metadata["Requires-Python"]),
        made_by=made_by,
        level=level,
        type=report.type if report else _type(modules, made_by),
        python=report.python if report else "",
        compiler=report.compiler if report else None,
        toolchain=report.toolchain if report else None,
        modules=modules,
        data=data,
        notes=notes,
        dependencies=carried,
    )


@dataclass(frozen=True)
class _Below:
    """A file by its path below the folder that a fat wheel carries."""

    path: str
    size: int


def _carried(
    archive: ZipReader, entries: Mapping[str, Entry], report: WheelReport, folder: CarriedFolder
) -> tuple[tuple[InspectedModule, ...], tuple[InspectedFile, ...], tuple[InspectedDependency, ...]]:
    """Part what a fat wheel carries: modules and data of its own packages, and the dependencies."""
    from pypackpack.middleware.inspect.tree import dependencies, owners  # noqa: PLC0415 - the two know each other

    start = f"{folder.folder}/"
    below = {
        path.removeprefix(start): _Below(path.removeprefix(start), each.size)
        for path, each in entries.items()
        if path.startswith(start)
    }

    def read(path: str) -> bytes:
        return archive.read(entries[start + path], MOST_RECORD)

    told = {each.name: (each.version, each.level) for each in folder.distributions}
    whose = owners(below, read)
    own = {
        path: file
        for path, file in below.items()
        if whose.get(path) not in told and not path.partition("/")[0].endswith(".dist-info")
    }
    inside = tuple(replace(form, file=form.file.removeprefix(start)) for form in report.modules)
    modules, data = parted(own, "", replace(report, modules=inside))
    return (
        tuple(replace(each, file=start + each.file) for each in modules),
        tuple(replace(each, path=start + each.path) for each in data),
        dependencies(told, below, whose),
    )


def _no_wheel(path: Path, what: str) -> DamagedArtifactError:
    return DamagedArtifactError(f"{path} is no wheel: {what}", hint="Get or build the file again.")


def _line(value: object) -> str:
    """Return a header as one line; headers of foreign files may be anything."""
    return "" if value is None else " ".join(str(value).split())


def _sound(entries: Iterable[Entry], path: Path) -> dict[str, Entry]:
    """Return the files by their path; no wheel has two of one path, or one that leads elsewhere."""
    found: dict[str, Entry] = {}
    for entry in entries:
        if problem := problem_with(entry.path.removesuffix("/")):
            raise _no_wheel(path, f"the path {entry.path[:200]!r} in it {problem}")
        if entry.path.endswith("/"):
            continue
        if entry.path in found:
            raise _no_wheel(path, f"it holds {entry.path!r} twice")
        found[entry.path] = entry
    return found


def _dist_info(entries: Iterable[str], path: Path) -> str:
    folders = sorted({place.partition("/")[0] for place in entries if place.partition("/")[0].endswith(".dist-info")})
    if len(folders) != 1:
        raise _no_wheel(path, f"it has {', '.join(folders[:5])} and more" if folders[1:] else "it has no .dist-info folder")
    return folders[0]


def _report(data: bytes | None) -> tuple[WheelReport | None, tuple[str, ...]]:
    if data is None:
        return None, ()
    try:
        return read_report(data), ()
    except ValueError as error:
        return None, (f"its {FILE} cannot be used ({error}); this is what its files show",)


def _missing(report: WheelReport, entries: Mapping[str, Entry]) -> tuple[str, ...]:
    gone = sorted({form.file for form in report.modules if form.file not in entries})
    return (f"its {FILE} names {len(gone)} files that are not in it, {gone[0]!r} first",) if gone else ()


def parted(
    entries: Mapping[str, Listed], info: str, report: WheelReport | None
) -> tuple[tuple[InspectedModule, ...], tuple[InspectedFile, ...]]:
    """Part the files of an artifact into modules and data.

    Args:
        entries: Path → file.
        info: The folder of its metadata, which is neither.
        report: What it says of itself.
    """
    by_module: dict[str, list[_Found]] = {}
    data: list[InspectedFile] = []
    for place, entry in entries.items():
        if place.startswith(f"{info}/"):
            continue
        found = _module(entry)
        if found is None:
            data.append(InspectedFile(place, entry.size))
        else:
            by_module.setdefault(found.module, []).append(found)
    told = {form.module: form for form in report.modules} if report else {}
    modules = [_seen(found, told.get(name)) for name, found in by_module.items()]
    # Modules that have no file of their own: they live in one extension module for the whole package.
    modules += [
        InspectedModule(name, form.file, form.form, form.scope, (), entries[form.file].size, form.reason, form.compiler)
        for name, form in told.items()
        if name not in by_module and form.file in entries
    ]
    return tuple(sorted(modules, key=lambda each: each.module)), tuple(sorted(data, key=lambda each: each.path))


def _seen(found: list[_Found], told: ModuleForm | None) -> InspectedModule:
    first, *others = sorted(found, key=lambda each: (each.cached, _RANK[each.form], each.entry.path))
    also = tuple(dict.fromkeys(each.form for each in others))
    is_told = told is not None and told.form == first.form
    scope = told.scope if told and is_told else first.scope
    compiler = told.compiler if told and is_told else None
    form = BYTECODE if told and told.form == BYTECODE and BYTECODE in also else first.form
    if form != first.form:  # source that has its bytecode beside it: that is what runs
        also = (first.form, *(each for each in also if each != BYTECODE))
    reason = told.reason if told else ""
    return InspectedModule(first.module, first.entry.path, form, scope, also, first.entry.size, reason, compiler)


def _module(entry: Listed) -> _Found | None:
    """Return what a file is to Python's import system; None where that is nothing."""
    place = _SCHEME.sub("", entry.path)
    if place.partition("/")[0].endswith(".data"):
        return None
    if cached := _CACHED.fullmatch(place):
        name = _dotted(cached["folder"], cached["stem"])
        return _Found(name, BYTECODE, "", entry, cached=True) if name else None
    folder, _, file = place.rpartition("/")
    stem, _, suffix = file.partition(".")
    if suffix in ("py", "pyc"):
        name = _dotted(folder, stem)
        return _Found(name, SOURCE if suffix == "py" else BYTECODE, "", entry) if name else None
    if file.endswith((".so", ".pyd")) and not _LIBRARIES.search(place):
        name = _dotted(folder, stem)
        middle = file[len(stem) :].rpartition(".")[0]
        scope = ABI3 if middle == ".abi3" else VERSION if _BOUND.fullmatch(middle) else ""
        return _Found(name, EXTENSION, scope, entry) if name and (scope or not middle) else None
    return None


def _dotted(folder: str | None, stem: str) -> str:
    """Return a module's name; empty where the path is none that can be imported."""
    parts = [*(folder.split("/") if folder else []), stem]
    if not all(part.isidentifier() for part in parts):
        return ""
    return ".".join(parts[:-1] if parts[-1] == "__init__" and parts[1:] else parts)


def _level(modules: Iterable[InspectedModule], made_by: str) -> str:
    """Return the level of a wheel of ours that has no report, since its files tell: those of level native have one.

    Extension modules in it are of native sources, which have no other form.
    """
    forms = {form for module in modules for form in (module.form, *module.also)}
    if not made_by.startswith("pypackpack ") or not forms & {BYTECODE, SOURCE}:
        return ""
    return "bytecode" if BYTECODE in forms else "instant"


def _type(modules: Iterable[InspectedModule], made_by: str) -> str:
    """Return the type likewise: a release of bytecode has no sources."""
    if _level(modules, made_by) != "bytecode":
        return ""
    return "debug" if any(SOURCE in (module.form, *module.also) for module in modules) else "release"
