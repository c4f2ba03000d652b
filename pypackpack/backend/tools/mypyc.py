"""mypyc: typed Python modules into C, in worker processes that stay up for the whole build.

mypyc is a part of mypy. When it is imported it asks the Python that it runs on what is true of the one that is compiled for;
so there is a worker for each Python X.Y and size of pointers. How its C is made without setuptools, and linked, was read from
its own build (``mypyc.build``, ``mypyc.codegen.emitmodule``); none of it is an interface that it promises, so only what was
tried is taken (`SERIES`).
"""

from __future__ import annotations

import base64
import itertools
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.backend import distributions, filesystem, process
from pypackpack.backend.tools import bytecode
from pypackpack.backend.tools.compilers import pinned
from pypackpack.backend.tools.pool import Pool
from pypackpack.backend.tools.toolchain import init_symbol
from pypackpack.model.errors import MissingToolError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from typing_extensions import Self

    from pypackpack.model.target import PythonVersion

SERIES = (2, 4)
"""The X.Y of mypy whose C this file knows how to compile."""

PARSER = "ast_serialize"
"""The distribution that parses for mypy, by a version of its own."""

WORKER = Path(__file__).parent / "workers" / "mypyc_worker.py"
ENTRY = WORKER.with_name("mypyc_entry.py")

RUNTIME_FILES = (
    *("init.c", "getargs.c", "getargsfast.c", "int_ops.c", "float_ops.c", "str_ops.c", "bytes_ops.c", "list_ops.c", "dict_ops.c"),
    *("set_ops.c", "tuple_ops.c", "exc_ops.c", "misc_ops.c", "locks.c", "generic_ops.c", "pythonsupport.c", "function_wrapper.c"),
)
"""The C files of its library that every module links (``RUNTIME_C_FILES`` of ``mypyc.common``)."""


@dataclass(frozen=True)
class Machine:
    """What mypyc has to know of a target besides its platform.

    Attributes:
        series: The Python X.Y.
        size: Bytes of a ``size_t``.
    """

    series: PythonVersion
    size: int


@dataclass(frozen=True)
class Generated:
    """What mypyc made of a module.

    Attributes:
        files: Name → bytes: one C source and headers; empty when it made none.
        source: The one that is compiled.
        errors: Why it made none: lines of ``line:column: message``.
    """

    files: Mapping[str, bytes] = field(default_factory=dict)
    source: str = ""
    errors: tuple[str, ...] = ()


@cache
def find() -> distributions.Installed:
    """Return the installed mypy.

    Raises:
        MissingToolError: There is none, or one of a version that nobody tried.
    """
    wanted = f"{SERIES[0]}.{SERIES[1]}"
    return pinned("mypyc", SERIES, "mypy", f'Install mypy {wanted}, which comes with: pip install "pypackpack[mypyc]"', "mypyc")


@cache
def parser() -> distributions.Installed:
    """Return what reads the source for mypy: a distribution by itself, of which one mypy takes many versions.

    Raises:
        MissingToolError: It is not there, or not beside mypy, where workers look.
    """
    from importlib.metadata import PackageNotFoundError  # noqa: PLC0415 - import cost

    beside, hint = find(), "Install mypy again, with what it needs: pip install --force-reinstall mypy"
    try:
        found = distributions.find(PARSER)
    except PackageNotFoundError as error:
        msg = f"mypy {beside.version} in {beside.place} needs {PARSER}, which is not installed"
        raise MissingToolError(msg, hint=hint) from error
    if found.place != beside.place:
        msg = f"{PARSER} is in {found.place}, and mypy, which needs it, in {beside.place}"
        raise MissingToolError(msg, hint=hint)
    return found


@cache
def fingerprint() -> str:
    """Return what, besides a module's source and the target, decides the C: mypy's version, its parser's, and our worker."""
    worker = " ".join(map(filesystem.sha256_file, (WORKER, ENTRY)))
    return f"mypy {find().version} {PARSER} {parser().version} {worker}"


def library() -> Path:
    """Return the folder of the installed mypyc that holds its library: the headers, and the C that modules link."""
    return Path(find().place) / "mypyc" / "lib-rt"


def runtime() -> bytes:
    """Return the C of the library that every module links."""
    return "".join(f"#include <{name}>\n" for name in RUNTIME_FILES).encode()


def _check(worker: process.Worker, installed: distributions.Installed, machine: Machine, folder: Path) -> None:
    """Send a worker to its folder and look whether it has the mypy that is in the keys, and works for that machine.

    Raises:
        MissingToolError: It has not, or does not.
        ToolError: It does not start.
    """
    found = worker.request({"folder": str(folder)})
    if found["mypy"] != installed.version:
        msg = f"the mypy in {installed.place} is {found['mypy']}, and its record says {installed.version}"
        raise MissingToolError(msg, hint="Install mypy again: pip install --force-reinstall mypy")
    if found["target"] != [machine.series >= (3, 12), machine.size, ".so"]:
        msg = f"mypy {installed.version} does not believe what it is told of the target: {machine}, and it says {found['target']}"
        raise MissingToolError(msg, hint='Set compiler = "cython".')


class Mypyc:
    """A pool of mypyc workers for each kind of machine that is compiled for."""

    def __init__(self, scratch: Path, machine: Machine) -> None:
        self._scratch = scratch
        self._machine = machine
        self._numbers = itertools.count(1)
        self._pool = Pool(self._start)

    def _start(self) -> process.Worker:
        """Start a worker that imports mypy and nothing else of this environment, in a new folder of its own.

        Raises:
            MissingToolError: It is not what is in the keys.
            ToolError: It does not start.
        """
        machine, installed = self._machine, find()
        series = ".".join(map(str, machine.series))
        # One step: two threads that start workers at one time do not get the same folder.
        folder = self._scratch / f"mypyc-{series}-{machine.size}-{next(self._numbers)}-{id(self)}"
        with filesystem.explained("make", folder):
            folder.mkdir(parents=True)
        # Isolated, so that the mypy whose version is in the key is the one that works: -I would do, but for the hash seed.
        command: list[str | Path] = [sys.executable, "-S", "-s", WORKER, installed.place, series, str(machine.size)]
        worker = process.Worker(command, cwd=folder, env=process.python_environment())
        try:
            _check(worker, installed, machine, folder)
        except BaseException:
            worker.close()
            raise
        return worker

    def generate(self, path: str, module: str, source: bytes, platform: str) -> Generated:
        """Turn one module into C.

        Args:
            path: Where it lies in the package, with ``/``: ``pkg/sub/mod.py``.
            module: Its full name; of a package's ``__init__.py`` the package's.
            source: The file's bytes.
            platform: ``sys.platform`` of the target: mypy leaves out what it rules out.

        Raises:
            FilesystemError: This machine cannot: the disk is full, for instance.
            ToolError: mypy ended in the middle of it.
        """
        request = {
            "path": path,
            "module": module,
            "source": base64.b64encode(source).decode(),
            "platform": platform,
            "entry": init_symbol(module.rpartition(".")[2]),
        }
        answer = self._pool.request(request)
        if "trouble" in answer:
            with filesystem.explained("write the C of", Path(path)):
                raise OSError(answer["errno"], answer["trouble"])
        if "errors" in answer:
            return Generated(errors=bytecode.places(answer["errors"]))
        files = {name: base64.b64decode(data) for name, data in answer["files"].items()}
        return Generated(files, next(iter(files)))

    def close(self) -> None:
        """End all workers; the next request starts one again."""
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
