"""The manifest of a patch: written, read, and every value of it looked at. Standard library only; runs inside people's apps."""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pypackpack.client import strict_json
from pypackpack.client.patch_format import (
    CODECS,
    HEADER,
    MAGIC,
    MOST_CONTROL,
    MOST_DICTIONARY,
    MOST_GROWTH,
    MOST_MADE,
    MOST_MANIFEST,
    MOST_MEMBER,
    MOST_MEMBERS,
    MOST_RECORD,
    MOST_TOTAL,
    MOST_VALUES,
    PADDING,
    SMALL,
    VERSION,
    CutPatchError,
    DamagedPatchError,
    Manifest,
    Segment,
    Step,
    UnsupportedPatchError,
    Wheel,
    WrongPatchError,
)
from pypackpack.client.patch_image import (
    KINDS,
    MOST_ADDRESS,
    MOST_FIELDS,
    MOST_MARKS,
    MOST_RANGES,
    MOST_STRIDE,
    Field,
    Image,
    Range,
)
from pypackpack.client.paths import problem_with, windows_problem_with

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

_SHA256: Final = 32


def _deflated(data: bytes) -> bytes:
    packing = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packing.compress(data) + packing.flush()


def pack_manifest(manifest: Manifest, deflate: Callable[[bytes], bytes] = _deflated) -> bytes:
    """Return the header and the packed manifest: the first bytes of a patch; ``deflate`` packs it.

    Raises:
        ValueError: It is larger than one may be.
    """
    data = json.dumps(_plain(manifest), ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()
    _check_values(data)
    packed = deflate(data)
    return put_header(packed, len(data)) + packed


def _check_values(data: bytes) -> None:
    """Refuse a manifest that would take much memory, before it takes it."""
    if len(data) > MOST_MANIFEST or sum(map(data.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise ValueError("it has more values than any patch")


def put_header(packed: bytes, size: int) -> bytes:
    """Return the header for a packed manifest, which unpacked has ``size`` bytes."""
    head = HEADER.pack(MAGIC, VERSION, 0, len(packed), size, b"")[:-_SHA256]
    return head + hashlib.sha256(head + packed).digest()


def _plain(manifest: Manifest) -> dict[str, object]:
    def wheel(each: Wheel) -> dict[str, object]:
        return {
            "file": each.file,
            "version": each.version,
            "identity": each.identity,
            "content": each.content,
            "members": each.members,
            "size": each.size,
        }

    def step(each: Step) -> list[object]:
        if each.kind == "run":
            return [each.old, each.count]
        if each.kind == "copy":
            return ["copy", each.old, each.path, int(each.executable)]
        row: list[object] = [each.kind, each.old, each.path, int(each.executable), each.size, int(each.record)]
        return row if each.image is None else [*row, *_image(each.image)]

    def segment(each: Segment) -> list[object]:
        pieces = [list(piece) for piece in each.dictionary]
        return [each.made, pieces, each.padding, each.skip, list(each.packed), each.control, each.literal, each.sha256]

    return {
        "name": manifest.name,
        "number": manifest.number,
        "tag": manifest.tag,
        "primary": wheel(manifest.primary),
        "result": wheel(manifest.result),
        "codec": manifest.codec,
        "segments": [segment(each) for each in manifest.segments],
        "steps": [step(each) for each in manifest.steps],
        "behind": manifest.behind,
    }


def _image(image: Image) -> list[object]:
    rows = [[KINDS.index(each.kind), *(each[1:] if each.kind == "table" else each[1:3])] for each in image.fields]
    return [[list(each) for each in image.ranges], rows, [list(each) for each in image.marks]]


def read_manifest(stream: BinaryIO, *, whole: bool = True, identity: str | None = None) -> tuple[Manifest, int]:
    """Read the beginning of a patch, and check it as far as it can be checked without the primary.

    Args:
        stream: The open file.
        whole: Whether all of it has to be there; else its end may still be missing.
        identity: The identity that it has to have, in hexadecimal; None for any. Of another one, nothing but the header is read.

    Returns:
        The manifest, and the offset at which the segments begin.

    Raises:
        DamagedPatchError: It is no patch, is damaged, or says what no patch may say.
        UnsupportedPatchError: It is of a newer version.
        WrongPatchError: It has another identity.
        OSError: It cannot be read.
    """
    length = stream.seek(0, 2)
    packed, size, digest = _header(stream, length, identity)
    body = stream.read(packed)
    if put_header(body, size)[-_SHA256:] != digest:
        raise DamagedPatchError("the manifest of the patch is not what its digest says")
    unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = unpacking.decompress(body, size + 1)
    except zlib.error as error:
        msg = f"the manifest of the patch cannot be unpacked ({error})"
        raise DamagedPatchError(msg) from error
    if len(data) != size or not unpacking.eof or unpacking.unused_data:
        raise DamagedPatchError("the manifest of the patch is not as long as it says")
    try:
        _check_values(data)
        manifest = _Reader(strict_json.load(data)).manifest()
        manifest = replace(manifest, digest=digest.hex())
    except (ValueError, RecursionError) as error:
        msg = f"the manifest of the patch is wrong: {error}"
        raise DamagedPatchError(msg) from error
    start = HEADER.size + packed
    if start + manifest.size != length and (whole or start + manifest.size < length):
        raise DamagedPatchError("the patch is cut, or something stands behind its end")
    return manifest, start


def _expected(identity: str) -> str:
    try:
        return strict_json.identity(identity)
    except ValueError as error:
        raise WrongPatchError(str(error)) from error


def _header(stream: BinaryIO, length: int, identity: str | None) -> tuple[int, int, bytes]:
    """Return how long the manifest is, packed and unpacked, and its digest."""
    stream.seek(0)
    head = stream.read(HEADER.size)
    if head[: len(MAGIC)] != MAGIC[: len(head)] or not head:
        raise DamagedPatchError("this is no patch: its first bytes are others")
    if len(head) < HEADER.size:
        raise CutPatchError("the patch is cut in its header")
    _, version, flags, packed, size, digest = HEADER.unpack(head)
    if version > VERSION:
        msg = f"the patch has format {version}, and this reader knows {VERSION}"
        raise UnsupportedPatchError(msg)
    if identity is not None and digest.hex() != _expected(identity):
        msg = f"the patch is another one than was expected: its identity is {digest.hex()}"
        raise WrongPatchError(msg)
    if version != VERSION or flags or not 0 < size <= MOST_MANIFEST or packed > 2 * MOST_MANIFEST:
        raise DamagedPatchError("the header of the patch is damaged")
    if packed > length - HEADER.size:
        raise CutPatchError("the patch is cut, or its header is damaged")
    return packed, size, digest


class _Reader:
    """Makes a manifest of what JSON says; every value is looked at."""

    def __init__(self, data: object) -> None:
        self._data = data

    def manifest(self) -> Manifest:
        keys = ("name", "number", "tag", "primary", "result", "codec", "segments", "steps", "behind")
        data = strict_json.table(self._data, keys)
        codec = strict_json.text(data["codec"])
        if codec not in CODECS:
            msg = f"{codec[:40]!r} is no codec of this format"
            raise ValueError(msg)
        manifest = Manifest(
            strict_json.text(data["name"]),
            strict_json.number(data["number"], 1 << 31, 1),
            strict_json.text(data["tag"]),
            self._wheel(data["primary"]),
            self._wheel(data["result"]),
            codec,
            tuple(self._segment(each) for each in strict_json.array(data["segments"])),
            tuple(self._step(each) for each in strict_json.array(data["steps"])),
            strict_json.number(data["behind"], MOST_MEMBERS),
        )
        self._check(manifest)
        return manifest

    @staticmethod
    def _wheel(data: object) -> Wheel:
        table = strict_json.table(data, ("file", "version", "identity", "content", "members", "size"))
        file = strict_json.text(table["file"])
        if problem := problem_with(file) or windows_problem_with(file) or ("has a folder" if "/" in file else ""):
            msg = f"the file name {file[:200]!r} {problem}"
            raise ValueError(msg)
        if not file.endswith(".whl"):
            msg = f"{file[:200]!r} is no name of a wheel"
            raise ValueError(msg)
        return Wheel(
            file,
            strict_json.text(table["version"]),
            strict_json.sha256(table["identity"]),
            strict_json.sha256(table["content"]),
            strict_json.number(table["members"], MOST_MEMBERS),
            strict_json.number(table["size"], MOST_TOTAL),
        )

    @staticmethod
    def _segment(data: object) -> Segment:
        made, pieces, padding, skip, packed, control, literal, sha256 = strict_json.fields(data, 8)
        size = strict_json.number(made, MOST_MADE, 1)
        dictionary = tuple(_piece(each) for each in strict_json.array(pieces))
        control_packed, difference_packed, literal_packed = (
            strict_json.number(each, 2 * MOST_MADE) for each in strict_json.fields(packed, 3)
        )
        segment = Segment(
            size,
            dictionary,
            strict_json.number(padding, PADDING),
            strict_json.number(skip, PADDING),
            (control_packed, difference_packed, literal_packed),
            strict_json.number(control, MOST_CONTROL),
            strict_json.number(literal, size),
            strict_json.sha256(sha256),
        )
        if sum(length for *_, length in dictionary) > MOST_DICTIONARY or segment.skip > segment.padding:
            msg = "a segment looks back further than it may"
            raise ValueError(msg)
        if any((here == 0) != (there == 0) for here, there in zip(segment.packed, segment.unpacked, strict=True)):
            msg = "a stream that has nothing in it has bytes, or the other way round"
            raise ValueError(msg)
        return segment

    @staticmethod
    def _step(data: object) -> Step:
        fields = strict_json.array(data)
        first = fields[0] if fields else None
        if isinstance(first, int) and not isinstance(first, bool):
            old, count = strict_json.fields(data, 2)
            return Step("run", strict_json.number(old, MOST_MEMBERS), strict_json.number(count, MOST_MEMBERS, 1))
        if first == "copy":
            _, old, path, executable = strict_json.fields(data, 4)
            return Step("copy", strict_json.number(old, MOST_MEMBERS), 1, _path(path), bool(strict_json.number(executable, 1)))
        if first not in ("delta", "full"):  # a tuple: what is there may be a list, which no set can be asked for
            msg = "it has a step of an unknown kind"
            raise ValueError(msg)
        count = 9 if first == "delta" and len(fields) > 6 else 6  # with or without addresses
        _, old, path, executable, size, record, *image = strict_json.fields(data, count)
        step = Step(
            "delta" if first == "delta" else "full",
            strict_json.number(old, MOST_MEMBERS, 0 if first == "delta" else -1),
            1,
            _path(path, optional=first == "delta"),
            bool(strict_json.number(executable, 1)),
            strict_json.number(size, MOST_MEMBER),
            bool(strict_json.number(record, 1)),
            _read_image(*image) if image else None,
        )
        if (first == "full") != (step.old == -1) or (step.record and (step.size > MOST_RECORD or step.image)):
            msg = "a step of it contradicts itself"
            raise ValueError(msg)
        return step

    @staticmethod
    def _check(manifest: Manifest) -> None:
        primary, result = manifest.primary, manifest.result
        if result.size > MOST_GROWTH * primary.size + SMALL:
            msg = f"its result has {result.size} bytes, more than can come of {primary.size}"
            raise ValueError(msg)
        count = made = 0
        for index, step in enumerate(manifest.steps):
            count += step.count
            if step.kind != "full" and step.old + step.count > primary.members:
                msg = f"it names member {step.old + step.count - 1} of the primary, which has {primary.members}"
                raise ValueError(msg)
            if step.record and index + 1 != len(manifest.steps):
                msg = "its RECORD is not the last member"
                raise ValueError(msg)
            made += step.size
        if manifest.behind and manifest.behind >= count:
            msg = "its last member stands where none can"
            raise ValueError(msg)
        if count != result.members:
            msg = f"its steps make {count} members, and the result has {result.members}"
            raise ValueError(msg)
        if made > result.size or made != sum(each.made for each in manifest.segments):
            msg = "its segments have other sizes than its members"
            raise ValueError(msg)
        _check_segments(manifest)


def _check_segments(manifest: Manifest) -> None:
    pieces = [piece for each in manifest.segments for piece in each.dictionary]
    if sum(size for *_, size in pieces) > 4 * manifest.primary.size + MOST_DICTIONARY:
        msg = "its segments look at the primary more often than any patch needs"
        raise ValueError(msg)
    if any(old >= manifest.primary.members for old, _, _ in pieces):
        msg = "a segment refers to a member that the primary does not have"
        raise ValueError(msg)
    if manifest.codec != "lzma" and (pieces or any(each.padding for each in manifest.segments)):
        msg = f"{manifest.codec} has no dictionary"
        raise ValueError(msg)


def _read_image(ranges: object, fields: object, marks: object) -> Image:
    """Return where a file's addresses stand; that it all lies in the file is seen when the file is there."""
    loads = [strict_json.fields(each, 4) for each in strict_json.array(ranges)]
    rows = [strict_json.array(each) for each in strict_json.array(fields)]
    if not 0 < len(loads) <= MOST_RANGES or not 0 < len(rows) <= MOST_FIELDS:
        msg = "a step of it names more addresses than any file has, or none"
        raise ValueError(msg)
    pairs = [strict_json.fields(each, 2) for each in strict_json.array(marks)]
    if len(pairs) > MOST_MARKS:
        msg = f"a step of it has more than {MOST_MARKS} marks"
        raise ValueError(msg)
    return Image(
        tuple(_range(each) for each in loads),
        tuple(_field(each) for each in rows),
        tuple((strict_json.number(at, MOST_ADDRESS), _move(move)) for at, move in pairs),
    )


def _move(data: object) -> int:
    return strict_json.number(data, MOST_ADDRESS, -MOST_ADDRESS)


def _range(row: list[object]) -> Range:
    offset, size, address, slide = row
    return Range(
        strict_json.number(offset, MOST_MEMBER),
        strict_json.number(size, MOST_MEMBER, 1),
        strict_json.number(address, MOST_ADDRESS),
        _move(slide),
    )


def _field(row: list[object]) -> Field:
    kind = KINDS[strict_json.number(row[0] if row else None, len(KINDS) - 1)]
    _, offset, size, *more = strict_json.fields(row, 7 if kind == "table" else 3)
    field = Field(kind, strict_json.number(offset, MOST_MEMBER), strict_json.number(size, MOST_MEMBER, 1))
    if not more:
        return field
    stride, place, width, base = more
    field = field._replace(
        stride=strict_json.number(stride, MOST_STRIDE, 1),
        place=strict_json.number(place, MOST_STRIDE),
        width=strict_json.number(width, 8, 4),
        base=strict_json.number(base, MOST_ADDRESS),
    )
    if field.width not in (4, 8) or field.place + field.width > field.stride:
        msg = "a row of a table of addresses has no place for them"
        raise ValueError(msg)
    return field


def _piece(data: object) -> tuple[int, int, int]:
    old, first, size = strict_json.fields(data, 3)
    return (
        strict_json.number(old, MOST_MEMBERS),
        strict_json.number(first, MOST_MEMBER),
        strict_json.number(size, MOST_DICTIONARY, 1),
    )


def _path(data: object, *, optional: bool = False) -> str:
    if data == "" and optional:
        return ""
    if not isinstance(data, str) or problem_with(data):
        msg = f"the path {str(data)[:200]!r} {problem_with(data) if isinstance(data, str) else 'is no text'}"
        raise ValueError(msg)
    return data
