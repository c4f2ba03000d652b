"""Editable packages as wheels, for frontends that install by PEP 660."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.middleware.editable.files import editable_files, source_layers
from pypackpack.middleware.editable.view import make_view

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import Target


def editable_wheel(
    package: Package, project: Project, folder: Path, target: Target | None, references: Mapping[str, str] | None = None
) -> Path:
    """Write a wheel that makes a package importable from where it lies; returns the wheel.

    It holds paths of this machine and is for this machine only.

    Args:
        package: The package.
        project: Its project.
        folder: Where the wheel goes; made if needed.
        target: The machine's target; None on a system that is no target.
        references: See `pypackpack.middleware.bundle.metadata.core_metadata`.

    Raises:
        SettingsError: The package's metadata is wrong.
        SourceError: It has no ``src/main``.
        FilesystemError: A file cannot be read or written.
    """
    from pypackpack.middleware.bundle.metadata import core_metadata  # noqa: PLC0415 - import cost
    from pypackpack.middleware.bundle.tags import WheelTag  # noqa: PLC0415 - import cost
    from pypackpack.middleware.bundle.wheel import WheelMember, write_wheel  # noqa: PLC0415 - import cost
    from pypackpack.middleware.compile.layers import Layers  # noqa: PLC0415 - import cost

    Layers(package)  # refuses a package without sources
    core = core_metadata(package, project, target, references)
    members = [WheelMember(name, data) for name, data in editable_files(package, target)]
    wheel = write_wheel(folder, core=core, tags=WheelTag("py3", "none", ("any",)), pure=True, members=members)
    make_view(package, target, source_layers(package, target))
    return wheel.path
