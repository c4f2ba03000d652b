"""The machine we run on, as a value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Host:
    """What tells one machine's platform from another's.

    Attributes:
        system: ``sys.platform``: ``linux``, ``win32``, ``darwin``, ``android``, ``ios``, ``emscripten`` or another.
        machine: The processor that this Python was built for, in lower case: ``x86_64``, ``aarch64``, ``arm64``, ``amd64`` …
        libc: ``glibc`` or ``musl`` on Linux, else empty.
        libc_version: The C library's version as far as it is known, ``2.36``, else empty.
    """

    system: str
    machine: str
    libc: str = ""
    libc_version: str = ""
