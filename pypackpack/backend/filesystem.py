"""The door to the disk: atomic writes, atomic folders, locks, digests.

Write aside, flush, rename: a crash at any line leaves the old state or the new one. What differs between systems
(locks, renaming over what exists, file modes) stays in this file.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import re
import shutil
import stat
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pypackpack.backend.clone import clone, copy_bytes
from pypackpack.model.errors import ConflictError, FilesystemError, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

CACHE_VARIABLE = "PYPACKPACK_CACHE_DIR"
_CHUNK = 1 << 20


def cache_folder(settings: Path | None = None) -> Path:
    """Return the user's cache folder for pypackpack.

    Args:
        settings: The folder that a project's settings name instead; ``PYPACKPACK_CACHE_DIR`` wins over both.
    """
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named).absolute()
    if settings is not None:
        return settings
    from platformdirs import user_cache_path  # noqa: PLC0415 - import cost, only where it is needed

    return user_cache_path("pypackpack", appauthor=False)


@contextlib.contextmanager
def explained(action: str, path: Path) -> Iterator[None]:
    """Turn an OSError inside into a FilesystemError that names the action and the path."""
    try:
        yield
    except OSError as error:
        where = error.filename or path
        msg = f"cannot {action} {where}: {error.strerror or error}"
        hints = {
            errno.EACCES: "Check who owns the folder and whether you may write there.",
            errno.EPERM: "Check who owns the folder and whether you may write there.",
            errno.EROFS: "The file system is mounted read-only.",
            errno.ENOSPC: "The disk is full: free some space and run the same command again.",
            errno.EDQUOT: "Your disk quota is used up: free some space and run the same command again.",
            errno.ENAMETOOLONG: "Move the project to a shorter path.",
        }
        raise FilesystemError(msg, hint=hints.get(error.errno or 0, "")) from error


def write_atomic(path: Path, data: bytes | str, *, executable: bool = False, durable: bool = True) -> None:
    """Write a whole file: readers see the old content or the new, never a part; parents are made.

    An existing file keeps its mode. With ``durable`` False nobody waits for the disk: for what can be made again.

    Raises:
        FilesystemError: It cannot be written; the old file is untouched.
    """
    with atomic_stream(path, executable=executable, durable=durable) as stream:
        stream.write(data.encode() if isinstance(data, str) else data)


@contextlib.contextmanager
def atomic_stream(path: Path, *, executable: bool = False, durable: bool = True) -> Iterator[BinaryIO]:
    """Give a stream whose content stands at ``path`` once the block has ended without an error; else nothing changes.

    For what is too large to hold in memory; otherwise as `write_atomic`.

    Raises:
        FilesystemError: It cannot be written; the old file is untouched.
    """
    with explained("write", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = unused_name(path.parent, _aside(path.name))
        try:
            with open(aside, "xb", opener=_private) as stream:
                yield stream
                if durable:
                    stream.flush()
                    os.fsync(stream.fileno())
            aside.chmod(_mode_for(path, executable=executable))
            replace(aside, path)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise


def place_copy(source: str, path: Path, digest: str | None) -> bool:
    """Put a copy of a file at a place, as `atomic_stream` does: a clone where the file system can, never a link.

    Nobody waits for the disk: what has an original can be copied again.

    Args:
        source: The file.
        path: Where the copy goes.
        digest: The hex SHA-256 that the file should have; None if that is certain.

    Returns:
        False when it has another one; then nothing changes.

    Raises:
        FileNotFoundError: The file is not there.
        FilesystemError: The copy cannot be written; what was there is untouched.
    """
    with Path(source).open("rb") as original, explained("write", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = unused_name(path.parent, _aside(path.name))
        try:
            cloned = clone(source, os.fspath(aside))
            with open(aside, "r+b" if cloned else "xb", opener=_private) as stream:
                if digest is not None:
                    found = copy_stream(stream, None) if cloned else copy_stream(original, stream)
                elif not cloned:
                    copy_bytes(original, stream)
            if digest is not None and found != digest:
                aside.unlink()
                return False
            aside.chmod(_mode_for(path, executable=False))
            replace(aside, path)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
    return True


def _aside(name: str) -> str:
    """Return the beginning of what stands beside a file of a name while it is written: no other name's, and never too long."""
    return f".{name[:40]}.{sha256_bytes(name)[:8]}."


def drop_asides(path: Path) -> None:
    """Remove what a killed process left aside of a file; nobody else may be writing it now."""
    aside = re.compile(re.escape(_aside(path.name)) + "[0-9a-f]{12}")
    with contextlib.suppress(OSError):
        for name in os.listdir(path.parent):  # noqa: PTH208 - names are all that is wanted
            if aside.fullmatch(name):
                (path.parent / name).unlink()


def write_scratch(path: Path, data: bytes) -> None:
    """Write a file that nobody else sees, in a scratch folder; parents are made.

    Raises:
        FilesystemError: It cannot be written.
    """
    with explained("write", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def fill_file(path: Path, data: bytes | Path, *, executable: bool = False) -> str:
    """Write or copy a file inside a folder that nobody looks at yet (`scratch_folder`); parents are made.

    Returns:
        The hex SHA-256 of what was written.

    Raises:
        FilesystemError: It cannot be read or written.
    """
    with explained("write", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as out, io.BytesIO(data) if isinstance(data, bytes) else data.open("rb") as source:
            digest = copy_stream(source, out)
        if executable:
            path.chmod(path.stat().st_mode | 0o111)
    return digest


def copy_stream(source: BinaryIO, out: BinaryIO | None) -> str:
    """Copy what is left of a stream, a piece at a time, and return the hex SHA-256 of it; without ``out`` only that."""
    digest = hashlib.sha256()
    while chunk := source.read(_CHUNK):
        digest.update(chunk)
        if out is not None:
            out.write(chunk)
    return digest.hexdigest()


def unused_name(parent: Path, prefix: str) -> Path:
    """Choose a name that nobody has; it is known before there is anything, so that Ctrl-C at any line can be cleaned up after."""
    return parent / f"{prefix}{os.urandom(6).hex()}"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _mode_for(path: Path, *, executable: bool) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_mode & 0o7777
    umask = os.umask(0)
    os.umask(umask)
    return (0o777 if executable else 0o666) & ~umask


def replace(aside: str | Path, path: str | Path) -> None:
    """Rename over what exists; on Windows a reader may hold it open for a moment."""
    for wait in (0.01, 0.05, 0.2, 0.5, 1.0, None):
        try:
            os.replace(aside, path)  # noqa: PTH105 - strings on the store's hot path
        except PermissionError:  # noqa: PERF203 - the point of the loop
            if sys.platform != "win32" or wait is None:
                raise
            time.sleep(wait)
        else:
            return


def remove_tree(path: Path) -> None:
    """Remove a folder or file, if it is there; a link is removed, not followed."""
    with explained("remove", path):
        if path.is_symlink() or path.is_file():
            path.unlink()
        elif path.exists():
            shutil.rmtree(path)


@contextlib.contextmanager
def scratch_folder(parent: Path, prefix: str = ".work-") -> Iterator[Path]:
    """Make a folder of one's own below ``parent`` and remove it at the end, whatever happens."""
    with explained("make a folder in", parent):
        parent.mkdir(parents=True, exist_ok=True)
    folder = unused_name(parent, prefix)
    try:
        with explained("make a folder in", parent):
            folder.mkdir(mode=0o700)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make_once(place: Path, fresh: Path) -> None:
    """Put ``fresh`` at ``place`` unless somebody else was first; for cache folders that are the same whoever makes them."""
    with explained("write", place):
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            fresh.rename(place)
        except OSError:
            if not place.is_dir():
                raise


@contextlib.contextmanager
def lock(
    path: Path, *, wait: bool = True, busy: str = "", waiting: Callable[[], None] | None = None, patience: float = 0.0
) -> Iterator[None]:
    """Hold an exclusive lock on a file, across processes; it ends with the process, however that ends.

    Args:
        path: The lock file; it stays on disk.
        wait: Wait for whoever holds it; otherwise raise at once.
        busy: The error's sentence.
        waiting: Called once if somebody else holds it.
        patience: Seconds to wait before that is worth a word.

    Raises:
        ConflictError: Somebody else holds it and ``wait`` is False.
    """
    with explained("lock", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _lock_handle(handle, path, wait=wait, busy=busy, waiting=waiting, patience=patience)
        yield
    finally:
        os.close(handle)


def is_held(path: Path) -> bool:
    """Tell whether somebody holds the lock on a file, us included; one that is not there is held by nobody.

    Raises:
        FilesystemError: It cannot be opened.
    """
    with explained("look at the lock", path):
        try:
            handle = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return False
    try:
        _try_lock(handle)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def _try_lock(handle: int) -> None:
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - Windows only

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl  # noqa: PLC0415 - POSIX only

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _lock_handle(handle: int, path: Path, *, wait: bool, busy: str, waiting: Callable[[], None] | None, patience: float) -> None:
    loud = time.monotonic() + patience
    while True:
        try:
            _try_lock(handle)
        except OSError as error:  # noqa: PERF203 - the point of the loop
            if error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
                msg = f"cannot lock {path}: {error.strerror or error}"
                raise FilesystemError(msg) from error
            if not wait:
                raise ConflictError(busy or f"{path} is in use by another pypackpack") from error
            if waiting is not None and time.monotonic() >= loud:
                waiting()
                waiting = None
            time.sleep(0.05)
        else:
            return


def sha256_bytes(data: bytes | str) -> str:
    """Return the hex SHA-256 of bytes (text as UTF-8)."""
    return hashlib.sha256(data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data).hexdigest()


def sha256_file(path: Path) -> str:
    """Return the hex SHA-256 of a file's content.

    Raises:
        FilesystemError: It cannot be read.
    """
    digest = hashlib.sha256()
    with explained("read", path), path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes.

    Raises:
        FilesystemError: It cannot be read.
    """
    with explained("read", path):
        return path.read_bytes()


def folders_in(folder: Path) -> list[str]:
    """Return the names of the folders in a folder, sorted; hidden ones are left out.

    Raises:
        FilesystemError: It cannot be read.
    """
    with explained("read", folder), os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith((".", "__")))


def is_executable(path: Path) -> bool:
    """Tell whether a file is marked as a program; on Windows, which has no such mark, never."""
    if sys.platform == "win32":
        return False
    with explained("read", path):
        return bool(path.stat().st_mode & 0o100)


def source_date_epoch() -> int | None:
    """Return ``SOURCE_DATE_EPOCH`` (seconds since 1970, see reproducible-builds.org), or None when it is not set to a number."""
    value = os.environ.get("SOURCE_DATE_EPOCH", "")
    return int(value) if value.isascii() and value.isdigit() else None


def files_below(folder: Path, *, installed: bool = False) -> Iterator[Path]:
    """Yield every file below a folder in a stable order, without ``__pycache__`` and editors' leftovers.

    Links to folders are not followed (a loop would never end); links to files count as files. `source_files` follows both.

    Args:
        folder: Where to look; nothing is yielded when it is not there.
        installed: It holds what an installer put there and not sources: everything counts but ``__pycache__``.
    """
    for entry in _entries(folder):
        if entry.name == "__pycache__" or (not installed and is_leftover(entry.name)):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from files_below(Path(entry.path), installed=installed)
        elif entry.is_file():
            yield Path(entry.path)


def is_leftover(name: str) -> bool:
    """Tell whether a file of this name is what an editor, a system or Python leaves in a folder of sources."""
    return name.endswith((".pyc", ".pyo", "~", ".swp")) or name == ".DS_Store"


def _entries(folder: Path | str) -> list[os.DirEntry[str]]:
    """Return what lies in a folder, by name; nothing when it is not there."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        return []
    except OSError as error:
        with explained("read", Path(folder)):
            raise error  # noqa: TRY201 - the same error, explained


def source_files(folder: Path, inside: Sequence[Path]) -> Iterator[Path]:
    """Yield every file of a folder of sources in the order of `files_below`; links to files and to folders are followed.

    Args:
        folder: Where to look; nothing is yielded when it is not there.
        inside: Folders that a link may lead into.

    Raises:
        SourceError: A link leads out of these folders, to nothing, or to a folder that it lies in.
        FilesystemError: A folder cannot be read.
    """
    if os.path.lexists(folder):
        roots = tuple(os.path.realpath(root) for root in inside)
        place = os.fspath(folder)
        yield from _source_files(place, (_led_to(place, roots, ()),), roots)


def _source_files(folder: str, way: tuple[str, ...], roots: tuple[str, ...]) -> Iterator[Path]:
    """Yield the files of a folder; ``way`` has its path without links, and those of the folders that led to it."""
    for entry in _entries(folder):
        if entry.name == "__pycache__" or is_leftover(entry.name):
            continue
        real = _led_to(entry.path, roots, way) if _is_link(entry) else f"{way[-1]}{os.sep}{entry.name}"
        if entry.is_dir():
            yield from _source_files(entry.path, (*way, real), roots)
        elif entry.is_file():
            yield Path(entry.path)


def is_link(path: str | Path) -> bool:
    """Tell whether a path is a link, or on Windows a junction; what cannot be looked at is none."""
    try:
        facts = os.lstat(path)
    except OSError:
        return False
    if sys.platform == "win32" and facts.st_reparse_tag == stat.IO_REPARSE_TAG_MOUNT_POINT:
        return True
    return stat.S_ISLNK(facts.st_mode)


def _is_link(entry: os.DirEntry[str]) -> bool:
    if sys.platform == "win32" and entry.is_dir():  # a junction is a link to a folder that says that it is none
        return entry.is_symlink() or entry.stat(follow_symlinks=False).st_reparse_tag == stat.IO_REPARSE_TAG_MOUNT_POINT
    return entry.is_symlink()


def _led_to(link: str, roots: tuple[str, ...], way: tuple[str, ...]) -> str:
    """Return where a link leads to, without links.

    Raises:
        SourceError: To nothing, out of the roots, or to a folder that the link lies in.
    """
    real = os.path.realpath(link)
    try:
        os.stat(real)  # noqa: PTH116 - hot path, strings on purpose
    except FileNotFoundError as error:
        msg = f"{link} is a link to {os.readlink(link)}, which is not there"  # noqa: PTH115 - as above
        raise SourceError(msg, hint="Bring back what it leads to, or remove the link.") from error
    except OSError as error:
        if error.errno != errno.ELOOP:
            with explained("read", Path(link)):
                raise
        msg = f"{link} is a link that leads to itself"
        raise SourceError(msg, hint="Remove the link.") from error
    if not any(_is_in(real, root) for root in roots):
        msg = f"{link} is a link that leads out of the project, to {real}"
        raise SourceError(msg, hint="Put what it leads to into the project: another machine does not have it there.")
    if any(_is_in(each, real) for each in way):
        msg = f"{link} is a link to {real}, a folder that it lies in itself: there is no end to it"
        raise SourceError(msg, hint="Remove the link.")
    return real


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
