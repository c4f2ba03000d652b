"""Patches are applied to installed packages: the old version or the new one, whatever happens."""

from __future__ import annotations

import base64
import contextlib
import csv
import functools
import hashlib
import io
import os
import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pypackpack.client import patch_installed as patch_installed_module
from pypackpack.client import patch_journal, patch_site
from pypackpack.client.patch import DamagedPatchError, WrongPatchError, read_patch
from pypackpack.client.patch_installed import (
    NeedsInstallerError,
    WrongInstallationError,
    check_installed,
    patch_installed,
    recover,
)
from pypackpack.middleware.patch.make import make_patch
from tests.unit.client.forge import NEW, OLD, pair, wheel

if TYPE_CHECKING:
    from collections.abc import Callable


def installed(whl: Path, site: Path) -> Path:
    """Install a wheel as pip does: its RECORD with what pip adds, bytecode, a command outside."""
    site.mkdir(parents=True, exist_ok=True)
    rows = []
    with zipfile.ZipFile(whl) as archive:
        archive.extractall(site)
        home = next(name for name in archive.namelist() if name.endswith("/RECORD")).rpartition("/")[0]
        for info in archive.infolist():
            (site / info.filename).chmod(0o755 if info.external_attr >> 16 & 0o111 else 0o644)
            if not info.filename.endswith("/RECORD"):
                rows.append(row(site, info.filename))
    for name, data in (("INSTALLER", b"pip\n"), ("REQUESTED", b""), ("direct_url.json", b"{}")):
        (site / home / name).write_bytes(data)
        rows.append(row(site, f"{home}/{name}"))
    cache = site / "demo" / "__pycache__"
    cache.mkdir(exist_ok=True)
    for name in ("__init__.cpython-311.pyc", "same.cpython-311.pyc"):
        (cache / name).write_bytes(b"code")
        rows.append([f"demo/__pycache__/{name}", "", ""])
    rows += [[f"{home}/RECORD", "", ""], ["../../../bin/demo", "sha256=x", "5"]]
    with (site / home / "RECORD").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(sorted(rows))
    return site


def row(site: Path, path: str) -> list[str]:
    data = (site / path).read_bytes()
    return [path, f"sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()}", str(len(data))]


def state(site: Path) -> dict[str, bytes]:
    """Return all files, those of ours that should be gone too."""
    return {path.relative_to(site).as_posix(): path.read_bytes() for path in sorted(site.rglob("*")) if path.is_file()}


@functools.cache
def made() -> list[bytes]:
    return []


def standard(old: Path, new: Path) -> bytes:
    """Return the patch of the pair, which is always the same; made once."""
    if not made():
        made().append(make_patch(old, new, number=1))
    return made()[0]


class Place:
    """An installed primary with files of others around, and patches for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.old, self.new = pair(folder)
        self.site = installed(self.old, folder / "site")
        (self.site / "other.py").write_text("OTHER = 1\n")
        (self.site / "demo" / "__pycache__" / "foreign.cpython-311.pyc").write_bytes(b"x")
        self.before = state(self.site)
        self.patch = self.folder / "demo-1.0-p1-py3-none-any.whl.patch"
        self.patch.write_bytes(standard(self.old, self.new))

    def is_new(self) -> bool:
        now = state(self.site)
        with zipfile.ZipFile(self.new) as archive:
            members = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/RECORD")}
        rest = set(now) - set(members)
        assert {name: now.get(name) for name in members} == members
        assert rest == {
            "other.py",
            "demo/__pycache__/foreign.cpython-311.pyc",
            "demo/__pycache__/same.cpython-311.pyc",
            "demo-1.1.dist-info/INSTALLER",
            "demo-1.1.dist-info/REQUESTED",
            "demo-1.1.dist-info/RECORD",
        }
        rows = list(csv.reader(io.StringIO(now["demo-1.1.dist-info/RECORD"].decode())))
        inside = {path for path, _, _ in rows if not path.startswith("..")}
        assert inside == set(now) - {"other.py", "demo/__pycache__/foreign.cpython-311.pyc"}
        assert ["../../../bin/demo", "sha256=x", "5"] in rows
        assert all(each == row(self.site, each[0]) for each in rows if each[1] and each[0][0] != ".")
        assert not (self.site / "demo-1.0.dist-info").exists()
        return True

    def is_old(self) -> bool:
        assert state(self.site) == self.before
        assert not list(self.site.glob(".pypackpack*"))
        return True


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_the_newer_version_stands_where_the_old_one_stood(place: Place) -> None:
    check_installed(place.patch, place.site)
    assert place.is_old()
    assert patch_installed(place.patch, place.site).result.version == "1.1"
    assert place.is_new()
    now = state(place.site)
    patch_installed(place.patch, place.site)  # it is there already
    check_installed(place.patch, place.site)
    assert state(place.site) == now
    assert recover(place.site) == []
    assert patch_installed(again(place), place.site).result.version == "1.2"
    assert "demo-1.2.dist-info/INSTALLER" in state(place.site)


def again(place: Place) -> Path:
    """Return a patch that leads on: the RECORD that a patch wrote is one as any other."""
    members = {path.replace("1.1.dist", "1.2.dist"): data for path, data in NEW.items()}
    newer = wheel(place.folder / "newer" / "demo-1.2-py3-none-any.whl", members, record="demo-1.2.dist-info")
    patch = place.folder / "demo-1.1-p1-py3-none-any.whl.patch"
    patch.write_bytes(make_patch(place.new, newer, number=1))
    return patch


def test_a_patch_that_was_not_expected_is_not_installed(place: Place) -> None:
    mine = read_patch(place.patch).digest
    for wanted in (again(place), None):
        identity = "" if wanted is None else read_patch(wanted).digest
        for call in (check_installed, patch_installed):
            with pytest.raises(WrongPatchError):
                call(place.patch, place.site, identity=identity)
        assert place.is_old()
    assert patch_installed(place.patch, place.site, identity=mine).digest == mine
    assert place.is_new()
    with pytest.raises(WrongPatchError):  # though there is nothing to do
        patch_installed(place.patch, place.site, identity="0" * 64)


def test_places_may_be_texts_and_an_identity_is_looked_at(place: Place) -> None:
    with pytest.raises(WrongPatchError, match="'zz' is no identity: these are 64 hexadecimal digits"):
        check_installed(place.patch, place.site, identity="zz")
    with pytest.raises(WrongPatchError, match="'5' is no identity"):
        check_installed(place.patch, place.site, identity=5)  # type: ignore[arg-type]
    check_installed(str(place.patch), str(place.site))
    patch_installed(str(place.patch), str(place.site))
    assert recover(str(place.site)) == []
    assert read_patch(str(place.patch)).number == 1


@pytest.mark.skipif(os.name == "nt", reason="no such files")
@pytest.mark.parametrize("what", ["pipe", "endless"])
def test_what_becomes_no_file_while_it_is_compared(place: Place, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = patch_site._member

    def swapped(site: Path, path: str, digest: str, size: str) -> object:
        found = real(site, path, digest, size)
        if path == "demo/same.py":
            (site / path).unlink()
            os.mkfifo(site / path) if what == "pipe" else (site / path).symlink_to("/dev/zero")
        return found

    monkeypatch.setattr(patch_site, "_member", swapped)
    with pytest.raises(WrongInstallationError, match=r"same\.py is not what it was"):
        check_installed(place.patch, place.site)


def test_one_that_cannot_be_recovered_keeps_no_other_from_it(tmp_path: Path) -> None:
    for name in ("a", "b"):
        stage = tmp_path / f".pypackpack-patch-{name}"
        stage.mkdir()
        if name == "a":
            (stage / "forward").write_text("{")
    with pytest.raises(OSError, match="cannot be read"):
        recover(tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [".pypackpack-patch-a"]


def test_programs_are_programs(tmp_path: Path) -> None:
    old = wheel(tmp_path / "demo-1.0-py3-none-any.whl", {**OLD, "demo/tool": b"#!x"}, record="demo-1.0.dist-info")
    new = wheel(tmp_path / "n" / "demo-1.1-py3-none-any.whl", {**NEW, "demo/tool": b"#!x"}, record="demo-1.1.dist-info", programs=("demo/tool",))
    site = installed(old, tmp_path / "site")
    patch = tmp_path / "p.whl.patch"
    patch.write_bytes(make_patch(old, new, number=1))
    patch_installed(patch, site)
    if os.name != "nt":
        assert (site / "demo" / "tool").stat().st_mode & 0o111
        assert not (site / "demo" / "__init__.py").stat().st_mode & 0o111


def test_hard_links_into_an_installers_cache_are_left_alone(place: Place) -> None:
    cache = place.folder / "cache.py"
    os.link(place.site / "demo" / "__init__.py", cache)
    patch_installed(place.patch, place.site)
    assert cache.read_bytes() == OLD["demo/__init__.py"]


def damaged(site: Path) -> None:
    (site / "demo" / "data.bin").write_bytes(b"mine now")


def flipped(site: Path, name: str) -> None:
    path = site / "demo" / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)  # of the same size: only its hash tells


def flipped_same(site: Path) -> None:
    flipped(site, "same.py")


def flipped_base(site: Path) -> None:
    flipped(site, "data.bin")


def folder_instead(site: Path) -> None:
    (site / "demo" / "same.py").unlink()
    (site / "demo" / "same.py").mkdir()


def pipe_instead(site: Path) -> None:
    (site / "demo" / "same.py").unlink()
    os.mkfifo(site / "demo" / "same.py")


def hash_of_another_kind(site: Path) -> None:
    record = site / "demo-1.0.dist-info" / "RECORD"
    record.write_text(record.read_text().replace("demo/same.py,sha256=", "demo/same.py,md5=é"), encoding="utf-8")


def missing(site: Path) -> None:
    (site / "demo" / "same.py").unlink()


def lying_record(site: Path) -> None:
    record = site / "demo-1.0.dist-info" / "RECORD"
    record.write_text(record.read_text().replace("demo/same.py,sha256=", "demo/same.py,sha256=A"))


def smaller_record(site: Path) -> None:
    record = site / "demo-1.0.dist-info" / "RECORD"
    record.write_text("".join(line for line in record.read_text().splitlines(keepends=True) if "same.py," not in line))


def strange_record(site: Path) -> None:
    (site / "demo-1.0.dist-info" / "RECORD").write_bytes(b"\xff,,\n")


def short_record(site: Path) -> None:
    (site / "demo-1.0.dist-info" / "RECORD").write_text("demo/same.py\n")


def no_record(site: Path) -> None:
    (site / "demo-1.0.dist-info" / "RECORD").unlink()


def twice(site: Path) -> None:
    shutil.copytree(site / "demo-1.0.dist-info", site / "Demo-0.9.dist-info")


def not_there(site: Path) -> None:
    shutil.rmtree(site / "demo-1.0.dist-info")


def foreign_file(site: Path) -> None:
    (site / "demo" / "fresh.py").write_text("of somebody else")


def foreign_metadata(site: Path) -> None:
    (site / "demo-1.1.dist-info").mkdir()
    (site / "demo-1.1.dist-info" / "METADATA").write_text("of somebody else")


def linked_folder(site: Path) -> None:
    (site / "demo").rename(site / "elsewhere")
    (site / "demo").symlink_to(site / "elsewhere")


def member_outside(site: Path) -> None:
    record = site / "demo-1.0.dist-info" / "RECORD"
    record.write_text(record.read_text().replace("demo/same.py,", "../site/demo/same.py,"))


def member_twice(site: Path) -> None:
    record = site / "demo-1.0.dist-info" / "RECORD"
    line = next(line for line in record.read_text().splitlines(keepends=True) if "same.py," in line)
    record.write_text(record.read_text() + line)


class NoThread:
    """A thread on a platform that has none."""

    def __init__(self, target: Callable[[], None]) -> None:
        pass

    def start(self) -> None:
        raise RuntimeError("can't start new thread")

    def join(self) -> None:
        raise RuntimeError("cannot join thread before it is started")


def test_what_is_installed_already_is_compared_too(place: Place) -> None:
    patch_installed(place.patch, place.site)
    flipped_same(place.site)
    for run in (patch_installed, check_installed):
        with pytest.raises(WrongInstallationError, match="not what it was"):
            run(place.patch, place.site)


def test_a_file_that_changes_while_the_patch_is_applied_changes_nothing_else(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Comparing and making run side by side: what comparing finds last still keeps all in its place."""
    monkeypatch.setattr(patch_site, "Thread", NoThread)
    real = patch_installed_module._check_content

    def meanwhile(*args: object) -> None:
        real(*args)  # type: ignore[arg-type]
        flipped_same(place.site)

    monkeypatch.setattr(patch_installed_module, "_check_content", meanwhile)
    old = (place.site / "demo" / "data.bin").read_bytes()
    with pytest.raises(WrongInstallationError, match=r"demo/same\.py is not what it was"):
        patch_installed(place.patch, place.site)
    assert (place.site / "demo" / "data.bin").read_bytes() == old
    assert not list(place.site.glob(".pypackpack*"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (damaged, "not what it was"),
        (flipped_same, "not what it was"),
        (flipped_base, "not what it was"),
        (hash_of_another_kind, "not what it was"),
        (folder_instead, "not there any more"),
        pytest.param(pipe_instead, "not there any more", marks=pytest.mark.skipif(os.name == "nt", reason="no such files")),
        (missing, "not there any more"),
        (lying_record, "not what it was"),
        (smaller_record, "what is installed is not"),
        (strange_record, "cannot be read"),
        (short_record, "cannot be read"),
        (no_record, "has no RECORD"),
        (twice, "twice"),
        (not_there, "is not installed"),
        (foreign_file, "is there already"),
        (foreign_metadata, "twice"),
        pytest.param(linked_folder, "is a link", marks=pytest.mark.skipif(os.name == "nt", reason="links take rights on Windows")),
        (member_outside, "what is installed is not"),
        (member_twice, "twice"),
    ],
)
@pytest.mark.parametrize("threads", [0, 4])
def test_what_is_not_as_it_was_installed_is_refused(
    place: Place, change: Callable[[Path], None], words: str, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if threads:
        monkeypatch.setattr(patch_site.os, "cpu_count", lambda: threads + 1)
    else:
        monkeypatch.setattr(patch_site, "Thread", NoThread)
    change(place.site)
    before = state(place.site)
    for run in (patch_installed, check_installed):
        with pytest.raises(WrongInstallationError, match=words):
            run(place.patch, place.site)
        assert state(place.site) == before
        assert not list(place.site.glob(".pypackpack*"))


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"demo-1.1.data/scripts/x": b"#!python"}, "goes elsewhere"),
        ({"demo-1.1.dist-info/entry_points.txt": b"[console_scripts]\ndemo = demo:f\n"}, "other commands"),
        ({"demo-1.1.dist-info/entry_points.txt": b"\xff"}, "cannot be read"),
        ({"demo-1.1.dist-info/entry_points.txt": b"#" * (1 << 20) + b"#"}, "larger than any"),
        ({"x-1.dist-info/METADATA": b""}, "metadata should lie in"),
    ],
)
def test_what_takes_an_installer_is_said(tmp_path: Path, members: dict[str, bytes], words: str) -> None:
    place = Place(tmp_path)
    new = wheel(tmp_path / "n" / "demo-1.1-py3-none-any.whl", {**NEW, **members}, record="demo-1.1.dist-info")
    place.patch.write_bytes(make_patch(place.old, new, number=1))
    with pytest.raises((NeedsInstallerError, DamagedPatchError), match=words):
        patch_installed(place.patch, place.site)
    assert place.is_old()


def test_a_damaged_patch_changes_nothing(place: Place) -> None:
    good = place.patch.read_bytes()
    for at in range(0, len(good), 7):
        place.patch.write_bytes(good[:at] + bytes([good[at] ^ 64]) + good[at + 1 :])
        with pytest.raises(Exception, match=r"patch|manifest|format"):
            patch_installed(place.patch, place.site)
        assert place.is_old()


CALLS = ("open", "link", "replace", "rename", "unlink", "fsync", "rmdir", "mkdir")


class Death(BaseException):
    """Stands for the end of the process: nothing may handle it."""


@pytest.mark.parametrize("how", ["killed", "failed"])
@pytest.mark.parametrize("links", [True, False])
def test_an_end_at_any_call_leaves_the_old_or_the_new(
    place: Place, monkeypatch: pytest.MonkeyPatch, how: str, links: bool
) -> None:
    """Every call that changes the disk is, once, the last (a killed process) or one that fails (a full disk)."""
    if not links:
        monkeypatch.setattr(patch_journal.os, "link", _no_links)
    keep = place.folder / "keep"
    shutil.copytree(place.site, keep)
    ends = {"old": 0, "new": 0}
    for last in range(1, 400, 1 if links and how == "killed" else 4):
        shutil.rmtree(place.site)
        shutil.copytree(keep, place.site)
        with monkeypatch.context() as patched:
            count = Counter(last, dead=how == "killed")
            for name in CALLS:
                patched.setattr(os, name, count.around(getattr(os, name)))
            try:
                patch_installed(place.patch, place.site)
            except (Death, OSError):
                pass
            else:
                if count.left > 0:
                    break
        if how == "failed" and "demo-1.0.dist-info/RECORD" in state(place.site) and not list(place.site.glob(".pypackpack*/*ward")):
            assert place.is_old()
        recover(place.site)
        assert not list(place.site.glob(".pypackpack*"))
        ends["old" if "demo-1.0.dist-info/RECORD" in state(place.site) else "new"] += 1
        assert place.is_old() if "demo-1.0.dist-info/RECORD" in state(place.site) else place.is_new()
        patch_installed(place.patch, place.site)
        assert place.is_new()
    else:
        pytest.fail("it never ends")
    assert min(ends.values()) > 3


def _no_links(*_: object, **__: object) -> None:
    raise OSError(95, "Operation not supported")


class Counter:
    """Lets so many calls through; after that none, or all but one."""

    def __init__(self, left: int, *, dead: bool) -> None:
        self.left, self._dead = left, dead

    def around(self, call: Callable[..., object]) -> Callable[..., object]:
        def counted(*args: object, **options: object) -> object:
            if call.__name__ == "open" and not _writes(args):
                return call(*args, **options)
            self.left -= 1
            if self.left == 0 or (self.left < 0 and self._dead):
                if self._dead:
                    raise Death
                raise OSError(28, "No space left on device")
            return call(*args, **options)

        return counted


def _writes(args: tuple[object, ...]) -> bool:
    return len(args) > 1 and isinstance(args[1], int) and bool(args[1] & (os.O_WRONLY | os.O_RDWR))


def test_what_was_made_before_a_kill_is_used(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("pypackpack.client.patch_installed.shutil.rmtree", lambda *_, **__: None)
        patched.setattr(patch_journal.Journal, "run", _die)
        with pytest.raises(Death):
            patch_installed(place.patch, place.site)
    stage = place.site / ".pypackpack-patch-demo"
    made = stage / "new" / "0"
    assert made.is_file()
    patch_installed(place.patch, place.site)
    assert place.is_new()


def test_what_was_made_by_another_patch_or_wrongly_is_not_used(place: Place) -> None:
    stage = place.site / ".pypackpack-patch-demo"
    (stage / "new").mkdir(parents=True)
    (stage / "patch").write_text("another one")
    (stage / "new" / "0").write_text("wrong")
    patch_installed(place.patch, place.site)
    assert place.is_new()
    again_ = Place(place.folder / "again")
    stage = again_.site / ".pypackpack-patch-demo"
    (stage / "new").mkdir(parents=True)
    (stage / "patch").write_text(read_patch(again_.patch).digest)
    for number in range(5):
        (stage / "new" / str(number)).write_text("wrong")
    patch_installed(again_.patch, again_.site)
    assert again_.is_new()


def _die(*_: object) -> None:
    raise Death


def test_what_could_not_be_removed_after_an_earlier_patch_is_not_put_back(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows, the files of modules that are loaded stay in ``old/`` until their process ends."""
    stage = place.site / ".pypackpack-patch-demo"
    with monkeypatch.context() as patched:
        patched.setattr("pypackpack.client.patch_journal.shutil.rmtree", _stays)
        patched.setattr("pypackpack.client.patch_installed.shutil.rmtree", _stays)
        patch_installed(place.patch, place.site)
        assert list((stage / "old").iterdir())
        before = {path: data for path, data in state(place.site).items() if not path.startswith(stage.name)}
        following = again(place)
        with monkeypatch.context() as failing:
            failing.setattr(patch_journal.Journal, "_tidy", _once_full(patch_journal.Journal._tidy))
            with pytest.raises(OSError, match="No space"):
                patch_installed(following, place.site)
        assert {path: data for path, data in state(place.site).items() if not path.startswith(stage.name)} == before
        with monkeypatch.context() as failing:
            failing.setattr(patch_journal.Journal, "_tidy", _die)
            failing.setattr(patch_journal.Journal, "_back", _die)
            with pytest.raises(Death):
                patch_installed(following, place.site)
        recover(place.site)
    recover(place.site)
    assert state(place.site) == before
    patch_installed(following, place.site)
    assert "demo-1.2.dist-info/RECORD" in state(place.site)


def _stays(stage: Path, **_: object) -> None:
    """Remove everything but what a process has open."""
    for path in sorted(stage.rglob("*"), reverse=True):
        if path.is_dir():
            with contextlib.suppress(OSError):
                path.rmdir()
        elif path.parent.name != "old":
            path.unlink()


def _once_full(real: Callable[..., None]) -> Callable[..., None]:
    calls = []

    def tidy(*args: object) -> None:
        calls.append(args)
        if len(calls) == 1:
            raise OSError(28, "No space left on device")
        real(*args)

    return tidy


def test_a_patch_is_applied_where_no_thread_can_be_started(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in browsers, under a limit, and from what Python runs when it ends (`atexit`)."""
    monkeypatch.setattr(patch_site, "Thread", NoThread)
    monkeypatch.setattr("concurrent.futures.thread.threading.Thread.start", NoThread.start)
    patch_installed(place.patch, place.site)
    assert place.is_new()


@pytest.mark.skipif(os.name == "nt", reason="links take rights on Windows")
def test_files_that_are_links_into_a_store_change_places(place: Place) -> None:
    """As uv installs with ``link-mode = "symlink"``; here by a path that holds from one folder only."""
    file = place.site / "demo" / "data.bin"
    store = place.folder / "store"
    file.rename(store)
    file.symlink_to("../../store")
    patch_installed(place.patch, place.site)
    assert place.is_new()
    assert store.is_file()


def test_read_only_files_change_places(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who owns them need not be able to write to them."""
    for path in place.site.rglob("*"):
        if path.is_file():
            path.chmod(0o444)
    real = os.open

    def as_no_root(path: str | Path, flags: int, *args: int, **options: int) -> int:
        place = Path(path)
        if flags & (os.O_WRONLY | os.O_RDWR) and place.exists() and not place.stat().st_mode & 0o200:
            raise PermissionError(13, "Permission denied", path)
        return real(path, flags, *args, **options)

    monkeypatch.setattr(patch_journal.os, "open", as_no_root)
    patch_installed(place.patch, place.site)
    assert place.is_new()


@pytest.mark.parametrize("journal", [b"", b"[", b"[[1]]", b"{}", b"[[]]", b"null", b"\xff", b"[" * 100_000])
def test_a_journal_that_cannot_be_read(tmp_path: Path, journal: bytes) -> None:
    """Nobody knows then what was moved: said, and nothing is touched."""
    place = Place(tmp_path)
    stage = place.site / ".pypackpack-patch-demo"
    stage.mkdir()
    (stage / "forward").write_bytes(journal)
    if journal == b"{}":
        assert recover(place.site) == ["demo"]  # no moves at all
        return
    with pytest.raises(OSError, match="cannot be read"):
        recover(place.site)
    assert (stage / "forward").read_bytes() == journal
