"""Which files a package index has: the simple repository API, as JSON (PEP 691) or HTML (PEP 503)."""

from __future__ import annotations

import json
from html.parser import HTMLParser

from pypackpack.backend import network
from pypackpack.backend.urls import SplitResult, file_name, urlsplit
from pypackpack.model.errors import PackageIndexError

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
MOST = 100 << 20
"""Bytes that a list may have; the longest on PyPI has about 30 MB."""


class _Links(HTMLParser):
    """Collects the targets of the anchors of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of one anchor."""
        if tag == "a":
            self.found += [value for name, value in attrs if name == "href" and value]


def listed(index: str, project: str, authorization: str = "") -> dict[str, str]:
    """Return the files that an index has of a project: name → sha256 (hex, lower case), empty where it does not say that.

    Args:
        index: The url of the simple index; ends in ``/``.
        project: The normalised name.
        authorization: The ``Authorization`` header; empty for none.

    Raises:
        PackageIndexError: The index is out of reach, does not let us in, or answers something else than a list of files.
    """
    answer = network.read(f"{index}{project}/", accept=ACCEPT, authorization=authorization, most=MOST)
    if answer is None:
        return {}
    data, kind = answer
    try:
        found = _from_json(data) if "json" in kind else _from_html(data.decode(errors="replace"))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        msg = f"{index} answers something else than a list of files ({type(error).__name__})"
        raise PackageIndexError(msg, hint="Name the url of the index that pip would install from with --check-url.") from error
    return {name: digest.lower() for name, digest in found.items()}


def _from_json(data: bytes) -> dict[str, str]:
    return {str(each["filename"]): str(each["hashes"].get("sha256", "")) for each in json.loads(data)["files"]}


def _from_html(text: str) -> dict[str, str]:
    links = _Links()
    links.feed(text)
    found = {}
    for link in links.found:
        parts: SplitResult = urlsplit(link)
        algorithm, _, digest = parts.fragment.partition("=")
        found[file_name(link)] = digest if algorithm == "sha256" else ""
    return found
