"""Where an index is: the url that files are sent to, and the url that installers read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches

from pypackpack.backend.urls import urlsplit
from pypackpack.model.errors import UsageError

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
    before, at, after = url.rpartition("@")
    if at:  # before anything takes it apart: a password may have a slash, a space or a quotation mark in it
        from pypackpack.backend.tools.uv_publish import LOGIN  # noqa: PLC0415 - only for the sentence

        scheme = re.match(r"https?://", before)
        shown = f"{scheme[0] if scheme else ''}****@{after}"
        msg = f"{option}: {shown} has credentials in it, which other programs of this machine could read"
        raise UsageError(msg, hint=f"Leave them out of the url, and write an @ of its path as %40. {LOGIN}")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        shown = re.sub(r"(//[^/:\[]*:).*", r"\1****", url, flags=re.DOTALL)  # what stands where a port should may be a password
        msg = f"{option}: {shown} is no url" + (f" ({error})" if shown == url else ": no port stands behind the name")
        raise UsageError(msg, hint=HINT) from None
    if parts.scheme not in ("http", "https") or not host or re.search(r"[\s\x00-\x1f]", url):
        near = get_close_matches(url.lower(), [*KNOWN, "fasttrack"], n=1, cutoff=0.5)
        msg = f"{option}: {url!r} is no index"
        raise UsageError(msg, hint=f"Did you mean {near[0]}?" if near else HINT)
    if parts.query or parts.fragment:  # not shown: a token is given so
        msg = f"{option}: {re.split('[?#]', url)[0]} has more than a path behind it"
        raise UsageError(msg, hint=HINT)
