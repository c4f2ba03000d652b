"""Which tool a project that is not ours belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
