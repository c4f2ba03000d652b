"""Urls as texts: taken apart and put together. Nothing here reaches the network (`network` does)."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

__all__ = ["SplitResult", "file_name", "path_of", "quote", "unquote", "urlsplit", "urlunsplit"]


def file_name(url: str) -> str:
    """Return the last part of a url's path, as text."""
    return unquote(urlsplit(url).path.replace("\\", "/").rsplit("/", 1)[-1])


def path_of(url: str) -> Path:
    """Return the path that a ``file:`` url means; one that is relative stays that."""
    from urllib.request import url2pathname  # noqa: PLC0415 - brings http and email with it, which texts do not need

    return Path(url2pathname(urlsplit(url).path))
