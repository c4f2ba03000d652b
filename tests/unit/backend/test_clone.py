"""Copies that are clones where the file system can, and are checked either way."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend import clone as clone_module
from pypackpack.backend import filesystem
from pypackpack.backend.filesystem import atomic_stream, drop_asides, place_copy, sha256_bytes
from pypackpack.model.errors import FilesystemError

if TYPE_CHECKING:
    from collections.abc import Callable

DIGEST = sha256_bytes(b"content")


def cannot(_source: str, _place: str) -> bool:
    return False


def clones(source: str, place: str) -> bool:
    Path(place).write_bytes(Path(source).read_bytes())
    os.utime(place, (1, 1))
    return True


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "blob"
    path.write_bytes(b"content")
    return path


@pytest.fixture(params=[cannot, clones])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filesystem, "clone", request.param)


@pytest.mark.usefixtures("_way")
def test_a_copy_is_a_file_of_its_own(source: Path, tmp_path: Path) -> None:
    place = tmp_path / "out" / "wheel"
    assert place_copy(str(source), place, DIGEST)
    assert place.read_bytes() == b"content"
    assert place.stat().st_ino != source.stat().st_ino
    assert not place.is_symlink()
    assert [path.name for path in place.parent.iterdir()] == ["wheel"]
    if os.name != "nt":
        umask = os.umask(0)
        os.umask(umask)
        assert place.stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.usefixtures("_way")
def test_an_old_file_keeps_its_mode_and_a_wrong_copy_leaves_it(source: Path, tmp_path: Path) -> None:
    place = tmp_path / "wheel"
    place.write_bytes(b"old")
    place.chmod(0o640)
    mode = place.stat().st_mode
    assert not place_copy(str(source), place, sha256_bytes(b"another"))
    assert place.read_bytes() == b"old"
    assert place_copy(str(source), place, DIGEST)
    assert (place.read_bytes(), place.stat().st_mode) == (b"content", mode)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blob", "wheel"]


@pytest.mark.usefixtures("_way")
def test_a_place_that_cannot_be_written_is_named(source: Path, tmp_path: Path) -> None:
    place = tmp_path / "folder"
    (place / "inside").mkdir(parents=True)
    with pytest.raises(FilesystemError, match=r"cannot write .*folder"):
        place_copy(str(source), place, DIGEST)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blob", "folder"]


def test_a_source_that_is_gone_is_no_trouble_of_the_place(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        place_copy(str(tmp_path / "gone"), tmp_path / "wheel", DIGEST)


def test_what_was_left_aside_goes_and_nothing_else(tmp_path: Path) -> None:
    wheel, other = (f"tidegauge-1.2.0-cp311-cp311-musllinux_1_2_{machine}.whl" for machine in ("x86_64", "aarch64"))
    with atomic_stream(tmp_path / wheel) as stream:
        aside = Path(stream.name).name
    with atomic_stream(tmp_path / other) as stream:  # another target's wheel may be written at the same time
        of_other = Path(stream.name).name
    (tmp_path / other).unlink()
    names = (aside, f"{aside}x", of_other, aside.removeprefix("."), wheel)
    for name in names:
        (tmp_path / name).touch()
    drop_asides(tmp_path / wheel)
    assert {path.name for path in tmp_path.iterdir()} == set(names[1:])
    drop_asides(tmp_path / "nowhere" / "wheel")


@pytest.mark.skipif(sys.platform != "linux", reason="FICLONE is Linux's")
def test_linux_is_asked_for_a_clone(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def ioctl(made: int, request: int, original: int) -> int:
        asked.append(request)
        os.write(made, os.read(original, 100))
        return 0

    monkeypatch.setattr("fcntl.ioctl", ioctl)
    assert clone_module.clone(str(source), str(tmp_path / "clone"))
    assert asked == [0x40049409]
    assert (tmp_path / "clone").read_bytes() == b"content"
    assert not clone_module.clone(str(source), str(tmp_path / "clone")), "it is there already"


@pytest.mark.skipif(sys.platform != "linux", reason="FICLONE is Linux's")
@pytest.mark.parametrize("number", [95, 18, 22, 25, 26])
def test_what_a_file_system_refuses_leaves_nothing(
    source: Path, tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.ioctl", refuse)
    assert not clone_module.clone(str(source), str(tmp_path / "clone"))
    assert [path.name for path in tmp_path.iterdir()] == ["blob"]
    assert place_copy(str(source), tmp_path / "copy", DIGEST)


class Library:
    """Stands for the C library of macOS, or for kernel32."""

    def __init__(self, function: Callable[..., int]) -> None:
        self.clonefile = self.CopyFileW = function


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_other_systems_are_asked_by_their_own_names(
    system: str, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def text(value: object) -> str:
        raw = getattr(value, "value", value)
        return os.fsdecode(raw) if isinstance(raw, bytes) else str(raw)

    works = True

    def function(first: object, second: object, _flags: object) -> int:
        if works:
            clones(text(first), text(second))
        return int(works) if system == "win32" else int(not works)

    monkeypatch.setattr(clone_module.sys, "platform", system)
    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: Library(function))
    monkeypatch.setattr("ctypes.WinDLL", lambda *_, **__: Library(function), raising=False)
    monkeypatch.setattr("ctypes.get_last_error", lambda: 5, raising=False)
    place = tmp_path / "clone"
    assert clone_module.clone(str(source), str(place))
    assert place.read_bytes() == b"content"
    assert abs(place.stat().st_mtime - time.time()) < 60, "a clone has the time of now"
    place.unlink()
    works = False
    assert not clone_module.clone(str(source), str(place))
    assert not place.exists()
