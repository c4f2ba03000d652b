"""Makes patches: compares two wheels member by member, and writes what `pypackpack.client.patch` applies."""

from __future__ import annotations

import contextlib
import functools
import re
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple

from pypackpack.backend import filesystem
from pypackpack.backend.tools.bsdiff import Difference, differences
from pypackpack.client.patch_format import (
    MOST_DICTIONARY,
    MOST_GROWTH,
    MOST_MADE,
    MOST_MEMBER,
    MOST_RECORD,
    SMALL,
    Manifest,
    Step,
    Wheel,
    WrongPrimaryError,
    check_paths,
    is_record,
    rank,
    serves_windows,
)
from pypackpack.client.patch_image import Moves, moved_pieces
from pypackpack.client.patch_manifest import pack_manifest
from pypackpack.client.patch_wheel import WheelReader, bare_record, content, identity
from pypackpack.middleware.patch.addresses import comparable, image_of, known_of, marked, moved_difference
from pypackpack.middleware.patch.pack import cost
from pypackpack.middleware.patch.segments import Change, Segments, columns
from pypackpack.model.errors import DamagedArtifactError, UsageError
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pypackpack.client.patch_format import Segment
    from pypackpack.client.patch_image import Image
    from pypackpack.client.patch_wheel import Member

PATCH_VERSION: Final = "patch-4"
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
        order, behind = _order(news)
        work = _Work(_Old(old, olds), new, news, order, prefix="lzma" in codecs)
        work.run()
        found = []
        for codec in codecs:
            segments = work.segments(codec)
            manifest = Manifest(
                name,
                number,
                tag,
                _side(primary.name, old_version, olds),
                _side(result.name, new_version, news),
                codec,
                tuple(segment for segment, _ in segments),
                tuple(work.steps),
                behind,
            )
            try:
                head = pack_manifest(manifest, _deflated)
            except ValueError as error:
                msg = f"{result.name} has more changes than a patch of {primary.name} can name"
                raise UsageError(msg, hint="Release the new wheel as a primary.") from error
            found.append(b"".join((head, *(data for _, data in segments))))
    return min(found, key=len)


def _order(members: Sequence[Member]) -> tuple[list[int], int]:
    """Return the order in which members are made, RECORD last, and how many stand behind it in the wheel."""
    records = [index for index, each in enumerate(members) if is_record(each.path)]
    if len(records) != 1:
        return list(range(len(members))), 0
    (record,) = records
    return [*(index for index in range(len(members)) if index != record), record], len(members) - 1 - record


def _side(file: str, version: str, members: Sequence[Member]) -> Wheel:
    return Wheel(file, version, identity(members), content(members), len(members), sum(each.size for each in members))


def _deflated(data: bytes) -> bytes:
    import deflate  # noqa: PLC0415 - import cost; zlib's output differs between builds of Python

    return bytes(deflate.deflate_compress(data, 12))


def _opened(wheel: Path, stream: object) -> tuple[WheelReader, tuple[Member, ...]]:
    try:
        reader = WheelReader(stream)  # type: ignore[arg-type] # an open file
        return reader, reader.members()
    except WrongPrimaryError as error:
        raise _damaged(wheel, error) from error


class _Compared(NamedTuple):
    """A way to make a member of an old one."""

    delta: Difference
    image: Image | None = None
    moves: Moves | None = None

    @property
    def streams(self) -> tuple[bytes, bytes, bytes]:
        """Return what is packed of it."""
        return columns(self.delta.steps), self.delta.difference, self.delta.literal


def _deflated_size(compared: _Compared) -> int:
    return sum(len(zlib.compress(part, 6)) for part in compared.streams if part)


class _Old:
    """The members of the primary, in the order that patches count them in."""

    def __init__(self, reader: WheelReader, members: Sequence[Member]) -> None:
        self._order = sorted(range(len(members)), key=lambda index: rank(members[index].path))
        self._reader = reader
        self.members = [members[index] for index in self._order]
        self.data = functools.lru_cache(maxsize=4)(self._data)

    def _data(self, index: int) -> bytes:
        return b"".join(self._reader.chunks(self._order[index]))


class _Work:
    """One comparison of two wheels."""

    def __init__(self, old: _Old, new: WheelReader, news: Sequence[Member], order: Sequence[int], *, prefix: bool) -> None:
        self._old, self._new, self._news, self._order = old, new, news, order
        self._prefix = prefix
        """Whether what is literal may refer to old members."""
        self._changes: list[Change] = []
        self._used: set[int] = set()
        self.steps: list[Step] = []

    def run(self) -> None:
        """Find how each member of the new wheel comes about."""
        olds = self._old.members
        by_path = {each.path: index for index, each in enumerate(olds)}
        by_content = {each.sha256: index for index, each in reversed(list(enumerate(olds)))}
        by_likeness: dict[str, int] = {}
        for index, each in enumerate(olds):
            by_likeness.setdefault(_likeness(each.path), index)
        for index in self._order:
            member = self._news[index]
            place = by_path.get(member.path)
            if place is not None and olds[place].sha256 == member.sha256:
                if olds[place].executable == member.executable:
                    self._same(place)
                    continue
                by_content[member.sha256] = place
            if member.sha256 in by_content:
                self.steps.append(Step("copy", by_content[member.sha256], 1, member.path, member.executable))
                self._used.add(by_content[member.sha256])
                continue
            if place is None:
                place = by_likeness.get(_likeness(member.path))
            self._changed(index, member, place)

    def segments(self, codec: str) -> list[tuple[Segment, bytes]]:
        """Pack everything that changed."""
        olds = self._old.members
        spare = [index for index, each in enumerate(olds) if index not in self._used and not is_record(each.path)]
        segments = Segments(codec, self._old.data, [each.size for each in olds], spare)
        for change in self._changes:
            segments.add(change)
        segments.close()
        return segments.done

    def _same(self, place: int) -> None:
        self._used.add(place)
        last = self.steps[-1] if self.steps else None
        if last is not None and last.kind == "run" and last.old + last.count == place:
            self.steps[-1] = Step("run", last.old, last.count + 1)
        else:
            self.steps.append(Step("run", place))

    def _changed(self, index: int, member: Member, place: int | None) -> None:
        data, record = self._data(index, member)
        found = None
        path = member.path
        if place is not None:
            self._used.add(place)
            old = self._bare(place) if record else self._old.data(place)
            if old and data:
                found = self._compared(old, data, refers=not is_record(path))
            if self._old.members[place].path == path and found is not None:
                path = ""
        base = None if is_record(member.path) else place
        if found is not None and place is not None:
            self._changes.append(Change(data, base, found.delta, found.moves))
            self.steps.append(Step("delta", place, 1, path, member.executable, len(data), record, found.image))
        else:
            self._changes.append(Change(data, base, None))
            self.steps.append(Step("full", -1, 1, path, member.executable, len(data), record))

    def _compared(self, old: bytes, data: bytes, *, refers: bool) -> _Compared | None:
        """Return the differences, or None where a member is smaller as a whole; ``refers``: it may refer to the old one."""
        ways = [_Compared(differences(old, data))]
        known, other = (known_of(old), known_of(data)) if refers else (None, None)
        image = image_of(known, other)
        if image is not None and known is not None and other is not None:
            bare = differences(comparable(old, known), comparable(data, other))
            for steps in (ways[0].delta.steps, bare.steps):
                with contextlib.suppress(ValueError):  # it takes more pieces than a patch may
                    pieces = moved_pieces(steps)
                    knowing = marked(image, old, data, pieces)
                    moves = Moves(knowing, pieces)
                    ways.append(_Compared(Difference(steps, *moved_difference(old, data, steps, moves)), knowing, moves))
        if not self._prefix:
            best = min(ways, key=_deflated_size)
            return best if _deflated_size(best) <= len(zlib.compress(data, 6)) else None
        best = min(ways, key=lambda each: sum(map(cost, each.streams))) if len(ways) > 1 else ways[0]
        if len(old) > MOST_DICTIONARY or len(data) > MOST_MADE:
            return best
        before = old if refers else b""
        control, difference, literal = best.streams
        return best if cost(control) + cost(difference) + cost(literal, before) <= cost(data, before) else None

    def _data(self, index: int, member: Member) -> tuple[bytes, bool]:
        """Return a member's bytes; of a RECORD those without the digests, and True."""
        data = b"".join(self._new.chunks(index))
        if index == self._order[-1] and is_record(member.path) and len(data) <= MOST_RECORD:
            known = {each.path: (each.sha256, each.size) for each in self._news if each is not member}
            if (bare := bare_record(data, known)) is not None:
                return bare, True
        return data, False

    def _bare(self, place: int) -> bytes:
        data = self._old.data(place)
        if len(data) <= MOST_RECORD:
            return bare_record(data, {each.path: (each.sha256, each.size) for each in self._old.members}) or data
        return data


def _likeness(path: str) -> str:
    """Return what is equal for files that are likely two versions of one: without version, and without digests in names."""
    return _HASHED.sub("-*", _DIST_INFO.sub(r"\1.\2/", path))
