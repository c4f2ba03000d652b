"""Time and memory of applying a patch to a wheel of 500 MB, and to its installation. Prints a table.

    python tests/benchmarks/patch_memory.py [megabytes] [folder] [rounds]

Of the wheel's members, one of 48 MB and some of 12 MB change. The process that applies says itself what it took at most
(on Linux ``VmHWM``, since ``ru_maxrss`` begins with what the parent had; on macOS that). The copy to compare with is ``shutil.copytree`` of
the installed result, without a flush; applying flushes what it made. Each round applies and copies once, after the disk has written what
came before; the table has medians, and the ratio is that of them.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

from pypackpack.middleware.patch.make import make_patch
from tests.unit.client.forge import wheel

ROOT = Path(__file__).parents[2]
CHILD = """
import json, resource, sys, time
from pathlib import Path
what, patch, to, out = sys.argv[1:]
from pypackpack.client.patch import apply_patch
from pypackpack.client.patch_installed import patch_installed

def most():
    if sys.platform == "linux":
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

before = most()
start = time.perf_counter()
if what == "wheel":
    apply_patch(Path(patch), Path(to), Path(out))
elif what == "installed":
    patch_installed(Path(patch), Path(to))
print(json.dumps([time.perf_counter() - start, before, most()]))
"""


def content(size: int, dice: random.Random) -> bytes:
    """Return bytes that look like a program: half of it is repeated, with small differences."""
    parts = [dice.randbytes(4096) for _ in range(64)]
    data = bytearray()
    while len(data) < size:
        data += dice.randbytes(4096) if dice.random() < 0.4 else dice.choice(parts)
    return bytes(data[:size])


def changed(data: bytes, dice: random.Random) -> bytes:
    for _ in range(8):
        at = dice.randrange(len(data))
        data = data[:at] + dice.randbytes(300) + data[at + dice.randrange(200) :]
    return data


def build(folder: Path, megabytes: int) -> tuple[Path, Path]:
    dice = random.Random(11)  # noqa: S311 - no secret
    names = [f"big/n{number}.so" for number in range(max(1, (megabytes - 48) // 12))]
    old = {"big/__init__.py": b"", "big/large.so": content(48 << 20, dice)} | {name: content(12 << 20, dice) for name in names}
    new = dict(old)
    for name in ("big/large.so", *names[:3]):
        new[name] = changed(new[name], dice)
    paths = []
    for members, version, place in ((old, "1.0", "."), (new, "1.1", "new")):
        members[f"big-{version}.dist-info/METADATA"] = f"Metadata-Version: 2.1\nName: big\nVersion: {version}\n".encode()
        members[f"big-{version}.dist-info/WHEEL"] = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        paths.append(wheel(folder / place / f"big-{version}-py3-none-any.whl", members, record=f"big-{version}.dist-info"))
    return paths[0], paths[1]


def measured(what: str, *words: object) -> tuple[float, float, float]:
    done = subprocess.run([sys.executable, "-c", CHILD, what, *map(str, words)], cwd=ROOT, check=True, capture_output=True, text=True)
    seconds, before, most = json.loads(done.stdout)
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return seconds, before / unit, most / unit


def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 7
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as name:
        folder = Path(name)
        old, new = build(folder, megabytes)
        start = time.perf_counter()
        patch = folder / "big-1.0-p1-py3-none-any.whl.patch"
        patch.write_bytes(make_patch(old, new, number=1))
        made = time.perf_counter() - start
        site = folder / "site"
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--no-compile", "--target", str(site), str(old)], check=True)  # fmt: skip
        print(f"wheel {old.stat().st_size:,} bytes, patch {patch.stat().st_size:,}, made in {made:.0f} s; zlib {zlib.ZLIB_RUNTIME_VERSION}\n")
        print("| applied to | seconds | memory at the start, MiB | at most, MiB |\n| --- | --- | --- | --- |")
        seconds, before, most = measured("wheel", patch, old, folder / "out")
        print(f"| wheel | {seconds:.2f} | {before:.0f} | {most:.0f} |", flush=True)
        rows, copies = [], []
        for number in range(rounds):
            target, copy = folder / f"site{number}", folder / f"copy{number}"
            shutil.copytree(site, target)
            settle()
            rows.append(measured("installed", patch, target, ""))
            settle()
            start = time.perf_counter()
            shutil.copytree(target, copy)
            copies.append(time.perf_counter() - start)
            shutil.rmtree(target)
            shutil.rmtree(copy)
        seconds, before, _ = (statistics.median(column) for column in zip(*rows, strict=True))
        print(f"| installed | {seconds:.2f} | {before:.0f} | {max(each[2] for each in rows):.0f} |")
        print(f"| (a copy of the result) | {statistics.median(copies):.2f} | | |\n")
        print(f"installed: {' '.join(f'{each[0]:.2f}' for each in rows)}; copies: {' '.join(f'{each:.2f}' for each in copies)}; {seconds / statistics.median(copies):.2f} times")  # fmt: skip


def settle() -> None:
    """Wait until the disk has written everything, where that can be asked for."""
    if hasattr(os, "sync"):
        os.sync()


if __name__ == "__main__":
    main()
