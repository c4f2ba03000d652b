r"""What one entry of a remote cache is, to the byte: a signed document, and the forms that servers want it in.

The document says what a key's task left behind: format, key, outputs with digest and size, facts. It is JSON in one spelling
(sorted, no spaces, ASCII), so that nothing can be said twice. An entry is one line, then the document::

    pypackpack-cache-1 <public key, 64 hex> <signature, 128 hex>\n
    {"facts":{…},"format":"pypackpack-cache-1","key":"…","outputs":{"module":["<sha256>",12345]}}

The signature is over ``pypackpack-cache-1\n`` and the document. On a server with ``/ac`` the entry lies in the ``stdout_raw`` of
an ActionResult of Bazel's remote execution API (https://github.com/bazelbuild/remote-apis, ``remote_execution.proto``): a
bazel-remote takes nothing else there, and does not give one out when a blob that it names is gone. For Gradle's protocol,
which has one body for each key, the blobs follow the entry.

Nothing in here is believed because of where it came from: whatever does not have exactly this form is no entry.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pypackpack.model.action import ActionResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pypackpack.backend.signing import Signer, Verifier

FORMAT = "pypackpack-cache-1"
ENTRY_LIMIT = 1 << 20
"""No entry is longer, in bytes, whatever form it has."""
BLOB_LIMIT = 1 << 32
NAME_LIMIT = 1000
_CONTEXT = f"{FORMAT}\n".encode()
_HEAD = re.compile(rb"pypackpack-cache-1 ([0-9a-f]{64}) ([0-9a-f]{128})\n")
_PACK_HEAD = re.compile(rb"pypackpack-pack-1 ([1-9][0-9]{0,6})\n")
_LONGEST_PACK_HEAD = 32
_DIGEST = re.compile(r"[0-9a-f]{64}")


class NoEntryError(Exception):
    """Bytes that are no entry for the key, or one that nobody whom we trust has signed."""


@dataclass(frozen=True)
class Entry:
    """An entry that was believed.

    Attributes:
        result: What the key's task left behind.
        sizes: Bytes of each output, by digest.
        public: The public key of who signed it.
    """

    result: ActionResult
    sizes: Mapping[str, int]
    public: bytes


def seal(key: str, result: ActionResult, sizes: Mapping[str, int], signer: Signer) -> bytes:
    """Return the entry of a result, signed.

    Raises:
        NoEntryError: It is too large to be one.
    """
    outputs = {name: [digest, sizes[digest]] for name, digest in result.outputs.items()}
    document = _canonical({"format": FORMAT, "key": key, "outputs": outputs, "facts": dict(result.facts)})
    signature = signer.sign(_CONTEXT + document)
    data = f"{FORMAT} {signer.public.hex()} {signature.hex()}\n".encode() + document
    if len(data) > ENTRY_LIMIT // 2:
        msg = "too large"
        raise NoEntryError(msg)
    return data


def unseal(key: str, data: bytes, verifier: Verifier) -> Entry:
    """Return what an entry says, once it is clear that a trusted key has signed it for exactly this key.

    Raises:
        NoEntryError: With the reason.
    """
    head = _HEAD.match(data)
    if head is None:
        msg = "it is not signed"
        raise NoEntryError(msg)
    public, document = bytes.fromhex(head[1].decode()), data[head.end() :]
    # Before anything is read of it: a parser is no place for what a stranger wrote.
    if not verifier.believes(public, bytes.fromhex(head[2].decode()), _CONTEXT + document):
        msg = "it is not signed by anybody in tool.pypackpack.cache.remote.trust"
        raise NoEntryError(msg)
    try:
        content = json.loads(document)
        same = _canonical(content) == document
    except (ValueError, RecursionError) as error:
        msg = "what is signed cannot be read"
        raise NoEntryError(msg) from error
    if not same or not isinstance(content, dict) or content.keys() != {"format", "key", "outputs", "facts"}:
        msg = "what is signed has another form"
        raise NoEntryError(msg)
    if content["format"] != FORMAT or content["key"] != key:
        msg = "what is signed is the entry of another key"
        raise NoEntryError(msg)
    return _entry(content["outputs"], content["facts"], public)


def _entry(outputs: object, facts: object, public: bytes) -> Entry:
    msg = "what is signed has another form"
    if not isinstance(outputs, dict) or not isinstance(facts, dict) or not all(isinstance(text, str) for text in facts.values()):
        raise NoEntryError(msg)
    digests: dict[str, str] = {}
    sizes: dict[str, int] = {}
    for name, pair in outputs.items():
        if not isinstance(pair, list) or len(pair) != 2 or len(name) > NAME_LIMIT:
            raise NoEntryError(msg)
        digest, size = pair
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest) or type(size) is not int or not 0 <= size <= BLOB_LIMIT:
            raise NoEntryError(msg)
        if sizes.setdefault(digest, size) != size:
            raise NoEntryError(msg)
        digests[name] = digest
    return Entry(ActionResult(digests, dict(facts)), sizes, public)


def _canonical(content: object) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def pack_head(entry: bytes) -> bytes:
    """Return what stands before an entry where blobs follow it, in the order of their digests."""
    return b"pypackpack-pack-1 %d\n" % len(entry)


def read_pack_head(read: Callable[[int], bytes]) -> bytes:
    """Return the entry at the beginning of a stream of such a form; what is left of the stream are the blobs.

    Raises:
        NoEntryError: There is none.
    """
    line = b""
    while not line.endswith(b"\n") and len(line) < _LONGEST_PACK_HEAD and (byte := read(1)):
        line += byte
    head = _PACK_HEAD.fullmatch(line)
    size = int(head[1]) if head else ENTRY_LIMIT + 1
    if size > ENTRY_LIMIT:
        msg = "it has another form"
        raise NoEntryError(msg)
    return read_exactly(read, size)


def read_exactly(read: Callable[[int], bytes], size: int) -> bytes:
    """Read so many bytes of a stream.

    Raises:
        NoEntryError: It ends before.
    """
    pieces: list[bytes] = []
    while size > 0:
        piece = read(min(size, 1 << 18))
        if not piece:
            msg = "it ends in the middle"
            raise NoEntryError(msg)
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


# The few fields of an ActionResult that are needed, by hand: the library for all of protobuf, and what it would be compiled
# from, are a hundred times as much. Numbers are of remote_execution.proto; wire types of
# https://protobuf.dev/programming-guides/encoding/.
_OUTPUT_FILES, _STDOUT_RAW = 2, 5
_FILE_PATH, _FILE_DIGEST = 1, 2
_DIGEST_HASH, _DIGEST_SIZE = 1, 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10


def to_action_result(entry: bytes, result: ActionResult, sizes: Mapping[str, int]) -> bytes:
    """Return an ActionResult that names the blobs and has an entry in it."""
    files = b""
    for name, digest in sorted(result.outputs.items()):
        inner = _field(_DIGEST_HASH, digest.encode())
        if sizes[digest]:  # proto3 writes no zeros
            inner += _varint(_DIGEST_SIZE << 3 | _VARINT) + _varint(sizes[digest])
        files += _field(_OUTPUT_FILES, _field(_FILE_PATH, name.encode()) + _field(_FILE_DIGEST, inner))
    return files + _field(_STDOUT_RAW, entry)


def from_action_result(data: bytes) -> bytes:
    """Return the entry in an ActionResult; whatever else it says is not looked at, since nobody has signed it.

    Raises:
        NoEntryError: There is none, or these bytes are no protobuf message.
    """
    found = [value for number, value in _fields(data) if number == _STDOUT_RAW]
    if len(found) != 1:
        msg = "it has another form"
        raise NoEntryError(msg)
    return found[0]


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the fields of a message that are bytes; numbers are skipped."""
    place = 0
    while place < len(data):
        tag, place = _read_varint(data, place)
        wire, number = tag & 7, tag >> 3
        size = {_FIXED64: 8, _FIXED32: 4}.get(wire)
        if wire == _VARINT:
            _, place = _read_varint(data, place)
            continue
        if wire == _BYTES:
            size, place = _read_varint(data, place)
        if size is None or number == 0 or size > len(data) - place:
            msg = "it has another form"
            raise NoEntryError(msg)
        if wire == _BYTES:
            yield number, data[place : place + size]
        place += size


def _read_varint(data: bytes, place: int) -> tuple[int, int]:
    value = 0
    for count in range(_LONGEST_VARINT):
        if place >= len(data):
            break
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            return value, place
    msg = "it has another form"
    raise NoEntryError(msg)
