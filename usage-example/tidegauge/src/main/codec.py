"""How readings become bytes: MessagePack where it is there, else JSON. Both are read everywhere."""

from __future__ import annotations

import json
from typing import Any, Protocol

try:
    import msgpack
except ImportError:
    msgpack = None


class CodecError(ValueError):
    """Bytes that no codec of ours wrote, or one that is not there."""


class Codec(Protocol):
    """What turns plain values into bytes and back."""

    name: str
    mark: bytes

    def dump(self, value: Any) -> bytes: ...
    def load(self, data: bytes) -> Any: ...


class JsonCodec:
    """Readable, and there on every platform."""

    name = "json"
    mark = b"J"

    def dump(self, value: Any) -> bytes:
        """Return compact JSON."""
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    def load(self, data: bytes) -> Any:
        """Read it."""
        return json.loads(data)


class MessagePackCodec:
    """Small and fast; native code."""

    name = "msgpack"
    mark = b"M"

    def dump(self, value: Any) -> bytes:
        """Return MessagePack."""
        if msgpack is None:
            msg = "msgpack is not installed"
            raise CodecError(msg)
        return msgpack.packb(value)

    def load(self, data: bytes) -> Any:
        """Read it."""
        if msgpack is None:
            msg = "these bytes are MessagePack, and msgpack is not installed"
            raise CodecError(msg)
        return msgpack.unpackb(data)


CODECS: dict[bytes, Codec] = {codec.mark: codec for codec in (JsonCodec(), MessagePackCodec())}


def best() -> Codec:
    """Return the codec to write with."""
    return CODECS[b"J" if msgpack is None else b"M"]


def encode(value: Any, codec: Codec | None = None) -> bytes:
    """Return bytes that `decode` understands: one byte for the codec, then its own."""
    chosen = codec or best()
    return chosen.mark + chosen.dump(value)


def decode(data: bytes) -> Any:
    """Read what `encode` wrote.

    Raises:
        CodecError: The bytes are not ours.
    """
    try:
        codec = CODECS[data[:1]]
    except KeyError:
        msg = f"unknown format of archive: {data[:1]!r}"
        raise CodecError(msg) from None
    try:
        return codec.load(data[1:])
    except CodecError:
        raise
    except ValueError as error:
        msg = f"damaged archive ({codec.name}): {error}"
        raise CodecError(msg) from error
