"""What `deploy` says at the end, on terminals of several widths."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pypackpack.frontend.cli.commands.deploy import deploy_lines
from pypackpack.frontend.cli.style import PLAIN
from pypackpack.model.deploy import NOT_RUN, RUN, THERE, UPLOADED, DeployedFile, DeployResult

FOLDER = Path("/p/a/build/packpack/single/release/native")
FILES = (
    DeployedFile(FOLDER / "a-1-cp313-cp313-manylinux2014_x86_64.whl", 18_000, "0" * 64, UPLOADED, RUN),
    DeployedFile(FOLDER / "a-1-cp313-cp313-win_amd64.whl", 7_100, "1" * 64, UPLOADED, NOT_RUN),
    DeployedFile(FOLDER / "a-1-cp313-cp313-macosx_11_0_arm64.whl", 900, "2" * 64, THERE),
)
RESULT = DeployResult("a", "1", "https://h/", "https://h/simple/", dry_run=False, files=FILES)


def test_a_wide_terminal_has_a_line_per_file() -> None:
    assert deploy_lines(RESULT, 120, PLAIN)[2:] == [
        "  a-1-cp313-cp313-manylinux2014_x86_64.whl  18.0 kB  uploaded       run here",
        "  a-1-cp313-cp313-win_amd64.whl              7.1 kB  uploaded       built, not run",
        "  a-1-cp313-cp313-macosx_11_0_arm64.whl       900 B  already there",
        "",
        "2 files uploaded, 25.1 kB, verified; 1 file already there, the same to the byte",
        "Installers read https://h/simple/",
    ]


def test_a_narrow_one_has_two_and_no_line_is_too_long() -> None:
    lines = deploy_lines(RESULT, 50, PLAIN)
    assert lines[2:4] == ["  a-1-cp313-cp313-manylinux2014_x86_64.whl", "    18.0 kB  uploaded       run here"]
    assert max(len(line) for line in lines[2:]) <= 50


def test_nothing_new() -> None:
    lines = deploy_lines(DeployResult("a", "1", "https://h/", "https://h/simple/", dry_run=True, files=FILES[2:]), None, PLAIN)
    assert "nothing to upload; 1 file already there, the same to the byte" in lines


def test_what_was_left_out_is_named() -> None:
    old = (("a-1-py3-none-any.whl", "superseded by b.whl, which a later build made"),)
    lines = deploy_lines(replace(RESULT, left_out=old), None, PLAIN)
    assert "left out: a-1-py3-none-any.whl is superseded by b.whl, which a later build made" in lines
