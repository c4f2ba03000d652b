"""An installed distribution as patches see it: what it was installed from, by its RECORD. Standard library only."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import re
from typing import IO, TYPE_CHECKING, Final

from pypackpack.client.patch_format import MOST_RECORD, Manifest, WrongPrimaryError, check_paths, is_record, rank
from pypackpack.client.patch_journal import in_parallel
from pypackpack.client.patch_wheel import Member, content
from pypackpack.client.paths import problem_with

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
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


class Installed:
    """An installed distribution whose files are those of its RECORD.

    Attributes:
        home: The folder of its metadata.
        members: What came from its wheel, in the order of `rank`; its RECORD, which is another one now, without a size.
        is_result: Whether it is what the patch leads to already.
    """

    def __init__(self, site: Path, home: str, members: Sequence[Member], others: Sequence[tuple[str, str, str]]) -> None:
        self._site = site
        self._others = others
        self.home = home
        self.members = members
        self.is_result = False

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


def open_installed(site: Path, manifest: Manifest) -> Installed:
    """Return an installed distribution after comparing every file of it with its RECORD.

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
    found = in_parallel(_read, [site / path for path, _, _ in ours])
    members = []
    for (path, digest, size), each in zip(ours, found, strict=True):
        if not isinstance(each, Member) or (_hash(each.sha256), str(each.size)) != (digest, size or str(each.size)):
            what = "not what it was when it was installed" if isinstance(each, Member) else "not there any more"
            msg = f"{path} is {what}"
            raise WrongInstallationError(msg)
        members.append(Member(path, each.executable, each.size, 0, each.sha256))
    members.sort(key=lambda each: rank(each.path))
    digest = content(members)
    if digest not in (manifest.primary.content, manifest.result.content):
        msg = f"what is installed is not {manifest.primary.file}; files that it puts elsewhere (.data) cannot be patched"
        raise NotInstalledError(msg)
    members.append(Member(f"{home}/RECORD", executable=False, size=0, crc32=0, sha256=b""))
    installed = Installed(site, home, members, [row for row in others if not is_record(row[0])])
    installed.is_result = digest == manifest.result.content
    if not installed.is_result and len(members) != manifest.primary.members:
        raise WrongInstallationError("the primary of the patch has no RECORD, or several")
    return installed


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


def _read(path: Path) -> Member | None:
    """Return what a file is; None where there is none."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            digest, size = hashlib.sha256(), 0
            while chunk := file.read(_PIECE):
                digest.update(chunk)
                size += len(chunk)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    return Member(path.name, bool(mode & 0o111), size, 0, digest.digest())


def _hash(sha256: bytes) -> str:
    return f"sha256={base64.urlsafe_b64encode(sha256).rstrip(b'=').decode()}"
