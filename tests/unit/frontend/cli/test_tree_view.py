"""The options of a package's tree."""

from __future__ import annotations

import pytest

from pypackpack.frontend.cli.tree_view import KNOWN, lock_use, tree_view
from pypackpack.model.environment import LockUse, TreeView
from pypackpack.model.errors import UsageError


def test_every_option_is_read_however_it_is_written() -> None:
    words = ["--depth=3", "--prune", "a", "--prune=b", "--invert", "--no-dedupe", "--show-sizes", "--outdated", "--frozen"]
    view, use = tree_view("pypackpack app tree", words, ["c"])
    assert view == TreeView(3, ("c",), ("a", "b"), invert=True, dedupe=False, sizes=True, outdated=True)
    assert use is LockUse.FROZEN
    for short in (["-d", "2"], ["-d2"], ["-d=2"]):
        assert tree_view("x", short)[0].depth == 2
    assert tree_view("x", []) == (TreeView(), LockUse.UPDATE)
    assert lock_use(["--locked"]) is LockUse.LOCKED


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--universal"], "has no option --universal"),
        (["--invert=yes"], "has no option --invert"),
        (["--depth", "few"], '--depth "few" is not a number'),
        (["--depth"], '--depth "" is not a number'),
        (["--prune"], "--prune needs a value"),
        (["--locked", "--frozen"], "exclude each other"),
    ],
)
def test_what_means_nothing_is_refused(words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        tree_view("pypackpack app tree", words)
    assert message in caught.value.message
    assert caught.value.hint
    if "has no option" in message:
        assert all(name in caught.value.hint for name in KNOWN)
