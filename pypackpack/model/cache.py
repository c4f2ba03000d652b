"""Settings of the cache of build results: where it lies, how large it may get, and which remote cache stands behind it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_SIZE = "20 GB"
SMALLEST_SIZE = 10_000_000
"""A cache smaller than this would throw away a build's results before the build is done."""
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BINARY_UNITS = {"ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) ?([kmgt]i?|)B?", re.IGNORECASE)
_PUBLIC_KEY = re.compile(r"ed25519:[A-Za-z0-9_-]{43}")


def parse_size(text: str, *, smallest: int = SMALLEST_SIZE) -> int:
    """Return the bytes that a text means: ``10 GB``, ``1.5 TB``, ``512 MiB`` (``GB`` is 10^9 bytes, ``GiB`` 2^30).

    Raises:
        ValueError: It means no size, or one below ``smallest``.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        msg = "a number and a unit: MB, GB, TB, MiB, GiB or TiB"
        raise ValueError(msg)
    unit = match[2].lower()
    size = round(float(match[1]) * (_UNITS.get(unit) or _BINARY_UNITS[unit]))
    if size < smallest:
        msg = f"at least {smallest // 10**6} MB"
        raise ValueError(msg)
    return size


def is_public_key(text: str) -> bool:
    """Tell whether a text has the form of a public key: ``ed25519:`` and its 32 bytes in base64url, without padding."""
    return _PUBLIC_KEY.fullmatch(text) is not None


@dataclass(frozen=True)
class RemoteSettings:
    """Finished ``[tool.pypackpack.cache.remote]``.

    Attributes:
        url: Where it is, ``http:`` or ``https:``, without credentials and without a slash at its end.
        push: Whether what is made here is uploaded.
        protocol: ``cas`` (``<url>/ac/<key>`` and ``<url>/cas/<sha256>``) or ``gradle`` (``<url>/<key>``).
        trust: Public keys whose signatures are believed.
        timeout: Seconds that the server may take to answer one question.
    """

    url: str
    push: bool = False
    protocol: str = "cas"
    trust: tuple[str, ...] = ()
    timeout: float = 2.0


@dataclass(frozen=True)
class CacheSettings:
    """Finished ``[tool.pypackpack.cache]``.

    Attributes:
        folder: The folder that the settings name, absolute; None when they name none. ``PYPACKPACK_CACHE_DIR`` wins over it:
            ask `pypackpack.backend.filesystem.cache_folder` with it.
        size: Most bytes of the store.
        remote: The remote cache, if there is one.
    """

    folder: Path | None = None
    size: int = parse_size(DEFAULT_SIZE)
    remote: RemoteSettings | None = None


@dataclass(frozen=True)
class KeyPair:
    """Two keys that belong together.

    Attributes:
        public: For everybody: whoever has it can tell what the other one has signed.
        secret: For those who upload, and nobody else.
    """

    public: str
    secret: str
