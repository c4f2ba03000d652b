"""Pythons of other platforms: fetched by uv into a folder of their own, and found again there.

They do not run here; cross environments read their headers, their ``_sysconfigdata`` and their libraries. They lie in the user's
cache and not among uv's own Pythons, so that `uv python list` shows nothing that does not start.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.model.errors import MissingToolError
from pypackpack.model.python import ForeignPython

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pypackpack.model.build import Watcher
    from pypackpack.model.target import PythonVersion, Target

FOLDER = "foreign-pythons-v1"

# uv's names of processors where they are not those of a target's triple.
_PROCESSORS = {"arm": "armv7", "riscv64": "riscv64gc"}


def request_key(target: Target, version: str) -> str | None:
    """Return what uv calls the Python of a target: ``cpython-3.13-windows-x86_64-none``; None where it knows none.

    uv's form is ``<implementation>-<version>-<system>-<processor>-<C library>`` (its documentation, "Python versions").

    Args:
        target: The target.
        version: ``3.13`` or ``3.13.1``.
    """
    if target.family == "emscripten":
        return f"pyodide-{version}-emscripten-wasm32-musl"
    if target.family not in {"linux", "windows", "macos"}:
        return None
    if target.parts:
        from pypackpack.middleware.target import table  # noqa: PLC0415 - import cost

        # One of its halves: headers and sysconfig data say the same but for the processor.
        return request_key(table.find(target.parts[-1]), version)
    processor, _, rest = target.triple.partition("-")
    libc = re.match(r"linux-(\w+)", rest)
    return f"cpython-{version}-{target.family}-{_PROCESSORS.get(processor, processor)}-{libc[1] if libc else 'none'}"


def pythons_folder() -> Path:
    """Return the folder that Pythons of other platforms lie in, whether or not it is there."""
    return filesystem.cache_folder() / FOLDER


def foreign_python(target: Target, series: PythonVersion) -> Path | None:
    """Return the folder of a target's Python of one series, the newest that was fetched, or None.

    The folder is laid out as python-build-standalone's ``install_only`` archives are: ``bin``, ``include`` and ``lib`` on POSIX
    systems, ``python.exe``, ``include``, ``libs``, ``Lib`` and ``DLLs`` on Windows.
    """
    key = request_key(target, f"{series[0]}.{series[1]}")
    if key is None:
        return None
    head, _, tail = key.partition(f"-{series[0]}.{series[1]}-")
    name = re.compile(rf"{re.escape(head)}-{series[0]}\.{series[1]}\.(\d+)-{re.escape(tail)}")
    try:
        names = filesystem.folders_in(pythons_folder()) if pythons_folder().is_dir() else []
    except OSError:
        return None
    found = {int(match[1]): each for each in names if (match := name.fullmatch(each))}
    return pythons_folder() / found[max(found)] if found else None


def install_foreign(
    target: Target, version: str, options: Sequence[str] = (), *, offline: bool = False, watcher: Watcher | None = None
) -> ForeignPython:
    """Fetch the Python of a target through uv's own downloads (``UV_PYTHON_INSTALL_MIRROR`` and the like count).

    Args:
        target: The target.
        version: ``3.13`` or ``3.13.1``.
        options: Options for ``uv python install``.
        offline: Never touch the network.
        watcher: Gets a note that something is fetched.

    Raises:
        UsageError: ``version`` is no version, or packages are not built for it.
        MissingToolError: There is no such Python, or its server is out of reach.
    """
    from pypackpack.backend.tools import uv  # noqa: PLC0415 - import cost
    from pypackpack.middleware.python.choose import check_version  # noqa: PLC0415 - import cost

    series = check_version(version)
    key = request_key(target, version)
    if key is None:
        msg = f"there is no Python of {target.name} that uv could fetch"
        raise MissingToolError(msg, hint=f"Packages are built for {target.name} without it.")
    before = foreign_python(target, series)
    uv.install_foreign_python(key, pythons_folder(), options, offline=offline, watcher=watcher)
    folder = foreign_python(target, series)
    if folder is None:
        msg = f"uv said that it installed {key}, and it is not in {pythons_folder()}"
        raise MissingToolError(msg, hint="Look at what lies there, remove it, and run the same command again.")
    return ForeignPython(target.name, folder.name, folder, fetched=folder != before)
