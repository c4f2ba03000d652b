"""usage-example passes its own tests as a person would run them: the sources, nothing compiled."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from uv import find_uv_bin

from tests.builds import EXAMPLE, run, stage

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES = ("tidegauge", "tidewatch")


def test_its_own_tests(tmp_path: Path) -> None:
    words = ["--quiet", "--python", sys.executable, "--target", tmp_path / "site", "msgpack>=1.1.2", "tabulate>=0.9"]
    done = run([find_uv_bin(), "pip", "install", *words], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for name in PACKAGES:
        stage(EXAMPLE / name, name, tmp_path / "source", *(("windows",) if sys.platform == "win32" else ()))
    tests = [EXAMPLE / name / "src" / "test" for name in PACKAGES]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tmp_path, *tests]
    done = run(command, cwd=tmp_path, env={"PYTHONPATH": os.pathsep.join([str(tmp_path / "source"), str(tmp_path / "site")])})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "23 passed" in done.stdout
