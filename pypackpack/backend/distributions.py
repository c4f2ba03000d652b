"""What is installed beside us, by the names of the ``.dist-info`` folders (PEP 427).

``importlib.metadata`` is asked only where there is no such folder: its import costs more than a whole build that has nothing to
do.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Installed:
    """An installed distribution.

    Attributes:
        version: Its version.
        place: The folder that its packages lie in.
        record: The file, or where it has none the folder, whose change tells that another version was installed.
    """

    version: str
    place: str
    record: str


def version_of(name: str) -> str:
    """Return the version of an installed distribution, such as ``packaging``."""
    return find(name).version


def record_of(name: str) -> str:
    """Return the path whose change tells that another version of a distribution was installed (`Installed.record`)."""
    return find(name).record


def find(name: str) -> Installed:
    """Return what an import of a distribution's packages would find: the first on ``sys.path``.

    Raises:
        PackageNotFoundError: It is not installed (`importlib.metadata`).
    """
    return _find(name, tuple(sys.path))


@cache  # what was imported once stays as it is to the end of the process
def _find(name: str, path: tuple[str, ...]) -> Installed:
    pattern = re.compile("[-_.]+".join(re.split("[-_.]+", name)) + r"-(\d[^-]*)\.dist-info", re.IGNORECASE)
    for entry in path:
        place = os.path.abspath(entry)  # noqa: PTH100 - as Python itself reads an entry; "" is where we stand
        with contextlib.suppress(OSError):
            found = [match for each in os.listdir(place) if (match := pattern.fullmatch(each))]  # noqa: PTH208 - names are enough
            if len(found) == 1:
                return Installed(found[0][1], place, os.path.join(place, found[0][0], "RECORD"))  # noqa: PTH118 - no Path needed
            if found:
                break  # only what is inside tells which one is meant
    from importlib.metadata import distribution  # noqa: PLC0415 - import cost

    there = distribution(name)
    place = os.path.abspath(os.fspath(there.locate_file("")))  # type: ignore[call-overload]  # noqa: PTH100 - as above
    return Installed(there.version, place, place)
