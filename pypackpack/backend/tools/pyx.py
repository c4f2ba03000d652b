"""Cython on a person's own ``.pyx`` files: as Cython's users know it, in worker processes of its own.

Apart from `cython`, which compiles Python: that one sets Cython up so that nothing behaves otherwise than interpreted, and here
nothing may differ from what Cython does by itself.
"""

from __future__ import annotations

import base64
import itertools
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.backend import distributions, filesystem, process
from pypackpack.backend.tools.cython import start_worker, worker_digest
from pypackpack.backend.tools.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from typing_extensions import Self

WORKER = Path(__file__).parent / "workers" / "pyx_worker.py"


@dataclass(frozen=True)
class Problem:
    """What Cython has against a source: in which file, and ``line:column: message``."""

    file: str
    where: str


@dataclass(frozen=True)
class MadeC:
    """What Cython made: path → bytes, of the C and of the headers that go with it; or why it did not."""

    files: Mapping[str, bytes]
    errors: tuple[Problem, ...] = ()


@cache
def fingerprint() -> str:
    """Return what, besides the sources, decides the C that comes out: Cython's version and our worker."""
    return f"cython {distributions.version_of('cython')} {worker_digest(WORKER)}"


class Pyx:
    """A pool of workers."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._numbers = itertools.count(1)
        self._pool = Pool(self._start)

    def _start(self) -> process.Worker:
        # One step: two threads that start workers at one time do not get the same folder.
        return start_worker(WORKER, self._scratch / f"pyx-{next(self._numbers)}-{id(self)}")

    def transcompile(
        self, path: str, module: str, sources: Mapping[str, bytes], packages: Sequence[str], *, cplusplus: bool
    ) -> MadeC:
        """Turn a ``.pyx`` file into C or C++.

        Args:
            path: Where it lies, with ``/``: ``pkg/sub/mod.pyx``.
            module: Its full name.
            sources: Path → bytes of every Cython source that it may see, itself among them.
            packages: Folders that are packages.
            cplusplus: Whether it becomes C++.

        Raises:
            FilesystemError: This machine cannot: the disk is full, for instance.
            ToolError: Cython ended in the middle of it.
        """
        data = {name: base64.b64encode(content).decode() for name, content in sources.items()}
        answer = self._pool.request(
            {"path": path, "module": module, "sources": data, "packages": list(packages), "cplusplus": cplusplus}
        )
        if "trouble" in answer:
            with filesystem.explained("write the C of", Path(path)):
                raise OSError(answer["errno"], answer["trouble"])
        if "files" in answer:
            return MadeC({name: base64.b64decode(content) for name, content in answer["files"].items()})
        return MadeC({}, tuple(Problem(file, f"{line}:{column}: {message}") for file, line, column, message in answer["errors"]))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pool.close()
