"""gdb on a debug build: it stops at a line of the Python file, and shows that file and line."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from tests.builds import PACKAGES, build, copy_project, members, run, unpack

if TYPE_CHECKING:
    from pathlib import Path


def gdb() -> str:
    found = shutil.which("gdb")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("gdb is not installed", pytrace=False)
        pytest.skip("gdb is not installed")
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="gdb, and modules for this machine's Python")
def test_gdb_stops_at_a_line_of_the_source(tmp_path: Path) -> None:
    project = copy_project(PACKAGES / "whole", tmp_path / "whole")
    (project / "other" / "src" / "main" / "typed.pyx").write_text("def of(int number):\n    cdef int twice = number * 2\n    return twice\n")
    built = build(project, "other", "single", "--type", "debug", "--level", "native", "--target", "host")
    (wheel,) = built.wheels()
    source = project / "other" / "src" / "main" / "first.py"
    lines = source.read_text(encoding="utf-8").splitlines()
    number = next(number for number, line in enumerate(lines, 1) if "inner.first()" in line or "inner." in line)
    commands = [
        "set breakpoint pending on",
        "set substitute-path other main",
        f"directory {project / 'other' / 'src'}",
        f"break other/first.py:{number}",
        "run",
        "bt 1",
        "list",
        "next",
        "info line",
        "break other/typed.pyx:2",
        "continue",
        "bt 2",
    ]
    words = [word for command in commands for word in ("-ex", command)]
    program = os.path.realpath(sys.executable)
    code = "import other, other.typed; print(other.one(), other.typed.of(3))"
    done = run([gdb(), "-nx", "-q", "-batch", *words, "--args", program, "-c", code], cwd=unpack([wheel], tmp_path / "wheel"))
    assert f"at other/first.py:{number}" in done.stdout, done.stdout + done.stderr
    assert f"{number}\t{lines[number - 1]}" in done.stdout, done.stdout
    assert "at other/typed.pyx:2\n2\t    cdef int twice = number * 2" in done.stdout, done.stdout
    # Nothing is said to be at a line that the source does not have.
    assert "out of range" not in done.stdout + done.stderr
    # And no path of this machine stands in what is shipped.
    for data in members(wheel).values():
        assert os.fsencode(tmp_path) not in data
