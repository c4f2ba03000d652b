"""Cython: Python modules into C, in worker processes that stay up for the whole build."""

from __future__ import annotations

import base64
import contextlib
import os
import re
import sys
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

WORKER = Path(__file__).parent / "workers" / "cython_worker.py"
_DIST_INFO = re.compile(r"cython-\d[^-]*\.dist-info", re.IGNORECASE)


@dataclass(frozen=True)
class Transcompiled:
    """The C of a module, or why there is none (lines of ``line:column: message``)."""

    c: bytes | None
    errors: tuple[str, ...] = ()


@cache
def fingerprint() -> str:
    """Return what, besides a module's own source, decides the C that comes out: Cython's version and our worker."""
    return f"cython {_version()} {filesystem.sha256_file(WORKER)}"


def installed_at() -> str:
    """Return the file whose change tells that another Cython was installed."""
    return next((f"{folder}/RECORD" for folder in _dist_infos()), "")


def _dist_infos() -> list[str]:
    """Return the ``.dist-info`` folders of Cython in the first place of ``sys.path`` that has any."""
    for place in sys.path:
        with contextlib.suppress(OSError):
            found = [name for name in os.listdir(place or ".") if _DIST_INFO.fullmatch(name)]  # noqa: PTH208 - names are enough
            if found:
                return [f"{place or '.'}/{name}" for name in found]
    return []


def _version() -> str:
    """Return the version of the installed Cython, by the name of its ``.dist-info`` folder.

    ``importlib.metadata`` is asked only if there is no such folder: its import costs more than a whole build that has
    nothing to do, and so does Cython's own.
    """
    found = _dist_infos()
    if len(found) == 1:
        return found[0].rpartition("/")[2][len("cython-") : -len(".dist-info")]
    from importlib.metadata import version  # noqa: PLC0415 - import cost

    return version("cython")


def places(found: Iterable[tuple[int, int, str]]) -> tuple[str, ...]:
    """Return places in a source with what is wrong there as lines of ``line:column: message``."""
    return tuple(f"{line}:{column}: {message}" for line, column, message in found)


class Cython:
    """A pool of Cython workers."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._started = 0
        self._pool = Pool(self._start)

    def _start(self) -> process.Worker:
        self._started += 1
        folder = self._scratch / f"cython-{self._started}-{id(self)}"
        with filesystem.explained("make", folder):
            folder.mkdir(parents=True)
        env = process.environment({"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": None, "PYTHONUTF8": "1"})
        return process.Worker([sys.executable, WORKER], cwd=folder, env=env)

    def transcompile(self, path: str, module: str, source: bytes, trailer: str = "") -> Transcompiled:
        """Turn one module into C.

        Args:
            path: Where it lies in the package, with ``/``: ``pkg/sub/mod.py``.
            module: Its full name; of a package's ``__init__.py`` the package's.
            source: The file's bytes.
            trailer: Source to put after it (`bytecode.Examined`).

        Raises:
            FilesystemError: This machine cannot: the disk is full, for instance.
            ToolError: Cython ended in the middle of it.
        """
        parents = Path(path).parent.parts
        packages = ["/".join(parents[: count + 1]) for count in range(len(parents))]
        data = base64.b64encode(source).decode()
        answer = self._pool.request({"path": path, "module": module, "source": data, "trailer": trailer, "packages": packages})
        if "trouble" in answer:
            with filesystem.explained("write the C of", Path(path)):
                raise OSError(answer["errno"], answer["trouble"])
        if "c" in answer:
            return Transcompiled(base64.b64decode(answer["c"]))
        return Transcompiled(None, places(answer["errors"]))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pool.close()
