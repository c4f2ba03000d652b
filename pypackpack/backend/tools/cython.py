"""Cython: Python modules into C, in worker processes that stay up for the whole build."""

from __future__ import annotations

import base64
import contextlib
import itertools
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.backend import distributions, filesystem, process
from pypackpack.backend.tools import bytecode
from pypackpack.backend.tools.pool import Pool
from pypackpack.model.errors import MissingToolError, PyPackPackError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from typing_extensions import Self

WORKER = Path(__file__).parent / "workers" / "cython_worker.py"
LEXICON = WORKER.with_name("cython_lexicon.py")
TABLES = "cython-v1"
"""The folder of the cache that keeps the tables of Cython's lexer."""


@dataclass(frozen=True)
class Transcompiled:
    """The C of a module, or why there is none (lines of ``line:column: message``)."""

    c: bytes | None
    errors: tuple[str, ...] = ()


@cache
def fingerprint() -> str:
    """Return what, besides a module's own source, decides the C that comes out: Cython's version and our worker."""
    return f"cython {distributions.version_of('cython')} {worker_digest(WORKER)}"


def worker_digest(worker: Path) -> str:
    """Return the digest of a worker that runs Cython, with what it has in common with the other one."""
    files = (worker, worker.with_name("cython_common.py"), LEXICON)
    return filesystem.sha256_bytes("".join(filesystem.sha256_file(file) for file in files))


def version() -> str:
    """Return the version of the installed Cython."""
    return distributions.version_of("cython")


def installed_at() -> str:
    """Return the file whose change tells that another Cython was installed."""
    return distributions.record_of("cython")


def check_installed(worker: process.Worker, installed: distributions.Installed, folder: Path) -> None:
    """Send a worker to its folder and look whether it has the Cython that is in the keys.

    Raises:
        MissingToolError: It does not: no module is to blame, one of a dependency neither.
        ToolError: It does not start.
    """
    found = worker.request({"folder": str(folder)})["cython"]
    if found != installed.version:
        msg = f"the Cython in {installed.place} is {found}, and its record says {installed.version}"
        raise MissingToolError(msg, hint="Install Cython again: pip install --force-reinstall cython")


def start_worker(script: Path, folder: Path) -> process.Worker:
    """Start a worker that imports Cython and nothing else of this environment, in a new folder of its own.

    Raises:
        MissingToolError: It has not the Cython that is in the keys.
        ToolError: It does not start.
    """
    with filesystem.explained("make", folder):
        folder.mkdir(parents=True)
    installed = distributions.find("cython")
    command = _command(script, installed)
    early = _early.pop(tuple(command), None)  # one step: two threads do not get the same
    worker = early or process.Worker(command, cwd=folder, env=process.python_environment())
    try:
        check_installed(worker, installed, folder)
    except BaseException:
        worker.close()
        raise
    return worker


def _command(script: Path, installed: distributions.Installed) -> list[str | Path]:
    # Isolated, so that the Cython whose version is in the key is the one that works: -I would do, but for the hash seed.
    return [sys.executable, "-S", "-s", script, installed.place, _tables(installed)]


def _tables(installed: distributions.Installed) -> Path:
    """Return where the tables of this Cython's lexer are kept; a worker that does not find them there makes them."""
    key = filesystem.sha256_bytes(f"{installed.version}\0{sys.version}\0{filesystem.sha256_file(LEXICON)}")
    return filesystem.cache_folder() / TABLES / f"{key[:24]}.tables"


_early: dict[tuple[str | Path, ...], process.Worker] = {}


def start_early() -> None:
    """Start a worker before a build has made its plan; the first that is needed will be this one.

    Nothing waits for it. One that is never needed ends with this process, whose pipe it reads.
    """
    with contextlib.suppress(PyPackPackError, OSError):  # whoever needs it finds out why
        command = _command(WORKER, distributions.find("cython"))
        folder = filesystem.cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        _early[tuple(command)] = process.Worker(command, cwd=folder, env=process.python_environment())


class Cython:
    """A pool of Cython workers."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._numbers = itertools.count(1)
        self._pool = Pool(self._start)

    def _start(self) -> process.Worker:
        # One step: two threads that start workers at one time do not get the same folder.
        return start_worker(WORKER, self._scratch / f"cython-{next(self._numbers)}-{id(self)}")

    def prepare(self) -> None:
        """Let a worker load all of Cython, in the background: the first module costs 0.7 s otherwise, and the others 0.03 s."""
        source = base64.b64encode(b"def f(x):\n    return x\n").decode()
        self._pool.prepare({"path": "warm/up.py", "module": "warm.up", "source": source, "trailer": "", "packages": ["warm"]})

    def transcompile(
        self,
        path: str,
        module: str,
        source: bytes,
        trailer: str = "",
        declared: Mapping[str, bytes] | None = None,
        packages: Sequence[str] = (),
    ) -> Transcompiled:
        """Turn one module into C.

        Args:
            path: Where it lies in the package, with ``/``: ``pkg/sub/mod.py``.
            module: Its full name; of a package's ``__init__.py`` the package's.
            source: The file's bytes.
            trailer: Source to put after it (`bytecode.Examined`).
            declared: Path → bytes of the declarations that Cython may look at (``.pxd``).
            packages: Folders that are packages, besides those that the module lies in.

        Raises:
            FilesystemError: This machine cannot: the disk is full, for instance.
            ToolError: Cython ended in the middle of it.
        """
        parents = Path(path).parent.parts
        above = ["/".join(parents[: count + 1]) for count in range(len(parents))]
        data = base64.b64encode(source).decode()
        request: dict[str, object] = {"path": path, "module": module, "source": data, "trailer": trailer}
        request["packages"] = [*above, *(each for each in packages if each not in above)]
        if declared:
            request["declared"] = {name: base64.b64encode(content).decode() for name, content in declared.items()}
        answer = self._pool.request(request)
        if "trouble" in answer:
            with filesystem.explained("write the C of", Path(path)):
                raise OSError(answer["errno"], answer["trouble"])
        if "c" in answer:
            return Transcompiled(base64.b64decode(answer["c"]))
        return Transcompiled(None, bytecode.places(answer["errors"]))

    def close(self) -> None:
        """End all workers; the next request starts one again."""
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
