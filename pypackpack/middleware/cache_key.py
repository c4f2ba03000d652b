"""Keys for the remote cache: who may upload signs with one, and everybody who trusts it says so in the settings."""

from __future__ import annotations

from pypackpack.model.cache import KeyPair


def new_key() -> KeyPair:
    """Make a pair of keys; it is kept nowhere."""
    from pypackpack.backend.signing import make_pair  # noqa: PLC0415 - import cost

    secret, public = make_pair()
    return KeyPair(public=public, secret=secret)
