"""Bytecode of one exact Python, made by that Python."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem, process
from pypackpack.backend.tools.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from typing_extensions import Self

    from pypackpack.model.interpreter import Interpreter

WORKER = Path(__file__).parent / "workers" / "bytecode_worker.py"
EXAMINER = WORKER.with_name("examine.py")
GUARD = tuple(WORKER.with_name(f"{name}.py") for name in ("guard", "guard_finders", "guard_expressions"))


@dataclass(frozen=True)
class SyntaxProblem:
    """What Python says of a source that it cannot compile; line and column count from 1, 0 where unknown."""

    message: str
    line: int
    column: int
    text: str


@dataclass(frozen=True)
class Compiled:
    """A module's bytecode.

    Attributes:
        pyc: The file.
        tables: The number of values in its tables, where it is hardly anything else (a list of words, of code points); 0 for all
            other modules.
    """

    pyc: bytes
    tables: int = 0


@dataclass(frozen=True)
class Examined:
    """What is to be known of a module before Cython gets it; the same on every Python that can read it.

    Attributes:
        refused: Line, column and reason of each place that must not be compiled.
        trailer: Source to put after the module's.
    """

    refused: tuple[tuple[int, int, str], ...]
    trailer: str


@cache
def fingerprint() -> str:
    """Return the digest of our worker: part of every bytecode key."""
    return filesystem.sha256_file(WORKER)


@cache
def examiner() -> str:
    """Return the digest of what examines sources: part of the key of everything that it decides."""
    return filesystem.sha256_bytes("".join(filesystem.sha256_file(file) for file in (EXAMINER, *GUARD)))


def places(found: Iterable[tuple[int, int, str]]) -> tuple[str, ...]:
    """Return places in a source with what is wrong there as lines of ``line:column: message``."""
    return tuple(f"{line}:{column}: {message}" for line, column, message in found)


class Bytecode:
    """A pool of workers on one interpreter."""

    def __init__(self, python: Interpreter) -> None:
        self._python = python
        self._pool = Pool(self._start)

    def _start(self) -> process.Worker:
        return process.Worker([self._python.executable, "-S", "-s", WORKER], env=process.python_environment())

    def compile(self, name: str, source: bytes, *, checked: bool) -> Compiled | SyntaxProblem:
        """Make a hash-based pyc (PEP 552).

        Args:
            name: The file name that tracebacks show, relative to the package's parent.
            source: The file's bytes.
            checked: Whether Python compares the source's hash at import (it does not need the source otherwise).
        """
        answer = self._pool.request({"name": name, "source": base64.b64encode(source).decode(), "checked": checked})
        if "pyc" in answer:
            return Compiled(base64.b64decode(answer["pyc"]), answer.get("tables", 0))
        return SyntaxProblem(answer["error"], answer["line"], answer["column"], answer["text"].rstrip())

    def examine(self, source: bytes, compiler: str = "cython", version: str = "") -> Examined:
        """Look into the source of a module that this Python can compile.

        Args:
            source: The file's bytes.
            compiler: What is to compile it, as the settings name it.
            version: That compiler's version: what is known to break may be mended in another one.
        """
        answer = self._pool.request({"examine": base64.b64encode(source).decode(), "compiler": compiler, "version": version})
        return Examined(tuple((line, column, message) for line, column, message in answer["refused"]), answer["trailer"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pool.close()
