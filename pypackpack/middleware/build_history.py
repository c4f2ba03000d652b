"""Where the history of a project's tasks lies: one file per project in the user's cache."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.middleware.graph.history import History
from pypackpack.model.errors import PyPackPackError

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.model.project import Project

VERSION = "history-v2"


def history_file(cache: Path, project: Project) -> Path:
    """Return the file of a project."""
    return cache / VERSION / f"{filesystem.sha256_bytes(os.fspath(project.root))[:32]}.txt"


def open_history(cache: Path, project: Project) -> History:
    """Read a project's history; none that can be read is an empty one."""
    try:
        return History(history_file(cache, project).read_bytes())
    except OSError:
        return History()


def save_history(cache: Path, project: Project, history: History) -> None:
    """Write what was learnt; it only explains, so an unwritable place is no error."""
    if history.changed:
        with contextlib.suppress(PyPackPackError):
            filesystem.write_atomic(history_file(cache, project), history.text(), durable=False)
