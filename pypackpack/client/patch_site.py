"""An installed distribution as patches see it: what it was installed from, by its RECORD. Standard library only."""

from __future__ import annotations

import base64
import binascii
import contextlib
import csv
import hashlib
import io
import os
import re
import stat
from collections import deque
from threading import Thread
from typing import IO, TYPE_CHECKING, Final

from pypackpack.client.patch_format import MOST_RECORD, Manifest, WrongPrimaryError, check_paths, is_record, rank
from pypackpack.client.patch_wheel import Member, content
from pypackpack.client.paths import problem_with

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

_PIECE: Final = 1 << 20
_INSTALLERS: Final = frozenset(
    {"INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json", "RECORD.jws", "RECORD.p7s"}
)
"""What installers write into the metadata themselves (recording installed projects; uv)."""


class WrongInstallationError(WrongPrimaryError):
    """What is installed is not what the patch was made for, or was changed since it was installed."""

    hint = "Install the wheel that `pypackpack patch show` names, or the newer one; nothing was changed."


class NotInstalledError(WrongInstallationError):
    """Neither the primary nor the newer version is installed there."""


class _Comparison:
    """Compares files with the RECORD that they were installed by, while their reader goes on with other work.

    Hashing does without Python's lock: all processors but one begin at once, and the caller's takes part from `finish` on.

    Args:
        site: The site-packages folder.
        members: What the files should be.
    """

    def __init__(self, site: Path, members: Iterable[Member]) -> None:
        self._site = site
        self._left = deque(sorted(members, key=lambda each: -each.size))  # a large one at the end would leave the others waiting
        self._wrong: list[Exception] = []
        self._threads: list[Thread] = []

    def begin(self) -> None:
        """Begin on the other processors; `leave` has to follow, whatever happens."""
        with contextlib.suppress(RuntimeError):  # there may be no thread, as in browsers: then `finish` does it all
            for _ in range(min(8, len(self._left), (os.cpu_count() or 1) - 1)):
                self._threads.append(Thread(target=self._work))  # first of all, or an interrupt would lose it
                self._threads[-1].start()

    def finish(self) -> None:
        """Wait until all are compared.

        Raises:
            WrongInstallationError: One is not what it was when it was installed.
            OSError: One cannot be read.
        """
        self._work()
        self._join()
        if self._wrong:
            raise self._wrong[0]

    def leave(self) -> None:
        """Compare no more."""
        self._left.clear()
        self._join()

    def _join(self) -> None:
        for thread in self._threads:
            with contextlib.suppress(RuntimeError):  # it was never started
                thread.join()

    def _work(self) -> None:
        buffer = bytearray(_PIECE)
        while not self._wrong:
            try:
                member = self._left.popleft()
            except IndexError:
                return
            try:
                if _digest(self._site / member.path, member.size, buffer) != member.sha256:
                    self._wrong.append(_not_as_installed(member.path))
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                self._wrong.append(_not_there(member.path))
            except Exception as error:  # noqa: BLE001 - it is raised by finish
                self._wrong.append(error)


class Installed:
    """An installed distribution whose files should be those of its RECORD; `check` tells.

    Attributes:
        home: The folder of its metadata.
        members: What came from its wheel, in the order of `rank`; its RECORD, which is another one now, without a size.
        is_result: Whether it is what the patch leads to already, if its files are those of its RECORD.
        check: Waits until each file has been compared with RECORD; raises WrongInstallationError for one that is another.
    """

    def __init__(
        self,
        site: Path,
        home: str,
        members: Sequence[Member],
        others: Sequence[tuple[str, str, str]],
        *,
        is_result: bool,
        check: Callable[[], None],
    ) -> None:
        self._site = site
        self._others = others
        self.is_result = is_result
        self.check = check
        self.home = home
        self.members = members

    def path(self, member: str) -> Path:
        """Return where a member stands."""
        return self._site / member

    def stands(self, path: str) -> bool:
        """Tell whether something stands at a path."""
        return os.path.lexists(self._site / path)

    def chunks(self, index: int) -> Iterator[bytes]:
        """Yield the bytes of a member, a piece at a time."""
        with self.open(index) as file:
            while chunk := file.read(_PIECE):
                yield chunk

    def open(self, index: int) -> IO[bytes]:
        """Return a member as a file."""
        return self.path(self.members[index].path).open("rb")

    def extras(self) -> list[str]:
        """Return the names of files in the metadata's folder that came from no wheel."""
        known = {each.path for each in self.members}
        folder = self._site / self.home
        return sorted(each.name for each in folder.iterdir() if f"{self.home}/{each.name}" not in known and each.is_file())

    def compiled(self, paths: Iterable[str]) -> Iterator[str]:
        """Yield the bytecode that Python keeps of some modules (PEP 3147)."""
        modules: dict[str, set[str]] = {}
        for path in paths:
            if path.endswith(".py"):
                folder, _, name = path.rpartition("/")
                modules.setdefault(folder, set()).add(name[:-3])
        for folder, names in sorted(modules.items()):
            cache = f"{folder}/__pycache__" if folder else "__pycache__"
            try:
                there = sorted(os.listdir(self._site / cache))  # noqa: PTH208 - names are all that is wanted
            except OSError:
                continue
            for name in there:
                if name.endswith(".pyc") and name.split(".", 1)[0] in names:
                    yield f"{cache}/{name}"

    def record(self, rows: Sequence[tuple[str, bytes, int]], home: str, gone: Collection[str]) -> bytes:
        """Return the RECORD of a newer version, as installers write it.

        Args:
            rows: Path, SHA-256 and bytes of its members.
            home: The folder of its metadata.
            gone: Files that the old one names and that are not there any more.
        """
        lines = [(path, _hash(sha256), str(size)) for path, sha256, size in rows]
        known = {path for path, _, _ in rows}
        for path, digest, size in self._others:
            there = f"{home}/{path[len(self.home) + 1 :]}" if path.startswith(f"{self.home}/") else path
            if there not in known and path not in gone:
                lines.append((there, digest, size))
        lines.append((f"{home}/RECORD", "", ""))
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(sorted(lines))
        return text.getvalue().encode()


@contextlib.contextmanager
def open_installed(site: Path, manifest: Manifest) -> Iterator[Installed]:
    """Open an installed distribution, and compare its files with its RECORD meanwhile.

    What the body makes of it counts only after `Installed.check`. Where the body fails, and a file is not what it was when it was
    installed, that is the reason that is given.

    Args:
        site: The site-packages folder.
        manifest: The patch that it should be the primary of, or the result.

    Raises:
        WrongInstallationError: It is neither, or is not as it was installed.
        OSError: Something cannot be read.
    """
    home = _home(site, manifest)
    rows = _rows(site / home / "RECORD")
    ours, others = [], []
    for row in rows:
        path = row[0]
        name = path[len(home) + 1 :] if path.startswith(f"{home}/") else ""
        if not row[1] or problem_with(path) or name in _INSTALLERS:
            others.append(row)  # made when it was installed: commands, which stand elsewhere, bytecode, notes
        else:
            ours.append(row)
    try:
        check_paths(path for path, _, _ in ours)
    except ValueError as error:
        msg = f"the RECORD of the installed package is wrong: {error}"
        raise WrongInstallationError(msg) from error
    root = os.path.realpath(site)
    for folder in {path.rpartition("/")[0] for path, _, _ in ours}:
        expected = os.path.join(root, *folder.split("/")) if folder else root  # noqa: PTH118 - compared as text
        if os.path.realpath(site / folder) != expected:
            msg = f"{folder} in {site} is a link, or stands elsewhere"
            raise WrongInstallationError(msg)
    members = sorted((_member(site, *row) for row in ours), key=lambda each: rank(each.path))
    comparison = _Comparison(site, members)
    try:
        comparison.begin()
        is_result = _is_result(manifest, members)
        members.append(Member(f"{home}/RECORD", executable=False, size=0, crc32=0, sha256=b""))
        kept = [row for row in others if not is_record(row[0])]
        yield Installed(site, home, members, kept, is_result=is_result, check=comparison.finish)
    except Exception:
        comparison.finish()
        raise
    finally:
        comparison.leave()


def _is_result(manifest: Manifest, members: Sequence[Member]) -> bool:
    """Tell whether members are the result, and not the primary; they have to be one of them."""
    digest = content(members)
    if digest not in (manifest.primary.content, manifest.result.content):
        msg = f"what is installed is not {manifest.primary.file}, but another build, or it has files elsewhere (.data)"
        raise NotInstalledError(msg)
    is_result = digest == manifest.result.content
    if not is_result and len(members) + 1 != manifest.primary.members:
        raise WrongInstallationError("the primary of the patch has no RECORD, or several")
    return is_result


def _member(site: Path, path: str, digest: str, size: str) -> Member:
    """Return what a file should be by its row of RECORD; its size and its mode are looked at."""
    try:
        found = (site / path).stat()
    except (FileNotFoundError, NotADirectoryError):
        found = None
    if found is None or not stat.S_ISREG(found.st_mode):
        raise _not_there(path)
    try:
        sha256 = base64.urlsafe_b64decode(digest.removeprefix("sha256=") + "=")
    except (binascii.Error, ValueError):  # not ASCII is the second
        sha256 = b""
    if _hash(sha256) != digest or size not in ("", str(found.st_size)):
        raise _not_as_installed(path)
    return Member(path, bool(found.st_mode & 0o111), found.st_size, 0, sha256)


def _not_there(path: str) -> WrongInstallationError:
    return WrongInstallationError(f"{path} is not there any more")


def _not_as_installed(path: str) -> WrongInstallationError:
    return WrongInstallationError(f"{path} is not what it was when it was installed")


def _home(site: Path, manifest: Manifest) -> str:
    """Return the folder of a distribution's metadata."""
    wanted = _normal(manifest.name)
    try:
        names = os.listdir(site)  # noqa: PTH208 - names are all that is wanted
    except FileNotFoundError:
        names = []
    found = [name for name in names if name.endswith(".dist-info") and _normal(name[:-10].partition("-")[0]) == wanted]
    if len(found) != 1:
        if not found:
            msg = f"{manifest.name} is not installed in {site}"
            raise NotInstalledError(msg)
        msg = f"{manifest.name} is installed twice in {site}"
        raise WrongInstallationError(msg)
    return found[0]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _rows(record: Path) -> list[tuple[str, str, str]]:
    try:
        if record.stat().st_size > MOST_RECORD:
            raise WrongInstallationError("the RECORD of the installed package is too large")
        text = record.read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError) as error:
        raise WrongInstallationError("the installed package has no RECORD, or one that cannot be read") from error
    rows = []
    try:
        for row in csv.reader(io.StringIO(text, newline="")):
            if row:
                path, digest, size = row
                rows.append((path.replace("\\", "/"), digest, size))  # pip on Windows wrote both
    except (ValueError, csv.Error) as error:
        raise WrongInstallationError("the RECORD of the installed package cannot be read") from error
    return rows


def _digest(path: Path, size: int, buffer: bytearray) -> bytes | None:
    """Return the SHA-256 of a file; None where it has another size by now, or is no file of bytes any more."""
    digest, left, view = hashlib.sha256(), size, memoryview(buffer)
    with open(path, "rb", buffering=0, opener=_open) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return None  # a device may have no end
        while left >= 0 and (count := file.readinto(view)):
            digest.update(view[:count])
            left -= count
    return digest.digest() if left == 0 else None


def _open(path: str, flags: int) -> int:
    """Open a file; of a pipe, without waiting for somebody at its other end."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _hash(sha256: bytes) -> str:
    return f"sha256={base64.urlsafe_b64encode(sha256).rstrip(b'=').decode()}"
