"""The project that uv works on, and what is carried back from it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from pypackpack.middleware.environment import development_project as works
from pypackpack.middleware.environment.development_change import carry_over
from pypackpack.middleware.environment.distributions import damaged, distributions
from pypackpack.middleware.project.read import load_project
from pypackpack.middleware.target import table

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path

ROOT = """\
[project]
name = "shop"
version = "3.1"
dependencies = ["click"]

[project.optional-dependencies]
billing = ["billing @ git+https://example.org/shop@abc#subdirectory=billing"]
web = ["flask"]

[dependency-groups]
dev = ["pytest", { include-group = "docs" }]
docs = ["mkdocs"]

[tool.uv]
package = true
find-links = ["wheels", "https://example.org/links"]

[tool.uv.workspace]
members = ["libs/*"]

[tool.uv.sources]
pytest = { path = "libs/pytest", editable = true }
click = [{ git = "https://example.org/click", marker = "sys_platform == 'linux'" }, { path = "../click" }]

[[tool.uv.index]]
name = "corp"
url = "../index"

[tool.pypackpack]
packages = ["billing", "core"]
"""
BILLING = """\
[project]
name = "Billing"
version = "1.0"
requires-python = ">=3.12"
dependencies = ["core @ git+https://example.org/shop@abc#subdirectory=core ; python_version > '3'", "numpy"]

[project.optional-dependencies]
fast = ["cython", "core"]

[tool.uv.sources]
numpy = { path = "vendored/numpy" }

[[tool.uv.index]]
name = "own"
url = "wheels"

[tool.pypackpack]
targets = ["{host}", "windows", "android"]

[tool.pypackpack.target.{host}]
dependencies = ["here; python_version > '3.10'"]

[tool.pypackpack.target.android_24_arm64]
dependencies = ["nobody-develops-there"]
"""
CORE = '[project]\nname = "core"\nversion = "2.0"\n\n[tool.pypackpack]\n'
LOCK = """\
version = 1

[[package]]
name = "pytest"
source = { editable = "../../libs/pytest" }

[[package]]
name = "core"
source = { virtual = "core" }
dependencies = [
    { name = "click", source = { directory = "../../../click" } },
]

[[package]]
name = "own"
source = { registry = "ROOT/billing/wheels" }
wheels = [
    { path = "ROOT/billing/wheels/own-1-py3-none-any.whl" },
]

[[package]]
name = "six"
source = { registry = "https://example.org/simple" }
wheels = [
    { url = "https://example.org/six.whl", hash = "sha256:00" },
]

[package.metadata]
requires-dist = [{ name = "pytest", editable = "../../libs/pytest" }, { name = "core", virtual = "core" }]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(ROOT, encoding="utf-8")
    for name, text in (("billing", BILLING), ("core", CORE)):
        (tmp_path / name).mkdir()
        own = text.replace("{host}", table.host_target().name)
        (tmp_path / name / "pyproject.toml").write_text(own, encoding="utf-8")
    return tmp_path


def test_what_uv_works_on(root: Path) -> None:
    before = tomllib.loads(ROOT)
    work = works.work_project(load_project(root))
    project = work.content["project"]
    assert project["name"] == "shop"
    assert project["version"] == "0"  # the lock does not change with the real one
    assert project["dependencies"] == ["click", "billing", "core"]
    assert project["optional-dependencies"] == {"web": ["flask"]}  # the package itself is there, not its git repository
    groups = dict(work.content["dependency-groups"])
    own = groups.pop(work.groups[0])
    assert own[0].startswith('here ; (python_version > "3.10") and sys_platform == ')
    assert groups == before["dependency-groups"]
    uv = work.content["tool"]["uv"]
    assert uv["package"] is False
    assert uv["workspace"] == {"members": []}
    assert uv["find-links"] == [f"{root.as_posix()}/wheels", "https://example.org/links"]
    assert [entry["url"] for entry in uv["index"]] == [f"{root.parent.as_posix()}/index", f"{root.as_posix()}/billing/wheels"]
    assert uv["sources"]["pytest"] == {"path": "../../libs/pytest", "editable": True}
    assert uv["sources"]["click"][1] == {"path": "../../../click"}
    assert uv["sources"]["core"] == {"path": "core", "package": False}
    billing = work.packages["billing"]
    assert billing["project"]["dependencies"] == ['core; python_version > "3"', "numpy"]
    assert "requires-python" not in billing["project"]  # it would narrow what everybody else is resolved for
    assert "build-system" not in billing
    assert billing["tool"]["uv"]["sources"]["numpy"] == {"path": "../../../billing/vendored/numpy"}
    assert billing["tool"]["uv"]["sources"]["core"] == {"path": "../core", "package": False}
    assert not works.needs_nothing(load_project(root))
    assert all(tomllib.loads(text) for text in work.texts().values())


def test_paths_in_lines_of_packages_are_sources_for_uv(root: Path) -> None:
    file = root / "billing" / "pyproject.toml"
    host = table.host_target().name
    text = BILLING.replace("{host}", host).replace('"numpy"', '"numpy", "thing[x] @ ./libs/thing ; os_name == \'nt\'"')
    file.write_text(text.replace('"here', '"own @ ../own", "here'), encoding="utf-8")
    work = works.work_project(load_project(root))
    billing = work.packages["billing"]
    assert 'thing[x]; os_name == "nt"' in billing["project"]["dependencies"]
    assert billing["tool"]["uv"]["sources"]["thing"] == [{"path": "../../../billing/libs/thing", "marker": 'os_name == "nt"'}]
    assert work.content["dependency-groups"][work.groups[0]][0].startswith("own; sys_platform == ")
    (entry,) = work.content["tool"]["uv"]["sources"]["own"]
    assert entry["path"] == "../../own"


def test_a_lock_has_the_projects_paths_and_uv_finds_its_own_again(root: Path) -> None:
    work = works.work_project(load_project(root))
    inside = LOCK.replace("ROOT", root.as_posix())
    outside = works.lock_outward(inside, work)
    for place in ('"libs/pytest"', 'directory = "../click"', 'registry = "billing/wheels"', 'path = "billing/wheels/own-1-'):
        assert place in outside
    assert root.as_posix() not in outside
    assert outside.count('virtual = "core"') == 2
    assert works.lock_inward(outside, work) == inside


@given(st.lists(st.sampled_from(["..", "a", "b c", "é"]), min_size=1, max_size=5).map("/".join))
def test_paths_go_in_and_come_out_again(path: str) -> None:
    import posixpath  # noqa: PLC0415 - only here

    assert posixpath.normpath(works.outward(works.inward(path))) == posixpath.normpath(path)


def test_what_is_no_relative_path_stays() -> None:
    for path in ("https://example.org/x", "/absolute", "C:\\absolute", "~/home", "file:///x"):
        assert works.inward(path) == path
        assert works.outward(path) == path


def carried(text: str, before: dict[str, Any], after: dict[str, Any]) -> str:
    document = tomlkit.parse(text)
    tools = {"tool": {"uv": {}}}
    carry_over(document, {**tools, **before}, {**tools, **after})
    tomllib.loads(document.as_string())
    return document.as_string()


def test_comments_order_and_spelling_stay() -> None:
    text = '[dependency-groups]\ndev = [\n  # first\n  "B",  # about B\n  {include-group = "x"},\n]\nx = ["c"] # one line\n'
    before = {"dependency-groups": {"dev": ["B", {"include-group": "x"}], "x": ["c"]}}
    after = {"dependency-groups": {"dev": ["a>=1", "B>=2", {"include-group": "x"}], "x": ["a", "c"], "new": ["z"]}}
    assert carried(text, before, after) == (
        '[dependency-groups]\ndev = [\n  # first\n  "B>=2",  # about B\n  {include-group = "x"},\n  "a>=1",\n]\n'
        'x = ["a", "c"] # one line\nnew = ["z"]\n'
    )
    gone = {"dependency-groups": {"dev": [{"include-group": "x"}], "x": []}}
    assert carried(text, before, gone) == (
        '[dependency-groups]\ndev = [\n  # first\n  {include-group = "x"},\n]\nx = [] # one line\n'
    )


def test_tables_that_were_not_there() -> None:
    text = '[project]\nname = "x"\n\n[tool.pypackpack]\npackages = []\n'
    after = {
        "project": {"optional-dependencies": {"web": ["q"]}},
        "tool": {"uv": {"sources": {"q": {"path": "../../libs/q"}}, "index": [{"name": "c", "url": "https://example.org"}]}},
    }
    assert carried(text, {}, after) == (
        '[project]\nname = "x"\n\n[project.optional-dependencies]\nweb = ["q"]\n\n[tool.pypackpack]\npackages = []\n\n'
        '[tool.uv.sources]\nq = { path = "libs/q" }\n\n[[tool.uv.index]]\nname = "c"\nurl = "https://example.org"\n'
    )


def test_what_is_installed_and_what_is_damaged(tmp_path: Path) -> None:
    for name, version in (("Good_One", "1.0"), ("bad", "2.0"), ("worse", "3")):
        info = tmp_path / f"{name}-{version}.dist-info"
        info.mkdir()
        (tmp_path / f"{name}.py").write_bytes(b"12345")
        (info / "RECORD").write_text(f"{name}.py,sha256=x,5\n{name}.pyc,,\n{info.name}/RECORD,,\n", encoding="utf-8")
    assert distributions(tmp_path) == (("bad", "2.0"), ("good-one", "1.0"), ("worse", "3"))
    assert damaged(tmp_path) == ()
    (tmp_path / "bad.py").write_bytes(b"1")
    (tmp_path / "worse-3.dist-info" / "RECORD").unlink()
    assert damaged(tmp_path) == ("bad", "worse")
    assert distributions(tmp_path / "nowhere") == ()


def test_members_of_a_uv_workspace_are_folders(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "shop"\nversion = "1"\ndependencies = ["own-lib", "six"]\n'
        '[tool.uv]\nworkspace = { members = ["libs/*", "none"] }\n'
        '[tool.uv.sources]\nOwn_Lib = { workspace = true }\nelse = { workspace = true }\nsix = { path = "six" }\n'
        "[tool.pypackpack]\npackages = []\n"
    )
    for folder, text in (("own", '[project]\nname = "own-lib"\n'), ("other", "[tool.x]\n")):
        (tmp_path / "libs" / folder).mkdir(parents=True)
        (tmp_path / "libs" / folder / "pyproject.toml").write_text(text)
    made = works.work_project(load_project(tmp_path)).content["tool"]["uv"]
    assert made["workspace"] == {"members": []}
    assert made["sources"] == {
        "Own_Lib": {"path": "../../libs/own", "editable": True},
        "else": {"workspace": True},
        "six": {"path": "../../six"},
    }
