"""What the commands about Pythons hand back, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.model.environment import DevelopmentSync
    from pypackpack.model.interpreter import Interpreter


@dataclass(frozen=True)
class ForeignPython:
    """A Python of another platform that was fetched.

    Attributes:
        target: Name of the target.
        key: uv's name of it, such as ``cpython-3.13.1-windows-x86_64-none``.
        folder: Where it lies.
        fetched: Whether it was fetched just now.
    """

    target: str
    key: str
    folder: Path
    fetched: bool


@dataclass(frozen=True)
class ListedPython:
    """A Python that uv knows of.

    Attributes:
        key: uv's name of it, such as ``cpython-3.13.1-linux-x86_64-gnu``.
        version: Its version.
        implementation: ``cpython``, ``pypy``, ``graalpy``.
        variant: ``default``, ``freethreaded``, ``debug`` or both with ``+``.
        os: Its system, as uv writes it.
        arch: Its machine.
        libc: Its C library, ``none`` where that says nothing.
        path: Where it is on this machine; None for one that can be fetched.
        symlink: Where that path leads to, where it is a link.
        url: Where it is fetched from.
        unsupported: Why packages are not built for it; empty when they are.
    """

    key: str
    version: str
    implementation: str
    variant: str
    os: str
    arch: str
    libc: str
    path: str | None
    symlink: str | None
    url: str | None
    unsupported: str


@dataclass(frozen=True)
class PythonChange:
    """What ``python use`` did.

    Attributes:
        python: The Python of ``.venv`` now.
        before: The version that it had before, or None when there was no ``.venv`` that worked.
        changed: Files that were changed, relative to the project, with ``/``.
        cleared: Packages whose ``build`` folder was removed.
        synced: What became of ``.venv``.
        stale: Packages whose locks, and environments of targets, were made for the Python before.
    """

    python: Interpreter
    before: tuple[int, int, int] | None
    changed: tuple[str, ...]
    cleared: tuple[str, ...]
    synced: DevelopmentSync
    stale: tuple[str, ...] = ()
