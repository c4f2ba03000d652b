"""How much longer ``pypackpack run script.py`` takes than bare Python on the same script, in milliseconds.

    python tests/benchmarks/run.py [rounds]

Budget: 30 ms. Each round starts both, one after the other and in turns first, so that what disturbs the machine disturbs both;
said are the smallest and the median of the differences. ``pypackpack`` is started as its installed script is, by the Python that
runs this.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
START = "import sys; from pypackpack.__main__ import main; sys.exit(main())"


def seconds(words: list[str], cwd: Path, env: dict[str, str]) -> float:
    """Return how long a program takes."""
    start = time.perf_counter()
    subprocess.run(words, cwd=cwd, env=env, check=True)
    return time.perf_counter() - start


def main() -> None:
    """Print the difference."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "services").mkdir()
        (root / "services" / "main.py").write_text("", encoding="utf-8")
        text = '[project]\nname = "shop"\n\n[tool.pypackpack]\npackages = []\n'
        (root / "pyproject.toml").write_text(text, encoding="utf-8")
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / ".venv"], check=True)
        python = root / ".venv" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        bare = [os.fspath(python), "services/main.py"]
        ours = [sys.executable, "-c", START, "run", "services/main.py"]
        env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        calls = ((bare, env), (ours, {**env, "PYTHONPATH": os.fspath(ROOT)}))
        times: list[tuple[float, float]] = []
        for number in range(rounds + 2):
            order = (0, 1) if number % 2 else (1, 0)
            found = {which: seconds(calls[which][0], root, calls[which][1]) for which in order}
            times.append((found[0], found[1]))
    differences = [(ours_took - bare_took) * 1000 for bare_took, ours_took in times[2:]]
    bare_best = min(bare_took for bare_took, _ in times) * 1000
    print(f"Python {sys.version.split()[0]}, {rounds} rounds, bare start {bare_best:.1f} ms")
    print(f"run script.py takes longer by: median {statistics.median(differences):.1f} ms, least {min(differences):.1f} ms")


if __name__ == "__main__":
    main()
