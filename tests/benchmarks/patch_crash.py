"""Kills processes that apply patches, at any moment, and looks at what they leave: the old version or the new one. Prints a table.

    python tests/benchmarks/patch_crash.py [kills]

Half of the kills come at a random moment after the process has begun, half once files begin to change places (the journal of
an installed package, the file that becomes the wheel). After each, a new process recovers, and the patch is applied again.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

from pypackpack.client.patch import apply_patch
from pypackpack.client.patch_installed import patch_installed, recover
from pypackpack.middleware.patch.make import make_patch
from tests.unit.client.forge import wheel

ROOT = Path(__file__).parents[2]
CHILD = """
import sys
from pathlib import Path
from pypackpack.client.patch import apply_patch
from pypackpack.client.patch_installed import patch_installed
patch, to, out = map(Path, sys.argv[1:])
print("ready", flush=True)
patch_installed(patch, to) if to.is_dir() else apply_patch(patch, to, out)
"""


@dataclass
class Scene:
    """Two wheels, the patch between them, and the first one installed by pip."""

    folder: Path

    def __post_init__(self) -> None:
        dice = random.Random(7)  # noqa: S311 - no secret
        old = {f"demo/m{number:03}.py": dice.randbytes(3000).hex().encode() for number in range(120)} | {"demo/__init__.py": b""}
        old |= {f"demo/n{number}.so": dice.randbytes(200_000) for number in range(4)}
        new = dict(old)
        for number in range(0, 120, 3):
            data = new[f"demo/m{number:03}.py"]
            new[f"demo/m{number:03}.py"] = data[:1000] + b"# changed\n" + data[1000:]
        for number in range(5):
            del new[f"demo/m{number * 7 + 1:03}.py"]
            new[f"demo/sub/k{number}.py"] = dice.randbytes(1500).hex().encode()
        new["demo/n2.so"] = new["demo/n2.so"][:90_000] + bytes(1000) + new["demo/n2.so"][90_000:]
        for members, version in ((old, "1.0"), (new, "1.1")):
            members[f"demo-{version}.dist-info/METADATA"] = f"Metadata-Version: 2.1\nName: demo\nVersion: {version}\n".encode()
            members[f"demo-{version}.dist-info/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        self.old = wheel(self.folder / "demo-1.0-py3-none-any.whl", old, record="demo-1.0.dist-info")
        self.new = wheel(self.folder / "new" / "demo-1.1-py3-none-any.whl", new, record="demo-1.1.dist-info")
        self.patch = self.folder / "demo-1.0-p1-py3-none-any.whl.patch"
        self.patch.write_bytes(make_patch(self.old, self.new, number=1))
        self.kept, self.site, self.out = self.folder / "kept", self.folder / "site", self.folder / "out"
        words = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(self.kept), str(self.old)]
        subprocess.run(words, check=True)
        self.before = files(self.kept)
        self.reset()
        patch_installed(self.patch, self.site)
        self.after = files(self.site)

    def reset(self) -> None:
        """Make the scene what it was."""
        for folder in (self.site, self.out):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.kept, self.site)
        self.out.mkdir()


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def child(scene: Scene, to: Path) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", CHILD, str(scene.patch), str(to), str(scene.out)]
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def killed(scene: Scene, to: Path, delay: float, *, at_moves: bool) -> bool:
    """Kill a process that applies the patch; return whether it was still at it."""
    process = child(scene, to)
    if at_moves:
        journal = scene.site / ".pypackpack-patch-demo" / "forward"
        while process.poll() is None and not (journal.exists() if to.is_dir() else list(scene.out.glob(".*.part"))):
            pass
    time.sleep(delay)
    process.kill()
    process.communicate()
    return process.returncode != 0


def one_installed(scene: Scene, delay: float, *, at_moves: bool) -> str:
    """Return what a kill left once another process has looked: old, new, or complete where it came too late."""
    scene.reset()
    if not killed(scene, scene.site, delay, at_moves=at_moves):
        assert files(scene.site) == scene.after
        return "complete"
    between = files(scene.site) not in (scene.before, scene.after)
    subprocess.run([sys.executable, "-c", f"from pypackpack.client.patch_installed import recover; from pathlib import Path; recover(Path({str(scene.site)!r}))"], cwd=ROOT, check=True)  # fmt: skip
    assert recover(scene.site) == []
    found = files(scene.site)
    assert found in (scene.before, scene.after), "it is neither the old version nor the new one"
    patch_installed(scene.patch, scene.site)
    assert files(scene.site) == scene.after
    return ("old" if found == scene.before else "new") + (", with leftovers" if between else "")


def one_wheel(scene: Scene, delay: float, *, at_moves: bool) -> str:
    """Return what a kill left of a result that was made from a wheel file."""
    scene.reset()
    earlier = scene.out / scene.new.name
    earlier.write_bytes(b"an earlier result")
    if not killed(scene, scene.old, delay, at_moves=at_moves):
        check(earlier, scene.new)
        return "complete"
    there = earlier.read_bytes() == b"an earlier result"
    if not there:
        check(earlier, scene.new)
    left = len(list(scene.out.iterdir())) > 1
    check(apply_patch(scene.patch, scene.old, scene.out), scene.new)
    assert list(scene.out.iterdir()) == [earlier]
    return ("old" if there else "new") + (", with leftovers" if left else "")


def check(made: Path, new: Path) -> None:
    with zipfile.ZipFile(made) as one, zipfile.ZipFile(new) as other:
        assert one.namelist() == other.namelist()
        assert all(one.read(name) == other.read(name) for name in one.namelist())


def run(kills: int, folder: Path, seed: int = 1) -> dict[tuple[str, str], int]:
    """Kill so many processes; return how often what was left."""
    scene, dice = Scene(folder), random.Random(seed)  # noqa: S311 - no secret
    found: dict[tuple[str, str], int] = {}
    for name, one, to in (("installed", one_installed, scene.site), ("wheel", one_wheel, scene.old)):
        scene.reset()
        start = time.perf_counter()
        child(scene, to).communicate()
        lasts = time.perf_counter() - start
        for number in range(kills // 2):
            moves = number % 2 == 1
            left = one(scene, dice.uniform(0, lasts if not moves else lasts / 8), at_moves=moves)
            found[name, left] = found.get((name, left), 0) + 1
    return found


def main() -> None:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as folder:
        found = run(kills, Path(folder))
    print(f"| applied to | found after a kill | of {kills} |\n| --- | --- | --- |")
    for (name, left), count in sorted(found.items()):
        print(f"| {name} | {left} | {count} |")


if __name__ == "__main__":
    main()
