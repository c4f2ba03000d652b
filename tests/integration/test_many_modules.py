"""A package of very many modules: right, and in memory that grows by little for each of them."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.builds import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

MANY, FEW = 800, 20
KILOBYTES_EACH = 30
"""A task, its result and what is told of both; measured: 11, of which some is the note of how each file looked."""

BUILD = """
import resource, sys
from pathlib import Path
from pypackpack.middleware.build import build
from pypackpack.model.build import BuildRequest, Bundle, Level, Silent
result = build(BuildRequest(Path(sys.argv[1]), "small", Bundle.SINGLE, level=Level.BYTECODE), Silent())
print(result.artifacts[0].path, result.tasks_run, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def build(root: Path) -> tuple[Path, int, int]:
    """Build in a process of its own; return the wheel, the number of tasks that ran, and the most memory used, in kilobytes."""
    (root / ".python-version").write_text(".".join(map(str, sys.version_info[:3])))
    path = f"{Path(sys.base_prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "PYTHONPATH": os.fspath(ROOT), "PATH": path}
    done = subprocess.run([sys.executable, "-c", BUILD, root], env=env, check=True, capture_output=True, text=True)
    wheel, ran, memory = done.stdout.split()
    return Path(wheel), int(ran), int(memory) // (1024 if sys.platform == "darwin" else 1)


def test_memory_grows_by_little_for_each_module(own_cache: Path, small_project: Callable[..., Path]) -> None:
    assert own_cache
    _, _, small = build(small_project({f"main/m{number}.py": f"X = {number}\n" for number in range(FEW)}, folder="few"))
    modules = {f"main/p{number % 20}/m{number}.py": f"X = {number}\n" for number in range(MANY)}
    wheel, ran, large = build(small_project(modules, folder="many"))
    assert ran == MANY + 1  # and the wheel; of the two modules that both projects have, the bytecode was known
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        assert archive.read("small/p7/m787.py") == b"X = 787\n"
    assert {f"small/{place.removeprefix('main/')}" for place in modules} < names
    assert len([name for name in names if name.endswith(".pyc")]) == MANY + 2
    assert (large - small) / (MANY - FEW) < KILOBYTES_EACH
