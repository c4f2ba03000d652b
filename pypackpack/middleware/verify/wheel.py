"""Whether a wheel is what it says: its archive, its ``RECORD``, its names, its bytecode and its machine code.

All that is wrong is said at once. ``reading`` reads, ``record``, ``bytecode`` and ``modules`` have rules of their own.
"""

from __future__ import annotations

import json
import re
from email.parser import BytesHeaderParser
from typing import TYPE_CHECKING, Final

from pypackpack.backend import filesystem
from pypackpack.backend.zip_reader import ZipReader
from pypackpack.middleware.bundle.paths import tell_case
from pypackpack.middleware.bundle.sbom import FILE as SBOM
from pypackpack.middleware.verify import bytecode, reading
from pypackpack.middleware.verify.audit import audited, tags_of
from pypackpack.middleware.verify.modules import tag_problems
from pypackpack.middleware.verify.record import record
from pypackpack.model.errors import DamagedArtifactError
from pypackpack.model.verification import Check, Verification

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from pypackpack.middleware.verify.modules import Tags
    from pypackpack.middleware.verify.reading import Seen

_MOST_FIELDS: Final = 20_000
_MOST_NAMES: Final = 200
"""Fields of METADATA, and different names of them: there are some thirty."""
_BEFORE_LICENSES: Final = ("1.0", "1.1", "1.2", "2.1", "2.2", "2.3")
"""Versions of METADATA in which ``License-File`` was a word of some tools, and meant other places (PEP 639 came with 2.4)."""
_NAME: Final = re.compile(
    r"(?P<name>[^-/]+)-(?P<version>[^-/]+)(?:-(?P<build>\d[^-/]*))?-(?P<python>[^-/]+)-(?P<abi>[^-/]+)-(?P<platform>[^-/]+)\.whl",
    re.IGNORECASE,
)


def verify_wheel(path: Path, *, audit: bool = False) -> Verification:
    """Return what is right and wrong with a wheel.

    Args:
        path: The wheel.
        audit: Whether to look, too, at what its machine code loads.

    Raises:
        DamagedArtifactError: It is no archive, or one that cannot be looked into at all.
        FilesystemError: It cannot be read.
    """
    with filesystem.explained("read", path), path.open("rb") as stream:
        size = stream.seek(0, 2)
        digest = filesystem.sha256_file(path)
        checks = wheel_checks(stream, path, audit=audit)
    return Verification(path, "wheel", size, digest, checks)


def wheel_checks(stream: BinaryIO, path: Path, *, audit: bool) -> tuple[Check, ...]:
    """Return what is right and wrong with a wheel's bytes; ``path`` is what it is called. Errors as `verify_wheel`."""
    matched = _NAME.fullmatch(path.name)
    if matched is None:
        msg = f"{path}: the name of a wheel is <name>-<version>-<python>-<abi>-<platform>.whl"
        raise DamagedArtifactError(msg, hint="Give it its own name back.")
    tags = tags_of(path.name)
    archive = ZipReader(stream, path)
    windows = any(tag.system in ("windows", "any") for tag in tags.platforms)
    tells_case = tell_case(path.name[: -len(".whl")].rpartition("-")[2].lower().split("."))
    archived = reading.structure(archive, stream.seek(0, 2), windows=windows, tells_case=tells_case)
    if archived.problems:  # what a hostile archive says of itself is not believed any further
        return (archived,)
    seen = reading.read_wheel(archive)
    archived = Check(archived.name, archived.found, reading.few(seen.damaged))
    checks = [archived, record(seen), _names(seen, matched), *bytecode.check(seen.heads, tags)]
    if seen.native or seen.broken:
        checks.append(_modules(seen, tags))
        if audit:
            checks.append(audited(seen.native, tags, tuple(seen.entries)))
    return tuple(checks)


def _names(seen: Seen, matched: re.Match[str]) -> Check:
    problems = [*seen.large]
    own = f"{matched['name']}-{matched['version']}"
    if seen.info and _escaped(seen.info) != _escaped(f"{own}.dist-info"):
        problems.append(f"its metadata is in {seen.info}, and the file is called {own}-…")
    problems += _metadata(seen, matched)
    problems += _wheel(seen, matched)
    problems += _bills(seen, matched)
    return Check(
        "names",
        f"{matched['name']} {matched['version']}, {matched['python']}-{matched['abi']}-{matched['platform']}",
        reading.few(problems),
    )


def _escaped(text: str) -> str:
    return re.sub(r"[-_.]+", "_", text).lower()


def _metadata(seen: Seen, matched: re.Match[str]) -> list[str]:
    from packaging.errors import ExceptionGroup  # noqa: PLC0415 - import cost
    from packaging.metadata import Metadata  # noqa: PLC0415 - import cost
    from packaging.utils import canonicalize_name, canonicalize_version  # noqa: PLC0415 - import cost

    if "METADATA" not in seen.texts:
        return [] if f"{seen.info}/METADATA" in seen.entries else ["it has no METADATA"]
    head = re.split(rb"\r?\n\r?\n", seen.texts["METADATA"], maxsplit=1)[0]  # some builders end lines as Windows does
    names = [line[:200].partition(b":")[0] for line in head.splitlines() if line[:1].strip()]
    if len(names) > _MOST_FIELDS or len(set(names)) > _MOST_NAMES:  # more than that takes the parser minutes
        return [f"METADATA has {len(names)} fields, with {len(set(names))} names"]
    try:
        found = Metadata.from_email(seen.texts["METADATA"], validate=True)
    except ExceptionGroup as group:
        # Fields that are younger than the version at the top are in wheels of many tools, and indexes take them.
        wrong = [str(error) for error in group.exceptions if "introduced in metadata version" not in str(error)]
        if wrong:
            return [f"METADATA: {each}" for each in wrong]
        found = Metadata.from_email(seen.texts["METADATA"], validate=False)
    except ValueError as error:
        return [f"METADATA cannot be read: {error}"]
    problems = []
    if canonicalize_name(found.name) != canonicalize_name(matched["name"]):
        problems.append(f"METADATA says that it is {found.name}, and the file is called {matched['name']}")
    said = matched["version"].replace("_", "-")
    if canonicalize_version(str(found.version), strip_trailing_zero=False) != canonicalize_version(
        said, strip_trailing_zero=False
    ):
        problems.append(f"METADATA says version {found.version}, and the file is called {matched['version']}")
    if found.metadata_version not in _BEFORE_LICENSES:
        problems += [
            f"METADATA names the licence {each!r}, which is not in {seen.info}/licenses"
            for each in found.license_files or ()
            if f"{seen.info}/licenses/{each}" not in seen.entries
        ]
    return problems


def _wheel(seen: Seen, matched: re.Match[str]) -> list[str]:
    if "WHEEL" not in seen.texts:
        return [] if f"{seen.info}/WHEEL" in seen.entries else ["it has no WHEEL"]
    headers = BytesHeaderParser().parsebytes(seen.texts["WHEEL"])
    problems = []
    version = str(headers.get("Wheel-Version", ""))
    if not re.fullmatch(r"1\.\d+", version):
        problems.append(f"WHEEL has the version {version[:20]!r}, and 1.0 is what there is")
    said = {str(each).strip() for each in headers.get_all("Tag", [])}
    expanded = {
        f"{python}-{abi}-{platform}"
        for python in matched["python"].split(".")
        for abi in matched["abi"].split(".")
        for platform in matched["platform"].split(".")
    }
    if said != expanded:
        wrong = [*(f"{each[:100]} is in WHEEL only" for each in sorted(said - expanded))]
        wrong += [f"{each} is in the file's name only" for each in sorted(expanded - said)]
        problems.append(f"the tags of WHEEL and of the file's name differ: {', '.join(wrong[:6])}")
    if str(headers.get("Root-Is-Purelib", "")).strip().lower() == "true" and seen.native:
        problems.append(f"WHEEL says that it is pure, and {seen.native[0].path} is machine code")
    return problems


def _bills(seen: Seen, matched: re.Match[str]) -> list[str]:
    """Look at bills of materials in CycloneDX JSON, which are about the wheel."""
    problems = []
    for place, data in seen.texts.items():
        if not (place.startswith("sboms/") and place.endswith(".cdx.json")):
            continue
        try:
            content = json.loads(data)
            about = str(content["metadata"]["component"]["name"]) if place == SBOM else ""
            if content["bomFormat"] != "CycloneDX":
                problems.append(f"{place} is no CycloneDX file")
            elif about and _escaped(about) != _escaped(matched["name"]):
                problems.append(f"{place} is about {about[:80]}, and the file is called {matched['name']}")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            problems.append(f"{place} is no CycloneDX file")
    return problems


def _modules(seen: Seen, tags: Tags) -> Check:
    problems = [*seen.broken, *(problem for file in seen.native for problem in tag_problems(file, tags))]
    count = len(seen.native)
    return Check("modules", f"{count} {'file' if count == 1 else 'files'} of machine code", reading.few(problems))
