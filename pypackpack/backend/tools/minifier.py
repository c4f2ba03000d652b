"""python-minifier: smaller modules, made on the Python that they are built for."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.backend import distributions, filesystem, process
from pypackpack.backend.tools.pool import Pool
from pypackpack.model.errors import MissingToolError, ToolError

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.project import Minify

WORKER = Path(__file__).parent / "workers" / "minify_worker.py"
DISTRIBUTION = "python-minifier"


@dataclass(frozen=True)
class Smaller:
    """A module made smaller: its text; or None, and why it stays as it is (empty: nothing would be gained)."""

    text: bytes | None
    kept: str = ""


@cache
def fingerprint() -> str:
    """Return what, besides source and options, decides what comes out: the library's version and our worker."""
    return f"{DISTRIBUTION} {distributions.version_of(DISTRIBUTION)} {filesystem.sha256_file(WORKER)}"


def _check(worker: process.Worker, installed: distributions.Installed) -> None:
    """Look whether a worker has the library that is in the keys.

    Raises:
        MissingToolError: It does not, or does not start: with it no module becomes smaller, and none of them is to blame.
    """
    hint = f"Install it again: pip install --force-reinstall {DISTRIBUTION}"
    try:
        found = worker.request({"version": True})["minifier"]
    except ToolError as error:
        msg = f"the {DISTRIBUTION} in {installed.place} does not work: {error.message}"
        raise MissingToolError(msg, hint=hint, details=error.details) from error
    if found != installed.version:
        msg = f"the {DISTRIBUTION} in {installed.place} is {found}, and its record says {installed.version}"
        raise MissingToolError(msg, hint=hint)


class Minifier:
    """A pool of workers on one interpreter."""

    def __init__(self, python: Interpreter) -> None:
        self._python = python
        self._pool = Pool(self._start)

    def _start(self) -> process.Worker:
        installed = distributions.find(DISTRIBUTION)
        worker = process.Worker([self._python.executable, "-S", "-s", WORKER, installed.place], env=process.python_environment())
        try:
            _check(worker, installed)
        except BaseException:
            worker.close()
            raise
        return worker

    def minify(self, source: bytes, wanted: Minify) -> Smaller:
        """Make a module smaller.

        Args:
            source: The file's bytes.
            wanted: What may go.

        Raises:
            MissingToolError: The library is damaged.
            ToolError: It died of this module, or took too long.
        """
        request = {
            "source": base64.b64encode(source).decode(),
            "docstrings": wanted.docstrings,
            "annotations": wanted.annotations,
            "locals": wanted.names == "locals",
        }
        answer = self._pool.request(request)
        if "text" in answer:
            return Smaller(base64.b64decode(answer["text"]))
        return Smaller(None, answer["kept"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pool.close()
