"""What a wheel is made of and made with, as its software bill of materials tells it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LinkedPart:
    """Code of others that compiling brings into a wheel's extension modules.

    Attributes:
        name: What it is called: ``libc++``.
        version: Its version; empty where nothing tells.
        license: Its licence, as an SPDX expression; empty where SPDX has no name for it.
        about: How it comes in, in a few words.
        purl: What tools look it up by (package URL); empty where it has none.
    """

    name: str
    version: str
    license: str
    about: str
    purl: str = ""


@dataclass(frozen=True)
class MakingTool:
    """A tool that a wheel was made with.

    Attributes:
        name: What it is called: ``Cython``.
        version: Its version.
        about: What it did.
        purl: As in `LinkedPart`.
    """

    name: str
    version: str
    about: str
    purl: str = ""


@dataclass(frozen=True)
class DependencyFile:
    """A file that an installer takes for a dependency: its name, and its SHA-256 (hex)."""

    name: str
    sha256: str


@dataclass(frozen=True)
class LockedDependency:
    """A dependency as the package's lock has it.

    Attributes:
        name: Normalised name.
        version: Exact version; empty where the lock has none.
        purl: What tools look it up by (package URL).
        files: What an installer takes for it, on the platforms and Pythons that the wheel is for.
        needs: Package URLs of the dependencies that it needs in turn.
    """

    name: str
    version: str
    purl: str
    files: tuple[DependencyFile, ...] = ()
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dependencies:
    """What a wheel needs at run time.

    Attributes:
        direct: Package URLs of what it asks for itself.
        every: All of them, also those that others need, by name.
        complete: Whether that is all: false where the lock is missing, or has not all that the metadata asks for.
    """

    direct: tuple[str, ...] = ()
    every: tuple[LockedDependency, ...] = ()
    complete: bool = True
