"""The folder by which type checkers follow an editable package.

They read folders and know no import finders, and none of them can be told that ``src/main`` is the package ``<name>``. So
``build/editable/<target>/<import name>`` shows the package as it is imported, by links: a folder that one layer alone has is one
link, so that files made in it later are seen too; a folder that several layers have is a folder with a link for each file, and
is brought up to date whenever the package is installed (``pypackpack sync``). The top carries a ``py.typed``, without which mypy
would not look into an installed package; it is never shipped.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.backend.links import link
from pypackpack.backend.undo import Undo
from pypackpack.middleware.compile.layers import NOT_SHIPPED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pypackpack.model.project import Package
    from pypackpack.model.target import Target

_LIST = ".links.json"
_MARK = "py.typed"


def view_folder(package: Package, target: Target | None) -> Path:
    """Return the folder that stands on ``sys.path`` for type checkers."""
    return package.build_folder / "editable" / (target.name if target is not None else "main")


def view_is_current(package: Package, target: Target | None, layers: Sequence[str]) -> bool:
    """Tell whether the folder shows what the layers have now."""
    folder = view_folder(package, target)
    try:
        there = (folder / _LIST).read_bytes()
    except OSError:
        return False
    return there == _listing(_links(package.import_name, layers)) and (folder / package.import_name / _MARK).exists()


def make_view(package: Package, target: Target | None, layers: Sequence[str]) -> Path:
    """Make the folder, or bring it up to date, in one step; returns it.

    Raises:
        FilesystemError: It cannot be made.
    """
    folder = view_folder(package, target)
    if view_is_current(package, target, layers):
        return folder
    links = _links(package.import_name, layers)
    with filesystem.scratch_folder(folder.parent, ".view-") as scratch:
        fresh = scratch / folder.name
        for place, path in links.items():
            link(fresh / place, path)
        mark = fresh / package.import_name / _MARK
        if not os.path.lexists(mark):
            filesystem.write_scratch(mark, b"")
        filesystem.write_scratch(fresh / _LIST, _listing(links))
        with Undo() as undo:
            undo.swap(fresh, folder)
    return folder


def _listing(links: dict[str, Path]) -> bytes:
    return json.dumps({place: os.fspath(path) for place, path in links.items()}, indent=1).encode()


def _links(name: str, layers: Sequence[str]) -> dict[str, Path]:
    """Return place → what it stands for. The top is never one link: it gets a file of its own."""
    from pathlib import Path  # noqa: PLC0415 - typing-only elsewhere

    return dict(_below(name, [Path(folder) for folder in layers if os.path.isdir(folder)], top=True))  # noqa: PTH112 - text


def _below(place: str, folders: Sequence[Path], *, top: bool = False) -> Iterator[tuple[str, Path]]:
    if len(folders) == 1 and not top:
        yield place, folders[0]
        return
    names: dict[str, list[Path]] = {}
    for folder in folders:
        with filesystem.explained("read", folder):
            for entry in sorted(os.listdir(folder)):  # noqa: PTH208 - names only
                names.setdefault(entry, []).append(folder / entry)
    for name, paths in sorted(names.items()):
        if name in NOT_SHIPPED or name == "__pycache__" or name.endswith((".pyc", "~", ".swp")):
            continue
        if paths[0].is_dir():
            yield from _below(f"{place}/{name}", [path for path in paths if path.is_dir()])
        else:
            yield f"{place}/{name}", paths[0]
