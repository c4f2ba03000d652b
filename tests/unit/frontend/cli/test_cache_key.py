"""`cache key`: two keys that belong together, and the secret one in no message."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from pypackpack.backend.signing import Signer
from pypackpack.frontend.cli.main import run
from pypackpack.model.secrets import masked

if TYPE_CHECKING:
    import pytest


def test_it_prints_a_pair_and_where_each_belongs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cache", "key"]) == 0
    said = capsys.readouterr().out
    secret = re.search(r"ed25519-secret:\S+", said)
    public = re.search(r"ed25519:\S+", said)
    assert secret is not None
    assert public is not None
    assert Signer(secret[0]).public_text == public[0]
    assert "tool.pypackpack.cache.remote.trust" in said
    assert "PYPACKPACK_CACHE_KEY" in said


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cache", "key", "--json"]) == 0
    pair = json.loads(capsys.readouterr().out)
    assert Signer(pair["secret"]).public_text == pair["public"]


def test_a_secret_key_is_in_no_message() -> None:
    assert masked("PYPACKPACK_CACHE_KEY=ed25519-secret:abc_-9, x@y") == "PYPACKPACK_CACHE_KEY=ed25519-secret:****, x@y"
