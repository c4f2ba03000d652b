"""After `vendor`: sync, build and run with the network really cut, and every cache empty."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pypackpack.backend import filesystem
from pypackpack.backend.tools import uv
from tests import cut
from tests.integration.private_index import SECRET, USER, served
from tests.snapshot import snapshot
from tests.wheelhouse import wheel

pytestmark = pytest.mark.network

HERE = Path(__file__).parents[2]
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
ROOT = """\
[project]
name = "shop"
version = "1"
requires-python = ">=3.10"

[tool.pypackpack]
packages = ["app"]

[dependency-groups]
dev = ["six==1.17.0"]
"""
APP = f"""\
[project]
name = "app"
version = "1.0"
dependencies = ["markupsafe==3.0.2", "colorama==0.4.6; sys_platform == 'win32'"]

[tool.pypackpack]
targets = ["linux_x86_64", "windows_amd64"]
python = ["{PYTHON}"]
"""
MODULE = "from markupsafe import escape\n\n\ndef shown(text):\n    return str(escape(text))\n"


class Machine:
    """A machine with a project on it, and caches of its own."""

    def __init__(self, folder: Path, root: Path, *, online: bool) -> None:
        self.root = root
        self.online = online
        self.env = {**os.environ, "PYTHONPATH": os.fspath(HERE), "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"}
        if not online:
            for name in ("home", "uv", "cache"):
                (folder / name).mkdir(parents=True)
            # What zig builds once per target is no download; it would only cost the test its time.
            shared = filesystem.cache_folder() / "zig-v1"
            shared.mkdir(parents=True, exist_ok=True)
            (folder / "cache" / "zig-v1").symlink_to(shared, target_is_directory=True)
            self.env |= {filesystem.CACHE_VARIABLE: os.fspath(folder / "cache"), "UV_CACHE_DIR": os.fspath(folder / "uv")}
            self.env.setdefault("PYENV_ROOT", os.fspath(Path.home() / ".pyenv"))
            self.env |= {"HOME": os.fspath(folder / "home"), "UV_HTTP_RETRIES": "0", **cut.variables()}

    def call(self, *words: str) -> subprocess.CompletedProcess[str]:
        start = () if self.online else cut.prefix()
        command = [*start, sys.executable, "-m", "pypackpack", *words]
        return subprocess.run(command, cwd=self.root, env=self.env, capture_output=True, text=True, encoding="utf-8", check=False)

    def done(self, *words: str) -> str:
        found = self.call(*words)
        assert found.returncode == 0, f"{words}: {found.stderr}"
        return found.stdout


def site(root: Path, target: str) -> Path:
    return root / "app" / "build" / "crossenv" / target / "lib" / f"python{PYTHON}" / "site-packages"


@pytest.fixture(scope="module")
def vendored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project as it comes out of a repository, with `vendor/` beside it."""
    root = tmp_path_factory.mktemp("vendor").resolve() / "der läden"
    (root / "app" / "src" / "main").mkdir(parents=True)
    (root / "pyproject.toml").write_text(ROOT, encoding="utf-8")
    (root / ".python-version").write_text(f"{PYTHON}\n", encoding="utf-8")
    (root / "app" / "pyproject.toml").write_text(APP, encoding="utf-8")
    (root / "app" / "src" / "main" / "__init__.py").write_text("", encoding="utf-8")
    (root / "app" / "src" / "main" / "text.py").write_text(MODULE, encoding="utf-8")
    machine = Machine(root, root, online=True)
    machine.done("sync")
    machine.done("app", "sync")
    machine.done("vendor")
    shutil.rmtree(root / ".venv")
    shutil.rmtree(root / "app" / "build")
    return root


@pytest.fixture
def offline(vendored: Path, tmp_path: Path) -> Machine:
    root = tmp_path / "carried" / vendored.name
    shutil.copytree(vendored, root, copy_function=os.link)
    return Machine(tmp_path / "machine", root, online=False)


def test_the_network_is_cut(offline: Machine) -> None:
    code = "import socket\ntry: socket.create_connection(('pypi.org', 443), 5)\nexcept OSError: print('cut')"
    if sys.platform == "linux":
        done = subprocess.run(
            [*cut.prefix(), sys.executable, "-c", code], capture_output=True, text=True, env=offline.env, check=True
        )
        assert done.stdout == "cut\n"
    done = offline.call("app", "add", "requests")
    assert done.returncode == 1
    assert "index-out-of-reach" in done.stderr


def test_sync_build_and_run_without_a_network(offline: Machine) -> None:
    root = offline.root
    lock = (root / "pyproject.lock").read_bytes(), (root / "app" / "pyproject.lock").read_bytes()
    offline.done("sync", "--offline")
    offline.done("app", "sync", "--offline")
    names = {path.name.split("-")[0] for path in site(root, "windows_amd64").glob("*.dist-info")}
    assert {name.lower() for name in names} == {"markupsafe", "colorama"}
    assert list(site(root, "windows_amd64").glob("markupsafe/_speedups*win_amd64.pyd"))
    assert list(site(root, "linux_x86_64").glob("markupsafe/_speedups*linux-gnu.so"))

    offline.done("build", "app", "source", "single", "--level", "native", "--offline")
    wheels = sorted((root / "app" / "build" / "packpack").rglob("*.whl"))
    assert [path.stem.rsplit("-", 1)[1] for path in wheels] == ["manylinux2014_x86_64.manylinux_2_17_x86_64", "win_amd64"]
    for path in wheels:
        with zipfile.ZipFile(path) as content:
            assert any(name.startswith("app/text.") and name.endswith((".so", ".pyd")) for name in content.namelist())

    said = offline.done("run", "python", "-c", "import app.text, six; print(app.text.shown('<'), six.__version__)")
    assert said == "&lt; 1.17.0\n"
    assert offline.done("sync", "--offline").rstrip().endswith("as it was")
    assert ((root / "pyproject.lock").read_bytes(), (root / "app" / "pyproject.lock").read_bytes()) == lock


@pytest.mark.parametrize(("name", "part", "words"), [("six", "", ["sync"]), ("markupsafe", "win", ["app", "sync"])])
def test_a_wheel_that_was_changed_on_the_way_is_refused(offline: Machine, name: str, part: str, words: list[str]) -> None:
    (path,) = (each for each in (offline.root / "vendor").iterdir() if each.name.lower().startswith(name) and part in each.name)
    data = path.read_bytes()
    path.unlink()  # it is a link to that of the other tests
    path.write_bytes(data + b"x")
    before = snapshot(offline.root / "app")
    done = offline.call("--json", *words, "--offline")
    assert done.returncode == 1
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "damaged-vendor"
    assert path.name in error["details"]
    assert snapshot(offline.root / "app") == before
    assert not list((offline.root / ".venv").glob("**/six.py"))


def test_the_compiler_too_is_checked(offline: Machine) -> None:
    (path,) = (offline.root / "vendor").glob("ziglang-*.whl")
    path.unlink()
    path.write_bytes(b"no compiler")
    done = offline.call("build", "app", "source", "single", "--level", "native", "--offline")
    assert done.returncode != 0
    assert "ziglang" in done.stderr
    assert not (offline.root / "app" / "build" / "packpack").exists()


def test_vendor_is_exact_and_mends(vendored: Path, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(vendored, root, copy_function=os.link)
    machine = Machine(tmp_path, root, online=True)
    folder = root / "vendor"
    first = {path.name for path in folder.iterdir()}
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    (six,) = folder.glob("six-*.whl")
    data = six.read_bytes()
    six.unlink()
    six.write_bytes(b"half of i")
    result = json.loads(machine.done("--json", "vendor", "--target", "linux"))
    assert [item["path"] for item in result["files"] if item["fetched"]] == [six.name]
    assert six.read_bytes() == data
    # What only Windows needs has gone, and what is not ours has stayed.
    assert {path.name for path in folder.iterdir()} == {
        name for name in first if "win_amd64" not in name and "colorama" not in name
    } | {"notes.txt"}
    assert {name.split("-")[0] for name in result["removed"]} == {"colorama", "markupsafe"}
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert [item["path"] for item in manifest["files"]] == [item["path"] for item in result["files"]]
    result = json.loads(machine.done("--json", "vendor", "--target", "linux", "--no-tools"))
    assert [name.split("-")[0] for name in result["removed"]] == ["ziglang"]


def test_a_lock_that_does_not_fit_is_said(vendored: Path, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(vendored, root, copy_function=os.link)
    before = snapshot(root)
    path = root / "app" / "pyproject.toml"
    path.unlink()
    path.write_text(APP.replace("3.0.2", "3.0.1"), encoding="utf-8")
    done = Machine(tmp_path, root, online=True).call("vendor")
    assert done.returncode == 1
    assert "pypackpack app sync" in done.stderr
    path.write_text(APP, encoding="utf-8")
    assert {name: entry[2] for name, entry in snapshot(root).items()} == {name: entry[2] for name, entry in before.items()}


def test_credentials_of_a_private_index_are_used_and_written_nowhere(tmp_path: Path) -> None:
    wheel(tmp_path / "wheels", "tiny")
    root = tmp_path / "shop"
    root.mkdir()
    with served(tmp_path / "wheels") as index:
        text = ROOT.replace('["app"]', "[]").replace("six==1.17.0", "tiny")
        (root / "pyproject.toml").write_text(
            f'{text}\n[[tool.uv.index]]\nname = "ours"\nurl = "{index.url}"\ndefault = true\n', encoding="utf-8"
        )
        machine = Machine(tmp_path, root, online=True)
        machine.env |= {
            "UV_INDEX_OURS_USERNAME": USER,
            "UV_INDEX_OURS_PASSWORD": SECRET,
            "UV_CACHE_DIR": os.fspath(tmp_path / "uv"),
        }
        machine.done("sync")
        machine.env["UV_INDEX_OURS_PASSWORD"] = "wr0ng-word"
        refused = machine.call("vendor", "--no-tools")
        assert refused.returncode == 1
        assert "index-out-of-reach" in refused.stderr
        machine.env["UV_INDEX_OURS_PASSWORD"] = SECRET
        machine.done("vendor", "--no-tools")
        # The same from what uv itself keeps.
        shutil.rmtree(root / "vendor")
        for name in ("UV_INDEX_OURS_USERNAME", "UV_INDEX_OURS_PASSWORD"):
            del machine.env[name]
        machine.env["UV_CREDENTIALS_DIR"] = os.fspath(tmp_path / "credentials")
        login = [os.fspath(uv.executable()), "auth", "login", index.url, "--username", USER, "--password", "-"]
        subprocess.run(login, env=machine.env, input=SECRET, text=True, check=True, capture_output=True)
        assert SECRET not in machine.done("vendor", "--no-tools", "--verbose")
    assert sorted(path.name for path in (root / "vendor").iterdir()) == ["manifest.json", "tiny-1.0-py3-none-any.whl"]
    written = [path for path in root.rglob("*") if path.is_file() and ".venv" not in path.parts]
    assert written
    assert all(SECRET.encode() not in path.read_bytes() for path in written)


SOURCES = """\
[project]
name = "shop"
version = "1"
requires-python = ">=3.10"

[tool.pypackpack]
packages = ["app"]

[dependency-groups]
dev = ["dev-lib", "folder-lib"]

[tool.uv.sources]
dev-lib = {{ git = "{repository}", subdirectory = "dev" }}
folder-lib = {{ path = "libs/folder" }}
"""
USING = f"""\
[project]
name = "app"
version = "1.0"
dependencies = ["git-lib @ git+{{repository}}#subdirectory=lib", "folder-lib @ ../libs/folder"]

[tool.pypackpack]
targets = ["linux_x86_64", "windows_amd64"]
python = ["{PYTHON}"]
"""


def library(folder: Path, name: str) -> None:
    """Write a library that only flit can build: a machine without a network has none."""
    module = name.replace("-", "_")
    (folder / module).mkdir(parents=True)
    (folder / module / "__init__.py").write_text(f"NAME = {name!r}\n", encoding="utf-8")
    text = f'[project]\nname = "{name}"\nversion = "1.0"\ndescription = "x"\n\n[build-system]\nrequires = ["flit_core"]\n'
    (folder / "pyproject.toml").write_text(f'{text}build-backend = "flit_core.buildapi"\n', encoding="utf-8")


def test_what_comes_from_git_and_folders_is_vendored_as_wheels(tmp_path: Path) -> None:
    root, repository = tmp_path / "shop", tmp_path / "library"
    library(repository / "lib", "git-lib")
    library(repository / "dev", "dev-lib")
    for words in (["init", "-q"], ["add", "-A"], ["-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "all"]):
        subprocess.run(["git", *words], cwd=repository, check=True)
    (root / "app" / "src" / "main").mkdir(parents=True)
    (root / "app" / "src" / "main" / "__init__.py").touch()
    library(root / "libs" / "folder", "folder-lib")
    (root / ".python-version").write_text(f"{PYTHON}\n", encoding="utf-8")
    (root / "pyproject.toml").write_text(SOURCES.format(repository=repository.as_uri()), encoding="utf-8")
    (root / "app" / "pyproject.toml").write_text(USING.format(repository=repository.as_uri()), encoding="utf-8")
    machine = Machine(root, root, online=True)
    machine.done("sync")
    machine.done("app", "sync")
    result = json.loads(machine.done("--json", "vendor", "--no-tools"))
    assert result["left_out"] == []
    wheels = [f"{name}_lib-1.0-py2.py3-none-any.whl" for name in ("dev", "folder", "git")]
    assert [item["path"] for item in result["files"]] == wheels
    assert str(tmp_path).encode() not in (root / "vendor" / "manifest.json").read_bytes().replace(
        repository.as_uri().encode(), b""
    )
    again = json.loads(machine.done("--json", "vendor", "--no-tools"))
    assert [item["fetched"] for item in again["files"]] == [False, False, False]

    shutil.rmtree(repository)
    carried = tmp_path / "elsewhere" / "carried"
    shutil.copytree(root, carried, ignore=shutil.ignore_patterns(".venv", "build"))
    offline = Machine(tmp_path / "machine", carried, online=False)
    offline.done("sync", "--offline")
    offline.done("app", "sync", "--offline")
    assert offline.done("sync", "--offline").rstrip().endswith("as it was")
    assert (site(carried, "windows_amd64") / "git_lib" / "__init__.py").is_file()
    assert (site(carried, "linux_x86_64") / "folder_lib" / "__init__.py").is_file()
    said = offline.done("run", "python", "-c", "import dev_lib, folder_lib, git_lib; print(dev_lib.NAME, git_lib.NAME)")
    assert said == "dev-lib git-lib\n"

    path = carried / "vendor" / wheels[2]
    path.write_bytes(path.read_bytes() + b"x")
    shutil.rmtree(carried / "app" / "build")
    damaged = offline.call("--json", "app", "sync", "--offline")
    assert json.loads(damaged.stdout)["error"]["code"] == "damaged-vendor"
