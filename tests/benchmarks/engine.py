"""What the engine costs beside the tools that it calls: against ninja, and with nothing to do, measured in one run.

    python tests/benchmarks/engine.py [cold] [nothing] [one] [growth] [--modules N] [--rounds N] [--jobs N] [--work FOLDER]

Run it with the Python of an environment that has pypackpack's dependencies; ``ninja`` has to be on PATH, and zig in the user's
cache or on the network. Nothing is asserted: each ratio is printed beside its budget.

cold      a package of 200 generated modules for eight targets, debug, against ninja over the same commands: one process of our own
          Cython worker per module, and the calls of zig that compile and link each of them for each target. Budget 1.15.
nothing   the same build with nothing to do, against ``python -c pass``. Budget 24. (Also without its note: the way it goes when
          something changed that turns out to decide nothing.)
one       one module changed, against ninja over the commands of that module; budget 1.2 times these, plus a build with
          nothing to do. Twice: over those that compile, and over these and those that make the wheels, which are among the
          tasks that run. How many ran is printed as well.
growth    a build with nothing to do of 100, 1,000 and 10,000 modules at level bytecode, beside ``python -c pass``.

"Cold" is an empty cache but for the tools themselves and zig's own runtimes of the targets, which are made once per machine. With
``--work`` the built package is kept, so that ``nothing`` and ``one`` can be measured again without the half hour of ``cold``.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path

from build import Cost, call, cold_cache, environment
from sample import write_project

ROOT = Path(__file__).resolve().parents[2]
TARGETS = (
    "linux_x86_64",
    "linux_arm64",
    "linux_musl_x86_64",
    "linux_musl_arm64",
    "windows_amd64",
    "windows_arm64",
    "macos_arm64",
    "emscripten_wasm32",
)
MODULE = '''"""Part {number} of a generated package."""

from __future__ import annotations


class Shelf{number}:
    """Goods by name."""

    def __init__(self, entries=()):
        self.entries = dict(entries)

    def add(self, name, count={number}):
        self.entries[name] = self.entries.get(name, 0) + count
        return self

    def total(self):
        return sum(self.entries.values())


def report(shelf, *, width={number}):
    rows = [f"{{name:<{{width}}}} {{count}}" for name, count in sorted(shelf.entries.items())]
    return "\\n".join(rows) or "nothing"


def evens(limit):
    for number in range(limit):
        if number % 2 == 0:
            yield number + {number}
'''
ONCE = """
import importlib.util, json, os, sys, base64
script, asked, place = sys.argv[1:]
sys.path[0] = os.path.dirname(script)  # as where it is started as a script
sys.argv[1:] = [next(each for each in sys.path if os.path.isdir(os.path.join(each, "Cython")))]
spec = importlib.util.spec_from_file_location("worker", script)
worker = importlib.util.module_from_spec(spec)
spec.loader.exec_module(worker)
worker.setup()
request = json.load(open(asked))
answer = worker.transcompile(request)
open(place, "wb").write(base64.b64decode(answer["c"]))
"""


def words(jobs: int, level: str = "native") -> list[str]:
    """Return the call that builds ``mypkg``."""
    return [sys.executable, "-m", "pypackpack", "build", "mypkg", "source", "single", "--level", level, "--jobs", str(jobs)]


def name(number: int) -> str:
    """Return the name of a module."""
    return f"part{number:05}"


def new_project(root: Path, modules: int, targets: tuple[str, ...] = TARGETS) -> Path:
    """Make a project of so many modules besides ``__init__`` and return the folder of its sources."""
    main = write_project(root, 1, f"{sys.version_info[0]}.{sys.version_info[1]}", targets=targets)
    for number in range(modules):
        (main / f"{name(number)}.py").write_text(MODULE.format(number=number))
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(root / ".venv")], check=True)
    return main


def record(log: Path, call_words: list[str]) -> int:
    """Run pypackpack and keep the calls of zig: a folder per task with the files it found and its commands."""
    from pypackpack.backend import process  # noqa: PLC0415 - found by the path that is set at the end of this file
    from pypackpack.frontend.cli.main import run  # noqa: PLC0415 - as above

    real, lock = process.run, threading.Lock()
    tasks: dict[str, list[list[str]]] = {}

    def kept(command: list[str | Path], **options: object) -> process.Completed:
        cwd = options.get("cwd")
        if cwd is not None and Path(command[0]).stem == "zig":
            with lock:
                calls = tasks.setdefault(str(cwd), [])
                place = log / f"task-{list(tasks).index(str(cwd)):03}"
            shutil.copytree(str(cwd), place / "files", dirs_exist_ok=True, ignore=shutil.ignore_patterns(".zig", "*.o"))
            calls.append([os.fspath(word) for word in command])
            (place / "calls.json").write_text(json.dumps({"env": options.get("env"), "cwd": str(cwd), "calls": calls}))
        return real(command, **options)  # type: ignore[arg-type]  # handed on as they came

    process.run = kept  # type: ignore[assignment]  # to see what is called
    return run(call_words)


def templates(work: Path, jobs: int) -> list[dict[str, object]]:
    """Return the tasks of zig that one generated module needs, one for each target."""
    root, log = work / "template", work / "calls"
    shutil.rmtree(root, ignore_errors=True)
    shutil.rmtree(log, ignore_errors=True)
    log.mkdir(parents=True)
    new_project(root, 1)
    env = environment(cold_cache(work / "template-cache"))
    call([sys.executable, __file__, "--record", str(log), *words(jobs)[3:]], root, env)
    found = []
    for place in sorted(log.glob("task-*")):
        kept = json.loads((place / "calls.json").read_text())
        if any(name(0) in word for word in kept["calls"][0]):
            found.append({**kept, "files": place / "files"})
    if len(found) != len(TARGETS):
        sys.exit(f"{len(found)} tasks of zig were recorded instead of {len(TARGETS)}")
    return found


def write_ninja(place: Path, main: Path, tasks: list[dict[str, object]]) -> None:
    """Write the build of all modules for ninja: the same commands, in the same form."""
    from pypackpack.backend.tools import cython  # noqa: PLC0415 - found by the path that is set at the end of this file
    from pypackpack.backend.tools.bytecode import Bytecode  # noqa: PLC0415 - as above
    from pypackpack.backend.tools.python import inspect_interpreter  # noqa: PLC0415 - as above

    shutil.rmtree(place, ignore_errors=True)
    (place / "c").mkdir(parents=True)
    (place / "once.py").write_text(ONCE)
    lines = ["rule run", "  command = $command", ""]
    with Bytecode(inspect_interpreter(Path(sys.executable))) as bytecode:
        for source in sorted(main.glob("part*.py")):
            lines += _module(place, source, tasks, bytecode.examine(source.read_bytes()).trailer, cython.WORKER)
    (place / "build.ninja").write_text("\n".join([*lines, ""]))


def _module(place: Path, source: Path, tasks: list[dict[str, object]], trailer: str, worker: Path) -> list[str]:
    """Return ninja's lines for one module."""
    own = source.stem
    c = place / "c" / f"{own}.c"
    work = place / "cython" / own
    work.mkdir(parents=True)
    _write_request(place, source, trailer)
    once = ["cd", str(work), "&&", sys.executable, "../../once.py", str(worker), f"../{own}.json", str(c)]
    lines = [f"build {c}: run cython/{own}.json", f"  command = {_quoted(once)}"]
    for number, task in enumerate(tasks):
        folder = place / "targets" / str(number) / own
        shutil.copytree(str(task["files"]), folder, ignore=shutil.ignore_patterns("*.c"))
        (folder / "mypkg").mkdir(exist_ok=True)
        (folder / "mypkg" / f"{own}.c").symlink_to(c)
        for extra in Path(str(task["files"])).glob("*.c"):  # the helpers that Windows needs
            shutil.copy(extra, folder)
        env = {key: value for key, value in dict(task["env"]).items() if key.startswith("ZIG_") or key == "SOURCE_DATE_EPOCH"}  # type: ignore[call-overload]
        env["ZIG_LOCAL_CACHE_DIR"] = str(folder / ".zig")
        cwd = str(task["cwd"])
        calls = [[word.replace(cwd, str(folder)).replace(name(0), own) for word in each] for each in task["calls"]]  # type: ignore[attr-defined]
        start = ["cd", str(folder), "&&", "env", *(f"{key}={value}" for key, value in env.items())]
        compile_words = [*start, *calls[0]]
        link_words = start.copy()
        for index, each in enumerate(calls[1:]):
            link_words += [*(["&&", *start[3:]] if index else []), *each]
        lines += [f"build {folder}/module.o: run {c}", f"  command = {_quoted(compile_words)}"]
        lines += [
            f"build {folder}/linked: run {folder}/module.o",
            f"  command = {_quoted([*link_words, '&&', 'touch', 'linked'])}",
        ]
    return lines


def _write_request(place: Path, source: Path, trailer: str) -> None:
    data = base64.b64encode(source.read_bytes()).decode()
    request = {
        "path": f"mypkg/{source.name}",
        "module": f"mypkg.{source.stem}",
        "source": data,
        "trailer": trailer,
        "packages": ["mypkg"],
    }
    (place / "cython" / f"{source.stem}.json").write_text(json.dumps(request))


def _quoted(command: list[str]) -> str:
    return " ".join(word if word == "&&" else shlex.quote(word) for word in command).replace("$", "$$")


def ninja(place: Path, jobs: int, env: dict[str, str]) -> Cost:
    """Run ninja to its end."""
    return call(["ninja", "-j", str(jobs), "--quiet"], place, env)


def show(title: str, budget: str, mine: list[float], theirs: list[float]) -> None:
    """Print the ratio of one benchmark."""
    ratio = statistics.median(mine) / statistics.median(theirs)
    best = min(mine) / min(theirs)
    print(f"{title:<58} budget {budget:<18} median {ratio:6.3f}   best {best:6.3f}")
    for who, values in (("pypackpack", mine), ("bare", theirs)):
        print(f"    {who:<10} seconds: {'  '.join(f'{value:.3f}' for value in values[:10])}", flush=True)


def cold(said: argparse.Namespace, work: Path) -> None:
    """Compare a cold build with ninja."""
    root, env = work / "project", environment(work / "cache")
    tasks = templates(work, said.jobs)
    shutil.rmtree(root, ignore_errors=True)
    main = new_project(root, said.modules)
    mine, theirs = [], []
    for number in range(said.rounds or 1):
        write_ninja(work / "ninja", main, tasks)
        cold_cache(work / "cache")
        shutil.rmtree(root / "mypkg" / "build", ignore_errors=True)
        sides = [
            lambda: mine.append(call(words(said.jobs), root, env)),
            lambda: theirs.append(ninja(work / "ninja", said.jobs, env)),
        ]
        for side in sides if number % 2 == 0 else reversed(sides):
            side()
        print(
            f"    round {number + 1}: {mine[-1].wall:.1f} s / {theirs[-1].wall:.1f} s wall, {mine[-1].cpu:.1f} / {theirs[-1].cpu:.1f} cpu",
            flush=True,
        )
    title = f"cold: {said.modules} modules, {len(TARGETS)} targets / ninja"
    show(title, "1.15", [cost.wall for cost in mine], [cost.wall for cost in theirs])


def built(said: argparse.Namespace, work: Path) -> tuple[Path, dict[str, str]]:
    """Return the project of `cold`, built, and the environment it is built in."""
    root, env = work / "project", environment(work / "cache")
    if not root.exists():
        cold_cache(work / "cache")
        new_project(root, said.modules)
    call(words(said.jobs), root, env)
    time.sleep(2.5)  # what was written a moment ago is looked at again
    call(words(said.jobs), root, env)
    return root, env


def nothing(said: argparse.Namespace, work: Path) -> None:
    """Compare a build with nothing to do with the start of Python."""
    root, env = built(said, work)
    mine, full, theirs = [], [], []
    for _ in range(said.rounds or 20):
        theirs.append(call([sys.executable, "-c", "pass"], root, env).wall)
        mine.append(call(words(said.jobs), root, env).wall)
    title = f"nothing to do: {said.modules} modules, {len(TARGETS)} targets / python"
    show(title, "24", mine, theirs)
    for _ in range(5):
        shutil.rmtree(root / "mypkg" / "build" / "packpack" / "notes")
        full.append(call(words(said.jobs), root, env).wall)
    show(f"{title}, no note", "", full, theirs)


def one(said: argparse.Namespace, work: Path) -> None:
    """Compare a build after one change with ninja over the commands of the module, without and with those that make the wheels."""
    root, env = built(said, work)
    main = root / "mypkg" / "src" / "main"
    tasks = templates(work, said.jobs)
    only = work / "only"
    shutil.rmtree(only, ignore_errors=True)
    only.mkdir()
    changed = main / f"{name(7)}.py"
    mine, theirs, zipped, idle, ran = [], [], [], [], ""
    seed = time.time_ns() % 1_000_000_007
    for number in range(said.rounds or 5):
        changed.write_text(MODULE.format(number=7) + f"\n\nSEED = {seed + number}\n")
        shutil.copy(changed, only)
        write_ninja(work / "ninja-one", only, tasks)
        settled()
        theirs.append(ninja(work / "ninja-one", said.jobs, env).wall)
        write_zips(work / "ninja-zip", root)
        settled()
        zipped.append(theirs[-1] + ninja(work / "ninja-zip", said.jobs, env).wall)
        settled()
        begin = time.perf_counter()
        done = subprocess.run(words(said.jobs), cwd=root, env=env, capture_output=True, text=True, check=True)
        mine.append(time.perf_counter() - begin)
        ran = done.stdout.strip().splitlines()[-1]
        time.sleep(2.5)
        call(words(said.jobs), root, env)
        idle.append(call(words(said.jobs), root, env).wall)
    for what, bare in (("transcompile, compile, link", theirs), ("the same and zip", zipped)):
        show(f"one of {said.modules} modules changed, {len(TARGETS)} targets / {what}", "see next line", mine, bare)
        bound = 1.2 * statistics.median(bare) + statistics.median(idle)
        print(f"    {ran}\n    median {statistics.median(mine):.3f} s against 1.2 x bare + nothing to do = {bound:.3f} s")


def settled() -> None:
    """Wait until the disk has what was written before: neither side is to pay for the other one's files."""
    if hasattr(os, "sync"):  # not on Windows
        os.sync()


def write_zips(place: Path, root: Path) -> None:
    """Write the build that makes an archive of each wheel's files, which lie there unpacked, with Python's own zipfile."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    lines = ["rule run", "  command = $command", ""]
    for wheel in sorted(root.glob("mypkg/build/packpack/single/*/*/*.whl")):
        folder = place / wheel.stem
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
        names = sorted(each.name for each in folder.iterdir())
        command = ["cd", str(folder), "&&", sys.executable, "-m", "zipfile", "-c", f"../{wheel.name}", *names]
        lines += [f"build {place / wheel.name}: run", f"  command = {_quoted(command)}"]
    (place / "build.ninja").write_text("\n".join([*lines, ""]))


def growth(said: argparse.Namespace, work: Path) -> None:
    """Show what a build with nothing to do costs, by the number of modules."""
    for modules in (100, 1000, 10_000):
        root, env = work / f"growth-{modules}", environment(work / "growth-cache")
        shutil.rmtree(root, ignore_errors=True)
        new_project(root, modules, TARGETS[:1])
        call(words(said.jobs, "bytecode"), root, env)
        time.sleep(2.5)
        call(words(said.jobs, "bytecode"), root, env)
        mine, theirs = [], []
        for _ in range(said.rounds or 20):
            theirs.append(call([sys.executable, "-c", "pass"], root, env).wall)
            mine.append(call(words(said.jobs, "bytecode"), root, env).wall)
        show(f"nothing to do: {modules} modules, level bytecode / python", "", mine, theirs)


def main() -> int:
    """Run the benchmarks that are named, or all."""
    known = {"cold": cold, "nothing": nothing, "one": one, "growth": growth}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="|".join(known))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--modules", type=int, default=200)
    parser.add_argument("--work", type=Path)
    said = parser.parse_args()
    for each in said.names:
        if each not in known:
            parser.error(f"{each} is none of {', '.join(known)}")
    with tempfile.TemporaryDirectory(prefix="pypackpack-bench-") as scratch:
        work = (said.work or Path(scratch)).absolute()
        work.mkdir(parents=True, exist_ok=True)
        for each in said.names or known:
            known[each](said, work)
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    if sys.argv[1:2] == ["--record"]:
        sys.exit(record(Path(sys.argv[2]), sys.argv[3:]))
    sys.exit(main())
