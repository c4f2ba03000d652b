"""Which tool a project that is not ours belongs to, and what it is by itself: a distribution, or a uv workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pypackpack.model.names import import_name, normalise

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# First word of a PEP 517 build-backend → the tool. Poetry's and flit's backends are packages of their own (`*-core`).
_BACKENDS = {
    "flit": "flit",
    "flit_core": "flit",
    "flit_scm": "flit",
    "hatchling": "hatch",
    "jupyter_packaging": "jupyter-packaging",
    "maturin": "maturin",
    "mesonpy": "meson-python",
    "pbr": "pbr",
    "pdm": "pdm",
    "poetry": "poetry",
    "poetry_dynamic_versioning": "poetry",
    "scikit_build_core": "scikit-build-core",
    "setuptools": "setuptools",
    "setuptools_rust": "setuptools",
    "sipbuild": "sip",
    "uv_build": "uv",
    "whey": "whey",
}

# [tool.<key>] → the tool, most telling first: a hatch project may have [tool.uv] too, hardly the other way round.
_TABLES = {
    "poetry": "poetry",
    "pdm": "pdm",
    "hatch": "hatch",
    "flit": "flit",
    "maturin": "maturin",
    "scikit-build": "scikit-build-core",
    "meson-python": "meson-python",
    "setuptools": "setuptools",
    "setuptools_scm": "setuptools",
    "rye": "rye",
    "pixi": "pixi",
    "uv": "uv",
}

# A file beside pyproject.toml → the tool.
_FILES = {
    "poetry.lock": "poetry",
    "pdm.lock": "pdm",
    "hatch.toml": "hatch",
    "pixi.toml": "pixi",
    "pixi.lock": "pixi",
    "uv.lock": "uv",
    "Pipfile": "pipenv",
    "setup.py": "setuptools",
    "setup.cfg": "setuptools",
}


def foreign_tool(folder: Path, content: Mapping[str, Any] | None) -> str | None:
    """Return the tool that a folder's project belongs to, or None when nothing there says.

    Args:
        folder: The project's folder.
        content: Its pyproject.toml; None when there is none.
    """
    if content is not None:
        system = content.get("build-system")
        backend = system.get("build-backend") if isinstance(system, dict) else None
        if isinstance(backend, str):
            word = backend.partition(":")[0].partition(".")[0]
            return _BACKENDS.get(word, word)
        tool = content.get("tool")
        for key, name in _TABLES.items():
            if isinstance(tool, dict) and key in tool:
                return name
    for file, name in _FILES.items():
        if (folder / file).is_file():
            return name
    return None


def workspace_members(root: Path, content: Mapping[str, Any]) -> dict[str, Path]:
    """Return the members of the uv workspace that a project was before it was adopted: normalised name → folder.

    Args:
        root: The project's folder.
        content: Its pyproject.toml.

    Raises:
        SettingsError: The pyproject.toml of a member is broken.
    """
    from pypackpack.middleware.project.read import FILE  # noqa: PLC0415 - it would be a circle
    from pypackpack.middleware.project.toml import read_toml  # noqa: PLC0415 - import cost

    found: dict[str, Path] = {}
    patterns = _table(content, "tool", "uv", "workspace").get("members")
    for pattern in patterns if isinstance(patterns, list) else ():
        for folder in sorted(root.glob(pattern)) if isinstance(pattern, str) else ():
            name = _table(read_toml(folder / FILE), "project").get("name") if (folder / FILE).is_file() else None
            if isinstance(name, str):
                found.setdefault(normalise(name), folder)
    return found


def own_code(root: Path, content: Mapping[str, Any]) -> str:
    """Return the name of a project that is a distribution with code of its own, which is none of its packages; else nothing."""
    name = own_name(content)
    module = import_name(name)
    places = (root / "src" / module, root / module, root / f"{module}.py", root / "src" / f"{module}.py")
    if name and (any(place.exists() for place in places) or own_scripts(content)):
        return name
    return ""


def own_name(content: Mapping[str, Any]) -> str:
    """Return the name that a project has as a distribution, in the standard's table or in Poetry's."""
    name = _table(content, "project").get("name") or _table(content, "tool", "poetry").get("name")
    return name if isinstance(name, str) else ""


def own_scripts(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the commands that a project itself says it has, in the standard's tables or in Poetry's."""
    tables = (_table(content, "project", "scripts"), _table(content, "project", "gui-scripts"))
    return {**_table(content, "tool", "poetry", "scripts"), **tables[0], **tables[1]}


def way_into_a_package(name: str) -> str:
    """Return what makes a project's own code a package, as a hint: its name must be free for that."""
    return (
        f"Its code can become a package: give the project another name in pyproject.toml, then `pypackpack package add {name}`, "
        f"and move the code into {name}/src/main."
    )


def _table(content: object, *words: str) -> dict[str, Any]:
    here = content
    for word in words:
        here = here.get(word) if isinstance(here, dict) else None
    return here if isinstance(here, dict) else {}
