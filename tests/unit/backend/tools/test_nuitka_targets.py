"""For which targets and Pythons Nuitka's C can be compiled, and with which headers."""

from __future__ import annotations

from pypackpack.middleware.compile.transcompile.nuitka import adapts, why_not
from pypackpack.middleware.target.table import find, targets


def test_another_byte_order_is_refused_and_nothing_else() -> None:
    assert [each.name for each in targets().values() if why_not(each, (3, 12))] == ["linux_s390x"]


def test_who_sees_the_changed_headers() -> None:
    assert not any(adapts(find(name), (3, 12)) for name in ("linux_arm64", "windows_amd64", "macos_arm64"))
    assert [adapts(find(name), (3, 13)) for name in ("linux_arm64", "windows_amd64", "macos_arm64")] == [True, False, False]
    assert [adapts(find(name), (3, 14)) for name in ("linux_arm64", "windows_amd64", "macos_arm64")] == [True, False, True]
