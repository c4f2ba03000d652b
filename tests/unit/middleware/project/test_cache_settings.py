"""`[tool.pypackpack.cache]`: what is right, what is refused and how, and what becomes of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pypackpack.backend import links
from pypackpack.backend.filesystem import CACHE_VARIABLE, cache_folder
from pypackpack.middleware.project import check
from pypackpack.middleware.project.finish import finished_cache
from pypackpack.middleware.project.read import load_project
from pypackpack.middleware.project.settings import CacheTable, RemoteTable
from pypackpack.model.cache import CacheSettings, RemoteSettings, parse_size
from pypackpack.model.errors import SettingsError

KEY = "ed25519:PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw"
URL = "https://cache.example.org/team"


def problems(cache: object) -> list[str]:
    return check.root_problems({"tool": {"pypackpack": {"packages": [], "cache": cache}}})


def test_the_defaults_of_the_schema_are_those_of_the_finished_settings() -> None:
    table, remote = CacheTable(), RemoteTable(url=URL)
    assert finished_cache(Path("/p"), {}) == CacheSettings(folder=None, size=parse_size(table.size), remote=None)
    assert RemoteSettings(remote.url, remote.push, remote.protocol, tuple(remote.trust), remote.timeout) == RemoteSettings(URL)


def test_everything_is_accepted_and_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text(
        f"""
        [tool.pypackpack]
        packages = []
        [tool.pypackpack.cache]
        folder = '{tmp_path / "caches" / "here"}'
        size = "1.5 GiB"
        [tool.pypackpack.cache.remote]
        url = "{URL}/"
        push = true
        protocol = "gradle"
        trust = ["{KEY}"]
        timeout = 3
        """,
        encoding="utf-8",
    )
    found = load_project(project).cache
    assert found.folder == tmp_path / "caches" / "here"
    assert found.size == 3 << 29
    assert found.remote == RemoteSettings(URL, push=True, protocol="gradle", trust=(KEY,), timeout=3.0)
    monkeypatch.delenv(CACHE_VARIABLE)
    assert cache_folder(found.folder) == found.folder
    monkeypatch.setenv(CACHE_VARIABLE, os.fspath(tmp_path / "elsewhere"))
    assert cache_folder(found.folder) == tmp_path / "elsewhere"


def test_a_folder_may_be_absolute_or_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", os.fspath(tmp_path))
    monkeypatch.setenv("USERPROFILE", os.fspath(tmp_path))
    assert finished_cache(Path("/p"), {"folder": "~/x"}).folder == tmp_path / "x"
    assert finished_cache(Path("/p"), {"folder": os.fspath(tmp_path)}).folder == tmp_path


def test_a_folder_that_comes_with_a_clone_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a repository ships would be believed as made here, and its links would be followed where we remove things."""
    monkeypatch.setenv("HOME", os.fspath(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", os.fspath(tmp_path / "home"))
    clone, project = tmp_path / "home" / "clone", tmp_path / "home" / "clone" / "deep" / "project"
    project.mkdir(parents=True)
    (tmp_path / "home" / ".git").mkdir()  # somebody who keeps his home in git; not what is asked about
    (clone / ".git").touch()  # as in a worktree
    links.link(tmp_path / "home" / "elsewhere", project)
    for folder, reason in (
        ("assets", "depends on where the project lies"),
        ("../../../caches", "depends on where the project lies"),
        (os.fspath(project / "assets"), "lies inside"),
        (os.fspath(project), "lies inside"),
        (os.fspath(clone / "assets"), "lies inside"),
        ("~/clone/assets", "lies inside"),
        ("~/caches/../clone/assets", "lies inside"),
        (os.fspath(tmp_path / "home" / "elsewhere" / "assets"), "lies inside"),
        ("~/caches", ""),
        (os.fspath(tmp_path / "home" / "clones"), ""),
    ):
        (project / "pyproject.toml").write_text(
            f"[tool.pypackpack]\npackages = []\n[tool.pypackpack.cache]\nfolder = '{folder}'\n", encoding="utf-8"
        )
        if not reason:
            assert load_project(project).cache.folder is not None
            continue
        with pytest.raises(SettingsError) as caught:
            load_project(project)
        told = f"{caught.value.message}\n{caught.value.details}"
        assert f'tool.pypackpack.cache.folder: "{folder}" {reason}' in told


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("10 MB", 10**7),
        ("20 GB", 2 * 10**10),
        ("1.5TB", 15 * 10**11),
        ("512MiB", 1 << 29),
        ("1 gb", 10**9),
        ("10000 k", 10**7),
        ("20000000", 2 * 10**7),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-1 GB", "1 XB", "1 GB ", "1e9", "9 MB", "0", "1,5 GB", "٣ GB", "1 GBB"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match=r"unit|at least"):
        parse_size(text)
    assert "tool.pypackpack.cache.size: expected a string such as" in problems({"size": text})[0]


@pytest.mark.parametrize(
    "url",
    ["https://me:hunter2@cache.test", "https://hunter2@cache.test/x", "http://:hunter2@cache.test"],
)
def test_a_login_in_the_url_is_refused_and_the_reason_said(url: str) -> None:
    (problem,) = problems({"remote": {"url": url}})
    assert "who we are does not belong into a file that others read" in problem
    assert "PYPACKPACK_CACHE_TOKEN" in problem


@pytest.mark.parametrize(
    "url",
    [
        "",
        "cache.test",
        "ftp://cache.test",
        "file:///x",
        "https://",
        "https://x y",
        "https://x/?a=b",
        "https://x/#f",
        "https://x:y",
        "https://[x",
    ],
)
def test_what_is_no_address_of_a_server(url: str) -> None:
    (problem,) = problems({"remote": {"url": url}})
    assert problem.startswith("tool.pypackpack.cache.remote.url: expected a string such as")


@pytest.mark.parametrize(
    ("cache", "problem"),
    [
        ({"folder": ""}, "tool.pypackpack.cache.folder: expected a string such as"),
        ({"folder": "~nobody-of-that-name/x"}, "`~` stands for the home folder"),
        ({"siz": "1 GB"}, 'tool.pypackpack.cache.siz: unknown key; did you mean "size"?'),
        ({"remote": {}}, "tool.pypackpack.cache.remote.url: missing"),
        ({"remote": {"url": URL, "push": "yes"}}, "tool.pypackpack.cache.remote.push: expected true or false"),
        ({"remote": {"url": URL, "protocol": "cass"}}, 'did you mean "cas"?'),
        ({"remote": {"url": URL, "trust": [KEY, KEY[:-1]]}}, "tool.pypackpack.cache.remote.trust[1]: expected a string such as"),
        ({"remote": {"url": URL, "trust": ["ed25519-secret:" + KEY[8:]]}}, "a public key as `pypackpack cache key` prints it"),
        ({"remote": {"url": URL, "timeout": 0}}, "tool.pypackpack.cache.remote.timeout: expected a number from 0.1 to 60"),
        ({"remote": {"url": URL, "timeout": float("nan")}}, "expected a number from 0.1 to 60"),
        ({"remote": {"url": URL, "timeout": True}}, "expected a number from 0.1 to 60"),
    ],
)
def test_wrong_settings(cache: object, problem: str) -> None:
    (found,) = problems(cache)
    assert problem in found


def test_it_belongs_to_the_project_and_not_to_a_package() -> None:
    content = {"project": {"name": "a", "version": "1"}, "tool": {"pypackpack": {"cache": {"size": "1 GB"}}}}
    assert check.package_problems(content) == ["tool.pypackpack.cache: this key belongs in the project's pyproject.toml"]
