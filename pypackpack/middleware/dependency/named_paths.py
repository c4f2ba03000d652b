"""A bare path as a dependency, as people who know pip and uv type it: what lies there, and how the line is written."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.model.errors import PyPackPackError, UsageError
from pypackpack.model.names import is_distribution_name

if TYPE_CHECKING:
    from pypackpack.model.project import Package, Project

_EXTRAS = re.compile(r"(?P<path>.+?)(?P<extras>\[[^\[\]]*\])?")
_FILES = (".whl", ".tar.gz", ".zip")


def as_requirement(text: str, project: Project, package: Package, here: Path) -> str:
    """Return a path as a PEP 508 string that names what lies there; every other word as it is.

    Args:
        text: As typed: ``./libs/thing``, ``../thing[extra]``, ``thing-1.0-py3-none-any.whl``.
        project: The project; the folder of one of its packages is named by the package's name alone.
        package: Whose dependency it becomes: its folder is where a relative path in the line begins.
        here: Where the person stands: there a relative path that is typed begins.

    Raises:
        UsageError: Nothing is there, or nothing that says its name.
    """
    found = _EXTRAS.fullmatch(text.strip())
    if found is None or "@" in text or ";" in text or "://" in text:
        return text
    path, extras = found["path"], found["extras"] or ""
    place = Path(os.path.abspath(here / path))  # noqa: PTH100 - a link stays what the person named
    marked = path.startswith((".", "/", "~")) or "/" in path or os.sep in path or path.lower().endswith(_FILES)
    if not marked:
        return text
    if not place.exists():
        msg = f"{path}: there is neither a folder nor a file at {place}"
        raise UsageError(msg, hint="A path begins where you stand; what comes from an index is written by its name alone.")
    local = next((each for each in project.packages if os.path.realpath(each.root) == os.path.realpath(place)), None)
    if local is not None:
        return f"{local.name}{extras}"
    relative = os.path.relpath(place, package.root) if place.drive == package.root.drive else os.fspath(place)
    relative = Path(relative).as_posix()
    where = relative if relative.startswith("../") or Path(relative).is_absolute() else f"./{relative}"
    name = _name_in(place)
    if " " in where:
        msg = f'a line of dependencies cannot have the space that is in "{where}"'
        source = f'{name or "<name>"} = {{ path = "{relative}" }}'
        hint = f"Write {source} into [tool.uv.sources] of {package.name}/pyproject.toml, and add {name or '<name>'}."
        raise UsageError(msg, hint=hint)
    if name is None:
        msg = f"{path} does not say the name of what it has"
        raise UsageError(msg, hint=f'Write it with the name: `pypackpack {package.name} add "<name> @ {where}"`.')
    return f"{name}{extras} @ {where}"


def _name_in(place: Path) -> str | None:
    """Return the name of the distribution that a folder's ``pyproject.toml`` or a file's own name says."""
    if place.is_file():
        name = re.match(r"([A-Za-z0-9][A-Za-z0-9._]*?)-\d", place.name)
        return name[1] if name and place.name.endswith(_FILES) else None
    from pypackpack.middleware.project.toml import read_toml  # noqa: PLC0415 - import cost

    try:
        table = read_toml(place / "pyproject.toml").get("project", {})
    except PyPackPackError:
        return None
    said = table.get("name") if isinstance(table, dict) else None
    return said if isinstance(said, str) and is_distribution_name(said) else None
