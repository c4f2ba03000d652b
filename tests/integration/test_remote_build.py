"""Builds with a remote cache: a second clone compiles nothing, and whatever an attacker lays there, the build is the same."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend import filesystem, process
from pypackpack.backend.remote_entry import from_action_result, seal, to_action_result, unseal
from pypackpack.backend.signing import Signer, Verifier, make_pair
from pypackpack.backend.urls import urlsplit
from pypackpack.middleware.build import build
from pypackpack.model.action import ActionResult
from pypackpack.model.build import BuildRequest, Bundle, Level, Silent
from tests.builds import EXAMPLE, ROOT, copy_project, run
from tests.builds import build as build_by_command
from tests.cache_servers import CacheServer, free_port, nginx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pypackpack.model.build import BuildResult

SECRET, PUBLIC = make_pair()
TARGETS = ("linux_x86_64", "windows_amd64")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CacheServer]:
    with nginx(tmp_path_factory.mktemp("nginx")) as running:
        yield running


def with_remote(project: Path, url: str, more: str = "") -> Path:
    """Add the settings of a remote cache to a project."""
    settings = project / "pyproject.toml"
    table = f'\n[tool.pypackpack.cache.remote]\nurl = "{url}"\ntrust = ["{PUBLIC}"]\n{more}'
    settings.write_text(settings.read_text(encoding="utf-8") + table, encoding="utf-8")
    return project


def test_a_second_clone_on_an_empty_machine_calls_no_compiler(tmp_path: Path, cold_cache: Path, server: CacheServer) -> None:
    first = with_remote(copy_project(EXAMPLE, tmp_path / "first"), f"{server.url}/example")
    second = shutil.copytree(first, tmp_path / "second")
    words = ("single", "--level", "native", "--target", *TARGETS)
    pushing = {
        "PYPACKPACK_CACHE_KEY": SECRET,
        "PYPACKPACK_CACHE_PUSH": "true",
        "PYPACKPACK_CACHE_HOST": urlsplit(server.url).netloc,
    }
    made = build_by_command(first, "tidewatch", *words, env=pushing).answer
    assert made["tasks_remote"] == 0
    home = tmp_path / "home"
    home.mkdir()
    # No tools, no compilers, no network but for the cache: whatever had to be compiled would fail.
    alone = {
        "HOME": os.fspath(home),
        "PYPACKPACK_CACHE_DIR": os.fspath(home / "cache"),
        "UV_CACHE_DIR": os.fspath(home / "uv"),
        "UV_OFFLINE": "1",
    }
    said = spoken(second, words, alone)
    compiled = made["tasks_run"] - len(list((EXAMPLE / "tidewatch/src/main").glob("*.py")))  # bytecode is made at home
    counts = (
        rf"\({made['tasks_run']} tasks, {compiled} from the cache, {compiled} of these from the remote cache; no compiler ran\)"
    )
    assert re.search(counts, said)
    wheels = (second / "tidewatch").rglob("*.whl")
    assert {hashlib.sha256(file.read_bytes()).hexdigest() for file in wheels} == {each["sha256"] for each in made["artifacts"]}
    assert not (home / "cache" / "tools-v1").exists()
    assert not (home / "cache" / "zig-v1").exists()
    assert cold_cache.is_dir()


def spoken(project: Path, words: tuple[str, ...], env: dict[str, str]) -> str:
    """Return what a build says to a person, as one line."""
    done = run(
        [sys.executable, "-m", "pypackpack", "build", "tidewatch", "source", *words],
        cwd=project,
        env={"PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "200", **env},
    )
    assert done.returncode == 0, done.stderr
    return " ".join((done.stdout + done.stderr).split())


# What follows builds at level instant: one task, which zips a wheel. What is believed, and what not, does not depend on the task.


class Team:
    """Machines that build the same project."""

    def __init__(self, folder: Path, server: CacheServer, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shelf = server.files / folder.name
        self.url = f"{server.url}/{folder.name}"
        monkeypatch.setenv("PYPACKPACK_CACHE_HOST", urlsplit(server.url).netloc)
        self._folder = folder
        self._monkeypatch = monkeypatch
        self._project = with_remote(project, self.url, "timeout = 5\n")
        self._machines = 0

    def build(self, *, push: bool = False, cache: str = "", offline: bool = False) -> tuple[BuildResult, str]:
        """Build on a new machine, or on one with a cache of that name, and return what was made and what was said."""
        self._machines += 1
        name = cache or f"machine-{self._machines}"
        project = shutil.copytree(self._project, self._folder / name / f"clone-{self._machines}")
        self._monkeypatch.setenv(filesystem.CACHE_VARIABLE, os.fspath(self._folder / name / "cache"))
        self._monkeypatch.setenv("PYPACKPACK_CACHE_PUSH", "1" if push else "0")
        self._monkeypatch.setenv("PYPACKPACK_CACHE_KEY", SECRET if push else "")
        watcher = Silent()
        request = BuildRequest(project, "small", Bundle.SINGLE, level=Level.INSTANT, offline=offline)
        return build(request, watcher), "\n".join(watcher.notes)

    def entry(self) -> Path:
        """The one entry on the server."""
        (found,) = (self.shelf / "ac").iterdir()
        return found


@pytest.fixture
def team(tmp_path: Path, server: CacheServer, small_project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Team:
    return Team(tmp_path, server, small_project(), monkeypatch)


def wheel(result: BuildResult) -> bytes:
    (artifact,) = result.artifacts
    data = artifact.path.read_bytes()
    assert hashlib.sha256(data).hexdigest() == artifact.sha256
    return data


def test_what_one_machine_makes_another_takes(team: Team) -> None:
    made, said = team.build(push=True)
    assert (made.tasks_remote, said) == (0, f"uploaded 1 result to the remote cache {team.url}")
    taken, said = team.build()
    assert (taken.tasks_remote, said) == (1, "")
    assert wheel(taken) == wheel(made)
    assert taken.artifacts[0].cached


def test_offline_and_read_only_machines_leave_the_server_alone(team: Team, server: CacheServer) -> None:
    before = len(server.requests())
    made, _ = team.build(offline=True, push=True)
    assert len(server.requests()) == before
    taken, _ = team.build()
    assert wheel(taken) == wheel(made)
    assert {line.split()[0] for line in server.requests()[before:]} == {"GET"}
    assert not team.shelf.exists()


def test_a_build_with_nothing_to_do_asks_nothing(team: Team, server: CacheServer) -> None:
    team.build(push=True)
    team.build(cache="mine")
    before = len(server.requests())
    again, _ = team.build(cache="mine")
    assert again.tasks_run == 0
    assert len(server.requests()) == before


POISONS = (
    "unsigned",
    "signed by himself",
    "another entry",
    "another blob",
    "another digest",
    "half an entry",
    "empty",
    "not protobuf",
)


@pytest.mark.parametrize("poison", POISONS)
def test_nobody_who_can_write_to_the_server_can_poison_a_build(team: Team, poison: str) -> None:
    """CVE-2025-36852: whoever may write to a shared cache decides what everybody gets, where nobody checks who wrote."""
    made, _ = team.build(push=True)
    entry = team.entry()
    key, honest = entry.name, from_action_result(entry.read_bytes())
    said = unseal(key, honest, Verifier([Signer(SECRET).public]))
    evil = b"PK evil wheel"
    digest = hashlib.sha256(evil).hexdigest()
    result = ActionResult({"wheel": digest}, said.result.facts)
    sizes = {digest: len(evil)}
    (team.shelf / "cas" / digest).write_bytes(evil)
    if poison == "unsigned":
        document = json.dumps(
            {"format": "pypackpack-cache-1", "key": key, "outputs": {"wheel": [digest, len(evil)]}, "facts": {}}
        )
        entry.write_bytes(to_action_result(document.encode(), result, sizes))
    elif poison == "signed by himself":
        entry.write_bytes(to_action_result(seal(key, result, sizes, Signer(make_pair()[0])), result, sizes))
    elif poison == "another entry":  # a right one, of another task
        entry.write_bytes(to_action_result(seal("0" * 64, result, sizes, Signer(SECRET)), result, sizes))
    elif poison == "another blob":
        (team.shelf / "cas" / said.result.outputs["wheel"]).write_bytes(evil)
    elif poison == "another digest":  # in what bazel-remote reads, and in what is signed
        entry.write_bytes(to_action_result(honest.replace(said.result.outputs["wheel"].encode(), digest.encode()), result, sizes))
    elif poison == "half an entry":
        entry.write_bytes(entry.read_bytes()[:-20])
    elif poison == "empty":
        entry.write_bytes(b"")
    else:
        entry.write_bytes(os.urandom(400))
    victim, notes = team.build(cache="victim")
    assert wheel(victim) == wheel(made)
    assert victim.tasks_remote == 0
    assert "wrong content" in notes if poison == "another blob" else "entries that are not used" in notes
    again, _ = team.build(cache="victim")
    assert wheel(again) == wheel(made)
    assert not list((team.shelf.parent / "victim").rglob(digest))


def test_a_server_that_lost_its_blobs_costs_one_more_attempt(team: Team) -> None:
    made, _ = team.build(push=True)
    shutil.rmtree(team.shelf / "cas")
    taken, said = team.build()
    assert wheel(taken) == wheel(made)
    assert taken.tasks_remote == 0
    assert "is made again" in said


def test_a_server_that_is_gone_changes_nothing_but_a_note(
    tmp_path: Path, small_project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = CacheServer(f"http://127.0.0.1:{free_port()}", tmp_path, tmp_path)
    team = Team(tmp_path, nobody, small_project({f"main/m{number}.py": "" for number in range(4)}), monkeypatch)
    monkeypatch.setattr("pypackpack.middleware.graph.schedule.CHEAP_SECONDS", 0.0)
    made, said = team.build(push=True)
    assert made.tasks_run > 2
    assert said.count("is left alone") == 1
    assert "did not get" in said


def test_no_tool_gets_what_signs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tool may be a stranger's code: the build backend of a dependency, for instance."""
    for name in ("PYPACKPACK_CACHE_KEY", "PYPACKPACK_CACHE_TOKEN", "PYPACKPACK_CACHE_PASSWORD"):
        monkeypatch.setenv(name, "hunter2")
    look = [sys.executable, "-c", "import os; print(sorted(os.environ.items()))"]
    for env in (None, {**os.environ, "MORE": "1"}):
        said = process.run(look, cwd=tmp_path, env=env).stdout
        assert "PATH" in said
        assert "hunter2" not in said
