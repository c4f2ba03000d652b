"""Cross environments: a Python that runs here and reports a target, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pypackpack.model.target import PythonVersion


@dataclass(frozen=True)
class CrossEnvironment:
    """The environment of one target and one Python, ready to run build tools in.

    Attributes:
        package: Whose environment it is.
        target: Name of the target.
        python_version: The X.Y.
        kind: ``host`` (the target is this machine), ``crossenv`` (made by it over the target's own Python) or ``facts``.
        folder: Where it lies.
        python: The interpreter that runs here and reports the target.
        build_python: The same interpreter, reporting this machine; its packages are those that build tools are.
        site_packages: The target's dependencies.
        variables: What has to be set for a command in it; ``PATH`` holds only what comes before the rest.
        meson_cross_file: For ``meson setup --cross-file``; None for ``host``.
        cmake_toolchain: For ``CMAKE_TOOLCHAIN_FILE``; None for ``host``.
    """

    package: str
    target: str
    python_version: PythonVersion
    kind: str
    folder: Path
    python: Path
    build_python: Path
    site_packages: Path
    variables: Mapping[str, str]
    meson_cross_file: Path | None = None
    cmake_toolchain: Path | None = None
