"""Who gets what the environment has for a remote cache: the server that the person has named there, and no other.

The url of a cache is in the project, which a pull request may change; the login and the key are in the environment of whoever
builds it. So the environment also says which server they are for.
"""

from __future__ import annotations

import os

from pypackpack.backend.urls import urlsplit

HOST_VARIABLE = "PYPACKPACK_CACHE_HOST"
_PORTS = {"http": 80, "https": 443}


def why_not(url: str) -> str:
    """Say why what is in the environment must not be used for a server; empty when it may.

    Args:
        url: The server's.
    """
    said = os.environ.get(HOST_VARIABLE, "").strip()
    shown = urlsplit(url).netloc.rpartition("@")[2]
    if not said:
        return f"{HOST_VARIABLE} has to name the server that it is for, such as {HOST_VARIABLE}={shown} if that is the right one"
    try:
        if _server(url) == _server(f"{urlsplit(url).scheme}://{said}"):
            return ""
    except ValueError:
        return f"{HOST_VARIABLE} is no server, with or without a port: {said}"
    return f"{HOST_VARIABLE} names {said} and not {shown}"


def _server(url: str) -> tuple[str, int]:
    """Return name and port of a url's server.

    Raises:
        ValueError: It is more than these.
    """
    parts = urlsplit(url)
    if "@" in parts.netloc or not parts.hostname:
        raise ValueError(url)
    return parts.hostname.rstrip("."), parts.port or _PORTS.get(parts.scheme, 0)
