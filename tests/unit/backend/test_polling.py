"""What is seen by looking again and again, on a real disk."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend import polling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Turns:
    """Instead of waiting, does the next thing; ends after the last."""

    def __init__(self, *deeds: Callable[[], object]) -> None:
        self._deeds = list(deeds)

    def is_set(self) -> bool:
        return not self._deeds

    def wait(self, timeout: float) -> bool:
        assert timeout == 0.3
        self._deeds.pop(0)()
        return False


def seen(folder: Path, *deeds: Callable[[], object], deep: bool = True, but: str = "-") -> Iterator[set[tuple[str, str]]]:
    found = polling.poll([os.fspath(folder)], deep=deep, wanted=lambda kind, path: but not in (kind, path), stop=Turns(*deeds))
    for changes in found:
        yield {(kind, os.path.relpath(path, folder).replace(os.sep, "/")) for kind, path in changes}


def saved(path: Path, text: str, times: tuple[int, int] | None = None) -> Callable[[], None]:
    """Save as editors do, at a time that the test chooses."""

    def act() -> None:
        aside = path.with_name("aside")
        aside.write_text(text)
        if times is not None:
            os.utime(aside, ns=times)
        aside.replace(path)

    return act


def test_what_happens_within_a_second_and_what_gets_an_older_time(tmp_path: Path) -> None:
    file = tmp_path / "mod.py"
    second = 1_700_000_000_000_000_000
    saved(file, "1", (second, second))()
    deeds = (
        saved(file, "2", (second + 1_000, second + 1_000)),
        saved(file, "3", (second + 1_000, second + 1_000)),  # another file with the same time and size
        saved(file, "4", (second - 10**12, second - 10**12)),
        lambda: None,
        lambda: os.utime(file, ns=(second, second)),
    )
    assert list(seen(tmp_path, *deeds)) == [{("modified", "mod.py")}] * 4


def test_what_comes_and_goes(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deeds = (
        lambda: deep.mkdir(parents=True),
        saved(deep / "new.py", ""),
        lambda: deep.rename(tmp_path / "c"),
        lambda: ((tmp_path / "c" / "new.py").unlink(), (tmp_path / "c").rmdir(), (tmp_path / "c").write_text("now a file")),
    )
    assert list(seen(tmp_path, *deeds)) == [
        {("added", "a"), ("added", "a/b")},
        {("added", "a/b/new.py")},
        {("deleted", "a/b"), ("deleted", "a/b/new.py"), ("added", "c"), ("added", "c/new.py")},
        {("modified", "c"), ("deleted", "c/new.py")},
    ]


def test_the_folder_itself_and_what_lies_in_it_directly(tmp_path: Path) -> None:
    root = tmp_path / "root"
    deeds = (lambda: (root / "inner").mkdir(parents=True), saved(root / "inner" / "deep.py", ""), saved(root / "flat.py", ""))
    assert list(seen(root, *deeds, deep=False)) == [{("added", "."), ("added", "inner")}, {("added", "flat.py")}]


def test_only_what_is_wanted(tmp_path: Path) -> None:
    file = tmp_path / "mod.py"
    assert list(seen(tmp_path, saved(file, "1"), saved(file, "22"), but="added")) == [{("modified", "mod.py")}]


@pytest.mark.skipif(os.name == "nt", reason="creating links needs a right there")
def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    here = tmp_path / "here"
    here.mkdir()
    deeds = (lambda: (here / "link").symlink_to(tmp_path / "there"), saved(tmp_path / "there" / "mod.py", ""))
    assert list(seen(here, *deeds)) == [{("added", "link")}]


@pytest.mark.parametrize(
    ("said", "wanted"), [("1", True), ("true", True), ("false", False), ("Disable", False), ("disabled", False)]
)
def test_when_it_is_wanted(monkeypatch: pytest.MonkeyPatch, said: str, wanted: bool) -> None:
    monkeypatch.setenv("WATCHFILES_FORCE_POLLING", said)
    assert polling.is_wanted() is wanted


@pytest.mark.parametrize(("said", "seconds"), [("", 0.3), ("x", 0.3), ("50", 0.05)])
def test_the_time_between_two_looks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str, seconds: float) -> None:
    monkeypatch.setenv("WATCHFILES_POLL_DELAY_MS", said)
    waited: list[float] = []

    class Once:
        def is_set(self) -> bool:
            return bool(waited)

        def wait(self, timeout: float) -> bool:
            waited.append(timeout)
            return True

    assert list(polling.poll([os.fspath(tmp_path)], deep=True, wanted=lambda *_: True, stop=Once())) == []
    assert waited == [seconds]
