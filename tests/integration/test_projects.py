"""Projects and packages with the real uv, as a person makes them at the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import pypackpack
from tests.snapshot import snapshot

ROOT = Path(pypackpack.__file__).parents[1]

# `pypackpack init` whose uv says when it has begun to make .venv, and never ends by itself.
SLOW_INIT = """
import sys
from pypackpack.__main__ import main
from pypackpack.backend import process
from pypackpack.backend.tools import uv

WORK = "import os, sys, time; os.mkdir(sys.argv[1]); open(sys.argv[2], 'w').close(); time.sleep(600)"
begun = sys.argv.pop(1)
uv.make_venv = lambda folder, python, **_: process.run([sys.executable, "-c", WORK, folder, begun])
sys.exit(main())
"""


@pytest.fixture
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    cache = tmp_path_factory.mktemp("cache")
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYPACKPACK_CACHE_DIR": str(cache), "NO_COLOR": "1"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    result = tmp_path / "мои projekte größe"
    result.mkdir()
    return result


class Shell:
    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def __call__(self, cwd: Path, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pypackpack", *words]
        done = subprocess.run(
            command, cwd=cwd, env=self.environment, capture_output=True, encoding="utf-8", check=False, timeout=300
        )
        assert done.returncode == code, done.stderr
        return done


@pytest.fixture
def shell(environment: dict[str, str]) -> Shell:
    return Shell(environment)


def here() -> str:
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def venv_python(root: Path) -> Path:
    return root / ".venv" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def test_from_an_empty_folder_to_a_package_and_back(folder: Path, shell: Shell) -> None:
    shell(folder, "init", "acme", here())
    root = folder / "acme"
    asked = subprocess.run(
        [venv_python(root), "-c", "import sys; print(*sys.version_info[:2], sys.prefix, sep='|')"],
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=60,
    )
    major, minor, prefix = asked.stdout.strip().split("|")
    assert f"{major}.{minor}" == here()
    assert Path(prefix).resolve() == (root / ".venv").resolve()
    made = snapshot(root)

    shell(root, "package", "add", "my-pkg")
    shell(root / "my-pkg" / "src" / "main", "package", "add", "other")
    listed = json.loads(shell(root / "other", "package", "list", "--json").stdout)
    assert "my-pkg" in json.dumps(listed)
    assert "other" in json.dumps(listed)

    before = snapshot(root)
    shell(root, "package", "remove", "my-pkg", code=2)  # there is no terminal to ask on
    assert snapshot(root) == before
    shell(root, "package", "remove", "my-pkg", "--yes")
    shell(root, "package", "remove", "other", "--yes")
    assert snapshot(root) == made


def test_what_a_new_project_is_to_other_tools(folder: Path, shell: Shell) -> None:
    shell(folder, "init", "acme", here())
    root = folder / "acme"
    shell(root, "package", "add", "mypkg")
    subprocess.run(["git", "init", "-q", root], check=True, timeout=60)
    seen = subprocess.run(
        ["git", "-C", root, "status", "--porcelain", "-uall"], capture_output=True, encoding="utf-8", check=True, timeout=60
    )
    assert sorted(line[3:] for line in seen.stdout.splitlines()) == [
        ".gitignore",
        ".python-version",
        "LICENSE",
        "README.md",
        "mypkg/pyproject.toml",
        "mypkg/src/main/__init__.py",
        "mypkg/src/test/.gitkeep",
        "pyproject.toml",
    ]
    from pyproject_metadata import StandardMetadata  # noqa: PLC0415 - only here

    from pypackpack.middleware.project.toml import read_toml  # noqa: PLC0415 - only here

    assert StandardMetadata.from_pyproject(read_toml(root / "pyproject.toml"), root).name == "acme"
    package = root / "mypkg"
    assert StandardMetadata.from_pyproject(read_toml(package / "pyproject.toml"), package).name == "mypkg"


BAD = {
    "broken": ("pyproject.toml", "[project\n", 2, "pyproject.toml:1:9: not valid TOML"),
    "wrong": (
        "mypkg/pyproject.toml",
        '[project]\nname = "mypkg"\nversion = "x"\n[tool.pypackpack]\ntragets = []\n',
        2,
        "tragets",
    ),
    "not UTF-8": ("mypkg/pyproject.toml", '[project]\nname = "mü"\n', 2, "not UTF-8"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("words", [("package", "add", "new"), ("package", "remove", "mypkg", "--yes"), ("package", "list")])
def test_bad_settings_are_one_message_and_change_nothing(folder: Path, shell: Shell, case: str, words: tuple[str, ...]) -> None:
    shell(folder, "init", "acme", here())
    root = folder / "acme"
    shell(root, "package", "add", "mypkg")
    name, text, code, message = BAD[case]
    (root / name).write_bytes(text.encode("latin-1"))
    before = snapshot(root)
    done = shell(root, *words, code=code)
    assert snapshot(root) == before
    assert message in done.stderr
    assert done.stderr.count("error") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["build", "linux", "json", "class", "3d", "a b", "mypkg", "MyPkg", "acme"])
def test_bad_names_are_one_message_and_change_nothing(folder: Path, shell: Shell, name: str) -> None:
    (folder / "pyproject.toml").write_text('[project]\nname = "acme"\nversion = "1"\n[tool.pypackpack]\npackages = []\n')
    shell(folder, "package", "add", "mypkg")
    before = snapshot(folder)
    done = shell(folder, "package", "add", name, code=2)
    assert snapshot(folder) == before
    assert f'"{name}"' in done.stderr
    assert "Traceback" not in done.stderr


def test_init_in_a_foreign_project_and_adopting_it(folder: Path, shell: Shell) -> None:
    (folder / "pyproject.toml").write_text("# ours\n[tool.poetry]\nname = 'x'  # odd quotes\n")
    before = snapshot(folder)
    done = shell(folder, "init", code=2)
    assert "poetry" in done.stderr
    assert "pypackpack init --adopt" in done.stderr
    assert snapshot(folder) == before
    shell(folder, "init", "--adopt")
    assert (folder / "pyproject.toml").read_text() == (
        "# ours\n[tool.poetry]\nname = 'x'  # odd quotes\n\n[tool.pypackpack]\npackages = []\n"
    )
    before = snapshot(folder)
    assert "already a PyPackPack project" in shell(folder, "init", "--adopt", code=2).stderr
    assert snapshot(folder) == before


def test_a_python_that_nobody_has(folder: Path, environment: dict[str, str]) -> None:
    environment["UV_PYTHON_INSTALL_MIRROR"] = (folder / "nothing").as_uri()
    environment["UV_PYTHON_INSTALL_DIR"] = str(folder.parent / "pythons")
    environment["PATH"] = os.defpath
    environment["PYENV_ROOT"] = str(folder.parent / "pyenv")
    missing = next(f"3.{minor}.0" for minor in (14, 12, 10) if (3, minor) != sys.version_info[:2])
    done = Shell(environment)(folder, "init", "acme", missing, code=3)
    assert f"Python {missing} is not on this machine" in done.stderr
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send to one process")
@pytest.mark.parametrize("existing", [False, True])
def test_ctrl_c_while_the_environment_is_made(folder: Path, environment: dict[str, str], existing: bool, tmp_path: Path) -> None:
    if existing:
        (folder / "acme").mkdir()
        (folder / "acme" / "notes.txt").write_text("mine")
    before = snapshot(folder)
    begun = tmp_path / "begun"
    child = subprocess.Popen(
        [sys.executable, "-c", SLOW_INIT, begun, "init", "acme", here()], cwd=folder, env=environment, stderr=subprocess.PIPE
    )
    try:
        while not begun.exists():
            assert child.poll() is None, child.stderr.read()
            time.sleep(0.02)
        assert (folder / "acme" / ".venv").is_dir()
        child.send_signal(signal.SIGINT)
        _, words = child.communicate(timeout=60)
    finally:
        child.kill()
    assert child.returncode == 130, words
    assert b"Traceback" not in words
    assert snapshot(folder) == before


def test_reading_a_project_again_costs_no_schema(folder: Path, environment: dict[str, str]) -> None:
    (folder / "pyproject.toml").write_text('[tool.pypackpack]\npackages = ["mypkg"]\n')
    (folder / "mypkg").mkdir()
    (folder / "mypkg" / "pyproject.toml").write_text('[project]\nname = "mypkg"\nversion = "1"\n')
    program = (
        "import sys; from pathlib import Path; from pypackpack.middleware.project import read; "
        "assert 'pydantic' not in sys.modules; read.find_project(Path('mypkg')); "
        "print([name for name in ('pydantic', 'packaging', 'tomlkit') if name in sys.modules])"
    )
    for expected in ("['pydantic', 'packaging']", "[]"):
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True, check=True, timeout=60
        )
        assert done.stdout.strip() == expected


def test_packages_that_are_added_at_the_same_time(folder: Path, environment: dict[str, str]) -> None:
    (folder / "pyproject.toml").write_text("[tool.pypackpack]\npackages = []\n")
    names = [f"pkg{number}" for number in range(4)]
    command = [sys.executable, "-m", "pypackpack", "package", "add"]
    children = [
        subprocess.Popen([*command, name], cwd=folder, env=environment, stderr=subprocess.PIPE) for name in [*names, "pkg0"]
    ]
    errors = [child.communicate(timeout=300)[1].decode() for child in children]
    codes = [child.returncode for child in children]
    assert sorted(codes) == [0, 0, 0, 0, 2], errors
    refused = errors[codes.index(2)]
    assert 'the project has a package "pkg0" already' in refused
    listed = json.loads(Shell(environment)(folder, "package", "list", "--json").stdout)
    assert all(name in json.dumps(listed) for name in names)
    assert sorted(path.name for path in folder.iterdir()) == [*names, "pyproject.toml"]
