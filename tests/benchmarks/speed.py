"""How fast compiled modules are: pyperformance's pure Python benchmarks, compiled against interpreted. By hand:

    pip install pyperformance
    python tests/benchmarks/speed.py [--names …] [--rounds N] [--python PROGRAM] [--typed] [--cpu] [--way cython|abi3|nuitka|mypyc|-O1|-O2|-O3|-Os …]

Each benchmark's module goes into one package as it is; its ``if __name__ == "__main__"`` part is run in the module's names by a
small driver, so that everything that is timed is the module's own code. The package is built for the Python that runs this, or
the other one, at type release. Interpreted and compiled take turns, each in a process of its own; of all rounds the best counts,
whatever else the machine does only adds. ``--typed`` takes the benchmarks for which there are types, with them (`typed_sources`). It
prints a Markdown table of ratios, the geometric mean, and the sizes of the wheels.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from typed_sources import SIGNATURES, typed

ROOT = Path(__file__).resolve().parents[2]
STUB = Path(__file__).parent / "pyperf_stub"
NAMES = (
    *("async_generators", "barnes_hut", "chaos", "comprehensions", "coroutines", "deepcopy", "deltablue", "fannkuch", "float"),
    *("generators", "go", "hexiom", "logging", "mdp", "meteor_contest", "nbody", "nqueens", "pidigits", "pprint", "pyflate"),
    *("raytrace", "richards", "richards_super", "scimark", "spectral_norm", "telco", "typing_runtime_protocols"),
    "unpack_sequence",
)
"""What is one module without dependencies. Left out: what measures the start of Python, the collector, files, or the standard library alone."""

WAYS = {
    "cython": "",
    "abi3": 'abi = "abi3"\n',
    "nuitka": 'compiler = "nuitka"\n',
    "mypyc": 'compiler = "mypyc"\n',
    "-O1": "",
    "-O2": "",
    "-O3": "",
    "-Os": "",
}
"""What is compared → settings. The optimisations are Cython's, with another word for zig."""

BUILD = """
import sys
from pypackpack.backend.tools import zig
from pypackpack.frontend.cli.main import run
flag = sys.argv.pop(1)
if flag.startswith("-O"):
    zig._RELEASE = (flag, "-g0")
sys.exit(run(sys.argv[1:]))
"""
DRIVER = """
import ast, importlib, json, sys
import pyperf
folder, name, source = sys.argv[1:4]
sys.path.insert(0, folder)
module = importlib.import_module("bench." + name)
tree = ast.parse(open(source, encoding="utf-8").read())
main = [node for node in tree.body if isinstance(node, ast.If) and "__main__" in ast.dump(node.test)]
exec(compile(ast.Module(main[-1].body, []), source, "exec"), vars(module))
print(json.dumps({"times": pyperf.TIMES, "file": module.__file__}))
"""


def data_files() -> Path:
    """Return the folder of pyperformance's benchmarks."""
    spec = importlib.util.find_spec("pyperformance")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("pyperformance is not installed: pip install pyperformance")
    return Path(spec.submodule_search_locations[0]) / "data-files" / "benchmarks"


def write_project(root: Path, names: list[str], table: str, python: str, *, with_types: bool) -> Path:
    """Write the package of all benchmarks, and return the folder of its sources."""
    main = root / "bench" / "src" / "main"
    main.mkdir(parents=True)
    (main / "__init__.py").write_text("")
    for name in names:
        place = data_files() / f"bm_{name}"
        text = (place / "run_benchmark.py").read_text(encoding="utf-8")
        (main / f"{name}.py").write_text(typed(name, text) if with_types else text, encoding="utf-8")
        if (place / "data").is_dir():
            shutil.copytree(place / "data", main / "data", dirs_exist_ok=True)
    (root / "pyproject.toml").write_text('[project]\nname = "speed"\nversion = "1"\n\n[tool.pypackpack]\npackages = ["bench"]\n')
    (root / "bench" / "pyproject.toml").write_text(
        '[project]\nname = "bench"\nversion = "1"\n\n[tool.pypackpack]\ntargets = ["linux_x86_64"]\n\n'
        f"[tool.pypackpack.build]\n{table}"
    )
    subprocess.run([python, "-m", "venv", "--without-pip", str(root / ".venv")], check=True)
    return main


def built(root: Path, level: str, way: str) -> tuple[Path, int, list[str]]:
    """Build the wheel, and return the folder that it was unpacked into, its size and the modules that fell back."""
    begin = time.perf_counter()
    words = ["build", "bench", "source", "single", "--level", level, "--type", "release", "--target", "linux_x86_64", "--json"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", BUILD, way, *words], cwd=root, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(done.stderr)
    wheel = next(root.glob(f"bench/build/packpack/single/release/{level}/*.whl"))
    folder = root / f"unpacked-{level}"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    print(f"{way}: built in {time.perf_counter() - begin:.1f} s", file=sys.stderr, flush=True)
    return folder, wheel.stat().st_size, sorted(path.stem for path in (folder / "bench").glob("*.py*") if level == "native")


def measure(python: str, folder: Path, name: str, source: Path) -> dict[str, float]:
    """Run one benchmark in a process of its own, and return the seconds of a loop by the benchmark's names."""
    env = {**os.environ, "PYTHONPATH": str(STUB), "PYTHONHASHSEED": "0"}
    done = subprocess.run(
        [python, "-c", DRIVER, str(folder), name, str(source)], capture_output=True, text=True, env=env, cwd=folder, check=False
    )
    if done.returncode != 0:
        print(f"{name} in {folder.parent.name}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return {}
    times: dict[str, float] = json.loads(done.stdout.splitlines()[-1])["times"]
    return times


def mean(values: list[float]) -> float:
    """Return the geometric mean."""
    return math.exp(sum(map(math.log, values)) / len(values))


def main() -> int:
    """Build, measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--way", nargs=argparse.REMAINDER, default=["cython"], help="the last option: one or more of " + " ".join(WAYS)
    )
    parser.add_argument("--names", nargs="*", default=[])
    parser.add_argument("--typed", action="store_true")
    parser.add_argument("--cpu", action="store_true", help="count seconds of the processor, where other work runs on the machine")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--markdown", type=Path)
    said = parser.parse_args()
    if unknown := [way for way in said.way if way not in WAYS]:
        parser.error(f"--way: {unknown[0]}")
    os.environ["SPEED_CLOCK"] = "processor" if said.cpu else "wall"
    names = said.names or list(SIGNATURES if said.typed else NAMES)
    with tempfile.TemporaryDirectory(prefix="speed-") as scratch:
        places: dict[str, Path] = {}
        sizes: dict[str, int] = {}
        fell: dict[str, list[str]] = {}
        for way in said.way:
            root = Path(scratch) / way
            source = write_project(root, names, WAYS[way], said.python, with_types=said.typed)
            if not places:
                places["interpreted"], sizes["interpreted"], _ = built(root, "instant", "interpreted")
            places[way], sizes[way], fell[way] = built(root, "native", way)
        best: dict[str, dict[str, float]] = {}
        for name in names:
            for _ in range(said.rounds):
                for way, folder in places.items():
                    for each, seconds in measure(said.python, folder, name, source / f"{name}.py").items():
                        ours = best.setdefault(each, {})
                        ours[way] = min(seconds, ours.get(way, seconds))
        text = table(best, said.way, sizes, fell)
    print(text)
    if said.markdown:
        said.markdown.write_text(text + "\n", encoding="utf-8")
    return 0


def table(best: dict[str, dict[str, float]], ways: list[str], sizes: dict[str, int], fell: dict[str, list[str]]) -> str:
    """Return the Markdown table of how many times faster each way is than the interpreter."""
    lines = [f"| benchmark | {' | '.join(ways)} |", f"| --- |{' ---: |' * len(ways)}"]
    for name, ours in sorted(best.items()):
        cells = [f"{ours['interpreted'] / ours[way]:.2f}" if way in ours else "not run" for way in ways]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    means = [
        mean([ours["interpreted"] / ours[way] for ours in best.values() if way in ours and "interpreted" in ours]) for way in ways
    ]
    lines.append(f"| **geometric mean** | {' | '.join(f'**{value:.2f}**' for value in means)} |")
    lines.append(
        f"| size of the wheel, plain {sizes['interpreted'] / 1000:.0f} kB | {' | '.join(f'{sizes[way] / 1000:.0f} kB' for way in ways)} |"
    )
    for way in ways:
        if fell[way]:
            lines.append(f"\n{way}: as bytecode or source {', '.join(fell[way])}.")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
