"""What the limited API costs: well-known pure Python kernels, interpreted, native for one Python, and abi3. By hand:

    python tests/benchmarks/abi3.py [<rounds>] [<program of another Python>]

Builds one package in both ways for the Python that runs this, or the other one, at type release, then runs the three in turns, each kernel in a
process of its own, and prints a Markdown table of ratios. The best of all rounds counts: whatever else the machine does only adds.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.builds import build, run, unpack  # noqa: E402 - found by the line above

KERNELS = {
    "nbody (floats in lists)": """
def kernel():
    bodies = [([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], 39.5), ([4.8, -1.2, -0.1], [0.6, 2.8, -0.02], 0.04), ([8.3, 4.1, -0.4], [-1.0, 1.8, 0.01], 0.01)]
    pairs = [(bodies[i], bodies[j]) for i in range(3) for j in range(i + 1, 3)]
    for _ in range(40_000):
        for (p, v, m), (q, w, n) in pairs:
            dx, dy, dz = p[0] - q[0], p[1] - q[1], p[2] - q[2]
            mag = 0.001 * (dx * dx + dy * dy + dz * dz) ** -1.5
            v[0] -= dx * n * mag; v[1] -= dy * n * mag; v[2] -= dz * n * mag
            w[0] += dx * m * mag; w[1] += dy * m * mag; w[2] += dz * m * mag
        for p, v, m in bodies:
            p[0] += 0.001 * v[0]; p[1] += 0.001 * v[1]; p[2] += 0.001 * v[2]
""",
    "fannkuch (lists of ints)": """
def kernel(n=8):
    p, count, r = list(range(n)), [0] * n, n
    best = 0
    while True:
        while r != 1:
            count[r - 1] = r
            r -= 1
        q, flips = p[:], 0
        while q[0]:
            k = q[0] + 1
            q[:k] = q[k - 1 :: -1] if k == len(q) else q[:k][::-1]
            flips += 1
        best = max(best, flips)
        while True:
            if r == n:
                return best
            p.insert(r, p.pop(0))
            count[r] -= 1
            if count[r] > 0:
                break
            r += 1
""",
    "nqueens (generators, sets)": """
def permutations(items):
    if not items:
        yield ()
    for at, item in enumerate(items):
        for rest in permutations(items[:at] + items[at + 1 :]):
            yield (item, *rest)


def kernel(n=7):
    columns = range(n)
    return sum(
        1
        for rows in permutations(tuple(columns))
        if n == len({rows[i] + i for i in columns}) == len({rows[i] - i for i in columns})
    )
""",
    "richards (classes, method calls)": """
class Task:
    def __init__(self, name, following):
        self.name, self.following, self.count = name, following, 0

    def work(self, packet):
        return self.add(packet + 1)

    def add(self, value):
        self.count += value & 7
        return value


class Device(Task):
    def work(self, packet):
        return super().work(packet) ^ self.count


def kernel():
    last = first = Device("d", None)
    for number in range(9):
        first = (Device if number % 2 else Task)(str(number), first)
    packet = 0
    for _ in range(30_000):
        task = first
        while task is not None:
            packet = task.work(packet) & 0xFFFF
            task = task.following
    return last.count
""",
    "words (strings, dicts)": """
def kernel():
    text = "the quick brown fox jumps over the lazy dog and the small grey cat " * 60
    for _ in range(60):
        counts, word = {}, ""
        for letter in text:
            if letter == " ":
                counts[word] = counts.get(word, 0) + 1
                word = ""
            else:
                word += letter
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
""",
    "fib (plain calls)": """
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def kernel():
    return fib(25)
""",
}
RUN = "import sys, time, {0} as k; start = time.perf_counter(); k.kernel(); print(time.perf_counter() - start)"


def project(folder: Path, abi: str) -> Path:
    """Write the project whose package has one module for each kernel."""
    source = folder / "kernels" / "src" / "main"
    source.mkdir(parents=True)
    (folder / "pyproject.toml").write_text('[project]\nname = "p"\nversion = "1"\n[tool.pypackpack]\npackages = ["kernels"]\n')
    settings = f'[tool.pypackpack]\ntargets = ["linux"]\n[tool.pypackpack.build]\nabi = "{abi}"\n'
    (folder / "kernels" / "pyproject.toml").write_text(f'[project]\nname = "kernels"\nversion = "1"\n{settings}')
    (source / "__init__.py").write_text("")
    for number, code in enumerate(KERNELS.values()):
        (source / f"k{number}.py").write_text(code)
    return folder


def main() -> None:
    """Build, measure, print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    program = sys.argv[2] if len(sys.argv) > 2 else sys.executable
    said = run([program, "-c", "import sys; print(sys.version.split()[0])"], cwd=Path()).stdout.strip()
    path = {"PATH": f"{Path(program).parent}{os.pathsep}{os.environ['PATH']}"}
    with tempfile.TemporaryDirectory() as top:
        folders = {"interpreted": Path(top, "version")}
        for abi in ("version", "abi3"):
            root = project(Path(top, abi), abi)
            words = ("single", "--type", "release", "--level", "native", "--target", "host", "--python", said.rpartition(".")[0])
            built = build(root, "kernels", *words, env=path)
            assert not built.answer["fallbacks"], built.answer["fallbacks"]
            folders[abi] = unpack(built.wheels(), Path(top, f"{abi}-wheel"))
        (Path(top, "plain")).mkdir()
        folders["interpreted"] = Path(top, "plain")
        (folders["interpreted"] / "kernels").symlink_to(Path(top, "version", "kernels", "src", "main"))
        print(f"Python {said}, best of {rounds}; smaller is faster\n")
        print("| kernel | interpreted | native | abi3 | abi3 / native |\n| --- | ---: | ---: | ---: | ---: |")
        for number, name in enumerate(KERNELS):
            best = dict.fromkeys(folders, float("inf"))
            for _ in range(rounds):
                for way, folder in folders.items():
                    done = run([program, "-c", RUN.format(f"kernels.k{number}")], cwd=folder)
                    assert done.returncode == 0, done.stderr
                    best[way] = min(best[way], float(done.stdout))
            plain = best["interpreted"]
            ratio = best["abi3"] / best["version"]
            print(f"| {name} | 1.00 | {best['version'] / plain:.2f} | {best['abi3'] / plain:.2f} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
