"""Marks of files and folders: what tells that nothing about them changed, without reading them.

Light on purpose: a build with nothing to do spends most of its time here, before anything else of ours is imported.
"""

import hashlib
import os

ABSENT = "-"
RACY_NANOSECONDS = 2_000_000_000
"""What changed more recently than this may change again within the clock's resolution, and look the same."""


class LinkedError(Exception):
    """A link to a folder, or to a file that is looked at by its own name elsewhere: too much for a mark."""


class Marks:
    """Takes marks and remembers the newest time among them (nanoseconds since 1970)."""

    def __init__(self) -> None:
        self.newest = 0

    def _line(self, name: str, state: os.stat_result) -> str:
        self.newest = max(self.newest, state.st_mtime_ns, state.st_ctime_ns)
        return f"{name}\0{state.st_size}\0{state.st_mtime_ns}\0{state.st_ctime_ns}\0{state.st_ino}\0{state.st_mode}"

    def file(self, path: str) -> str:
        """Return the mark of a file, `ABSENT` when there is none. Links are followed.

        Raises:
            OSError: It cannot be looked at.
        """
        try:
            return self._line("", os.stat(path))
        except (FileNotFoundError, NotADirectoryError):
            return ABSENT

    @staticmethod
    def place(path: str) -> str:
        """Return a mark of a folder that changes when something is added to it or removed; `ABSENT` when there is none."""
        try:
            state = os.stat(path)
        except OSError:
            return ABSENT
        return f"{state.st_ino}:{state.st_mtime_ns}"

    @staticmethod
    def names(path: str) -> str:
        """Return a mark of the names in a folder, hidden ones left out.

        Raises:
            OSError: It cannot be looked at.
        """
        return _digest([name for name in os.listdir(path) if name[0] != "."])

    def tree(self, path: str, skip: "frozenset[str]" = frozenset()) -> str:
        """Return the mark of a folder with all that is below it.

        Args:
            path: The folder.
            skip: Names to leave out, wherever they are.

        Raises:
            OSError: Something in it cannot be looked at.
            LinkedError: There is a link to a folder in it.
        """
        if not os.path.isdir(path):
            return ABSENT
        lines: list[str] = []
        folders = [(path, "")]
        while folders:
            folder, prefix = folders.pop()
            with os.scandir(folder) as found:
                for entry in found:
                    name = entry.name
                    if name in skip:
                        continue
                    if not entry.is_dir():
                        lines.append(self._line(prefix + name, os.stat(entry.path)))
                    elif entry.is_dir(follow_symlinks=False):
                        lines.append(f"{prefix}{name}/")
                        folders.append((entry.path, f"{prefix}{name}/"))
                    else:
                        raise LinkedError(entry.path)
        return _digest(lines)


def _digest(lines: "list[str]") -> str:
    lines.sort()
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
