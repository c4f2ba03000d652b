"""The format of ``.whl.patch``, version 1: what its bytes mean, and what they may not say.

``docs/reference/patch-format.md`` describes it byte by byte. Every number that a patch claims is compared with a limit before
anything is made for it. Standard library only; runs inside people's apps.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, cast

from pypackpack.client.paths import caseless, problem_with, windows_problem_with

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import BinaryIO

MAGIC: Final = b"\x89PPP\r\n\x1a\n"
"""As PNG's: a copy that changed line ends, or lost the eighth bit, does not begin like this any more."""
VERSION: Final = 1
HEADER: Final = struct.Struct("<8sHHII32s")
"""Magic, version, flags (0), bytes of the manifest packed and unpacked, SHA-256 of the unpacked manifest."""

MOST_MANIFEST: Final = 32 << 20
MOST_MEMBERS: Final = 65_000
"""A result with more would be a ZIP64 archive, which no wheel needs."""
MOST_MEMBER: Final = 2 << 30
MOST_TOTAL: Final = 3 << 30
"""Bytes of a member and of all members together, uncompressed."""
MOST_GROWTH: Final = 16
SMALL: Final = 64 << 20
"""A result may be `MOST_GROWTH` times as large as its primary, and `SMALL` bytes on top."""
MOST_RECORD: Final = 32 << 20
"""A RECORD is held in memory."""

CODECS: Final = ("lzma", "bz2", "deflate")
LZMA_DICTIONARY: Final = 8 << 20
"""Part of the format: what unpacking costs in memory is known before it begins."""
STREAMS: Final = ("control", "difference", "literal")

Kind = Literal["run", "copy", "delta", "full"]
_DIGEST: Final = 64
_HEX: Final = frozenset("0123456789abcdef")


class PatchError(Exception):
    """A patch cannot be applied; nothing was changed."""

    hint = "Nothing was changed."


class DamagedPatchError(PatchError):
    """The patch is damaged, or says what no patch may say."""

    hint = "Get the patch again; nothing was changed."


class UnsupportedPatchError(PatchError):
    """The patch is made for a newer reader, or for a Python that has more in it than this one."""

    hint = "Update what applies it; nothing was changed."


class WrongPrimaryError(PatchError):
    """The wheel is not the one that the patch was made for, or is damaged."""

    hint = "Give the primary that `pypackpack patch show` names; nothing was changed."


@dataclass(frozen=True)
class Wheel:
    """What a patch says of the wheel it begins with, or of the one it leads to.

    Attributes:
        file: The wheel's file name.
        version: Its version.
        identity: `identity_of` its members, in hexadecimal.
        members: Their number.
        size: Their bytes, uncompressed.
    """

    file: str
    version: str
    identity: str
    members: int
    size: int


@dataclass(frozen=True)
class Stream:
    """One of the three streams.

    Attributes:
        packed: Bytes in the patch.
        size: Bytes unpacked.
        sha256: Digest of the packed bytes, in hexadecimal.
    """

    packed: int
    size: int
    sha256: str


@dataclass(frozen=True)
class Step:
    """How the next members of the result come about.

    Attributes:
        kind: ``run``: ``count`` members of the primary from ``old`` on, as they are; ``copy``: one of them under another path or
            mode; ``delta``: made of one by the control and difference streams; ``full``: from the literal stream.
        old: Index of a member of the primary; -1 for ``full``.
        count: Number of members; 1 unless it is a ``run``.
        path: The path; empty where it is that of ``old``.
        executable: Whether it is a program.
        size: Its bytes (of a RECORD: those of the form without digests); 0 where they are those of ``old``.
        crc32: CRC-32 of its final bytes.
        record: Whether it is the RECORD without the digests of members, which whoever applies the patch knows.
    """

    kind: Kind
    old: int = -1
    count: int = 1
    path: str = ""
    executable: bool = False
    size: int = 0
    crc32: int = 0
    record: bool = False


@dataclass(frozen=True)
class Manifest:
    """What a patch says before its streams.

    Attributes:
        name: The distribution.
        number: The patch's number, from 1 on for each version of a primary.
        tag: Tags of both wheels.
        primary: What it begins with.
        result: What it leads to.
        codec: How the streams are packed: one of `CODECS`.
        streams: The three, in the order of `STREAMS`.
        steps: How the members of the result come about, in their order.
    """

    name: str
    number: int
    tag: str
    primary: Wheel
    result: Wheel
    codec: str
    streams: tuple[Stream, Stream, Stream]
    steps: tuple[Step, ...]


def identity_of(members: Iterable[tuple[str, bool, int, bytes]]) -> str:
    """Return the identity of a wheel, in hexadecimal: a SHA-256 over its members in order, whatever compressed them.

    Args:
        members: Path, whether it is a program, bytes, and SHA-256 of the bytes, of each; folders are left out.
    """
    digest = hashlib.sha256(b"pypackpack wheel identity 1\n")
    for path, executable, size, sha256 in members:
        name = path.encode()
        digest.update(struct.pack("<IBQ", len(name), executable, size) + name + sha256)
    return digest.hexdigest()


def pack_manifest(manifest: Manifest) -> bytes:
    """Return the header and the packed manifest: the first bytes of a patch."""
    data = json.dumps(_plain(manifest), ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()
    packing = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packing.compress(data) + packing.flush()
    return HEADER.pack(MAGIC, VERSION, 0, len(packed), len(data), hashlib.sha256(data).digest()) + packed


def _plain(manifest: Manifest) -> dict[str, object]:
    def wheel(each: Wheel) -> dict[str, object]:
        return {
            "file": each.file,
            "version": each.version,
            "identity": each.identity,
            "members": each.members,
            "size": each.size,
        }

    def step(each: Step) -> list[object]:
        if each.kind == "run":
            return [each.old, each.count]
        if each.kind == "copy":
            return ["copy", each.old, each.path, int(each.executable)]
        return [each.kind, each.old, each.path, int(each.executable), each.size, each.crc32, int(each.record)]

    return {
        "name": manifest.name,
        "number": manifest.number,
        "tag": manifest.tag,
        "primary": wheel(manifest.primary),
        "result": wheel(manifest.result),
        "codec": manifest.codec,
        "streams": [[each.packed, each.size, each.sha256] for each in manifest.streams],
        "steps": [step(each) for each in manifest.steps],
    }


def read_manifest(stream: BinaryIO) -> tuple[Manifest, int]:
    """Read the beginning of a patch, and check it as far as it can be checked without the primary.

    Returns:
        The manifest, and the offset at which the streams begin.

    Raises:
        DamagedPatchError: It is no patch, is damaged, or says what no patch may say.
        UnsupportedPatchError: It is of a newer version.
        OSError: It cannot be read.
    """
    length = stream.seek(0, 2)
    stream.seek(0)
    head = stream.read(HEADER.size)
    if head[: len(MAGIC)] != MAGIC:
        raise DamagedPatchError("this is no patch: its first bytes are others")
    if len(head) < HEADER.size:
        raise DamagedPatchError("the patch is cut in its header")
    _, version, flags, packed, size, digest = HEADER.unpack(head)
    if version > VERSION:
        msg = f"the patch has format {version}, and this reader knows {VERSION}"
        raise UnsupportedPatchError(msg)
    if version != VERSION or flags:
        raise DamagedPatchError("the header of the patch is damaged")
    if packed > length - HEADER.size or not 0 < size <= MOST_MANIFEST:
        raise DamagedPatchError("the patch is cut, or its header is damaged")
    unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = unpacking.decompress(stream.read(packed), size + 1)
    except zlib.error as error:
        msg = f"the manifest of the patch cannot be unpacked ({error})"
        raise DamagedPatchError(msg) from error
    if len(data) != size or not unpacking.eof or unpacking.unused_data or hashlib.sha256(data).digest() != digest:
        raise DamagedPatchError("the manifest of the patch is not what its digest says")
    try:
        manifest = _Reader(json.loads(data, parse_constant=_no_number, object_pairs_hook=_single)).manifest()
    except (ValueError, RecursionError) as error:
        msg = f"the manifest of the patch is wrong: {error}"
        raise DamagedPatchError(msg) from error
    start = HEADER.size + packed
    if start + sum(each.packed for each in manifest.streams) != length:
        raise DamagedPatchError("the patch is cut, or something stands behind its end")
    return manifest, start


def _no_number(word: str) -> object:
    msg = f"{word} is no number"
    raise ValueError(msg)


def _single(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        msg = "a key stands there twice"
        raise ValueError(msg)
    return found


class _Reader:
    """Makes a manifest of what JSON says; every value is looked at."""

    def __init__(self, data: object) -> None:
        self._data = data

    def manifest(self) -> Manifest:
        keys = ("name", "number", "tag", "primary", "result", "codec", "streams", "steps")
        data = _table(self._data, keys)
        streams = tuple(self._stream(each) for each in _list(data["streams"]))
        if len(streams) != len(STREAMS):
            msg = f"it has {len(streams)} streams"
            raise ValueError(msg)
        codec = _text(data["codec"])
        if codec not in CODECS:
            msg = f"{codec[:40]!r} is no codec of this format"
            raise ValueError(msg)
        manifest = Manifest(
            _text(data["name"]),
            _number(data["number"], 1 << 31, 1),
            _text(data["tag"]),
            self._wheel(data["primary"]),
            self._wheel(data["result"]),
            codec,
            cast("tuple[Stream, Stream, Stream]", streams),
            tuple(self._step(each) for each in _list(data["steps"])),
        )
        self._check(manifest)
        return manifest

    @staticmethod
    def _wheel(data: object) -> Wheel:
        table = _table(data, ("file", "version", "identity", "members", "size"))
        file = _text(table["file"])
        if problem := problem_with(file) or windows_problem_with(file) or ("has a folder" if "/" in file else ""):
            msg = f"the file name {file[:200]!r} {problem}"
            raise ValueError(msg)
        if not file.endswith(".whl"):
            msg = f"{file[:200]!r} is no name of a wheel"
            raise ValueError(msg)
        return Wheel(
            file,
            _text(table["version"]),
            _hex(table["identity"]),
            _number(table["members"], MOST_MEMBERS),
            _number(table["size"], MOST_TOTAL),
        )

    @staticmethod
    def _stream(data: object) -> Stream:
        packed, size, sha256 = _fields(data, 3)
        stream = Stream(_number(packed, MOST_TOTAL), _number(size, MOST_TOTAL), _hex(sha256))
        if (stream.packed == 0) != (stream.size == 0):
            msg = "a stream that has nothing in it has bytes, or the other way round"
            raise ValueError(msg)
        return stream

    @staticmethod
    def _step(data: object) -> Step:
        fields = _list(data)
        first = fields[0] if fields else None
        if isinstance(first, int) and not isinstance(first, bool):
            old, count = _fields(data, 2)
            return Step("run", _number(old, MOST_MEMBERS), _number(count, MOST_MEMBERS, 1))
        if first == "copy":
            _, old, path, executable = _fields(data, 4)
            return Step("copy", _number(old, MOST_MEMBERS), 1, _path(path), bool(_number(executable, 1)))
        _, old, path, executable, size, crc32, record = _fields(data, 7)
        if first not in ("delta", "full"):  # a tuple: what is there may be a list, which no set can be asked for
            msg = "it has a step of an unknown kind"
            raise ValueError(msg)
        step = Step(
            "delta" if first == "delta" else "full",
            _number(old, MOST_MEMBERS, 0 if first == "delta" else -1),
            1,
            _path(path, optional=first == "delta"),
            bool(_number(executable, 1)),
            _number(size, MOST_MEMBER),
            _number(crc32, 0xFFFFFFFF),
            bool(_number(record, 1)),
        )
        if (first == "full") != (step.old == -1) or (step.record and step.size > MOST_RECORD):
            msg = "a step of it contradicts itself"
            raise ValueError(msg)
        return step

    @staticmethod
    def _check(manifest: Manifest) -> None:
        primary, result = manifest.primary, manifest.result
        if result.size > MOST_GROWTH * primary.size + SMALL:
            msg = f"its result has {result.size} bytes, more than can come of {primary.size}"
            raise ValueError(msg)
        count = made = literal = 0
        for index, step in enumerate(manifest.steps):
            count += step.count
            if step.kind != "full" and step.old + step.count > primary.members:
                msg = f"it names member {step.old + step.count - 1} of the primary, which has {primary.members}"
                raise ValueError(msg)
            if step.record and index + 1 != len(manifest.steps):
                msg = "its RECORD is not the last member"
                raise ValueError(msg)
            made += step.size
            literal += step.size if step.kind == "full" else 0
        if count != result.members:
            msg = f"its steps make {count} members, and the result has {result.members}"
            raise ValueError(msg)
        _, difference, rest = manifest.streams
        if made > result.size or difference.size + rest.size != made or rest.size < literal:
            msg = "its streams have other sizes than its members"
            raise ValueError(msg)


def serves_windows(tag: str) -> bool:
    """Tell whether wheels of such tags are installed on Windows, too."""
    return any(platform == "any" or platform.startswith("win") for platform in tag.rpartition("-")[2].split("."))


def check_paths(paths: Iterable[str], *, windows: bool = False) -> None:
    """Refuse paths that cannot stand beside each other, or that lead out.

    Args:
        paths: All files of an archive.
        windows: Refuse what Windows cannot store, too.

    Raises:
        ValueError: With the path and what is wrong about it.
    """
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for path in paths:
        if problem := problem_with(path) or (windows_problem_with(path) if windows else ""):
            msg = f"the path {path[:200]!r} {problem}"
            raise ValueError(msg)
        key = caseless(path)
        if key in files or key in folders:
            msg = f"the path {path[:200]!r} stands there twice, or is the same as another one on Windows and macOS"
            raise ValueError(msg)
        files[key] = path
        while "/" in path:
            path = path.rpartition("/")[0]  # noqa: PLW2901 - one folder up
            key = caseless(path)
            if key in files or folders.setdefault(key, path) != path:
                msg = f"the folder {path[:200]!r} is the same as another path on Windows and macOS"
                raise ValueError(msg)


def _table(data: object, keys: tuple[str, ...]) -> Mapping[str, object]:
    if not isinstance(data, dict) or set(data) != set(keys):
        msg = f"a table of it should have {', '.join(keys)}, and nothing else"
        raise ValueError(msg)
    return data


def _list(data: object) -> list[object]:
    if not isinstance(data, list):
        msg = "there is no list where one should be"
        raise ValueError(msg)  # noqa: TRY004 - what is wrong is the patch, not a call
    return data


def _fields(data: object, count: int) -> list[object]:
    found = _list(data)
    if len(found) != count:
        msg = f"an entry has {len(found)} fields and not {count}"
        raise ValueError(msg)
    return found


def _text(data: object) -> str:
    if not isinstance(data, str) or not data or len(data) > 1000 or not data.isprintable():
        msg = "there is no text where one should be"
        raise ValueError(msg)
    return data


def _path(data: object, *, optional: bool = False) -> str:
    if data == "" and optional:
        return ""
    if not isinstance(data, str) or problem_with(data):
        msg = f"the path {str(data)[:200]!r} {problem_with(data) if isinstance(data, str) else 'is no text'}"
        raise ValueError(msg)
    return data


def _hex(data: object) -> str:
    if not isinstance(data, str) or len(data) != _DIGEST or not _HEX.issuperset(data):
        msg = "there is no digest where one should be"
        raise ValueError(msg)
    return data


def _number(data: object, most: int, least: int = 0) -> int:
    if not isinstance(data, int) or isinstance(data, bool) or not least <= data <= most:
        msg = f"{str(data)[:40]} is not between {least} and {most}"
        raise ValueError(msg)
    return data
