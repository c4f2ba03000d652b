"""The words of ``pypackpack cache`` and what it answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend.filesystem import CACHE_VARIABLE, cache_folder
from pypackpack.backend.store import Store
from pypackpack.backend.store_leases import lease
from pypackpack.frontend.cli import main
from pypackpack.frontend.cli.commands.cache import info_lines
from pypackpack.frontend.cli.style import PLAIN
from pypackpack.model.action import ActionResult
from pypackpack.model.cache_use import Bucket, CacheInfo

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str, str]:
        code = main.run(["cache", *words])
        return (code, *capsys.readouterr())

    return call


def filled() -> Store:
    store = Store(cache_folder())
    store.record("ab" * 32, ActionResult({"out": store.put(b"content")}))
    return store


def test_info(run: Callable[..., tuple[int, str, str]]) -> None:
    filled()
    code, out, err = run("info")
    assert (code, err) == (0, "")
    assert str(cache_folder()) in out
    assert "2 entries" in out
    assert "of at most 20.0 GB" in out
    found = json.loads(run("info", "--json")[1])
    assert (found["folder"], found["entries"], found["store"], found["builds"]) == (str(cache_folder()), 2, 8192, [])


def test_the_folder_is_said_whole_wherever_one_is(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "caches"))
    assert run("info")[1].startswith(f"{tmp_path / 'caches'}: ")
    assert run("clear", "--yes")[1] == f"{tmp_path / 'caches'} was empty\n"


def test_a_clean_verify(run: Callable[..., tuple[int, str, str]]) -> None:
    filled()
    code, out, _ = run("verify")
    assert (code, out) == (0, "read 2 entries, 8.2 kB\nnothing is damaged\n")
    assert run("verify", "--quiet") == (0, "", "")


def test_damage_is_bad_news(run: Callable[..., tuple[int, str, str]]) -> None:
    blob = next(filled().root.glob("cas/*/*"))
    blob.write_bytes(b"x")
    code, out, err = run("verify", "--quiet")
    assert (code, err) == (1, "")
    assert f"  {Path('store-v2', 'cas', blob.parent.name, blob.name)}\n" in out
    assert "1 result named what is gone" in out
    assert run("verify")[0] == 0
    result = next(filled().root.glob("ac/*/*"))
    result.write_bytes(b"x")
    code, out, err = run("verify", "--json")
    assert (code, err) == (1, "")
    assert json.loads(out)["damaged"] == [str(Path("store-v2", "ac", result.parent.name, result.name))]


def test_prune(run: Callable[..., tuple[int, str, str]]) -> None:
    filled()
    assert run("prune") == (0, "nothing to remove\nthe store has 8.2 kB now\n", "")
    assert run("prune", "--size", "5GB", "--older-than", "30d")[1].startswith("nothing to remove")
    assert run("prune", "--size", "0")[1] == "removed 1 result, 1 blob: 8.2 kB\nthe store has 0 B now\n"


def test_prune_says_what_had_to_stay(run: Callable[..., tuple[int, str, str]]) -> None:
    store = filled()
    with lease(store.root, "a build"):
        out = run("prune", "--size", "0")[1]
    assert "8.2 kB more would have gone, but builds that are running may need it" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("prune", "--size", "much"), "--size: 'much' is not a number and a unit"),
        (("prune", "--size", "-1"), "--size"),
        (("prune", "--size", "5"), "--size: '5' has no unit: MB, GB, TB"),
        (("prune", "--size", "0.5 "), "has no unit"),
        (("prune", "--older-than", "30"), "--older-than: '30' is not a number of hours (h), days (d) or weeks (w)"),
        (("prune", "--older-than", "d"), "--older-than"),
        (("clear",), "there is no terminal to ask on"),
        (("clean",), "cache"),
        (("info", "--project", "nowhere"), "nowhere"),
    ],
)
def test_wrong_words(run: Callable[..., tuple[int, str, str]], words: tuple[str, ...], said: str) -> None:
    store = filled()
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert said in err
    assert store.result("ab" * 32) is not None


def test_clear(run: Callable[..., tuple[int, str, str]]) -> None:
    store = filled()
    with lease(store.root, "a build of /here"):
        code, _, err = run("clear", "--yes")
        assert (code, store.result("ab" * 32) is not None) == (1, True)
        assert "a build of /here" in err
    assert run("clear", "--yes") == (0, "removed blobs, results: 8.2 kB\n", "")
    assert store.result("ab" * 32) is None
    assert run("clear", "--yes")[1].endswith("was empty\n")


def test_clear_asks(run: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    filled()
    monkeypatch.setattr("pypackpack.frontend.cli.console.Console.confirm", lambda _self, question: "8.2 kB" not in question)
    code, out, err = run("clear")
    assert (code, out) == (0, "nothing was removed\n")
    assert "what tasks made" in err


def test_narrow_terminals_get_whole_words() -> None:
    buckets = (Bucket("tools", "the C compiler and other tools, and Pythons, as fetched", Path("t"), 426_800_000, 19532),)
    found = CacheInfo(Path("/c"), buckets, 1, 1, 2, 3, "2026-11-21", ("a build of /somewhere/far/away in the tree",))
    for width in (40, 60):
        lines = info_lines(found, PLAIN, width)
        assert max(map(len, lines)) <= width
        assert " ".join(" ".join(lines).split()) == " ".join(" ".join(info_lines(found, PLAIN)).split())
