"""A tree as lines: sizes, newer versions, and what is said of none."""

from __future__ import annotations

from pypackpack.frontend.cli.style import PLAIN
from pypackpack.frontend.cli.trees import tree_lines
from pypackpack.middleware.dependency.tree import _size
from pypackpack.middleware.target import table
from pypackpack.model.environment import TargetTree, TreeNode, TreeResult

WHEELS = [
    {"url": "https://example.org/thing-1.0-cp312-cp312-win_amd64.whl", "size": 12_345},
    {"url": "https://example.org/thing-1.0-cp312-cp312-manylinux_2_17_x86_64.whl", "size": 900},
    {"url": "https://example.org/thing-1.0-cp312-cp312-macosx_11_0_arm64.whl"},
]


def test_the_size_is_that_of_the_targets_own_wheel() -> None:
    sizes = [_size({"wheels": WHEELS}, table.find(name), (3, 12)) for name in ("windows_amd64", "linux_x86_64", "macos_arm64")]
    assert sizes == [12_345, 900, None]
    assert _size({"wheels": WHEELS}, table.find("windows_amd64"), (3, 11)) is None
    assert _size({}, table.find("windows_amd64"), (3, 12)) is None


def test_sizes_newer_versions_and_nothing() -> None:
    node = TreeNode("thing", "1.0", size=12_345, latest="2.0", marker="sys_platform == 'win32'")
    result = TreeResult("app", "1.0", (TargetTree("windows_amd64", (3, 12), (node,)), TargetTree("linux_x86_64", (3, 12), ())))
    assert tree_lines(result, PLAIN) == [
        "app 1.0",
        "",
        "windows_amd64 3.12",
        "└── thing 1.0 ; sys_platform == 'win32' (12.3 kB) (latest: 2.0)",
        "",
        "linux_x86_64 3.12",
        "(no dependencies)",
    ]
    assert tree_lines(result, PLAIN, nothing="(nothing of it)")[-1] == "(nothing of it)"
    assert tree_lines(result, PLAIN, nothing="")[-1] == "linux_x86_64 3.12"
