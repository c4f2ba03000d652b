"""Archives of data files: size against tar.zst, what the next version costs, and how fast they are made and read. Prints tables.

    python tests/benchmarks/resources.py old.whl new.whl [old.whl new.whl ...]
    python tests/benchmarks/resources.py --sweep old.whl new.whl [...]
    python tests/benchmarks/resources.py --big [megabytes]

The data files of two releases of something (all that is no module and no metadata). ``--sweep`` tries sizes of chunks and ways to
pack, and the chunkers that there are; ``--big`` changes 100 bytes in a large file. zstd needs the package ``zstandard``, and is
left out without.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import random
import sys
import tarfile
import time
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, cast

import deflate

from pypackpack.backend.tools import chunker
from pypackpack.client.resource import Resource
from pypackpack.client.resource_format import CHUNK, Manifest
from pypackpack.client.resource_update import difference
from pypackpack.middleware.resource import write
from pypackpack.middleware.resource.plan import SMALL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Files = dict[str, bytes]


def data_of(wheel: str) -> Files:
    with zipfile.ZipFile(wheel) as archive:
        return {
            name: archive.read(name)
            for name in archive.namelist()
            if not name.endswith(("/", ".py", ".pyi", ".so", ".pyx", ".pxd")) and ".dist-info/" not in name
        }


def streams(files: Files) -> list[list[str]]:
    """Return the groups that are cut together, as a build does it."""
    small = sorted((name for name in files if len(files[name]) < SMALL), key=lambda name: (name.rpartition(".")[2], name))
    large = sorted(name for name in files if len(files[name]) >= SMALL)
    return [*([small] if small else []), *([name] for name in large)]


def once(names: list[str], files: Files, seen: set[bytes]) -> bytes:
    out = []
    for name in names:
        digest = hashlib.sha256(files[name]).digest()
        if digest not in seen:
            seen.add(digest)
            out.append(files[name])
    return b"".join(out)


def archive(files: Files) -> bytes:
    parts, seen = [], set()
    for names in streams(files):
        data = once(names, files, seen)
        if data:
            out = io.BytesIO()
            average = write.average(len(data) if len(names) == 1 and len(data) >= SMALL else 0)
            parts.append((write.table(write.pack(io.BytesIO(data), out, average)), out.getvalue()))
    listed = [name for names in streams(files) for name in names]
    rows = tuple((name, len(files[name]), hashlib.sha256(files[name]).hexdigest()) for name in listed)
    manifest = Manifest("demo", "1", "demo", "any", rows)
    joined = write.joined([each for each, _ in parts])
    out = io.BytesIO()
    write.write_archive(out, write.head(manifest, joined), joined, [(each, lambda data=data: io.BytesIO(data)) for each, data in parts])
    return out.getvalue()


def tar(files: Files) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive_:
        for name in sorted(files):
            info = tarfile.TarInfo(name)
            info.size = len(files[name])
            archive_.addfile(info, io.BytesIO(files[name]))
    return out.getvalue()


def zstd(level: int) -> Callable[[bytes], int] | None:
    try:
        import zstandard  # noqa: PLC0415 - may not be there
    except ImportError:
        return None
    return lambda data: len(zstandard.ZstdCompressor(level=level).compress(data))


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def read_all(resource: Resource, threads: int) -> None:
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda entry: len(resource.read(entry.path)), resource))


def read_random(resource: Resource, count: int) -> None:
    dice = random.Random(5)  # noqa: S311 - no secret
    entries = [each for each in resource if each.size > 4096]
    for _ in range(count):
        entry = dice.choice(entries)
        resource.read(entry.path, dice.randrange(entry.size - 4096), 4096)


def zipped(files: Files) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive_:
        for name, data in files.items():
            archive_.writestr(name, data)
    return out.getvalue()


def read_zip(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive_:
        for name in archive_.namelist():
            archive_.read(name)


def row(old: str, new: str) -> list[str]:
    before, after = data_of(old), data_of(new)
    total = sum(map(len, after.values()))
    first = archive(before)
    start = time.perf_counter()
    second = archive(after)
    made = time.perf_counter() - start
    a, b = Resource(io.BytesIO(first)), Resource(io.BytesIO(second))
    found = difference([a.index], b.index)
    plain = tar(after)
    small, large = zstd(3), zstd(19)
    name = old.rpartition("/")[2].split("-")
    changed = len(found.added) + len(found.changed)
    one, packed = timed(lambda: read_all(b, 1)), zipped(after)
    return [
        f"{name[0]} {name[1]} to {new.rpartition('/')[2].split('-')[1]}",
        f"{len(after):,}",
        f"{total:,}",
        f"{small(plain):,}" if small else "-",
        f"{large(plain):,}" if large else "-",
        f"{len(second):,}",
        f"{changed:,}",
        f"{found.fetch:,}",
        f"{100 * found.fetch / len(second):.1f} %",
        f"{found.head:,}",
        f"{total / made / 1e6:.0f}",
        f"{total / one / 1e6:.0f}",
        f"{timed(lambda: read_zip(packed)) / one:.1f}",
        f"{one / timed(lambda: read_all(Resource(io.BytesIO(second)), 2)):.1f}",
        f"{1e6 * timed(lambda: read_random(b, 2000)) / 2000:.0f}",
    ]


HEADS = [
    "data files of", "files", "bytes", "tar.zst -3", "tar.zst -19", "archive", "files changed", "to fetch", "of the archive",
    "its head", "made MB/s", "read MB/s", "times zipfile", "2 threads, times one", "4 KiB at random, µs",
]  # fmt: skip


def show(heads: list[str], rows: Iterator[list[str]]) -> None:
    print("| " + " | ".join(heads) + " |\n| " + " | ".join("---" for _ in heads) + " |")
    for each in rows:
        print("| " + " | ".join(each) + " |", flush=True)


def packers() -> dict[str, Callable[[bytes], int]]:
    found: dict[str, Callable[[bytes], int]] = {
        f"deflate {level}": lambda data, level=level: len(deflate.deflate_compress(data, level)) for level in (6, 7, 9, 12)
    }
    found["zlib 9"] = lambda data: len(zlib.compress(data, 9))
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 6}]
    found["lzma"] = lambda data: len(lzma.compress(data, lzma.FORMAT_RAW, filters=filters))
    for level in (3, 19):
        if (pack := zstd(level)) is not None:
            found[f"zstd {level}"] = pack
    return found


def cut(data: bytes, average: int, strength: int) -> list[bytes]:
    from pyfastcdc import FastCDC  # noqa: PLC0415 - beside its only use

    cutter = FastCDC(average, min_size=average // 4, max_size=average * 4, normalized_chunking=strength)
    return [bytes(each.data) for each in cutter.cut_buf(data)]


def sweep(pairs: list[tuple[str, str]]) -> None:
    versions = [(data_of(old), data_of(new)) for old, new in pairs]

    def pieces(files: Files, average: int, strength: int) -> dict[bytes, bytes]:
        seen: set[bytes] = set()
        parts = (cut(once(names, files, seen), average, strength) for names in streams(files))
        return {hashlib.sha256(piece).digest(): piece for part in parts for piece in part}

    def sizes() -> Iterator[list[str]]:
        for average in (8 << 10, 16 << 10, 32 << 10, 64 << 10, 128 << 10, 256 << 10):
            for strength in (1, 2, 3) if average == 64 << 10 else (2,):
                whole = fetched = count = 0
                for before, after in versions:
                    old, new = pieces(before, average, strength), pieces(after, average, strength)
                    packed = {key: min(len(deflate.deflate_compress(each, 9)), len(each)) for key, each in new.items()}
                    whole += sum(packed.values())
                    fetched += sum(size for key, size in packed.items() if key not in old)
                    count += len(new)
                rows = count * CHUNK.size
                yield [f"{average >> 10} KiB", str(strength), f"{count:,}", f"{whole + rows:,}", f"{fetched:,}", f"{rows:,}", f"{fetched + rows:,}"]

    show(["average", "NC", "chunks", "archives", "missing", "tables", "to fetch"], sizes())
    every = [piece for _, after in versions for piece in pieces(after, chunker.COARSE, 2).values()]
    total = sum(map(len, every))

    def packings() -> Iterator[list[str]]:
        for name, pack in packers().items():
            start = time.perf_counter()
            size = sum(min(pack(each), len(each)) for each in every)
            yield [name, f"{size:,}", f"{100 * size / total:.1f} %", f"{total / (time.perf_counter() - start) / 1e6:.0f}"]

    print()
    show(["packed by", "bytes", "of the data", "MB/s"], packings())
    print()
    data = b"".join(every)[: 64 << 20]
    show(["chunker", "MB/s", "chunks"], chunkers(data))


def chunkers(data: bytes) -> Iterator[list[str]]:
    def ours() -> int:
        return len(list(chunker.chunks(io.BytesIO(data), chunker.COARSE)))

    def told(name: str, work: Callable[[bytes], int], part: bytes) -> list[str]:
        start = time.perf_counter()
        count = work(part)
        return [name, f"{len(part) / (time.perf_counter() - start) / 1e6:,.1f}", f"{count:,} of {len(part) >> 20} MiB"]

    yield told("pyfastcdc", lambda _: ours(), data)
    from pyfastcdc.py import FastCDC as Pure  # noqa: PLC0415 - only compared

    yield told("pyfastcdc, its pure Python", lambda part: len(list(Pure(chunker.COARSE).cut_buf(part))), data[: 4 << 20])
    try:
        from fastcdc import fastcdc_cy, fastcdc_py  # noqa: PLC0415 - may not be there
    except ImportError:
        return
    arguments = (chunker.COARSE // 4, chunker.COARSE, chunker.COARSE * 4)
    yield told("fastcdc (Cython)", lambda part: len(list(fastcdc_cy.fastcdc_cy(part, *arguments))), data)
    yield told("fastcdc, its pure Python", lambda part: len(list(fastcdc_py.fastcdc_py(part, *arguments))), data[: 4 << 20])


def big(megabytes: int) -> None:
    dice = random.Random(7)  # noqa: S311 - no secret
    words = [dice.randbytes(dice.randrange(3, 9)).hex() for _ in range(5000)]
    text = bytearray()
    while len(text) < megabytes << 20:
        text += (" ".join(dice.choices(words, k=2000)) + "\n").encode()
    before = bytes(text)
    middle = len(before) // 2
    cases = {
        "100 bytes overwritten": before[:middle] + dice.randbytes(100) + before[middle + 100 :],
        "100 bytes inserted at the beginning": dice.randbytes(100) + before,
        "100 bytes inserted in the middle": before[:middle] + dice.randbytes(100) + before[middle:],
        "the last tenth appended": before,
    }
    first = {"100": archive({"big.txt": before}), "90": archive({"big.txt": before[: len(before) * 9 // 10]})}

    def rows() -> Iterator[list[str]]:
        for name, after in cases.items():
            old = Resource(io.BytesIO(first["90" if "tenth" in name else "100"]))
            found = difference([old.index], Resource(io.BytesIO(archive({"big.txt": after}))).index)
            cells = [f"{len(after):,}", f"{found.whole:,}", f"{found.chunks[0]} of {found.chunks[1]:,}", f"{found.missing:,}"]
            yield [name, *cells, f"{found.head:,}", f"{found.fetch:,}"]

    show(["change", "file", "archive", "chunks missing", "their bytes", "head", "to fetch"], rows())


def main() -> None:
    words = sys.argv[1:]
    if words[:1] == ["--big"]:
        big(int(words[1]) if words[1:] else 100)
        return
    paths = [word for word in words if word != "--sweep"]
    pairs = list(zip(paths[::2], paths[1::2], strict=True))
    if "--sweep" in words:
        sweep(pairs)
    else:
        show(HEADS, (row(*pair) for pair in cast("list[tuple[str, str]]", pairs)))


if __name__ == "__main__":
    main()
