"""Builds that are killed at any moment, and builds that share one store: what comes out is what comes out undisturbed.

    python tests/benchmarks/crash.py [--kills 100] [--pairs 50] [--prunes 20] [--seed N] [--level LEVEL] [--targets NAME...] [--work FOLDER]

A package of three modules is built, natively unless said otherwise, once undisturbed. Then, each with an empty cache that has nothing but zig:

kills     a build is killed with SIGKILL at a random moment, in every second round with all that it started, in the others alone,
          so that its compilers go on without it; in every fifth round zig's own runtimes are cold too; up to three times, on the
          same cache. Then it is finished.
pairs     two builds of two checkouts begin at one moment; in every second round of one checkout.
prunes    as pairs, while `cache prune --size 0` runs again and again.

Each time the wheels have to be those of the undisturbed build, byte by byte, `cache verify` has to find nothing wrong, and
nothing of the killed builds may be left after `cache prune`. It runs where there are signals (Linux, macOS). It exits with 1 at
the first difference, and keeps the folder.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGETS = ("linux_x86_64",)
MODULE = '''"""Part {number}."""


class Shelf:
    def __init__(self, things=()):
        self.things = list(things)

    def most(self, count={number}):
        return sorted(self.things, key=lambda each: -each)[:count]


def total(numbers):
    return sum(number * {number} for number in numbers)
'''
PROJECT = '[project]\nname = "whole"\nversion = "1.0"\nrequires-python = ">=3.10"\n\n[tool.pypackpack]\npackages = ["small"]\n'
PACKAGE = '[project]\nname = "small"\nversion = "1.0"\n\n[tool.pypackpack]\ntargets = {targets}\n'


class DifferenceError(AssertionError):
    """Something came out otherwise than undisturbed."""


def write_project(root: Path, targets: tuple[str, ...], modules: int) -> Path:
    """Write the project that is built."""
    main = root / "small" / "src" / "main"
    main.mkdir(parents=True)
    (root / "pyproject.toml").write_text(PROJECT)
    (root / ".python-version").write_text(".".join(map(str, sys.version_info[:3])) + "\n")
    (root / "small" / "pyproject.toml").write_text(PACKAGE.format(targets=json.dumps(targets)))
    (main / "__init__.py").write_text("")
    for number in range(modules):
        (main / f"part{number}.py").write_text(MODULE.format(number=number))
    return root


@dataclass
class Bench:
    """The folders of a run, and what it found.

    Attributes:
        work: Everything lies in it.
        tools: A cache folder that has the tools.
        level: What is built.
        targets: For which targets.
        modules: How many besides ``__init__``.
        linked: Whether zig's runtimes are those of ``tools``, and not made for this and copied for each round.
        expected: Name of each wheel → SHA-256, as built undisturbed.
        seconds: How long that took, with zig's runtimes there.
        entries: Blobs and results that it left in the store.
        seen: What was counted.
    """

    work: Path
    tools: Path
    level: str = "native"
    targets: tuple[str, ...] = TARGETS
    modules: int = 2
    linked: bool = False
    expected: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    entries: int = 0
    seen: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.projects = [write_project(self.work / name, self.targets, self.modules) for name in ("one", "two")]
        self.runtimes = self.work / "runtimes"

    def cache(self, *, cold: bool = False) -> Path:
        """Return an empty cache but for the tools, and for zig's runtimes unless ``cold``."""
        folder = Path(tempfile.mkdtemp(prefix="cache-", dir=self.work))
        (folder / "tools-v1").symlink_to(self.tools / "tools-v1", target_is_directory=True)
        if self.linked:
            (folder / "zig-v1").symlink_to(self.tools / "zig-v1", target_is_directory=True)
        elif not cold and self.runtimes.is_dir():
            shutil.copytree(self.runtimes, folder / "zig-v1")
        return folder

    def start(self, project: Path, cache: Path) -> subprocess.Popen[str]:
        """Begin a build."""
        words = ["build", "small", "source", "single", "--level", self.level, "--type", "debug", "--jobs", "2"]
        return self._start([*words, "--target", *self.targets], project, cache)

    def _start(self, words: list[str], folder: Path, cache: Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "pypackpack", *words],
            cwd=folder,
            env={**os.environ, "PYPACKPACK_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def finish(self, child: subprocess.Popen[str], *, what: str) -> str:
        """Wait for a command and return what it wrote to stdout."""
        out, err = child.communicate(timeout=900)
        if child.returncode != 0:
            msg = f"{what} ended with {child.returncode}:\n{out}{err}"
            raise DifferenceError(msg)
        return out

    def command(self, words: list[str], cache: Path) -> str:
        """Run a command about the cache."""
        return self.finish(self._start(words, self.work, cache), what=" ".join(words))

    def wheels(self, project: Path) -> dict[str, str]:
        """Return the digests of the wheels that a project has."""
        made = project.glob("small/build/packpack/*/*/*/*.whl")
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in made}

    def reset(self) -> None:
        """Take away what was built."""
        for project in self.projects:
            shutil.rmtree(project / "small" / "build", ignore_errors=True)

    def undisturbed(self) -> None:
        """Build without trouble, and remember what came out."""
        project = self.projects[0]
        if self.level == "native" and not self.linked:
            cache = self.cache(cold=True)
            self.finish(self.start(project, cache), what="the build that makes zig's runtimes")
            shutil.copytree(cache / "zig-v1", self.runtimes)  # only what these targets need, so that a copy costs little
            self.done(cache)
        cache = self.cache()
        begin = time.monotonic()
        self.finish(self.start(project, cache), what="the undisturbed build")
        self.seconds = time.monotonic() - begin
        self.expected = self.wheels(project)
        if len(self.expected) != (len(self.targets) if self.level == "native" else 1):
            msg = f"built {list(self.expected)}"
            raise DifferenceError(msg)
        self.entries = stored(cache)
        self.check([project], cache)
        self.done(cache)

    def check(self, projects: list[Path], cache: Path) -> None:
        """Compare what stands with what should, and the cache with itself.

        Raises:
            DifferenceError: They differ.
        """
        for project in projects:
            if self.wheels(project) != self.expected:
                msg = f"{project} with {cache}: {self.wheels(project)} instead of {self.expected}"
                raise DifferenceError(msg)
        verified = json.loads(self.command(["cache", "verify", "--json"], cache))
        if verified["damaged"] or verified["useless"]:
            msg = f"{cache}: {verified}"
            raise DifferenceError(msg)
        self.command(["cache", "prune"], cache)
        left = [
            str(path)
            for pattern in ("tmp/*", "store-*/tmp/*", "store-*/leases/*", "store-*/**/.new-*")
            for path in cache.glob(pattern)
        ]
        left += [str(path) for project in projects for path in project.glob("small/build/packpack/**/.*")]
        if left:
            msg = f"left behind: {left}"
            raise DifferenceError(msg)

    def done(self, *caches: Path) -> None:
        """Take away what a round needed."""
        self.reset()
        for cache in caches:
            shutil.rmtree(cache)

    def killed(self, dice: random.Random, number: int, *, times: tuple[int, ...] = (1, 1, 2, 3)) -> None:
        """One round of kills; how many of them, the dice choose from ``times``."""
        cold = self.level == "native" and not self.linked and number % 5 == 4
        cache = self.cache(cold=cold)
        project = self.projects[0]
        left = dice.choice(times)
        while left:
            child = self.start(project, cache)
            try:
                # By the clock, or by how far it has come: a busy machine would else be killed while it starts, mostly.
                if number % 3 == 0:
                    child.wait(dice.uniform(0.02, self.seconds * (1.5 if cold else 0.9)))
                else:
                    mark = dice.randrange(min(stored(cache), self.entries - 1), self.entries)
                    while child.poll() is None and stored(cache) < mark:
                        time.sleep(0.002)
                    child.wait(dice.uniform(0.0, 1.5 * self.seconds / self.entries))
            except subprocess.TimeoutExpired:
                family = descendants(child.pid)
                for each in [child.pid, *(family if number % 2 else [])]:
                    kill(each)
                child.communicate()
                left -= 1
                self.seen["killed with all it started" if number % 2 else "killed alone"] += 1
                self.seen["while tools ran"] += bool(family)
                self.seen[f"with {stored(cache):2} of {self.entries} entries in the store by then"] += 1
            else:
                # It was faster than we: once more, from the beginning.
                self.finish(child, what="a build")
                self.done(cache)
                cache = self.cache(cold=cold)
        self.finish(self.start(project, cache), what="the build after a kill")
        settle(cache)
        self.check([project], cache)
        self.done(cache)

    def paired(self, number: int, *, prune: bool = False) -> None:
        """One round of two builds at once."""
        cache = self.cache()
        projects = self.projects if number % 2 else [self.projects[0]] * 2
        children = [self.start(project, cache) for project in projects]
        while prune and any(child.poll() is None for child in children):
            self.command(["cache", "prune", "--size", "0"], cache)
            self.seen["prunes meanwhile"] += 1
        for child in children:
            self.finish(child, what="one of two builds")
        self.check(list(dict.fromkeys(projects)), cache)
        self.done(cache)


def stored(cache: Path) -> int:
    """Return the number of blobs and results in the store of a cache."""
    return sum(not path.name.startswith(".") for kind in ("cas", "ac") for path in cache.glob(f"store-*/{kind}/*/*"))


def descendants(pid: int) -> list[int]:
    """Return the processes below one; by what /proc says, where there is one, else by ps."""
    listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = dict(map(int, line.split()) for line in listing.splitlines())
    found = [pid]
    for each in found:  # grows while it is walked
        found += [child for child, parent in parents.items() if parent == each]
    return found[1:]


def kill(pid: int) -> None:
    """End a process at once."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def settle(cache: Path, seconds: float = 120.0) -> None:
    """Wait until the compilers of a build that was killed alone have ended: what they write is theirs until then."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        listing = subprocess.run(["ps", "-A", "-o", "args="], capture_output=True, text=True, check=True).stdout
        if not any(str(cache) in line for line in listing.splitlines()):
            return
        time.sleep(0.1)
    msg = f"a process that uses {cache} does not end"
    raise DifferenceError(msg)


def main() -> int:
    """Do all of it and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--pairs", type=int, default=50)
    parser.add_argument("--prunes", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311 - no secret
    parser.add_argument("--level", default="native")
    parser.add_argument("--targets", nargs="*", default=TARGETS)
    parser.add_argument("--work", type=Path)
    words = parser.parse_args()
    from pypackpack.backend.filesystem import cache_folder  # noqa: PLC0415 - the environment's own

    work = Path(words.work or tempfile.mkdtemp(prefix="crash-")).absolute()
    work.mkdir(parents=True, exist_ok=True)
    print(f"seed {words.seed}, in {work}", flush=True)
    bench = Bench(work, cache_folder(), level=words.level, targets=tuple(words.targets))
    bench.undisturbed()
    print(f"undisturbed: {len(bench.expected)} wheels in {bench.seconds:.1f} s", flush=True)
    dice = random.Random(words.seed)  # noqa: S311 - no secret
    rounds = [("kills", words.kills, lambda number: bench.killed(dice, number)), ("pairs", words.pairs, bench.paired)]
    rounds.append(("prunes", words.prunes, lambda number: bench.paired(number, prune=True)))
    for name, count, one in rounds:
        begin = time.monotonic()
        for number in range(count):
            try:
                one(number)
            except DifferenceError as error:
                print(f"{name}: round {number + 1} of {count} differs: {error}")
                return 1
            if number % 10 == 9:
                print(f"  {name} {number + 1}/{count}", flush=True)
        print(
            f"{name}: {count} of {count} as undisturbed, store verified each time ({time.monotonic() - begin:.0f} s)", flush=True
        )
    for what, number in sorted(bench.seen.items()):
        print(f"  {what}: {number}")
    shutil.rmtree(work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
