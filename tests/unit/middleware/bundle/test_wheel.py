"""Wheels: names, tags, RECORD, and the same bytes every time."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import tracemalloc
import zipfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name, parse_wheel_filename

from pypackpack import __version__
from pypackpack.middleware.bundle.metadata import CoreFiles
from pypackpack.middleware.bundle.tags import WheelTag, wheel_tags
from pypackpack.middleware.bundle.wheel import WheelFile, WheelMember, write_members, write_wheel
from pypackpack.middleware.target.table import find, targets
from pypackpack.middleware.verify import verify
from pypackpack.model.errors import FilesystemError, WorkError
from tests.together import at_once

if TYPE_CHECKING:
    from pathlib import Path

ANY = WheelTag("py3", "none", ("any",))
LINUX = WheelTag("cp313", "cp313", ("manylinux_2_17_x86_64", "manylinux2014_x86_64"))
MEMBERS = (
    WheelMember("demo_app/__init__.py", b"x = 1\n" * 100),
    WheelMember("demo_app/data/a,b.txt", b"comma"),
    WheelMember("demo_app/run.sh", b"#!/bin/sh\n", executable=True),
)


@pytest.fixture(autouse=True)
def _no_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)


def write(
    folder: Path, core: CoreFiles, tags: WheelTag = ANY, members: tuple[WheelMember, ...] = MEMBERS, **more: int
) -> WheelFile:
    return write_wheel(folder, core=core, tags=tags, pure=tags.abi == "none", members=members, **more)


def test_one_member_at_a_time_is_in_memory(tmp_path: Path, core: CoreFiles) -> None:
    size, many = 1 << 20, 24

    def data() -> bytes:
        return os.urandom(size)

    tracemalloc.start()
    try:
        wheel = write(tmp_path, core, members=tuple(WheelMember(f"demo_app/{number:02}", data) for number in range(many)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert wheel.size > many * size
    assert peak < 8 * size


class TestTags:
    """Which tags a wheel gets."""

    @pytest.mark.parametrize(
        ("native", "bytecode", "same", "tag"),
        [
            (False, False, True, "py3-none-any"),
            (False, False, False, "py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64"),
            (False, True, True, "cp313-none-any"),
            (False, True, False, "cp313-none-manylinux2014_x86_64.manylinux_2_17_x86_64"),
            (True, False, True, "cp313-cp313-manylinux2014_x86_64.manylinux_2_17_x86_64"),
            (True, True, False, "cp313-cp313-manylinux2014_x86_64.manylinux_2_17_x86_64"),
        ],
    )
    def test_the_table_of_the_spec(self, native: bool, bytecode: bool, same: bool, tag: str) -> None:
        assert str(wheel_tags(find("linux_x86_64"), (3, 13), native=native, bytecode=bytecode, same_everywhere=same)) == tag

    def test_the_limited_api(self) -> None:
        tag = wheel_tags(find("windows_amd64"), (3, 11), native=True, bytecode=False, same_everywhere=False, abi3=True)
        assert str(tag) == "cp311-abi3-win_amd64"

    def test_a_python_that_the_platform_does_not_have(self) -> None:
        target = next(target for target in targets().values() if target.min_python > (3, 10))
        with pytest.raises(WorkError, match=rf"{target.name} has no Python 3\.10"):
            wheel_tags(target, (3, 10), native=True, bytecode=False, same_everywhere=False)

    @pytest.mark.parametrize("name", sorted(targets()))
    def test_every_target_has_tags_that_tools_read(self, name: str) -> None:
        target = find(name)
        tag = wheel_tags(target, max((3, 13), target.min_python), native=True, bytecode=False, same_everywhere=False)
        *_, tags = parse_wheel_filename(f"demo-1-{tag}.whl")
        assert {str(single) for single in tags} == set(tag.single())


def test_the_files_of_a_wheel(tmp_path: Path, core: CoreFiles) -> None:
    made = write(tmp_path / "new" / "folder", core, LINUX)
    assert made.path == tmp_path / "new/folder/demo_app-1.0-cp313-cp313-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"
    content = made.path.read_bytes()
    assert (made.size, made.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    with zipfile.ZipFile(made.path) as archive:
        assert archive.namelist() == [
            "demo_app/__init__.py",
            "demo_app/data/a,b.txt",
            "demo_app/run.sh",
            "demo_app-1.0.dist-info/METADATA",
            "demo_app-1.0.dist-info/WHEEL",
            "demo_app-1.0.dist-info/licenses/LICENSE",
            "demo_app-1.0.dist-info/RECORD",
        ]
        assert archive.read("demo_app-1.0.dist-info/WHEEL").decode() == (
            f"Wheel-Version: 1.0\nGenerator: pypackpack {__version__}\nRoot-Is-Purelib: false\n"
            "Tag: cp313-cp313-manylinux2014_x86_64\nTag: cp313-cp313-manylinux_2_17_x86_64\n"
        )
        assert [info.filename for info in archive.infolist() if info.external_attr >> 16 & 0o111] == ["demo_app/run.sh"]


def test_record_is_right(tmp_path: Path, core: CoreFiles) -> None:
    with zipfile.ZipFile(write(tmp_path, core).path) as archive:
        rows = list(csv.reader(io.StringIO(archive.read("demo_app-1.0.dist-info/RECORD").decode())))
        assert [row[0] for row in rows] == archive.namelist()
        assert rows.pop() == ["demo_app-1.0.dist-info/RECORD", "", ""]
        for path, value, size in rows:
            data = archive.read(path)
            assert value == "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
            assert int(size) == len(data)


def test_the_order_of_members_and_the_folder_do_not_matter(tmp_path: Path, core: CoreFiles) -> None:
    one = write(tmp_path / "one", core)
    two = write(tmp_path / "two", core, members=tuple(reversed(MEMBERS)))
    assert one.path.read_bytes() == two.path.read_bytes()


def test_members_may_be_files(tmp_path: Path, core: CoreFiles) -> None:
    place = tmp_path / "somewhere"
    place.write_bytes(MEMBERS[0].data if isinstance(MEMBERS[0].data, bytes) else b"")
    from_file = write(tmp_path / "one", core, members=(WheelMember(MEMBERS[0].path, place), *MEMBERS[1:]))
    assert from_file.sha256 == write(tmp_path / "two", core).sha256


def test_the_date(tmp_path: Path, core: CoreFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    fixed = write(tmp_path, core).sha256
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1709210096")
    from_variable = write(tmp_path, core)
    with zipfile.ZipFile(from_variable.path) as archive:
        assert {info.date_time for info in archive.infolist()} == {(2024, 2, 29, 12, 34, 56)}
    assert from_variable.sha256 != fixed
    assert write(tmp_path, core, epoch=1451606400).sha256 == fixed


@pytest.mark.parametrize(
    ("path", "tags", "why"),
    [
        ("demo_app/../x", ANY, "leads out"),
        ("demo_app/__INIT__.py", ANY, "one and the same"),
        ("other-1.dist-info/RECORD", ANY, "which pypackpack writes itself"),
        ("demo_app/aux.py", WheelTag("cp313", "cp313", ("win_amd64",)), "device"),
    ],
)
def test_members_that_cannot_be_installed_are_refused(
    tmp_path: Path, core: CoreFiles, path: str, tags: WheelTag, why: str
) -> None:
    with pytest.raises(WorkError, match=why) as caught:
        write(tmp_path, core, tags, (*MEMBERS, WheelMember(path, b"")))
    assert f"demo_app-1.0-{tags}.whl" in caught.value.message
    assert list(tmp_path.iterdir()) == []


def test_names_that_only_windows_refuses_go_into_other_wheels(tmp_path: Path, core: CoreFiles) -> None:
    assert write(tmp_path, core, LINUX, (WheelMember("demo_app/aux.py", b""),)).path.is_file()


def test_names_that_differ_in_case_are_two_where_the_wheel_goes(tmp_path: Path, core: CoreFiles) -> None:
    both = (WheelMember("demo_app/A.py", b""), WheelMember("demo_app/a.py", b""))
    made = write(tmp_path, core, LINUX, both)
    assert all(check.problems == () for check in verify(made.path).checks)
    named = tmp_path / f"dep-1.0-{LINUX}.whl"
    assert len(zipfile.ZipFile(write_members(named, "dep-1.0.dist-info", both).path).namelist()) == 3
    for platform in ("win_amd64", "macosx_11_0_arm64", "any"):
        tags = WheelTag("cp313", "cp313", (platform,))
        with pytest.raises(WorkError, match="one and the same"):
            write(tmp_path, core, tags, both)
        with pytest.raises(WorkError, match="one and the same"):
            write_members(tmp_path / f"dep-1.0-{tags}.whl", "dep-1.0.dist-info", both)


@pytest.mark.parametrize("tags", [WheelTag("py3", "none", ("linux-x86",)), WheelTag("../py3", "none", ("any",))])
def test_tags_that_are_none_are_refused(tmp_path: Path, core: CoreFiles, tags: WheelTag) -> None:
    with pytest.raises(WorkError, match="tag"):
        write(tmp_path, core, tags)


def test_a_wheel_stays_when_its_successor_fails(tmp_path: Path, core: CoreFiles) -> None:
    before = write(tmp_path, core)
    with pytest.raises(FilesystemError, match="gone"):
        write(tmp_path, core, members=(*MEMBERS, WheelMember("demo_app/z", tmp_path / "gone")))
    assert hashlib.sha256(before.path.read_bytes()).hexdigest() == before.sha256
    assert list(tmp_path.iterdir()) == [before.path]


def test_builds_at_once_leave_one_whole_wheel(tmp_path: Path, core: CoreFiles) -> None:
    done = at_once([lambda: write(tmp_path, core)] * 8)
    assert len({made.sha256 for made in done}) == 1
    assert list(tmp_path.iterdir()) == [done[0].path]
    assert hashlib.sha256(done[0].path.read_bytes()).hexdigest() == done[0].sha256


@given(
    name=st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,10}[A-Za-z0-9])?", fullmatch=True),
    version=st.sampled_from(["1", "1.0rc1", "2!1.0.post1.dev3", "1.0+local.7"]),
)
def test_file_names_say_name_and_version(name: str, version: str) -> None:
    core = CoreFiles(name, version, "")
    found, number, *_ = parse_wheel_filename(f"{core.escaped_name}-{core.escaped_version}-{ANY}.whl")
    assert (found, str(number)) == (canonicalize_name(name), version)
    assert core.dist_info == f"{core.escaped_name}-{version}.dist-info"
