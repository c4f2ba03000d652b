"""What is known of mypy before it is started: its parser, and what it has to know of targets."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend import distributions
from pypackpack.backend.tools import mypyc
from pypackpack.middleware.compile.pyconfig import size_of_size_t
from pypackpack.middleware.target.table import parts_of, targets
from pypackpack.model.errors import MissingToolError

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    asked = (mypyc.find, mypyc.parser, mypyc.fingerprint)
    for each in asked:
        each.cache_clear()
    yield
    for each in asked:
        each.cache_clear()


def install(monkeypatch: pytest.MonkeyPatch, parser: str, place: str = "/place") -> None:
    there = {
        "mypy": distributions.Installed("2.4.1", "/place", "/record"),
        mypyc.PARSER: distributions.Installed(parser, place, "/record"),
    }
    monkeypatch.setattr(distributions, "find", there.__getitem__)


def test_the_version_of_its_parser_is_in_the_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "0.12.1")
    old = mypyc.fingerprint()
    mypyc.parser.cache_clear()
    mypyc.fingerprint.cache_clear()
    install(monkeypatch, "0.13.1")
    assert old != mypyc.fingerprint()


def test_a_parser_that_workers_would_not_find_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "0.13.1", "/elsewhere")
    with pytest.raises(MissingToolError, match=r"ast_serialize is in /elsewhere, and mypy, which needs it, in /place"):
        mypyc.fingerprint()


def test_mypy_without_its_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    def only_mypy(name: str) -> distributions.Installed:
        if name != "mypy":
            raise PackageNotFoundError(name)
        return distributions.Installed("2.4.1", "/place", "/record")

    monkeypatch.setattr(distributions, "find", only_mypy)
    with pytest.raises(MissingToolError, match="needs ast_serialize, which is not installed") as caught:
        mypyc.parser()
    assert "--force-reinstall mypy" in caught.value.hint


def test_every_target_but_those_for_xcode_has_its_size() -> None:
    known = {name: parts_of(target)[0] for name, target in targets().items() if target.family != "ios"}
    sizes = {name: size_of_size_t(target.name, (3, 14)) for name, target in known.items()}
    assert {sizes[name] for name in ("emscripten_wasm32", "linux_armv7", "linux_x86", "windows_x86")} == {4}
    assert {sizes[name] for name in ("linux_x86_64", "windows_arm64", "macos_universal2", "linux_s390x", "android_24_arm64")} == {
        8
    }
    assert set(sizes.values()) == {4, 8}
