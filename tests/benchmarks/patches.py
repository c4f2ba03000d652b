"""Sizes and times of patches between two wheels: ours against the ways that one would try first. Prints a table.

    python tests/benchmarks/patches.py [folder]                     the pairs below, fetched from the index into the folder
    python tests/benchmarks/patches.py old.whl new.whl [old.whl new.whl ...]
    python tests/benchmarks/patches.py own FOLDER --work FOLDER         builds of a package of ours, of which one line differs

Ways: the whole new wheel; bsdiff and zstd (old file as prefix) on the wheel files; bsdiff and zstd per uncompressed file, full
where that is smaller; ours. zstd needs the package `zstandard`, and is left out without. ``copy`` is ``shutil.copytree`` of what is
installed in the end, in a process whose files are all in memory: what putting the result there takes at least.
"""

from __future__ import annotations

import datetime as dt
import lzma
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import bsdiff4
import own_patches

from pypackpack.backend.distributions import version_of
from pypackpack.client.patch import apply_patch
from pypackpack.client.patch_installed import patch_installed
from pypackpack.middleware.patch.make import make_patch

if TYPE_CHECKING:
    from collections.abc import Callable

PAIRS = (
    ("click", "8.2.1", "8.3.0"),
    ("requests", "2.32.4", "2.32.5"),
    ("rich", "14.1.0", "14.2.0"),
    ("setuptools", "80.8.0", "80.9.0"),
    ("aiohttp", "3.13.1", "3.13.2"),
    ("black", "25.9.0", "25.11.0"),
    ("cryptography", "46.0.2", "46.0.3"),
    ("lxml", "6.0.1", "6.0.2"),
    ("numpy", "2.3.3", "2.3.4"),
    ("orjson", "3.11.3", "3.11.4"),
    ("pillow", "11.2.1", "11.3.0"),
    ("pydantic-core", "2.41.4", "2.41.5"),
    ("sqlalchemy", "2.0.43", "2.0.44"),
)
"""Consecutive releases, of wheels for CPython 3.13 on Linux x86-64."""
_PLATFORMS = [word for tag in ("2_17", "2_27", "2_28") for word in ("--platform", f"manylinux_{tag}_x86_64")]
_WHEELS = ["--no-deps", "--only-binary", ":all:", "--python-version", "3.13", "--implementation", "cp", "--platform", "manylinux2014_x86_64"]


def fetched(name: str, version: str, folder: Path) -> Path:
    """Return a wheel, from the folder or from the index."""
    pattern = f"{name.replace('-', '_')}-{version}-*.whl"
    if not list(folder.glob(pattern)):
        words = [sys.executable, "-m", "pip", "download", "-q", *_WHEELS, *_PLATFORMS, "-d", str(folder), f"{name}=={version}"]
        subprocess.run(words, check=True)
    return next(folder.glob(pattern))


def zstd() -> Callable[[bytes, bytes], int] | None:
    """Return what tells the size of a file as zstd packs it with another one as prefix."""
    try:
        import zstandard  # noqa: PLC0415 - may not be there
    except ImportError:
        return None

    def packed(old: bytes, new: bytes) -> int:
        prefix = zstandard.ZstdCompressionDict(old, dict_type=zstandard.DICT_TYPE_RAWCONTENT) if old else None
        window = max(20, (len(old) + len(new)).bit_length())
        parameters = zstandard.ZstdCompressionParameters.from_level(19, window_log=min(window, 27), enable_ldm=True)
        return len(zstandard.ZstdCompressor(compression_params=parameters, dict_data=prefix).compress(new))

    return packed


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def per_file(old: dict[str, bytes], new: dict[str, bytes], way: Callable[[bytes, bytes], int], full: Callable[[bytes], int]) -> int:
    total = 0
    for name, data in new.items():
        before = old.get(name, b"")
        if before != data or name not in old:
            total += min(way(before, data) if before else full(data), full(data))
    return total


def installed(wheel: Path, site: Path) -> None:
    words = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--no-compile", "--target", str(site), *_WHEELS[1:], *_PLATFORMS]
    subprocess.run([*words, str(wheel)], check=True)


def times(patch: Path, old: Path, folder: Path) -> list[float]:
    """Return seconds: to apply it to the wheel, to what is installed of it, and to copy the installed result."""
    start = time.perf_counter()
    apply_patch(patch, old, folder / "out")
    wheel = time.perf_counter() - start
    installed(old, folder / "kept")
    applied, copied = [], []
    for number in range(3):
        site, copy = folder / f"site{number}", folder / f"copy{number}"
        shutil.copytree(folder / "kept", site)
        start = time.perf_counter()
        patch_installed(patch, site)
        applied.append(time.perf_counter() - start)
        start = time.perf_counter()
        shutil.copytree(site, copy)
        copied.append(time.perf_counter() - start)
        shutil.rmtree(site)
        shutil.rmtree(copy)
    return [wheel, min(applied), min(copied)]


def row(old: Path, new: Path) -> list[str]:
    size = new.stat().st_size
    cells = [f"{new.name.split('-')[0]} {old.name.split('-')[1]} to {new.name.split('-')[1]}", f"{size:,}"]
    olds, news, packed = members(old), members(new), zstd()
    sizes = [len(bsdiff4.diff(old.read_bytes(), new.read_bytes()))]
    sizes += [packed(old.read_bytes(), new.read_bytes())] if packed else []
    sizes += [per_file(olds, news, lambda a, b: len(bsdiff4.diff(a, b)), lambda data: len(lzma.compress(data)))]
    sizes += [per_file(olds, news, packed, lambda data: packed(b"", data))] if packed else []
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        patch = Path(folder) / "x.whl.patch"
        patch.write_bytes(make_patch(old, new, number=1))
        made = time.perf_counter() - start
        ours = patch.stat().st_size
        seconds = times(patch, old, Path(folder))
    cells += [f"{each:,}" for each in sizes]
    best = min(*sizes, size)
    cells += [f"{ours:,}", f"{100 * ours / size:.2f} %", f"{100 * ours / best:.0f} %", f"{made:.1f}", *(f"{each:.2f}" for each in seconds)]
    if ours >= best:
        print(f"NOT the smallest: {cells}", file=sys.stderr)
    return cells


def main() -> None:
    words = sys.argv[1:]
    if words[:1] == ["own"]:
        own_patches.main(words[1:])
        return
    if len(words) < 2:
        folder = Path(words[0] if words else tempfile.mkdtemp())
        folder.mkdir(parents=True, exist_ok=True)
        paths = [fetched(name, version, folder) for name, *versions in PAIRS for version in versions]
    else:
        paths = [Path(word) for word in words]
    heads = ["pair", "wheel", "bsdiff of the wheels", "zstd of the wheels", "bsdiff per file", "zstd per file", "ours", "of the wheel"]
    heads += ["of the best other", "make, s", "apply to the wheel, s", "to the installed, s", "copy, s"]
    if zstd() is None:
        heads = [head for head in heads if "zstd" not in head]
    tools = f"bsdiff4 {version_of('bsdiff4')}, Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    print(f"{dt.datetime.now(dt.timezone.utc):%Y-%m-%d}; {tools}\n")
    print("| " + " | ".join(heads) + " |\n| " + " | ".join("---" for _ in heads) + " |")
    for old, new in zip(paths[::2], paths[1::2], strict=True):
        print("| " + " | ".join(row(old, new)) + " |", flush=True)


if __name__ == "__main__":
    main()
