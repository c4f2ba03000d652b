"""Builds that are killed, and builds that share a cache. `tests/benchmarks/crash.py` does the same a hundred times."""

from __future__ import annotations

import random
import sys
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend.filesystem import cache_folder
from tests.benchmarks.crash import Bench

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")

KNOWN = {
    "digests-v2",
    "headers-v2",
    "history-v2",
    "interpreters-v2",
    "locks",
    "settings-v1",
    "store-v2",
    "tmp",
    "tools-v1",
    "zig-v1",
}


@pytest.mark.parametrize(("level", "kills", "pairs"), [("bytecode", 5, 2), ("native", 1, 1)])
def test_killed_and_shared(level: str, kills: int, pairs: int, tmp_path: Path) -> None:
    shared = cache_folder()
    for name in ("tools-v1", "zig-v1"):
        (shared / name).mkdir(parents=True, exist_ok=True)
    bench = Bench(tmp_path, shared, level=level, modules=3 if level == "bytecode" else 1, linked=True)
    bench.undisturbed()
    dice = random.Random(7)  # noqa: S311 - no secret
    for number in range(kills):
        bench.killed(dice, number + 1, times=(1,))
    assert bench.seen["killed alone"] + bench.seen["killed with all it started"] == kills
    for number in range(pairs):
        bench.paired(number)


def test_the_cache_holds_nothing_that_the_commands_about_it_do_not_know(tmp_path: Path) -> None:
    shared = cache_folder()
    bench = Bench(tmp_path, shared, level="bytecode", modules=1, linked=True)
    cache = bench.cache()
    bench.finish(bench.start(bench.projects[0], cache), what="a build")
    assert {path.name for path in cache.iterdir()} <= KNOWN
    bench.command(["cache", "clear", "--yes"], cache)
    left = {path.name for path in cache.iterdir() if path.is_symlink() or any(each.is_file() for each in path.rglob("*"))}
    assert left <= {"locks", "store-v2", "tools-v1"}
    assert {path.name for path in (cache / "store-v2").rglob("*") if path.is_file()} <= {"gate", "size.json.lock"}
