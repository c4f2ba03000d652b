"""What may stand in the place of the word being typed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypackpack.backend.tools import uv_options
from pypackpack.frontend.cli import command
from pypackpack.frontend.cli.complete import _RealWorld, completions
from pypackpack.frontend.cli.table import LATER, command_words, row_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pypackpack.frontend.cli.command import Parameter


class FakeWorld:
    """Two packages and three targets."""

    def packages(self) -> list[str]:
        return ["billing", "web"]

    def targets(self, packages: Sequence[str] | None) -> list[tuple[str, str]]:
        if packages == ("web",):
            return [("emscripten", "family")]
        return [("windows", "family"), ("windows_amd64", "Windows"), ("linux_x86_64", "Linux")]

    def dependencies(self, package: str) -> list[tuple[str, str]]:
        return [("numpy", package)] if package else [("pytest", "dev"), ("ruff", "lint")]

    def parameters(self, words: str) -> Sequence[Parameter]:
        row = row_of(words.split(" "))
        return command.parameters(command.load(row)) if row else []


def words_for(call: str) -> list[str]:
    return [word for word, _ in completions(call.split(" "), FakeWorld())]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("bui", ["build"]),
        ("bi", ["billing"]),
        ("package ", ["add", "remove", "list"]),
        ("package remove ", ["billing", "web"]),
        ("target add win", ["windows", "windows_amd64"]),
        ("target add windows w", ["windows", "windows_amd64", "web"]),
        ("build ", ["billing", "web"]),
        ("build billing ", ["source", "resource"]),
        ("build billing source ", ["single", "fat", "binary", "patch"]),
        ("build billing source --level ", ["instant", "bytecode", "native", "mixed"]),
        ("build billing source --level n", ["native"]),
        ("build billing source --level=n", ["--level=native"]),
        ("build billing source --type debug s", ["single"]),
        ("build billing source --target ", ["windows", "windows_amd64", "linux_x86_64"]),
        ("build billing source --target=windows,l", ["--target=windows,linux_x86_64"]),
        ("build billing source --target windows l", ["linux_x86_64"]),
        ("build billing source --target windows b", ["binary"]),
        ("build billing source --offline --j", ["--jobs", "--json"]),
        ("build billing source --jobs ", []),
        ("build billing source --rerun ", ["bytecode", "transcompile", "compile", "environment", "pack", "bundle", "patch", "single", "fat", "binary"]),
        ("build billing source --rerun compile b", ["bytecode", "bundle", "binary"]),
        ("build billing source --profile ", ["single", "fat", "binary", "patch"]),
        ("build billing source --python 3.1", ["3.10", "3.11", "3.12", "3.13", "3.14"]),
        ("billing ", ["add", "remove", "sync", "tree"]),
        ("billing add numpy --target linux", ["linux_x86_64"]),
        ("web add numpy --target ", ["emscripten"]),
        ("web sync --target=", ["--target=emscripten"]),
        ("add x --package web --target ", ["emscripten"]),
        ("add x --package=web --target ", ["emscripten"]),
        ("build web source --target ", ["emscripten"]),
        ("env web --target e", ["emscripten"]),
        ("web remove n", ["numpy"]),
        ("remove ", ["pytest", "ruff"]),
        ("remove pytest r", ["ruff"]),
        ("web sync ", ["--package", "--target", "--offline", "--check"]),
        ("web sync --check --offline ", ["--package", "--target"]),
        ("web sync x", []),
        ("completion p", ["powershell"]),
        ("help packa", ["package"]),
        ("--project ", []),
        ("--project x --quiet bui", ["build"]),
        ("--js", ["--json"]),
        ("package list ", []),
    ],
)
def test_completions(call: str, expected: list[str]) -> None:
    assert words_for(call) == expected


def test_first_words_are_commands_and_packages_but_nothing_that_comes_later() -> None:
    found = words_for("")
    assert {"init", "package", "python", "target", "build", "add", "sync", "help", "version", "billing", "web"} <= set(found)
    assert set(found) == (command_words() - LATER) | {"billing", "web"}
    assert not set(found) & LATER


def test_every_word_begins_with_what_is_typed() -> None:
    assert completions([], FakeWorld()) == completions([""], FakeWorld())


@given(
    st.lists(
        st.sampled_from(
            [
                "",
                "build",
                "billing",
                "source",
                "--target",
                "windows",
                "--level",
                "--",
                "-x",
                "package",
                "add",
                "help",
                "--json",
                "x=y",
            ]
        )
    )
)
def test_completing_never_fails(words: list[str]) -> None:
    typed = words[-1] if words else ""
    assert all(word.startswith(typed) for word, _ in completions(words, FakeWorld()))


def test_options_of_uv_are_completed_after_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"add": {"--index": True, "-i": True, "--upgrade": False, "--offline": False, "--quiet": False}}
    monkeypatch.setattr(uv_options, "_all", lambda: known)
    world = _RealWorld(Path())
    assert [each.names for each in world.parameters("add") if each.names][-2:] == [("--index",), ("--upgrade",)]
    assert [word for word, _ in completions(["add", "--u"], world)] == ["--upgrade"]
    assert [word for word, _ in completions(["add", "--index", "x", "--up"], world)] == ["--upgrade"]
    assert all(each.names != ("--index",) for each in world.parameters("build"))


def test_of_a_project_its_own_targets_and_dependencies_are_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uv_options, "options", lambda _command: {})
    files = {
        "": 'dependency-groups = { dev = ["pytest>=8", { include-group = "lint" }], lint = ["ruff"] }\n'
        '[tool.pypackpack]\npackages = ["billing", "web"]\n',
        "billing": '[project]\nname = "billing"\ndependencies = ["numpy>=2", "tz; sys_platform == \'win32\'"]\n'
        '[tool.pypackpack]\ntargets = ["windows_amd64", "linux_musl_x86_64"]\n'
        '[tool.pypackpack.target.linux_musl_x86_64]\ndependencies = ["muslthing"]\n',
        "web": '[project]\nname = "web"\n[tool.pypackpack]\ntargets = ["emscripten_wasm32"]\n',
    }
    for folder, text in files.items():
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "pyproject.toml").write_text(text, encoding="utf-8")
    world = _RealWorld(tmp_path)

    def offered(call: str) -> set[str]:
        return {word for word, _ in completions(call.split(" "), world)}

    assert offered("billing sync --target ") - {"host"} == {"linux", "windows", "windows_amd64", "linux_musl_x86_64"}
    assert {"emscripten", "windows"} <= offered("target remove ")
    assert "macos" not in offered("target remove ")
    assert "macos_arm64" in offered("target add ")
    assert offered("billing remove ") == {"numpy", "tz", "muslthing"}
    assert offered("remove ") == {"pytest", "ruff"}
