"""Reads a wheel that may be hostile once, from front to back, and keeps what its checks need.

One piece of one member is in memory at a time; linked files are held whole, one at a time, up to a limit.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pypackpack.backend import images
from pypackpack.backend.zip_reader import ZipReader
from pypackpack.client.paths import MOST_FOLDERS, caseless, problem_with, windows_problem_with
from pypackpack.middleware.verify.modules import NativeFile
from pypackpack.model.errors import DamagedArtifactError
from pypackpack.model.verification import Check

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from pypackpack.backend.zip_reader import Entry

ALGORITHMS: Final = ("sha256", "sha384", "sha512")
"""What RECORD may use (the standard on recording installed projects: sha256 or better)."""
MOST_TEXT: Final = 32 << 20
"""Bytes that a file of metadata may have."""

_KEPT: Final = {"RECORD": MOST_TEXT, "METADATA": 8 << 20, "WHEEL": 1 << 20}
"""Which files of the metadata folder are looked into, and the bytes that each may have; and bills of materials:"""
_MOST_BILL: Final = 16 << 20
_MOST_BILLS: Final = 32 << 20
_MOST_IMAGE: Final = 1 << 30
_BOMB: Final = 1 << 30
_BOMB_RATIO: Final = 100
"""An archive that unpacks to more than that many bytes, and to so many times its own, is no wheel."""
_MOST_PROBLEMS: Final = 50
_LIBRARY: Final = re.compile(r"\.(?:so|pyd|dll|dylib)(?:\.[\d.]+)?$", re.IGNORECASE)
_MODULE: Final = re.compile(r"\.(?:cpython-\d[\w-]*|abi3)\.so$|\.pyd$", re.IGNORECASE)


@dataclass
class Seen:
    """What was read of a wheel.

    Attributes:
        entries: Its files by their path.
        info: Name of its metadata folder; empty where there is none, or several.
        texts: By path below that folder, the bytes of those of its files that are looked into.
        hashes: By path, the hashes as RECORD writes them, by algorithm; without what is damaged.
        native: Its linked files.
        damaged: What is wrong with the archive.
        broken: What is wrong with linked files.
        large: Files of the metadata that are too large to be looked into.
        heads: By path the first bytes.
    """

    entries: dict[str, Entry]
    info: str
    texts: dict[str, bytes] = field(default_factory=dict)
    hashes: dict[str, dict[str, str]] = field(default_factory=dict)
    native: list[NativeFile] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    large: list[str] = field(default_factory=list)
    heads: dict[str, bytes] = field(default_factory=dict)


def structure(archive: ZipReader, size: int, *, windows: bool, tells_case: bool = False) -> Check:
    """Look at the archive before anything of it is read: names, sizes, and where members lie.

    Args:
        archive: The archive.
        size: Its bytes.
        windows: Whether it is for Windows.
        tells_case: Whether files that differ in case only are two files wherever it is for.
    """
    problems: list[str] = []
    total = sum(entry.size for entry in archive.entries)
    if total > max(_BOMB, size * _BOMB_RATIO):
        problems.append(f"it says that it unpacks to {total} bytes, {total // max(size, 1)} times its size: a bomb")
    problems += path_problems([entry.path for entry in archive.entries], windows=windows, tells_case=tells_case)
    for entry in archive.entries:
        if not entry.is_plain:
            problems.append(f"{entry.path!r} is no file but a link, or something else that no wheel has")
        if entry.path.endswith("/") and (entry.size or entry.compressed_size):
            problems.append(f"{entry.path!r} is a folder, and has bytes")
        if entry.other_name:
            problems.append(f"{entry.path!r} has a second name, which some readers take instead")
    problems += _places(archive)
    files = sum(not entry.path.endswith("/") for entry in archive.entries)
    found = f"{files} {'file' if files == 1 else 'files'}, {total} bytes unpacked"
    return Check("archive", found, few(problems))


def path_problems(paths: Sequence[str], *, windows: bool, tells_case: bool) -> Iterator[str]:
    """Yield what is wrong with paths that stand beside each other, a sentence each.

    Args:
        paths: All of them; folders end in ``/``.
        windows: Whether they go to Windows.
        tells_case: Whether files that differ in case only are two files wherever they go.
    """
    fold = str if tells_case else caseless
    yield from (f"{each!r} is in it {count} times" for each, count in Counter(paths).items() if count > 1)
    folded: dict[str, str] = {}
    known = _folders(paths)
    if known is None:
        yield "the folders of its paths are more than any artifact has"
        return
    folders = {fold(folder) for folder in known}
    for path in paths:
        if problem := problem_with(path.removesuffix("/")) or (windows_problem_with(path) if windows else ""):
            yield f"the path {path[:200]!r} {problem}"
        other = folded.setdefault(fold(path), path)
        if other != path:
            yield f"{other!r} and {path!r} are one and the same on Windows and macOS"
        if not path.endswith("/") and fold(path) in folders:
            yield f"{path!r} is a file, and a folder with files as well"


def few(problems: Sequence[str]) -> tuple[str, ...]:
    """Return the first problems, each once; a hostile file may have any number of them."""
    found = tuple(dict.fromkeys(problems))
    more = len(found) - _MOST_PROBLEMS
    return (*found[:_MOST_PROBLEMS], f"and {more} more") if more > 0 else found


def _folders(paths: Iterable[str]) -> set[str] | None:
    """Return all folders that the paths name; None where their names would fill the memory."""
    found: set[str] = set()
    letters = 0
    for path in paths:
        folder = path.removesuffix("/").rpartition("/")[0]
        while folder and folder not in found:  # a known one has those above it there, too
            letters += len(folder)
            if letters > MOST_FOLDERS:
                return None
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return found


def _places(archive: ZipReader) -> Iterator[str]:
    """Yield where members lie in one another, or something else is seen by those who read from front to back."""
    end = 0
    for entry in sorted(archive.entries, key=lambda each: each.offset):
        try:
            behind, name = archive.behind(entry), archive.local_name(entry)
        except DamagedArtifactError as error:
            yield without_path(error)
            continue
        if entry.offset < end:
            yield f"{entry.path!r} shares bytes with another member"
        elif entry.offset > end:
            yield f"{entry.offset - end} bytes before {entry.path!r} belong to no member"
        end = max(end, behind)
        if name not in {entry.path.encode(each, "replace") for each in ("utf-8", "cp437")}:
            yield f"{entry.path!r} is called {name[:80]!r} in its own header"
    if end != archive.directory:
        yield "its last member lies in its directory" if end > archive.directory else "bytes before its directory are no member's"


def without_path(error: DamagedArtifactError) -> str:
    """Return what is wrong, without the name of the archive."""
    return error.message.partition(": ")[2] or error.message


def read_wheel(archive: ZipReader) -> Seen:
    """Read every member once."""
    entries = {entry.path: entry for entry in archive.entries if not entry.path.endswith("/")}
    folders = sorted({place.partition("/")[0] for place in entries if place.partition("/")[0].endswith(".dist-info")})
    seen = Seen(entries, folders[0] if len(folders) == 1 else "")
    if not seen.info:
        seen.damaged.append(f"it has {' and '.join(folders[:5])}" if folders else "it has no .dist-info folder")
    used = {"sha256"}
    record = entries.get(f"{seen.info}/RECORD")
    if record is not None and record.size <= MOST_TEXT:
        try:
            seen.texts["RECORD"] = archive.read(record, MOST_TEXT)
            used |= {each for each in ALGORITHMS if f"{each}=".encode() in seen.texts["RECORD"]}
        except DamagedArtifactError as error:
            seen.damaged.append(without_path(error))
    for place, entry in entries.items():
        try:
            _read_member(archive, entry, seen, used)
        except DamagedArtifactError as error:  # noqa: PERF203 - all that is damaged, and not the first of it
            text = without_path(error)
            if text not in seen.damaged:
                seen.damaged.append(text)
            seen.hashes.pop(place, None)
    return seen


def _read_member(archive: ZipReader, entry: Entry, seen: Seen, used: set[str]) -> None:
    hashes = {name: hashlib.new(name) for name in sorted(used)}
    below = _below(entry, seen)
    keep: list[bytes] | None = [] if below else None
    for number, chunk in enumerate(archive.chunks(entry)):
        for each in hashes.values():
            each.update(chunk)
        if number == 0:
            seen.heads[entry.path] = chunk[:16]
            keep = [] if wanted(entry.path, entry.size, chunk, seen.broken) and not below else keep
        if keep is not None:
            keep.append(chunk)
    encoded = {name: base64.urlsafe_b64encode(each.digest()).rstrip(b"=").decode() for name, each in hashes.items()}
    seen.hashes[entry.path] = encoded
    if keep is None:
        return
    data = b"".join(keep)
    if below:
        seen.texts[below] = data
        return
    try:
        seen.native.append(NativeFile(entry.path, images.read_images(data)))
    except images.NoImageError as error:
        seen.broken.append(f"{entry.path}: {error}")


def _below(entry: Entry, seen: Seen) -> str:
    """Return the path below the metadata folder of a file there that is looked into; else nothing."""
    if not seen.info or not entry.path.startswith(f"{seen.info}/"):
        return ""
    below = entry.path.removeprefix(f"{seen.info}/")
    bill = below.startswith("sboms/") and below.endswith(".cdx.json")
    held = sum(len(data) for place, data in seen.texts.items() if place not in _KEPT)
    most = min(_MOST_BILL, _MOST_BILLS - held) if bill else _KEPT.get(below, 0)
    if entry.size > most and (bill or below in _KEPT):
        seen.large.append(f"{below[:200]} has {entry.size} bytes, too many to be looked into")
    return below if entry.size <= most and (bill or below in _KEPT) else ""


def wanted(path: str, size: int, head: bytes, broken: list[str]) -> bool:
    """Tell whether a file is one that others load; programs and objects are not looked into.

    Args:
        path: The file.
        size: Its bytes.
        head: Its first bytes.
        broken: Gets what is wrong with it, a sentence each.
    """
    if not images.is_image(head):
        if _MODULE.search(path):
            broken.append(f"{path} is called as an extension module is, and is no machine code")
        return False
    if _LIBRARY.search(path) is None:
        return False
    if size > _MOST_IMAGE:
        broken.append(f"{path} has {size} bytes, too many to be looked into")
    return size <= _MOST_IMAGE


def native_files(stream: BinaryIO, path: Path) -> tuple[tuple[NativeFile, ...], tuple[str, ...]]:
    """Return the linked files of a wheel, and the paths of all its members; nothing else of it is read.

    Raises:
        DamagedArtifactError: The archive is damaged, or a linked file in it.
    """
    archive = ZipReader(stream, path)
    found = []
    for entry in archive.entries:
        if _LIBRARY.search(entry.path) is not None:
            data = archive.read(entry, _MOST_IMAGE)
            if images.is_image(data):
                try:
                    found.append(NativeFile(entry.path, images.read_images(data)))
                except images.NoImageError as error:
                    msg = f"{path}: {entry.path}: {error}"
                    raise DamagedArtifactError(msg) from error
    return tuple(found), tuple(entry.path for entry in archive.entries)
