"""Applies patches to installed packages: what pip or uv installed of the primary becomes the newer version, where it stands.

Standard library only; runs inside people's apps::

    from pypackpack.client.patch_installed import patch_installed, recover

    recover(Path(site_packages))  # at every start, before the package is imported
    patch_installed(Path("demo-1.4.0-p3-py3-none-any.whl.patch"), Path(site_packages))

The package is the old one or the new one: everything is made and checked beside it first, and a journal says what a process that
is killed while files change places was about; `recover`, and every later `patch_installed`, finishes that.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from configparser import ConfigParser
from configparser import Error as ConfigError
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pypackpack.client.patch import check_segments
from pypackpack.client.patch_format import (
    DamagedPatchError,
    Manifest,
    NeedsInstallerError,
    is_record,
)
from pypackpack.client.patch_journal import FOLDER, Journal, Move, stage_of, sync
from pypackpack.client.patch_lock import BusyPatchError, locked
from pypackpack.client.patch_manifest import read_manifest
from pypackpack.client.patch_members import Making, Tally, check_result, resumption
from pypackpack.client.patch_site import Installed, NotInstalledError, WrongInstallationError, open_installed
from pypackpack.client.patch_wheel import Member, content

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import BinaryIO

__all__ = ["NeedsInstallerError", "NotInstalledError", "WrongInstallationError", "check_installed", "patch_installed", "recover"]

_LOCK: Final = ".lock"
_MOST_COMMANDS: Final = 1 << 20
"""Bytes of an entry_points.txt."""
_DROPPED: Final = frozenset({"direct_url.json", "uv_cache.json"})
"""They say where the primary came from."""


def recover(site: str | os.PathLike[str]) -> list[str]:
    """Finish, or take back, what killed calls of `patch_installed` left in a site-packages folder, and remove their leftovers.

    Costs one listing of the folder where nothing was left.

    Returns:
        The distributions that something was left of.

    Raises:
        BusyPatchError: Another process is at it, for very long.
        OSError: Something cannot be moved; the next call goes on with it. What belongs to others was done all the same.
    """
    site = Path(site)
    found = {name.removesuffix(_LOCK) for name in os.listdir(site) if name.startswith(FOLDER)}  # noqa: PTH208 - names
    failed: list[Exception] = []
    for name in sorted(found):
        stage = site / name
        try:
            with locked(_lock(stage)):
                if not Journal.finish(stage, site):
                    shutil.rmtree(stage, ignore_errors=True)
        except (BusyPatchError, OSError) as error:
            failed.append(error)
    if failed:
        raise failed[0]
    return sorted(name[len(FOLDER) :] for name in found)


def check_installed(patch: str | os.PathLike[str], site: str | os.PathLike[str], *, identity: str | None = None) -> Manifest:
    """Make everything that `patch_installed` would make, check it, and keep nothing of it. Errors are those of that."""
    site = Path(site)
    with Path(patch).open("rb") as stream:
        manifest, start = _opened(stream, identity)
        with open_installed(site, manifest) as installed:
            if not installed.is_result:
                _check(manifest, installed)
                members = Making(manifest, stream, start, installed).run(Tally(), last=-1)
                _check_content(manifest, members)
            installed.check()
    return manifest


def patch_installed(patch: str | os.PathLike[str], site: str | os.PathLike[str], *, identity: str | None = None) -> Manifest:
    """Turn an installed primary into the version that a patch leads to.

    Every file of the installed package is compared with its RECORD first. Where the newer version is installed already, nothing
    is done. What a killed call left is finished, or gone on with, or removed.

    Args:
        patch: The patch.
        site: The site-packages folder.
        identity: The identity that the patch has to have, in hexadecimal, as `pypackpack patch show` names it; None for any.

    Returns:
        What was applied.

    Raises:
        WrongPatchError: The patch has another identity.
        NotInstalledError: Neither the primary nor the newer version is installed there.
        WrongInstallationError: The primary is not as it was installed.
        DamagedPatchError: The patch is damaged, or does what no patch may do.
        UnsupportedPatchError: It takes a newer reader, or a Python with a module that this one lacks.
        NeedsInstallerError: The newer version has other commands, or files elsewhere.
        BusyPatchError: Another process patches the same package, for very long.
        OSError: A file cannot be read or written; the old version is installed.
    """
    site = Path(site)
    with Path(patch).open("rb") as stream:
        manifest, start = _opened(stream, identity)
        stage = stage_of(site, manifest.name)
        with locked(_lock(stage)):
            Journal.finish(stage, site)
            with open_installed(site, manifest) as installed:
                if installed.is_result:
                    installed.check()
                    shutil.rmtree(stage, ignore_errors=True)
                    return manifest
                paths = _check(manifest, installed)
                try:
                    moves = _staged(manifest, stream, start, installed, stage, paths)
                    installed.check()
                    Journal(stage, site).run(moves)
                except BaseException:
                    if not Journal.stands(stage):
                        shutil.rmtree(stage, ignore_errors=True)
                    raise
    return manifest


def _lock(stage: Path) -> Path:
    return stage.with_name(f"{stage.name}{_LOCK}")


def _opened(stream: BinaryIO, identity: str | None) -> tuple[Manifest, int]:
    manifest, start = read_manifest(stream, identity=identity)
    check_segments(stream, manifest, start)
    return manifest, start


def _home(manifest: Manifest) -> str:
    """Return the folder of the result's metadata, by its file name (binary distribution format)."""
    return "-".join(manifest.result.file.split("-")[:2]) + ".dist-info"


def _check(manifest: Manifest, installed: Installed) -> list[str]:
    """Look at the paths of the result before anything of it is made; return them without RECORD."""
    paths = check_result(manifest, installed.members, exact=False)
    if not paths or not is_record(paths[-1]) or any(map(is_record, paths[:-1])) or manifest.steps[-1].count != 1:
        raise NeedsInstallerError("the new version has no RECORD, or several")
    del paths[-1]
    home = f"{_home(manifest)}/"
    for path in paths:
        first = path.split("/", 1)[0]
        if first.endswith(".data") or first.startswith(FOLDER):
            msg = f"the new version has {path[:200]!r}, which goes elsewhere"
            raise NeedsInstallerError(msg)
        if first.endswith(".dist-info") and not path.startswith(home):
            msg = f"the new version has {path[:200]!r}, and its metadata should lie in {home}"
            raise DamagedPatchError(msg)
    for path in sorted(set(paths).difference(each.path for each in installed.members)):
        if installed.stands(path):
            msg = f"{path[:200]!r} is there already, and is no part of the installed package"
            raise WrongInstallationError(msg)
    return paths


def _check_content(manifest: Manifest, members: Sequence[Member]) -> None:
    if content(members) != manifest.result.content:
        raise DamagedPatchError("the result is not what the patch says that it is")


class _Staging:
    """Puts the members of a result beside the installed package, each that is not there already under its number."""

    def __init__(self, stage: Path, installed: Installed) -> None:
        self._new = stage / "new"
        self._installed = installed
        self.count = 0
        self.placed: set[int] = set()
        """Numbers of the members that lie in ``new/``."""

    def there(self, paths: Sequence[str], manifest: Manifest) -> list[Member]:
        """Return the members that an earlier call made, up to the first that is missing."""
        found: list[Member] = []
        olds = self._installed.members
        for step in manifest.steps:
            for index in range(step.old, step.old + step.count):
                if len(found) == len(paths):
                    return found
                path = paths[len(found)]
                old = olds[index] if step.kind in ("run", "copy") else None
                program = step.executable if step.kind != "run" or old is None else old.executable
                if old is not None and self._stands(path, program, old):
                    found.append(Member(path, program, old.size, 0, old.sha256))
                    continue
                made = self._new / str(len(found))
                if not made.is_file():
                    return found
                self.placed.add(len(found))
                with made.open("rb") as file:
                    found.append(Member.of(path, iter(lambda: file.read(1 << 20), b""), executable=program, zipped=False))
        return found

    def _stands(self, path: str, program: bool, old: Member) -> bool:
        return old.path == path and (os.name == "nt" or old.executable == program)

    def take(self, member: Member, old: int) -> None:
        """Take a member over; nothing is done for one that stays where it is."""
        number, self.count = self.count, self.count + 1
        if not self._stands(member.path, member.executable, self._installed.members[old]):
            source = self._installed.path(self._installed.members[old].path)
            same_mode = os.name == "nt" or member.executable == self._installed.members[old].executable
            self.placed.add(number)
            self.carry(source, str(number), executable=member.executable, link=same_mode)

    def carry(self, source: Path, name: str, *, executable: bool, link: bool = True) -> None:
        """Put a file that stays as it is under a name."""
        place = self._new / name
        place.unlink(missing_ok=True)
        if link and not source.is_symlink():  # a link would lead elsewhere from another folder
            with contextlib.suppress(OSError):  # not every file system can
                os.link(source, place)
                return
        with source.open("rb") as file:
            self._write(name, iter(lambda: file.read(1 << 20), b""), executable=executable)

    def carry_bytes(self, data: bytes, name: str) -> None:
        """Put bytes under a name."""
        (self._new / name).unlink(missing_ok=True)
        self._write(name, iter((data,)), executable=False)

    def write(self, path: str, chunks: Iterator[bytes], *, executable: bool) -> Member:
        """Write a member."""
        number, self.count = self.count, self.count + 1
        self.placed.add(number)
        return self._write(str(number), chunks, executable=executable, path=path)

    def _write(self, name: str, chunks: Iterator[bytes], *, executable: bool, path: str = "") -> Member:
        aside = self._new / f"{name}.part"
        aside.unlink(missing_ok=True)
        mode = 0o777 if executable else 0o666  # less what the umask says, as installers do
        with open(aside, "xb", opener=lambda path, flags: os.open(path, flags, mode)) as file:
            member = Member.of(path, chunks, executable=executable, out=file.write, zipped=False)
        os.replace(aside, self._new / name)  # noqa: PTH105 - on Windows it replaces, as on other systems
        return member


def _staged(
    manifest: Manifest, stream: BinaryIO, start: int, installed: Installed, stage: Path, paths: Sequence[str]
) -> list[Move]:
    """Make everything that is new beside the package, and return what has to change places."""
    mark = stage / "patch"
    if not mark.is_file() or mark.read_text(encoding="ascii", errors="replace") != manifest.digest:
        shutil.rmtree(stage, ignore_errors=True)
        (stage / "new").mkdir(parents=True)
        mark.write_text(manifest.digest, encoding="ascii")
    (stage / "new").mkdir(exist_ok=True)
    staging = _Staging(stage, installed)
    making = Making(manifest, stream, start, installed)
    there = staging.there(paths, manifest)
    step, count, segment = resumption(manifest, len(there))
    staging.count = count
    members = making.run(staging, there[:count], step, segment, last=-1)
    if count and content(members) != manifest.result.content:  # what was there was not what it should have been
        staging.count, staging.placed = 0, set()
        members = making.run(staging, last=-1)
    _check_content(manifest, members)
    moves = [Move(members[number].path, str(number)) for number in sorted(staging.placed)]
    _check_scripts(installed, stage, {each.path: each.new for each in moves}, _home(manifest))
    new = {each.path for each in members}
    moves += [Move(each.path) for each in installed.members if each.path not in new and not is_record(each.path)]
    touched = {each.path for each in moves}
    stale = {path for path in installed.compiled(touched) if path not in new and path not in touched}
    moves += [Move(path) for path in sorted(stale)]
    moves += _metadata(manifest, installed, staging, members, stale)
    sync([stage / "new" / each.new for each in moves if each.new])
    return moves


def _check_scripts(installed: Installed, stage: Path, moves: Mapping[str, str], home: str) -> None:
    """Refuse a result that has other commands: making them is an installer's work."""
    old = installed.path(f"{installed.home}/entry_points.txt")
    new = stage / "new" / moves[f"{home}/entry_points.txt"] if f"{home}/entry_points.txt" in moves else None
    if new is None and home == installed.home:
        return
    if _scripts(old) != _scripts(new):
        raise NeedsInstallerError("the new version has other commands")


def _scripts(path: Path | None) -> dict[str, dict[str, str]]:
    if path is None or not path.is_file():
        return {}
    if path.stat().st_size > _MOST_COMMANDS:
        raise NeedsInstallerError("its entry_points.txt is larger than any")
    parser = ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # names keep their case: the documented way
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (ConfigError, UnicodeDecodeError) as error:
        raise NeedsInstallerError("its entry_points.txt cannot be read") from error
    return {section: dict(parser[section]) for section in ("console_scripts", "gui_scripts") if section in parser}


def _metadata(
    manifest: Manifest, installed: Installed, staging: _Staging, members: Sequence[Member], stale: set[str]
) -> list[Move]:
    """Put what installers wrote, and a new RECORD, beside the new metadata."""
    home = _home(manifest)
    moves = []
    rows = [(each.path, each.sha256, each.size) for each in members]
    for number, name in enumerate(installed.extras()):
        if home == installed.home:
            continue
        if name not in _DROPPED and f"{home}/{name}" not in {each.path for each in members}:
            staging.carry(installed.path(f"{installed.home}/{name}"), f"extra{number}", executable=False)
            moves.append(Move(f"{home}/{name}", f"extra{number}"))
        moves.append(Move(f"{installed.home}/{name}"))
    gone = stale if home == installed.home else stale | {f"{installed.home}/{name}" for name in _DROPPED}
    record = installed.record(rows, home, gone)
    staging.carry_bytes(record, "record")
    moves.append(Move(f"{home}/RECORD", "record"))
    if home != installed.home:
        moves.append(Move(f"{installed.home}/RECORD"))
    return moves
