"""Signatures (Ed25519, RFC 8032) under what machines tell each other, and the texts that keys are written as.

Public keys are ``ed25519:`` and 32 bytes in base64url without padding; secret ones ``ed25519-secret:`` and the 32 bytes of the
seed. Everything that does arithmetic is ``cryptography``'s, which is imported when the first signature is made or checked.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SIGNATURE_BYTES = 64
KEY_BYTES = 32
_PUBLIC, _SECRET = "ed25519:", "ed25519-secret:"
_FORM = re.compile(r"[A-Za-z0-9_-]{43}")


class KeyTextError(ValueError):
    """A text that is no key; the text itself is not in the message."""


def public_bytes(text: str) -> bytes:
    """Return the 32 bytes of a public key's text.

    Raises:
        KeyTextError: It is none.
    """
    return _bytes(text, _PUBLIC)


def signer_name(public: bytes) -> str:
    """Return the short name of a public key, for folders and messages: 32 digits of its SHA-256."""
    return hashlib.sha256(public).hexdigest()[:32]


def _bytes(text: str, prefix: str) -> bytes:
    body = text.removeprefix(prefix)
    msg = f"not a key of the form {prefix}… with 43 letters, digits, - or _"
    if not text.startswith(prefix) or not _FORM.fullmatch(body):
        raise KeyTextError(msg)
    try:
        data = base64.urlsafe_b64decode(body + "=")
    except binascii.Error:
        raise KeyTextError(msg) from None
    if _text(prefix, data) != text:  # the last character has bits that are not part of the key: one key, one text
        raise KeyTextError(msg)
    return data


def _text(prefix: str, data: bytes) -> str:
    return prefix + base64.urlsafe_b64encode(data).decode().rstrip("=")


class Signer:
    """A secret key that signs.

    Attributes:
        public: The 32 bytes of its public key.
        public_text: The same as text.
    """

    def __init__(self, text: str) -> None:
        """Read a secret key.

        Raises:
            KeyTextError: It is none.
        """
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - import cost

        self._key = Ed25519PrivateKey.from_private_bytes(_bytes(text.strip(), _SECRET))
        self.public = _public(self._key)
        self.public_text = _text(_PUBLIC, self.public)

    def sign(self, data: bytes) -> bytes:
        """Return the 64 bytes of a signature over data."""
        return self._key.sign(data)


class Verifier:
    """Public keys that are believed."""

    def __init__(self, trusted: Iterable[bytes]) -> None:
        """Take note of them; nothing is imported before the first signature comes."""
        self._trusted = frozenset(trusted)
        self._keys: dict[bytes, Ed25519PublicKey] = {}

    def believes(self, public: bytes, signature: bytes, data: bytes) -> bool:
        """Tell whether a key is believed and a signature is that key's over exactly this data."""
        if public not in self._trusted:
            return False
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - import cost
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415 - import cost

        try:
            if public not in self._keys:
                self._keys[public] = Ed25519PublicKey.from_public_bytes(public)
            self._keys[public].verify(signature, data)
        except (InvalidSignature, ValueError):  # ValueError: 32 bytes that are no key, as far as the library tells
            return False
        return True


def make_pair() -> tuple[str, str]:
    """Make a pair of keys and return the texts of the secret and the public one."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - import cost
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - import cost

    key = Ed25519PrivateKey.generate()
    seed = key.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())
    return _text(_SECRET, seed), _text(_PUBLIC, _public(key))


def _public(key: Ed25519PrivateKey) -> bytes:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - import cost

    return key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
