"""``pypackpack cache key``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer  # noqa: TC002 - typer evaluates the annotations

from pypackpack.frontend.cli.session import Answer
from pypackpack.middleware.cache_key import new_key

if TYPE_CHECKING:
    from pypackpack.frontend.cli.style import Style
    from pypackpack.model.cache import KeyPair


def key(ctx: typer.Context) -> Answer:  # noqa: ARG001 - every command gets it
    """Make a pair of keys to sign what is uploaded to a remote cache."""
    pair = new_key()
    return Answer(pair, lambda _width, style: key_lines(pair, style), asked=True)


def key_lines(pair: KeyPair, style: Style) -> list[str]:
    """Return both keys, and where each belongs."""
    return [
        f"{style.bold('public')}, for everybody, in tool.pypackpack.cache.remote.trust:",
        f"  {style.word(pair.public)}",
        f"{style.bold('secret')}, for those who upload, in PYPACKPACK_CACHE_KEY or the keyring; it is kept nowhere else:",
        f"  {pair.secret}",
    ]
