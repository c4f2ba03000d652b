"""Names: how they are spelled, and which words are taken by pypackpack itself."""

from __future__ import annotations

import re

from pypackpack.client.paths import WINDOWS_DEVICES

__all__ = ["COMMANDS", "WINDOWS_DEVICES"]

COMMANDS: frozenset[str] = frozenset(
    {
        "add",
        "build",
        "bundle",
        "cache",
        "clean",
        "completion",
        "deploy",
        "env",
        "help",
        "import",
        "init",
        "inspect",
        "package",
        "patch",
        "python",
        "recipe",
        "release",
        "remove",
        "run",
        "runtime",
        "sync",
        "target",
        "tasks",
        "tree",
        "vendor",
        "verify",
        "version",
    }
)
"""Every word that the command line takes first, also those whose work is not there yet.

A package may not have one of these names. The command line knows a package by its place in the same line, so a
command that is added later never shadows a package that is there already.
"""

_DISTRIBUTION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_SEPARATORS = re.compile(r"[-_.]+")


def is_distribution_name(name: str) -> bool:
    """Tell whether a name is one for a distribution (PEP 508, ASCII letters, digits and ``-_.`` inside)."""
    return _DISTRIBUTION.fullmatch(name) is not None


def normalise(name: str) -> str:
    """Return the name by which distributions are compared (PEP 503): lower case, one ``-`` for each run of ``-_.``."""
    return _SEPARATORS.sub("-", name).lower()


def import_name(name: str) -> str:
    """Return the import package of a distribution: its normalised name with underscores."""
    return normalise(name).replace("-", "_")
