"""What nobody but its owner should read: credentials in urls, taken out of everything that is shown."""

from __future__ import annotations

import re

# A password may have an `@` in it that should have been quoted, or a `/` (what stands before that is then no port). A url that
# was taken for a path has lost one of its slashes; a drive (`C:/me@work`) is no url.
_CREDENTIALS = re.compile(
    r"(?<=://)[^/\s\"]+@|(?<=://)[^/\s\":@\[]+:(?!\d*/)[^\s\"]{,300}@|(?<=[a-z]{2}:/)[^/\s\":]*:[^/\s\"]*@", re.IGNORECASE
)


_KEYS = re.compile(r"(?<=ed25519-secret:)[A-Za-z0-9_-]+")


def masked(text: str) -> str:
    """Return text without the credentials that urls in it may carry, and without secret keys."""
    if "-secret:" in text:
        text = _KEYS.sub("****", text)
    return _CREDENTIALS.sub("****@", text) if "@" in text else text
