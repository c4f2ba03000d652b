"""How long builds take, as multiples of what the bare tools need for the same work, measured in one run.

    python tests/benchmarks/build.py [native] [targets] [nothing] [one] [--rounds N] [--jobs N] [--modules N] [--type debug|release]
                                     [--work FOLDER] [--package FOLDER]

Run it with the Python of an environment that has pypackpack's dependencies, setuptools and a C compiler; it needs the network
when zig is not in the user's cache yet. Nothing is asserted: it prints a table with the budget beside each ratio.

native    a package of a dozen modules, cold, for six targets, against ``cythonize`` and setuptools for the host alone. Budget 3.
targets   a real package (``--package``), cold: the host's target alone, then six targets; a further target against the first, budget 0.9,
          and each of the six against ``cythonize`` and setuptools for the host alone, budget 0.6.
nothing   a build with nothing to do, of fifty modules for six targets, against ``python -c pass``. Budget 20.
one       one changed module of these fifty, for six targets, against one call of cython and the same calls of zig, with the
          same number of jobs. Budget 1.5.

The sides take turns, so that whatever else the machine does meets both. ``best`` compares the best times, ``median`` the
medians, ``cpu`` the medians of user and system time of the whole process tree, which a busy machine disturbs least.

"Cold" is an empty cache but for the tools themselves and zig's own runtimes of the targets (``zig-v1``): these are made once
per machine, and before the first measurement. ``--work`` names a folder to keep between runs: the fifty modules are compiled
there once, which takes minutes. ``--package`` names the folder of another import package to build in ``native`` and ``targets``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from sample import SIX_TARGETS, module, write_project

ROOT = Path(__file__).resolve().parents[2]
SHARED = ("tools-v1", "zig-v1", "interpreters-v2", "settings-v1")
"""What a cold cache keeps: the tools, and what a cold build would ask of the interpreter (as setuptools would not)."""

SETUP = """
from Cython.Build import cythonize
from setuptools import setup

if __name__ == "__main__":
    setup(name="mypkg", ext_modules=cythonize(["mypkg/**/*.py"], nthreads={jobs}, language_level=3))
"""


@dataclass(frozen=True)
class Cost:
    """What a piece of work took: seconds on the clock, and of processor time in all of its processes."""

    wall: float
    cpu: float


class Meter:
    """Measures what happens inside a ``with``."""

    def __enter__(self) -> Meter:  # noqa: PYI034 - typing.Self is Python 3.11's
        self._cpu = self._children()
        self._wall = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.cost = Cost(time.perf_counter() - self._wall, self._children() - self._cpu)

    @staticmethod
    def _children() -> float:
        times = os.times()
        return times.children_user + times.children_system


def environment(cache: Path) -> dict[str, str]:
    """Return the environment of everything that is measured."""
    env = {**os.environ, "PYPACKPACK_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT)}
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONPROFILEIMPORTTIME", "SOURCE_DATE_EPOCH"):
        env.pop(name, None)
    return env


def call(words: list[str], cwd: Path, env: dict[str, str]) -> Cost:
    """Run a command that must succeed and return what it took."""
    with Meter() as meter:
        done = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(words)}\n{done.stdout}{done.stderr}")
    return meter.cost


def build_words(kind: str, jobs: int) -> list[str]:
    """Return the call that builds ``mypkg``."""
    words = [sys.executable, "-m", "pypackpack", "build", "mypkg", "source", "single", "--level", "native"]
    return [*words, "--type", kind, "--jobs", str(jobs)]


def cold_cache(place: Path) -> Path:
    """Make an empty cache that shares the tools with the user's own."""
    from pypackpack.backend.filesystem import cache_folder  # noqa: PLC0415 - found by the path that main() sets

    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name in SHARED:
        (cache_folder() / name).mkdir(parents=True, exist_ok=True)
        (place / name).symlink_to(cache_folder() / name, target_is_directory=True)
    return place


def new_project(root: Path, modules: int) -> Path:
    """Make a project whose Python is this one, and return the folder of its modules."""
    main = write_project(root, modules, f"{sys.version_info[0]}.{sys.version_info[1]}")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(root / ".venv")], check=True)
    return main


def show(title: str, budget: float, mine: list[Cost], theirs: list[Cost]) -> None:
    """Print the ratios of one benchmark."""
    median = statistics.median
    best = min(cost.wall for cost in mine) / min(cost.wall for cost in theirs)
    middle = median(cost.wall for cost in mine) / median(cost.wall for cost in theirs)
    cpu = median(cost.cpu for cost in mine) / median(cost.cpu for cost in theirs)
    print(f"{title:<52} budget {budget:>4g}   best {best:6.2f}   median {middle:6.2f}   cpu {cpu:6.2f}   (of {len(mine)})")
    for name, costs in (("pypackpack", mine), ("bare", theirs)):
        shown = "  ".join(f"{cost.wall:.2f}/{cost.cpu:.2f}" for cost in costs[:8])
        print(f"    {name:<10} wall/cpu seconds: {shown}", flush=True)


def prepared(arguments: argparse.Namespace, work: Path, name: str, modules: int) -> tuple[Path, Path]:
    """Make a project, of the package that was named if one was, and zig's runtimes; return the project and the folder of modules."""
    root, warm = work / name, work / "warm"
    for folder in (root, warm):
        shutil.rmtree(folder, ignore_errors=True)
    main = new_project(root, arguments.modules or modules)
    if arguments.package:
        shutil.rmtree(main)
        shutil.copytree(arguments.package, main, ignore=shutil.ignore_patterns("__pycache__"))
    new_project(warm, 2)
    call(build_words(arguments.type or "release", arguments.jobs), warm, environment(cold_cache(work / "cold")))
    return root, main


def native(arguments: argparse.Namespace, work: Path) -> None:
    """Compare a cold build for six targets with cythonize for the host."""
    root, main = prepared(arguments, work, "dozen", 12)
    kind, jobs = arguments.type or "release", arguments.jobs
    mine, theirs = [], []
    for number in range(arguments.rounds or 3):
        shutil.rmtree(root / "mypkg" / "build", ignore_errors=True)
        mine.append(call(build_words(kind, jobs), root, environment(cold_cache(work / "cold"))))
        theirs.append(cythonized(main, work / f"plain-{number}", jobs, environment(work / "cold")))
        print(f"    round {number + 1}: {mine[-1].wall:.1f} s / {theirs[-1].wall:.1f} s", file=sys.stderr)
    count = sum(1 for _ in main.rglob("*.py"))
    show(f"native: {count} modules, 6 targets / cythonize, host", 3, mine, theirs)


def targets(arguments: argparse.Namespace, work: Path) -> None:
    """Compare what a further target of a package costs with the first one, and each with cythonize for the host."""
    root, main = prepared(arguments, work, "real", 50)
    kind, jobs = arguments.type or "release", arguments.jobs
    first, every, plain = [], [], []
    for number in range(arguments.rounds or 3):
        for kept, more in ((first, ["--target", SIX_TARGETS[0]]), (every, [])):
            shutil.rmtree(root / "mypkg" / "build", ignore_errors=True)
            kept.append(call([*build_words(kind, jobs), *more], root, environment(cold_cache(work / "cold"))))
        plain.append(cythonized(main, work / f"plain-{number}", jobs, environment(work / "cold")))
        shown = "  ".join(f"{costs[-1].wall:.1f}/{costs[-1].cpu:.1f}" for costs in (first, every, plain))
        print(f"    round {number + 1}, wall/cpu seconds of one, six, cythonize: {shown}", file=sys.stderr, flush=True)
    modules, more = sum(1 for _ in main.rglob("*.py")), len(SIX_TARGETS) - 1
    after = [Cost((six.wall - one.wall) / more, (six.cpu - one.cpu) / more) for one, six in zip(first, every, strict=True)]
    each = [Cost(six.wall / (more + 1), six.cpu / (more + 1)) for six in every]
    show(f"targets: {modules} modules, a further target / the first", 0.9, after, first)
    show(f"targets: {modules} modules, one of six / cythonize, host", 0.6, each, plain)


def cythonized(main: Path, place: Path, jobs: int, env: dict[str, str]) -> Cost:
    """Build a package by cythonize and setuptools for the host, in a new folder, and return what it took."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(main, place / "mypkg", ignore=shutil.ignore_patterns("__pycache__"))
    (place / "setup.py").write_text(SETUP.format(jobs=jobs))
    return call([sys.executable, "setup.py", "-q", "build_ext", "--parallel", str(jobs)], place, env)


def fifty(arguments: argparse.Namespace, work: Path) -> tuple[Path, dict[str, str], list[str]]:
    """Return a project of fifty modules that is built, its environment, and the call that builds it."""
    root, cache = work / "fifty", work / "cache"
    if not root.exists():
        new_project(root, arguments.modules or 50)
        cold_cache(cache)
    env, words = environment(cache), build_words(arguments.type or "debug", arguments.jobs)
    call(words, root, env)
    return root, env, words


def nothing(arguments: argparse.Namespace, work: Path) -> None:
    """Compare a build with nothing to do with the start of Python."""
    root, env, words = fifty(arguments, work)
    time.sleep(2.5)  # what was written a moment ago is looked at again
    call(words, root, env)
    mine, theirs = [], []
    for _ in range(arguments.rounds or 20):
        theirs.append(call([sys.executable, "-c", "pass"], root, env))
        mine.append(call(words, root, env))
    show("nothing to do, 50 modules, 6 targets / python -c pass", 20, mine, theirs)


def one(arguments: argparse.Namespace, work: Path) -> None:
    """Compare a build after one change with the calls of cython and zig that it needs."""
    root, env, words = fifty(arguments, work)
    changed = root / "mypkg" / "src" / "main" / "part07.py"
    seed = time.time_ns() % 1_000_000_007  # never the same content as in an earlier run with the same --work
    changed.write_text(module(7) + f"\n\nSEED = {seed}\n")
    log = work / "calls"
    shutil.rmtree(log, ignore_errors=True)
    log.mkdir()
    call([sys.executable, __file__, "--record", str(log), *words[3:]], root, env)
    mine, theirs = [], []
    for number in range(arguments.rounds or 3):
        changed.write_text(module(7) + f"\n\nSEED = {seed + 1 + number}\n")
        theirs.append(replay(log, changed, work / "replay", arguments.jobs, env))
        mine.append(call(words, root, env))
    show("one changed module of 50, 6 targets / cython and zig", 1.5, mine, theirs)


def record(folder: Path, words: list[str]) -> int:
    """Run pypackpack and keep each call of a tool with the files that it found: a folder per task, numbered calls in it."""
    from pypackpack.backend import process  # noqa: PLC0415 - found by the path that is set at the end of this file
    from pypackpack.frontend.cli.main import run  # noqa: PLC0415 - as above

    real, lock = process.run, threading.Lock()
    tasks: dict[str, list[list[str]]] = {}

    def kept(
        command: list[str | Path], *, cwd: Path | None = None, env: dict[str, str] | None = None, **rest: float
    ) -> process.Completed:
        if cwd is not None and Path(command[0]).stem == "zig":
            with lock:
                calls = tasks.setdefault(str(cwd), [])
                place = folder / f"task-{list(tasks).index(str(cwd))}"
            if not calls:
                shutil.copytree(cwd, place / "files")
            else:  # what later calls find besides what earlier ones wrote: import libraries' definitions
                shutil.copytree(cwd, place / "files", dirs_exist_ok=True, ignore=shutil.ignore_patterns(".zig", "*.o"))
            calls.append([os.fspath(word) for word in command])
            (place / "calls.json").write_text(json.dumps({"env": env, "calls": calls}))
        return real(command, cwd=cwd, env=env, **rest)

    process.run = kept  # type: ignore[assignment] # the same for the calls that there are
    return run(words)


def replay(log: Path, changed: Path, folder: Path, jobs: int, env: dict[str, str]) -> Cost:
    """Run cython on the changed module, then the recorded calls of zig: targets side by side, the calls of each in order."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "mypkg").mkdir(parents=True)
    (folder / "mypkg" / "__init__.py").touch()
    shutil.copy(changed, folder / "mypkg" / changed.name)
    tasks = sorted(log.glob("task-*"))
    if len(tasks) != len(SIX_TARGETS):
        print(f"    {len(tasks)} tasks of zig were recorded instead of {len(SIX_TARGETS)}")
    for task in tasks:
        shutil.copytree(task / "files", folder / task.name, ignore=shutil.ignore_patterns(".zig"))

    def run(task: Path) -> int:
        kept = json.loads((task / "calls.json").read_text())
        here = folder / task.name
        mine = {**kept["env"], "ZIG_LOCAL_CACHE_DIR": str(here / ".zig")}
        for words in kept["calls"]:
            subprocess.run(words, cwd=here, env=mine, capture_output=True, check=True)
        return len(kept["calls"])

    with Meter() as meter:
        words = [sys.executable, "-m", "cython", "-3", f"mypkg/{changed.name}", "-o", "module.c"]
        subprocess.run(words, cwd=folder, env=env, capture_output=True, check=True)
        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(run, tasks))
    return meter.cost


def main() -> int:
    """Run the benchmarks that are named, or all."""
    known = {"native": native, "targets": targets, "nothing": nothing, "one": one}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="|".join(known))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--modules", type=int)
    parser.add_argument("--type", choices=["debug", "release"])
    parser.add_argument("--work", type=Path)
    parser.add_argument("--package", type=Path)
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in known:
            parser.error(f"{name} is none of {', '.join(known)}")
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory(prefix="pypackpack-bench-") as scratch:
        work = (arguments.work or Path(scratch)).absolute()
        work.mkdir(parents=True, exist_ok=True)
        for name in arguments.names or known:
            known[name](arguments, work)
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--record"]:
        sys.path.insert(0, str(ROOT))
        sys.exit(record(Path(sys.argv[2]), sys.argv[3:]))
    sys.exit(main())
