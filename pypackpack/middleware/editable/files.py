"""What goes into an environment for an editable package: a ``.pth`` file, and the finder that it imports."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pypackpack
from pypackpack.middleware.editable.places import extensions_folder
from pypackpack.middleware.editable.view import view_folder
from pypackpack.middleware.project.templates import template

if TYPE_CHECKING:
    from pypackpack.model.project import Package
    from pypackpack.model.target import Target

PREFIX = "_editable_"
"""What the names of the files begin with; the import package's name follows."""


def source_layers(package: Package, target: Target | None) -> tuple[str, ...]:
    """Return the folders of sources that are in force on a target, the uppermost first, whether or not they are there.

    Args:
        package: The package.
        target: The machine's target; None on a system that is no target: there only ``src/main`` counts.
    """
    names = ["main"] if target is None else [target.name, target.family, "main"]
    return tuple(os.fspath(package.source / name) for name in names)


def editable_files(package: Package, target: Target | None) -> tuple[tuple[str, bytes], ...]:
    """Return name and bytes of each file that belongs into site-packages, beside the ``.dist-info`` folder.

    The ``.pth`` file names the folder that type checkers read, and imports the few lines that run at every start of Python;
    what does the work is loaded with the package. Pythons before 3.13 read a ``.pth`` file in the encoding of the machine's
    locale: a path that this could spoil stands in the module instead, whose text is always UTF-8.
    """
    module = PREFIX + package.import_name
    view = os.fspath(view_folder(package, target))
    in_pth = view.isascii() and view.isprintable()
    start = template(
        "editable",
        name=package.import_name,
        finder=f"{module}_finder",
        layers=repr(source_layers(package, target)),
        paths=repr([] if in_pth else [view]),
        built=repr(os.fspath(extensions_folder(package, target)) if target is not None else ""),
    )
    pth = f"{view}\nimport {module}\n" if in_pth else f"import {module}\n"
    return (
        (f"{module}.pth", pth.encode()),
        (f"{module}.py", start.encode()),
        (f"{module}_finder.py", (Path(pypackpack.__file__).parent / "client" / "editable_finder.py").read_bytes()),
    )
