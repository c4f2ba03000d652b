"""``pypackpack python …`` with the real uv, and archives in python-build-standalone's layout that are made here."""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend import filesystem
from pypackpack.middleware.environment import development
from pypackpack.middleware.project.read import load_project
from pypackpack.middleware.python import choose, foreign, use
from pypackpack.middleware.target import table
from pypackpack.model.build import Silent
from pypackpack.model.errors import MissingToolError, ToolError, UsageError
from tests.integration.shops import PYTHON, lay_out
from tests.integration.test_passthrough import Shell
from tests.snapshot import snapshot
from tests.wheelhouse import wheel

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = """\
[project]
name = "shop"
version = "1"
requires-python = ">=3.10"  # ours

[dependency-groups]
dev = ["alpha"]

[tool.pypackpack]
packages = ["billing"]

[[tool.uv.index]]
url = "../wheels"
format = "flat"
default = true
"""


def other_python() -> str:
    """Return another series than ours that is on this machine, or ours."""
    here = {".".join(map(str, each.series)) for each in choose.installed(choose.SUPPORTED) if not each.free_threaded}
    return next(iter(sorted(here - {PYTHON})), PYTHON)


@pytest.fixture
def root(tmp_path: Path, own_cache: Path) -> Path:
    del own_cache
    wheel(tmp_path / "wheels", "alpha")
    folder = tmp_path / "shop"
    package = '[project]\nname = "billing"\nversion = "1"\n\n[tool.pypackpack]\n'
    lay_out(folder, PROJECT, {"billing": package}, python=PYTHON)
    development.sync(load_project(folder))
    (folder / "billing" / "build" / "packpack").mkdir(parents=True)
    (folder / "billing" / "build" / "packpack" / "old.whl").write_bytes(b"")
    (folder / ".venv" / "mark").write_bytes(b"")
    return folder


def test_use_makes_the_environment_anew_and_clears_what_was_built(root: Path) -> None:
    version = other_python()
    change = use.use(load_project(root), version, Silent())
    assert ".".join(map(str, change.python.version[:2])) == version
    assert change.before is not None
    assert change.before[:2] == sys.version_info[:2]
    assert change.cleared == ("billing",)
    assert change.stale == ()  # the package has no lock yet
    assert not (root / "billing" / "build" / "packpack").exists()
    assert not (root / ".venv" / "mark").exists()
    assert (root / ".python-version").read_text(encoding="utf-8") == f"{version}\n"
    assert (root / "pyproject.toml").read_text(encoding="utf-8") == PROJECT  # it lets the new one in
    assert change.synced.installed == (("alpha", "1.0"),)
    assert sorted(path.name for path in root.iterdir()) == [
        ".python-version",
        ".venv",
        "billing",
        "pyproject.lock",
        "pyproject.toml",
    ]
    assert development.sync(load_project(root)).unchanged


@pytest.mark.parametrize("error", [ToolError("uv fell over"), KeyboardInterrupt()], ids=["failure", "Ctrl-C"])
@pytest.mark.parametrize("place", ["make_venv", "sync"])
def test_the_old_environment_comes_back(root: Path, error: BaseException, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = snapshot(root)

    def fall_over(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(development.Work, place, fall_over)
    with pytest.raises(type(error)):
        use.use(load_project(root), other_python(), Silent())
    assert snapshot(root) == before


def test_what_a_killed_use_left_is_put_back(root: Path) -> None:
    (root / ".venv").rename(root / development.ASIDE)
    (root / ".venv").mkdir()
    development.sync(load_project(root))
    assert (root / ".venv" / "mark").exists()
    assert not (root / development.ASIDE).exists()


def test_a_bound_that_excludes_the_new_python_is_brought_along_or_said(root: Path) -> None:
    for folder in (root, root / "billing"):
        text = (folder / "pyproject.toml").read_text(encoding="utf-8")
        bound = 'requires-python = ">=3.14"  # ours'
        text = text.replace('requires-python = ">=3.10"  # ours', bound)
        if "ours" not in text:
            text = text.replace('version = "1"\n', f'version = "1"\n{bound}\n')
        (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    version = min(other_python(), PYTHON, key=lambda word: int(word.partition(".")[2]))
    assert int(version.partition(".")[2]) < 14
    change = use.use(load_project(root), version, Silent())
    for folder in (root, root / "billing"):
        assert f'requires-python = ">={version}"  # ours' in (folder / "pyproject.toml").read_text(encoding="utf-8")
    assert set(change.changed) >= {"pyproject.toml", "billing/pyproject.toml"}
    text = (root / "pyproject.toml").read_text(encoding="utf-8").replace(f'">={version}"', '"==3.14.*"')
    (root / "pyproject.toml").write_text(text, encoding="utf-8")
    before = snapshot(root)
    with pytest.raises(UsageError, match=r"excluded by requires-python"):
        use.use(load_project(root), version, Silent())
    assert snapshot(root) == before


def test_words_that_are_no_python_are_refused_before_anything_happens(root: Path) -> None:
    before = snapshot(root)
    with pytest.raises(UsageError, match="not a Python version"):
        use.use(load_project(root), "snake", Silent())
    with pytest.raises(UsageError, match="not supported"):
        use.use(load_project(root), "3.9", Silent())
    with pytest.raises(MissingToolError):
        use.use(load_project(root), f"{PYTHON}.99", Silent(), offline=True)
    assert snapshot(root) == before
    (root / ".python-version").write_text("the newest, please\n", encoding="utf-8")
    filesystem.remove_tree(root / ".venv")
    with pytest.raises(UsageError, match=r"\.python-version: \"the newest, please\" is not a Python version"):
        development.sync(load_project(root))


def archive(folder: Path, name: str, files: dict[str, bytes]) -> tuple[str, str]:
    """Write an archive in the layout of python-build-standalone's ``install_only``; returns its url and digest."""
    path = folder / f"{name}.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for place, data in files.items():
            member = tarfile.TarInfo(f"python/{place}")
            member.size, member.mode = len(data), 0o755
            tar.addfile(member, io.BytesIO(data))
    return path.as_uri(), hashlib.sha256(path.read_bytes()).hexdigest()


def downloads(folder: Path, key: str, os_name: str, processor: str, libc: str, files: dict[str, bytes]) -> str:
    """Write a list of downloads with one entry, in the form of ``--python-downloads-json-url``; returns its url."""
    url, digest = archive(folder, key, files)
    version = key.split("-")[1].split(".")
    entry = {
        "name": "cpython",
        "arch": {"family": processor, "variant": None},
        "os": os_name,
        "libc": libc,
        "major": int(version[0]),
        "minor": int(version[1]),
        "patch": int(version[2]),
        "prerelease": "",
        "url": url,
        "sha256": digest,
        "variant": None,
        "build": "20251101",
    }
    path = folder / "downloads.json"
    path.write_text(json.dumps({key: entry}), encoding="utf-8")
    return path.as_uri()


@pytest.mark.usefixtures("own_cache")
def test_pythons_of_other_platforms_are_fetched_and_found_again(tmp_path: Path) -> None:
    windows = table.find("windows_amd64")
    files = {"python.exe": b"MZ", "Lib/os.py": b"", "include/Python.h": b"", "libs/python313.lib": b""}
    listed = downloads(tmp_path, "cpython-3.13.9-windows-x86_64-none", "windows", "x86_64", "none", files)
    assert foreign.foreign_python(windows, (3, 13)) is None
    shell = Shell(tmp_path, tmp_path / "cache")
    said = shell("python", "install", "3.13", "--target", "windows", "--python-downloads-json-url", listed)
    assert "fetched cpython-3.13.9-windows-x86_64-none" in said
    found = foreign.foreign_python(windows, (3, 13))
    assert found is not None
    assert (found / "include" / "Python.h").is_file()
    assert foreign.foreign_python(windows, (3, 12)) is None
    assert foreign.foreign_python(table.find("linux_arm64"), (3, 13)) is None
    again = shell.data("python", "install", "3.13", "--target", "windows", UV_PYTHON_DOWNLOADS_JSON_URL=listed)
    assert again[0]["fetched"] is False
    # uv's own Pythons stay what they are: nothing that does not start is among them.
    assert "windows" not in shell("python", "list", "--only-installed")
    refused = shell("python", "install", "3.12", "--target", "windows", "--python-downloads-json-url", listed, code=3)
    assert "there is no cpython-3.12-windows-x86_64-none" in refused
    assert "no Python of android_24_arm64 that uv could fetch" in shell(
        "python", "install", "3.13", "--target", "android", code=3
    )


@pytest.mark.usefixtures("own_cache")
def test_a_mirror_serves_the_python_of_another_platform(tmp_path: Path) -> None:
    key = "cpython-3.13.9-windows-x86_64-none"
    downloads(tmp_path, key, "windows", "x86_64", "none", {"python.exe": b"MZ", "Lib/os.py": b""})
    place = tmp_path / "mirror" / "20251101"
    place.mkdir(parents=True)
    (tmp_path / f"{key}.tar.gz").rename(place / f"{key}.tar.gz")
    listed = tmp_path / "downloads.json"
    entries = json.loads(listed.read_text(encoding="utf-8"))
    entries[key]["url"] = f"https://github.com/astral-sh/python-build-standalone/releases/download/20251101/{key}.tar.gz"
    listed.write_text(json.dumps(entries), encoding="utf-8")
    shell = Shell(tmp_path, tmp_path / "cache")
    named = {"UV_PYTHON_INSTALL_MIRROR": (tmp_path / "mirror").as_uri(), "UV_PYTHON_DOWNLOADS_JSON_URL": listed.as_uri()}
    assert f"fetched {key}" in shell("python", "install", "3.13", "--target", "windows", **named)


@pytest.mark.usefixtures("own_cache")
def test_list_find_install_and_uninstall_are_uvs(tmp_path: Path) -> None:
    # A Python of this machine under the name that a fetched one has: what starts is the one that runs these tests.
    host = table.host_target()
    version = ".".join(map(str, sys.version_info[:3]))
    key = (foreign.request_key(host, version) or "").split("-")
    program = f'#!/bin/sh\nexec "{os.path.realpath(sys.executable)}" "$@"\n'.encode()
    # uv mends this file of every Python that it fetches.
    variables = f"lib/python{PYTHON}/_sysconfigdata__linux_{key[3]}-linux-{key[4]}.py"
    files = {
        f"bin/python{PYTHON}": program,
        variables: b"# system configuration generated and used by the sysconfig module\nbuild_time_vars = {}\n",
    }
    listed = downloads(tmp_path, "-".join(key), key[2], key[3], key[4], files)
    shell = Shell(tmp_path, tmp_path / "cache")
    shell.environment["UV_PYTHON_INSTALL_DIR"] = os.fspath(tmp_path / "pythons")
    shell("python", "install", PYTHON, "--no-bin", "--python-downloads-json-url", listed)
    assert (tmp_path / "pythons" / "-".join(key)).is_dir()
    assert "-".join(key) in shell("python", "list", PYTHON, "--only-installed", "--managed-python")
    listed = shell.data("python", "list", "--output-format", "json", "--only-installed", "--managed-python")["pythons"]
    assert [(each["key"], each["version"], each["unsupported"]) for each in listed] == [("-".join(key), version, "")]
    assert f'"key":"{"-".join(key)}"' in shell("python", "list", "--output-format", "json", "--only-installed", "--managed-python")
    shell("python", "uninstall", PYTHON)
    assert not (tmp_path / "pythons" / "-".join(key)).exists()
    assert "uv has no 3.99 here" in shell("python", "find", "3.99", code=3)
