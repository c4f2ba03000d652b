"""Makes patches: compares two wheels member by member, and writes what `pypackpack.client.patch` applies."""

from __future__ import annotations

import bz2
import hashlib
import lzma
import re
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pypackpack.backend import filesystem
from pypackpack.backend.tools.bsdiff import differences
from pypackpack.client.patch_format import (
    LZMA_DICTIONARY,
    MOST_GROWTH,
    MOST_MEMBER,
    MOST_RECORD,
    SMALL,
    Manifest,
    Step,
    Stream,
    Wheel,
    WrongPrimaryError,
    check_paths,
    pack_manifest,
    serves_windows,
)
from pypackpack.client.patch_wheel import WheelReader, bare_record, identity
from pypackpack.model.errors import DamagedArtifactError, UsageError
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pypackpack.backend.tools.bsdiff import Difference
    from pypackpack.client.patch_wheel import Member

PATCH_VERSION: Final = "patch-1"
"""Part of the key of patches; raised whenever other bytes come of the same wheels."""

_NAME = re.compile(r"(?P<name>[^-/]+)-(?P<version>[^-/]+)(?:-\d[^-/]*)?-(?P<tag>[^-/]+-[^-/]+-[^-/]+)\.whl")
_HASHED = re.compile(r"-[0-9a-f]{8,64}(?=[.-])")
_DIST_INFO = re.compile(r"^([^/]+?)-[^/-]+\.(dist-info|data)/")


def name_of(file: str) -> tuple[str, str, str]:
    """Return name, version and tags of a wheel, by its file name (PEP 427).

    Raises:
        UsageError: It is no name of a wheel.
    """
    matched = _NAME.fullmatch(file)
    if matched is None:
        msg = f"{file}: the name of a wheel is <name>-<version>-<python>-<abi>-<platform>.whl"
        raise UsageError(msg, hint="Give the file its own name back.")
    return matched["name"], matched["version"], matched["tag"]


def same_tags(first: str, second: str) -> bool:
    """Tell whether two sets of tags, as file names have them, are the same (PEP 425: the order says nothing)."""
    one, other = ([set(part.split(".")) for part in each.split("-")] for each in (first, second))
    return one == other


def read_identity(wheel: Path) -> str:
    """Return the identity of a wheel: the digest over its uncompressed members in order.

    Raises:
        DamagedArtifactError: It is damaged, or no wheel.
        FilesystemError: It cannot be read.
    """
    with filesystem.explained("read", wheel), wheel.open("rb") as stream:
        try:
            return identity(WheelReader(stream).members())
        except WrongPrimaryError as error:
            raise _damaged(wheel, error) from error


def _damaged(wheel: Path, error: Exception) -> DamagedArtifactError:
    return DamagedArtifactError(f"{wheel}: {error}", hint="Get or build the file again.")


def make_patch(primary: Path, result: Path, *, number: int, codecs: Sequence[str] = ("lzma",)) -> bytes:
    """Return the patch that turns one wheel into another.

    Args:
        primary: The released wheel.
        result: The newer one.
        number: The patch's number, from 1 on for each version of a primary.
        codecs: What the target's Python can unpack; the one that gives the smallest patch is used.

    Raises:
        UsageError: The wheels are not two of one distribution for the same systems.
        DamagedArtifactError: One of them is damaged, or no wheel.
        FilesystemError: One of them cannot be read.
    """
    (name, old_version, tag), (other, new_version, new_tag) = name_of(primary.name), name_of(result.name)
    if normalise(name) != normalise(other) or not same_tags(tag, new_tag):
        msg = f"{primary.name} and {result.name} are not wheels of one distribution with the same tags"
        raise UsageError(msg, hint="A patch leads from a wheel to a newer one of the same name, Python and platform.")
    with (
        filesystem.explained("read", primary),
        primary.open("rb") as old_stream,
        filesystem.explained("read", result),
        result.open("rb") as new_stream,
    ):
        old, olds = _opened(primary, old_stream)
        new, news = _opened(result, new_stream)
        total = sum(each.size for each in news)
        if total > MOST_GROWTH * sum(each.size for each in olds) + SMALL or any(each.size > MOST_MEMBER for each in news):
            msg = f"{result.name} is too large for a patch of {primary.name}"
            raise UsageError(msg, hint="Release the new wheel as a primary.")
        try:
            check_paths((each.path for each in news), windows=serves_windows(tag))
        except ValueError as error:
            raise _damaged(result, error) from error
        work = _Work(old, olds, new, news)
        work.run()
    packed = {codec: [_pack(codec, bytes(data)) for data in (work.control, work.difference, work.literal)] for codec in codecs}
    codec = min(codecs, key=lambda each: sum(map(len, packed[each])))
    raw = (work.control, work.difference, work.literal)
    first, second, third = (
        Stream(len(data), len(plain), hashlib.sha256(data).hexdigest()) for data, plain in zip(packed[codec], raw, strict=True)
    )
    manifest = Manifest(
        name,
        number,
        tag,
        Wheel(primary.name, old_version, identity(olds), len(olds), sum(each.size for each in olds)),
        Wheel(result.name, new_version, identity(news), len(news), total),
        codec,
        (first, second, third),
        tuple(work.steps),
    )
    return b"".join((pack_manifest(manifest), *packed[codec]))


def _opened(wheel: Path, stream: object) -> tuple[WheelReader, tuple[Member, ...]]:
    try:
        reader = WheelReader(stream)  # type: ignore[arg-type] # an open file
        return reader, reader.members()
    except WrongPrimaryError as error:
        raise _damaged(wheel, error) from error


def _pack(codec: str, data: bytes) -> bytes:
    """Pack a stream; nothing stays nothing."""
    if not data:
        return b""
    if codec == "lzma":
        filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": LZMA_DICTIONARY}]
        return lzma.compress(data, lzma.FORMAT_RAW, filters=filters)
    if codec == "bz2":
        return bz2.compress(data, 9)
    packing = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packing.compress(data) + packing.flush()


@dataclass
class _Work:
    """One comparison of two wheels."""

    old: WheelReader
    olds: tuple[Member, ...]
    new: WheelReader
    news: tuple[Member, ...]
    control: bytearray = field(default_factory=bytearray)
    difference: bytearray = field(default_factory=bytearray)
    literal: bytearray = field(default_factory=bytearray)
    steps: list[Step] = field(default_factory=list)

    def run(self) -> None:
        """Find how each member of the new wheel comes about."""
        by_path = {each.path: index for index, each in enumerate(self.olds)}
        by_content = {each.sha256: index for index, each in reversed(list(enumerate(self.olds)))}
        by_likeness: dict[str, int] = {}
        for index, each in enumerate(self.olds):
            by_likeness.setdefault(_likeness(each.path), index)
        for index, member in enumerate(self.news):
            place = by_path.get(member.path)
            if place is not None and self.olds[place].sha256 == member.sha256:
                if self.olds[place].executable == member.executable:
                    self._same(place)
                    continue
                by_content[member.sha256] = place
            if member.sha256 in by_content:
                self.steps.append(Step("copy", by_content[member.sha256], 1, member.path, member.executable))
                continue
            if place is None:
                place = by_likeness.get(_likeness(member.path))
            self._changed(index, member, place)

    def _same(self, place: int) -> None:
        last = self.steps[-1] if self.steps else None
        if last is not None and last.kind == "run" and last.old + last.count == place:
            self.steps[-1] = Step("run", last.old, last.count + 1)
        else:
            self.steps.append(Step("run", place))

    def _changed(self, index: int, member: Member, place: int | None) -> None:
        data, record = self._data(index, member)
        old = self._old(place, record=record) if place is not None else b""
        path = "" if place is not None and self.olds[place].path == member.path else member.path
        if place is not None and old and data:
            found = differences(old, data)
            if _cost(_controls(found), found.difference, found.literal) <= _cost(data):
                self.control += _controls(found)
                self.difference += found.difference
                self.literal += found.literal
                self.steps.append(Step("delta", place, 1, path, member.executable, len(data), member.crc32, record))
                return
        self.literal += data
        self.steps.append(Step("full", -1, 1, member.path, member.executable, len(data), member.crc32, record))

    def _data(self, index: int, member: Member) -> tuple[bytes, bool]:
        """Return a member's bytes; of a RECORD those without the digests, and True."""
        data = b"".join(self.new.chunks(index))
        if index + 1 == len(self.news) and _is_record(member.path) and len(data) <= MOST_RECORD:
            known = {each.path: (each.sha256, each.size) for each in self.news[:-1]}
            if (bare := bare_record(data, known)) is not None:
                return bare, True
        return data, False

    def _old(self, place: int, *, record: bool) -> bytes:
        data = b"".join(self.old.chunks(place))
        if record and len(data) <= MOST_RECORD:
            return bare_record(data, {each.path: (each.sha256, each.size) for each in self.olds}) or data
        return data


def _is_record(path: str) -> bool:
    return path.endswith(".dist-info/RECORD") and path.count("/") == 1


def _likeness(path: str) -> str:
    """Return what is equal for files that are likely two versions of one: without version, and without digests in names."""
    return _HASHED.sub("-*", _DIST_INFO.sub(r"\1.\2/", path))


def _cost(*parts: bytes | bytearray) -> int:
    """Estimate what parts take when they are packed."""
    return sum(len(zlib.compress(part, 6)) for part in parts if part)


def _controls(found: Difference) -> bytes:
    data = bytearray()
    for same, fresh, jump in found.steps:
        data += _number(same) + _number(fresh) + _number(jump << 1 if jump >= 0 else (-jump << 1) - 1)
    return bytes(data)


def _number(value: int) -> bytes:
    data = bytearray()
    while value > 0x7F:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    data.append(value)
    return bytes(data)
