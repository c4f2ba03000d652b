"""From what a build knows of a wheel to its bill of materials.

What decides it is in the key of the wheel's task; it is worked out, and what that takes is imported, when the wheel is written.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.model.errors import ConflictError
from pypackpack.model.interpreter import NEWEST, OLDEST

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pypackpack.backend.digests import FileDigests
    from pypackpack.middleware.bundle.metadata import CoreFiles
    from pypackpack.model.project import Package
    from pypackpack.model.sbom import DependencyFile, LinkedPart, MakingTool
    from pypackpack.model.target import PythonVersion, Target

LOCK = "pyproject.lock"
"""As `pypackpack.middleware.environment.lock.FILE`, whose import a build with nothing to do is spared."""

SBOM_VERSION = "sbom-1"
"""Part of the key of every wheel: raised when the same facts make another file."""


def planned_lock(package: Package, digests: FileDigests) -> tuple[Path, str] | None:
    """Return a package's lock with its digest, as it is when the build is planned; None where there is none."""
    path = package.root / LOCK
    return (path, digests.planned(path)[0]) if path.is_file() else None


@dataclass(frozen=True)
class Place:
    """Where a wheel may be installed."""

    target: Target
    python: PythonVersion


@dataclass(frozen=True)
class Bill:
    """What a wheel's bill of materials is written from.

    Attributes:
        package: Whose wheel it is.
        targets: What the wheel serves; of one for any platform, the package's targets.
        platforms: Its platform tags.
        python: The Python that it was built for.
        bound: Whether it is for that one only.
        later: Whether it is for every later one, too.
        linked: What compiling brought in.
        tools: What it was compiled with.
        lock: The package's lock, and the SHA-256 of it; None where there is none.
    """

    package: Package
    targets: tuple[Target, ...]
    platforms: tuple[str, ...]
    python: PythonVersion
    bound: bool
    later: bool
    linked: tuple[LinkedPart, ...]
    tools: tuple[MakingTool, ...]
    lock: tuple[Path, str] | None

    def places(self) -> tuple[Place, ...]:
        """Return where the wheel may be installed, as far as that can change its dependencies."""
        first = self.python[1] if self.later else OLDEST[1]
        pythons = [self.python] if self.bound else [(3, minor) for minor in range(first, max(NEWEST[1], self.python[1]) + 1)]
        return tuple(
            Place(target, python)
            for target in self.targets
            for python in pythons
            if python >= target.min_python and self.platforms in (("any",), target.tags.for_python(python))
        )

    def inputs(self) -> tuple[tuple[str, str], ...]:
        """Return what decides it besides the metadata, for a key.

        A wheel for several targets, and for several Pythons, has the same for each of them.
        """
        facts = sorted(
            (on.sys_platform, on.platform_machine, on.os_name, on.tags.for_python(python), on.uv(python), python)
            for on, python in ((place.target, place.python) for place in self.places())
        )
        parts = [[vars(each) for each in self.linked], [vars(each) for each in self.tools]]
        text = json.dumps([SBOM_VERSION, facts, parts])
        return (("bill of materials", filesystem.sha256_bytes(text)), ("lock", self.lock[1] if self.lock else ""))

    def file(self, core: CoreFiles) -> tuple[str, bytes]:
        """Return the place below ``.dist-info``, and the bytes of it.

        Raises:
            ConflictError: The lock was changed since the build was planned.
            DamagedLockError: The lock is damaged.
            FilesystemError: It cannot be read.
        """
        from pypackpack.middleware.bundle.locked import dependencies_of  # noqa: PLC0415 - import cost, not in a no-op
        from pypackpack.middleware.bundle.sbom import FILE, write_sbom  # noqa: PLC0415 - as above

        found = dependencies_of(core.metadata, self._locked(), self.package.name, self.places())
        return FILE, write_sbom(core, found, self.linked, self.tools)

    def carried_file(self, fat: CoreFiles, cores: Sequence[CoreFiles]) -> tuple[str, bytes]:
        """Return the same of a wheel that carries what it needs.

        Args:
            fat: The wheel's metadata.
            cores: That of the package, and of the project's packages that it carries, with what they need.

        Raises:
            ConflictError: The lock was changed since the build was planned.
            DamagedLockError: The lock is damaged.
            FilesystemError: It cannot be read.
        """
        from pypackpack.middleware.bundle.locked import carried_by  # noqa: PLC0415 - import cost, not in a no-op
        from pypackpack.middleware.bundle.sbom import FILE, write_sbom  # noqa: PLC0415 - as above

        found = carried_by(cores, self._locked(), self.package.name, self.places())
        return FILE, write_sbom(fat, found, self.linked, self.tools, carried=True)

    def dependency_file(self, core: CoreFiles, made_from: DependencyFile | None) -> tuple[str, bytes]:
        """Return the same of the wheel of a dependency that was compiled; what it was made from is its ancestor.

        Args:
            core: Name, version and licence of it.
            made_from: The file; None where it was made from what is installed. A lock may have no digest of it.

        Raises:
            ConflictError: The lock was changed since the build was planned.
            DamagedLockError: The lock is damaged.
            FilesystemError: It cannot be read.
        """
        from pypackpack.middleware.bundle.locked import needed_by  # noqa: PLC0415 - import cost, not in a no-op
        from pypackpack.middleware.bundle.sbom import FILE, write_sbom  # noqa: PLC0415 - as above

        before, needs = needed_by((core.name, core.version), self._locked(), self.package.name, self.places())
        before = replace(before, files=(made_from,) if made_from is not None else ())
        return FILE, write_sbom(core, needs, self.linked, self.tools, before=before)

    def _locked(self) -> bytes | None:
        """Return the lock's bytes."""
        data = None
        if self.lock is not None:
            data = filesystem.read_bytes(self.lock[0])
            if filesystem.sha256_bytes(data) != self.lock[1]:
                msg = f"{self.lock[0]} changed while {self.package.name} was being built"
                raise ConflictError(msg, hint="Run the same command again.")
        return data
