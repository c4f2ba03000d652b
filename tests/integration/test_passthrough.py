"""Options of uv on our command line, and private indexes: what gets through, and what never lands anywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pypackpack.backend.filesystem import CACHE_VARIABLE
from pypackpack.backend.tools import uv, uv_options
from pypackpack.frontend.cli.table import ROWS
from pypackpack.middleware.target import table
from tests.integration.private_index import SECRET, USER, served
from tests.integration.shops import PYTHON, lay_out
from tests.integration.test_projects import ROOT as CODE
from tests.wheelhouse import wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.private_index import PrivateIndex

PROJECT = """\
[project]
name = "shop"
version = "1"
requires-python = ">=3.10"
dependencies = []

[dependency-groups]
dev = []

[tool.pypackpack]
packages = ["billing"]
"""
BILLING = '[project]\nname = "billing"\nversion = "1"\ndependencies = []\n\n[tool.pypackpack]\ntargets = ["{host}"]\n'


@pytest.mark.parametrize("row", [row for row in ROWS if row.uv], ids=lambda row: row.words)
def test_uv_says_which_of_its_options_take_values(row: object) -> None:
    """What the completion script says, against uv's own help: both name every option that help shows, in the same way."""
    command = row.uv  # type: ignore[attr-defined]
    shown = uv.run([*command.split(), "--help"], "asking for help").stdout
    found = {}
    for line in shown.partition("Options:\n")[2].splitlines():
        if not line.lstrip().startswith("-") or len(line) - len(line.lstrip()) > 6:
            continue
        names = line.strip().partition("  ")[0].replace("...", "")
        for name in names.replace(" <", "=<").split(", "):
            found[name.partition("=")[0]] = "<" in names
    assert len(found) > 15
    wrong = {name: typed for name, typed in found.items() if uv_options.takes_value(command, name) is not typed}
    assert not wrong
    assert uv_options.takes_value(command, "--nobodys-option") is None


def test_the_answer_is_kept_under_uvs_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, os.fspath(tmp_path))
    uv_options._all.cache_clear()
    try:
        assert uv_options.takes_value("add", "--index") is True
        kept = json.loads((tmp_path / uv_options.CACHE / f"{uv.version()}.json").read_text(encoding="utf-8"))
        assert kept["sync"]["--dry-run"] is False
    finally:
        uv_options._all.cache_clear()


class Shell:
    def __init__(self, root: Path, cache: Path) -> None:
        self.root = root
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("UV_")},
            "PYTHONPATH": os.fspath(CODE),
            CACHE_VARIABLE: os.fspath(cache),
            "NO_COLOR": "1",
            "NETRC": os.fspath(cache / "no-netrc"),
            "UV_CACHE_DIR": os.fspath(cache / "uv"),
        }

    def data(self, *words: str, **more: str) -> Any:  # noqa: ANN401 - JSON
        """Return what a call says as JSON."""
        return json.loads(self._run(*words, "--json", **more).stdout)

    def __call__(self, *words: str, code: int = 0, **more: str) -> str:
        """Return all that a call says."""
        done = self._run(*words, code=code, **more)
        return done.stdout + done.stderr

    def _run(self, *words: str, code: int = 0, **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pypackpack", *words]
        env = {**self.environment, **more}
        done = subprocess.run(command, cwd=self.root, env=env, capture_output=True, encoding="utf-8", check=False, timeout=120)
        said = done.stdout + done.stderr
        assert done.returncode == code, said
        assert SECRET not in said
        return done

    def nobody_wrote_the_secret(self) -> None:
        """Look into every file of the project and of our cache; uv's cache is uv's own."""
        for folder in (self.root, *(each for each in (self.root.parent / "cache").iterdir() if each.name != "uv")):
            for path in folder.rglob("*") if folder.is_dir() else [folder]:
                assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateIndex]:
    folder = tmp_path_factory.mktemp("served")
    for name in ("secretlib", "secretdep"):
        wheel(folder, name)
    with served(folder) as running:
        yield running


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    root = tmp_path / "shop"
    lay_out(root, PROJECT, {"billing": BILLING.format(host=table.host_target().name)}, python=PYTHON)
    (tmp_path / "cache").mkdir()
    return Shell(root, tmp_path / "cache")


def test_a_password_gets_to_the_index_and_nowhere_else(shell: Shell, index: PrivateIndex, tmp_path: Path) -> None:
    refused = shell("add", "secretlib", "--index", f"corp={index.url}", code=1)
    assert "does not let us in" in refused
    assert (shell.root / "pyproject.toml").read_text(encoding="utf-8") == PROJECT

    # In the url of an option: uv writes the index into pyproject.toml, without it.
    shell("add", "secretlib", "--index", f"corp={index.url_with_secret}")
    text = (shell.root / "pyproject.toml").read_text(encoding="utf-8")
    assert f'url = "{index.url}"' in text
    assert 'secretlib = { index = "corp" }' in text
    shell.nobody_wrote_the_secret()

    # By variables, for the index of that name.
    named = {"UV_INDEX_CORP_USERNAME": USER, "UV_INDEX_CORP_PASSWORD": SECRET}
    shell("add", "--dev", "secretdep", **named)
    shell.nobody_wrote_the_secret()

    # By netrc, in an environment that has to be made from nothing.
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1\nlogin {USER}\npassword {SECRET}\n", encoding="utf-8")
    netrc.chmod(0o600)
    made = shell("sync", "--reinstall", "--refresh", NETRC=os.fspath(netrc))
    assert "2 installed" in made
    shell.nobody_wrote_the_secret()

    # By keyring, which uv asks as a program.
    keyring = tmp_path / "bin" / "keyring"
    keyring.parent.mkdir()
    keyring.write_text(f"#!/bin/sh\necho '{SECRET}'\n", encoding="utf-8")
    keyring.chmod(0o755)
    path = os.pathsep.join([os.fspath(keyring.parent), os.environ["PATH"]])
    asked = {"UV_KEYRING_PROVIDER": "subprocess", "UV_INDEX_CORP_USERNAME": USER, "PATH": path}
    assert "2 installed" in shell("sync", "--reinstall", "--refresh", **asked)
    shell.nobody_wrote_the_secret()

    # A url that uv would write as it is.
    url = f"http://{USER}:{SECRET}@{index.host}/packages/secretlib-1.0-py3-none-any.whl"
    assert "netrc, keyring" in shell("add", f"secretlib @ {url}", code=2)
    shell("add", "nosuchthing", "--default-index", index.url_with_secret, code=1)
    shell.nobody_wrote_the_secret()
    tree = shell("tree", "--depth=1", **named)
    assert "secretlib v1.0 (group: dev)" in tree


def test_a_packages_dependencies_take_uvs_options_too(shell: Shell, index: PrivateIndex) -> None:
    shell("billing", "add", "secretdep", "--extra-index-url", index.url_with_secret, "--target", "host", code=0)
    assert "secretdep" in (shell.root / "billing" / "pyproject.toml").read_text(encoding="utf-8")
    assert SECRET not in (shell.root / "billing" / "pyproject.lock").read_text(encoding="utf-8")
    shell.nobody_wrote_the_secret()
    assert shell("billing", "sync", "--check").startswith("billing is in sync for ")
    next((shell.root / "billing" / "build" / "crossenv").rglob("secretdep*/METADATA")).unlink()
    assert "error[out-of-sync]: billing is not in sync" in shell("billing", "sync", "--check", code=1)


def test_what_nobody_knows_is_said_with_the_nearest_of_both(shell: Shell) -> None:
    assert "Did you mean --extra-index-url?" in shell("add", "x", "--extra-indx-url", "y", code=2)
    assert "Did you mean --target?" in shell("billing", "add", "x", "--taget", "linux", code=2)
    assert "--index needs a value" in shell("sync", "--index", code=2)
    assert "`pypackpack <package> sync --check`" in shell("billing", "add", "x", "--locked", code=2)
    assert "`pypackpack import r.txt --package billing`" in shell("billing", "add", "-r", "r.txt", code=2)
    assert "`pypackpack add --group docs sphinx`" in shell("billing", "add", "--group", "docs", "sphinx", code=2)
    assert "`--invert --package idna`" in shell("billing", "tree", "--invert", "idna", code=2)
    assert "has no option --indx" in shell("build", "billing", "source", "--indx", code=2)
    assert "--target is for a package's environments" in shell("sync", "--target", "linux", code=2)
