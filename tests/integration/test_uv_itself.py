"""The real uv: Pythons, environments and tools."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pypackpack.backend.filesystem import CACHE_VARIABLE
from pypackpack.backend.tools import pinned, python, uv
from pypackpack.backend.tools.venv import interpreter as venv_interpreter
from pypackpack.model.build import Silent
from pypackpack.model.errors import MissingToolError, PyPackPackError, ToolError
from tests.together import at_once

SIX = "4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274"
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_uv_says_its_version() -> None:
    said = subprocess.run([uv.executable(), "--version"], capture_output=True, text=True, check=True).stdout
    assert uv.version() == said.split()[1]


def test_a_python_by_version_and_by_path(tmp_path: Path) -> None:
    found = uv.find_python(PYTHON, offline=True)
    assert found.series == sys.version_info[:2]
    assert found.implementation == "cpython"
    assert uv.find_python(sys.executable).executable == Path(os.path.abspath(sys.executable))  # noqa: PTH100 - links stay
    uv.make_venv(tmp_path / "venv", Path(sys.executable), prompt="mine")
    inside = uv.find_python(str(tmp_path / "venv"))
    assert inside.executable == venv_interpreter(tmp_path / "venv")
    assert inside.version == sys.version_info[:3]
    with pytest.raises(ToolError, match="making the environment") as caught:
        uv.make_venv(tmp_path / "venv", Path(sys.executable))
    assert "already exists" in caught.value.details


def test_a_python_that_is_not_here() -> None:
    with pytest.raises(MissingToolError, match=r"Python 3\.99 is not on this machine") as caught:
        uv.find_python("3.99", offline=True)
    assert "online" in caught.value.hint
    with pytest.raises(MissingToolError, match="nonsense"):
        uv.find_python("nonsense", offline=True)


def test_an_interpreter_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    base = Path(os.path.realpath(sys.executable))
    first = python.inspect_interpreter(base)
    if first.has_headers:  # one without headers is asked again, as they may be installed next

        def refuse(*words: object, **_: object) -> None:
            raise AssertionError(words)

        monkeypatch.setattr("pypackpack.backend.process.run", refuse)
    assert python.inspect_interpreter(base) == first


def test_what_is_no_python(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match="there is no Python at"):
        python.inspect_interpreter(tmp_path / "none")
    with pytest.raises(PyPackPackError, match="does not work as a Python"):
        python.inspect_interpreter(Path(uv.executable()))


@pytest.mark.network
def test_a_tool_appears_once_and_whole(tmp_path: Path) -> None:
    place = tmp_path / "tools" / "six"
    at_once([lambda: uv.install_tool("six", "1.17.0", [SIX], place)] * 3)
    assert (place / "six.py").is_file()
    assert [path.name for path in place.parent.iterdir() if path.is_dir()] == ["six"]


@pytest.mark.network
def test_a_tool_with_another_digest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match="not what pypackpack expects") as caught:
        uv.install_tool("six", "1.17.0", ["0" * 64], tmp_path / "six")
    assert "hash" in caught.value.details.lower()
    assert not (tmp_path / "six").exists()


def test_a_tool_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://someone:secret@127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    watcher = Silent()
    with pytest.raises(MissingToolError, match="the package index is out of reach") as caught:
        pinned.ensure_tool("ziglang", watcher=watcher)
    assert "online" in caught.value.hint
    assert "secret" not in caught.value.details + caught.value.message
    assert len(watcher.notes) == 1
    assert re.fullmatch(rf"fetching ziglang {pinned.pin('ziglang').version} \(\d+ MB\), once", watcher.notes[0])
    with pytest.raises(MissingToolError, match="--offline keeps pypackpack from fetching it") as caught:
        pinned.ensure_tool("ziglang", offline=True)
    assert "without --offline" in caught.value.hint
