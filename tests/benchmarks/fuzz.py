"""Looks for files that the client takes wrongly, led by what they reach in its code (atheris: coverage of Python, libFuzzer's search).

    python tests/benchmarks/fuzz.py patch|code|bytes|resource [seconds]

patch     a patch whose manifest and unpacked streams are anything, with digests that are right: applied to a wheel, and to what is installed
code      the same for a patch of machine code, whose streams stay packed
bytes     any bytes as a patch
resource  an archive of data files with any manifest, table and chunks, with a digest that is right: all of it is read

A patch is refused with an error of the client's and nothing has changed, or its result is what it names. An archive is read or refused
so. Anything else is a finding: it is printed, and its bytes are written to ``crash-…`` in the folder we stand in. Needs the package
`atheris`, which is no dependency of ours: it has wheels for Linux and CPython 3.11 to 3.13. By hand; no test depends on it.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import atheris

with atheris.instrument_imports(include=["pypackpack.client"]):
    from pypackpack.client.resource import Resource, ResourceError
    from tests.unit.client import resource_forge
    from tests.unit.client.forge import put_together, raw, taken_apart
    from tests.unit.client.test_patch_fuzz import Case

if TYPE_CHECKING:
    from collections.abc import Callable

BETWEEN = b"\n=part=\n"
"""What stands between the parts of an input: the search may move it as any other bytes."""
WORDS = [b"delta", b"full", b"copy", b'"codec":"bz2"', b'"codec":"deflate"', b"[[", b"]]", b",", b"-1", b"65000", b"2147483648", b"..", b"RECORD", BETWEEN]


def split(data: bytes, count: int) -> list[bytes]:
    """Return the parts of an input; what is missing is empty."""
    found = data.split(BETWEEN, count - 1)
    return found + [b""] * (count - len(found))


def patches(case: Case, *, packed: bool) -> tuple[bytes, Callable[[bytes], None]]:
    """Return a good input, and what asks of any input."""
    manifest, streams = taken_apart(case.good, behind=packed)

    def ask(data: bytes) -> None:
        head, *parts = split(data, 4)
        with contextlib.suppress(ValueError, RecursionError):
            said = json.loads(head)
            if not packed and isinstance(said, dict) and len(said.get("segments", ())) == 1:  # sizes and digest are put right
                case.ask(put_together(said, parts))
                return
        case.ask(raw(head) + b"".join(parts))

    return BETWEEN.join([json.dumps(manifest).encode(), *streams]), ask


def resources() -> tuple[bytes, Callable[[bytes], None]]:
    files = {"a.txt": b"one two three" * 9, "b/c.bin": resource_forge.noise(300), "b/empty": b""}
    manifest, rows, chunks = resource_forge.parts(files, 150)
    table = resource_forge.together(b"", rows, b"")[-40 * len(rows) :]

    def ask(data: bytes) -> None:
        head, said, body = split(data, 3)
        with contextlib.suppress(ResourceError), Resource(io.BytesIO(resource_forge.together(head, said, body))) as resource:
            for entry in resource:
                assert len(resource.read(entry.path)) == entry.size
            resource.verify()

    return BETWEEN.join([json.dumps(manifest).encode(), table, chunks]), ask


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in ("patch", "code", "bytes", "resource"):
        sys.exit(__doc__)
    what, seconds = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "600"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if what == "resource":
            good, ask = resources()
        elif what == "bytes":
            case = Case(folder)
            good, ask = case.good, case.ask
        else:
            good, ask = patches(Case(folder, code=what == "code"), packed=what == "code")
        ask(good)
        (folder / "corpus").mkdir()
        (folder / "corpus" / "good").write_bytes(good)
        words = folder / "words"
        words.write_text("".join('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n' for word in WORDS))
        options = [f"-dict={words}", f"-max_total_time={seconds}", f"-max_len={2 * len(good)}", "-timeout=60", "-rss_limit_mb=1024"]
        atheris.Setup([sys.argv[0], *options, str(folder / "corpus")], ask)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
