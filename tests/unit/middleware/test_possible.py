"""Which targets can have native code."""

from __future__ import annotations

from pypackpack.middleware.possible import has_facts
from pypackpack.middleware.target import table


def test_only_ios_has_no_headers_of_python() -> None:
    """Every other target of the table can be compiled for by its row, in any version of its own."""
    without = {target.family for target in table.targets().values() if not has_facts(target)}
    assert without == {"ios"}
    assert has_facts(table.find("linux_2_28_arm64"))
    assert has_facts(table.find("macos_universal2"))
