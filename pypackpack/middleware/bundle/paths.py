"""Which paths may stand in a wheel or a folder that goes to other systems.

A path here is relative, with ``/`` between its parts. What one file system keeps apart, another one takes for the
same: Windows and macOS look past the case of letters, macOS also past the composition of accents. A wheel that was
made on Linux must not lose a file there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.client.paths import caseless, problem_with, windows_problem_with
from pypackpack.model.errors import WorkError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Paths", "caseless", "problem_with", "tell_case", "windows_problem_with"]

_CASELESS_TAGS = ("any", "win", "macosx", "ios")
"""How the platform tags of wheels begin that go where case does not tell files apart."""


def tell_case(platforms: Iterable[str]) -> bool:
    """Tell whether files that differ in case only are two files wherever wheels with these platform tags are installed."""
    return not any(platform.startswith(_CASELESS_TAGS) for platform in platforms)


class Paths:
    """The paths of one archive or folder, each with its owner; `add` refuses what cannot stand beside the others.

    Args:
        place: What holds them, for the error (``demo-1.0-py3-none-any.whl``).
        ignore_case: Refuse what differs in case or in the composition of accents only.
        windows: Refuse what Windows cannot store.
    """

    def __init__(self, place: str, *, ignore_case: bool = True, windows: bool = False) -> None:
        self._place = place
        self._ignore_case = ignore_case
        self._windows = windows
        self._files: dict[str, tuple[str, str]] = {}
        self._folders: dict[str, tuple[str, str]] = {}

    def _key(self, path: str) -> str:
        return caseless(path) if self._ignore_case else path

    def add(self, path: str, owner: str = "") -> None:
        """Take a file's path in.

        Raises:
            WorkError: It cannot stand there; the other file and both owners are named.
        """
        problem = problem_with(path) or (windows_problem_with(path) if self._windows else "")
        if problem:
            msg = f"{self._place}: the path {path!r}{_of(owner)} {problem}"
            raise WorkError(msg, hint="Rename the file in its source.")
        key = self._key(path)
        if known := self._files.get(key):
            raise self._clash(path, owner, known)
        if known := self._folders.get(key):
            raise self._clash(path, owner, known, "a file and a folder")
        self._files[key] = (path, owner)
        while "/" in path:
            path = path.rpartition("/")[0]
            key = self._key(path)
            if known := self._files.get(key):
                raise self._clash(path, owner, known, "a folder and a file")
            known = self._folders.setdefault(key, (path, owner))
            if known[0] != path:
                raise self._clash(path, owner, known)

    def _clash(self, path: str, owner: str, known: tuple[str, str], kinds: str = "") -> WorkError:
        other, other_owner = known
        if path == other:
            both = f"{path!r} twice" if not kinds else f"{path!r} as {kinds}"
            whose = (
                f" (from {other_owner or 'the same source'} and from {owner or 'the same source'})"
                if owner or other_owner
                else ""
            )
            return WorkError(
                f"{self._place} would hold {both}{whose}", hint="Only one of them can stay: rename or remove the other."
            )
        msg = (
            f"{self._place} would hold {other!r}{_of(other_owner)} and {path!r}{_of(owner)}, "
            "which are one and the same on Windows and macOS"
        )
        theirs = "; of a dependency, use another version, or leave out the targets that cannot tell them apart"
        return WorkError(msg, hint="Rename one of them" + (theirs if owner or other_owner else "") + ".")


def _of(owner: str) -> str:
    return f" of {owner}" if owner else ""
