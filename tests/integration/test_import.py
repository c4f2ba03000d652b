"""`import` on a tree of scattered requirements files, with the real uv and the real index."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.private_index import SECRET, USER, served
from tests.snapshot import snapshot
from tests.wheelhouse import wheel

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

pytestmark = pytest.mark.network

HERE = Path(__file__).parents[2]
ROOT = (
    '# the shop\n[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.10"\n\n[tool.pypackpack]\npackages = ["app"]\n'
)
APP = '[project]\nname = "app"\nversion = "1.0"\n\n[tool.pypackpack]\ntargets = ["linux_x86_64"]\n'
SIX = "4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274"
FILES = {
    "services/web/requirements.txt": f"""\
# the site
-r ../common/requirements-base.txt
-c ../constraints.txt
six==1.17.0 \\
    --hash=sha256:{SIX} \\
    --hash=sha256:{"0" * 64}
markupsafe>=2 ; python_version >= "3.10"
-e ../../app
""",
    "services/common/requirements-base.txt": "\ufefftabulate[widechars]>=0.8\nSix >= 1.10\n--index-url https://user:secret@example.invalid/simple\n",
    "services/jobs/dev-requirements.in": "-r ../common/requirements-base.txt\npython-dateutil\n",
    "services/jobs/requirements.txt": "tabulate<1  # not yet\ncolorama==0.4.6; sys_platform == 'win32'\n-e ../../libs/own\n",
    "services/constraints.txt": "wcwidth<0.2.14\nmarkupsafe<4\n",
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    root = tmp_path.resolve() / "der läden"
    for place, text in {
        **FILES,
        "pyproject.toml": ROOT,
        "app/pyproject.toml": APP,
        "app/src/main/__init__.py": "",
        "libs/own/pyproject.toml": '[project]\nname = "own-lib"\nversion = "1"\n\n[build-system]\nrequires = ["hatchling"]\n'
        'build-backend = "hatchling.build"\n\n[tool.hatch.build.targets.wheel]\npackages = ["own"]\n',
        "libs/own/own/__init__.py": "",
    }.items():
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def call(root: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": os.fspath(HERE), "PYTHONIOENCODING": "utf-8", **variables}
    command = [sys.executable, "-m", "pypackpack", *words]
    return subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, encoding="utf-8", check=False)


def result(root: Path, *words: str) -> dict[str, object]:
    done = call(root, "--json", "import", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def error(root: Path, *words: str) -> dict[str, str]:
    before = {name: entry for name, entry in snapshot(root).items() if not name.startswith(".venv")}
    done = call(root, "--json", "import", *words)
    assert done.returncode != 0, done.stdout
    assert {name: entry for name, entry in snapshot(root).items() if not name.startswith(".venv")} == before
    found: dict[str, str] = json.loads(done.stdout)["error"]
    assert found["hint"]
    return found


def versions(root: Path) -> dict[str, str]:
    lock = tomllib.loads((root / "pyproject.lock").read_text(encoding="utf-8"))
    return {item["name"]: item.get("version", "") for item in lock["package"]}


def test_five_files_become_one_list(shop: Path) -> None:
    found = result(shop, "services", "--delete")
    content = tomllib.loads((shop / "pyproject.toml").read_text(encoding="utf-8"))
    assert (shop / "pyproject.toml").read_text(encoding="utf-8").startswith("# the shop\n")
    dev = content["dependency-groups"]["dev"]
    assert "tabulate[widechars]>=0.8,<1" in dev
    assert "six==1.17.0" in dev
    assert [line for line in dev if line.startswith("colorama==0.4.6 ;")]
    assert [line for line in dev if line.startswith("markupsafe>=2,<4 ;")]
    assert [line.split(">")[0] for line in dev if line.startswith(("python-dateutil", "own"))] == ["own-lib", "python-dateutil"]
    assert len(dev) == 6
    assert content["tool"]["uv"]["sources"] == {"own-lib": {"path": "libs/own", "editable": True}}
    assert versions(shop)["wcwidth"] <= "0.2.13"

    lines = {line["text"]: [f"{place['file']}:{place['line']}" for place in line["places"]] for line in found["lines"]}  # type: ignore[attr-defined]
    assert sorted(lines["six==1.17.0"]) == ["services/common/requirements-base.txt:2", "services/web/requirements.txt:4"]
    not_taken = {f"{item['place']['file']}:{item['place']['line']}": item["what"] for item in found["not_taken"]}  # type: ignore[attr-defined]
    assert not_taken == {
        "services/web/requirements.txt:8": "app",
        "services/common/requirements-base.txt:3": "--index-url https://example.invalid/simple",
    }
    # The file with the index stays, because that could not be taken; the others are in the list now.
    assert [path.name for path in (shop / "services").rglob("*") if path.is_file()] == ["requirements-base.txt"]
    done = call(shop, "run", "python", "-c", "import six, tabulate, own, app, dateutil; print(own.__file__)")
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()) == shop / "libs" / "own" / "own" / "__init__.py"


def test_lines_that_exclude_each_other_are_named(shop: Path) -> None:
    (shop / "services" / "jobs" / "requirements.txt").write_text("tabulate<0.5\nsix==1.16.0\n", encoding="utf-8")
    found = error(shop, "services")
    assert found["code"] == "dependency-conflict"
    for place in (
        "services/jobs/requirements.txt:1",
        "services/common/requirements-base.txt:1",
        "services/jobs/requirements.txt:2",
        "services/web/requirements.txt:4",
    ):
        assert place in found["details"]
    # This line is content with either.
    assert "services/common/requirements-base.txt:2" not in found["details"]


def test_what_only_shows_in_dependencies_of_dependencies(shop: Path) -> None:
    """jinja2 3.1 needs markupsafe 2; nothing here says so but its metadata."""
    (shop / "a.txt").write_text("# first\njinja2==3.1.4\n", encoding="utf-8")
    (shop / "b.txt").write_text("markupsafe<2\n", encoding="utf-8")
    found = error(shop, "a.txt", "b.txt")
    assert found["code"] == "dependency-conflict"
    assert "jinja2 ==3.1.4  a.txt:2" in found["details"]
    assert "markupsafe <2  b.txt:1" in found["details"]
    assert "unsatisfiable" in found["details"]


def test_files_of_the_index_are_those_of_the_hashes(shop: Path) -> None:
    (shop / "a.txt").write_text(f"six==1.17.0 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    found = error(shop, "a.txt", "--delete")
    assert (found["code"], found["details"].partition(": ")[0]) == ("bad-requirements", "a.txt:1")


def test_into_a_package(shop: Path) -> None:
    (shop / "a.txt").write_text("six==1.17.0\ntabulate\n", encoding="utf-8")
    done = call(shop, "import", "a.txt", "--package", "app", "--delete")
    assert done.returncode == 0, done.stderr
    assert [line.split() for line in done.stdout.splitlines() if line] == [
        ["1", "file,", "2", "dependencies", "in", "app"],
        ["six==1.17.0", "a.txt:1"],
        ["tabulate", "a.txt:2"],
        ["Deleted:", "a.txt"],
    ]
    content = tomllib.loads((shop / "app" / "pyproject.toml").read_text(encoding="utf-8"))
    assert content["project"]["dependencies"] == ["six==1.17.0", "tabulate"]
    assert not (shop / "a.txt").exists()
    (shop / "a.txt").write_text("-e libs/own\n", encoding="utf-8")
    assert error(shop, "a.txt", "--package", "app")["code"] == "bad-requirements"


def test_files_that_include_each_other(shop: Path) -> None:
    (shop / "a.txt").write_text("-r b.txt\n", encoding="utf-8")
    (shop / "b.txt").write_text("six\n-r a.txt\n", encoding="utf-8")
    found = error(shop, "a.txt")
    assert (found["code"], found["details"]) == (
        "bad-requirements",
        "a.txt:1 -> b.txt:2 -> a.txt: these files include each other in a circle",
    )


def test_package_and_group_exclude_each_other(shop: Path) -> None:
    assert error(shop, "services", "--package", "app", "--group", "x")["code"] == "usage"
    assert error(shop, "services", "--package", "nobody")["code"] == "usage"


POETRY = """\
[tool.poetry.dependencies]
python = "^3.10"
own-lib = { path = "libs/own", develop = true }
till-lib = "^1.2"

[tool.poetry.group.dev.dependencies]
till-test = { version = "*", python = ">=3.10" }
"""


def test_another_tools_project_with_its_indexes(shop: Path) -> None:
    """A list of files and an index behind a password, which only the environment has."""
    wheel(shop / "wheels", "till-lib", "1.2.5")
    wheel(shop / "wheels", "till-lib", "2.0")
    private = wheel(shop.parent / "served", "till-private", "1.0")
    wheel(shop.parent / "served", "till-test", "3.0")
    digest = hashlib.sha256(private.read_bytes()).hexdigest()
    (shop / "old").mkdir()
    (shop / "old" / "pyproject.toml").write_text(POETRY.replace("libs/own", "../libs/own"), encoding="utf-8")
    with served(shop.parent / "served") as index:
        text = f"--extra-index-url {index.url_with_secret}\n-f wheels\ntill-private==1.0 --hash=sha256:{digest}\n"
        (shop / "a.txt").write_text(text, encoding="utf-8")
        words = ["a.txt", "old/pyproject.toml", "--take-indexes", "--delete"]
        refused = error(shop, *words)  # no credentials, no index
        assert SECRET not in str(refused)
        name = "UV_INDEX_127_0_0_1"
        done = call(shop, "import", *words, **{f"{name}_USERNAME": USER, f"{name}_PASSWORD": SECRET})
    assert done.returncode == 0, done.stderr
    assert f"{name}_PASSWORD" in done.stdout
    assert "old/pyproject.toml stays: it is no requirements file" in done.stderr
    assert not (shop / "a.txt").exists()
    content = tomllib.loads((shop / "pyproject.toml").read_text(encoding="utf-8"))
    assert content["dependency-groups"]["dev"] == [
        "own-lib",
        "till-lib>=1.2,<2",
        "till-private==1.0",
        "till-test>=3.0 ; python_full_version >= '3.10'",
    ]
    assert content["tool"]["uv"]["index"] == [
        {"name": "127-0-0-1", "url": index.url},
        {"name": "wheels", "url": "./wheels", "format": "flat"},
    ]
    assert (versions(shop)["till-lib"], versions(shop)["till-private"]) == ("1.2.5", "1.0")
    for path in (shop / "pyproject.toml", shop / "pyproject.lock"):
        assert SECRET not in path.read_text(encoding="utf-8")
    assert SECRET not in done.stdout + done.stderr
