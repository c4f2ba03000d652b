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
    if not os.path.isdir(folder):
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
            state = os.stat(entry.path)
            lines.append(f"{prefix}{entry.name}\0{state.st_size}\0{state.st_mtime_ns}")


def file_state(path: str) -> str:
    """Return size and time of a file as a word, ``-`` when there is none."""
    try:
        state = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return "-"
    return f"{state.st_size}:{state.st_mtime_ns}"


def nearest_with(folder: str, relative: str) -> str | None:
    """Return the nearest folder, from one upwards, that has a file at a relative path.

    None as well where a folder on the way may be a project of its own, which only the settings can tell.

    Raises:
        OSError: Something on the way cannot be read.
    """
    while True:
        if os.path.isfile(os.path.join(folder, relative)):
            return folder
        try:
            with open(os.path.join(folder, "pyproject.toml"), "rb") as stream:
                if b"packages" in stream.read():
                    return None
        except FileNotFoundError:
            pass
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
