"""Which version of a compiler that is installed beside pypackpack is taken, and what is said of the others."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from pypackpack.backend import distributions
from pypackpack.backend.tools import mypyc, nuitka
from pypackpack.model.errors import MissingToolError

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = {mypyc: "mypy", nuitka: "Nuitka"}
COMPILERS = pytest.mark.parametrize("compiler", NAMES, ids=NAMES.get)


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    for each in NAMES:
        each.find.cache_clear()
    yield
    for each in NAMES:
        each.find.cache_clear()


def install(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(distributions, "find", lambda _name: distributions.Installed(version, "/place", "/record"))


@COMPILERS
@pytest.mark.parametrize(
    ("major", "minor", "words"), [(0, -1, "too old"), (-1, 99, "too old"), (0, 1, "newer than what was tried"), (1, 0, "newer than")]
)
def test_a_version_that_nobody_tried_is_refused(
    compiler: Any,  # noqa: ANN401 - a module
    major: int,
    minor: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    version = f"{compiler.SERIES[0] + major}.{compiler.SERIES[1] + minor}.9"
    install(monkeypatch, version)
    with pytest.raises(MissingToolError, match=f"{NAMES[compiler]} {version} .* {words}") as caught:
        compiler.find()
    assert "pip install" in caught.value.hint


@COMPILERS
def test_a_version_of_one_number(compiler: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401 - as above
    install(monkeypatch, "1")
    with pytest.raises(MissingToolError, match="too old"):
        compiler.find()


@COMPILERS
def test_none_at_all(compiler: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401 - as above
    def nothing(name: str) -> NoReturn:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(distributions, "find", nothing)
    with pytest.raises(MissingToolError, match="not installed beside"):
        compiler.find()


@COMPILERS
@pytest.mark.parametrize("last", ["99", "99rc1"])
def test_a_later_version_of_the_series_is_taken(
    compiler: Any,  # noqa: ANN401 - as above
    last: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    version = f"{compiler.SERIES[0]}.{compiler.SERIES[1]}.{last}"
    install(monkeypatch, version)
    assert compiler.find().version == version
