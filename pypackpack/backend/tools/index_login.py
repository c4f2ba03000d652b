"""Who we are to a package index, as uv reads it: variables, urls, netrc, keyring, what ``uv auth login`` stored.

See uv's documentation, "HTTP credentials".

Nothing of it is ever written or shown.
"""

from __future__ import annotations

import base64
import json
import os
import re
from typing import TYPE_CHECKING

from pypackpack.backend.urls import quote, unquote, urlsplit, urlunsplit
from pypackpack.model.errors import PyPackPackError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_URL_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
KEYRING_SECONDS = 60


class IndexLogin:
    """Finds the credentials for urls; remembers what it found for each server.

    Args:
        indexes: (name, url) of the indexes that the project names.
    """

    def __init__(self, indexes: Iterable[tuple[str, str]] = ()) -> None:
        self._indexes = list(indexes)
        self._known: dict[tuple[str, str], str] = {}

    def split(self, url: str) -> tuple[str, str]:
        """Return a url without credentials, and the ``Authorization`` header for it, empty when there is none."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https"):
            return url, ""
        _, at, server = parts.netloc.rpartition("@")
        plain = urlunsplit(parts._replace(netloc=server))
        if at:
            return plain, _basic(unquote(parts.username or ""), unquote(parts.password or ""))
        realm = (parts.scheme, server)
        if realm not in self._known:
            login = self._find(*realm)
            self._known[realm] = _basic(*login) if login else ""
        return plain, self._known[realm]

    def _find(self, scheme: str, server: str) -> tuple[str, str] | None:
        user = ""
        for name, url in self._all():
            parts = urlsplit(url)
            if (parts.scheme, parts.netloc.rpartition("@")[2]) != (scheme, server):
                continue
            key = re.sub(r"[^A-Z0-9]", "_", name.upper())
            user = os.environ.get(f"UV_INDEX_{key}_USERNAME", "") or unquote(parts.username or "") or user
            password = os.environ.get(f"UV_INDEX_{key}_PASSWORD", "") or unquote(parts.password or "")
            if password:
                return user, password
        from pypackpack.backend import network  # noqa: PLC0415 - import cost

        host = urlsplit(f"{scheme}://{server}").hostname or ""
        url = f"{scheme}://{server}"
        return network.netrc_login(host) or self._from_keyring(url, host, user) or self._from_uv(url, user)

    def _all(self) -> Iterator[tuple[str, str]]:
        yield from self._indexes
        for variable in _URL_VARIABLES:
            for word in re.split(r"[\s,]+", os.environ.get(variable, "")):
                name, equals, url = word.partition("=")
                if equals and "://" not in name:
                    yield name, url
                elif word:
                    yield "", word

    @staticmethod
    def _from_uv(url: str, user: str) -> tuple[str, str] | None:
        """Return what ``uv auth login`` stored for a server; uv hands it out as a header (``uv auth helper``, Bazel's form)."""
        from pypackpack.backend import process  # noqa: PLC0415 - import cost
        from pypackpack.backend.tools import uv  # noqa: PLC0415 - import cost

        words = ["auth", "helper", "--protocol=bazel", "--preview-features", "auth-helper", "get"]
        asked = url.replace("://", f"://{quote(user, safe='')}@", 1) if user else url
        try:
            command: list[str | Path] = [uv.executable(), *words]
            question = json.dumps({"uri": f"{asked}/"})
            done = process.run(command, env=uv.environment(), text_input=question, timeout=KEYRING_SECONDS)
            header = json.loads(done.stdout)["headers"]["Authorization"][0] if done.code == 0 else ""
            name, _, word = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
        except (PyPackPackError, ValueError, KeyError, IndexError, TypeError):
            return None
        return (name, word) if word else None

    @staticmethod
    def _from_keyring(url: str, host: str, user: str) -> tuple[str, str] | None:
        if os.environ.get("UV_KEYRING_PROVIDER") != "subprocess" or not user:
            return None
        from pypackpack.backend import process  # noqa: PLC0415 - import cost

        for service in (url, host):
            try:
                done = process.run(["keyring", "get", service, user], timeout=KEYRING_SECONDS)
            except PyPackPackError:
                return None
            if done.code == 0 and done.stdout.strip():
                return user, done.stdout.strip()
        return None


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
