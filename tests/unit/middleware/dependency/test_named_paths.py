"""A bare path as a dependency."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pypackpack.middleware.dependency.named_paths import as_requirement
from pypackpack.middleware.project.read import load_project
from pypackpack.model.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    files = {
        "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\n[tool.pypackpack]\npackages = ["app", "core"]\n',
        "app/pyproject.toml": '[project]\nname = "app"\nversion = "1"\n[tool.pypackpack]\ntargets = ["linux_x86_64"]\n',
        "core/pyproject.toml": '[project]\nname = "core"\nversion = "1"\n[tool.pypackpack]\ntargets = ["linux_x86_64"]\n',
        "libs/thing/pyproject.toml": '[project]\nname = "Thing"\n',
        "libs/named-by-code/setup.py": "",
        "libs/broken/pyproject.toml": "[project\n",
        "libs/wheel_thing-1.0-py3-none-any.whl": "",
        "app/inner/pyproject.toml": '[project]\nname = "inner"\n',
        "libs/a b/pyproject.toml": '[project]\nname = "spaced"\n',
    }
    for name, text in files.items():
        place = tmp_path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    for name in ("app", "core"):
        (tmp_path / name / "src" / "main").mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(
    ("here", "typed", "line"),
    [
        ("", "./libs/thing", "Thing @ ../libs/thing"),
        ("", "libs/thing[more]", "Thing[more] @ ../libs/thing"),
        ("libs", "./thing/", "Thing @ ../libs/thing"),
        ("app", "../libs/thing", "Thing @ ../libs/thing"),
        ("app", "./inner", "inner @ ./inner"),
        ("libs/thing", ".", "Thing @ ../libs/thing"),
        ("", "libs/wheel_thing-1.0-py3-none-any.whl", "wheel_thing @ ../libs/wheel_thing-1.0-py3-none-any.whl"),
        ("", "./core", "core"),
        ("", "numpy", "numpy"),
        ("", "numpy[x]>=2; sys_platform == 'win32'", "numpy[x]>=2; sys_platform == 'win32'"),
        ("", "thing @ ./libs/thing", "thing @ ./libs/thing"),
        ("", "git+https://example.org/thing", "git+https://example.org/thing"),
    ],
)
def test_a_path_becomes_a_line(shop: Path, here: str, typed: str, line: str) -> None:
    project = load_project(shop)
    assert as_requirement(typed, project, project.packages[0], shop / here) == line


@pytest.mark.parametrize(
    ("typed", "message", "hint"),
    [
        ("./libs/nothing", "neither a folder nor a file", "where you stand"),
        ("./libs/named-by-code", "does not say the name", 'app add "<name> @ ../libs/named-by-code"'),
        ("./libs/broken", "does not say the name", "<name> @ ../libs/broken"),
        ("./libs/a b", "cannot have the space", 'spaced = { path = "../libs/a b" }'),
    ],
)
def test_what_a_path_cannot_say(shop: Path, typed: str, message: str, hint: str) -> None:
    project = load_project(shop)
    with pytest.raises(UsageError) as caught:
        as_requirement(typed, project, project.packages[0], shop)
    assert message in caught.value.message
    assert hint in caught.value.hint
