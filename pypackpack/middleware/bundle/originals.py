"""The wheels that an environment's dependencies were installed from, fetched once more: from ``vendor/``, or whence they came.

An environment's ``pylock.toml`` (PEP 751) names every file with its digest, so what is fetched is what was resolved.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.backend.zip_reader import ZipReader
from pypackpack.middleware.bundle.paths import problem_with, windows_problem_with
from pypackpack.middleware.dependency.vendored import places, sha256_of, vendor_folder, wheel_file, wheels_of
from pypackpack.middleware.dependency.wheels import best_wheel, platforms
from pypackpack.middleware.environment import lock as locks
from pypackpack.middleware.environment.commit import PYLOCK
from pypackpack.middleware.environment.place import environment_folder
from pypackpack.middleware.graph.task import Task
from pypackpack.model.action import ActionResult
from pypackpack.model.errors import MissingToolError, WorkError
from pypackpack.model.names import normalise

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.middleware.graph.task import Needs
    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import PythonVersion, Target

REQUIRES_PYTHON = "requires_python"
"""The fact of a task's result that says what a wheel asks of Python."""

_VERSION = "locked-wheel-1"
_MOST_METADATA = 8 << 20


@dataclass(frozen=True)
class Original:
    """A wheel that a dependency was installed from.

    Attributes:
        file: Its name.
        sha256: Hex digest, as the lock has it.
        url: Where it is.
        size: Its bytes; None where the lock does not say.
    """

    file: str
    sha256: str
    url: str
    size: int | None


def originals(package: Package, target: Target, python: PythonVersion) -> dict[str, Original]:
    """Return what a target's environment was installed from, by normalised name, but for what was built here from sources.

    Raises:
        WorkError: A file has a name that no file may have.
    """
    from packaging.markers import Marker  # noqa: PLC0415 - import cost

    place = environment_folder(package, target) / PYLOCK
    if not place.is_file():
        return {}
    facts, names = locks.marker_facts(target, python), platforms(target, python)
    found: dict[str, Original] = {}
    for item in tomllib.loads(filesystem.read_bytes(place).decode()).get("packages", []):
        marker = item.get("marker")
        if marker is not None and not Marker(marker).evaluate(dict(facts)):
            continue
        wheel = best_wheel(wheels_of(item), names, python)
        if wheel is None or not (digest := sha256_of(wheel)):
            continue
        file = wheel_file(wheel)
        if "/" in file or (problem_with(file) or windows_problem_with(file)):
            msg = f"{place}: a wheel cannot be called {file[:200]!r}"
            raise WorkError(msg, hint="Ask where the package's lock comes from.")
        # Paths in it begin in a folder beside the environments of the targets: where uv wrote it.
        url = str(wheel.get("url") or "") or (place.parent / str(wheel.get("path"))).resolve().as_uri()
        size = wheel.get("size")
        found[normalise(item["name"])] = Original(file, digest, url, size if isinstance(size, int) else None)
    return found


def original_task(name: str, original: Original, project: Project, shop: Workshop, package: str, *, offline: bool) -> Task:
    """Return the task that has a wheel in the store; only what it is stands in its key, not where it comes from.

    Args:
        name: The task's name.
        original: Which wheel.
        project: Its ``vendor/`` is looked into, and its settings name indexes.
        shop: The tools.
        package: Whose dependency it is.
        offline: Never touch the network.
    """

    def fetch(_needs: Needs) -> ActionResult:
        with shop.store.scratch() as scratch:
            place = scratch / original.file
            here = next((path for path in places(vendor_folder(project), original.file, original.sha256) if path.is_file()), None)
            if here is not None:
                digest = filesystem.fill_file(place, here)
                if digest != original.sha256:
                    msg = f"{here} is not what the lock says: expected sha256 {original.sha256}, found {digest}"
                    raise WorkError(msg, hint="`pypackpack vendor`, while online, fetches it again.")
            elif offline and not original.url.startswith("file:"):
                msg = f"{original.file} is not on this machine, and without a network it cannot be fetched"
                raise MissingToolError(msg, hint="Build once while online, or carry vendor/ here: `pypackpack vendor` makes it.")
            else:
                _download(original, place, scratch, project)
            size, asks = place.stat().st_size, requires_python(_metadata(place))
            shop.store.adopt(place, original.sha256)
            return ActionResult({"wheel": original.sha256}, {"size": str(size), REQUIRES_PYTHON: asks})

    return Task(
        name=name,
        package=package,
        target="",
        step="fetch",
        kind=_VERSION,
        inputs=(("wheel", original.sha256), ("file", original.file)),
        run=fetch,
        cost=1.0 + (original.size or 0) / 5_000_000,
        label=original.file,
    )


def requires_python(metadata: bytes) -> str:
    """Return what core metadata asks of Python, in one line; empty for nothing."""
    return " ".join(str(BytesHeaderParser().parsebytes(metadata)["Requires-Python"] or "").split())


def _metadata(wheel: Path) -> bytes:
    """Return the core metadata in a wheel."""
    with filesystem.explained("read", wheel), wheel.open("rb") as stream:
        archive = ZipReader(stream, wheel)
        found = [each for each in archive.entries if each.path.endswith(".dist-info/METADATA") and each.path.count("/") == 1]
        if len(found) != 1:
            msg = f"{wheel.name} is no wheel: it has {len(found)} files METADATA"
            raise WorkError(msg, hint="Use another version of the dependency.")
        return archive.read(found[0], _MOST_METADATA)


def _download(original: Original, place: Path, scratch: Path, project: Project) -> None:
    from pypackpack.backend import network  # noqa: PLC0415 - import cost of http
    from pypackpack.middleware.dependency.vendor import index_login  # noqa: PLC0415 - import cost

    url, authorization = index_login(project).split(original.url)
    partial = Path(scratch, "partial")
    network.fetch(url, place, sha256=original.sha256, partial=partial, authorization=authorization, most=original.size)
