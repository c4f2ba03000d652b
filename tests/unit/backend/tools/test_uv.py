from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pypackpack.backend.tools import pinned, uv
from pypackpack.backend.tools.pinned import PinnedTool, PinnedWheel
from pypackpack.model.errors import MissingToolError
from pypackpack.model.secrets import masked


def test_credentials_are_not_shown() -> None:
    text = "error: https://me:secret@example.org/simple/x/ and http://token@host/y, not a@b"
    assert masked(text) == "error: https://****@example.org/simple/x/ and http://****@host/y, not a@b"
    assert masked("no https://me:a/b+c==@host/y") == "no https://****@host/y"  # not quoted, as it should have been
    for text in ("https://host:8080/@team/x", "https://[::1]:80/x@y"):
        assert masked(text) == text


@pytest.mark.parametrize("name", ["NO_GROUP", "NO_SOURCES", "ONLY_INSTALL_PROJECT", "OVERRIDE", "VENV_SEED", "WORKING_DIRECTORY"])
def test_what_would_make_uv_do_something_else_does_not_leak_in(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"UV_{name}", "1")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://example.org/simple")
    assert f"UV_{name}" not in uv.environment()
    assert uv.environment()["UV_DEFAULT_INDEX"] == "https://example.org/simple"


@pytest.mark.parametrize(
    ("words", "reached"),
    [
        ("error sending request for url (http://127.0.0.1:9/simple/x/)\n  cause: Connection refused (os error 111)", False),
        ("failed to lookup address information: Name or service not known", False),
        ("Network connectivity is disabled, but the requested data wasn't found in the cache", False),
        ("Because x was not found in the package registry and you require x", True),
    ],
)
def test_out_of_reach_is_told_from_a_no(words: str, *, reached: bool) -> None:
    assert uv.out_of_reach(words) is not reached


def test_pyenv_counts_with_its_pythons_and_not_with_its_shims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("3.9.18", "3.12.1", "3.13.0", "3.10.2", "2.7.18", "pypy3.10-7.3"):
        (tmp_path / "versions" / name).mkdir(parents=True)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / "shims"), os.fspath(Path("/usr/bin"))]))
    words = [Path(word) for word in uv.search_path().split(os.pathsep)]
    assert words[0] == Path("/usr/bin")
    assert tmp_path / "shims" not in words
    inner = "" if sys.platform == "win32" else "bin"
    assert words[1:] == [tmp_path / "versions" / name / inner for name in ("3.13.0", "3.12.1", "3.10.2")]


def test_what_would_lead_uv_elsewhere_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX", "UV_PROJECT_ENVIRONMENT", "UV_PYTHON", "UV_NO_VERIFY_HASHES"):
        monkeypatch.setenv(name, "elsewhere")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://example.org/simple")
    found = uv.environment({"MORE": "1", "HOME": None})
    assert not {"VIRTUAL_ENV", "CONDA_PREFIX", "UV_PROJECT_ENVIRONMENT", "UV_PYTHON", "UV_NO_VERIFY_HASHES", "HOME"} & set(found)
    assert found["UV_DEFAULT_INDEX"] == "https://example.org/simple"
    assert found["MORE"] == "1"


def test_without_uv_the_way_to_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    uv.executable.cache_clear()
    monkeypatch.setitem(sys.modules, "uv", None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingToolError) as caught:
        uv.executable()
    uv.executable.cache_clear()
    assert uv.install_command() in caught.value.hint


def test_the_pins_are_whole() -> None:
    tool = pinned.pin("ziglang")
    assert tool.wheels
    for wheel in tool.wheels:
        assert wheel.file.startswith(f"ziglang-{tool.version}-")
        assert len(wheel.sha256) == 64
        assert int(wheel.sha256, 16) > 0
        assert 50_000_000 < wheel.size < 200_000_000
    assert len(set(tool.hashes)) == len(tool.wheels)


def test_a_tool_that_is_not_pinned() -> None:
    with pytest.raises(MissingToolError, match="nonsense"):
        pinned.pin("nonsense")


def test_the_wheel_for_this_machine_is_chosen() -> None:
    wheels = (PinnedWheel("x-1-py3-none-win_ppc.whl", "00", 1), PinnedWheel("x-1-py3-none-any.whl", "11", 2))
    assert pinned.wheel_for_host(PinnedTool("x", "1", wheels)) == wheels[1]
    assert pinned.wheel_for_host(PinnedTool("x", "1", wheels[:1])) is None


def test_a_folder_of_a_tool_changes_with_its_content() -> None:
    one = PinnedTool("x", "1", (PinnedWheel("x-1-py3-none-any.whl", "11", 2),))
    other = PinnedTool("x", "1", (PinnedWheel("x-1-py3-none-any.whl", "12", 2),))
    assert pinned.tool_folder(one) != pinned.tool_folder(other)
