"""`pypackpack inspect`: what an artifact is. One question, answered by what the file is.

A new kind of artifact is one more file here and one more row in `KINDS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.middleware.inspect.wheel import inspect_wheel
from pypackpack.model.errors import NotYetError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pypackpack.model.inspection import Inspection

KINDS: tuple[tuple[str, Callable[[Path], Inspection]], ...] = ((".whl", inspect_wheel),)
"""Ends of names, with what looks into such a file."""

LATER = (".whl.patch",)
"""Artifacts that are not looked into yet."""


def inspect(path: Path) -> Inspection:
    """Return what is known of an artifact.

    Raises:
        UsageError: It is not there, or no kind of file that we know.
        DamagedArtifactError: It is damaged, or holds what no such file holds.
        FilesystemError: It cannot be read.
    """
    name = path.name.lower()
    if path.is_dir():
        msg = f"{path} is a folder"
        raise UsageError(msg, hint="Name a wheel; the folder of a binary has a manifest.json, which says what is in it.")
    if not path.exists():
        msg = f"{path} is not there"
        raise UsageError(msg, hint="`pypackpack build` prints the paths of what it made.")
    if not path.is_file():  # a pipe would be waited for
        msg = f"{path} is no regular file"
        raise UsageError(msg, hint="Name a wheel.")
    if name.endswith(LATER):
        msg = f"{path} is a patch, which this version of pypackpack cannot look into yet"
        raise NotYetError(msg, hint="`pypackpack patch show` says what it does.")
    for end, look in KINDS:
        if name.endswith(end):
            return look(path)
    msg = f"{path} is no artifact that inspect knows"
    raise UsageError(msg, hint="It reads wheels: files whose names end in .whl.")
