"""Puts editable packages into an environment, as an installer would (PEP 376 and 610: ``RECORD``, ``direct_url.json``).

No index, no build and no child process is needed for it. The files are put in place one by one, each whole, the ``.dist-info``
folder as the last: an installation that was cut off is not taken for a current one, and installing again completes it.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import os
import re
from typing import TYPE_CHECKING

from pypackpack import __version__
from pypackpack.backend import filesystem
from pypackpack.backend.undo import Undo
from pypackpack.middleware.editable.files import editable_files, source_layers
from pypackpack.middleware.editable.scripts import scripts
from pypackpack.middleware.editable.view import make_view, view_is_current
from pypackpack.middleware.project.toml import content_digest
from pypackpack.model.errors import FilesystemError, SettingsError
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import Target

STATE = "pypackpack.json"
"""The file in ``.dist-info`` that holds the digest of all that the installation was made from."""

_DIST_INFO = re.compile(r"(?P<name>.+)-[^-]+\.dist-info")
_NOT_METADATA = frozenset({"pyproject.lock", "releases.toml"})


def install_editable(package: Package, project: Project, site_packages: Path, target: Target | None) -> None:
    """Make a package importable from its sources, in the environment that ``site_packages`` belongs to.

    Any other installation of the package there is replaced. Other packages of the project that it needs are not looked at:
    its metadata pins their present versions.

    Args:
        package: The package.
        project: Its project.
        site_packages: The environment's site-packages; must be there. Scripts of ``[project.scripts]`` go into the environment's
            folder of programs; where no ``pyvenv.cfg`` is found above site-packages there are none.
        target: The machine's target, whose overlay is in force; None on a system that is no target.

    Raises:
        SettingsError: The package's metadata is wrong; nothing was changed.
        SourceError: It has no ``src/main``; nothing was changed.
        FilesystemError: Something cannot be written; installing again completes it.
    """
    from pypackpack.middleware.bundle.metadata import core_metadata  # noqa: PLC0415 - import cost
    from pypackpack.middleware.bundle.wheel import record, record_hash  # noqa: PLC0415 - import cost
    from pypackpack.middleware.compile.layers import Layers  # noqa: PLC0415 - import cost

    Layers(package)  # refuses a package without sources
    core = core_metadata(package, project, target, installed=True)
    state = _state(package, project, target)
    make_view(package, target, source_layers(package, target))
    outside = {**dict(editable_files(package, target)), **scripts(core.entry_points, site_packages)}
    url = {"dir_info": {"editable": True}, "url": package.root.as_uri()}
    wheel = f"Wheel-Version: 1.0\nGenerator: pypackpack {__version__}\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    inside = {
        **dict(core.files()),
        "INSTALLER": b"pypackpack\n",
        "WHEEL": wheel.encode(),
        "direct_url.json": json.dumps(url).encode(),
        STATE: json.dumps({"state": state}).encode(),
    }
    files = {**outside, **{f"{core.dist_info}/{name}": data for name, data in inside.items()}}
    rows = [(path, record_hash(hashlib.sha256(data).digest()), str(len(data))) for path, data in sorted(files.items())]
    inside["RECORD"] = record([*rows, (f"{core.dist_info}/RECORD", "", "")])
    before = {path for info in _dist_infos(package.name, site_packages) for path in _recorded(info, site_packages)}
    for path, data in outside.items():
        filesystem.write_atomic(site_packages / path, data, executable=path.startswith(".."))
    with filesystem.scratch_folder(site_packages, ".editable-") as scratch:
        for name, data in inside.items():
            filesystem.write_scratch(scratch / core.dist_info / name, data)
        for info in _dist_infos(package.name, site_packages):
            if info.name != core.dist_info:
                filesystem.remove_tree(info)
        with Undo() as undo:
            undo.swap(scratch / core.dist_info, site_packages / core.dist_info)
    _remove(before - {_real(site_packages / path) for path in (*files, f"{core.dist_info}/RECORD")}, site_packages)


def is_current(package: Package, project: Project, site_packages: Path, target: Target | None) -> bool:
    """Tell whether `install_editable` with the same arguments would change nothing; costs a few reads and no imports.

    A file that somebody changed or removed by hand is noticed.
    """
    infos = _dist_infos(package.name, site_packages)
    try:
        if len(infos) != 1 or json.loads((infos[0] / STATE).read_bytes()) != {"state": _state(package, project, target)}:
            return False
        rows = list(csv.reader(io.StringIO((infos[0] / "RECORD").read_text(encoding="utf-8"), newline="")))
        if any(size and (site_packages / path).stat().st_size != int(size) for path, _, size in rows):
            return False
        if any((site_packages / name).read_bytes() != data for name, data in editable_files(package, target)):
            return False
    except (OSError, ValueError, FilesystemError, SettingsError):
        return False
    return view_is_current(package, target, source_layers(package, target))


def remove_editable(name: str, site_packages: Path) -> bool:
    """Take every installation of a distribution out of an environment; returns whether there was one.

    Only what its ``RECORD`` names is removed, and only inside the environment: never a source.

    Args:
        name: The distribution, in any spelling.
        site_packages: The environment's site-packages.

    Raises:
        FilesystemError: Something cannot be removed.
    """
    infos = _dist_infos(name, site_packages)
    files = {path for info in infos for path in _recorded(info, site_packages)}
    for info in infos:
        filesystem.remove_tree(info)
    _remove(files, site_packages)
    return bool(infos)


def _dist_infos(name: str, site_packages: Path) -> list[Path]:
    wanted = normalise(name)
    with filesystem.explained("read", site_packages):
        names = os.listdir(site_packages)  # noqa: PTH208 - hundreds of names, only compared
    found = (item for item in sorted(names) if (match := _DIST_INFO.fullmatch(item)) and normalise(match["name"]) == wanted)
    return [site_packages / item for item in found]


def _recorded(info: Path, site_packages: Path) -> Iterator[Path]:
    """Yield the files that a distribution says are its own, as far as they lie in the environment."""
    try:
        text = (info / "RECORD").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return
    home = environment_of(site_packages) or site_packages
    for row in csv.reader(io.StringIO(text, newline="")):
        if row:
            path = _real(site_packages / row[0])
            if home.resolve() in path.parents:
                yield path


def _real(path: Path) -> Path:
    """Return a path without ``..`` and links in its folders; a link at its end stays."""
    return path.parent.resolve() / path.name


def _remove(files: set[Path], site_packages: Path) -> None:
    """Remove files, what Python compiled of them, and folders of site-packages that are empty then."""
    site = site_packages.resolve()
    for path in sorted(files):
        with filesystem.explained("remove", path):
            path.unlink(missing_ok=True)
            if path.suffix == ".py":
                for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
                    compiled.unlink(missing_ok=True)
    parents = {parent for path in files for parent in path.parents if site in parent.parents}
    for folder in sorted(parents, key=lambda item: len(item.parts), reverse=True):
        for empty in (folder / "__pycache__", folder):
            with contextlib.suppress(OSError):  # not empty, or gone: both are right
                empty.rmdir()


def environment_of(site_packages: Path) -> Path | None:
    """Return the virtual environment that a site-packages folder belongs to, or None."""
    return next((folder for folder in site_packages.parents if (folder / "pyvenv.cfg").is_file()), None)


def _state(package: Package, project: Project, target: Target | None) -> str:
    """Return the digest of all that an installation is made from.

    Readmes and licences, which go into the metadata, count by size and date like every file beside pyproject.toml.
    """
    tops = []
    for folder in (package.root, project.root):
        with filesystem.explained("read", folder), os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda item: item.name):
                if entry.name.startswith(".") or entry.name in _NOT_METADATA or not entry.is_file():
                    continue
                if entry.name != "pyproject.toml":
                    state = entry.stat()
                    tops.append(f"{folder}/{entry.name} {state.st_size} {state.st_mtime_ns}")
    siblings = [f"{other.name} {other.version}" for other in project.packages]
    pyproject = content_digest(package.root / "pyproject.toml")
    words = [__version__, target.name if target else "", pyproject, *source_layers(package, target), *tops, *siblings]
    return filesystem.sha256_bytes("\0".join(words))
