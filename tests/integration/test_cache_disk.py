"""A cache on a disk that is full, and on one that cannot be written: one clear error, and nothing wrong is remembered."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend.filesystem import cache_folder
from tests.benchmarks.crash import ROOT, write_project

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives a test a disk of its own")

WAYS = (("unshare", "-rm"), ("unshare", "-m"), ("sudo", "-n", "-E", "unshare", "-m"))
STEPS = """
set -e
mount -t tmpfs -o size=300k tmpfs "$DISK"
for name in tools-v1 zig-v1 headers-v2; do ln -s "$SHARED/$name" "$DISK/$name"; done
"$@" > "$OUT/full" 2>&1 || echo $? > "$OUT/full.code"
mount -o remount,size=64m "$DISK"
"$@" > "$OUT/again" 2>&1 || echo $? > "$OUT/again.code"
rm -r small/build
mount -o remount,ro "$DISK"
"$@" > "$OUT/closed" 2>&1 || echo $? > "$OUT/closed.code"
"""


def namespace() -> tuple[str, ...]:
    for way in WAYS:
        if shutil.which(way[0]) and subprocess.run([*way, "true"], capture_output=True, check=False).returncode == 0:
            return way
    pytest.fail(f"no way to have a disk of its own works here: {WAYS}")


def test_a_full_disk_and_a_closed_one(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project", ("linux_x86_64",), 1)
    disk, out, shared = tmp_path / "disk", tmp_path / "out", cache_folder()
    for folder in (disk, out, *(shared / name for name in ("tools-v1", "zig-v1", "headers-v2"))):
        folder.mkdir(parents=True, exist_ok=True)
    build = [sys.executable, "-m", "pypackpack", "build", "small", "source", "single", "--level", "native", "--json"]
    places = {
        "DISK": str(disk),
        "OUT": str(out),
        "SHARED": str(shared),
        "PYPACKPACK_CACHE_DIR": str(disk),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [*namespace(), "sh", "-c", STEPS, "sh", *build],
        cwd=project,
        env={**os.environ, **places},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    said = {name: (out / name).read_text() for name in ("full", "again", "closed")}
    assert "No space left on device" in said["full"]
    assert "The disk is full: free some space and run the same command again." in said["full"]
    assert (out / "full.code").read_text() == "1\n", said["full"]
    # What could not be written is not taken for a module that cannot be compiled.
    assert not (out / "again.code").exists(), said["again"]
    again = json.loads(said["again"].splitlines()[-1])
    assert again["fallbacks"] == []
    assert [each["targets"] for each in again["artifacts"]] == [["linux_x86_64"]]
    closed = json.loads(said["closed"].splitlines()[-1])["error"]
    assert (closed["code"], (out / "closed.code").read_text()) == ("filesystem", "1\n")
    assert str(disk) in closed["message"]
    assert "mounted read-only" in closed["hint"]
    assert not list(project.glob("small/build/**/*.whl"))
