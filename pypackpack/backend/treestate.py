"""What a folder looks like, told by names, sizes and times.

Light on purpose: a `sync` with nothing to do spends most of its time here, before anything else of ours is imported.
"""

import hashlib
import os


def tree_state(folder: str) -> str:
    """Return a digest of names, sizes and times of every file in a folder, or an empty text when it is not there.

    What Python itself writes while somebody imports (``__pycache__``) does not count. Links to folders are not followed.

    Raises:
        OSError: Something in it cannot be read.
    """
    if not os.path.isdir(folder):  # noqa: PTH112 - import cost of pathlib
        return ""
    lines: list[str] = []
    _gather(folder, "", lines)
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _gather(folder: str, prefix: str, lines: "list[str]") -> None:
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name == "__pycache__":
            continue
        if entry.is_dir(follow_symlinks=False):
            _gather(entry.path, f"{prefix}{entry.name}/", lines)
        elif entry.is_file():
            state = os.stat(entry.path)  # noqa: PTH116 - import cost; on Windows an entry's own times may be old
            lines.append(f"{prefix}{entry.name}\0{state.st_size}\0{state.st_mtime_ns}")


def file_state(path: str) -> str:
    """Return size and time of a file as a word, ``-`` when there is none."""
    try:
        state = os.stat(path)  # noqa: PTH116 - import cost of pathlib
    except (FileNotFoundError, NotADirectoryError):
        return "-"
    return f"{state.st_size}:{state.st_mtime_ns}"
