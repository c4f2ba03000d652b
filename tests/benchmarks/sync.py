"""How long `sync` of six targets takes, beside the bare uv calls that do the same, measured in one run.

    python tests/benchmarks/sync.py [nothing] [cold] [--rounds N] [--work FOLDER]

Run it with the Python of an environment that has pypackpack's dependencies. It needs the network once: what the packages depend on
has to be in uv's cache, and is fetched into it before the first measurement. Nothing is asserted: it prints each ratio beside
its budget.

nothing   ``pypackpack mypkg sync`` with nothing to do, against six times a bare ``uv sync`` with nothing to do (of a project with
          the same dependencies) plus one bare start of Python. Budget 1.
cold      the same with no lock and no environments, against the calls of uv that it makes, without us around them: those that
          resolve and export one after the other, those that install side by side. Budget 1.2.

The sides take turns, so that whatever else the machine does meets both.
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
from pathlib import Path

from sample import write_project

ROOT = Path(__file__).resolve().parents[2]
DEPENDENCIES = ("click", "requests", "rich", "markupsafe; sys_platform != 'emscripten'")


def environment(cache: Path) -> dict[str, str]:
    """Return the environment of everything that is measured."""
    env = {**os.environ, "PYPACKPACK_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT)}
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONPROFILEIMPORTTIME", "VIRTUAL_ENV"):
        env.pop(name, None)
    return env


def call(words: list[str], cwd: Path, env: dict[str, str]) -> float:
    """Run a command that must succeed and return how many seconds it took."""
    begin = time.perf_counter()
    done = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(words)}\n{done.stdout}{done.stderr}")
    return time.perf_counter() - begin


def show(title: str, budget: float, mine: list[float], theirs: list[float]) -> None:
    """Print the ratio pair by pair, which says most where the disk is noisy, then that of the medians and of the best times."""
    median, best = statistics.median(mine) / statistics.median(theirs), min(mine) / min(theirs)
    pairs = sorted(one / other for one, other in zip(mine, theirs, strict=True))
    print(f"{title}\n    pairs  {statistics.median(pairs):.2f} (median of {len(pairs)}; {pairs[0]:.2f} to {pairs[-1]:.2f})")
    print(f"    median {median:.2f} ({statistics.median(mine) * 1000:.0f} / {statistics.median(theirs) * 1000:.0f} ms)")
    print(f"    best   {best:.2f} ({min(mine) * 1000:.0f} / {min(theirs) * 1000:.0f} ms)    budget {budget}")


def new_project(root: Path) -> Path:
    """Make the project for six targets and return it."""
    write_project(root, 1, f"{sys.version_info[0]}.{sys.version_info[1]}")
    settings = root / "mypkg" / "pyproject.toml"
    lines = json.dumps(list(DEPENDENCIES))
    settings.write_text(settings.read_text().replace('version = "1.0"\n', f'version = "1.0"\ndependencies = {lines}\n'))
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(root / ".venv")], check=True)
    return root


def uv() -> str:
    """Return uv's path."""
    from pypackpack.backend.tools.uv import executable  # noqa: PLC0415 - found by the path that main() sets

    return str(executable())


OURS = [sys.executable, "-m", "pypackpack", "mypkg", "sync"]


def nothing(work: Path, rounds: int) -> None:
    """Measure a sync that has nothing to do."""
    env = environment(work / "cache")
    project = new_project(work / "project")
    plain = work / "plain"
    plain.mkdir()
    (plain / "pyproject.toml").write_text(
        f'[project]\nname = "plain"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = {json.dumps(list(DEPENDENCIES))}\n'
    )
    theirs_words = [uv(), "sync", "--python", sys.executable]
    for words, cwd in ((OURS, project), (theirs_words, plain)):
        call(words, cwd, env)
        call(words, cwd, env)
    mine, theirs = [], []
    for _ in range(rounds):
        mine.append(call(OURS, project, env))
        bare = statistics.median(call(theirs_words, plain, env) for _ in range(3))
        theirs.append(6 * bare + call([sys.executable, "-c", "pass"], plain, env))
    show("nothing to do, six targets", 1, mine, theirs)


def cold(work: Path, rounds: int) -> None:
    """Measure a sync without lock and environments."""
    env = environment(work / "cache")
    project = new_project(work / "cold")
    clear(project)
    call(OURS, project, env)
    clear(project)
    log = work / "calls"
    log.mkdir()
    call([sys.executable, __file__, "--record", str(log), "mypkg", "sync"], project, env)
    mine, theirs = [], []
    for _ in range(rounds):
        clear(project)
        mine.append(call(OURS, project, env))
        theirs.append(replay(log, work / "replay"))
    show("cold, six targets", 1.2, mine, theirs)


def clear(project: Path) -> None:
    """Take away lock and environments."""
    shutil.rmtree(project / "mypkg" / "build", ignore_errors=True)
    (project / "mypkg" / "pyproject.lock").unlink(missing_ok=True)


def record(log: Path, words: list[str]) -> int:
    """Run pypackpack and keep every call of uv, with the files that lie where it runs."""
    sys.path.insert(0, str(ROOT))
    from pypackpack.backend import process  # noqa: PLC0415 - found by the path above
    from pypackpack.frontend.cli.main import run  # noqa: PLC0415 - found by the path above

    real, guard, count = process.run, threading.Lock(), iter(range(1000))

    def kept(words: list[object], **options: object) -> object:
        with guard:
            folder = log / f"{next(count):03}"
            folder.mkdir()
            cwd = options.get("cwd")
            for path in Path(str(cwd)).iterdir() if cwd else ():
                if path.is_file():
                    shutil.copy2(path, folder)
            facts = {"words": [str(word) for word in words], "cwd": str(cwd or ""), "env": options.get("env")}
            (folder / "call.json").write_text(json.dumps(facts))
        return real(words, **options)  # type: ignore[arg-type]  # handed on as they came

    process.run = kept  # type: ignore[assignment]  # to see what is called
    return run(words)


def replay(log: Path, place: Path) -> float:
    """Run the kept calls of uv again and return how many seconds they took: installing side by side, the rest in order."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(log, place)
    calls = []
    for folder in sorted(place.iterdir()):
        facts = json.loads((folder / "call.json").read_text())
        words = [word.replace(facts["cwd"], str(folder)) if facts["cwd"] else word for word in facts["words"]]
        calls.append((words, folder, facts["env"]))
    installs = [each for each in calls if "sync" in each[0]]
    begin = time.perf_counter()
    for each in calls:
        if each not in installs:
            call(*each)
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        list(pool.map(lambda each: call(*each), installs))
    return time.perf_counter() - begin


def main() -> None:
    """Measure what is asked for."""
    if sys.argv[1:2] == ["--record"]:
        sys.exit(record(Path(sys.argv[2]), sys.argv[3:]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", choices=["nothing", "cold", []], help="what to measure; everything when none is named")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--work", type=Path, help="an empty folder to work in")
    said = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as scratch:
        for name in said.what or ["nothing", "cold"]:
            work = (said.work or Path(scratch)) / name
            work.mkdir(parents=True)
            {"nothing": nothing, "cold": cold}[name](work, said.rounds)


if __name__ == "__main__":
    main()
