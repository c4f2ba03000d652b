"""Sizes and times of patches between two wheels: ours against the ways that one would try first. Prints a table.

    python tests/benchmarks/patches.py old.whl new.whl [old.whl new.whl ...]

Ways: the whole new wheel; bsdiff and zstd (old file as prefix) on the wheel files; bsdiff and zstd per uncompressed file, full
where that is smaller; ours. zstd needs Python 3.14 or the package `zstandard`, and is left out without.
"""

from __future__ import annotations

import lzma
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import bsdiff4

from pypackpack.client.patch import apply_patch
from pypackpack.middleware.patch.make import make_patch

if TYPE_CHECKING:
    from collections.abc import Callable


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


def row(old: Path, new: Path) -> list[str]:
    size = new.stat().st_size
    cells = [f"{new.name.split('-')[0]} {old.name.split('-')[1]} -> {new.name.split('-')[1]}", f"{size:,}"]
    olds, news, packed = members(old), members(new), zstd()
    cells.append(f"{len(bsdiff4.diff(old.read_bytes(), new.read_bytes())):,}")
    cells.append(f"{packed(old.read_bytes(), new.read_bytes()):,}" if packed else "-")
    cells.append(f"{per_file(olds, news, lambda a, b: len(bsdiff4.diff(a, b)), lambda data: len(lzma.compress(data))):,}")
    cells.append(f"{per_file(olds, news, packed, lambda data: packed(b'', data)):,}" if packed else "-")
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        patch = Path(folder) / "x.whl.patch"
        patch.write_bytes(make_patch(old, new, number=1))
        made = time.perf_counter()
        apply_patch(patch, old, Path(folder) / "out")
        done = time.perf_counter()
        cells += [f"{patch.stat().st_size:,}", f"{100 * patch.stat().st_size / size:.2f} %", f"{made - start:.1f}", f"{done - made:.1f}"]
    return cells


def main() -> None:
    heads = ["pair", "wheel", "bsdiff", "zstd", "bsdiff/file", "zstd/file", "ours", "of the wheel", "make s", "apply s"]
    print("| " + " | ".join(heads) + " |\n| " + " | ".join("---" for _ in heads) + " |")
    paths = [Path(word) for word in sys.argv[1:]]
    for old, new in zip(paths[::2], paths[1::2], strict=True):
        print("| " + " | ".join(row(old, new)) + " |", flush=True)


if __name__ == "__main__":
    main()
