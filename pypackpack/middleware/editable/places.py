"""Where what an editable package needs besides its sources lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.model.project import Package
    from pypackpack.model.target import Target


def extensions_folder(package: Package, target: Target) -> Path:
    """Return the folder of a package's built extension modules on a target, whether or not it is there."""
    return package.build_folder / "editable" / "native" / target.name
