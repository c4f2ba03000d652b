"""How packages of a project are named by URL: in the git repository that they come from, else where they lie."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.model.errors import SettingsError
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from pypackpack.model.project import Project

# user@host:path, as git writes ssh; a single letter before the colon is a drive of Windows.
_SCP = re.compile(r"(?P<user>[^/:@\s]+@)?(?P<host>[^/:@\s]{2,}):(?!//)(?P<path>\S+)")
_URL = re.compile(r"(?P<scheme>https?|ssh|git|file)://(?:(?P<user>[^/?#]*)@)?(?P<host>[^/?#@]*)(?P<path>[^?#]*)", re.IGNORECASE)


def repository_references(project: Project, *, paths: bool = True) -> dict[str, str]:
    """Return, for each package, the URL by which a requirement names it in the commit that is checked out.

    ``git+<url>@<commit>#subdirectory=<folder>``, where the URL is ``[tool.pypackpack] repository``, else the checkout's remote
    without credentials, else the checkout's own folder.

    Args:
        project: The project.
        paths: A package that the commit does not have, or all of them where there is no git, is named by its folder
            (``file://…``); otherwise it is left out.

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
    folders = {normalise(package.name): package.root.relative_to(tree.root).as_posix() for package in project.packages}
    there = git.committed(tree, (f"{folder}/pyproject.toml" for folder in folders.values()))
    for name, folder in folders.items():
        if f"{folder}/pyproject.toml" in there:
            result[name] = f"{url}@{tree.commit}#subdirectory={_quoted(folder)}"
    return result


def folder_references(project: Project) -> dict[str, str]:
    """Return, for each package, the URL of its folder."""
    return {normalise(package.name): package.root.as_uri() for package in project.packages}


def git_url(remote: str, root: Path) -> str:
    """Return a remote as requirements name it (``git+https://…``), without credentials; empty when they cannot.

    The name of an ssh user stays: without it the address would be another one.

    Args:
        remote: A URL, ``user@host:path``, or a path.
        root: What a relative path starts at.
    """
    text = remote.strip().removeprefix("git+")
    if not text:
        return ""
    if "://" in text:
        found = _URL.match(text)
        if found is None or not (found["host"] or found["scheme"].lower() == "file"):
            return ""
        scheme, user = found["scheme"].lower(), found["user"] or ""
        user = f"{user.partition(':')[0]}@" if scheme == "ssh" and user else ""
        return f"git+{scheme}://{user}{found['host']}{_quoted(found['path'])}"
    if "::" in text:
        return ""  # a remote helper: nothing that another machine could follow
    if (found := _SCP.fullmatch(text)) and not Path(text).is_absolute() and not os.path.lexists(root / text):
        return f"git+ssh://{found['user'] or ''}{found['host']}/{_quoted(found['path'].lstrip('/'))}"
    return f"git+{Path(os.path.abspath(root / text)).as_uri()}"  # noqa: PTH100 - a link stays what the person named


def _quoted(path: str) -> str:
    """Return a path as it may stand in a requirement, whose URL ends at the first space."""
    return re.sub(r"\s", lambda match: f"%{ord(match[0]):02X}", path)
