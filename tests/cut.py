"""A machine without a network: a namespace without a route on Linux, proxies that nobody answers elsewhere."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys

_WAYS = (("unshare", "-rn"), ("unshare", "-n"), ("sudo", "-n", "-E", "unshare", "-n"))
_NOBODY = "http://127.0.0.1:9"


@functools.cache
def prefix() -> tuple[str, ...]:
    """Return the words that start a program without a network; none where the system has no namespaces."""
    if sys.platform != "linux":
        return ()
    for way in _WAYS:
        if shutil.which(way[0]) and subprocess.run([*way, "true"], capture_output=True, check=False).returncode == 0:
            return way
    msg = f"no way to cut the network works here: {', '.join(' '.join(way) for way in _WAYS)}"
    raise AssertionError(msg)


def variables() -> dict[str, str]:
    """Return the variables that go with it."""
    if sys.platform == "linux":
        return {}
    return {name: _NOBODY for word in ("http_proxy", "https_proxy", "all_proxy") for name in (word, word.upper())} | {
        "NO_PROXY": ""
    }
