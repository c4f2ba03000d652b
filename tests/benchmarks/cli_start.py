"""How long the shortest answers take, as multiples of a bare ``python -c pass`` of the same Python, in one run.

    python tests/benchmarks/cli_start.py [rounds]

Budgets: ``--version`` 3, ``--help`` 12. The calls take turns, and the best time of each counts: what disturbs a machine
only ever makes a program slower.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]

CALLS = {
    "python -c pass": ["-c", "pass"],
    "python -m pypackpack --version": ["-m", "pypackpack", "--version"],
    "python -m pypackpack --help": ["-m", "pypackpack", "--help"],
    "python -m pypackpack build --help": ["-m", "pypackpack", "build", "--help"],
    "python -m pypackpack __complete bui": ["-m", "pypackpack", "__complete", "bui"],
    "python -m pypackpack __complete build x source --level ''": [
        "-m",
        "pypackpack",
        "__complete",
        "build",
        "x",
        "source",
        "--level",
        "",
    ],
}


def best_times(rounds: int) -> dict[str, float]:
    """Return the best time of each call in seconds."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    best = dict.fromkeys(CALLS, float("inf"))
    for _ in range(rounds):
        for name, words in CALLS.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, *words], env=environment, stdout=subprocess.DEVNULL, check=True)
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def main() -> None:
    """Print the ratios."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    best = best_times(rounds)
    bare = best["python -c pass"]
    print(f"best of {rounds}, Python {sys.version.split()[0]}, bare start {bare * 1000:.1f} ms")
    for name, seconds in best.items():
        print(f"{seconds / bare:6.2f} x  {name}")


if __name__ == "__main__":
    main()
