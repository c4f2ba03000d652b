"""Which Nuitka is taken, and for what."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from typing import TYPE_CHECKING, NoReturn

import pytest

from pypackpack.backend import distributions
from pypackpack.backend.tools import nuitka
from pypackpack.middleware.compile.transcompile.nuitka import adapts, why_not
from pypackpack.middleware.target.table import find, targets
from pypackpack.model.errors import MissingToolError

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    nuitka.find.cache_clear()
    yield
    nuitka.find.cache_clear()


@pytest.mark.parametrize("version", ["4.2.9", "3.99", "1"])
def test_an_old_one_is_refused(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributions, "find", lambda _name: distributions.Installed(version, "/place", "/record"))
    with pytest.raises(MissingToolError, match=f"Nuitka {version} .* too old"):
        nuitka.find()


@pytest.mark.parametrize("version", ["4.4", "5.0.1"])
def test_a_newer_one_is_refused(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributions, "find", lambda _name: distributions.Installed(version, "/place", "/record"))
    with pytest.raises(MissingToolError, match="newer than what was tried") as caught:
        nuitka.find()
    assert "pip install" in caught.value.hint


def test_none_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> NoReturn:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(distributions, "find", nothing)
    with pytest.raises(MissingToolError, match="not installed beside"):
        nuitka.find()


def test_a_later_version_of_the_series_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributions, "find", lambda _name: distributions.Installed("4.3.99rc1", "/place", "/record"))
    assert nuitka.find().version == "4.3.99rc1"


def test_another_byte_order_is_refused_and_nothing_else() -> None:
    assert [each.name for each in targets().values() if why_not(each, (3, 12))] == ["linux_s390x"]


def test_who_sees_the_changed_headers() -> None:
    assert not any(adapts(find(name), (3, 12)) for name in ("linux_arm64", "windows_amd64", "macos_arm64"))
    assert [adapts(find(name), (3, 13)) for name in ("linux_arm64", "windows_amd64", "macos_arm64")] == [True, False, False]
    assert [adapts(find(name), (3, 14)) for name in ("linux_arm64", "windows_amd64", "macos_arm64")] == [True, False, True]
