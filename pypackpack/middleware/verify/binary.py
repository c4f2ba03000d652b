"""Whether the folder of a binary is what its manifest says: every file, its bytecode, its machine code, its metadata.

All that is wrong is said at once. ``bundle.binary_manifest`` reads the manifest, ``folder`` the files.
"""

from __future__ import annotations

import base64
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from pypackpack.backend import filesystem
from pypackpack.backend.records import record_rows
from pypackpack.middleware.bundle.binary import MANIFEST
from pypackpack.middleware.bundle.binary_manifest import tried_manifest
from pypackpack.middleware.bundle.tree import CASELESS
from pypackpack.middleware.inspect.tree import owners
from pypackpack.middleware.target import table
from pypackpack.middleware.verify import bytecode
from pypackpack.middleware.verify.folder import MOST_RECORD, is_record, places, read_files, readable_records
from pypackpack.middleware.verify.modules import Tags, tag_problems
from pypackpack.middleware.verify.platform_tags import platform_tag
from pypackpack.middleware.verify.reading import few, path_problems
from pypackpack.model.errors import DamagedArtifactError, UnknownTargetError
from pypackpack.model.names import normalise
from pypackpack.model.verification import Check, Verification

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pypackpack.middleware.bundle.binary_manifest import BinaryManifest, ListedFile
    from pypackpack.middleware.verify.folder import Contents, Place
    from pypackpack.middleware.verify.modules import NativeFile

_INFO: Final = ".dist-info"
_CACHE: Final = "__pycache__"
_SHOWN: Final = 3


def verify_binary(path: Path) -> Verification:
    """Return what is right and wrong with the folder of a binary; its digest is that of its manifest, which has all others.

    Raises:
        DamagedArtifactError: Its manifest is none.
        FilesystemError: It cannot be read.
    """
    manifest, problems = tried_manifest(path)
    if manifest is None:
        place = path / MANIFEST
        with filesystem.explained("read", place):
            size = place.stat().st_size
        return Verification(path, "binary", size, filesystem.sha256_file(place), (Check("manifest", "", few(problems)),))
    problems = list(_manifest_problems(manifest))
    said = Check("manifest", _facts(manifest), few(problems))
    size = manifest.size + sum(file.size for file in manifest.files)
    if problems:  # what a hostile manifest says is not believed any further
        return Verification(path, "binary", size, manifest.sha256, (said,))
    files = {file.path: file for file in manifest.files}
    there = places(path)
    seen = read_files(path, manifest.files, there)
    count = f"{len(files)} {'file' if len(files) == 1 else 'files'}, each with its digest"
    whole = Check("files", count, few([*seen.problems, *_others(files, there)]))
    tags = _tags(manifest)
    good = [] if whole.problems else [_records(path, files)]
    checks = [said, whole, *good, _names(manifest), *bytecode.check(seen.heads, tags)]
    notes: tuple[str, ...] = ()
    if seen.native or seen.broken:
        modules, notes = _modules(seen, manifest, _theirs(path, manifest, there))
        checks.append(modules)
    return Verification(path, "binary", size, manifest.sha256, tuple(checks), notes)


def _facts(manifest: BinaryManifest) -> str:
    count = len(manifest.dependencies)
    needed = "no dependencies" if not count else "1 dependency" if count == 1 else f"{count} dependencies"
    how = f"{manifest.level}, {manifest.type}"
    return f"{manifest.package} {manifest.version} for {manifest.target}, Python {manifest.python}, {how}, {needed}"


def _manifest_problems(manifest: BinaryManifest) -> Iterator[str]:
    paths = [MANIFEST, *(file.path for file in manifest.files)]
    system = manifest.target.startswith
    yield from path_problems(paths, windows=system("windows"), tells_case=not system(CASELESS))
    yield from (f"the path {path[:200]!r} is that of a folder" for path in paths if path.endswith("/"))
    names = Counter(normalise(each.name) for each in manifest.dependencies)
    yield from (f"the dependency {name} is in it {count} times" for name, count in names.items() if count > 1)
    try:
        target = table.find(manifest.target)
    except UnknownTargetError:
        yield f"its target is {manifest.target!r}, which this version of pypackpack does not know"
        return
    if target.name != manifest.target:
        yield f"its target is {manifest.target!r}, which is called {target.name}"
    elif manifest.series < target.min_python or not target.tags.for_python(manifest.series):
        yield f"its Python is {manifest.python}, which there is not for {target.name}"


def _tags(manifest: BinaryManifest) -> Tags:
    """Return what a wheel for the same target and Python would have for tags."""
    python = "cp{}{}".format(*manifest.series)
    platforms = table.find(manifest.target).tags.for_python(manifest.series)
    return Tags((python,), (python,), tuple(map(platform_tag, platforms)), manifest.target)


def _others(files: Mapping[str, ListedFile], there: Mapping[str, Place]) -> Iterator[str]:
    """Yield what lies there and should not: links and their like, and what the manifest does not name."""
    yield from (f"{path[:200]!r} is {found.wrong}, and a binary has only files" for path, found in there.items() if found.wrong)
    more = [path for path, found in there.items() if not found.wrong and path not in files and path != MANIFEST]
    caches = [path for path in more if path.endswith(".pyc") and _CACHE in path.split("/")]
    known = set(caches)
    yield from (f"{path[:200]!r} is not in the manifest" for path in more if path not in known)
    if caches:
        some = ", ".join(map(repr, caches[:_SHOWN])) + (" …" if len(caches) > _SHOWN else "")
        count = "1 file of bytecode is" if len(caches) == 1 else f"{len(caches)} files of bytecode are"
        todo = f"who imported from the folder left such files; remove each {_CACHE} with them"
        yield f"{count} not in the manifest, and Python runs bytecode instead of the source beside it: {some}; {todo}"


def _records(folder: Path, files: Mapping[str, ListedFile]) -> Check:
    """Look at each ``RECORD``: what it lists has to be there as it says, or ``importlib.metadata`` does not tell the truth."""
    problems: list[str] = []
    listed = 0
    for place in [path for path in files if is_record(path)]:
        if files[place].size > MOST_RECORD:
            problems.append(f"{place} has {files[place].size} bytes, too many to be looked into")
            continue
        try:
            rows = record_rows(filesystem.read_bytes(folder / place), place)
        except DamagedArtifactError as error:
            problems.append(error.message)
            continue
        listed += len(rows)
        problems += [problem for row in rows for problem in _row_problems(place, row, files)]
    return Check("record", f"{listed} {'file' if listed == 1 else 'files'} listed by distributions", few(problems))


def _row_problems(place: str, row: list[str], files: Mapping[str, ListedFile]) -> Iterator[str]:
    path, said, size = [*row, "", ""][:3]
    file = files.get(path)
    if file is None:
        yield f"{place} lists {path[:200]!r}, which is not in it"
    elif path != place:
        digest = base64.urlsafe_b64encode(bytes.fromhex(file.sha256)).rstrip(b"=").decode()
        if said != f"sha256={digest}" or size != str(file.size):
            yield f"{path[:200]!r} is not what {place} says"


def _names(manifest: BinaryManifest) -> Check:
    """Look whether each distribution that the manifest names has its metadata there."""
    folders = {file.path.partition("/")[0] for file in manifest.files if "/" in file.path}
    infos = {folder.removesuffix(_INFO) for folder in folders if folder.endswith(_INFO)}
    problems = [
        f"the manifest names {each.name} {each.version}, and {each.name}-{each.version}{_INFO} is not there"
        for each in manifest.dependencies
        if f"{each.name}-{each.version}" not in infos
    ]
    own = (normalise(manifest.package), _version(manifest.version))
    if own not in {(normalise(name), _version(version)) for name, _, version in (info.partition("-") for info in infos)}:
        problems.insert(0, f"{manifest.package} {manifest.version} has no {_INFO} folder there")
    count = len(infos)
    return Check("names", f"{count} {'distribution' if count == 1 else 'distributions'} with their metadata", few(problems))


def _version(text: str) -> str:
    from packaging.utils import canonicalize_version  # noqa: PLC0415 - import cost

    return canonicalize_version(text.replace("_", "-"), strip_trailing_zero=False)


def _theirs(folder: Path, manifest: BinaryManifest, there: Mapping[str, Place]) -> frozenset[str]:
    """Return the paths of the files that dependencies list; what cannot be read is named elsewhere."""
    names = {each.name for each in manifest.dependencies}
    found: set[str] = set()
    for path in readable_records((file.path for file in manifest.files), there):
        with suppress(DamagedArtifactError):
            whose = owners({path: None}, lambda name: filesystem.read_bytes(folder / name))
            found |= {each for each, name in whose.items() if name in names}
    return frozenset(found)


def _modules(seen: Contents, manifest: BinaryManifest, theirs: frozenset[str]) -> tuple[Check, tuple[str, ...]]:
    """Return what is wrong with machine code, and a note on what is not for the target and nobody's business.

    Dependencies for any platform carry code for several, and load the right one by its path (a debugger does): what Python here
    would import of them, and what other files name as needed, has to be right.
    """
    tags = _tags(manifest)
    needed = {
        name.replace("\\", "/").rpartition("/")[2].lower()
        for file in seen.native
        for image in file.images
        for name in image.needs
    }
    problems, spare = list(seen.broken), []
    for file in seen.native:
        wrong = list(tag_problems(file, tags))
        if file.path in theirs and not _imported(file, manifest) and file.base.lower() not in needed:
            spare += [file.path] if wrong else []
        else:
            problems += wrong
    count = len(seen.native)
    check = Check("modules", f"{count} {'file' if count == 1 else 'files'} of machine code", few(problems))
    if not spare:
        return check, ()
    some = ", ".join(spare[:_SHOWN]) + (" …" if len(spare) > _SHOWN else "")
    those = f"{len(spare)} {'file' if len(spare) == 1 else 'files'} of machine code"
    return check, (f"{those} of dependencies not for {manifest.target}, and nothing here imports or needs it: {some}",)


def _imported(file: NativeFile, manifest: BinaryManifest) -> bool:
    """Tell whether the target's Python would import a file, by its name (``importlib.machinery.EXTENSION_SUFFIXES``)."""
    target = table.find(manifest.target)
    stem, _, rest = file.base.partition(".")
    suffixes = {target.suffix(manifest.series), target.suffix(manifest.series, limited=True)}
    plain = "pyd" if target.object_format == "coff" else "so"
    return bool(stem) and (f".{rest}" in suffixes or (rest == plain and file.is_module))
