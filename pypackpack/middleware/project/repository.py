"""How packages of a project are named by URL: in the git repository that they come from, else where they lie."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pypackpack.middleware.project.paths import folder_key, place_of
from pypackpack.middleware.project.toml import read_toml
from pypackpack.model.errors import SettingsError
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from pypackpack.model.project import Project

# user@host:path, as git writes ssh; a single letter before the colon is a drive of Windows.
_SCP = re.compile(r"(?P<user>[^/:@\s]+@)?(?P<host>[^/:@\s]{2,}):(?!//)(?P<path>\S+)")
_SOURCES = ("pyproject.toml", "setup.py")
"""Either of them makes a folder one that an installer can build."""

_URL = re.compile(r"(?P<scheme>https?|ssh|git|file)://(?:(?P<user>[^/?#]*)@)?(?P<host>[^/?#@]*)(?P<path>[^?#]*)", re.IGNORECASE)


def repository_references(project: Project, *, paths: bool = True) -> dict[str, str]:
    """Return, for each package and each folder that requirements name, its URL in the commit that is checked out.

    ``git+<url>@<commit>#subdirectory=<folder>``, where the URL is ``[tool.pypackpack] repository``, else the checkout's remote
    without credentials, else the checkout's own folder.

    Args:
        project: The project.
        paths: A package that the commit does not have, or all of them where there is no git, is named by its folder
            (``file://…``); otherwise it is left out.

    Returns:
        Normalised name of a package, or absolute path of a folder → URL.

    Raises:
        SettingsError: ``repository`` is no URL that git takes.
    """
    from pypackpack.backend.tools import git  # noqa: PLC0415 - import cost

    said = git_url(project.repository, project.root) if project.repository else ""
    if project.repository and not said:
        msg = (
            f'{project.root / "pyproject.toml"}: tool.pypackpack.repository: "{project.repository}" is no URL of a git repository'
        )
        raise SettingsError(msg, hint='Write it as "https://host/owner/project", or as "ssh://git@host/owner/project".')
    tree = git.checkout(project.root)
    result = folder_references(project) if paths else {}
    if tree is None or not project.root.is_relative_to(tree.root):
        return result
    url = said or git_url(tree.remote, tree.root) or f"git+{tree.root.as_uri()}"
    places = _places(project)
    folders = {key: place.relative_to(tree.root).as_posix() for key, place in places.items() if place.is_relative_to(tree.root)}
    there = git.committed(tree, (f"{folder}/{file}" for folder in folders.values() for file in _SOURCES))
    for name, folder in folders.items():
        if any(f"{folder}/{file}" in there for file in _SOURCES):
            result[name] = f"{url}@{tree.commit}#subdirectory={_quoted(folder)}"
    return result


def folder_references(project: Project) -> dict[str, str]:
    """Return, for each package and each folder that requirements name, its URL; keys as in `repository_references`."""
    return {key: place.as_uri() for key, place in _places(project).items()}


def has_folders(project: Project) -> bool:
    """Tell whether a requirement of the project or of one of its packages names a folder or file by a relative path."""
    return len(_places(project)) > len(project.packages)


def _places(project: Project) -> dict[str, Path]:
    """Return where packages, and what requirements name by a relative path, lie."""
    result = {normalise(package.name): package.root for package in project.packages}
    for root in (project.root, *(package.root for package in project.packages)):
        file = root / "pyproject.toml"
        content: Any = read_toml(file) if file.is_file() else {}
        own = content.get("project", {})
        tables = content.get("tool", {}).get("pypackpack", {}).get("target", {}).values()
        lists = [own.get("dependencies", []), *own.get("optional-dependencies", {}).values()]
        lists += [table.get("dependencies", []) for table in tables]
        for line in (line for lines in lists for line in lines if isinstance(line, str)):
            if place := place_of(line):
                key = folder_key(root, place)
                result[key] = Path(key)
    return result


def git_url(remote: str, root: Path) -> str:
    """Return a remote as requirements name it (``git+https://…``), without credentials; empty when they cannot.

    The name of an ssh user stays: without it the address would be another one.

    Args:
        remote: A URL, ``user@host:path``, or a path.
        root: What a relative path starts at.
    """
    text = remote.strip().removeprefix("git+")
    if not text or not text.isprintable():
        return ""
    if "://" in text:
        found = _URL.match(text)
        if found is None or not (found["host"] or found["scheme"].lower() == "file"):
            return ""
        if (found["host"] or "").startswith("-"):
            return ""  # ssh would take it for an option
        scheme, user = found["scheme"].lower(), found["user"] or ""
        user = f"{user.partition(':')[0]}@" if scheme == "ssh" and user else ""
        return f"git+{scheme}://{user}{found['host']}{_quoted(found['path'])}"
    if "::" in text:
        return ""  # a remote helper: nothing that another machine could follow
    if (found := _SCP.fullmatch(text)) and not Path(text).is_absolute() and not os.path.lexists(root / text):
        if found["host"].startswith("-"):
            return ""
        return f"git+ssh://{found['user'] or ''}{found['host']}/{_quoted(found['path'].lstrip('/'))}"
    return f"git+{Path(os.path.abspath(root / text)).as_uri()}"  # noqa: PTH100 - a link stays what the person named


def _quoted(path: str) -> str:
    """Return a path as it may stand in a requirement, whose URL ends at the first space."""
    return re.sub(r"\s", lambda match: f"%{ord(match[0]):02X}", path)
