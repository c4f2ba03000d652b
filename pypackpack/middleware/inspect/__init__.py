"""`pypackpack inspect`: what an artifact is. One question, answered by what the file is.

A new kind of artifact is one more file here and one more row in `KINDS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.middleware.bundle.binary import MANIFEST
from pypackpack.middleware.inspect.binary import inspect_binary
from pypackpack.middleware.inspect.wheel import inspect_wheel
from pypackpack.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pypackpack.model.comparison import Comparison, PatchInspection, ResourceComparison, ResourceInspection
    from pypackpack.model.inspection import Inspection


def _patch(path: Path) -> PatchInspection:
    from pypackpack.middleware.inspect.patch import inspect_patch  # noqa: PLC0415 - import cost

    return inspect_patch(path)


def _resource(path: Path) -> ResourceInspection:
    from pypackpack.middleware.inspect.resource import inspect_resource  # noqa: PLC0415 - import cost

    return inspect_resource(path)


KINDS: tuple[tuple[str, Callable[[Path], Inspection | PatchInspection | ResourceInspection]], ...] = (
    (".whl.patch", _patch),
    (".whl", inspect_wheel),
    (".resource", _resource),
)
"""Ends of names, with what looks into such a file."""


def inspect(path: Path) -> Inspection | PatchInspection | ResourceInspection:
    """Return what is known of an artifact.

    Raises:
        UsageError: It is not there, or no kind of file that we know.
        DamagedArtifactError: It is damaged, or holds what no such file holds.
        MissingToolError: It is for a newer pypackpack.
        FilesystemError: It cannot be read.
    """
    if path.is_dir() and (path / MANIFEST).is_file():
        return inspect_binary(path)
    _check(path)
    name = path.name.lower()
    for end, look in KINDS:
        if name.endswith(end):
            return look(path)
    msg = f"{path} is no artifact that inspect knows"
    kinds = "wheels (.whl), patches (.whl.patch), archives of data files (.resource), and folders of binaries"
    raise UsageError(msg, hint=f"It reads {kinds}.")


def compare(first: Path, second: Path) -> Comparison | ResourceComparison:
    """Return what separates two wheels, or two archives of data files.

    Raises:
        UsageError: One is not there, or the two are no such pair.
        DamagedArtifactError: One is damaged.
        MissingToolError: One is for a newer pypackpack.
        FilesystemError: One cannot be read.
    """
    from pypackpack.middleware.inspect.compare import compare_wheels  # noqa: PLC0415 - import cost
    from pypackpack.middleware.inspect.resource import compare_resources  # noqa: PLC0415 - import cost

    for path in (first, second):
        _check(path)
    pairs: tuple[tuple[str, Callable[[Path, Path], Comparison | ResourceComparison]], ...] = (
        (".whl", compare_wheels),
        (".resource", compare_resources),
    )
    for end, look in pairs:
        if all(path.name.lower().endswith(end) for path in (first, second)):
            return look(first, second)
    msg = f"{first.name} and {second.name} are neither two wheels nor two archives of data files"
    raise UsageError(msg, hint="--diff takes two files whose names end in .whl, or in .resource.")


def _check(path: Path) -> None:
    if path.is_dir():
        from pypackpack.middleware.bundle.separate import is_folder_of_wheels  # noqa: PLC0415 - import cost

        if is_folder_of_wheels(path):
            msg = f"{path} is a folder of wheels"
            raise UsageError(msg, hint="Name one of its wheels.")
        msg = f"{path} is a folder without a {MANIFEST}"
        raise UsageError(msg, hint="Name a wheel, or the folder of a binary: that of one target.")
    if not path.exists():
        msg = f"{path} is not there"
        raise UsageError(msg, hint="`pypackpack build` prints the paths of what it made.")
    if not path.is_file():  # a pipe would be waited for
        msg = f"{path} is no regular file"
        raise UsageError(msg, hint="Name a wheel.")
