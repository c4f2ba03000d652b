"""Where an index is: the url that files are sent to, and the url that installers read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches

from pypackpack.backend.urls import urlsplit
from pypackpack.model.errors import UsageError
from pypackpack.model.secrets import masked

HINT = "Write `--to pypi`, `--to testpypi`, or the url of an index, such as https://pypi.example.org/simple/."
_LIST = re.compile(r"/\+?simple/*$")


@dataclass(frozen=True)
class Place:
    """A package index.

    Attributes:
        upload: Where files are sent to (the "legacy" upload API that twine and uv speak).
        index: Where the simple API is; ends in ``/``.
    """

    upload: str
    index: str


KNOWN = {
    "pypi": Place("https://upload.pypi.org/legacy/", "https://pypi.org/simple/"),
    "testpypi": Place("https://test.pypi.org/legacy/", "https://test.pypi.org/simple/"),
}
"""See https://docs.pypi.org/api/upload/ and https://packaging.python.org/en/latest/guides/using-testpypi/."""

_HOSTS = {
    "upload.pypi.org": "pypi",
    "pypi.org": "pypi",
    "pypi.python.org": "pypi",
    "www.pypi.org": "pypi",
    "test.pypi.org": "testpypi",
}


def place_of(word: str, check_url: str = "") -> Place:
    """Return the index that the word after ``--to`` means.

    A url that ends in ``/simple`` is where installers read; files go to the url without that end, as it is with pypiserver, devpi
    (``/+simple``), Artifactory, GitLab, Nexus and CodeArtifact. Another url is where files go, and installers read at ``/simple``
    below it.

    Args:
        word: ``pypi``, ``testpypi`` or a url.
        check_url: Where installers read, when that is not so.

    Raises:
        UsageError: It is neither, or carries credentials, or goes over the network in the clear with no such index there.
    """
    if check_url:
        _checked(check_url, "--check-url")
    if word in KNOWN:
        known = KNOWN[word]
    else:
        _checked(word, "--to")
        host = urlsplit(word).hostname or ""
        if host in _HOSTS:
            known = KNOWN[_HOSTS[host]]
        else:
            found = _LIST.search(word)
            known = Place(word[: found.start()] + "/", word) if found else Place(word, word.rstrip("/") + "/simple/")
    return Place(known.upload, (check_url or known.index).rstrip("/") + "/")


def _checked(url: str, option: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        # What the library says may have a part of a password in it, and a url that cannot be read may have one anywhere.
        before, at, after = url.rpartition("@")
        shown = f"{before.partition('//')[0]}//****@{after}" if at else url
        msg = f"{option}: {shown} is no url" + ("" if at else f" ({error})")
        raise UsageError(msg, hint=HINT) from error
    if parts.scheme not in ("http", "https") or not host or re.search(r"[\s\x00-\x1f]", url):
        near = get_close_matches(url.lower(), [*KNOWN, "fasttrack"], n=1, cutoff=0.5)
        msg = f"{option}: {masked(url)!r} is no index"
        raise UsageError(msg, hint=f"Did you mean {near[0]}?" if near else HINT)
    if parts.username is not None or parts.password is not None:
        from pypackpack.backend.tools.uv_publish import LOGIN  # noqa: PLC0415 - only for the sentence

        msg = f"{option}: {masked(url)} has credentials in it, which other programs of this machine could read"
        raise UsageError(msg, hint=f"Leave them out of the url. {LOGIN}")
    if parts.query or parts.fragment:
        msg = f"{option}: {url} has more than a path at its end"
        raise UsageError(msg, hint=HINT)
