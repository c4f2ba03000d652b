"""The extras of a project: one for each of its packages, for installations from git."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pypackpack.middleware.project.edit import append_word
from pypackpack.model.names import normalise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tomlkit import TOMLDocument

BACKEND = "pypackpack.build_api"
FIELD = "optional-dependencies"


def _backend(content: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a TOML value
    system = content.get("build-system")
    return system.get("build-backend") if isinstance(system, dict) else None


def own_extra(content: Mapping[str, Any], name: str) -> str:
    """Return the extra of a project's pyproject.toml that cannot stand beside a package of this name; empty when none is there.

    Where another build backend makes the project's metadata, an extra of a package's name is what the person offers for it.
    """
    extras = content.get("project", {}).get(FIELD, {}) if _backend(content) == BACKEND else {}
    return next((str(extra) for extra in extras if normalise(extra) == normalise(name)), "")


def offer_extras(document: TOMLDocument) -> str:
    """Let a project's pyproject.toml say that its extras come from the build backend, which makes one for each package.

    pip asks the backend anyway; uv does only for what the file calls dynamic, and takes the file's word for all else.

    Returns:
        What stands against it, for a person to read: then the file is left as it is. Empty when all is well.
    """
    content: Any = document
    project = content.get("project")
    backend = _backend(content)
    if backend != BACKEND:
        what = f"the project is built by {backend}" if backend else "the project names no build backend"
        return f"{what}, so that it offers no extras for its packages"
    if not isinstance(project, dict):
        return "the project has no [project] table, so that it offers no extras for its packages"
    if "dynamic" not in project:
        import tomlkit  # noqa: PLC0415 - import cost

        fields = tomlkit.array()
        fields.append(FIELD)
        project["dynamic"] = fields
    elif FIELD not in project["dynamic"]:
        append_word(project["dynamic"], FIELD)
    return ""
