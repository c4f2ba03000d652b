"""A lock whose wheels are looked for in a folder, and which wheel of a lock a target takes."""

from __future__ import annotations

import hashlib
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pypackpack.middleware.dependency.vendored import vendored
from pypackpack.middleware.dependency.wheels import best_wheel, platforms
from pypackpack.middleware.target import table
from pypackpack.model.errors import DamagedVendorError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path

ONE, TWO = b"one", b"two"
LINUX = "a-1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
WINDOWS = "a-1.0-cp311-cp311-win_amd64.whl"


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


LOCK = f"""\
lock-version = "1.0"
created-by = "uv"

[[packages]]
name = "a"
version = "1.0"
marker = "python_version > '3.9'"
sdist = {{ url = "https://h/a-1.0.tar.gz", hashes = {{ sha256 = "00" }} }}
wheels = [
  {{ url = "https://h/{LINUX}", upload-time = 2025-01-01T00:00:00Z, hashes = {{ sha256 = "{digest(ONE)}" }} }},
  {{ url = "https://h/{WINDOWS}#x", hashes = {{ sha256 = "{digest(TWO)}" }} }},
]

[[packages]]
name = "b"
version = "2"
wheels = [{{ url = "https://h/b-2-py3-none-any.whl", hashes = {{ sha256 = "11" }} }}]
"""


def packages(text: str) -> dict[str, dict[str, Any]]:
    return {item["name"]: item for item in tomllib.loads(text)["packages"]}


def test_wheels_that_are_here_are_taken_from_here_with_their_hashes(tmp_path: Path) -> None:
    (tmp_path / WINDOWS).write_bytes(TWO)
    found = packages(vendored(LOCK, tmp_path))
    assert found["a"]["wheels"] == [{"name": WINDOWS, "path": (tmp_path / WINDOWS).as_posix(), "hashes": {"sha256": digest(TWO)}}]
    assert "sdist" not in found["a"]
    assert found["a"]["marker"] == "python_version > '3.9'"
    # What is not here may lie in uv's cache.
    assert found["b"]["wheels"][0]["url"] == "https://h/b-2-py3-none-any.whl"


def test_a_wheel_by_its_url(tmp_path: Path) -> None:
    lock = (
        LOCK
        + f"""
[[packages]]
name = "c"
archive = {{ url = "https://h/c-1-py3-none-any.whl", hashes = {{ sha256 = "{digest(ONE)}" }} }}

[[packages]]
name = "d"
archive = {{ url = "https://h/d-1.tar.gz", hashes = {{ sha256 = "{digest(ONE)}" }} }}
"""
    )
    (tmp_path / "c-1-py3-none-any.whl").write_bytes(ONE)
    (tmp_path / "d-1.tar.gz").write_bytes(b"not looked at")
    found = packages(vendored(lock, tmp_path))
    assert found["c"]["archive"] == {"path": (tmp_path / "c-1-py3-none-any.whl").as_posix(), "hashes": {"sha256": digest(ONE)}}
    assert found["d"]["archive"]["url"] == "https://h/d-1.tar.gz"


def test_nothing_is_here(tmp_path: Path) -> None:
    assert vendored(LOCK, tmp_path) == LOCK
    assert vendored(LOCK, tmp_path / "none") == LOCK


def test_a_wheel_with_another_digest_is_refused_and_named(tmp_path: Path) -> None:
    (tmp_path / LINUX).write_bytes(b"not one")
    (tmp_path / WINDOWS).write_bytes(b"not two")
    with pytest.raises(DamagedVendorError) as caught:
        vendored(LOCK, tmp_path)
    assert [line.partition(": ")[0] for line in caught.value.details.splitlines()] == [LINUX, WINDOWS]
    assert digest(ONE) in caught.value.details
    assert digest(b"not one") in caught.value.details


def test_of_two_wheels_of_one_name_each_lock_gets_its_own(tmp_path: Path) -> None:
    (tmp_path / LINUX).write_bytes(b"of another lock")
    other = tmp_path / digest(ONE)[:16] / LINUX
    other.parent.mkdir()
    other.write_bytes(ONE)
    assert packages(vendored(LOCK, tmp_path))["a"]["wheels"][0]["path"] == other.as_posix()


def taken(target: str, *files: str, python: tuple[int, int] = (3, 11)) -> str | None:
    found = best_wheel([{"name": file} for file in files], platforms(table.find(target), python), python)
    return found and str(found["name"])


ANY = "a-1.0-py3-none-any.whl"
OLD = "a-1.0-cp311-cp311-manylinux1_x86_64.whl"
NEW = "a-1.0-cp311-cp311-manylinux_2_28_x86_64.whl"
MUSL = "a-1.0-cp311-cp311-musllinux_1_1_x86_64.whl"
ABI3 = "a-1.0-cp38-abi3-manylinux_2_17_x86_64.whl"
UNIVERSAL = "a-1.0-cp311-cp311-macosx_10_9_universal2.whl"
ARM = "a-1.0-cp311-cp311-macosx_11_0_arm64.whl"
LATER = "a-1.0-cp311-cp311-macosx_14_0_arm64.whl"
BUILD = "a-1.0-2-py3-none-any.whl"


@pytest.mark.parametrize(
    ("target", "files", "expected"),
    [
        ("linux_x86_64", (ANY, OLD, LINUX, NEW, MUSL, WINDOWS), LINUX),
        ("linux_2_28_x86_64", (ANY, OLD, LINUX, NEW, MUSL, WINDOWS), NEW),
        ("linux_x86_64", (NEW, MUSL), None),
        ("linux_x86_64", (ABI3, ANY), ABI3),
        ("linux_x86_64", (OLD, ANY), OLD),
        ("linux_musl_x86_64", (LINUX, MUSL, ANY), MUSL),
        ("windows_amd64", (LINUX, WINDOWS, ANY), WINDOWS),
        ("macos_arm64", (UNIVERSAL, ARM, LATER, ANY), ARM),
        ("macos_arm64", (UNIVERSAL, LATER), UNIVERSAL),
        ("linux_armv7", (LINUX, ANY), ANY),  # uv has no name for it
        ("linux_x86_64", (ANY, BUILD), BUILD),
        ("linux_x86_64", ("no wheel at all",), None),
    ],
)
def test_the_wheel_that_a_target_takes(target: str, files: tuple[str, ...], expected: str | None) -> None:
    assert taken(target, *files) == expected
    assert taken(target, *reversed(files)) == expected


def test_mobile_and_web() -> None:
    android = "a-1.0-cp313-cp313-android_21_arm64_v8a.whl"
    ios = "a-1.0-cp313-cp313-ios_13_0_arm64_iphoneos.whl"
    simulator = "a-1.0-cp313-cp313-ios_13_0_arm64_iphonesimulator.whl"
    pyodide = "a-1.0-cp313-cp313-pyodide_2025_0_wasm32.whl"
    files = (android, ios, simulator, pyodide)
    for target, expected in (
        ("android", android),
        ("ios", ios),
        ("ios_13_0_arm64_simulator", simulator),
        ("emscripten", pyodide),
    ):
        assert taken(target, *files, python=(3, 13)) == expected
